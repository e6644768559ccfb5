"""Resampling of dependent observations in blocks, so that what follows each other stays together."""

import math

import numpy as np
from numpy.typing import NDArray

DRAWS = 1_000
"""Enough for the ends of a 95 % interval (Efron and Tibshirani, 1993, section 13.3)."""


def block_length(observations: int) -> float:
    """Mean length of a block: twice the cube root of the number of observations, at least 3.

    The best length grows as the cube root (Politis and Romano, 1994, section 3); the factor is ours, on the long
    side, as prices and availability follow themselves for months and hours.
    """
    return max(2.0 * math.pow(observations, 1.0 / 3.0), 3.0)


def stationary(rng: np.random.Generator, observations: int, mean_block: float, draws: int) -> NDArray[np.int64]:
    """Indices (draws, observations) of the stationary bootstrap (Politis and Romano, 1994).

    Blocks start anywhere, have geometric lengths of this mean and go round at the end.
    """
    at = np.arange(observations)
    starts = rng.integers(observations, size=(draws, observations))
    fresh = rng.random((draws, observations)) < 1.0 / mean_block
    fresh[:, 0] = True
    began = np.maximum.accumulate(np.where(fresh, at, 0), axis=1)
    return np.asarray((np.take_along_axis(starts, began, axis=1) + at - began) % observations, dtype=np.int64)


def clusters(rng: np.random.Generator, count: int, draws: int) -> NDArray[np.int64]:
    """Indices (draws, count) of whole clusters drawn with replacement."""
    return rng.integers(count, size=(draws, count))
