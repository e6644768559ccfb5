"""Second-stage linear programs: one HiGHS model a future, kept warm, solved side by side.

HiGHS releases the interpreter lock while it runs, so that plain threads use all cores.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import highspy
import numpy as np

from acreage.plan.engines.highs import Program, Status, new_solver, row_duals, values
from acreage.plan.problem import Recourse, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """How one future answers a first stage: columns (M,), row duals (R,) and cost without constants."""

    columns: Vector
    row_dual: Vector
    cost: float


class Responder:
    """Solves the second stage of any futures for any first stage."""

    def __init__(self, recourse: Recourse) -> None:
        self.recourse = recourse
        self._solvers: dict[int, highspy.Highs] = {}
        self._every_row = np.arange(recourse.matrix.shape[0], dtype=np.int32)
        self._every_column = np.arange(recourse.matrix.shape[1], dtype=np.int32)

    def respond(
        self,
        first: Vector,
        futures: Sequence[int],
        *,
        banned: Sequence[Vector] | None = None,
    ) -> list[Response]:
        """Solve the given futures at a first stage (N,).

        `banned` gives a boolean mask (M,) a future of columns that are held at zero.
        """
        masks = banned if banned is not None else [None] * len(futures)
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            return list(
                pool.map(
                    lambda pair: self._one(first, *pair),
                    zip(futures, masks, strict=True),
                )
            )

    def _one(self, first: Vector, future: int, banned: Vector | None) -> Response:
        recourse = self.recourse
        shift = recourse.coupling[future] @ first
        upper = np.maximum(recourse.upper[future] + recourse.upper_coupling[future] @ first, 0.0)
        if banned is not None:
            upper = np.where(banned, 0.0, upper)
        lower_rows, upper_rows = (
            recourse.row_lower[future] - shift,
            recourse.row_upper[future] - shift,
        )
        solver = self._solvers.get(future)
        if solver is None:
            solver = self._new(future, upper, lower_rows, upper_rows)
        else:
            solver.changeColsCost(len(upper), self._every_column, recourse.cost[future])
            solver.changeColsBounds(len(upper), self._every_column, np.zeros(len(upper)), upper)
            solver.changeRowsBounds(len(lower_rows), self._every_row, lower_rows, upper_rows)
        solver.run()
        if solver.getModelStatus() != Status.kOptimal:
            solver = self._new(future, upper, lower_rows, upper_rows)
            solver.run()
        assert solver.getModelStatus() == Status.kOptimal, solver.modelStatusToString(solver.getModelStatus())
        columns = np.clip(values(solver), 0.0, upper)
        return Response(
            columns=columns,
            row_dual=row_duals(solver),
            cost=float(recourse.cost[future] @ columns),
        )

    def _new(self, future: int, upper: Vector, row_lower: Vector, row_upper: Vector) -> highspy.Highs:
        program = Program(
            cost=self.recourse.cost[future],
            lower=np.zeros(len(upper)),
            upper=upper,
            matrix=self.recourse.matrix,
            row_lower=row_lower,
            row_upper=row_upper,
        )
        solver = new_solver(program)
        solver.setOptionValue("solver", "simplex")
        # Tighter than the default, so that what is reported of small fleets adds up.
        solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
        self._solvers[future] = solver
        return solver
