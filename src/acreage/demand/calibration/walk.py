"""The generator's own law of demand fitted to a history: growth, a random walk about it, and what workloads share.

Daily rows become weekly means and weekly rows means of four weeks, in which the week's shape and the noise of days
cancel out. A yearly season is taken out of the steps where the history has it three times; in a shorter one it
counts as spread, and `Fitted.season` says so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from acreage.demand.calibration.estimate import (
    WILSON_Z,
    Answer,
    Estimated,
    Unsaid,
    sd_interval,
    sd_of_factor,
    student_z,
)
from acreage.demand.calibration.history import STEP_YEARS, Frequency, History
from acreage.demand.draws import Array

MEAN_STEPS = {Frequency.DAILY: 7, Frequency.WEEKLY: 4, Frequency.MONTHLY: 1}
BLOCKS_A_YEAR = {Frequency.DAILY: 52, Frequency.WEEKLY: 13, Frequency.MONTHLY: 12}
REACH = 3
"""Changes are taken over so many blocks, in which noise that does not last weighs a third of what it does over one."""

YEARS_FOR_SEASON = 3
SD_MAX, CORRELATION_MAX = 3.0, 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Drift and spread of log demand per year, and what is left of its changes (blocks - REACH,) when both are gone.

    `degrees` is how many independent squares the spread rests on, `years` the length of the history.
    """

    drift: float
    sd: float
    degrees: float
    years: float
    season: bool
    left: Array


def fit(history: History) -> Fitted:
    """Fit a random walk with drift.

    The change of the mean of m rows over q such blocks has (m q - (m m - 1) / (3 m)) rows' variance of the walk
    (after Working, 1960, "Note on the correlation of first differences of averages in a random chain"); overlapping
    changes over q blocks are worth 1.5 N / q independent squares (Priestley, 1981, section 6.2).
    """
    per_block = MEAN_STEPS[history.frequency]
    logs = np.log(history.values)
    logs = logs[len(logs) % per_block :].reshape(-1, per_block).mean(axis=1)
    steps, in_year = np.diff(logs), BLOCKS_A_YEAR[history.frequency]
    season = len(steps) >= YEARS_FOR_SEASON * in_year
    drift = float(steps.mean())
    centred = _without_season(steps, in_year) if season else steps - drift
    left = np.lib.stride_tricks.sliding_window_view(centred, REACH).sum(axis=1)
    lost = in_year if season else 1
    free = 1.0 - lost / len(steps)
    row_years = STEP_YEARS[history.frequency]
    rows = per_block * REACH - (per_block**2 - 1) / (3 * per_block)
    return Fitted(
        drift=drift / (per_block * row_years),
        sd=math.sqrt(float((left**2).mean()) / free / (rows * row_years)),
        degrees=max(1.5 * len(steps) / REACH * free, 1.0),
        years=len(steps) * per_block * row_years,
        season=season,
        left=np.asarray(left),
    )


def _without_season(steps: Array, in_year: int) -> Array:
    """Steps less the mean of those at the same time of the year."""
    phase = np.arange(len(steps)) % in_year
    means = np.bincount(phase, weights=steps) / np.bincount(phase)
    return np.asarray(steps - means[phase])


def spread_of(history: History, fitted: Fitted, source: str) -> Estimated:
    """Demand's sd over a year about its growth."""
    low, high = sd_interval(fitted.sd, fitted.degrees)
    season = "the season of the year taken out" if fitted.season else "a season of the year, if any, counted in"
    return Estimated(
        quantity="demand_sd_frac_per_year",
        subject=history.workload,
        value=sd_of_factor(fitted.sd),
        low=sd_of_factor(low),
        high=sd_of_factor(min(high, SD_MAX)),
        observations=len(history.values),
        source=source,
        method=f"random walk about its growth, {fitted.years:.1f} years, {season}; chi-squared interval",
    )


def growth_of(history: History, fitted: Fitted, source: str) -> Estimated:
    """Yearly growth factor; a walk of this spread over T years errs by sd / sqrt(T) in its drift."""
    half = student_z(fitted.degrees) * fitted.sd / math.sqrt(fitted.years)
    return Estimated(
        quantity="growth_per_year",
        subject=history.workload,
        value=math.exp(fitted.drift),
        low=math.exp(fitted.drift - half),
        high=math.exp(fitted.drift + half),
        observations=len(history.values),
        source=source,
        method=f"mean log growth over {fitted.years:.1f} years; Student's interval of a random walk's drift",
    )


def shared_of(
    histories: Sequence[History],
    fits: Sequence[Fitted],
    families: Sequence[str],
    source: str,
) -> Answer:
    """The weight of what is common to all workloads, from the correlation of what is left of their changes.

    `families` names what each belongs to, empty for none. Histories of different length are compared over the
    last rows that all have.
    """
    quantity, subject = "demand_weight_frac", "workloads"
    if len(histories) < 2:
        why = f"{len(histories)} history is there, 2 are needed"
        return Unsaid(quantity=quantity, subject=subject, why=why)
    if len({history.dates[-1] for history in histories}) > 1:
        return Unsaid(quantity=quantity, subject=subject, why="the histories end on different days")
    rows = min(len(fitted.left) for fitted in fits)
    left = np.asarray([fitted.left[-rows:] for fitted in fits])
    names = [family or str(history.workload) for family, history in zip(families, histories, strict=True)]
    value = _common(left / np.sqrt((left**2).sum(axis=1, keepdims=True)), names)
    degrees = min(fitted.degrees for fitted in fits)
    half = WILSON_Z / math.sqrt(max(degrees - 3.0, 1.0))
    middle = math.atanh(min(value, CORRELATION_MAX))
    return Estimated(
        quantity=quantity,
        subject=subject,
        value=min(max(value, 0.0), 1.0),
        low=max(math.tanh(middle - half), 0.0),
        high=max(math.tanh(middle + half), 0.0),
        observations=left.size,
        source=source,
        method=f"mean correlation of changes of {len(fits)} workloads; Fisher's interval, as if of one pair",
    )


def _common(lines: Array, names: Sequence[str]) -> float:
    """The generator's weight w: workloads of different families correlate by w, those of one by w + (1 - w) / 2.

    `lines` (workloads, rows) have unit length. A mean over pairs is not shrunk as a matrix of few rows would be
    (Ledoit and Wolf, 2004): in simulated histories that lost a quarter of it, and the interval missed the truth.
    """
    pairs = list(combinations(range(len(names)), 2))
    apart = [float(lines[i] @ lines[j]) for i, j in pairs if names[i] != names[j]]
    together = [float(lines[i] @ lines[j]) for i, j in pairs if names[i] == names[j]]
    return float(np.mean(apart)) if apart else 2.0 * float(np.mean(together)) - 1.0
