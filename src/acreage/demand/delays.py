"""The law of late deliveries as the record of a provider teaches it.

The law that a portfolio states counts as much as `PRIOR_DELIVERIES` deliveries; each delivery seen counts
as one. Late ones teach the mean and spread of the logarithm of days (conjugate updates of a normal law
with pseudo-observations: Gelman et al., Bayesian Data Analysis, 3rd edition, section 3.3).
"""

import math
from collections.abc import Sequence

from acreage.demand.laws import P90_Z
from acreage.domain.provider import DelayModel

PRIOR_DELIVERIES = 5.0
LATE_FROM_DAYS = 1.0
"""Less than a day late is on time."""

SPREAD_UNKNOWN = 0.8
"""Standard deviation of log days where neither the portfolio nor the record says: 90th percentile 2.8 x median."""


def learned(stated: DelayModel, late_days: Sequence[float]) -> DelayModel:
    """The stated law after these deliveries; `late_days` are 0 for those on time. None seen: as stated."""
    if not late_days:
        return stated
    late = [math.log(days) for days in late_days if days >= LATE_FROM_DAYS]
    said_on_time = stated.on_time_frac if stated.median_days > 0 else 1.0
    on_time = (PRIOR_DELIVERIES * said_on_time + len(late_days) - len(late)) / (PRIOR_DELIVERIES + len(late_days))
    mean, spread = _log_law(stated, late)
    if mean is None:
        return DelayModel(on_time_frac=1.0, median_days=0.0, p90_days=0.0)
    median = math.exp(mean)
    return DelayModel(on_time_frac=on_time, median_days=median, p90_days=median * math.exp(P90_Z * spread))


def _log_law(stated: DelayModel, late: Sequence[float]) -> tuple[float | None, float]:
    """Mean and standard deviation of log days; no mean where nobody knows of any lateness."""
    said = stated.median_days > 0
    weight = PRIOR_DELIVERIES * (1.0 - stated.on_time_frac) if said else 0.0
    if weight + len(late) == 0:
        return (math.log(stated.median_days), _spread(stated)) if said else (None, 0.0)
    prior_mean = math.log(stated.median_days) if said else 0.0
    mean = (weight * prior_mean + sum(late)) / (weight + len(late))
    squares = weight * (_spread(stated) ** 2 + (prior_mean - mean) ** 2) + sum((x - mean) ** 2 for x in late)
    # One pseudo-observation of the usual spread keeps a single delivery from claiming certainty.
    return mean, math.sqrt((squares + SPREAD_UNKNOWN**2) / (weight + len(late) + 1.0))


def _spread(stated: DelayModel) -> float:
    return max(math.log(stated.p90_days / stated.median_days), 0.0) / P90_Z if stated.p90_days > 0 else 0.0
