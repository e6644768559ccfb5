"""The daily shape of serving load, and how bursty it is within minutes, from traces of requests or rates.

Traces of hours or days say nothing about growth, and traces of less than a few whole days nothing about the
shape of a day: both come back as `Unsaid`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from acreage.demand.calibration.blocks import DRAWS, block_length, clusters, stationary
from acreage.demand.calibration.estimate import Answer, Estimated, Unsaid, percentiles
from acreage.demand.draws import Array
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR

DAYS_MIN = 5
"""Fewer whole days give no interval of a daily shape."""

TICK_S, TICKS = 10, 12
"""Burstiness is looked at in counts of ten seconds within two minutes, which no daily shape reaches."""

WINDOWS_MIN = 15
MINUTE_MIN = 5.0

Layout = tuple[tuple[str, float], ...]
"""Load blocks from the highest to the lowest: name and share of the hours."""

DAY_AND_NIGHT: Layout = (("day", 0.5), ("night", 0.5))
PEAK_DAY_AND_NIGHT: Layout = (("peak", 1 / 6), ("day", 1 / 3), ("night", 0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingTrace:
    """Load seen: `at_s` (n,) in seconds from the start of the first day, ascending, and `amount` (n,).

    Amounts are counts of requests (or tokens) at their arrival; where `is_rate`, samples of a rate instead.
    """

    name: str
    at_s: Array
    amount: Array
    is_rate: bool


def calibrate_serving(
    trace: ServingTrace, *, layouts: Sequence[Layout], source: str, rng: np.random.Generator
) -> tuple[Answer, ...]:
    """Load blocks for each layout, burstiness, and what a trace of this length cannot say."""
    span_days = float(trace.at_s[-1] - trace.at_s[0]) / SECONDS_PER_DAY
    days = whole_days(trace)
    answers: list[Answer] = []
    for layout in layouts:
        answers += _blocks(trace.name, days, layout, source, rng)
    answers += _bursts(trace, source, rng)
    why = f"the trace spans {span_days:.1f} days; two years are needed, as seasons hide in less"
    return (*answers, Unsaid(quantity="growth_per_year", subject=trace.name, why=why))


def whole_days(trace: ServingTrace) -> Array:
    """Hourly load (days, 24) of the days that the trace has whole, means of samples where they are of a rate.

    The day it begins in is whole only if it begins within its first hour. A day of samples with an hour unseen
    is left out.
    """
    hours = (trace.at_s // SECONDS_PER_HOUR).astype(int)
    first = math.ceil((trace.at_s[0] - SECONDS_PER_HOUR) / SECONDS_PER_DAY)
    last = int((trace.at_s[-1] + SECONDS_PER_HOUR) // SECONDS_PER_DAY)
    if last <= first:
        return np.empty((0, 24))
    inside = (hours >= first * 24) & (hours < last * 24)
    size = (last - first) * 24
    totals: Array = np.bincount(hours[inside] - first * 24, weights=trace.amount[inside], minlength=size).astype(float)
    if trace.is_rate:
        counts = np.bincount(hours[inside] - first * 24, minlength=size)
        with np.errstate(invalid="ignore", divide="ignore"):
            totals = totals / counts
    table = totals.reshape(-1, 24)
    return np.asarray(table[np.isfinite(table).all(axis=1) & (table.sum(axis=1) > 0.0)])


def block_levels(days: Array, layout: Layout) -> Array:
    """Level (blocks,) of each block over the mean: hours of a day are ranked by the other days, then measured on it.

    Ranking hours by the very load that is measured would call chance a peak.
    """
    totals = days.sum(axis=0)
    edges = np.concatenate(([0.0], np.cumsum([share for _, share in layout]))) * 24.0
    got = np.zeros(len(layout))
    for day in days:
        order = np.argsort(-(totals - day), kind="stable")
        # A block may hold a part of an hour; the running sum, read between hours, shares it out.
        running = np.concatenate(([0.0], np.cumsum(day[order])))
        got += np.diff(np.interp(edges, np.arange(25), running))
    return np.asarray(got / days.sum() / np.asarray([share for _, share in layout]))


def _blocks(name: str, days: Array, layout: Layout, source: str, rng: np.random.Generator) -> list[Answer]:
    names = "/".join(block for block, _ in layout)
    if len(days) < DAYS_MIN:
        why = f"{len(days)} whole days are there, {DAYS_MIN} are needed for the shape of one"
        return [Unsaid(quantity="load_block_level_frac", subject=f"{name} {names}", why=why)]
    found = block_levels(days, layout)
    samples = np.asarray([block_levels(days[at], layout) for at in clusters(rng, len(days), DRAWS // 4)])
    return [
        Estimated(
            quantity="load_block_level_frac",
            subject=f"{name} {block} ({share:.0%} of hours)",
            value=float(level),
            low=percentiles(sample)[0],
            high=percentiles(sample)[1],
            observations=days.size,
            source=source,
            method=f"hours of {len(days)} whole days, ranked by the other days; bootstrap of days",
        )
        for (block, share), level, sample in zip(layout, found, samples.T, strict=True)
    ]


def _bursts(trace: ServingTrace, source: str, rng: np.random.Generator) -> list[Answer]:
    """The busy minute over its hour, and how far counts exceed chance; of requests only, not of sampled rates."""
    told: tuple[tuple[str, str, Array, Callable[[Array], float]], ...] = (
        ("busy_minute_frac", "99th percentile of a minute's load over its hour's mean", _over_hour(trace), _busy),
        (
            "dispersion",
            f"variance over mean of {TICK_S} s counts within {TICKS * TICK_S // 60} minutes, 1 for chance alone",
            _windows(trace),
            _dispersion,
        ),
    )
    answers: list[Answer] = []
    span_s = float(trace.at_s[-1] - trace.at_s[0])
    for quantity, method, values, figure in told:
        sparse = quantity == "busy_minute_frac" and 60.0 * trace.amount.sum() < span_s * MINUTE_MIN
        if trace.is_rate or sparse or len(values) < WINDOWS_MIN:
            few = f"{len(values)} stretches to compare are there, {WINDOWS_MIN} are needed"
            why = "sampled rates do not show what happens between the samples" if trace.is_rate else few
            if sparse and not trace.is_rate:
                why = f"with less than {MINUTE_MIN:g} requests in a mean minute, the busiest are chance"
            answers.append(Unsaid(quantity=quantity, subject=trace.name, why=why))
            continue
        draws = stationary(rng, len(values), block_length(len(values)), DRAWS // 4)
        low, high = percentiles(np.asarray([figure(values[at]) for at in draws]))
        answers.append(
            Estimated(
                quantity=quantity,
                subject=trace.name,
                value=figure(values),
                low=low,
                high=high,
                observations=len(values),
                source=source,
                method=f"{method}; stationary bootstrap",
            )
        )
    return answers


def _counted(trace: ServingTrace, seconds: int) -> Array:
    """Load of every whole interval of so many seconds from the first arrival on."""
    since = trace.at_s - trace.at_s[0]
    count = int(since[-1] // seconds)
    index = (since // seconds).astype(int)
    inside = index < count
    return np.asarray(np.bincount(index[inside], weights=trace.amount[inside], minlength=count), float)


def _over_hour(trace: ServingTrace) -> Array:
    """Each minute's load over the mean of its hour; hours without load are left out, a trace of less is one hour."""
    minutes = _counted(trace, 60)
    width = min(60, len(minutes))
    if not width:
        return np.empty(0)
    table = minutes[: len(minutes) // width * width].reshape(-1, width)
    means = table.mean(axis=1, keepdims=True)
    return np.asarray((table / np.where(means > 0.0, means, 1.0))[means[:, 0] > 0.0].ravel())


def _busy(ratios: Array) -> float:
    return float(np.quantile(ratios, 0.99))


def _windows(trace: ServingTrace) -> Array:
    """Variance and mean (windows, 2) of counts within each window of `TICKS` ticks."""
    counts = _counted(trace, TICK_S)
    table = counts[: len(counts) // TICKS * TICKS].reshape(-1, TICKS)
    return np.asarray([table.var(axis=1, ddof=1), table.mean(axis=1)]).T


def _dispersion(windows: Array) -> float:
    """Index of dispersion of counts (Cox and Lewis, 1966, section 4.5), pooled over windows."""
    variance, mean = windows.mean(axis=0)
    return float(variance / mean) if mean > 0.0 else math.nan
