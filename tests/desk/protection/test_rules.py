"""Littlewood, EMSR-a and EMSR-b against published tables."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acreage.desk.protection.laws import NormalLaw, PoissonLaw
from acreage.desk.protection.rules import booking_limits, emsr_a, emsr_b, littlewood, whole_levels
from acreage.desk.protection.tiers import Tier, check_tiers, clairvoyant_usd, fluid_usd
from acreage.units.errors import InputError
from tests.desk.protection.published import EVEN, GALLEGO, STEEP


def test_published_levels_of_talluri_and_van_ryzin() -> None:
    """Talluri and van Ryzin (2004), section 2.2.3: means 17.3, 45.1, 39.6, 34.0, at two sets of fares."""
    assert emsr_a(STEEP) == pytest.approx((16.72, 38.72, 55.68), abs=0.005)
    assert emsr_b(STEEP) == pytest.approx((16.72, 50.94, 83.15), abs=0.005)
    assert emsr_a(EVEN) == pytest.approx((9.7068, 50.4607, 91.6317), abs=5e-5)
    assert emsr_b(EVEN) == pytest.approx((9.7068, 53.2680, 96.8347), abs=5e-5)


def test_littlewood_keeps_a_unit_while_it_is_worth_more_than_the_cheap_fare() -> None:
    """y is the largest whole number with dear x P(D >= y) > cheap."""
    dear = Tier(fare_usd=100.0, law=PoissonLaw(mean=80.0))
    for cheap in (1.0, 25.0, 60.0, 99.0):
        level = littlewood(dear, cheap)
        assert 100.0 * float(dear.law.survival(level - 1)) > cheap
        assert 100.0 * float(dear.law.survival(level)) <= cheap


def test_littlewood_by_hand() -> None:
    """Dear at twice the cheap fare: the median; at the same fare: nothing is kept."""
    assert littlewood(Tier(fare_usd=2.0, law=NormalLaw(mean=30.0, sd=7.0)), 1.0) == pytest.approx(30.0)
    assert littlewood(Tier(fare_usd=2.0, law=NormalLaw(mean=30.0, sd=7.0)), 2.0) == 0.0
    assert littlewood(Tier(fare_usd=2.0, law=PoissonLaw(mean=30.0)), 2.0) == 0.0


def test_both_versions_are_littlewood_s_rule_with_two_tiers() -> None:
    """There is nothing to add up or to pool."""
    for tiers in (STEEP[:2], EVEN[:2], GALLEGO[:2]):
        assert emsr_a(tiers) == emsr_b(tiers) == (littlewood(tiers[0], tiers[1].fare_usd),)


def test_poisson_levels_are_whole() -> None:
    """Gallego's five fares."""
    assert emsr_a(GALLEGO) == (14.0, 53.0, 97.0, 171.0)
    assert emsr_b(GALLEGO) == (14.0, 54.0, 102.0, 166.0)


def test_booking_limits_are_what_protection_leaves() -> None:
    """All of the stock for the first tier, never less than none for the last."""
    assert whole_levels((16.72, 38.5, 55.4)) == (17, 39, 55)
    assert booking_limits(50, emsr_a(STEEP)) == (50, 33, 11, 0)
    assert booking_limits(0, emsr_a(STEEP)) == (0, 0, 0, 0)


@given(
    fares=st.lists(st.floats(1.0, 1000.0), min_size=2, max_size=6),
    means=st.lists(st.floats(0.5, 100.0), min_size=6, max_size=6),
    spread_frac=st.floats(0.01, 2.0),
)
def test_levels_are_nested_and_bounds_in_order(fares: list[float], means: list[float], spread_frac: float) -> None:
    """Levels never fall, whatever the fares; the clairvoyant earns no more than mean demand would."""
    tiers = [
        Tier(fare_usd=fare, law=NormalLaw(mean=mean, sd=spread_frac * mean))
        for fare, mean in zip(sorted(fares, reverse=True), means, strict=False)
    ]
    for levels in (emsr_a(tiers), emsr_b(tiers)):
        assert all(0.0 <= a <= b for a, b in pairwise(levels))
    poisson = [Tier(fare_usd=tier.fare_usd, law=PoissonLaw(mean=tier.law.mean)) for tier in tiers]
    assert clairvoyant_usd(poisson, 50) <= fluid_usd(poisson, 50) * (1.0 + 1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: check_tiers([]),
        lambda: check_tiers(STEEP[::-1]),
        lambda: emsr_b(STEEP[::-1]),
        lambda: Tier(fare_usd=0.0, law=PoissonLaw(mean=1.0)),
        lambda: littlewood(STEEP[0], 2000.0),
        lambda: booking_limits(-1, (1.0,)),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """Wrong order, no tiers, no fare, no stock."""
    with pytest.raises(InputError):
        make()
