"""The probability laws of single surprises: growth errors, late deliveries, outages, recalls."""

import math

import numpy as np
from scipy.special import ndtr, ndtri

from acreage.demand.draws import Array
from acreage.domain.provider import DelayModel

P90_Z = 1.2815515655446004
"""The 90th percentile of the standard normal law."""


def log_sd(sd_frac: float) -> float:
    """Standard deviation of the logarithm of a log-normal factor of mean 1 and sd `sd_frac`."""
    return math.sqrt(math.log1p(sd_frac * sd_frac))


def mean_one(log_deviation: Array, log_variance: Array) -> Array:
    """exp of a normal deviation of the given variance, shifted so that its mean is 1."""
    return np.asarray(np.exp(log_deviation - log_variance / 2.0))


def delay_days(model: DelayModel, latent: Array) -> Array:
    """Whole days of delay at standard normal draws, same shape: higher draws are later.

    The lowest `on_time_frac` are on time; the others follow the log-normal law with
    ln(median) as mean and ln(p90 / median) / 1.2816 as standard deviation of the logarithm.
    """
    if model.median_days <= 0.0:
        return np.zeros_like(latent)
    spread = max(math.log(model.p90_days / model.median_days), 0.0) / P90_Z if model.p90_days > 0.0 else 0.0
    late_frac = 1.0 - model.on_time_frac
    if late_frac <= 0.0:
        return np.zeros_like(latent)
    rank = np.clip((ndtr(latent) - model.on_time_frac) / late_frac, 1e-12, 1.0 - 1e-12)
    days = np.rint(model.median_days * np.exp(spread * ndtri(rank)))
    return np.where(ndtr(latent) < model.on_time_frac, 0.0, days)


def arrival_years(first: float, rate_per_year: float, until_years: float, rng: np.random.Generator) -> list[float]:
    """Arrivals of a Poisson process before `until_years`; `first` in (0, 1) is the rank of the first one."""
    if rate_per_year <= 0.0:
        return []
    found = []
    at = -math.log1p(-first) / rate_per_year
    while at < until_years:
        found.append(at)
        at += rng.exponential(1.0 / rate_per_year)
    return found


def hazard_passed(edges: Array, hazard: Array, from_at: float, rank: float) -> float | None:
    """When the first event of a process comes whose hazard is constant between edges, or None.

    `edges` (T + 1,) and `hazard` (T,) are in one unit of time; the process starts at
    `from_at`; `rank` in (0, 1) is that of the event.
    """
    left = -math.log1p(-rank)
    for begin, end, rate in zip(edges[:-1], edges[1:], hazard, strict=True):
        start = max(begin, from_at)
        if end <= start:
            continue
        if rate * (end - start) >= left:
            return float(start + left / rate)
        left -= rate * (end - start)
    return None
