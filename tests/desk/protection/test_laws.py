"""Each law against its definition, and sums against convolution and sampling."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from acreage.desk.protection.discrete_laws import (
    DiscreteLaw,
    beta_binomial_law,
    binomial_law,
    empirical_law,
    probabilities,
    sum_of,
    whole_units,
)
from acreage.desk.protection.laws import FixedLaw, Law, NegativeBinomialLaw, NormalLaw, PoissonLaw
from acreage.units.errors import InputError

DISCRETE: list[Law] = [
    PoissonLaw(mean=7.3),
    PoissonLaw(mean=0.0),
    NegativeBinomialLaw(mean=7.3, variance=40.0),
    DiscreteLaw(probabilities=np.array([0.1, 0.0, 0.4, 0.2, 0.3])),
    binomial_law(9, 0.3),
    beta_binomial_law(9, 0.3, 0.2),
    FixedLaw(units=4),
]
ALL: list[Law] = [*DISCRETE, NormalLaw(mean=17.3, sd=5.8), NormalLaw(mean=2.0, sd=5.0), FixedLaw(units=2.5)]


@pytest.mark.parametrize("law", ALL, ids=repr)
def test_what_a_stock_sells_is_the_integral_of_survival(law: Law) -> None:
    """E min(D, x) = integral of P(D > u) from 0 to x."""
    for x in (0.0, 0.4, 3.0, 4.0, 7.7, 20.0):
        fine = np.linspace(0.0, x, 200_001)
        middle = (fine[1:] + fine[:-1]) / 2.0
        sold = float(law.survival(middle).sum() * x / 200_000)
        assert float(law.expected_min(x)) == pytest.approx(sold, abs=2e-4)


@pytest.mark.parametrize("law", DISCRETE, ids=repr)
def test_discrete_laws_agree_with_their_probabilities(law: Law) -> None:
    """Mean, variance, survival and E min follow from P(D = k)."""
    k = np.arange(400)
    mass = probabilities(law, 400)
    assert mass.sum() == pytest.approx(1.0, abs=1e-12)
    assert mass @ k == pytest.approx(law.mean, abs=1e-9)
    assert mass @ (k - law.mean) ** 2 == pytest.approx(law.variance, abs=1e-6)
    for x in range(12):
        assert float(law.survival(x)) == pytest.approx(mass[x + 1 :].sum(), abs=1e-12)
        assert float(law.survival(x + 0.5)) == pytest.approx(mass[x + 1 :].sum(), abs=1e-12)
        assert float(law.expected_min(x)) == pytest.approx(mass @ np.minimum(k, x), abs=1e-10)
    assert law.survival(-1.0) == pytest.approx(1.0)


@pytest.mark.parametrize("law", ALL, ids=repr)
@given(tail=st.floats(1e-6, 1.0))
def test_the_quantile_is_the_smallest_number_that_will_do(law: Law, tail: float) -> None:
    """P(D > x) <= tail at x and above it just below; x is 0 or more."""
    x = law.inverse_survival(tail)
    assert x >= 0.0
    assert float(law.survival(x)) <= tail * (1.0 + 1e-9)
    if x > 0.0:
        below = x - 1.0 if law.discrete else x - 1e-6
        assert float(law.survival(below)) > tail * (1.0 - 1e-9) or below < 0.0


def test_far_tails_are_found_exactly() -> None:
    """scipy's own quantile from 1 - 1e-30 would be infinite."""
    x = PoissonLaw(mean=3.0).inverse_survival(1e-30)
    assert stats.poisson.sf(x, 3.0) <= 1e-30 < stats.poisson.sf(x - 1, 3.0)
    assert PoissonLaw(mean=3.0).inverse_survival(0.0) == math.inf


@pytest.mark.parametrize("law", ALL, ids=repr)
def test_samples_have_the_law_s_mean_and_quantiles(law: Law) -> None:
    """Within four standard errors of what survival and E min say."""
    drawn = law.sample(np.random.default_rng(5), 40_000)
    error = 4.0 * max(drawn.std(), 1e-9) / 200.0
    assert drawn.min() >= 0.0
    assert np.minimum(drawn, 6.0).mean() == pytest.approx(float(law.expected_min(6.0)), abs=error + 1e-9)
    assert (drawn > 4.0).mean() == pytest.approx(float(law.survival(4.0)), abs=0.011)


def test_a_normal_law_s_mean_sale_matches_quadrature() -> None:
    """The closed form of the loss integral, with negative demand counted as none."""
    law = NormalLaw(mean=10.0, sd=8.0)
    sold = integrate.quad(lambda u: stats.norm.sf(u, 10.0, 8.0), 0.0, 13.0, epsabs=1e-12)[0]
    assert float(law.expected_min(13.0)) == pytest.approx(sold, abs=1e-10)


def test_sums_stay_in_the_family_where_they_can() -> None:
    """Normal with normal and fixed, Poisson with Poisson, negative binomial of one ratio."""
    assert sum_of([NormalLaw(mean=1.0, sd=3.0), NormalLaw(mean=2.0, sd=4.0)]) == NormalLaw(mean=3.0, sd=5.0)
    assert sum_of([NormalLaw(mean=1.0, sd=3.0), FixedLaw(units=2.0)]) == NormalLaw(mean=3.0, sd=3.0)
    assert sum_of([PoissonLaw(mean=1.0), PoissonLaw(mean=2.0)]) == PoissonLaw(mean=3.0)
    twice = sum_of([NegativeBinomialLaw(mean=2.0, variance=6.0), NegativeBinomialLaw(mean=3.0, variance=9.0)])
    assert twice == NegativeBinomialLaw(mean=5.0, variance=15.0)
    assert sum_of([]) == FixedLaw(units=0.0)
    assert sum_of([FixedLaw(units=1.5), FixedLaw(units=2.0)]) == FixedLaw(units=3.5)


@pytest.mark.parametrize(
    "laws",
    [
        [PoissonLaw(mean=4.0), FixedLaw(units=2), binomial_law(5, 0.5)],
        [NegativeBinomialLaw(mean=4.0, variance=9.0), PoissonLaw(mean=1.0)],
        [DiscreteLaw(probabilities=np.array([0.5, 0.0, 0.5])), DiscreteLaw(probabilities=np.array([0.2, 0.8]))],
    ],
)
def test_other_sums_are_convolved(laws: list[Law]) -> None:
    """Means and variances add up, and P(S = 3) is the sum over all ways."""
    total = sum_of(laws)
    assert total.mean == pytest.approx(sum(law.mean for law in laws), abs=1e-9)
    assert total.variance == pytest.approx(sum(law.variance for law in laws), abs=1e-7)
    first = probabilities(laws[0], 4)
    rest = probabilities(sum_of(laws[1:]), 4)
    assert probabilities(total, 4)[3] == pytest.approx(sum(first[k] * rest[3 - k] for k in range(4)), abs=1e-12)


def test_a_rounded_normal_keeps_its_mean() -> None:
    """Rounding to whole units moves neither mean nor, but for 1/12, variance."""
    law = whole_units(NormalLaw(mean=40.3, sd=6.0))
    assert law.mean == pytest.approx(40.3, abs=1e-6)
    assert law.variance == pytest.approx(36.0 + 1.0 / 12.0, abs=1e-4)


def test_observations_become_a_law() -> None:
    """Each as likely as its weight."""
    law = empirical_law([3, 1, 3, 0], weights=[1.0, 1.0, 1.0, 2.0])
    assert law.probabilities.tolist() == [0.4, 0.2, 0.0, 0.4]
    assert law.inverse_survival(0.39) == 3.0
    assert law.inverse_survival(0.4) == 1.0


def test_a_shared_fate_widens_a_binomial_law() -> None:
    """Variance n q (1 - q) (1 + (n - 1) correlation), from none to all or nothing."""
    for correlation in (0.0, 0.1, 0.7, 1.0):
        law = beta_binomial_law(20, 0.8, correlation)
        assert law.mean == pytest.approx(16.0)
        assert law.variance == pytest.approx(3.2 * (1.0 + 19.0 * correlation))


@pytest.mark.parametrize(
    "make",
    [
        lambda: NormalLaw(mean=1.0, sd=0.0),
        lambda: NormalLaw(mean=math.nan, sd=1.0),
        lambda: PoissonLaw(mean=-1.0),
        lambda: NegativeBinomialLaw(mean=2.0, variance=2.0),
        lambda: FixedLaw(units=-1.0),
        lambda: DiscreteLaw(probabilities=np.array([0.5, 0.4])),
        lambda: DiscreteLaw(probabilities=np.array([1.5, -0.5])),
        lambda: empirical_law([]),
        lambda: empirical_law([1, -2]),
        lambda: empirical_law([1, 2], weights=[1.0]),
        lambda: binomial_law(3, 1.5),
        lambda: beta_binomial_law(3, 0.5, -0.1),
        lambda: PoissonLaw(mean=1.0).inverse_survival(1.5),
    ],
)
def test_what_is_no_law_is_refused(make) -> None:  # type: ignore[no-untyped-def]
    """With a message that says what would be right."""
    with pytest.raises(InputError, match="give"):
        make()
