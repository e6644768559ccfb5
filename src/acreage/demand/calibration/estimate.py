"""An estimate with its 95 % interval and where it comes from, and the intervals that more than one part needs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, chdtri, stdtrit

from acreage.demand.draws import Array

CONFIDENCE_FRAC = 0.95
TAIL_FRAC = (1.0 - CONFIDENCE_FRAC) / 2.0
WILSON_Z = 1.959963984540054
"""The 97.5th percentile of the standard normal law."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """`value` of a quantity (its unit ends its name) of a subject, with its 95 % interval [low, high].

    `observations` is how many data points it rests on; `source` names the data, `method` the way in one line.
    """

    quantity: str
    subject: str
    value: float
    low: float
    high: float
    observations: int
    source: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsaid:
    """A quantity that the data cannot give, and why: no number is made up for it."""

    quantity: str
    subject: str
    why: str


Answer = Estimated | Unsaid


def sd_of_factor(log_sd: float) -> float:
    """Standard deviation of a log-normal factor of mean 1 whose logarithm has this one: inverse of `laws.log_sd`."""
    return math.sqrt(math.expm1(log_sd * log_sd))


def sd_interval(sd: float, degrees: float) -> tuple[float, float]:
    """Interval of a standard deviation that rests on this many squares of normal draws: the chi-squared one."""
    assert degrees > 0.0, "no squares, no interval"
    low = sd * math.sqrt(degrees / chdtri(degrees, TAIL_FRAC))
    least = chdtri(degrees, 1.0 - TAIL_FRAC)
    return low, sd * math.sqrt(degrees / least) if least > 0.0 else math.inf


def student_z(degrees: float) -> float:
    """The 97.5th percentile of Student's t with these degrees of freedom."""
    return float(stdtrit(degrees, 1.0 - TAIL_FRAC))


def jeffreys(hits: float, trials: float) -> tuple[float, float]:
    """Interval of a probability from few trials: Jeffreys' (Brown, Cai and DasGupta, 2001, section 4.3)."""
    low = betaincinv(hits + 0.5, trials - hits + 0.5, TAIL_FRAC) if hits > 0 else 0.0
    high = betaincinv(hits + 0.5, trials - hits + 0.5, 1.0 - TAIL_FRAC) if hits < trials else 1.0
    return float(low), float(high)


def wilson(share_frac: float, trials: float) -> tuple[float, float]:
    """Interval of a probability (Wilson, 1927); `trials` may be an effective number, not whole."""
    square = WILSON_Z * WILSON_Z / trials
    middle = (share_frac + square / 2.0) / (1.0 + square)
    half = WILSON_Z / (1.0 + square) * math.sqrt(share_frac * (1.0 - share_frac) / trials + square / (4.0 * trials))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def effective_trials(hits: Sequence[Array]) -> float:
    """How many independent trials clusters of dependent ones are worth: Kish's design effect (1965, section 5.4).

    `hits` are 0 or 1, one array a cluster, all of one length n. The design effect 1 + (n - 1) rho has the
    intraclass correlation rho of the clusters (analysis of variance), which is not taken below 0.
    """
    table = np.asarray(hits, dtype=float)
    clusters, size = table.shape
    if clusters < 2 or size < 2:
        return float(clusters)
    between = size * float(np.var(table.mean(axis=1), ddof=1))
    within = float(np.mean(np.var(table, axis=1, ddof=1)))
    total = between + (size - 1) * within
    rho = max((between - within) / total, 0.0) if total > 0.0 else 0.0
    return float(clusters * size / (1.0 + (size - 1) * rho))


def percentiles(samples: Array) -> tuple[float, float]:
    """The percentile interval of a bootstrap (Efron and Tibshirani, 1993, chapter 13); not a number is left out."""
    finite = samples[np.isfinite(samples)]
    assert finite.size, "a bootstrap without a finite draw"
    low, high = np.quantile(finite, [TAIL_FRAC, 1.0 - TAIL_FRAC])
    return float(low), float(high)
