"""Caps hold in the plans that are found, cost what exact solves say, and are said to be impossible where they are."""

from dataclasses import replace

import pytest

from acreage.domain.portfolio import ShareCap, ShareLevel
from acreage.plan.bulk.concentration import capped, capped_from, concentration, supplier_power, uncapped
from acreage.plan.problem import Infeasible
from acreage.plan.session import BROKEN_USD
from tests.plan.bulk.cases import CLOSE, inquiry_of, session_of
from tests.plan.tiny import Tiny, tiny

CAPS = (0.9, 0.7, 0.6, 0.5, 0.3)


def with_caps(case: Tiny, *caps: ShareCap) -> Tiny:
    """The case with these share caps alone."""
    return replace(case, portfolio=replace(case.portfolio, policy=replace(case.portfolio.policy, share_caps=caps)))


@pytest.mark.parametrize("seed", range(8))
def test_each_step_is_the_best_plan_under_its_cap(seed: int) -> None:
    """The same as a portfolio that has the cap, solved by itself; costs never fall as caps tighten."""
    case = tiny(seed, "tail_risk", "on_demand", only=True)
    points = concentration(inquiry_of(case), CAPS)
    from_at = capped_from(case.portfolio)
    last = -1e18
    for point in points:
        cap = point.share_max_frac
        caps = () if cap is None else (ShareCap(level=ShareLevel.SUPPLIER, share_max_frac=cap, from_at=from_at),)
        try:
            solved = session_of(with_caps(case, *caps)).solve()
        except Infeasible:
            assert point.objective_usd is None
            assert point.reason
            continue
        if solved.broken_usd > BROKEN_USD:
            assert point.reason
            continue
        assert point.objective_usd is not None
        assert point.objective_usd.found == pytest.approx(solved.range_usd.found, rel=CLOSE)
        assert point.objective_usd.found >= last - 1.0
        last = point.objective_usd.found
        if cap is not None:
            assert point.largest_frac is not None
            assert point.largest_frac <= cap + 1e-6
        assert point.hhi is not None
        assert 0.0 < point.hhi <= 1.0 + 1e-9


def test_no_step_follows_one_that_cannot_be_kept() -> None:
    """Only the last point may be without a plan, and it says why."""
    endings = [concentration(inquiry_of(tiny(seed, only=True)), CAPS) for seed in range(4)]
    assert any(points[-1].reason for points in endings)
    assert all(not point.reason for points in endings for point in points[:-1])


def test_the_portfolio_s_own_cap_is_set_aside_and_its_rows_are_those_of_a_cap_put_in() -> None:
    """Taking the rows out and putting the same cap in again changes nothing."""
    case = tiny(3, "on_demand", only=True)
    own = ShareCap(level=ShareLevel.SUPPLIER, share_max_frac=0.8, from_at=case.portfolio.periods[1].from_at)
    base = session_of(with_caps(case, own)).base
    assert capped_from(base.portfolio) == own.from_at
    free = uncapped(base)
    again = capped(free, own)
    assert free.problem.first.matrix.shape[0] < base.problem.first.matrix.shape[0]
    assert again.problem.first.matrix.shape == base.problem.first.matrix.shape
    assert abs(again.problem.first.matrix).sum() == pytest.approx(abs(base.problem.first.matrix).sum())


def test_power_adds_up_what_is_held_and_signed() -> None:
    """Every supplier's firm FLOP/s is never negative."""
    inquiry = inquiry_of(tiny(2, only=True))
    power = supplier_power(inquiry.best.formulation, inquiry.best.solution.first)
    assert set(power) <= {"old", "new"}
    assert all((series >= -1e-9).all() for series in power.values())
