"""The generator's law fitted to histories drawn from it: the truth lies within intervals about as often as they say."""

import numpy as np
import pytest

from acreage.demand.calibration.estimate import Answer, Estimated, Unsaid, sd_of_factor
from acreage.demand.calibration.history import Frequency
from acreage.demand.calibration.walk import fit, growth_of, shared_of, spread_of
from tests.demand.calibration.histories import histories

CASES = [
    (Frequency.MONTHLY, 60, 0.15),
    (Frequency.MONTHLY, 36, 0.0),
    (Frequency.WEEKLY, 160, 0.15),
    (Frequency.DAILY, 365, 0.0),
]


@pytest.mark.parametrize(("frequency", "rows", "season"), CASES)
def test_spread_growth_and_weight_are_recovered(frequency: Frequency, rows: int, season: float) -> None:
    """Forty draws of three workloads: 95 % intervals hold at least 85 % of the time, and are not all-embracing."""
    held: dict[str, list[bool]] = {"spread": [], "growth": [], "weight": []}
    for seed in range(40):
        made = histories(seed, frequency, rows, season=season)
        fits = [fit(history) for history in made]
        for history, fitted in zip(made, fits, strict=True):
            spread, growth = spread_of(history, fitted, "s"), growth_of(history, fitted, "s")
            assert spread.high < 5 * spread.low
            held["spread"].append(spread.low <= sd_of_factor(0.3) <= spread.high)
            held["growth"].append(growth.low <= 2.0 <= growth.high)
        weight = shared_of(made, fits, ["", "", ""], "s")
        assert isinstance(weight, Estimated)
        held["weight"].append(weight.low <= 0.5 <= weight.high)
    assert all(np.mean(hits) >= 0.85 for hits in held.values()), {k: np.mean(v) for k, v in held.items()}


def test_a_season_of_the_year_is_taken_out_where_it_was_seen_three_times() -> None:
    """With two years of it the swing counts as spread, and the method says so."""
    long, short = (fit(histories(1, Frequency.MONTHLY, rows, season=0.4)[0]) for rows in (72, 30))
    assert long.season
    assert not short.season
    assert short.sd > 2 * long.sd


def shared(families: list[str], weight: float) -> Answer:
    made = histories(3, Frequency.DAILY, 3_000, weight=weight)
    return shared_of(made, [fit(history) for history in made], families, "s")


def test_workloads_of_one_family_share_more_than_the_weight() -> None:
    """In the generator they correlate by w + (1 - w) / 2: a correlation of 0.75 is a weight of 0.5."""
    apart, together = shared(["", "", ""], 0.75), shared(["text", "text", "text"], 0.75)
    assert isinstance(apart, Estimated)
    assert isinstance(together, Estimated)
    assert apart.value == pytest.approx(0.75, abs=0.06)
    assert together.value == pytest.approx(0.5, abs=0.12)


def test_one_history_or_histories_of_other_days_share_nothing_that_can_be_said() -> None:
    """The reasons are named."""
    made = [histories(1, Frequency.MONTHLY, rows)[0] for rows in (40, 41)]
    fits = [fit(history) for history in made]
    alone, apart = shared_of(made[:1], fits[:1], [""], "s"), shared_of(made, fits, ["", ""], "s")
    assert isinstance(alone, Unsaid)
    assert isinstance(apart, Unsaid)
    assert alone.why == "1 history is there, 2 are needed"
    assert apart.why == "the histories end on different days"
