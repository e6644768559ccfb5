"""Cuts: lower bounds of the second stage that are linear in the first, valid whatever made them.

For any row duals y, with d = c - A'y, every second-stage solution costs at least
y'(rows - T n) + sum of min(0, d_j) upper_j(n), because all upper bounds are finite (Neumaier and
Shcherbina, 2004). Duals are kept beside the lines drawn from them: a changed price, supplier or date changes
c, T and the bounds but not where A has entries, and the lines are drawn anew from the same duals.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acreage.plan.problem import Recourse, Vector

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """value_s(n) >= constant + slope n for F futures: `futures` (F,), constant (F,), slope (F, N)."""

    futures: Index
    constant: Vector
    slope: Vector

    def at(self, first: Vector) -> Vector:
        """Their values (F,) at a first stage (N,)."""
        return np.asarray(self.constant + self.slope @ first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duals:
    """Row duals found in one round: `futures` (F,) and `rows` (F, R), in single precision to keep many."""

    futures: Index
    rows: NDArray[np.float32]


def lines_under(recourse: Recourse, future: int, row_duals: NDArray[np.floating]) -> tuple[Vector, Vector]:
    """Constants (C,) and slopes (C, N) of the lines that row duals (C, R) draw under the second stage of a future."""
    low, high = recourse.row_lower[future], recourse.row_upper[future]
    rows = row_duals.astype(np.float64)
    rows[:, ~np.isfinite(low)] = np.minimum(rows[:, ~np.isfinite(low)], 0.0)
    rows[:, ~np.isfinite(high)] = np.maximum(rows[:, ~np.isfinite(high)], 0.0)
    reduced = recourse.cost[future] - (recourse.matrix[future].T @ rows.T).T
    np.minimum(reduced, 0.0, out=reduced)
    constant = np.maximum(rows, 0.0) @ np.where(np.isfinite(low), low, 0.0)
    constant += np.minimum(rows, 0.0) @ np.where(np.isfinite(high), high, 0.0) + reduced @ recourse.upper_in(future)
    slope = (recourse.upper_coupling[future].T @ reduced.T - recourse.coupling[future].T @ rows.T).T
    return constant, np.asarray(slope)


def likeness(recourse: Recourse) -> Vector:
    """Figures (S, k) by which futures resemble each other: right-hand sides and costs, each scaled to its spread."""
    parts = [table.values / (table.values.std() or 1.0) for table in (recourse.row_upper, recourse.cost) if table.values.size]
    figures = [np.where(np.isfinite(part), part, 0.0) / np.sqrt(part.shape[1]) for part in parts]
    return np.concatenate([np.zeros((recourse.futures, 1)), *figures], axis=1)


def nearest(figures: Vector, futures: Index, among: Index) -> Index:
    """For each of some futures (F,) the position in `among` (A,) of the one most like it; itself if it is there."""
    own, others = figures[futures], figures[among]
    distance = (own**2).sum(axis=1)[:, None] - 2.0 * own @ others.T + (others**2).sum(axis=1)[None, :]
    distance[futures[:, None] == among[None, :]] = -np.inf
    return np.asarray(distance.argmin(axis=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Futures that share a cut: `group` (S,) is the number of each future's group, -1 where it has no weight.

    `weight` (S,) is a future's share in its group's sum: its probability, or 1 in the group of an anchored
    future, which has no probability. `is_single` (G,) marks groups of one future.
    """

    group: Index
    weight: Vector
    is_single: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.is_single)

    def sums(self, futures: Index, values: Vector) -> Vector:
        """Weighted sums (G, ...) of values (F, ...) of some futures."""
        spread = sparse.csr_matrix(
            (self.weight[futures], (self.group[futures], np.arange(len(futures)))), shape=(len(self), len(futures))
        )
        return np.asarray(spread @ values)


def groups_of(probability: Vector, anchor_weight: Vector, most: int) -> Groups:
    """At most `most` groups of futures, taken in turn: one future each if they are few. Anchored ones stay alone."""
    weighted = np.flatnonzero((probability > 0) & (anchor_weight <= 0))
    anchored = np.flatnonzero(anchor_weight > 0)
    count = min(most, len(weighted))
    group = np.full(len(probability), -1, dtype=np.int64)
    group[weighted] = np.arange(len(weighted)) % count if count else 0
    group[anchored] = count + np.arange(len(anchored))
    weight = np.where(probability > 0, probability, 1.0)
    sizes = np.bincount(group[group >= 0], minlength=count + len(anchored))
    return Groups(group=group, weight=weight, is_single=sizes == 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A row of the master: the sum over some futures of a group is at least constant + slope n.

    `members` are the futures summed: None for all of the group, which bounds its expected cost; otherwise those
    that cost more than the value at risk, which bounds what the group costs beyond it.
    """

    group: int
    constant: float
    slope: Vector
    members: Index | None = None


def expected_cuts(groups: Groups, lines: Lines) -> list[Cut]:
    """The cuts of whole groups; groups of which some future has no line get none."""
    constant, slope = groups.sums(lines.futures, lines.constant), groups.sums(lines.futures, lines.slope)
    there = np.bincount(groups.group[lines.futures], minlength=len(groups))
    sizes = np.bincount(groups.group[groups.group >= 0], minlength=len(groups))
    return [Cut(group=int(g), constant=float(constant[g]), slope=slope[g]) for g in np.flatnonzero(there == sizes)]


def tail_cuts(groups: Groups, lines: Lines, is_beyond: NDArray[np.bool_]) -> list[Cut]:
    """Cuts of the futures (F,) of each larger group that cost more than the value at risk."""
    found = []
    for g in np.flatnonzero(~groups.is_single):
        mine = np.flatnonzero((groups.group[lines.futures] == g) & is_beyond)
        if len(mine):
            weight, members = groups.weight[lines.futures[mine]], lines.futures[mine]
            constant, slope = float(weight @ lines.constant[mine]), weight @ lines.slope[mine]
            found.append(Cut(group=int(g), constant=constant, slope=slope, members=members))
    return found
