"""Decomposition by futures: one cut a future and round, in-out separation, then integers.

First the relaxed master, separated between its optimum and the best point so far (Ben-Ameur and
Neto, 2007), to a small gap; then the master with integers and all cuts. The duals of every
solve are kept and serve every later problem with the same second-stage matrix.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from acreage.plan.engines.cuts import CutPool
from acreage.plan.engines.master import Master
from acreage.plan.engines.responses import Responder, Response
from acreage.plan.problem import (
    Aim,
    FirstStage,
    Infeasible,
    PlanProblem,
    Progress,
    Recourse,
    Solution,
    Vector,
    Watch,
    future_costs,
    objective_of,
)

RELAXED_ROUNDS_MAX = 400
STEP_FRAC = 0.5
"""How far separation goes from the best point towards the master's; the prototypes' choice."""
ROW_TOLERANCE = 1e-6
AGREED = 1e-6
CORE_FRAC = 0.3
"""Where the second cut of a round is drawn: this far from the core towards the integer point."""
SHARE_FRAC = 0.2
"""The master is solved to this share of the gap that is left, so that early rounds are quick."""


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
    is_near: bool = False

    def evaluate(self, first: Vector, *, gated: bool) -> tuple[float, list[Response]]:
        """Answer a first stage in every active future, keep the cuts, return the objective and answers."""
        active = [int(s) for s in self.master.active]
        responses = self.memory.responder.respond(first, active, gated=gated)
        recourse = self.problem.recourse
        self.master.add([self.memory.pool.add(recourse, s, r.row_dual) for s, r in zip(active, responses, strict=True)])
        self.rounds += 1
        return objective_at(self.problem, first, active, responses), responses

    def stay_near(self, start: Vector, relaxed: Vector) -> None:
        """Hold what a start and the relaxation agree on (RINS: Danna, Rothberg and Le Pape, 2005)."""
        agreed = self.problem.first.is_integer & (np.abs(relaxed - start) < AGREED)
        self.master.narrow(agreed, np.round(start))
        self.is_near = True

    def whole_point(self, gap_frac: float, start: Vector | None) -> Vector:
        """The master's best integer point; everywhere, if there is none near the start."""
        try:
            point, bound = self.master.solve_integer(gap_frac, start)
        except Infeasible:
            if not self.is_near:
                raise
            self.master.narrow(np.zeros(len(self.problem.first.lower), dtype=bool), self.problem.first.lower)
            self.is_near = False
            point, bound = self.master.solve_integer(gap_frac, start)
        if not self.is_near:
            self.bound = max(self.bound, bound)
        return point

    def within(self, objective: float, gap_frac: float) -> bool:
        """Whether an objective is proven to a relative gap."""
        return bool(np.isfinite(objective)) and objective - self.bound <= gap_frac * abs(objective)

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


def satisfies(stage: FirstStage, first: Vector) -> bool:
    """Whether a first stage (N,) keeps every bound and row."""
    rows = stage.matrix @ first
    in_rows = (rows >= stage.row_lower - ROW_TOLERANCE) & (rows <= stage.row_upper + ROW_TOLERANCE)
    return bool(
        in_rows.all() and (first >= stage.lower - ROW_TOLERANCE).all() and (first <= stage.upper + ROW_TOLERANCE).all()
    )


def objective_at(problem: PlanProblem, first: Vector, active: list[int], responses: list[Response]) -> float:
    """The objective of a first stage by the responses of the active futures, anchors included."""
    second = np.zeros(len(problem.probability))
    second[active] = [r.cost for r in responses]
    costs = future_costs(problem, first, second)
    return objective_of(problem, costs) + float(problem.anchor_weight @ costs)


class DecompositionEngine:
    """The engine for more than a handful of futures, and for many similar problems in a row."""

    def __init__(self) -> None:
        self._memories: dict[bytes, Memory] = {}

    def solve(self, problem: PlanProblem, aim: Aim, watch: Watch | None = None) -> Solution:
        """Solve to a relative gap; raises `Infeasible` if no first stage satisfies the rows."""
        memory = self._memory(problem.recourse)
        run = Run(problem=problem, memory=memory, master=Master(problem), watch=watch)
        known, core = memory.pool.lines(problem.recourse), None
        if known:
            run.master.offer(known, [memory.pool.useful_of(line.future) for line in known])
        else:
            nothing = np.zeros(problem.recourse.matrix.shape[0])
            run.master.add([memory.pool.add(problem.recourse, int(s), nothing) for s in run.master.active])
        if aim.anew or not known:
            core = _relaxed(run, aim.gap_frac / 4)
        best, objective, responses = _integer(run, aim, core)
        second = np.zeros((problem.recourse.futures, problem.recourse.matrix.shape[1]))
        for s, response in zip(run.master.active, responses, strict=True):
            second[s] = response.columns
        return Solution(first=best, second=second, objective=objective, bound=run.bound, iterations=run.rounds)

    def twin(self) -> "DecompositionEngine":
        """An engine with the same cuts and second stages of its own, for another thread."""
        return self._copied(lambda memory: Responder(memory.responder.recourse))

    def branch(self) -> "DecompositionEngine":
        """An engine with the same cuts and the same second stages: what it learns from here on is its own."""
        return self._copied(lambda memory: memory.responder)

    def _copied(self, responder_of: Callable[[Memory], Responder]) -> "DecompositionEngine":
        other = DecompositionEngine()
        for mark, memory in self._memories.items():
            other._memories[mark] = Memory(responder=responder_of(memory), pool=memory.pool.copy())
        return other

    def _memory(self, recourse: Recourse) -> Memory:
        """What is known of second stages whose matrix has entries in the same places."""
        mark = hashlib.blake2b(repr((recourse.futures, recourse.matrix.shape)).encode(), digest_size=16)
        for part in (recourse.matrix.indptr, recourse.matrix.indices):
            mark.update(np.ascontiguousarray(part).tobytes())
        memory = self._memories.setdefault(mark.digest(), Memory(responder=Responder(recourse)))
        memory.responder.use(recourse)
        return memory


def _relaxed(run: Run, gap_frac: float) -> Vector:
    """Cuts until the relaxed master is within gap_frac of a (fractional) point's objective; that point."""
    point, run.bound = run.master.solve()
    center = point
    objective = np.inf
    step = STEP_FRAC
    while run.rounds < RELAXED_ROUNDS_MAX:
        trial = center + step * (point - center)
        value, _ = run.evaluate(trial, gated=False)
        if value < objective:
            center, objective = trial, value
        point, bound = run.master.solve()
        # No progress of the bound means the trial point cut nothing off: go all the way once.
        step = STEP_FRAC if bound > run.bound + 1e-9 * abs(bound) else 1.0
        run.bound = max(run.bound, bound)
        run.tell("relaxed", objective)
        if run.within(objective, gap_frac):
            break
    return center


def _integer(run: Run, aim: Aim, core: Vector | None) -> tuple[Vector, float, list[Response]]:
    """Cuts at integer points until the best of them is within the gap of the bound, or rounds are up.

    A second cut a round is drawn between a core point and the integer one (Papadakos, 2008): cuts at
    integer points alone are steep and say little about their neighbours.
    """
    relaxed, bound = run.master.make_integer(aim.nodes_max)
    run.bound = max(run.bound, bound)
    if aim.near and aim.start is not None:
        run.stay_near(aim.start, relaxed)
    best, objective, answers = None, np.inf, list[Response]()
    if aim.start is not None and satisfies(run.problem.first, aim.start):
        best = aim.start
        objective, answers = run.evaluate(best, gated=True)
    seen: set[bytes] = set()
    tight = best is not None
    for _ in range(aim.rounds_max):
        if run.within(objective, aim.gap_frac):
            break
        left = (objective - run.bound) / abs(objective) if np.isfinite(objective) else 1.0
        finest = aim.gap_frac / 3
        point = run.whole_point(finest if tight else max(finest, min(SHARE_FRAC * left, 0.01)), best)
        again = point.tobytes() in seen
        seen.add(point.tobytes())
        if not again:
            value, responses = run.evaluate(point, gated=True)
            if value < objective:
                best, objective, answers = point, value, responses
        run.tell("integer", objective)
        if again and tight:
            break
        tight = again
        if core is not None:
            run.evaluate(core + CORE_FRAC * (point - core), gated=False)
            core = (core + point) / 2
    assert best is not None
    return best, objective, answers
