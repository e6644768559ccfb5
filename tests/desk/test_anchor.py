"""The law of the anchor's need: against draws, and the level it is protected at."""

import numpy as np

from acreage.desk.anchor import anchor_law
from acreage.domain.desk import AnchorContract, Step
from tests.desk.cases import NOW, POOL, anchor_contract, day, desk, horizon_of

DRAWS = 200_000


def test_tail_and_excess_agree_with_draws_of_the_same_law() -> None:
    """P(need > level) and E[(need - level)+] match draws with options called at random, on days of every kind."""
    law = anchor_law(anchor_contract(), horizon_of(desk()))
    rng = np.random.default_rng(1)
    for at, levels in ((0, (380.0, 430.0)), (59, (450.0, 499.0)), (100, (450.0, 550.0)), (150, (500.0, 640.0))):
        base = np.clip(law.mean[at] + law.deviation[at] * rng.standard_normal(DRAWS), 0.0, law.ramp[at])
        need = base + np.where(rng.random(DRAWS) < 0.3, law.offsets[-1, at], 0.0)
        for level in levels:
            days = slice(at, at + 1)
            above = float(law.above(np.array([level]), days)[0])
            excess = float(law.excess(np.array([level]), days)[0])
            assert abs(above - np.mean(need > level)) < 0.005
            assert abs(excess - np.mean(np.maximum(need - level, 0.0))) < 0.5


def test_the_protected_level_is_the_least_that_keeps_the_limit() -> None:
    """With it the anchor is short at most as often as promised; with one less it would be more often."""
    law = anchor_law(anchor_contract(), horizon_of(desk()))
    for limit in (0.2, 0.01, 0.0001):
        level = law.protected(limit)
        assert np.all(law.above(level.astype(float)) <= limit)
        assert np.all(law.above(level - 1.0) > limit)
        assert np.all(level <= law.right)


def test_without_a_forecast_the_whole_right_is_protected() -> None:
    """A ramp nobody says anything about is taken to be called in full, from the day it steps up."""
    contract = AnchorContract(pool=POOL, ramp=(Step(from_at=NOW, accelerators=5), Step(from_at=day(3), accelerators=9)))
    law = anchor_law(contract, horizon_of(desk()))
    assert law.protected(0.01)[:5].tolist() == [5, 5, 5, 9, 9]
    assert anchor_law(None, horizon_of(desk())).protected(0.01).max() == 0
