"""The frontier's points are the best for their weights, every decision tried, and none of them is beaten."""

import numpy as np
import pytest

from acreage.plan.bulk.frontier import frontier
from tests.plan.bulk.cases import CLOSE, at_weight, cases, inquiry_of, least_usd

WEIGHTS = (0.0, 0.3, 0.9)


@pytest.mark.parametrize(("seed", "case"), cases(1, 4, 7, 11))
def test_points_are_the_best_for_their_weights(seed: int, case: object) -> None:
    """The objective at each weight is that of brute force, and its range encloses it."""
    for point in frontier(inquiry_of(case), WEIGHTS):
        least = least_usd(case, at_weight(case, point.weight_frac))
        assert point.objective_usd.found == pytest.approx(least, rel=CLOSE)
        assert point.objective_usd.low <= least * (1 + CLOSE) + 1.0
        assert point.gap_frac < 1e-5


@pytest.mark.parametrize(("seed", "case"), cases(1, 4, 7, 11))
def test_what_is_not_marked_is_not_dominated(seed: int, case: object) -> None:
    """More weight on risk never raises CVaR nor lowers expected cost; marks say who is beaten."""
    points = frontier(inquiry_of(case), WEIGHTS)
    assert [p.weight_frac for p in points] == sorted({*WEIGHTS, case.portfolio.policy.risk.weight_frac})
    assert sum(p.is_plan for p in points) == 1
    kept = [p for p in points if not p.is_dominated]
    for a in kept:
        for b in kept:
            assert not (b.expected_usd < a.expected_usd - 2.0 and b.cvar_usd < a.cvar_usd - 2.0)
    assert (np.diff([p.cvar_usd for p in points]) <= 2.0).all()
    assert (np.diff([p.expected_usd for p in points]) >= -2.0).all()
    assert all(p.cvar_usd >= p.expected_usd - 1.0 for p in points)
