"""Mean demand of a workload in each period, before any surprise.

Demand is a chain of points; from each one on it grows by a yearly factor until the next point
or the end. The mean over a period is the exact integral of that curve, not its middle.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acreage.domain.future import Series
from acreage.domain.portfolio import Period
from acreage.domain.workload import ResearchShare, ServingFleet
from acreage.units.instants import DAYS_PER_YEAR, SECONDS_PER_DAY

SECONDS_PER_YEAR = DAYS_PER_YEAR * SECONDS_PER_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Demand `rate` at `from_at`, growing until `until_at` (infinity: for ever)."""

    from_at: float
    until_at: float
    rate: float


def base_demand(workload: ServingFleet | ResearchShare, periods: Sequence[Period]) -> Series:
    """Mean demand (periods,) in the workload's unit: its rate unit, or reference accelerators.

    Zero before the first point and after the workload's end; a period half covered has half the mean.
    """
    growth = workload.growth_per_year
    return np.array(
        [
            math.fsum(_demanded(stretch, growth, period.from_at, period.until_at) for stretch in _stretches(workload))
            / (period.until_at - period.from_at)
            for period in periods
        ]
    )


def _stretches(workload: ServingFleet | ResearchShare) -> list[_Stretch]:
    if isinstance(workload, ResearchShare):
        points = [(workload.from_at, workload.accelerators)]
    else:
        points = sorted((point.from_at, point.rate) for point in workload.demand)
    last_at = math.inf if workload.until_at is None else float(workload.until_at)
    ends = [*(float(at) for at, _ in points[1:]), last_at]
    return [
        _Stretch(from_at=at, until_at=min(end, last_at), rate=rate)
        for (at, rate), end in zip(points, ends, strict=True)
    ]


def _demanded(stretch: _Stretch, growth_per_year: float, from_at: float, until_at: float) -> float:
    """Integral of rate x growth^years over the overlap, in units x seconds."""
    begin, end = max(from_at, stretch.from_at), min(until_at, stretch.until_at)
    if end <= begin:
        return 0.0
    log_growth = math.log(growth_per_year) / SECONDS_PER_YEAR
    at_begin = stretch.rate * math.exp(log_growth * (begin - stretch.from_at))
    # expm1 keeps the limit of slow growth exact, where the plain formula would divide 0 by 0.
    exponent = log_growth * (end - begin)
    return at_begin * (math.expm1(exponent) / log_growth if exponent else end - begin)
