"""Numbers that differ a little between futures: what is common is kept once.

Over a thousand futures most costs, bounds and matrix entries are the same in all of them. A `Table` keeps one
vector and, where futures differ, one column a place; a `Family` is a sparse matrix of one pattern whose
entries are a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A vector (n,) for each of S futures.

    `common` (n,) holds but at `places` (k,), where `values` (S, k) do; `rows` are whole vectors (n,) of the few
    futures that are altogether different.
    """

    common: Vector
    places: Index
    values: Vector
    rows: Mapping[int, Vector] = field(default_factory=dict)

    @property
    def futures(self) -> int:
        """Number of futures S."""
        return len(self.values)

    def __getitem__(self, future: int) -> Vector:
        """The vector (n,) of a future, the caller's own to change."""
        whole = self.rows.get(future)
        if whole is not None:
            return whole.copy()
        found = self.common.copy()
        found[self.places] = self.values[future]
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
        return found


def table_of(values: Vector) -> Table:
    """The table of values (S, n) given in full."""
    same = (values == values[0]).all(axis=0)
    places = np.flatnonzero(~same)
    return Table(common=values[0].copy(), places=places, values=np.ascontiguousarray(values[:, places]))


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
