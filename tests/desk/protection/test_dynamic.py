"""Requests over time against enumeration of every sequence, the nested program and a Poisson limit."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.desk.protection.dynamic import DynamicPlan, RequestKind, dynamic_plan, spread
from acreage.desk.protection.laws import PoissonLaw
from acreage.desk.protection.nested import optimal_plan
from acreage.desk.protection.tiers import Tier
from acreage.units.errors import InputError

FARES = (9.0, 5.0, 2.0)


def _best(kinds: list[RequestKind], chances: np.ndarray, left_usd: list[float], units: int) -> float:
    """The value by following every request and both answers, from the definition."""

    @cache
    def value(period: int, left: int) -> float:
        if period == len(chances):
            return left_usd[left]
        total = (1.0 - chances[period].sum()) * value(period + 1, left)
        for kind, chance in zip(kinds, chances[period], strict=True):
            answers = [value(period + 1, left)]
            if kind.units <= left:
                answers.append(kind.units * kind.usd_per_unit + value(period + 1, left - kind.units))
            total += chance * max(answers)
        return float(total)

    return value(0, units)


kinds = st.lists(
    st.builds(RequestKind, usd_per_unit=st.integers(0, 9).map(float), units=st.integers(1, 4)), min_size=1, max_size=4
)


@settings(max_examples=60, deadline=None)
@given(kinds=kinds, periods=st.integers(1, 7), units=st.integers(0, 8), seed=st.integers(0, 10_000))
def test_values_are_those_of_the_best_answers(kinds: list[RequestKind], periods: int, units: int, seed: int) -> None:
    """Groups of several sizes, chances that change over time, stock that is worth something at the end."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(len(kinds) + 1), periods)[:, :-1]
    left = np.sort(rng.uniform(0.0, 3.0, units + 1))
    plan = dynamic_plan(kinds, chances, units, left)
    for stock in range(units + 1):
        assert plan.value_usd[0, stock] == pytest.approx(_best(kinds, chances, left.tolist(), stock), abs=1e-9)


def test_answers_follow_the_displacement() -> None:
    """Accepted if and only if it pays at least the least price; a group too large for the stock never."""
    kinds = [RequestKind(usd_per_unit=9.0), RequestKind(usd_per_unit=4.0, units=3)]
    plan = dynamic_plan(kinds, np.tile([0.3, 0.4], (20, 1)), 10)
    left = np.arange(11)
    for units in (1, 2, 3, 5):
        least = plan.least_usd_per_unit(units)
        for period in range(20):
            assert not plan.accepts(period, left, units, 1e9)[:units].any()
            assert plan.accepts(period, left[units:], units, least[period, units:] + 1e-9).all()
            above = least[period] > 1e-6
            assert not plan.accepts(period, left[above], units, np.minimum(least[period, above], 1e9) - 1e-6).any()
    assert np.isinf(plan.least_usd_per_unit(11)).all()


def test_a_group_can_leave_a_remainder_that_fits_nobody() -> None:
    """Two pairs to come and three units: a single request displaces nothing; with four it displaces half a pair."""
    pair = [RequestKind(usd_per_unit=5.0, units=2)]
    plan = dynamic_plan(pair, np.ones((3, 1)), 4)
    assert plan.value_usd[1].tolist() == [0.0, 0.0, 10.0, 10.0, 20.0]
    assert plan.displaced_usd(0, [2, 3, 4], 1).tolist() == [10.0, 0.0, 10.0]
    assert plan.bid_price_usd[0].tolist() == [0.0, 10.0, 0.0, 10.0]


def _single(rates: tuple[float, float, float], reverse: bool, parts: int) -> DynamicPlan:
    """Three single-unit kinds that come one after the other, the cheapest first or last."""
    rows = np.diag(rates)
    rows = rows if reverse else rows[::-1]
    chances = np.repeat(rows / parts, parts, axis=0)
    return dynamic_plan([RequestKind(usd_per_unit=fare) for fare in FARES], chances, 20)


def test_cheap_first_it_comes_to_the_nested_program() -> None:
    """Poisson tiers one after the other: the value tends to that of nested levels, which need no clock."""
    tiers = [Tier(fare_usd=fare, law=PoissonLaw(mean=mean)) for fare, mean in zip(FARES, (4.0, 7.0, 12.0), strict=True)]
    nested = optimal_plan(tiers, 20).value_usd[-1]
    coarse = _single((4.0, 7.0, 12.0), reverse=False, parts=100).value_usd[0]
    fine = _single((4.0, 7.0, 12.0), reverse=False, parts=1600).value_usd[0]
    assert fine == pytest.approx(nested, rel=2e-3)
    assert np.abs(fine - nested).max() < np.abs(coarse - nested).max() / 10.0


def test_dear_first_nothing_need_be_kept() -> None:
    """In the other order first come first served is best, and worth the clairvoyant's revenue."""
    plan = _single((4.0, 7.0, 12.0), reverse=True, parts=50)
    for period in (0, 60, 149):
        kind = period // 50
        assert plan.accepts(period, np.arange(1, 21), 1, FARES[kind]).all()


def test_single_requests_have_bid_prices_that_fall_with_stock_and_time() -> None:
    """Lee and Hersh (1993): of single requests the value is concave in stock, and bid prices do not rise over time."""
    rng = np.random.default_rng(3)
    chances = rng.dirichlet(np.ones(4), 60)[:, :3]
    bid = dynamic_plan([RequestKind(usd_per_unit=fare) for fare in FARES], chances, 15).bid_price_usd
    assert np.all(np.diff(bid, axis=1) <= 1e-12)
    assert np.all(np.diff(bid, axis=0) <= 1e-12)


def test_arrivals_are_spread_thin_enough() -> None:
    """Means are kept, and no period has more than the stated chance."""
    chances, parts = spread([[1.0, 2.0], [0.5, 0.0]], chance_max=0.1)
    assert (parts, chances.shape) == (30, (60, 2))
    assert chances[:30].sum(axis=0) == pytest.approx([1.0, 2.0])
    assert chances.sum(axis=1).max() <= 0.1 + 1e-12


@pytest.mark.parametrize(
    "make",
    [
        lambda: RequestKind(usd_per_unit=-1.0),
        lambda: RequestKind(usd_per_unit=1.0, units=0),
        lambda: dynamic_plan([RequestKind(usd_per_unit=1.0)], [[0.5, 0.5]], 3),
        lambda: dynamic_plan([RequestKind(usd_per_unit=1.0)], [[1.5]], 3),
        lambda: dynamic_plan([RequestKind(usd_per_unit=1.0)], [[0.5]], -1),
        lambda: spread([[-1.0]]),
        lambda: spread([[1.0]], chance_max=0.0),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """Negative prices, no units, chances that do not fit."""
    with pytest.raises(InputError):
        make()
