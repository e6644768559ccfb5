"""What a forecaster is: a function from a history to quantiles ahead. The library behind has its own file."""

from collections.abc import Callable, Mapping

from acreage.demand.draws import Array

LEVELS_FRAC = (0.5, 0.8, 0.9)
"""Intervals that are forecast and checked."""

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""The ends of those intervals and the median."""

ENDS = {0.5: (2, 4), 0.8: (1, 5), 0.9: (0, 6)}
"""Which quantiles are the ends of which interval."""

Forecast = Callable[[Array, int, int], Array]
"""(log values (n,), season in steps, steps ahead) -> quantiles of log values, (QUANTILES, steps)."""

BASELINE = "seasonal naive"
"""The forecaster that every other must beat: last season again."""

Forecasters = Mapping[str, Forecast]
