"""Corrected intervals cover what they were corrected by, as often as they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.demand.calibration.conformal import corrected, correction, covered
from acreage.demand.calibration.forecaster import ENDS, LEVELS_FRAC, QUANTILES


def forecasts(seed: int, windows: int, steps: int, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Normal quantiles of the wrong width about a middle, and what came: standard normal about it."""
    rng = np.random.default_rng(seed)
    z = np.asarray([-1.6449, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6449])
    middle = rng.standard_normal((windows, 1, steps))
    return middle + width * z[:, None], middle[:, 0] + rng.standard_normal((windows, steps))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 8), st.floats(0.2, 3.0))
def test_the_corrected_interval_holds_its_share_of_what_corrected_it(
    seed: int, windows: int, steps: int, width: float
) -> None:
    """At least the level, as the rank of the conformal quantile is rounded up; and quantiles stay in order."""
    quantiles, actual = forecasts(seed, windows, steps, width)
    for level in LEVELS_FRAC:
        by = correction(quantiles, actual, level)
        found = corrected(quantiles, {level: by})
        assert (np.diff(found, axis=1) >= 0.0).all()
        if by >= -0.5:
            low, high = ENDS[level]
            spread = quantiles[:, high] - quantiles[:, low]
            inside = (quantiles[:, low] - by * spread <= actual + 1e-9) & (
                actual - 1e-9 <= quantiles[:, high] + by * spread
            )
            assert inside.mean() >= min(level, 1.0) - 1e-9


@pytest.mark.parametrize("width", [0.5, 2.0])
def test_intervals_of_the_wrong_width_are_mended_out_of_sample(width: float) -> None:
    """Too narrow by half or too wide by twice: new misses of the same law are covered as said."""
    quantiles, actual = forecasts(1, 400, 5, width)
    corrections = {level: correction(quantiles[:200], actual[:200], level) for level in LEVELS_FRAC}
    mended = corrected(quantiles[200:], corrections)
    for level in LEVELS_FRAC:
        assert covered(mended, actual[200:], level).mean() == pytest.approx(level, abs=0.04)
        assert abs(covered(quantiles[200:], actual[200:], level).mean() - level) > 0.05


def test_the_ends_named_are_those_of_the_intervals() -> None:
    """The upper less the lower quantile is the level."""
    for level, (low, high) in ENDS.items():
        assert QUANTILES[high] - QUANTILES[low] == pytest.approx(level)
