"""Numbers that differ a little between futures: what is common is kept once.

Over a thousand futures most costs, bounds and matrix entries are the same in all of them. A `Table` keeps one
vector, whole columns where most futures differ and single numbers where few do; a `Family` is a sparse
matrix of one pattern whose entries are a table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Single numbers of single futures: those of future s are at [starts[s], starts[s + 1]) of `places` and `values`."""

    starts: Index
    places: NDArray[np.int32]
    values: Vector

    def of(self, future: int) -> tuple[NDArray[np.int32], Vector]:
        """The places and values of a future."""
        mine = slice(self.starts[future], self.starts[future + 1])
        return self.places[mine], self.values[mine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A vector (n,) for each of S futures.

    `common` (n,) holds but at `places` (k,), where `values` (S, k) do, and but for what futures have of their
    `own`; `rows` are whole vectors (n,) of the few futures that are altogether different.
    """

    common: Vector
    places: Index
    values: Vector
    own: Own | None = None
    rows: Mapping[int, Vector] = field(default_factory=dict)

    @property
    def futures(self) -> int:
        """Number of futures S."""
        return len(self.values)

    @property
    def is_common(self) -> bool:
        """Whether all futures have the same vector."""
        return not len(self.places) and not self.rows and (self.own is None or not len(self.own.places))

    @property
    def varying(self) -> Index:
        """The places where some future may differ from another."""
        if self.rows:
            return np.arange(len(self.common))
        own = self.own.places if self.own is not None else np.zeros(0, dtype=np.int32)
        return np.union1d(self.places, own).astype(np.int64)

    def __getitem__(self, future: int) -> Vector:
        """The vector (n,) of a future, the caller's own to change."""
        whole = self.rows.get(future)
        if whole is not None:
            return whole.copy()
        found = self.common.copy()
        found[self.places] = self.values[future]
        if self.own is not None:
            places, values = self.own.of(future)
            found[places] = values
        return found

    def columns(self, places: Index, futures: Index) -> Vector:
        """The entries at places (k,) in futures (F,): shape (F, k)."""
        where = np.full(len(self.common), -1)
        where[self.places] = np.arange(len(self.places))
        found = np.tile(self.common[places], (len(futures), 1))
        moving = np.flatnonzero(where[places] >= 0)
        found[:, moving] = self.values[np.ix_(futures, where[places[moving]])]
        for i, future in enumerate(futures):
            if int(future) in self.rows:
                found[i] = self.rows[int(future)][places]
            elif self.own is not None:
                mine, values = self.own.of(int(future))
                if len(mine):
                    vector = self.common.copy()
                    vector[mine] = values
                    changed = np.isin(places, mine)
                    found[i, changed] = vector[places[changed]]
        return found


def table_of(values: Vector) -> Table:
    """The table of values (S, n) given in full."""
    same = (values == values[0]).all(axis=0)
    places = np.flatnonzero(~same)
    return Table(common=values[0].copy(), places=places, values=np.ascontiguousarray(values[:, places]))


def common_table(vector: Vector, futures: int) -> Table:
    """The table of one vector (n,) in all futures."""
    return Table(common=vector, places=np.zeros(0, dtype=np.int64), values=np.zeros((futures, 0)))


def gathered(futures: int, vector_of: Callable[[int], Vector]) -> Table:
    """The table of vectors (n,) that are made one by one, each future's number given."""
    common = vector_of(0)
    places, values, starts = [np.zeros(0, dtype=np.int32)], [np.zeros(0)], [0, 0]
    for future in range(1, futures):
        vector = vector_of(future)
        differs = np.flatnonzero(vector != common)
        places.append(differs.astype(np.int32))
        values.append(vector[differs])
        starts.append(starts[-1] + len(differs))
    own = Own(starts=np.array(starts), places=np.concatenate(places), values=np.concatenate(values))
    return Table(common=common, places=np.zeros(0, dtype=np.int64), values=np.zeros((futures, 0)), own=own)


def is_equal(one: Table, other: Table) -> bool:
    """Whether two tables hold the same vectors."""
    if one is other:
        return True
    if one.futures != other.futures or len(one.common) != len(other.common):
        return False
    if one.is_common and other.is_common:
        return np.array_equal(one.common, other.common)
    return all(np.array_equal(one[future], other[future]) for future in range(one.futures))


def moved(base: Table, other: Table, step: float) -> Table:
    """base + step (other - base) in every future."""
    if base.is_common and other.is_common:
        return common_table(moved_vector(base.common, other.common, step), base.futures)
    return gathered(base.futures, lambda future: moved_vector(base[future], other[future], step))


def moved_vector(base: Vector, other: Vector, step: float) -> Vector:
    """base + step (other - base); infinite numbers stay infinite."""
    finite = np.isfinite(base)
    found = base.copy()
    found[finite] += step * (other[finite] - base[finite])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Sparse matrices of one pattern (rows, columns), one for each future; `data` are the entries by row (CSR)."""

    shape: tuple[int, int]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    data: Table

    def __getitem__(self, future: int) -> sparse.csr_matrix:
        """The matrix of a future; entries that are zero in it are kept."""
        return sparse.csr_matrix((self.data[future], self.indices, self.indptr), shape=self.shape, copy=False)

    @property
    def rows(self) -> NDArray[np.int32]:
        """The row (nnz,) of each entry."""
        return np.repeat(np.arange(self.shape[0], dtype=np.int32), np.diff(self.indptr))

    def has_pattern_of(self, other: "Family") -> bool:
        """Whether another family has its entries in the same places."""
        same = self.shape == other.shape and len(self.indices) == len(other.indices)
        return same and np.array_equal(self.indptr, other.indptr) and np.array_equal(self.indices, other.indices)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByColumns:
    """The pattern of a family by column (CSC): entry k of it is entry `order[k]` of the family's data."""

    shape: tuple[int, int]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    order: Index

    def matrix(self, data: Vector) -> sparse.csc_matrix:
        """The matrix of the family's entries `data` (nnz,)."""
        return sparse.csc_matrix((data[self.order], self.indices, self.indptr), shape=self.shape, copy=False)


def by_columns(family: Family) -> ByColumns:
    """A family's pattern by column, rows sorted within each."""
    count = len(family.indices)
    numbered = sparse.csr_matrix((np.arange(count), family.indices, family.indptr), shape=family.shape).tocsc()
    return ByColumns(shape=family.shape, indptr=numbered.indptr, indices=numbered.indices, order=numbered.data)
