"""Second-stage linear programs: one HiGHS model a future, kept warm, solved side by side.

HiGHS releases the interpreter lock while it runs, so that plain threads use all cores.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray

from acreage.crew.local import cores
from acreage.plan.problem import Recourse, Vector
from acreage.solver.highs import Program, Status, new_solver, row_duals, values

USED = 1e-9
"""Less than a millionth of an accelerator is solver tolerance."""

ANSWERS_KEPT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """How one future answers a first stage: columns (M,) and their cost without constants.

    `row_dual` (R,) and `cut_cost` are those of the answer before gates were closed, for cuts.
    """

    columns: Vector
    row_dual: Vector
    cost: float
    cut_cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The bounds of one future's second stage at a first stage: columns (M,), rows (R,)."""

    upper: Vector
    row_lower: Vector
    row_upper: Vector


class Responder:
    """Solves the second stage of any futures for any first stage."""

    def __init__(self, recourse: Recourse) -> None:
        self.recourse = recourse
        self._solvers: dict[int, highspy.Highs] = {}
        self._known: dict[tuple[bytes, tuple[int, ...], bool], list[Response]] = {}
        self._every_row = np.arange(recourse.matrix.shape[0], dtype=np.int32)
        self._every_column = np.arange(recourse.matrix.shape[1], dtype=np.int32)

    def __reduce__(self) -> tuple[type["Responder"], tuple[Recourse]]:
        """Elsewhere it begins anew: solvers stay where they are."""
        return Responder, (self.recourse,)

    def use(self, recourse: Recourse) -> None:
        """Answer for another second stage whose matrix has entries in the same places."""
        if recourse is self.recourse:
            return
        self._known.clear()
        entries = recourse.matrix.tocoo()
        moved = np.flatnonzero(entries.data != self.recourse.matrix.data)
        for solver in self._solvers.values():
            for k in moved:
                solver.changeCoeff(int(entries.row[k]), int(entries.col[k]), float(entries.data[k]))
        self.recourse = recourse

    def respond(self, first: Vector, futures: Sequence[int], *, gated: bool = False) -> list[Response]:
        """Solve the given futures at a first stage (N,); `gated` closes gates, for integer points.

        What was answered lately is not solved again: a search for a price comes back to the same points.
        """
        asked = (first.tobytes(), tuple(futures), gated)
        answers = self._known.pop(asked, None)
        if answers is None:
            with ThreadPoolExecutor(max_workers=cores()) as pool:
                answers = list(pool.map(lambda s: self._one(first, s, gated), futures))
        self._known[asked] = answers
        if len(self._known) > ANSWERS_KEPT:
            del self._known[next(iter(self._known))]
        return answers

    def _one(self, first: Vector, future: int, gated: bool) -> Response:
        recourse = self.recourse
        shift = recourse.coupling[future] @ first
        setting = Setting(
            upper=np.maximum(recourse.upper[future] + recourse.upper_coupling[future] @ first, 0.0),
            row_lower=recourse.row_lower[future] - shift,
            row_upper=recourse.row_upper[future] - shift,
        )
        columns, row_dual = self._solve(future, setting)
        open_cost = cost = float(recourse.cost[future] @ columns)
        if gated:
            columns, cost = self._gated(future, setting, recourse.gate_brought[future] @ first, columns)
        return Response(columns=columns, row_dual=row_dual, cost=cost, cut_cost=open_cost)

    def _gated(self, future: int, setting: Setting, brought: Vector, columns: Vector) -> tuple[Vector, float]:
        """The better of two answers that respect every gate: shut them, or take less so that they stay open."""
        cost = self.recourse.cost[future]
        shut = shut_gates(self.recourse, brought, columns)
        if not len(shut):
            return columns, float(cost @ columns)
        answers = [self._shut(future, setting, brought, columns)]
        kept = held_open(self.recourse, setting, brought, shut)
        if kept is not None:
            answers.append(self._shut(future, kept, brought, self._solve(future, kept)[0]))
        return min(((answer, float(cost @ answer)) for answer in answers), key=lambda found: found[1])

    def _shut(self, future: int, setting: Setting, brought: Vector, columns: Vector) -> Vector:
        """Shut gates until no column behind a shut one is used."""
        upper = setting.upper.copy()
        while len(shut := shut_gates(self.recourse, brought, columns)):
            upper[self.recourse.gate_column[shut]] = 0.0
            columns, _ = self._solve(future, replace(setting, upper=upper))
        return columns

    def _solve(self, future: int, setting: Setting) -> tuple[Vector, Vector]:
        """Columns and row duals of one future's optimum."""
        solver = self._solvers.get(future)
        if solver is None:
            solver = self._new(future, setting)
        else:
            solver.changeColsCost(len(setting.upper), self._every_column, self.recourse.cost[future])
            zeros = np.zeros(len(setting.upper))
            solver.changeColsBounds(len(setting.upper), self._every_column, zeros, setting.upper)
            rows = len(setting.row_lower)
            solver.changeRowsBounds(rows, self._every_row, setting.row_lower, setting.row_upper)  # type: ignore[attr-defined]
        solver.run()
        if solver.getModelStatus() != Status.kOptimal:
            solver = self._new(future, setting)
            solver.run()
        assert solver.getModelStatus() == Status.kOptimal, solver.modelStatusToString(solver.getModelStatus())
        return np.clip(values(solver), 0.0, setting.upper), row_duals(solver)

    def _new(self, future: int, setting: Setting) -> highspy.Highs:
        program = Program(
            cost=self.recourse.cost[future],
            lower=np.zeros(len(setting.upper)),
            upper=setting.upper,
            matrix=self.recourse.matrix,
            row_lower=setting.row_lower,
            row_upper=setting.row_upper,
        )
        solver = new_solver(program)
        solver.setOptionValue("solver", "simplex")
        # Tighter than the default, so that what is reported of small fleets adds up.
        solver.setOptionValue("primal_feasibility_tolerance", 1e-9)
        self._solvers[future] = solver
        return solver


def shut_gates(recourse: Recourse, brought: Vector, columns: Vector) -> NDArray[np.int64]:
    """Gates (numbers) whose column is used though their row has too little; `brought` is the first stage's part."""
    there = (brought - recourse.gate_taken @ columns)[recourse.gate_row]
    short = there < recourse.gate_min * (1.0 - 1e-9)
    return np.flatnonzero(short & (columns[recourse.gate_column] > USED))


def held_open(recourse: Recourse, setting: Setting, brought: Vector, gates: NDArray[np.int64]) -> Setting | None:
    """The setting with so little taken away that these gates stay open where they can; None if none can."""
    spare = brought[recourse.gate_row[gates]] - recourse.gate_min[gates]
    can = spare >= 0.0
    if not can.any():
        return None
    taken = recourse.gate_taken[recourse.gate_row[gates[can]]].tocoo()
    takers = np.bincount(taken.row, minlength=int(can.sum()))
    upper = setting.upper.copy()
    np.minimum.at(upper, taken.col, spare[can][taken.row] / (taken.data * takers[taken.row]))
    return replace(setting, upper=upper)
