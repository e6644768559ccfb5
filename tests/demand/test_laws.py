"""The laws of single surprises against published quantiles and closed forms."""

import numpy as np
import pytest
from scipy.stats import lognorm, norm

from acreage.demand.draws import Draws
from acreage.demand.laws import arrival_years, delay_days, hazard_passed, log_sd, mean_one
from acreage.domain.provider import DelayModel


def test_delay_has_its_median_and_90th_percentile() -> None:
    """At ranks 0.5 and 0.9 of the late ones the delay is what was stated."""
    law = DelayModel(on_time_frac=0.0, median_days=60.0, p90_days=180.0)
    assert delay_days(law, norm.ppf([0.5, 0.9])).tolist() == [60.0, 180.0]
    law = DelayModel(on_time_frac=0.2, median_days=60.0, p90_days=180.0)
    assert delay_days(law, norm.ppf([0.1, 0.199, 0.6, 0.92])).tolist() == [0.0, 0.0, 60.0, 180.0]


def test_delay_quantiles_are_the_log_normal_ones() -> None:
    """Against scipy's log-normal law, rounded to whole days."""
    law = DelayModel(on_time_frac=0.0, median_days=30.0, p90_days=180.0)
    ranks = np.linspace(0.01, 0.99, 99)
    sigma = np.log(6.0) / norm.ppf(0.9)
    expected = np.rint(lognorm.ppf(ranks, s=sigma, scale=30.0))
    assert np.abs(delay_days(law, norm.ppf(ranks)) - expected).max() <= 1.0


@pytest.mark.parametrize(
    "law",
    [
        DelayModel(on_time_frac=0.0, median_days=0.0, p90_days=0.0),
        DelayModel(on_time_frac=1.0, median_days=30.0, p90_days=90.0),
    ],
)
def test_what_is_always_on_time_has_no_delay(law: DelayModel) -> None:
    """A zero median or an on-time share of 1."""
    assert not delay_days(law, np.array([-3.0, 0.0, 3.0])).any()


def test_log_normal_factor_has_the_stated_mean_and_sd() -> None:
    """Over many strata: mean 1, standard deviation 0.4."""
    z = Draws(seed=1, futures=20_000).normal("x")
    sd = log_sd(0.4)
    factor = mean_one(sd * z, np.array(sd * sd))
    assert factor.mean() == pytest.approx(1.0, abs=1e-3)
    assert factor.std() == pytest.approx(0.4, rel=0.01)


def test_strata_are_filled_once_each() -> None:
    """A Latin hypercube: each twentieth of (0, 1) holds one of 20 draws, in each dimension."""
    u = Draws(seed=3, futures=20).uniform("x", 5)
    assert (np.sort((u * 20).astype(int), axis=0) == np.arange(20)[:, None]).all()


def test_walk_has_the_covariance_of_brownian_motion() -> None:
    """cov(s, t) = min(s, t)."""
    years = np.array([0.5, 1.0, 2.0])
    paths = Draws(seed=5, futures=40_000).walk("x", years)
    assert np.cov(paths.T) == pytest.approx(np.minimum.outer(years, years), abs=0.03)
    assert paths.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.01)


def test_walk_level_is_stratified() -> None:
    """With only 20 futures the mean of the paths is already close to zero."""
    years = np.arange(1, 37) / 12
    assert abs(Draws(seed=5, futures=20).walk("x", years)[:, -1].mean()) < 0.1


def test_arrivals_are_poisson() -> None:
    """Mean count is rate x years."""
    draws = Draws(seed=2, futures=5_000)
    first, rng = draws.uniform("first")[:, 0], draws.generator("rest")
    counts = [len(arrival_years(u, 0.5, 3.0, rng)) for u in first]
    assert np.mean(counts) == pytest.approx(1.5, abs=0.05)
    assert np.var(counts) == pytest.approx(1.5, abs=0.15)
    assert arrival_years(0.5, 0.0, 3.0, rng) == []


def test_hazard_passes_at_the_exponential_quantile() -> None:
    """Constant hazard 2 from t = 1: the median is 1 + ln(2) / 2, and late ranks never come."""
    edges, hazard = np.array([0.0, 0.5, 1.2, 2.0]), np.full(3, 2.0)
    assert hazard_passed(edges, hazard, 1.0, 0.5) == pytest.approx(1 + np.log(2) / 2)
    assert hazard_passed(edges, hazard, 1.0, 0.99) is None
