"""Tight futures drawn more often keep every mean, know the tail better, and say how well."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from acreage.demand.futures import fresh_futures, sample_again, sample_futures
from acreage.demand.tail import cvar_error, effective_futures, mean_error, strata
from acreage.domain.future import Future
from acreage.domain.portfolio import Portfolio
from acreage.domain.surprises import TailSampling
from acreage.units.ids import PoolId, WorkloadId

Make = Callable[..., Portfolio]
TAIL = TailSampling(share_of_futures_frac=0.4, shift_sd=1.8)


def tilted(portfolio: Portfolio, futures: int, tail: TailSampling | None, seed: int = 7) -> Portfolio:
    """The portfolio with so many futures, tight ones oversampled."""
    uncertainty = replace(portfolio.uncertainty, futures=futures, tail=tail, seed=seed, tightness_weight_frac=0.8)
    return replace(portfolio, uncertainty=uncertainty)


def costs(futures: tuple[Future, ...]) -> tuple[np.ndarray, np.ndarray]:
    """What scarcity could cost: demand at the market's price, the limit short of 1; and the probabilities."""
    chat, pool = WorkloadId("chat"), PoolId("new-pool")
    sampled = [f for f in futures if f.name.startswith("future-")]
    usd = [float(np.mean(f.demand_factor[chat] * f.price_factor[pool] / f.limit_factor[pool])) for f in sampled]
    return np.array(usd), np.array([f.probability for f in sampled])


@given(st.integers(1, 500), st.floats(0.0, 0.9), st.floats(0.1, 4.0))
def test_strata_cut_the_law_into_parts_of_which_none_counts_too_much(futures: int, share: float, shift: float) -> None:
    """From 0 to 1, rising; no future counts more than 1 / (1 - share) times one of equal probability."""
    edges = strata(futures, TailSampling(share_of_futures_frac=share, shift_sd=shift))
    assert (edges[0], edges[-1], len(edges)) == (0.0, 1.0, futures + 1)
    assert (np.diff(edges) > 0.0).all()
    assert np.diff(edges).max() <= (1.0 + 1e-9) / (futures * (1.0 - share))
    if share == 0.0:
        assert np.diff(edges) == pytest.approx(np.full(futures, 1.0 / futures), abs=1e-9)


def test_strata_hold_the_stated_share_of_tight_futures() -> None:
    """Of 1,000 futures as many lie above the shift as the mixture says, which is far more than come."""
    edges = strata(1_000, TAIL)
    found = (edges[:-1] >= ndtr(1.8)).mean()
    assert found == pytest.approx(0.4 * 0.5 + 0.6 * (1.0 - ndtr(1.8)), abs=2e-3)


def test_probabilities_sum_to_one_and_tight_futures_have_less(make_portfolio: Make) -> None:
    """With the stress' own; the market's walk is lowest where a future counts most."""
    futures = sample_futures(tilted(make_portfolio(), 200, TAIL))
    assert sum(f.probability for f in futures) == pytest.approx(1.0, abs=1e-12)
    usd, probability = costs(futures)
    assert probability.min() > 0.0
    assert np.corrcoef(np.log(usd), np.log(probability))[0, 1] < -0.6


def test_weighted_means_are_the_plain_ones(make_portfolio: Make) -> None:
    """Factors of mean 1, over as many futures as leave no doubt; the mean cost that of many plain futures."""
    portfolio = tilted(make_portfolio(), 2_000, TAIL)
    futures = sample_futures(portfolio)[1:-1]
    probability = np.array([f.probability for f in futures]) / 0.95
    demand = np.array([f.demand_factor[WorkloadId("chat")] for f in futures])
    limits = np.array([f.limit_factor[PoolId("old-pool")] for f in futures])
    assert probability @ demand == pytest.approx(np.ones(24), abs=0.03)
    assert probability @ limits == pytest.approx(np.ones(24), abs=0.04)
    usd, weights = costs(sample_futures(portfolio))
    plain, equal = costs(sample_futures(tilted(make_portfolio(), 2_000, None)))
    for estimate in (mean_error, lambda x, p: cvar_error(x, p, 0.9)):
        mine, error = estimate(usd, weights)
        other, other_error = estimate(plain, equal)
        assert mine == pytest.approx(other, abs=3.0 * np.hypot(error, other_error))


def test_the_tail_is_known_better(make_portfolio: Make) -> None:
    """Over 60 seeds the CVaR of 50 tilted futures scatters less than that of 50 plain ones, and on the same value."""
    portfolio = make_portfolio()
    found = {
        tail: [cvar_error(*costs(sample_futures(tilted(portfolio, 50, tail, seed))), 0.9)[0] for seed in range(60)]
        for tail in (None, TAIL)
    }
    assert np.std(found[TAIL]) < 0.7 * np.std(found[None])
    spread = np.hypot(np.std(found[TAIL]), np.std(found[None])) / np.sqrt(60)
    assert np.mean(found[TAIL]) == pytest.approx(np.mean(found[None]), abs=4.0 * spread)


def test_fresh_futures_are_never_tilted(make_portfolio: Make) -> None:
    """What measures a plan counts every future alike; samples drawn again are tilted as the plan's own."""
    portfolio = tilted(make_portfolio(), 30, TAIL)
    fresh = fresh_futures(portfolio, futures=30, seed=1, source="evaluation/")[1:31]
    assert {f.probability for f in fresh} == {fresh[0].probability}
    again = sample_again(portfolio, seed=1, source="again/")[1:31]
    assert len({f.probability for f in again}) == 30


WEIGHTED = st.integers(2, 30).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(-1e3, 1e3), min_size=n, max_size=n), st.lists(st.floats(0.01, 1.0), min_size=n, max_size=n)
    )
)


@given(WEIGHTED)
def test_errors_are_those_of_the_books(drawn: tuple[list[float], list[float]]) -> None:
    """Equal weights give s / sqrt(n); whatever the weights, no more futures are effective than there are."""
    values, weights = np.array(drawn[0]), np.array(drawn[1])
    equal = np.full(len(values), 1.0 / len(values))
    mean, error = mean_error(values, equal)
    assert (mean, error) == pytest.approx((values.mean(), values.std() / np.sqrt(len(values))), abs=1e-9)
    assert effective_futures(equal) == pytest.approx(len(values))
    assert 1.0 <= effective_futures(weights) <= len(values) * (1.0 + 1e-9)
    worst, _ = cvar_error(values, weights, 0.9)
    assert mean_error(values, weights)[0] - 1e-9 <= worst <= values.max() + 1e-9
    assert cvar_error(values, weights, 0.0)[0] == pytest.approx(mean_error(values, weights)[0], abs=1e-9)
