"""Intervals made to cover: quantiles moved out or in by what past forecasts missed.

Split conformal prediction of quantiles (Romano, Patterson and Candes, 2019, "Conformalized quantile regression")
with scores relative to the width of the interval (CQR-r of Sesia and Candes, 2020), so that histories of
different spread and steps of different reach share one correction. It promises coverage for exchangeable misses;
forecasts of a series are not quite that, which is why coverage is measured again on later windows.
"""

import math
from collections.abc import Mapping

import numpy as np

from acreage.demand.calibration.forecaster import ENDS
from acreage.demand.draws import Array

WIDTH_MIN = 1e-9


def correction(quantiles: Array, actual: Array, level_frac: float) -> float:
    """By how many of its widths the interval must move out at each end; negative: in.

    `quantiles` (..., QUANTILES, steps), `actual` (..., steps), on the scale of the forecasts. Where there are too few
    for the level, the largest miss is the correction.
    """
    low, high = (quantiles[..., end, :] for end in ENDS[level_frac])
    scores = np.sort((np.maximum(low - actual, actual - high) / np.maximum(high - low, WIDTH_MIN)).ravel())
    rank = math.ceil((len(scores) + 1) * level_frac)
    return float(scores[min(rank, len(scores)) - 1])


def corrected(quantiles: Array, corrections: Mapping[float, float]) -> Array:
    """The quantiles with the ends of each interval moved, and in order again; the same shape.

    Give the corrections of all levels: one interval moved past the others alone would change places with them.
    """
    found = np.array(quantiles, dtype=float)
    for level_frac, widths in corrections.items():
        low, high = ENDS[level_frac]
        # An interval never shrinks past its own middle.
        by = max(widths, -0.5) * (quantiles[..., high, :] - quantiles[..., low, :])
        found[..., low, :] -= by
        found[..., high, :] += by
    return np.sort(found, axis=-2)


def covered(quantiles: Array, actual: Array, level_frac: float) -> Array:
    """Whether each value lies in its interval, as 0 or 1: shape (..., steps)."""
    low, high = (quantiles[..., end, :] for end in ENDS[level_frac])
    return np.asarray((low <= actual) & (actual <= high), dtype=float)
