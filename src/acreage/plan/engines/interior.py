"""Second stages by an interior point, eight futures at a time: no memory a future, the same time every round.

Answers are as good as asked for, and those that are not are marked: callers take these few futures to the simplex
method instead. Costs are those of columns that keep every row; duals serve bounds whatever their accuracy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.plan.engines.lanes import TILE, Matrix, Point, System, interior
from acreage.plan.engines.symbolic import pattern_of
from acreage.plan.engines.vectors import LANES
from acreage.plan.problem import Recourse, Vector
from acreage.plan.tables import by_columns

ROUNDS_MAX = 60
BLOCK = TILE // LANES
ROW_ERROR_MAX = 1e-7
"""An answer that misses a row by more than this share of the largest right-hand side is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Answers of F futures: columns (F, M), row duals (F, R), their cost (F,), and whether they are near enough (F,)."""

    columns: Vector
    row_dual: Vector
    cost: Vector
    is_close: NDArray[np.bool_]


class Interior:
    """Solves batches of at most `LANES` futures of a recourse; threads may share it."""

    def __init__(self, recourse: Recourse) -> None:
        self._by_columns = by_columns(recourse.matrix)
        varying = np.zeros(len(recourse.matrix.indices), dtype=bool)
        varying[recourse.matrix.data.varying] = True
        matrix = self._by_columns.matrix(recourse.matrix.data[0])
        pattern = pattern_of(matrix, varying[self._by_columns.order])
        counts = np.diff(matrix.indptr)
        self._is_apart = np.zeros(matrix.shape[1], dtype=bool)
        self._is_apart[pattern.apart] = True
        self._apart = pattern.apart
        self._apart_start = np.concatenate([[0], np.cumsum(counts[pattern.apart])]).astype(np.int64)
        self._apart_entry = pattern.apart_entry
        self._system = System(
            unknown=pattern.place,
            start=pattern.start,
            row=pattern.row,
            reach_start=pattern.reach_start,
            reach_column=pattern.reach_column,
            reach_entry=pattern.reach_entry,
            pair_place=pattern.pair_place,
            pair_column=pattern.pair_column,
            pair_value=pattern.pair_value,
            apart_place=pattern.apart_place,
        )
        low, high = np.isfinite(recourse.row_lower[0]), np.isfinite(recourse.row_upper[0])
        self.suits = not bool((~low & ~high).any()) and not bool(((recourse.row_lower[0] < recourse.row_upper[0]) & low & high).any())
        self._has_upper = high
        self._sign = _blocks(np.where(low & high, 0.0, np.where(high, 1.0, -1.0))[None, :])

    def solve(
        self, recourse: Recourse, first: Vector, futures: Sequence[int], shut: Sequence[NDArray[np.int64]], close: float
    ) -> Batch:
        """Solve futures at a first stage (N,), the columns `shut` in each held at zero.

        `close` is how far the cost may be from its dual value, in the problem's units.
        """
        lanes = [*futures, *[futures[-1]] * (LANES - len(futures))]
        cost, upper, right, apart = [], [], [], []
        for lane, future in enumerate(lanes):
            top = np.maximum(recourse.upper_in(future) + recourse.upper_coupling[future] @ first, 0.0)
            if lane < len(shut):
                top[shut[lane]] = 0.0
            upper.append(top)
            cost.append(recourse.cost[future])
            side = np.where(self._has_upper, recourse.row_upper[future], recourse.row_lower[future])
            right.append(side - recourse.coupling[future] @ first)
            apart.append(recourse.matrix.data[future][self._by_columns.order[self._apart_entry]])
        at, objective, dual, error = self._run(recourse, np.array(cost), np.array(upper), np.array(right), np.array(apart), close)
        count, rows, columns = len(futures), len(right[0]), len(cost[0])
        return Batch(
            columns=np.minimum(_lanes(at.x, columns)[:count], np.array(upper[:count])),
            row_dual=_lanes(at.y, rows)[:count],
            cost=objective[:count],
            is_close=((np.abs(objective - dual) <= 2.0 * close) & (error <= ROW_ERROR_MAX))[:count],
        )

    def _run(
        self, recourse: Recourse, cost: Vector, upper: Vector, right: Vector, apart: Vector, close: float
    ) -> tuple[Point, Vector, Vector, Vector]:
        common = self._by_columns.matrix(recourse.matrix.data[0])
        value = common.data.copy()
        value[self._apart_entry] = 0.0
        matrix = Matrix(
            start=common.indptr.astype(np.int64),
            row=common.indices.astype(np.int64),
            value=value,
            apart=self._apart,
            apart_start=self._apart_start,
            apart_row=common.indices[self._apart_entry].astype(np.int64),
            apart_value=np.ascontiguousarray(apart.T).ravel(),
        )
        c, u, b = _blocks(cost), _blocks(upper), _blocks(right)
        at = Point(*(np.zeros(len(c)) for _ in range(4)), *(np.zeros(len(b)) for _ in range(3)))
        objective, dual, error = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
        interior(matrix, self._system, self._sign, c, u, b, np.full(LANES, close), ROUNDS_MAX, at, objective, dual, error)
        return at, objective, dual, error


def _blocks(vectors: Vector) -> Vector:
    """Vectors (W or 1, n) as flat blocks of lanes, padded with zeros to whole tiles."""
    count = vectors.shape[1]
    found = np.zeros((-(-count // BLOCK) * BLOCK, LANES))
    found[:count] = vectors.T
    return found.ravel()


def _lanes(blocks: Vector, count: int) -> Vector:
    """The first `count` entries of flat blocks as vectors (W, count)."""
    return np.ascontiguousarray(blocks.reshape(-1, LANES)[:count].T)
