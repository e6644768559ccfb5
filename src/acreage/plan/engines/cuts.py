"""Cuts: lower bounds of the second stage that are linear in the first, valid whatever made them.

For any row duals y, with d = c - A'y, every second-stage solution costs at least
y'(rows - T n) + sum of min(0, d_j) upper_j(n), because all upper bounds are finite (Neumaier and
Shcherbina, 2004). Duals, not lines, are kept: a changed price, supplier or date changes c, T and the
bounds and few entries of A, and the lines are drawn anew from the same duals.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acreage.plan.problem import Recourse, Vector

DRAWINGS_KEPT = 2
"""The plan's own problem and one variation are solved in turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """value(n) >= constant + slope n of one future: constant (C,), slope (C, N)."""

    future: int
    constant: Vector
    slope: Vector


def usable_duals(recourse: Recourse, future: int, row_dual: Vector) -> sparse.csr_matrix:
    """Make any row duals (R,) usable: none on the open side of a row."""
    rows = row_dual.copy()
    rows[(rows > 0) & ~np.isfinite(recourse.row_lower[future])] = 0.0
    rows[(rows < 0) & ~np.isfinite(recourse.row_upper[future])] = 0.0
    return sparse.csr_matrix(rows)


def lines_of(recourse: Recourse, future: int, rows: sparse.csr_matrix) -> Lines:
    """The lines that stacked duals (C, R) draw under the second stage of their future."""
    row_lower, row_upper = recourse.row_lower[future], recourse.row_upper[future]
    lower = np.where(np.isfinite(row_lower), row_lower, 0.0)
    upper = np.where(np.isfinite(row_upper), row_upper, 0.0)
    reduced = np.minimum(recourse.cost[future] - (rows @ recourse.matrix[future]).toarray(), 0.0)
    constant = rows.maximum(0) @ lower + rows.minimum(0) @ upper + reduced @ recourse.upper_in(future)
    slope = reduced @ recourse.upper_coupling[future] - (rows @ recourse.coupling[future]).toarray()
    return Lines(future=future, constant=np.asarray(constant), slope=np.asarray(slope))


@dataclass(slots=True)
class CutPool:
    """The duals found so far in each future, whoever's solve they came from, and the lines last drawn from them."""

    duals: dict[int, list[sparse.csr_matrix]] = field(default_factory=dict)
    useful: dict[int, NDArray[np.bool_]] = field(default_factory=dict)
    drawings: list[tuple[Recourse, dict[int, Lines]]] = field(default_factory=list)

    def copy(self) -> "CutPool":
        """A pool that grows on its own from here."""
        return CutPool(
            duals={future: list(kept) for future, kept in self.duals.items()},
            useful={future: marks.copy() for future, marks in self.useful.items()},
            drawings=[(recourse, dict(drawn)) for recourse, drawn in self.drawings],
        )

    def add(self, recourse: Recourse, future: int, row_dual: Vector) -> Lines:
        """Keep some duals; returns their one line."""
        rows = usable_duals(recourse, future, row_dual)
        self.duals.setdefault(future, []).append(rows)
        return lines_of(recourse, future, rows)

    def lines(self, recourse: Recourse) -> list[Lines]:
        """All lines, drawn for a recourse that has the same matrix."""
        drawn = self._drawing(recourse)
        for future, kept in self.duals.items():
            known = drawn.get(future)
            fresh = kept[len(known.constant) :] if known is not None else kept
            if fresh:
                lines = lines_of(recourse, future, sparse.vstack(fresh, format="csr"))
                drawn[future] = lines if known is None else _joined(known, lines)
        return [drawn[future] for future in self.duals]

    def useful_of(self, future: int) -> NDArray[np.bool_]:
        """Which of a future's duals drew lines that some optimum needed; may be written to."""
        known = self.useful.get(future, np.zeros(0, dtype=bool))
        # Duals that are new since come from points that were tried: all of them were needed.
        fresh = np.ones(len(self.duals[future]) - len(known), dtype=bool)
        self.useful[future] = np.concatenate([known, fresh])
        return self.useful[future]

    def _drawing(self, recourse: Recourse) -> dict[int, Lines]:
        """The lines drawn for this very recourse before; the drawings used last are kept."""
        found = next((drawing for drawing in self.drawings if drawing[0] is recourse), (recourse, {}))
        others = [drawing for drawing in self.drawings if drawing[0] is not recourse]
        self.drawings = [found, *others][:DRAWINGS_KEPT]
        return found[1]


def _joined(known: Lines, fresh: Lines) -> Lines:
    return Lines(
        future=known.future,
        constant=np.concatenate([known.constant, fresh.constant]),
        slope=np.concatenate([known.slope, fresh.slope]),
    )
