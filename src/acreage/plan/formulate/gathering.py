"""Tables and families as they are laid out, a group of entries at a time.

Values come for the distinct ways (K,) in which something turns out and the number of the way of each
future (S,), so that nothing is kept for each future that is not its own.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acreage.plan.tables import Family, Index, Own, Table, Vector

DENSE_FRAC = 0.5
"""An entry that differs in more futures than this is kept as a column of all of them: less than half an index apiece."""


@dataclass(slots=True)
class TableBuilder:
    """Collects the entries of a table of `futures` futures; the first one's are what is common."""

    futures: int
    size: int = 0
    _common: list[Vector] = field(default_factory=list)
    _places: list[Index] = field(default_factory=list)
    _values: list[Vector] = field(default_factory=list)
    _own: list[tuple[Index, Index, Vector]] = field(default_factory=list)

    def add(self, values: Vector, ways: Index | None = None) -> None:
        """Append entries: (n,) or (1, n) where all futures agree, (S, n), or (K, n) with the way of each future."""
        values = np.atleast_2d(values)
        start, self.size = self.size, self.size + values.shape[1]
        if len(values) == 1:
            self._common.append(values[0])
            return
        ways = np.arange(self.futures) if ways is None else ways
        common = values[ways[0]]
        self._common.append(common)
        differs = values != common
        if not differs.any():
            return
        times = np.bincount(ways, minlength=len(values))
        often = times @ differs > DENSE_FRAC * self.futures
        if often.any():
            places = np.flatnonzero(often)
            self._places.append(start + places)
            self._values.append(values[np.ix_(ways, places)])
        self._keep_own(start, values, differs & ~often, ways, times)

    def _keep_own(self, start: int, values: Vector, differs: NDArray[np.bool_], ways: Index, times: Index) -> None:
        """Keep the values of some ways at some places, once for each future that goes that way."""
        way, place = np.nonzero(differs)
        if not len(way):
            return
        # Futures in order of their ways: those of way k stand from begins[k] on.
        order = np.argsort(ways, kind="stable")
        begins = np.cumsum(times) - times
        count = times[way]
        which = np.repeat(np.arange(len(way)), count)
        within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        self._own.append((order[begins[way[which]] + within], start + place[which], values[way, place][which]))

    def build(self, order: Index | None = None) -> Table:
        """The finished table; `order` (n,) says which entry comes first, second and so on."""
        common = np.concatenate([np.zeros(0), *self._common])
        places = np.concatenate([np.zeros(0, dtype=np.int64), *self._places])
        values = joined(self.futures, self._values)
        own = self._owned()
        if order is not None:
            position = np.empty(self.size, dtype=np.int64)
            position[order] = np.arange(self.size)
            common, places = common[order], position[places]
            own = Own(starts=own.starts, places=position[own.places].astype(np.int32), values=own.values)
        return Table(common=common, places=places, values=values, own=own if len(own.places) else None)

    def _owned(self) -> Own:
        future, place, value = (
            np.concatenate([np.zeros(0, dtype=kind), *parts])
            for kind, parts in zip(
                (np.int64, np.int64, np.float64), zip(*self._own, strict=True) if self._own else ((),) * 3, strict=True
            )
        )
        order = np.argsort(future, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(future, minlength=self.futures))])
        return Own(starts=starts, places=place[order].astype(np.int32), values=value[order])


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
        self._common.append((np.broadcast_to(low[0], (count,)), np.broadcast_to(high[0], (count,))))
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
