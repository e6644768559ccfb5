"""Correlated factors are correlated as stated; what is no correlation matrix has a nearest one."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acreage.demand.correlation import loadings, nearest_correlation, smallest_eigenvalue
from acreage.demand.draws import Draws
from acreage.demand.futures import sample_futures
from acreage.demand.world import world_of
from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import DelayModel
from acreage.domain.surprises import Factor
from acreage.units.ids import PoolId, ProviderId, WorkloadId

STATED = np.array([[1.0, 0.6, 0.8, 0.3], [0.6, 1.0, 0.7, -0.2], [0.8, 0.7, 1.0, 0.1], [0.3, -0.2, 0.1, 1.0]])


def with_correlation(portfolio: Portfolio, matrix: np.ndarray, weight: float, futures: int) -> Portfolio:
    """The portfolio with correlated factors that explain this share of every variance."""
    uncertainty = replace(
        portfolio.uncertainty,
        futures=futures,
        correlation=tuple(map(tuple, matrix)),
        weight_frac=dict.fromkeys(Factor, weight),
    )
    return replace(portfolio, uncertainty=uncertainty)


def test_drawn_factors_are_correlated_as_stated(make_portfolio: Callable[..., Portfolio]) -> None:
    """At every time, and of variance 1 a year."""
    portfolio = with_correlation(make_portfolio(), STATED, 0.5, 4_000)
    world = world_of(portfolio, Draws(seed=3, futures=4_000))
    for t in (0, 11, 23):
        drawn = np.stack([world.factors[factor][:, t] for factor in Factor])
        assert np.corrcoef(drawn) == pytest.approx(STATED, abs=0.06)
        assert drawn.var(axis=1) == pytest.approx(np.full(4, world.years[t]), rel=0.08)


def test_quantities_follow_their_own_factors(make_portfolio: Callable[..., Portfolio]) -> None:
    """With nothing else at work demand, prices, limits (with a minus) and delays are correlated as the factors are."""
    plain = make_portfolio()
    late = DelayModel(on_time_frac=0.0, median_days=600.0, p90_days=1_800.0)
    providers = {name: replace(one, delay=late) for name, one in plain.providers.items()}
    portfolio = with_correlation(replace(plain, providers=providers), STATED, 1.0, 4_000)
    futures = sample_futures(portfolio)[1:-1]
    t = 11
    found = np.log(
        [
            [f.demand_factor[WorkloadId("chat")][t] for f in futures],
            [f.price_factor[PoolId("new-pool")][t] for f in futures],
            [1.0 / f.limit_factor[PoolId("new-pool")][t] for f in futures],
            [1 + f.delay_days["recallable", 1] for f in futures],
        ]
    )
    # The delivery is due in the tenth month, so that its factor is that of another month: a little less in common.
    assert np.corrcoef(found) == pytest.approx(STATED, abs=0.08)
    assert set(portfolio.providers) == {ProviderId("old-cloud"), ProviderId("neocloud")}


def test_factors_of_correlation_one_are_the_one_tightness(make_portfolio: Callable[..., Portfolio]) -> None:
    """What a portfolio without a correlation has had all along, to rounding."""
    portfolio = make_portfolio()
    uncertainty = replace(portfolio.uncertainty, correlation=((1.0,) * 4,) * 4)
    ones = sample_futures(replace(portfolio, uncertainty=uncertainty))
    for plain, same in zip(sample_futures(portfolio), ones, strict=True):
        for workload, path in plain.demand_factor.items():
            assert same.demand_factor[workload] == pytest.approx(path, rel=1e-9)
        assert same.delay_days == plain.delay_days
        assert same.outages == plain.outages


def test_the_nearest_correlation_matrix_is_the_published_one() -> None:
    """The example of Higham (2002), section 4: to three digits."""
    asked = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    found = nearest_correlation(asked)
    published = np.array([[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]])
    assert found == pytest.approx(published, abs=2e-3)
    assert smallest_eigenvalue(asked) == pytest.approx(1.0 - np.sqrt(2.0))


SYMMETRIC = st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=6)


@given(SYMMETRIC)
def test_the_nearest_matrix_is_one_and_a_valid_one_is_its_own(entries: list[float]) -> None:
    """Unit diagonal, no negative eigenvalue, entries within bounds; loadings give it back."""
    asked = np.eye(4)
    asked[np.triu_indices(4, 1)] = entries
    asked = np.maximum(asked, asked.T) + np.minimum(asked, asked.T) - np.diag(np.diag(asked))
    found = nearest_correlation(asked)
    assert (np.diag(found) == 1.0).all()
    assert (found == found.T).all()
    assert np.abs(found).max() <= 1.0
    assert smallest_eigenvalue(found) >= 0.0
    given_back = loadings(found)
    assert given_back @ given_back.T == pytest.approx(found, abs=1e-6)
    if smallest_eigenvalue(asked) >= 0.01:
        assert found == pytest.approx(asked, abs=1e-3)
