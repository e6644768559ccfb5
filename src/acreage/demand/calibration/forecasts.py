"""Forecasters by name, from statsforecast (the extra `forecast`): the only file that imports it.

Histories come as logarithms, whose mean is taken out first, so that exponential smoothing considers additive
forms only: on the scale of the values they multiply. statsforecast selects the form by the corrected Akaike
criterion (Hyndman and Khandakar, 2008), Theta after Fiorucci et al. (2016).
"""

import warnings
from typing import Any

import numpy as np
from statsforecast.models import AutoARIMA, AutoETS, AutoTheta, SeasonalNaive

from acreage.demand.calibration.forecaster import BASELINE, LEVELS_FRAC, Forecasters
from acreage.demand.draws import Array

SEASON_MAX = 12
"""Longer seasons in autoregressive models cost minutes and are found by none of them; they take none there."""


def _quantiles(model: Any, values: Array, steps: int) -> Array:
    """(quantiles, steps): lower ends from the widest interval, the mean as the median (normal errors), upper ends."""
    mean = float(values.mean())
    levels = [round(100 * level) for level in LEVELS_FRAC]
    with warnings.catch_warnings():
        # An optimiser that stops early is no matter for the user: the backtest judges what came of it.
        warnings.simplefilter("ignore")
        found = model.forecast(y=values - mean, h=steps, level=levels)
    lows = [found[f"lo-{level}"] for level in reversed(levels)]
    highs = [found[f"hi-{level}"] for level in levels]
    return np.asarray([*lows, found["mean"], *highs], dtype=float) + mean


def _ets(values: Array, season: int, steps: int) -> Array:
    return _quantiles(AutoETS(season_length=season), values, steps)


def _arima(values: Array, season: int, steps: int) -> Array:
    period = season if season <= SEASON_MAX else 1
    # Half of the forms that the library considers by itself, in half of the time.
    model = AutoARIMA(season_length=period, approximation=True, max_p=3, max_q=3, max_P=1, max_Q=1, max_order=5)
    return _quantiles(model, values, steps)


def _theta(values: Array, season: int, steps: int) -> Array:
    return _quantiles(AutoTheta(season_length=season, decomposition_type="additive"), values, steps)


def _naive(values: Array, season: int, steps: int) -> Array:
    return _quantiles(SeasonalNaive(season_length=season), values, steps)


FORECASTERS: Forecasters = {BASELINE: _naive, "ETS": _ets, "ARIMA": _arima, "Theta": _theta}
