"""Forecasts made again and again from the past of a history, and what became of them.

A window is an origin and the steps that follow it; each is forecast from what came before its origin alone
(rolling origin: Tashman, 2000). Windows do not overlap. The earlier half chooses the forecaster and corrects its
intervals, the later half, never looked at before, says how good they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from acreage.demand.calibration.forecaster import BASELINE, QUANTILES, Forecast, Forecasters
from acreage.demand.calibration.history import Frequency, History
from acreage.demand.draws import Array
from acreage.units.errors import InputError

HORIZONS = {Frequency.DAILY: (28, 14), Frequency.WEEKLY: (13, 8, 4), Frequency.MONTHLY: (6, 3, 2)}
TRAIN_MIN = {Frequency.DAILY: 84, Frequency.WEEKLY: 52, Frequency.MONTHLY: 24}
TRAIN_MAX = 280
"""More of the past is of no use to a forecast of weeks, and costs time."""

WINDOWS_WANTED, WINDOWS_MIN, WINDOWS_MAX = 8, 6, 12
SEASON = {Frequency.DAILY: 7, Frequency.WEEKLY: 52, Frequency.MONTHLY: 12}

Tell = Callable[[int, int], None]
"""Told how many forecasts are done, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How a history is cut: `windows` of `horizon` steps at its end; `season` in steps (1: none can be seen)."""

    horizon: int
    windows: int
    season: int

    @property
    def chosen(self) -> int:
        """How many windows, the earlier ones, choose and correct."""
        return self.windows // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolled:
    """A history forecast from its own past, in logarithms.

    `quantiles` (windows, QUANTILES, steps) by forecaster, `actual` (windows, steps), `step_scale` (windows,) the mean
    absolute seasonal difference of the values before each origin. `failed` names forecasters that gave none, and why.
    """

    grid: Grid
    quantiles: Mapping[str, Array]
    actual: Array
    step_scale: Array
    failed: Mapping[str, str]


def rows_needed(frequency: Frequency) -> int:
    """The shortest history that can be judged."""
    return TRAIN_MIN[frequency] + WINDOWS_MIN * HORIZONS[frequency][-1]


def grid_of(rows: int, frequency: Frequency) -> Grid:
    """The longest horizon that leaves enough windows; raises `InputError` where there are too few rows."""
    spare = rows - TRAIN_MIN[frequency]
    for horizon in HORIZONS[frequency]:
        if spare // horizon >= WINDOWS_WANTED:
            return _grid(rows, frequency, horizon)
    horizon = HORIZONS[frequency][-1]
    if spare // horizon < WINDOWS_MIN:
        raise InputError(
            f"{rows} {frequency} rows are too short a history: {rows_needed(frequency)} are needed",
            fix="give a longer one, or one written down more often",
        )
    return _grid(rows, frequency, horizon)


def _grid(rows: int, frequency: Frequency, horizon: int) -> Grid:
    windows = min((rows - TRAIN_MIN[frequency]) // horizon, WINDOWS_MAX)
    season = SEASON[frequency]
    # A season seen less than twice before the first origin is none that can be told from a trend.
    return Grid(horizon=horizon, windows=windows, season=season if rows - windows * horizon >= 2 * season else 1)


def roll(history: History, grid: Grid, forecasters: Forecasters, tell: Callable[[], None]) -> Rolled:
    """Forecast every window with every forecaster; one that fails in any window is left out, but for the baseline."""
    logs = np.log(history.values)
    origins = [len(logs) - (grid.windows - k) * grid.horizon for k in range(grid.windows)]
    quantiles: dict[str, Array] = {}
    failed: dict[str, str] = {}
    for name, forecast in forecasters.items():
        found = []
        for origin in origins:
            if name not in failed:
                lines, why = _forecast(forecast, logs[max(origin - TRAIN_MAX, 0) : origin], grid)
                if why:
                    assert name != BASELINE, f"the baseline failed: {why}"
                    failed[name] = why
                found.append(lines)
            tell()
        if name not in failed:
            quantiles[name] = np.asarray(found)
    lag = grid.season
    scales = [float(np.abs(history.values[lag:o] - history.values[: o - lag]).mean()) for o in origins]
    return Rolled(
        grid=grid,
        quantiles=quantiles,
        actual=np.asarray([logs[o : o + grid.horizon] for o in origins]),
        step_scale=np.asarray(scales),
        failed=failed,
    )


def _forecast(forecast: Forecast, logs: Array, grid: Grid) -> tuple[Array, str]:
    """Quantiles in order, and why there are none."""
    try:
        found = forecast(logs, grid.season, grid.horizon)
    except Exception as error:  # whatever a library's model raises on one history, the others still stand
        return np.empty(0), f"{type(error).__name__}: {error}"
    if found.shape != (len(QUANTILES), grid.horizon) or not np.isfinite(found).all():
        return np.empty(0), "its forecast is no number"
    return np.sort(found, axis=0), ""


def pinball(quantiles: Array, actual: Array) -> float:
    """Mean pinball loss over the quantiles (Koenker and Bassett, 1978), in logarithms: about a share of the value."""
    levels = np.asarray(QUANTILES)[:, None]
    over = actual[:, None, :] - quantiles
    return float(np.maximum(levels * over, (levels - 1.0) * over).mean())


def scaled_error(quantiles: Array, actual: Array, step_scale: Array) -> float:
    """Mean absolute scaled error of the median (MASE: Hyndman and Koehler, 2006), in values."""
    median = QUANTILES.index(0.5)
    errors = np.abs(np.exp(actual) - np.exp(quantiles[:, median, :])).mean(axis=1)
    return float((errors / step_scale).mean())


def choice(rolled: Rolled) -> str:
    """The forecaster of the least pinball loss in the earlier windows; the baseline where none beats it."""
    half = rolled.grid.chosen
    losses = {name: pinball(q[:half], rolled.actual[:half]) for name, q in rolled.quantiles.items()}
    best = min(losses, key=lambda name: losses[name])
    return best if losses[best] < losses[BASELINE] else BASELINE
