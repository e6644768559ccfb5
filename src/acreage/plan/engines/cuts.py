"""Cuts: lower bounds of the second stage that are linear in the first, valid whatever made them.

For any row duals y, with d = c - A'y, every second-stage solution costs at least
y'(rows - T n) + sum of min(0, d_j) upper_j(n), because all upper bounds are finite (Neumaier and
Shcherbina, 2004). Duals, not lines, are kept: a changed price, supplier or date changes c, T and the
bounds but not A, and the lines are drawn anew from the same duals.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acreage.plan.problem import Recourse, Vector


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
    lower = np.where(np.isfinite(recourse.row_lower[future]), recourse.row_lower[future], 0.0)
    upper = np.where(np.isfinite(recourse.row_upper[future]), recourse.row_upper[future], 0.0)
    reduced = np.minimum(recourse.cost[future] - (rows @ recourse.matrix).toarray(), 0.0)
    constant = rows.maximum(0) @ lower + rows.minimum(0) @ upper + reduced @ recourse.upper[future]
    slope = reduced @ recourse.upper_coupling[future] - (rows @ recourse.coupling[future]).toarray()
    return Lines(future=future, constant=np.asarray(constant), slope=np.asarray(slope))


@dataclass(slots=True)
class CutPool:
    """The duals found so far in each future, whoever's solve they came from."""

    duals: dict[int, list[sparse.csr_matrix]] = field(default_factory=dict)
    useful: dict[int, NDArray[np.bool_]] = field(default_factory=dict)

    def copy(self) -> "CutPool":
        """A pool that grows on its own from here."""
        return CutPool(
            duals={future: list(kept) for future, kept in self.duals.items()},
            useful={future: marks.copy() for future, marks in self.useful.items()},
        )

    def add(self, recourse: Recourse, future: int, row_dual: Vector) -> Lines:
        """Keep some duals; returns their one line."""
        rows = usable_duals(recourse, future, row_dual)
        self.duals.setdefault(future, []).append(rows)
        return lines_of(recourse, future, rows)

    def lines(self, recourse: Recourse) -> list[Lines]:
        """All lines, drawn for a recourse that has the same matrix."""
        for future, kept in self.duals.items():
            self.duals[future] = [sparse.vstack(kept, format="csr")]
        return [lines_of(recourse, future, kept[0]) for future, kept in self.duals.items()]

    def useful_of(self, future: int) -> NDArray[np.bool_]:
        """Which of a future's duals drew lines that some optimum needed; may be written to."""
        count = sum(kept.shape[0] for kept in self.duals[future])
        known = self.useful.get(future, np.zeros(0, dtype=bool))
        # Duals that are new since come from points that were tried: all of them were needed.
        self.useful[future] = np.concatenate([known, np.ones(count - len(known), dtype=bool)])
        return self.useful[future]
