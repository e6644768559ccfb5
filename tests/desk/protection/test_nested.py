"""Exact dynamic programming against published values, an independent program and enumeration."""

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from acreage.desk.protection.continuous import continuous_plan_of, optimal_continuous
from acreage.desk.protection.discrete_laws import DiscreteLaw, probabilities
from acreage.desk.protection.laws import FixedLaw, Law, NegativeBinomialLaw, NormalLaw, PoissonLaw
from acreage.desk.protection.nested import optimal_plan, plan_of
from acreage.desk.protection.rules import emsr_a, emsr_b, littlewood, whole_levels
from acreage.desk.protection.tiers import Tier, clairvoyant_usd
from acreage.units.errors import InputError
from tests.desk.protection.published import EVEN, GALLEGO, STEEP


def test_gallego_s_five_fares() -> None:
    """Levels 14, 54, 101, 169 and the value at 200 seats, 8,159.1; they do not depend on the stock."""
    plan = optimal_plan(GALLEGO, 350)
    assert plan.levels == (14, 54, 101, 169) == optimal_plan(GALLEGO, 20).levels
    values = [plan.expected_usd(units) for units in (50, 100, 200, 250)]
    assert values == pytest.approx([3426.8, 5441.3, 8159.1, 8909.1], abs=0.05)


def test_gallego_s_values_by_the_bellman_equation_itself() -> None:
    """Demand unit by unit, each taken if it pays: an independent program, at every stock to 350."""
    value = np.zeros(351)
    for tier in GALLEGO:
        after = np.zeros(351)
        served = value
        for mass in probabilities(tier.law, 400):
            after += mass * served
            served = np.maximum(served, np.concatenate([served[:1], tier.fare_usd + served[:-1]]))
        value = after
    assert optimal_plan(GALLEGO, 350).value_usd[-1] == pytest.approx(value, rel=1e-12)
    assert value[[150, 300, 350]] == pytest.approx([7188.74, 9563.93, 9624.99], abs=0.005)


def _value(tiers: list[Tier], levels: tuple[int, ...], units: int) -> float:
    """The mean revenue of a nested policy over every combination of demands."""
    total = 0.0
    masses = [probabilities(tier.law, 12) for tier in tiers]
    for demand in product(*(np.flatnonzero(mass) for mass in masses)):
        chance = math.prod(mass[d] for mass, d in zip(masses, demand, strict=True))
        left, earned = units, 0.0
        for j in reversed(range(len(tiers))):
            level = levels[j - 1] if j else 0
            sold = min(demand[j], max(0, left - level))
            left, earned = left - sold, earned + sold * tiers[j].fare_usd
        total += chance * earned
    return total


small = (
    st.lists(st.integers(0, 5), min_size=2, max_size=5)
    .filter(any)
    .map(lambda weights: DiscreteLaw(probabilities=np.array(weights) / sum(weights)))
)
fares = st.lists(st.integers(1, 20), min_size=3, max_size=3).map(lambda found: sorted(found, reverse=True))


@settings(max_examples=60, deadline=None)
@given(laws=st.tuples(small, small, small), fares=fares, units=st.integers(0, 7))
def test_no_nested_policy_earns_more_than_the_best(laws: tuple[Law, ...], fares: list[int], units: int) -> None:
    """Every pair of levels is tried over every combination of demands."""
    tiers = [Tier(fare_usd=float(fare), law=law) for fare, law in zip(fares, laws, strict=True)]
    best = optimal_plan(tiers, units)
    tried = {
        levels: _value(tiers, levels, units) for levels in product(range(units + 1), repeat=2) if levels[0] <= levels[1]
    }
    assert best.expected_usd(units) == pytest.approx(max(tried.values()), abs=1e-9)
    for levels, value in tried.items():
        assert plan_of(tiers, units, levels).expected_usd(units) == pytest.approx(value, abs=1e-9)


LAWS: list[tuple[Law, ...]] = [
    (PoissonLaw(mean=8.0), NegativeBinomialLaw(mean=12.0, variance=50.0), NormalLaw(mean=20.0, sd=6.0)),
    (FixedLaw(units=5), PoissonLaw(mean=10.0), FixedLaw(units=30)),
]


@pytest.mark.parametrize("laws", LAWS, ids=repr)
def test_the_order_of_policies_holds_for_mixed_laws(laws: tuple[Law, ...]) -> None:
    """First come first served <= EMSR <= best <= clairvoyant at every stock, and bid prices never rise with stock."""
    tiers = [Tier(fare_usd=fare, law=law) for fare, law in zip((10.0, 6.0, 3.0), laws, strict=True)]
    best = optimal_plan(tiers, 60)
    assert np.all(np.diff(best.marginal_usd, axis=1) <= 1e-12)
    for levels in (whole_levels(emsr_a(tiers)), whole_levels(emsr_b(tiers)), (0, 0)):
        other = plan_of(tiers, 60, levels)
        assert np.all(other.value_usd <= best.value_usd + 1e-9)
    for units in range(0, 61, 5):
        assert best.expected_usd(units) <= clairvoyant_usd(tiers, units) + 1e-3


def test_with_two_tiers_the_best_level_is_littlewood_s() -> None:
    """Exactly, for discrete demand."""
    for cheap in (10.0, 45.0, 77.0, 99.0, 100.0):
        tiers = [Tier(fare_usd=100.0, law=PoissonLaw(mean=30.0)), Tier(fare_usd=cheap, law=PoissonLaw(mean=50.0))]
        assert optimal_plan(tiers, 10).levels == (littlewood(tiers[0], cheap),)


def test_large_stocks_use_transforms_that_agree() -> None:
    """Ten thousand units against the same problem a hundred times smaller, per unit: close, as fluctuations fade."""
    tiers = [Tier(fare_usd=f, law=NormalLaw(mean=m, sd=900.0)) for f, m in ((9.0, 4e3), (5.0, 5e3), (2.0, 6e3))]
    plan = optimal_plan(tiers, 10_000)
    exact = optimal_continuous(tiers, 10_000)
    assert plan.levels == pytest.approx(exact.levels, abs=1.0)
    assert plan.expected_usd(10_000) == pytest.approx(exact.expected_usd(10_000), rel=1e-6)


@pytest.mark.parametrize("tiers", [STEEP, EVEN])
def test_continuous_levels_solve_the_published_condition(tiers: tuple[Tier, ...]) -> None:
    """P(D_1 > y_1, .., D_1 + .. + D_j > y_j) = p_j+1 / p_1 (Brumelle and McGill, 1993), by multivariate normals.

    The example's demand has a little mass below zero, which the plan counts as no demand: hence 1e-4.
    """
    plan = optimal_continuous(tiers, 150.0)
    laws = [tier.law for tier in tiers]
    lower = np.tril(np.ones((3, 3)))
    mean = lower @ [law.mean for law in laws[:3]]
    covariance = lower @ np.diag([law.variance for law in laws[:3]]) @ lower.T
    for j in (1, 2, 3):
        joint = stats.multivariate_normal(-mean[:j], covariance[:j, :j])
        chance = joint.cdf(-np.array(plan.levels[:j]), rng=np.random.default_rng(1))
        assert chance == pytest.approx(tiers[j].fare_usd / tiers[0].fare_usd, abs=1e-4)


def test_best_levels_of_the_normal_example() -> None:
    """To four decimals, as the condition above confirms; EMSR earns up to 0.6 % less from 80 to 150 units."""
    assert optimal_continuous(STEEP, 150.0).levels == pytest.approx((16.7175, 42.4900, 72.7057), abs=1e-4)
    assert optimal_continuous(EVEN, 150.0).levels == pytest.approx((9.7068, 53.5090, 98.3019), abs=1e-4)
    assert optimal_plan(STEEP, 150).levels == (17, 42, 73)
    for tiers, rule in product((STEEP, EVEN), (emsr_a, emsr_b)):
        best, other = optimal_continuous(tiers, 150.0), continuous_plan_of(tiers, 150.0, rule(tiers))
        for units in range(80, 151, 5):
            loss = 1.0 - other.expected_usd(units) / best.expected_usd(units)
            assert -1e-9 <= loss < 0.006


@pytest.mark.parametrize("units", [60.0, 110.0])
def test_continuous_values_agree_with_simulation(units: float) -> None:
    """Mean revenue of the levels over 400,000 draws, within four standard errors."""
    rng = np.random.default_rng(11)
    levels = (0.0, *emsr_b(EVEN))
    left, earned = np.full(400_000, units), np.zeros(400_000)
    for tier, level in reversed(list(zip(EVEN, levels, strict=True))):
        sold = np.minimum(tier.law.sample(rng, 400_000), np.maximum(0.0, left - level))
        left, earned = left - sold, earned + sold * tier.fare_usd
    plan = continuous_plan_of(EVEN, 150.0, emsr_b(EVEN))
    assert plan.expected_usd(units) == pytest.approx(earned.mean(), abs=4.0 * earned.std() / math.sqrt(400_000))


def test_finer_units_come_to_the_continuous_plan() -> None:
    """The same demand in tenths of a unit: levels and value of the whole-unit program, scaled back."""
    fine = [
        Tier(fare_usd=t.fare_usd / 10.0, law=NormalLaw(mean=10.0 * t.law.mean, sd=10.0 * math.sqrt(t.law.variance)))
        for t in EVEN
    ]
    tenths, exact = optimal_plan(fine, 1500), optimal_continuous(EVEN, 150.0)
    assert np.array(tenths.levels) / 10.0 == pytest.approx(exact.levels, abs=0.06)
    for units in (70, 100, 130):
        assert tenths.expected_usd(10 * units) == pytest.approx(exact.expected_usd(units), rel=1e-6)


def test_continuous_marginal_values_fall_and_are_the_slope_of_the_value() -> None:
    """V' by differences, across the levels."""
    plan = optimal_continuous(STEEP, 150.0)
    marginal = [plan.marginal_usd(units) for units in np.linspace(0.0, 150.0, 301)]
    assert all(a >= b - 1e-9 for a, b in pairwise(marginal))
    for units in (10.0, 30.0, 60.0, 90.0, 140.0):
        slope = (plan.expected_usd(units + 1e-4) - plan.expected_usd(units - 1e-4)) / 2e-4
        assert plan.marginal_usd(units) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: plan_of(GALLEGO, 10, (1, 2, 3)),
        lambda: plan_of(GALLEGO, 10, (4, 3, 5, 6)),
        lambda: plan_of(GALLEGO, -1, (1, 2, 3, 4)),
        lambda: optimal_plan(GALLEGO, -1),
        lambda: optimal_plan(GALLEGO, 10).expected_usd(11),
        lambda: optimal_continuous(GALLEGO, 10.0),
        lambda: continuous_plan_of(STEEP, 10.0, (3.0, 2.0, 4.0)),
        lambda: optimal_continuous(STEEP, 10.0).expected_usd(-1.0),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """Levels that fall or are missing, a negative stock, a stock beyond the table, demand that is not normal."""
    with pytest.raises(InputError):
        make()
