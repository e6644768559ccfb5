"""What the desk has promised: accelerators of each pool on each day, firm, recallable and taken by the anchor.

A day counts in full for whoever touches it; the ledger, which is exact to the second, has the last word
when a quote is admitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acreage.desk.horizon import Counts, Horizon
from acreage.units.errors import InputError
from acreage.units.ids import PoolId
from acreage.units.instants import SECONDS_PER_DAY


@dataclass(slots=True)
class Book:
    """Promises by pool and day; every array is int64 of shape (pools, days).

    `firm` and `recallable` are leased to others, `anchor` is what the anchor holds already. `add` changes
    it in place and raises the pool's `turn`, by which whoever keeps figures of a pool sees that they are old.
    """

    pools: tuple[PoolId, ...]
    horizon: Horizon
    capacity: Counts
    firm: Counts
    recallable: Counts
    anchor: Counts
    turn: Counts

    @classmethod
    def empty(cls, pools: Sequence[PoolId], horizon: Horizon, capacity: Counts) -> "Book":
        """A book in which nothing is leased; `capacity` has shape (pools, days)."""
        shape = (len(pools), horizon.days)
        assert capacity.shape == shape, (capacity.shape, shape)
        firm, recallable, anchor = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        return cls(tuple(pools), horizon, capacity, firm, recallable, anchor, np.zeros(len(pools), dtype=np.int64))

    def index(self, pool: PoolId) -> int:
        """The row of a pool; raises `InputError` where the desk does not lease it out."""
        if pool not in self.pools:
            raise InputError(f"unknown pool {pool!r}", fix=f"the desk's pools are {', '.join(self.pools)}")
        return self.pools.index(pool)

    def add(self, row: int, accelerators: int, from_at: int, until_at: int, *, firm: bool) -> None:
        """Add (negative: take back) a lease over [from_at, until_at)."""
        days = slice(max(self.horizon.first_day(from_at), 0), max(self.horizon.end_day(until_at), 0))
        (self.firm if firm else self.recallable)[row, days] += accelerators
        self.turn[row] += 1


def daily(horizon: Horizon, accelerators: Counts, from_at: Counts, until_at: Counts) -> Counts:
    """The sum of many windows on each day, shape (days,); a window counts in full on every day it touches."""
    first = np.clip((from_at - horizon.from_at) // SECONDS_PER_DAY, 0, horizon.days)
    end = np.clip(-((horizon.from_at - until_at) // SECONDS_PER_DAY), 0, horizon.days)
    change = np.zeros(horizon.days + 1, dtype=np.int64)
    np.add.at(change, first, accelerators)
    np.add.at(change, end, -accelerators)
    return np.cumsum(change[:-1])
