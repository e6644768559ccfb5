"""The whole of demand: rolled, chosen, corrected and judged, with forecasters simple enough to know what they do."""

from collections.abc import Mapping

import numpy as np
import pytest

from acreage.demand.calibration.demand import DemandFound, calibrate_demand
from acreage.demand.calibration.estimate import Estimated
from acreage.demand.calibration.forecaster import BASELINE, Forecast
from acreage.demand.calibration.history import Frequency
from acreage.demand.calibration.rolling import grid_of, rows_needed
from acreage.units.errors import InputError
from tests.demand.calibration.histories import NAMES, histories

Z = np.asarray([-1.6449, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6449])[:, None]


def last(values: np.ndarray, season: int, steps: int) -> np.ndarray:
    """The last value, with a fifth of a random walk's width."""
    spread = np.diff(values).std() * np.sqrt(np.arange(1, steps + 1))
    return np.asarray(values[-1] + 0.2 * Z * spread)


def drift(values: np.ndarray, season: int, steps: int) -> np.ndarray:
    """A random walk with drift, with a third of its width."""
    step = np.diff(values)
    ahead = np.arange(1, steps + 1)
    return np.asarray(values[-1] + step.mean() * ahead + Z / 3.0 * step.std() * np.sqrt(ahead))


def broken(values: np.ndarray, season: int, steps: int) -> np.ndarray:
    """A model that cannot be fitted."""
    raise ValueError("singular")


FORECASTERS: Mapping[str, Forecast] = {BASELINE: last, "drift": drift}


def found(forecasters: Mapping[str, Forecast] = FORECASTERS, seed: int = 2) -> DemandFound:
    made = histories(seed, Frequency.WEEKLY, 150, sd=0.2, growth=4.0, weight=0.0)
    done: list[tuple[int, int]] = []
    answer = calibrate_demand(
        made, forecasters, families={}, source="demand.csv", tell=lambda n, of: done.append((n, of))
    )
    assert done == [(i + 1, len(done)) for i in range(len(done))]
    return answer


def test_the_better_forecaster_is_chosen_and_beats_the_baseline_later() -> None:
    """Demand that grows fourfold a year is not forecast by its last value."""
    scores = found().scores
    assert {s.forecaster for s in scores if s.chosen} == {"drift"}
    assert all(s.over_baseline < 1.0 for s in scores if s.chosen)
    assert all(s.over_baseline == 1.0 for s in scores if s.forecaster == BASELINE)


def test_intervals_too_narrow_cover_after_correction_in_windows_never_seen() -> None:
    """A third of the width covers less than half as often as said; corrected by six earlier windows, about as said."""
    answers = [found(seed=seed).coverage for seed in range(12)]
    for of_level in zip(*answers, strict=True):
        level = of_level[0].level_frac
        assert all(one.correction_frac > 0.0 for one in of_level)
        assert all(one.high_frac < level for one in of_level)
        assert np.mean([one.before_frac for one in of_level]) < 0.6 * level
        assert np.mean([one.after_frac for one in of_level]) == pytest.approx(level, abs=0.07)
        assert np.mean([one.after_low_frac <= level <= one.after_high_frac for one in of_level]) >= 0.6


def test_every_workload_has_its_growth_spread_and_forecast() -> None:
    """Each with an interval about it, in the order of the quantiles."""
    answer = found()
    for name in NAMES:
        values = {a.quantity: a for a in answer.answers if a.subject == name}
        assert set(values) == {"demand_sd_frac_per_year", "growth_per_year", "forecast_sd_frac_per_year"}
        assert all(isinstance(a, Estimated) and a.low <= a.value <= a.high for a in values.values())
    for forecast in answer.forecasts:
        assert (np.diff(forecast.values, axis=0) >= 0.0).all()
        assert forecast.forecaster == "drift"


def test_a_forecaster_that_fails_is_left_out_by_name() -> None:
    """The others stand."""
    answer = found({**FORECASTERS, "fragile": broken})
    assert answer.failed[0] == "fragile gave no forecast of chat: ValueError: singular"
    assert {s.forecaster for s in answer.scores} == set(FORECASTERS)


@pytest.mark.parametrize("frequency", list(Frequency))
def test_a_history_too_short_is_refused_with_what_is_there_and_needed(frequency: Frequency) -> None:
    """One row less than needed."""
    needed = rows_needed(frequency)
    grid = grid_of(needed, frequency)
    assert grid.windows >= 6
    with pytest.raises(InputError, match=f"{needed - 1} {frequency} rows are too short a history: {needed} are needed"):
        grid_of(needed - 1, frequency)
