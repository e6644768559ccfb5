"""Decomposition by futures: one cut a future and round, in-out separation, then integers.

First the relaxed master, separated between its optimum and the best point so far (Ben-Ameur and
Neto, 2007), to a small gap; then the master with integers and all cuts. The duals of every
solve are kept and serve every later problem with the same second-stage matrix.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from acreage.plan.engines.cuts import CutPool
from acreage.plan.engines.master import Master
from acreage.plan.engines.responses import Responder, Response
from acreage.plan.problem import (
    PlanProblem,
    Progress,
    Recourse,
    Solution,
    Vector,
    Watch,
    future_costs,
    objective_of,
)

ROUNDS_MAX = 400
INTEGER_ROUNDS_MAX = 25
"""After as many integer points the gap is reported as it stands."""
STEP_FRAC = 0.5
"""How far separation goes from the best point towards the master's; the prototypes' choice."""


@dataclass(slots=True)
class Memory:
    """What is kept between similar problems: warm second stages and cuts."""

    responder: Responder
    pool: CutPool = field(default_factory=CutPool)


@dataclass(slots=True)
class Run:
    """One solve under way."""

    problem: PlanProblem
    memory: Memory
    master: Master
    watch: Watch | None
    rounds: int = 0
    bound: float = -np.inf

    def evaluate(self, first: Vector) -> tuple[float, list[Response]]:
        """Answer a first stage in every active future, keep the cuts, return the objective and answers."""
        active = [int(s) for s in self.master.active]
        responses = self.memory.responder.respond(first, active)
        recourse = self.problem.recourse
        self.master.add([self.memory.pool.add(recourse, s, r.row_dual) for s, r in zip(active, responses, strict=True)])
        self.rounds += 1
        return relaxed_objective(self.problem, first, active, responses), responses

    def tell(self, stage: str, objective: float) -> None:
        """Report progress."""
        if self.watch is not None:
            self.watch(
                Progress(
                    stage=stage,
                    iteration=self.rounds,
                    bound=self.bound,
                    objective=objective,
                )
            )


def relaxed_objective(problem: PlanProblem, first: Vector, active: list[int], responses: list[Response]) -> float:
    """The objective of a first stage by the responses of the active futures, anchors included."""
    second = np.zeros(len(problem.probability))
    second[active] = [r.cost for r in responses]
    costs = future_costs(problem, first, second)
    return objective_of(problem, costs) + float(problem.anchor_weight @ costs)


class DecompositionEngine:
    """The engine for more than a handful of futures, and for many similar problems in a row."""

    def __init__(self) -> None:
        self._memories: dict[bytes, Memory] = {}

    def solve(self, problem: PlanProblem, *, gap_frac: float, watch: Watch | None = None) -> Solution:
        """Solve to a relative gap; raises `Infeasible` if no first stage satisfies the rows."""
        memory = self._memory(problem.recourse)
        run = Run(problem=problem, memory=memory, master=Master(problem), watch=watch)
        known = memory.pool.lines(problem.recourse)
        if known:
            run.master.offer(known)
        else:
            nothing = np.zeros(problem.recourse.matrix.shape[0])
            run.master.add([memory.pool.add(problem.recourse, int(s), nothing) for s in run.master.active])
            self._relaxed(run, gap_frac / 4)
        best, objective, responses = self._integer(run, gap_frac)
        second = np.zeros(problem.recourse.cost.shape)
        for s, response in zip(run.master.active, responses, strict=True):
            second[s] = response.columns
        return Solution(first=best, second=second, objective=objective, bound=run.bound, iterations=run.rounds)

    def _memory(self, recourse: Recourse) -> Memory:
        mark = hashlib.blake2b(repr(recourse.cost.shape).encode(), digest_size=16)
        for part in (recourse.matrix.indptr, recourse.matrix.indices, recourse.matrix.data):
            mark.update(np.ascontiguousarray(part).tobytes())
        memory = self._memories.setdefault(mark.digest(), Memory(responder=Responder(recourse)))
        memory.responder.recourse = recourse
        return memory

    def _relaxed(self, run: Run, gap_frac: float) -> None:
        """Cuts until the relaxed master is within gap_frac of a (fractional) point's objective."""
        point, run.bound = run.master.solve()
        center = point
        objective = np.inf
        step = STEP_FRAC
        while run.rounds < ROUNDS_MAX:
            trial = center + step * (point - center)
            value, _ = run.evaluate(trial)
            if value < objective:
                center, objective = trial, value
            point, bound = run.master.solve()
            # No progress of the bound means the trial point cut nothing off: go all the way once.
            step = STEP_FRAC if bound > run.bound + 1e-9 * abs(bound) else 1.0
            run.bound = max(run.bound, bound)
            run.tell("relaxed", objective)
            if objective - run.bound <= gap_frac * abs(objective):
                break

    def _integer(self, run: Run, gap_frac: float) -> tuple[Vector, float, list[Response]]:
        """Cuts at integer points until the best of them is within gap_frac of the bound."""
        run.master.make_integer()
        best: Vector | None = None
        answers: list[Response] = []
        objective = np.inf
        seen: set[bytes] = set()
        for _ in range(INTEGER_ROUNDS_MAX):
            point, bound = run.master.solve_integer(gap_frac / 4, best)
            run.bound = max(run.bound, bound)
            value, responses = run.evaluate(point)
            if value < objective:
                best, objective, answers = point, value, responses
            run.tell("integer", objective)
            again = point.tobytes() in seen
            seen.add(point.tobytes())
            if objective - run.bound <= gap_frac * abs(objective) or again:
                break
        assert best is not None
        return best, objective, answers
