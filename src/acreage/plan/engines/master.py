"""The master program: the first stage, with the second stage of each group of futures known only by its cuts."""

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acreage.plan.engines.cuts import Cut, Groups
from acreage.plan.problem import Infeasible, PlanProblem, Vector
from acreage.solver.highs import FEASIBLE, INFEASIBLE, STOPPED, Program, Status, new_solver, values

CUTS_AT_A_TIME = 3
"""Offered cuts that are added at once for each group."""

REPEATS_MAX = 1_000

FAR = 1e7
"""No future earns more than this, in millions of dollars; keeps the first relaxation bounded."""

QUICK = {
    "mip_allow_restart": False,
    "mip_detect_symmetry": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_pscost_minreliable": 0,
    "mip_abs_gap": 1e-7,
}
"""Few columns and dense rows: plain branching beats sub-problems, restarts and strong branching threefold."""


class Master:
    """minimize the risk-weighted cost over (n, theta, a, z); see docs/why/the-model.md.

    Columns: n (N,), theta (G,) the weighted second-stage cost of each group, a the value at risk, z (G,) the weighted
    cost of each group's futures beyond it. z_g >= sum of p_s (cost_s - a) over any futures of the group: over
    all of them in a row that is always there, over those beyond the value at risk in tail cuts.
    """

    def __init__(self, problem: PlanProblem, groups: Groups) -> None:
        self.problem = problem
        self.groups = groups
        self._count = len(problem.first.lower)
        self._integer = False
        self._free = np.flatnonzero(problem.first.lower < problem.first.upper)
        self._fixed = np.flatnonzero(problem.first.lower >= problem.first.upper)
        self._solver = self._build()
        self._offered: list[Cut] = []
        self._taken: list[bool] = []

    def _build(self) -> highspy.Highs:
        problem, first, groups = self.problem, self.problem.first, self.groups
        weight, tail, count = problem.risk_weight, problem.risk_tail, len(self.groups)
        active = np.flatnonzero(groups.group >= 0)
        probable = groups.sums(active, problem.probability[active] / groups.weight[active])
        # Theta is weighted cost: a multiple of an anchored future's cost, which is alone, is one of theta over its weight.
        anchored = groups.sums(active, problem.anchor_weight[active] / groups.weight[active] ** 2)
        # A group's own cost and chance, in which an anchored future without probability has no part.
        own_cost = groups.sums(active, first.cost[active] * (problem.probability[active] > 0)[:, None])
        constant = groups.sums(active, problem.recourse.constant[active] * (problem.probability[active] > 0))
        is_probable = probable > 0
        share = (1 - weight) * problem.probability + problem.anchor_weight
        risk_rows = sparse.hstack(
            [
                -own_cost,
                -sparse.identity(count),
                probable[:, None],
                sparse.identity(count),
            ],
            format="csr",
        )[np.flatnonzero(is_probable)]
        own_rows = sparse.hstack([first.matrix, sparse.csr_matrix((first.matrix.shape[0], 2 * count + 1))])
        solver = new_solver(
            Program(
                cost=np.concatenate(
                    [
                        share @ first.cost,
                        np.where(is_probable, 1 - weight, 0.0) + anchored,
                        [weight],
                        np.where(is_probable, weight / (1 - tail), 0.0),
                    ]
                ),
                lower=np.concatenate([first.lower, np.full(count, -FAR), [-FAR], np.zeros(count)]),
                upper=np.concatenate([first.upper, np.full(2 * count + 1, np.inf)]),
                matrix=sparse.vstack([own_rows, risk_rows], format="csc"),
                row_lower=np.concatenate([first.row_lower, constant[is_probable]]),
                row_upper=np.concatenate([first.row_upper, np.full(int(is_probable.sum()), np.inf)]),
            ),
        )
        solver.changeObjectiveOffset(float(share @ problem.recourse.constant))
        for name, value in QUICK.items():
            solver.setOptionValue(name, value)
        return solver

    def _row(self, cut: Cut) -> tuple[float, Vector, float, int]:
        """A cut's right-hand side, its slope in n (N,), its coefficient of a and its column: theta or z."""
        if cut.members is None:
            return cut.constant, cut.slope, 0.0, self._count + cut.group
        weight = self.groups.weight[cut.members]
        constant = cut.constant + float(weight @ self.problem.recourse.constant[cut.members])
        slope = cut.slope + weight @ self.problem.first.cost[cut.members]
        return constant, slope, float(weight.sum()), self._count + len(self.groups) + 1 + cut.group

    def add(self, cuts: list[Cut]) -> None:
        """Add rows for cuts; what fixed columns add is part of their constants: rows are dense in free columns only."""
        if not cuts:
            return
        held = self.problem.first.lower[self._fixed]
        lower, starts, columns, entries = [], [0], [], []
        for constant, slope, at_risk, column in map(self._row, cuts):
            lower.append(constant + float(slope[self._fixed] @ held))
            used = self._free[slope[self._free] != 0.0]
            extra = [column, self._count + len(self.groups)] if at_risk else [column]
            columns.append(np.append(used, extra))
            entries.append(np.concatenate([-slope[used], [1.0, at_risk] if at_risk else [1.0]]))
            starts.append(starts[-1] + len(columns[-1]))
        self._solver.addRows(
            len(cuts),
            np.array(lower),
            np.full(len(cuts), np.inf),
            starts[-1],
            np.array(starts[:-1], dtype=np.int32),
            np.concatenate(columns).astype(np.int32),
            np.concatenate(entries),
        )

    def offer(self, cuts: list[Cut], taken: list[bool]) -> None:
        """Cuts that may matter: those marked as taken are added, of the others those an optimum violates.

        The marks are kept up to date; cuts and marks may grow together, as cuts are added.
        """
        self._offered, self._taken = cuts, taken
        self.add([cut for cut, mark in zip(cuts, taken, strict=True) if mark])

    def _take_violated(self) -> bool:
        """Add the most violated offered cuts of each group at the solver's point; whether there were any."""
        waiting = [number for number, taken in enumerate(self._taken) if not taken]
        if not waiting:
            return False
        point = values(self._solver)
        over = []
        for number in waiting:
            constant, slope, at_risk, column = self._row(self._offered[number])
            there = point[column] + at_risk * point[self._count + len(self.groups)]
            over.append((constant + slope @ point[: self._count] - there) / (1.0 + abs(there)))
        found, so_far = [], dict[tuple[int, bool], int]()
        for k in np.argsort(-np.array(over)):
            if over[k] <= 1e-6:
                break
            cut = self._offered[waiting[k]]
            kind = (cut.group, cut.members is None)
            so_far[kind] = so_far.get(kind, 0) + 1
            if so_far[kind] <= CUTS_AT_A_TIME:
                self._taken[waiting[k]] = True
                found.append(cut)
        self.add(found)
        return bool(found)

    def _run(self) -> None:
        """Solve with the offered cuts that matter; integer solves repeat once at most, as bounds hold anyway."""
        self._solver.run()
        self._check()
        repeats = 1 if self._integer else REPEATS_MAX
        while repeats and self._take_violated():
            repeats -= 1
            self._solver.run()
            self._check()
    def solve(self) -> tuple[Vector, float]:
        """The relaxation's first stage and value, a lower bound."""
        self._run()
        return values(self._solver)[: self._count], self._solver.getInfo().objective_function_value

    def make_integer(self, nodes_max: int) -> tuple[Vector, float]:
        """From now on integer columns are integer; returns the relaxation's point and value, offered lines taken."""
        point, bound = self.solve()
        self._solver.setOptionValue("mip_max_nodes", nodes_max)
        kinds = [
            highspy.HighsVarType.kInteger if flag else highspy.HighsVarType.kContinuous
            for flag in self.problem.first.is_integer
        ]
        columns = np.arange(self._count, dtype=np.int32)
        self._solver.changeColsIntegrality(self._count, columns, np.array(kinds))
        self._integer = True
        return point, bound

    def narrow(self, fixed: NDArray[np.bool_], first: Vector) -> None:
        """Hold some columns (N,) where a first stage has them; none fixed sets all free again."""
        stage = self.problem.first
        lower, upper = np.where(fixed, first, stage.lower), np.where(fixed, first, stage.upper)
        self._solver.changeColsBounds(self._count, np.arange(self._count, dtype=np.int32), lower, upper)

    def solve_integer(self, gap_frac: float, start: Vector | None) -> tuple[Vector, float]:
        """An integer first stage within gap_frac of the master's best, and the proven bound."""
        assert self._integer
        self._solver.setOptionValue("mip_rel_gap", gap_frac)
        if start is not None:
            self._suggest(start)
        self._run()
        first = values(self._solver)[: self._count]
        flags = self.problem.first.is_integer
        first[flags] = np.round(first[flags])
        return first, self._solver.getInfo().mip_dual_bound

    def _suggest(self, start: Vector) -> None:
        columns = np.arange(self._count, dtype=np.int32)
        self._solver.setSolution(self._count, columns, start)

    def _check(self) -> None:
        status = self._solver.getModelStatus()
        if status in INFEASIBLE:
            raise Infeasible
        stopped = status in STOPPED and self._solver.getInfo().primal_solution_status == FEASIBLE
        assert stopped or status == Status.kOptimal, self._solver.modelStatusToString(status)
