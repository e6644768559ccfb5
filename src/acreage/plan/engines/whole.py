"""The whole problem in one piece: the reference for tests, and the engine for very small problems."""

import numpy as np
from scipy import sparse

from acreage.plan.engines.responses import Responder
from acreage.plan.problem import (
    Aim,
    Infeasible,
    PlanProblem,
    Progress,
    Solution,
    Vector,
    Watch,
    objective_at,
)
from acreage.solver.highs import INFEASIBLE, Program, Status, new_solver, values

FAR = 1e7


class WholeEngine:
    """Every future's second stage copied into one integer program."""

    def solve(self, problem: PlanProblem, aim: Aim, watch: Watch | None = None) -> Solution:
        """Solve to a relative gap; raises `Infeasible` if no first stage satisfies the rows."""
        active = [int(s) for s in np.flatnonzero((problem.probability > 0) | (problem.anchor_weight > 0))]
        program, offset = whole_program(problem, active)
        solver = new_solver(program)
        solver.changeObjectiveOffset(offset)
        solver.setOptionValue("mip_rel_gap", aim.gap_frac / 2)
        solver.run()
        status = solver.getModelStatus()
        if status in INFEASIBLE:
            raise Infeasible
        assert status == Status.kOptimal, solver.modelStatusToString(status)
        first = values(solver)[: len(problem.first.lower)]
        flags = problem.first.is_integer
        first[flags] = np.round(first[flags])
        responder = Responder(problem.recourse)
        responses = responder.respond(first, active, gated=True)
        second_cost = np.zeros(problem.recourse.futures)
        second_cost[active] = [response.cost for response in responses]
        objective = objective_at(problem, first, second_cost)
        info = solver.getInfo()
        bound = info.mip_dual_bound if flags.any() else info.objective_function_value
        if watch is not None:
            watch(Progress(stage="whole", iteration=1, bound=bound, objective=objective))
        return Solution(first=first, second_cost=second_cost, objective=objective, bound=bound, iterations=1)

    def twin(self) -> "WholeEngine":
        """Nothing is learned, so any other is as good."""
        return WholeEngine()

    def branch(self) -> "WholeEngine":
        """Nothing is learned, so this one serves."""
        return self


def whole_program(problem: PlanProblem, active: list[int]) -> tuple[Program, float]:
    """Columns (n, x of each future, a, z); returns the program and the constant of its objective."""
    first, recourse = problem.first, problem.recourse
    weight, tail, count = problem.risk_weight, problem.risk_tail, len(active)
    rows, columns = recourse.matrix.shape
    probability = problem.probability[active]
    share = (1 - weight) * probability + problem.anchor_weight[active]
    zeros = sparse.csr_matrix
    own = sparse.hstack([first.matrix, zeros((first.matrix.shape[0], count * columns + 1 + count))])
    answers = sparse.hstack(
        [
            sparse.vstack([recourse.coupling[s] for s in active]),
            sparse.block_diag([recourse.matrix[s] for s in active]),
            zeros((count * rows, 1 + count)),
        ]
    )
    limits = sparse.hstack(
        [
            sparse.vstack([-recourse.upper_coupling[s] for s in active]),
            sparse.identity(count * columns),
            zeros((count * columns, 1 + count)),
        ]
    ).tocsr()
    hanging = np.flatnonzero(np.diff(limits[:, : len(first.lower)].indptr))
    cost = np.array([recourse.cost[s] for s in active])
    spread = sparse.block_diag(list(cost[:, None, :]))
    excess = sparse.hstack([-first.cost[active], -spread, np.ones((count, 1)), sparse.identity(count)])
    upper = np.concatenate([recourse.upper_in(s) for s in active])
    top = _highest_uppers(problem, active)
    return Program(
        cost=np.concatenate(
            [
                share @ first.cost[active],
                (share[:, None] * cost).ravel(),
                [weight],
                weight * probability / (1 - tail),
            ]
        ),
        lower=np.concatenate([first.lower, np.zeros(count * columns), [-FAR], np.zeros(count)]),
        upper=np.concatenate([first.upper, top, [np.inf], np.full(count, np.inf)]),
        matrix=sparse.vstack([own, answers, limits[hanging], excess], format="csc"),
        row_lower=np.concatenate(
            [
                first.row_lower,
                *(recourse.row_lower[s] for s in active),
                np.full(len(hanging), -np.inf),
                recourse.constant[active],
            ]
        ),
        row_upper=np.concatenate(
            [
                first.row_upper,
                *(recourse.row_upper[s] for s in active),
                upper[hanging],
                np.full(count, np.inf),
            ]
        ),
        is_integer=np.concatenate([first.is_integer, np.zeros(count * columns + 1 + count, dtype=bool)]),
    ), float(share @ recourse.constant[active])


def _highest_uppers(problem: PlanProblem, active: list[int]) -> Vector:
    """Upper bounds of all second-stage columns at the first stage that raises them most."""
    recourse = problem.recourse
    return np.concatenate(
        [
            recourse.upper_in(s)
            + recourse.upper_coupling[s].maximum(0) @ problem.first.upper
            + recourse.upper_coupling[s].minimum(0) @ problem.first.lower
            for s in active
        ]
    )
