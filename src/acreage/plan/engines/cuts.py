"""Cuts: lower bounds of the second stage that are linear in the first, valid whatever made them.

For any row duals y, with d = c - A'y, every second-stage solution costs at least
y'(rows - T n) + sum of min(0, d_j) upper_j(n), because all upper bounds are finite (Neumaier and
Shcherbina, 2004). Duals, not lines, are kept: a changed price, supplier or date changes T and the
bounds but not A and c, and the lines are drawn anew from the same duals.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from acreage.plan.problem import Recourse, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """value(n) >= constant + slope n of one future: constant (C,), slope (C, N)."""

    future: int
    constant: Vector
    slope: Vector


@dataclass(slots=True)
class Duals:
    """Row duals (C, R) and negative reduced costs (C, M) of one future, as sparse rows."""

    rows: list[sparse.csr_matrix] = field(default_factory=list)
    reduced: list[sparse.csr_matrix] = field(default_factory=list)


def usable_duals(
    recourse: Recourse, future: int, row_dual: Vector
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Make any row duals usable: none on the open side of a row, reduced costs computed from them exactly."""
    rows = row_dual.copy()
    rows[(rows > 0) & ~np.isfinite(recourse.row_lower[future])] = 0.0
    rows[(rows < 0) & ~np.isfinite(recourse.row_upper[future])] = 0.0
    reduced = np.minimum(recourse.cost[future] - recourse.matrix.T @ rows, 0.0)
    return sparse.csr_matrix(rows), sparse.csr_matrix(reduced)


def lines_of(
    recourse: Recourse, future: int, rows: sparse.csr_matrix, reduced: sparse.csr_matrix
) -> Lines:
    """The lines that stacked duals draw under the second stage of their future."""
    lower = np.where(
        np.isfinite(recourse.row_lower[future]), recourse.row_lower[future], 0.0
    )
    upper = np.where(
        np.isfinite(recourse.row_upper[future]), recourse.row_upper[future], 0.0
    )
    constant = (
        rows.maximum(0) @ lower
        + rows.minimum(0) @ upper
        + reduced @ recourse.upper[future]
    )
    slope = reduced @ recourse.upper_coupling[future] - rows @ recourse.coupling[future]
    return Lines(
        future=future, constant=np.asarray(constant), slope=np.asarray(slope.todense())
    )


@dataclass(slots=True)
class CutPool:
    """The duals found so far in each future, whoever's solve they came from."""

    duals: dict[int, Duals] = field(default_factory=dict)

    def add(self, recourse: Recourse, future: int, row_dual: Vector) -> Lines:
        """Keep some duals; returns their one line."""
        rows, reduced = usable_duals(recourse, future, row_dual)
        kept = self.duals.setdefault(future, Duals())
        kept.rows.append(rows)
        kept.reduced.append(reduced)
        return lines_of(recourse, future, rows, reduced)

    def lines(self, recourse: Recourse) -> list[Lines]:
        """All lines, drawn for a recourse that differs only in its coupling and bounds."""
        found = []
        for future, kept in self.duals.items():
            kept.rows = [sparse.vstack(kept.rows, format="csr")]
            kept.reduced = [sparse.vstack(kept.reduced, format="csr")]
            found.append(lines_of(recourse, future, kept.rows[0], kept.reduced[0]))
        return found
