"""Promises beyond sure stock against every alternative, by exact sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from acreage.desk.protection.discrete_laws import DiscreteLaw, beta_binomial_law, binomial_law, empirical_law
from acreage.desk.protection.laws import Law, NormalLaw, PoissonLaw
from acreage.desk.protection.overbooking import (
    Stakes,
    best_on_shows,
    best_on_slack,
    limit_on_shows,
    limit_on_slack,
    promise_on_shows,
    promise_on_slack,
)
from acreage.units.errors import InputError

SLACKS: list[Law] = [
    PoissonLaw(mean=12.0),
    NormalLaw(mean=30.0, sd=8.0),
    binomial_law(20, 0.7),
    empirical_law([0, 3, 3, 7, 10, 12]),
    DiscreteLaw(probabilities=np.array([1.0])),
]


@pytest.mark.parametrize("slack", SLACKS, ids=repr)
@pytest.mark.parametrize("failure_max", [0.0, 0.001, 0.01, 0.05, 0.3])
def test_the_limit_is_the_last_promise_that_keeps_it(slack: Law, failure_max: float) -> None:
    """One more unit would fail more often than allowed."""
    limit = limit_on_slack(100, slack, failure_max)
    assert limit.units >= 100
    assert limit.failure_frac <= failure_max + 1e-12
    assert promise_on_slack(100, slack, limit.units + 1).failure_frac > failure_max


def test_a_promise_fails_as_often_as_it_does() -> None:
    """Failure and shortfall by hand: slack 0, 1 or 2 with chances .2, .3, .5 under a promise of 2 more."""
    promise = promise_on_slack(10, DiscreteLaw(probabilities=np.array([0.2, 0.3, 0.5])), 12)
    assert promise.failure_frac == pytest.approx(0.5)
    assert promise.short_units == pytest.approx(0.2 * 2 + 0.3 * 1)
    assert limit_on_slack(10, NormalLaw(mean=30.0, sd=8.0), 0.05).units == 10 + int(stats.norm.ppf(0.05, 30.0, 8.0))


@pytest.mark.parametrize("slack", SLACKS[:4], ids=repr)
@pytest.mark.parametrize("margin", [0.0, 1.0, 4.0, 9.0])
def test_the_best_promise_on_slack_earns_most(slack: Law, margin: float) -> None:
    """Against every promise up to 60 more units; ties go to the larger."""
    stakes = Stakes(margin_usd=margin, damages_usd=10.0)
    earned = [margin * (units - 50) - 10.0 * promise_on_slack(50, slack, units).short_units for units in range(50, 111)]
    best = best_on_slack(50, slack, stakes)
    assert earned[best.units - 50] == pytest.approx(max(earned), abs=1e-9 if slack.discrete else 10.0)
    limited = best_on_slack(50, slack, stakes, failure_max=0.02)
    assert limited.units == min(best.units, limit_on_slack(50, slack, 0.02).units)


@settings(max_examples=30, deadline=None)
@given(
    stock=st.integers(0, 40),
    show=st.floats(0.3, 1.0),
    correlation=st.sampled_from([0.0, 0.05, 0.5]),
    failure_max=st.floats(0.0, 0.5),
    margin=st.floats(0.0, 12.0),
)
def test_promises_on_shows_are_the_best_of_all(
    stock: int, show: float, correlation: float, failure_max: float, margin: float
) -> None:
    """The limit and the best promise among every one up to 80, alike or correlated."""

    def claims(units: int) -> Law:
        return beta_binomial_law(units, show, correlation)

    every = [promise_on_shows(stock, claims, units) for units in range(stock, 81)]
    kept = [promise for promise in every if promise.failure_frac <= failure_max]
    assert limit_on_shows(stock, claims, failure_max, 80).units == kept[-1].units
    best = best_on_shows(stock, claims, Stakes(margin_usd=margin, damages_usd=10.0), 80, failure_max)
    earned = margin * best.units - 10.0 * best.short_units
    assert earned == pytest.approx(max(margin * p.units - 10.0 * p.short_units for p in kept), abs=1e-9)


def test_a_textbook_overbooking_limit() -> None:
    """150 seats, each reservation shows with .85: the largest with P(shows > 150) <= 1 in 1,000, by the binomial."""
    limit = limit_on_shows(150, lambda units: binomial_law(units, 0.85), 0.001, 300)
    assert stats.binom.sf(150, limit.units, 0.85) <= 0.001 < stats.binom.sf(150, limit.units + 1, 0.85)
    assert limit.failure_frac == pytest.approx(stats.binom.sf(150, limit.units, 0.85))


def test_shared_fates_allow_fewer_promises() -> None:
    """Lessees that claim together leave less to promise."""
    limits = [
        limit_on_shows(100, lambda units, c=c: beta_binomial_law(units, 0.8, c), 0.01, 200).units  # type: ignore[misc]
        for c in (0.0, 0.02, 0.1, 1.0)
    ]
    assert limits == sorted(limits, reverse=True)
    assert limits[-1] == 100


@pytest.mark.parametrize(
    "make",
    [
        lambda: Stakes(margin_usd=-1.0, damages_usd=1.0),
        lambda: Stakes(margin_usd=1.0, damages_usd=0.0),
        lambda: limit_on_slack(-1, PoissonLaw(mean=1.0), 0.1),
        lambda: limit_on_slack(1, PoissonLaw(mean=1.0), 1.5),
        lambda: limit_on_slack(1, PoissonLaw(mean=1.0), 1.0),
        lambda: best_on_slack(1, PoissonLaw(mean=1.0), Stakes(margin_usd=2.0, damages_usd=1.0)),
        lambda: limit_on_shows(10, lambda units: binomial_law(units, 0.5), 0.1, 5),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """Negative stakes, no end to what may be promised, limits that are no probabilities."""
    with pytest.raises(InputError):
        make()
