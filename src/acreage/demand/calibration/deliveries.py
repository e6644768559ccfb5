"""How late deliveries come, from a record of them: the law of `demand/delays.py` with intervals."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from acreage.demand.calibration.blocks import DRAWS
from acreage.demand.calibration.estimate import Answer, Estimated, Unsaid, jeffreys, percentiles
from acreage.demand.delays import LATE_FROM_DAYS
from acreage.demand.laws import P90_Z
from acreage.units.ids import ProviderId

LATE_MIN = 3
"""Fewer late deliveries give no interval of how late they are."""


def calibrate_deliveries(
    late_days: Mapping[ProviderId, Sequence[float]], *, source: str, rng: np.random.Generator
) -> tuple[Answer, ...]:
    """On-time share, median and 90th percentile of lateness for each provider seen, and for all of them together.

    `late_days` are days of lateness of each delivery, 0 for those on time.
    """
    answers: list[Answer] = []
    for provider in sorted(late_days):
        answers += _record(provider, late_days[provider], source, rng)
    if len(late_days) > 1:
        answers += _record("all providers", [days for each in late_days.values() for days in each], source, rng)
    return tuple(answers)


def _record(subject: str, days: Sequence[float], source: str, rng: np.random.Generator) -> list[Answer]:
    if not days:
        return [Unsaid(quantity="on_time_frac", subject=subject, why="no delivery is in the books")]
    late = np.log([one for one in days if one >= LATE_FROM_DAYS])
    on_time = len(days) - len(late)
    low, high = jeffreys(on_time, len(days))
    share = Estimated(
        quantity="on_time_frac",
        subject=subject,
        value=on_time / len(days),
        low=low,
        high=high,
        observations=len(days),
        source=source,
        method=f"deliveries less than {LATE_FROM_DAYS:g} day late; Jeffreys interval",
    )
    if len(late) < LATE_MIN:
        why = f"{len(late)} late deliveries are there, {LATE_MIN} are needed"
        return [share, *(Unsaid(quantity=name, subject=subject, why=why) for name in ("median_days", "p90_days"))]
    return [share, *_lateness(subject, late, source, rng)]


def _lateness(subject: str, late: np.ndarray, source: str, rng: np.random.Generator) -> list[Answer]:
    """Median and 90th percentile of a log-normal law.

    Intervals are those of the reference posterior of a normal law (Gelman et al., Bayesian Data Analysis, 3rd
    edition, section 3.2), which for its mean and percentiles are the classical exact ones.
    """
    mean, spread, count = float(late.mean()), float(late.std(ddof=1)), len(late)
    spreads = spread * np.sqrt((count - 1) / rng.chisquare(count - 1, size=10 * DRAWS))
    means = mean + spreads / math.sqrt(count) * rng.standard_normal(10 * DRAWS)
    told = (("median_days", 0.0), ("p90_days", P90_Z))
    answers: list[Answer] = []
    for quantity, z in told:
        low, high = percentiles(np.exp(means + z * spreads))
        answers.append(
            Estimated(
                quantity=quantity,
                subject=subject,
                value=math.exp(mean + z * spread),
                low=low,
                high=high,
                observations=count,
                source=source,
                method="log-normal law of what was late; interval of its posterior",
            )
        )
    return answers
