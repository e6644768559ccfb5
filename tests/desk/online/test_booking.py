"""Robust booking limits against every sequence of requests."""

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.desk.online.booking import RobustThreshold, robust_limits
from acreage.units.errors import InputError


def test_the_published_ratios() -> None:
    """Two fares of ratio r: 1 / (2 - r); n fares: 1 / (n - sum f_j+1 / f_j) (Ball and Queyranne, 2009)."""
    for r in (0.1, 0.5, 0.8, 1.0):
        found = robust_limits([1.0, r])
        assert found.ratio == pytest.approx(1.0 / (2.0 - r))
        assert found.limits_frac == pytest.approx((1.0, 1.0 / (2.0 - r)))
    four = robust_limits([1000.0, 800.0, 500.0, 400.0])
    assert four.ratio == pytest.approx(1.0 / (4.0 - 0.8 - 0.625 - 0.8))
    assert four.protections_frac == pytest.approx(tuple(four.ratio * part for part in (0.2, 0.575, 0.775)))
    assert robust_limits([7.0]).ratio == 1.0


def _earned(fares: tuple[float, ...], limits: list[int], requests: tuple[int, ...]) -> float:
    taken, total = 0, 0.0
    for fare in requests:
        if taken < limits[fare]:
            taken, total = taken + 1, total + fares[fare]
    return total


CASES = [((2.0, 1.0), 3, 7), ((4.0, 3.0), 5, 11), ((4.0, 2.0, 1.0), 4, 8), ((8.0, 4.0, 4.0), 3, 7)]


@pytest.mark.parametrize(("fares", "stock", "longest"), CASES)
def test_no_sequence_earns_less_than_the_ratio(fares: tuple[float, ...], stock: int, longest: int) -> None:
    """Every sequence of requests up to a length, against the best that foresight picks; some reach the ratio."""
    found = robust_limits(fares)
    limits = [round(stock * limit) for limit in found.limits_frac]
    assert limits == pytest.approx([stock * limit for limit in found.limits_frac])
    worst = 1.0
    for length in range(1, longest + 1):
        for requests in product(range(len(fares)), repeat=length):
            best = sum(fares[fare] for fare in sorted(requests)[:stock])
            worst = min(worst, _earned(fares, limits, requests) / best)
    assert worst == pytest.approx(found.ratio)


@pytest.mark.parametrize(("fares", "stock", "longest"), CASES[:3])
def test_no_other_limits_are_sure_of_more(fares: tuple[float, ...], stock: int, longest: int) -> None:
    """Of all nested limits on this stock, none has a better worst case among the tiers coming cheapest first."""
    best = 0.0
    for limits in product(range(stock + 1), repeat=len(fares) - 1):
        whole = [stock, *limits]
        worst = 1.0
        for last in range(len(fares)):
            requests = tuple(fare for fare in range(len(fares) - 1, last - 1, -1) for _ in range(stock))
            worst = min(worst, _earned(fares, whole, requests) / (stock * fares[last]))
        best = max(best, worst)
    assert best == pytest.approx(robust_limits(fares).ratio)


@settings(max_examples=25, deadline=None)
@given(ratio=st.floats(1.0, 50.0), taken=st.floats(0.0, 0.999))
def test_the_threshold_is_the_limit_of_fine_fares(ratio: float, taken: float) -> None:
    """2,000 fares evenly spaced in ratio between the bounds: nearly the same ratio and the same least price."""
    fares = [ratio ** (1.0 - i / 1999) for i in range(2000)]
    fine, smooth = robust_limits(fares), RobustThreshold(low_usd=1.0, high_usd=ratio)
    assert fine.ratio == pytest.approx(smooth.ratio, rel=2e-3)
    accepted = [fare for fare, limit in zip(fares, fine.limits_frac, strict=True) if taken < limit]
    assert min(accepted) == pytest.approx(smooth.least_usd(taken), rel=0.02)
    assert smooth.least_usd(1.0) == math.inf


@pytest.mark.parametrize(
    "make",
    [
        lambda: robust_limits([]),
        lambda: robust_limits([1.0, 2.0]),
        lambda: robust_limits([1.0, 0.0]),
        lambda: RobustThreshold(low_usd=2.0, high_usd=1.0),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """No fares, the wrong order, nothing to pay."""
    with pytest.raises(InputError, match="give"):
        make()
