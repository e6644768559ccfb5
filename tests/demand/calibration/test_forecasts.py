"""The forecasters of the extra on a series with a season: better than last season again, with intervals that hold."""

import numpy as np

from acreage.demand.calibration.demand import calibrate_demand
from acreage.demand.calibration.forecaster import BASELINE, QUANTILES
from acreage.demand.calibration.forecasts import FORECASTERS
from acreage.demand.calibration.history import Frequency
from tests.demand.calibration.histories import histories


def test_each_forecaster_gives_quantiles_in_order() -> None:
    """Of the shape that was asked for, around numbers near the history's end."""
    values = np.log(histories(1, Frequency.MONTHLY, 60, season=0.2)[0].values)
    for name, forecast in FORECASTERS.items():
        found = forecast(values, 12, 6)
        assert found.shape == (len(QUANTILES), 6), name
        assert (np.diff(found, axis=0) > 0.0).all(), name
        assert abs(found[3, 0] - values[-1]) < 1.0, name


def test_a_season_with_growth_is_forecast_better_than_by_last_season() -> None:
    """Five years of months, forecast by ETS and Theta; coverage is within its own interval after correction."""
    made = histories(4, Frequency.MONTHLY, 60, sd=0.1, growth=2.0, season=0.3)
    chosen = {name: FORECASTERS[name] for name in (BASELINE, "ETS", "Theta")}
    found = calibrate_demand(made, chosen, families={}, source="s", tell=lambda done, total: None)
    assert not found.failed
    for score in (s for s in found.scores if s.chosen):
        assert score.forecaster != BASELINE
        assert score.over_baseline < 0.5
    widest = found.coverage[-1]
    assert widest.after_low_frac <= widest.level_frac <= widest.after_high_frac
