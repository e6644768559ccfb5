"""Tight futures drawn more often than they come, each with the probability that it has, and what that does to errors.

The first principal component x of the leading walk, a standard normal law, says most about how tight a future is. Plans
are made on one future in each stratum of x. Where the strata are equally likely, a worst tenth is a tenth of the
futures. Instead their edges are put at the quantiles of a mixture: of S futures, a share a lies as x would if its
mean were m, the others as they come. Each future is drawn within its stratum by the true law and has the true
probability of the stratum, so that every mean stays unbiased and probabilities sum to 1 exactly: stratified sampling
with unequal strata (Cochran, Sampling Techniques, 1977, chapter 5), those of a defensive mixture (Hesterberg,
Weighted average importance sampling and defensive mixture distributions, Technometrics 37, 1995). Because of
the share 1 - a no future counts more than 1 / (1 - a) times as much as without.
"""

import numpy as np
from scipy.special import ndtr

from acreage.demand.draws import Array
from acreage.domain.surprises import TailSampling

HALVINGS = 60


def strata(futures: int, tail: TailSampling) -> Array:
    """Edges (futures + 1,) of the strata in ranks of the true law, from 0 to 1."""
    share, shift = tail.share_of_futures_frac, tail.shift_sd
    wanted = np.arange(1, futures) / futures
    low, high = np.full(futures - 1, -10.0), np.full(futures - 1, 10.0 + shift)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        below = (1.0 - share) * ndtr(middle) + share * ndtr(middle - shift) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.concatenate([[0.0], ndtr(high), [1.0]])


def effective_futures(probability: Array) -> float:
    """How many equally likely futures would give a mean the same error: 1 / sum p^2 over p (S,) that sum to 1.

    Kish, Survey Sampling (1965), section 11.7; it knows nothing of what is averaged, so a tail may be known
    better than it says.
    """
    share = probability / probability.sum()
    return float(1.0 / (share @ share))


def mean_error(values: Array, probability: Array) -> tuple[float, float]:
    """The mean of values (S,) under probabilities (S,) and its standard error, as of independent weighted draws.

    Owen, Monte Carlo theory, methods and examples, equation 9.9: the square root of sum p^2 (value - mean)^2.
    Stratified draws have less: the figure is on the safe side.
    """
    share = probability / probability.sum()
    mean = float(share @ values)
    return mean, float(np.sqrt((share * share) @ (values - mean) ** 2))


def cvar_error(values: Array, probability: Array, tail_frac: float) -> tuple[float, float]:
    """CVaR of values (S,) at level `tail_frac` and its standard error, as of independent weighted draws.

    The mean of q + max(0, value - q) / (1 - tail) at the tail's quantile q, with the error of that mean (Shapiro,
    Dentcheva and Ruszczynski, Lectures on Stochastic Programming, 2009, theorem 5.7).
    """
    order = np.argsort(values)
    reached = np.cumsum(probability[order]) / probability.sum()
    quantile = values[order][min(int(np.searchsorted(reached, tail_frac - 1e-12)), len(values) - 1)]
    return mean_error(quantile + np.maximum(0.0, values - quantile) / (1.0 - tail_frac), probability)
