"""The master program: the first stage, with each future's second stage known only by its cuts."""

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from acreage.plan.engines.cuts import Lines
from acreage.plan.problem import Infeasible, PlanProblem, Vector
from acreage.solver.highs import FEASIBLE, INFEASIBLE, STOPPED, Program, Status, new_solver, values

LINES_AT_A_TIME = 3
"""Offered lines that are added at once for each future."""

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

    Columns: n (N,), theta (S,) a second-stage cost for each active future, a the value at
    risk, z (S,) what a future costs beyond it.
    """

    def __init__(self, problem: PlanProblem) -> None:
        self.problem = problem
        self.active = np.flatnonzero((problem.probability > 0) | (problem.anchor_weight > 0))
        self._place = {int(s): i for i, s in enumerate(self.active)}
        self._count = len(problem.first.lower)
        self._integer = False
        self._free = np.flatnonzero(problem.first.lower < problem.first.upper)
        self._fixed = np.flatnonzero(problem.first.lower >= problem.first.upper)
        self._solver = self._build()
        self._offered: list[Lines] = []
        self._taken: list[np.ndarray] = []

    def _build(self) -> highspy.Highs:
        problem, first, active = self.problem, self.problem.first, self.active
        weight, tail = problem.risk_weight, problem.risk_tail
        probability = problem.probability[active]
        theta_weight = (1 - weight) * probability + problem.anchor_weight[active]
        excess_weight = weight * probability / (1 - tail)
        count = len(active)
        # z_s - theta_s + a - q_s n >= constant_s
        risk_rows = sparse.hstack(
            [
                -first.cost[active],
                -sparse.identity(count),
                np.ones((count, 1)),
                sparse.identity(count),
            ],
            format="csc",
        )
        own_rows = sparse.hstack([first.matrix, sparse.csr_matrix((first.matrix.shape[0], 2 * count + 1))])
        solver = new_solver(
            Program(
                cost=np.concatenate(
                    [
                        theta_weight @ first.cost[active],
                        theta_weight,
                        [weight],
                        excess_weight,
                    ]
                ),
                lower=np.concatenate([first.lower, np.full(count, -FAR), [-FAR], np.zeros(count)]),
                upper=np.concatenate([first.upper, np.full(2 * count + 1, np.inf)]),
                matrix=sparse.vstack([own_rows, risk_rows], format="csc"),
                row_lower=np.concatenate([first.row_lower, problem.recourse.constant[active]]),
                row_upper=np.concatenate([first.row_upper, np.full(count, np.inf)]),
            ),
        )
        solver.changeObjectiveOffset(float(theta_weight @ problem.recourse.constant[active]))
        for name, value in QUICK.items():
            solver.setOptionValue(name, value)
        return solver

    def add(self, lines: list[Lines]) -> None:
        """Add theta_s >= constant + slope n for each line; lines of inactive futures are left out.

        What fixed columns add to a line is part of its constant, so that rows are dense in free columns only.
        """
        for line in lines:
            place = self._place.get(line.future)
            if place is None:
                continue
            count = len(line.constant)
            constant = line.constant + line.slope[:, self._fixed] @ self.problem.first.lower[self._fixed]
            parts = [sparse.csr_matrix(-line.slope[:, self._free]), sparse.csr_matrix(np.ones((count, 1)))]
            matrix = sparse.csr_matrix(sparse.hstack(parts, format="csr"))
            columns = np.append(self._free, self._count + place).astype(np.int32)
            self._solver.addRows(
                count,
                constant,
                np.full(count, np.inf),
                matrix.nnz,
                matrix.indptr[:-1].astype(np.int32),
                columns[matrix.indices],
                matrix.data,
            )

    def offer(self, lines: list[Lines], taken: list[NDArray[np.bool_]]) -> None:
        """Lines that may matter: those marked as taken are added, of the others those an optimum violates.

        The marks are kept up to date.
        """
        self._offered, self._taken = lines, taken
        self.add(
            [
                Lines(future=line.future, constant=line.constant[mark], slope=line.slope[mark])
                for line, mark in zip(lines, taken, strict=True)
                if mark.any()
            ]
        )

    def _take_violated(self) -> bool:
        """Add the most violated offered line of each future at the solver's point; whether there was any."""
        point = values(self._solver)
        found = []
        for line, taken in zip(self._offered, self._taken, strict=True):
            place = self._place.get(line.future)
            if place is None:
                continue
            over = line.constant + line.slope @ point[: self._count] - point[self._count + place]
            over[taken] = -np.inf
            worst = np.argsort(-over)[:LINES_AT_A_TIME]
            worst = worst[over[worst] > 1e-6 * (1.0 + abs(point[self._count + place]))]
            taken[worst] = True
            if len(worst):
                found.append(Lines(future=line.future, constant=line.constant[worst], slope=line.slope[worst]))
        self.add(found)
        return bool(found)

    def _run(self) -> None:
        """Solve with the offered lines that matter; integer solves repeat once at most, as bounds hold anyway."""
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
