"""What the desk asks: the book put on the tables, laid out so that one quote is a handful of look-ups.

For each pool and side: what is free under the rules on each day, with the least of every stretch of 1, 2, 4, …
days beside it (a sparse table: the least of any window is one of two such stretches, Bender and
Farach-Colton 2000), and what leases of a growing grid of quantities displace, summed up over the days. The
displacement of a quantity between two of the grid is linear; the true one is convex, so it is asked a
little more and never less.
"""

from dataclasses import dataclass

import numpy as np

from acreage.desk.book import Book
from acreage.desk.horizon import Counts, Numbers
from acreage.desk.tables import FIRM, RECALLABLE, Tables, value_at

_NEVER = np.int64(-(2**62))


@dataclass(slots=True)
class Asks:
    """A book on its tables. `refresh` a pool after its book has changed.

    `free` (2, pools, levels, days): the least free of 2**level days from a day on. `quantities` (pools, K) is the
    grid of quantities, `daily_usd` (2, pools, K, days) what they displace on a day, and `displaced_usd` (2, pools,
    K, days + 1) from the first day up to a day.
    `turn` is the book's turn that the pool was laid out for.
    """

    book: Book
    tables: Tables
    free: Counts
    quantities: Numbers
    daily_usd: Numbers
    displaced_usd: Numbers
    turn: Counts

    def refresh(self, row: int) -> None:
        """Lay one pool out anew where its book has changed: only the days that have, then the sums over days."""
        if self.turn[row] == self.book.turn[row]:
            return
        for side, headroom in enumerate(headrooms(self.book, self.tables, row)):
            free = headroom - kept(self.book, self.tables, side, row)
            moved = np.flatnonzero(free != self.free[side, row, 0])
            if len(moved):
                self._lay_out(side, row, free, slice(int(moved[0]), int(moved[-1]) + 1))
        self.turn[row] = self.book.turn[row]

    def _lay_out(self, side: int, row: int, free: Counts, days: slice) -> None:
        tables, step = self.tables, float(self.tables.step[row])
        _fill_least(self.free[side, row], free)
        level = (free[days] + tables.protected[side, row, days]).astype(np.float64)
        values = value_at(tables.value_usd[side, row, days], step, level[None] - self.quantities[row][:, None])
        np.subtract(values[:1], values, out=self.daily_usd[side, row, :, days])
        summed = self.displaced_usd[side, row]
        first = days.start
        np.cumsum(self.daily_usd[side, row, :, first:], axis=1, out=summed[:, first + 1 :])
        summed[:, first + 1 :] += summed[:, first : first + 1]


def laid_out(book: Book, tables: Tables) -> Asks:
    """A whole book on its tables; both have the same pools and horizon."""
    assert book.pools == tables.pools, (book.pools, tables.pools)
    assert book.horizon == tables.horizon, (book.horizon, tables.horizon)
    pools, days = book.capacity.shape
    levels = max(days.bit_length(), 1)
    quantities = np.stack([_quantity_grid(float(step) * (tables.value_usd.shape[3] - 1)) for step in tables.step])
    asks = Asks(
        book,
        tables,
        np.full((2, pools, levels, days), _NEVER, dtype=np.int64),
        quantities,
        np.zeros((2, pools, quantities.shape[1], days)),
        np.zeros((2, pools, quantities.shape[1], days + 1)),
        book.turn - 1,
    )
    for row in range(pools):
        asks.refresh(row)
    return asks


def headrooms(book: Book, tables: Tables, row: int) -> tuple[Counts, Counts]:
    """Capacity less what is leased, as firm and as recallable leases see it, each (days,).

    Within the notice of a recall a recallable lease stands like a firm one; later a firm lease may recall it.
    """
    firm = book.capacity[row] - book.firm[row]
    both = firm - book.recallable[row]
    soon = min(tables.notice_days + 1, len(firm))
    return np.concatenate((both[:soon], firm[soon:])), both


def kept(book: Book, tables: Tables, side: int, row: int) -> Counts:
    """What is kept for the anchor on each day: the protected level, or what it holds already where that is more.

    On a day within its notice of call for which it holds anything, it has called: what it holds is what it needs.
    """
    held = book.anchor[row]
    level = np.maximum(tables.protected[side, row], held)
    soon = min(tables.call_notice_days + 1, len(held))
    level[:soon] = np.where(held[:soon] > 0, held[:soon], level[:soon])
    return np.asarray(level)


def short_frac(book: Book, tables: Tables, row: int, left: Numbers, days: slice) -> Numbers:
    """The probability that the anchor needs more than `left` on each of `days`; what it has called is certain."""
    found = tables.laws[row].above(left, days)
    held = book.anchor[row, days]
    called = (held > 0) & (np.arange(len(book.anchor[row]))[days] <= tables.call_notice_days)
    return np.asarray(np.where(called, held > left, found))


def _quantity_grid(most: float, points: int = 40) -> Numbers:
    """0, 1, 2, 3 … then growing by a constant factor up to the most there ever is."""
    whole = np.unique(np.rint(np.geomspace(1.0, max(most, 2.0), points - 1)))
    missing = points - 1 - len(whole)
    more = most * (1.0 + np.arange(1, missing + 1))
    return np.concatenate(([0.0], whole, more))


def _fill_least(table: Counts, free: Counts) -> None:
    table[0] = free
    days = len(free)
    for level in range(1, len(table)):
        half, last = 1 << (level - 1), days - (1 << level) + 1
        if last <= 0:
            break
        np.minimum(table[level - 1, :last], table[level - 1, half : half + last], out=table[level, :last])


SIDES = {True: FIRM, False: RECALLABLE}
"""The side of a lease by whether it is firm."""
