"""How thin a market gets, from traces of spot availability: its spread, its memory, and what zones share.

A trace asks one zone for a number of instances every tick; its availability is the share it got. What a plan
must know is how much of a market's usual capacity a month a year from now will have. The spread of that has two
parts: zones differ and stay different for the length of any trace, and within a zone a month's mean still moves.
A planner does not know in which state a zone will be a year on, so both count; that zones now stand for one zone
at other times is an assumption, and said.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from acreage.demand.calibration.blocks import DRAWS, clusters, stationary
from acreage.demand.calibration.estimate import Answer, Estimated, Unsaid, percentiles
from acreage.demand.draws import Array
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR

MONTH_DAYS = 30.0
"""What is planned for is a month."""

WINDOW = 5.0
"""The sum of autocorrelations stops at this many times itself (Sokal, 1997, section 3)."""

ZONES_MIN = 4
"""Fewer zones give no interval of what differs between them."""

ROUNDING = 1e-9
"""What a constant line is off its mean."""

DAYS_MIN = 4
"""Fewer days in common give no interval of what zones share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotTrace:
    """A zone asked every `gap_s` seconds: `available_frac` (ticks,) within [0, 1], and the price where it was noted.

    Traces of one `started_on` and `gap_s` ran side by side.
    """

    name: str
    zone: str
    resource: str
    started_on: str
    gap_s: float
    available_frac: Array
    usd: Array | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moments:
    """One trace in figures: mean, variance, and time over which it remembers itself, with its length, in seconds."""

    mean: float
    variance: float
    memory_s: float
    length_s: float


def memory_ticks(values: Array) -> float:
    """Integrated autocorrelation time in ticks, 1 + 2 sum of autocorrelations: 1 for white noise, 0 for constants.

    The sum stops at `WINDOW` times its own value (Sokal, 1997, "Monte Carlo methods in statistical mechanics",
    section 3), as the rest is noise.
    """
    if not np.ptp(values):
        return 0.0
    centred = values - values.mean()
    size = 1 << (2 * len(values) - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    correlations = np.fft.irfft(power, size)[: len(values)]
    times = 2.0 * np.cumsum(correlations / correlations[0]) - 1.0
    enough = np.arange(len(values)) >= WINDOW * times
    return float(max(times[int(np.argmax(enough))] if enough.any() else times[-1], 1.0))


def _moments(trace: SpotTrace) -> _Moments:
    values = trace.available_frac
    return _Moments(
        mean=float(values.mean()),
        variance=float(values.var()),
        memory_s=memory_ticks(values) * trace.gap_s,
        length_s=len(values) * trace.gap_s,
    )


def limit_sd_frac(found: Sequence[_Moments]) -> float:
    """Standard deviation of a month's availability over its mean.

    Between traces: the variance of their means less what their finite length explains. Within: variance x memory
    over a month (the variance of a mean of what remembers itself).
    """
    means = np.asarray([m.mean for m in found])
    noise = float(np.mean([m.variance * min(m.memory_s / m.length_s, 1.0) for m in found]))
    between = max(float(means.var(ddof=1)) - noise, 0.0) if len(found) > 1 else 0.0
    month_s = MONTH_DAYS * SECONDS_PER_DAY
    within = float(np.mean([m.variance * min(m.memory_s / month_s, 1.0) for m in found]))
    return math.sqrt(between + within) / float(means.mean()) if means.mean() > 0.0 else math.nan


def calibrate_spot(traces: Sequence[SpotTrace], *, source: str, rng: np.random.Generator) -> tuple[Answer, ...]:
    """All that traces of spot availability say, with intervals from zones drawn again, and days in common."""
    moments = [_moments(trace) for trace in traces]
    zones = sorted({trace.zone for trace in traces})
    members = [[i for i, trace in enumerate(traces) if trace.zone == zone] for zone in zones]
    told: tuple[tuple[str, str, Callable[[Sequence[_Moments]], float]], ...] = (
        ("availability_frac", "mean of the traces' means", lambda m: float(np.mean([x.mean for x in m]))),
        (
            "availability_memory_hours",
            "median integrated autocorrelation time",
            lambda m: float(np.median([x.memory_s for x in m])) / SECONDS_PER_HOUR,
        ),
        ("market_limit_sd_frac", "spread of a month's availability between and within zones", limit_sd_frac),
    )
    answers: list[Answer] = []
    if len(zones) < ZONES_MIN or not any(m.mean for m in moments):
        few = f"traces of {len(zones)} zones are there, {ZONES_MIN} are needed"
        why = few if len(zones) < ZONES_MIN else "nothing was ever available"
        answers += [Unsaid(quantity=quantity, subject="spot", why=why) for quantity, _, _ in told]
    else:
        drawn = [[i for zone in draw for i in members[zone]] for draw in clusters(rng, len(zones), DRAWS)]
        for quantity, method, figure in told:
            low, high = percentiles(np.asarray([figure([moments[i] for i in chosen]) for chosen in drawn]))
            answers.append(
                Estimated(
                    quantity=quantity,
                    subject="spot",
                    value=figure(moments),
                    low=low,
                    high=high,
                    observations=len(traces),
                    source=source,
                    method=f"{method}; bootstrap of {len(zones)} zones",
                )
            )
    return (*answers, _shared(traces, source, rng), _with_price(traces, source, rng))


def _hourly(trace: SpotTrace, values: Array) -> Array:
    """Hourly means; the last hour, not whole, is left out."""
    ticks = max(round(SECONDS_PER_HOUR / trace.gap_s), 1)
    hours = len(values) // ticks
    return np.asarray(values[: hours * ticks].reshape(hours, ticks).mean(axis=1))


def _shared(traces: Sequence[SpotTrace], source: str, rng: np.random.Generator) -> Answer:
    """The weight of what is common to all zones: mean correlation of two zones asked at the same time."""
    quantity, groups = "limit_weight_frac", _side_by_side(traces)
    if not groups:
        why = f"no two zones were asked for the same chip side by side for {DAYS_MIN} days"
        return Unsaid(quantity=quantity, subject="spot", why=why)
    found = _mean_correlation(groups)
    samples = np.asarray([_mean_correlation([_days_again(group, rng) for group in groups]) for _ in range(DRAWS)])
    low, high = percentiles(np.clip(samples, 0.0, 1.0))
    zones = sum(len(group) for group in groups)
    return Estimated(
        quantity=quantity,
        subject="spot",
        value=min(max(found, 0.0), 1.0),
        low=low,
        high=high,
        observations=sum(group.size for group in groups),
        source=source,
        method=f"mean correlation of hourly availability of {zones} zones side by side; bootstrap of days",
    )


def _side_by_side(traces: Sequence[SpotTrace]) -> list[Array]:
    """Hourly availability (zones, hours) of zones asked for one resource from one day on, cut to whole common days."""
    keys = sorted({(t.started_on, t.resource, t.gap_s) for t in traces})
    groups = []
    for key in keys:
        lines = [_hourly(t, t.available_frac) for t in traces if (t.started_on, t.resource, t.gap_s) == key]
        hours = min(len(line) for line in lines) // 24 * 24
        group = np.asarray([line[:hours] for line in lines])
        moving = group[np.ptp(group, axis=1) > 0.0] if hours else group
        if len(moving) > 1 and hours >= DAYS_MIN * 24:
            groups.append(moving)
    return groups


def _mean_correlation(groups: Sequence[Array]) -> float:
    """Mean over all pairs of lines in the groups; pairs with a constant line, as resampling may make, do not count."""
    found = []
    for group in groups:
        centred = group - group.mean(axis=1, keepdims=True)
        norms = np.sqrt((centred**2).sum(axis=1))
        found += [
            float(centred[i] @ centred[j] / (norms[i] * norms[j]))
            for i, j in combinations(range(len(group)), 2)
            if min(norms[i], norms[j]) > ROUNDING
        ]
    return float(np.mean(found)) if found else math.nan


def _days_again(group: Array, rng: np.random.Generator) -> Array:
    """The same zones over resampled days, in blocks of two days on average."""
    days = group.shape[1] // 24
    at = stationary(rng, days, 2.0, 1)[0]
    return np.asarray(group.reshape(len(group), days, 24)[:, at].reshape(len(group), -1))


def _with_price(traces: Sequence[SpotTrace], source: str, rng: np.random.Generator) -> Answer:
    """Correlation of availability with the spot price, over traces that noted one that moved."""
    quantity = "availability_with_price_correlation"
    pairs = []
    for trace in traces:
        if trace.usd is not None and np.ptp(trace.usd) > 0.0 and np.ptp(trace.available_frac) > 0.0:
            both = np.asarray([_hourly(trace, trace.available_frac), _hourly(trace, trace.usd)])
            days = both.shape[1] // 24
            if days >= DAYS_MIN and (np.ptp(both[:, : days * 24], axis=1) > 0.0).all():
                pairs.append(both[:, : days * 24])
    if not pairs:
        return Unsaid(quantity=quantity, subject="spot", why=f"no trace has prices that moved over {DAYS_MIN} days")
    samples = np.asarray([_mean_correlation([_days_again(pair, rng) for pair in pairs]) for _ in range(DRAWS)])
    low, high = percentiles(samples)
    return Estimated(
        quantity=quantity,
        subject="spot",
        value=_mean_correlation(pairs),
        low=low,
        high=high,
        observations=sum(pair.shape[1] for pair in pairs),
        source=source,
        method=f"mean over {len(pairs)} traces, hourly; bootstrap of days",
    )
