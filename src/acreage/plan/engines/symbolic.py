"""The pattern of an interior point's linear systems: found once, the same for every future and round.

The normal matrix A Θ A' of the second stage has one pattern in all futures. Columns that touch many rows, and
columns whose entries differ between futures, stay out of it: each becomes a row of a quasi-definite system
[[A Θ A' + slack, a], [a', -1/θ]], which has an L D L' factorization in any order (Vanderbei, 1995).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

Index = NDArray[np.int64]
Vector = NDArray[np.float64]

DENSE_ROWS = 20
"""A column that touches more rows than this would fill the normal matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """The system of n = R + D unknowns, rows first, then the D columns `apart`; L has one column each, in `order`.

    `order` (n,) is the unknown eliminated at each place. L is stored by column: `start` (n + 1,), `row` (places
    below the diagonal, ascending). `from_column`, `from_entry` by row of L: which columns reach a place and where.

    The normal matrix is summed from products: `pair_place` is a position in (L's entries, then the n diagonals),
    `pair_column` a column and `pair_value` the product of its two entries. `apart_place` (E,) is the position of
    each entry of the columns apart, `apart_entry` the entry of A it is, in the order of A by column.
    """

    rows: int
    apart: Index
    order: Index
    place: Index
    start: Index
    row: Index
    reach_start: Index
    reach_column: Index
    reach_entry: Index
    pair_place: Index
    pair_column: Index
    pair_value: Vector
    apart_place: Index
    apart_entry: Index


def pattern_of(matrix: sparse.csc_matrix, varying: NDArray[np.bool_]) -> Pattern:
    """The pattern for a matrix (R, M); `varying` (nnz,) marks entries that differ between futures."""
    rows, columns = matrix.shape
    counts = np.diff(matrix.indptr)
    column_of = np.repeat(np.arange(columns), counts)
    is_apart = counts > DENSE_ROWS
    is_apart[column_of[varying]] = True
    apart = np.flatnonzero(is_apart)
    first, second, pair_column, pair_value = _pairs(matrix, ~is_apart)
    entries = np.flatnonzero(is_apart[column_of])
    number = np.full(columns, -1)
    number[apart] = rows + np.arange(len(apart))
    apart_row, apart_unknown = matrix.indices[entries].astype(np.int64), number[column_of[entries]]
    size = rows + len(apart)
    order = _ordered(np.concatenate([first, apart_row]), np.concatenate([second, apart_unknown]), size)
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    low, high = _sides(place, np.concatenate([first, apart_row]), np.concatenate([second, apart_unknown]))
    start, row = _structure(low, high, size)
    located = _locate(start, row, low, high)
    reach_start, reach_column, reach_entry = _by_row(start, row, size)
    return Pattern(
        rows=rows,
        apart=apart,
        order=order,
        place=place,
        start=start,
        row=row,
        reach_start=reach_start,
        reach_column=reach_column,
        reach_entry=reach_entry,
        pair_place=located[: len(first)],
        pair_column=pair_column,
        pair_value=pair_value,
        apart_place=located[len(first) :],
        apart_entry=entries,
    )


def _pairs(matrix: sparse.csc_matrix, kept: NDArray[np.bool_]) -> tuple[Index, Index, Index, Vector]:
    """Rows, column and product of every two entries (and of each with itself) of the kept columns."""
    counts = np.where(kept, np.diff(matrix.indptr), 0)
    found: list[tuple[Index, Index, Index, Vector]] = []
    for count in np.unique(counts[counts > 0]):
        columns = np.flatnonzero(counts == count)
        entries = matrix.indptr[columns][:, None] + np.arange(count)
        left, right = np.tril_indices(int(count))
        values = matrix.data[entries]
        found.append(
            (
                matrix.indices[entries[:, left]].ravel().astype(np.int64),
                matrix.indices[entries[:, right]].ravel().astype(np.int64),
                np.repeat(columns, len(left)),
                (values[:, left] * values[:, right]).ravel(),
            )
        )
    first, second, column, value = (np.concatenate(part) for part in zip(*found, strict=True))
    return first, second, column, value


def _ordered(first: Index, second: Index, size: int) -> Index:
    """A fill-reducing elimination order (multiple minimum degree, from SuperLU)."""
    ones = np.full(len(first), 1e-3 / size)
    half = sparse.coo_matrix((ones, (first, second)), shape=(size, size))
    whole = sparse.csc_matrix(half + half.T + sparse.identity(size) * 1e6)
    found = splu(whole, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    order = np.empty(size, dtype=np.int64)
    order[found.perm_c] = np.arange(size)
    return order


def _sides(place: Index, first: Index, second: Index) -> tuple[Index, Index]:
    """The earlier and the later place of two unknowns."""
    a, b = place[first], place[second]
    return np.minimum(a, b), np.maximum(a, b)


def _structure(low: Index, high: Index, size: int) -> tuple[Index, Index]:
    """Column starts and rows of L: each column's own entries and what its children in the elimination tree hand on."""
    below = low < high
    own = sparse.csc_matrix((np.ones(below.sum()), (high[below], low[below])), shape=(size, size))
    own.sum_duplicates()
    own.sort_indices()
    handed: list[list[Index]] = [[] for _ in range(size)]
    columns: list[Index] = []
    for j in range(size):
        mine = own.indices[own.indptr[j] : own.indptr[j + 1]].astype(np.int64)
        parts = handed[j]
        rows = np.unique(np.concatenate([mine, *parts])) if parts else mine
        handed[j] = []
        columns.append(rows)
        if len(rows) > 1:
            handed[int(rows[0])].append(rows[1:])
    start = np.concatenate([[0], np.cumsum([len(rows) for rows in columns])]).astype(np.int64)
    return start, np.concatenate(columns) if size else np.zeros(0, dtype=np.int64)


def _locate(start: Index, row: Index, low: Index, high: Index) -> Index:
    """Positions of (high, low) among L's entries; diagonals come after all of them."""
    size = len(start) - 1
    column = np.repeat(np.arange(size), np.diff(start))
    keys = column * size + row
    found = np.searchsorted(keys, low * size + high)
    return np.where(low == high, len(row) + low, np.minimum(found, max(len(row) - 1, 0)))


def _by_row(start: Index, row: Index, size: int) -> tuple[Index, Index, Index]:
    """L by row: for each place the columns that reach it, ascending, and the entry in which they do."""
    column = np.repeat(np.arange(size), np.diff(start))
    order = np.argsort(row, kind="stable")
    counts = np.bincount(row, minlength=size)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), column[order], order.astype(np.int64)
