"""Which recallable leases give way: the cheapest first, until what is needed fits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acreage.desk.horizon import Counts
from acreage.units.ids import LeaseId


@dataclass(frozen=True, slots=True, kw_only=True)
class Recallable:
    """A recallable lease: from `first` to before `end` in days, given back from `notice_days` on at the earliest."""

    lease: LeaseId
    accelerators: int
    first: int
    end: int
    notice_days: int
    micro_usd: int


def give_way(short: Counts, leases: Sequence[Recallable]) -> list[tuple[LeaseId, int]] | None:
    """The leases to recall and the day from which, so that nothing is short; None where they do not suffice.

    `short` (days,) is what is missing on each day. A recalled lease is back as a whole from its day to its end.
    """
    left = short.copy()
    found = []
    for lease in sorted(leases, key=lambda one: (one.micro_usd, -one.first, one.lease)):
        if not np.any(left > 0):
            break
        # Day 0 has begun: notice given now runs out during day `notice_days`.
        from_day = max(lease.first, lease.notice_days + 1)
        missing = np.flatnonzero(left[from_day : lease.end] > 0)
        if not len(missing):
            continue
        day = from_day + int(missing[0])
        left[day : lease.end] -= lease.accelerators
        found.append((lease.lease, day))
    return None if np.any(left > 0) else found
