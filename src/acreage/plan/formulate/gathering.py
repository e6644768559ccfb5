"""Tables and families as they are laid out, a group of entries at a time.

Values come for the distinct ways (K,) in which something turns out and the number of the way of each
future (S,), so that nothing is kept for each future that is not its own.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acreage.plan.tables import Family, Index, Own, Table, Vector

DENSE_FRAC = 0.5
"""What differs in more futures than this is kept as a column of all of them: single numbers need an index each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Few:
    """Single numbers of K ways, way k's from starts[k] up to starts[k + 1] (K + 1,); `ways` (S,) is each future's."""

    ways: Index
    starts: Index
    places: NDArray[np.int32]
    values: Vector

    @property
    def counts(self) -> Index:
        """How many numbers each future (S,) has."""
        return np.asarray(np.diff(self.starts)[self.ways])

    def spread(self) -> tuple[Index, Index]:
        """Which number of theirs (0, 1, ...) futures have and where it stands here, future after future."""
        counts = self.counts
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return within, within + np.repeat(self.starts[self.ways], counts)


@dataclass(slots=True)
class TableBuilder:
    """Collects the entries of a table of `futures` futures; the first one's are what is common."""

    futures: int
    size: int = 0
    _common: list[Vector] = field(default_factory=list)
    _places: list[Index] = field(default_factory=list)
    _values: list[Vector] = field(default_factory=list)
    _few: list[Few] = field(default_factory=list)

    def add(self, values: Vector, ways: Index | None = None) -> None:
        """Append entries: (n,) or (1, n) where all futures agree, (S, n), or (K, n) with the way of each future."""
        values = np.atleast_2d(values)
        start, self.size = self.size, self.size + values.shape[1]
        if len(values) == 1:
            self._common.append(values[0].copy())
            return
        ways = np.arange(self.futures) if ways is None else ways
        # A copy: a view would keep all the values as long as itself.
        common = values[ways[0]].copy()
        self._common.append(common)
        differs = values != common
        if not differs.any():
            return
        often = np.bincount(ways, minlength=len(values)) @ differs > DENSE_FRAC * self.futures
        if often.any():
            places = np.flatnonzero(often)
            self._places.append(start + places)
            self._values.append(values[np.ix_(ways, places)])
        seldom = differs & ~often
        if seldom.any():
            starts = np.concatenate([[0], np.cumsum(seldom.sum(axis=1))])
            there: Index = start + np.nonzero(seldom)[1]
            self._few.append(Few(ways=ways, starts=starts, places=there.astype(np.int32), values=values[seldom]))

    def build(self, order: Index | None = None) -> Table:
        """The finished table; `order` (n,) says which entry comes first, second and so on."""
        common = np.concatenate([np.zeros(0), *self._common])
        places = np.concatenate([np.zeros(0, dtype=np.int64), *self._places])
        position = np.arange(self.size, dtype=np.int32)
        if order is not None:
            position[order] = np.arange(self.size, dtype=np.int32)
            common, places = common[order], position[places].astype(np.int64)
        own = self._owned(position) if self._few else None
        return Table(common=common, places=places, values=joined(self.futures, self._values), own=own)

    def _owned(self, position: NDArray[np.int32]) -> Own:
        """The single numbers by future; what was collected is emptied on the way."""
        counts = np.sum([few.counts for few in self._few], axis=0)
        starts = np.concatenate([[0], np.cumsum(counts)])
        places, values = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1])
        free = starts[:-1].copy()
        while self._few:
            few = self._few.pop()
            within, there = few.spread()
            at = np.repeat(free, few.counts) + within
            places[at], values[at] = position[few.places[there]], few.values[there]
            free += few.counts
        return Own(starts=starts, places=places, values=values)


def joined(futures: int, parts: list[Vector]) -> Vector:
    """Parts (S, n) side by side; the list is emptied on the way, so that no part is held twice for long."""
    whole = np.empty((futures, sum(part.shape[1] for part in parts)))
    start = whole.shape[1]
    while parts:
        part = parts.pop()
        start -= part.shape[1]
        whole[:, start : start + part.shape[1]] = part
    return whole


@dataclass(slots=True)
class FamilyBuilder:
    """Collects the entries of a family of `futures` futures; no place may come twice."""

    futures: int
    _rows: list[Index] = field(default_factory=list)
    _columns: list[Index] = field(default_factory=list)
    _data: TableBuilder = field(init=False)

    def __post_init__(self) -> None:
        self._data = TableBuilder(self.futures)

    def add(
        self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike, ways: Index | None = None, *, zeros: bool = False
    ) -> None:
        """Append entries; rows and columns broadcast to values (n,), (S, n) or (K, n) with the way of each future.

        Entries that are zero in every future are left out, but where `zeros` asks for a pattern as it is given.
        """
        table = np.atleast_2d(np.asarray(values, dtype=float))
        rows, columns, _ = np.broadcast_arrays(np.atleast_1d(rows), np.atleast_1d(columns), table[0])
        table = np.broadcast_to(table, (len(table), len(rows)))
        if not zeros:
            kept = table.any(axis=0)
            rows, columns, table = rows[kept], columns[kept], table[:, kept]
        self._rows.append(rows.astype(np.int64))
        self._columns.append(columns.astype(np.int64))
        self._data.add(table, ways)

    def build(self, shape: tuple[int, int]) -> Family:
        """The finished family, by row."""
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *self._rows])
        columns = np.concatenate([np.zeros(0, dtype=np.int64), *self._columns])
        order = np.lexsort((columns, rows))
        twice = (np.diff(rows[order]) == 0) & (np.diff(columns[order]) == 0)
        assert not twice.any(), "two entries in one place"
        return Family(
            shape=shape,
            indptr=np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=shape[0]))]).astype(np.int32),
            indices=columns[order].astype(np.int32),
            data=self._data.build(order),
        )


@dataclass(slots=True)
class RowBounds:
    """Collects the bounds of rows; those that are demands are the same below and above, and are kept once."""

    futures: int
    _common: list[tuple[Vector, Vector]] = field(default_factory=list)
    _both: list[tuple[Index, Vector]] = field(default_factory=list)
    _above: list[tuple[Index, Vector]] = field(default_factory=list)

    def add(self, start: int, count: int, lower: ArrayLike, upper: ArrayLike) -> None:
        """Append rows from number `start` on: a bound is a scalar, (n,) or (S, n); a lower one of futures is both."""
        low, high = (np.atleast_2d(np.asarray(bound, dtype=float)) for bound in (lower, upper))
        assert len(low) == 1 or lower is upper, "only equalities have lower bounds of their own in each future"
        self._common.append((np.full(count, low[0]), np.full(count, high[0])))
        if len(high) > 1:
            places = np.flatnonzero((high != high[0]).any(axis=0))
            kept = high if len(places) == count else high[:, places]
            (self._both if lower is upper else self._above).append((start + places, kept))

    def build(self) -> tuple[Table, Table]:
        """The finished lower and upper bounds, which share what they have in common."""
        lower, upper = (np.concatenate([np.zeros(0), *side]) for side in zip(*self._common, strict=True))
        none = np.zeros(0, dtype=np.int64)
        shared = np.concatenate([none, *(places for places, _ in self._both)])
        places = np.concatenate([shared, *(places for places, _ in self._above)])
        parts = [values for _, values in (*self._both, *self._above)]
        self._both.clear()
        self._above.clear()
        values = joined(self.futures, parts)
        return (
            Table(common=lower, places=shared, values=values[:, : len(shared)]),
            Table(common=upper, places=places, values=values),
        )
