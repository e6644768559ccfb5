"""Decomposition by futures: cuts in groups of futures, in-out separation, a sample first, then integers.

First the relaxed master, separated between its optimum and the best point so far (Ben-Ameur and Neto, 2007), to a
small gap; then the master with integers and all cuts. Many futures begin from the plan of a sample of them. The
duals of late rounds are kept and serve every later problem whose second-stage matrix has its entries in the same places.
"""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from acreage.plan.engines.cuts import Cut, Duals, Groups, Lines, expected_cuts, groups_of, likeness, lines_under, nearest, tail_cuts
from acreage.plan.engines.master import Master
from acreage.plan.engines.responses import Responder
from acreage.plan.engines.second_stage import Answers, SecondStage
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
    objective_at,
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
SINGLE_MAX = 48
"""So many futures have a cut each; more share theirs in groups."""
GROUPS = 24
SAMPLE_FROM = 96
"""So many futures begin from the plan of a tenth of them, at least `SAMPLE_MIN`."""
SAMPLE_FRAC = 0.1
SAMPLE_MIN = 24
SAMPLE_GAP_FRAC = 0.005
CLOSE_FRAC = 0.1
"""Second stages are solved to this share of the gap that is left."""
DUALS_BYTES_MAX = 200_000_000
"""Duals of the latest rounds are kept up to here."""
DRAWINGS_KEPT = 2
"""The plan's own problem and one variation are solved in turns."""


@dataclass(slots=True)
class Drawing:
    """The cuts of one problem: of one recourse and one set of weights; `useful` marks those some optimum needed."""

    recourse: Recourse
    probability: Vector
    anchor_weight: Vector
    groups: Groups
    cuts: list[Cut] = field(default_factory=list)
    useful: list[bool] = field(default_factory=list)

    def serves(self, problem: PlanProblem) -> bool:
        """Whether its cuts hold in a problem: costs and bounds of the first stage may be others."""
        same = self.recourse is problem.recourse and np.array_equal(self.probability, problem.probability)
        return same and np.array_equal(self.anchor_weight > 0, problem.anchor_weight > 0)

    def copy(self) -> "Drawing":
        """One that grows on its own from here."""
        return replace(self, cuts=list(self.cuts), useful=list(self.useful))


@dataclass(slots=True)
class Memory:
    """What is kept between similar problems: second stages, duals and the cuts drawn from them."""

    second: SecondStage
    duals: list[Duals] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)

    def keep(self, duals: Duals) -> None:
        """Remember a round's duals, and forget the oldest where they are too many."""
        self.duals.append(duals)
        while len(self.duals) > 1 and sum(d.rows.nbytes for d in self.duals) > DUALS_BYTES_MAX:
            del self.duals[0]

    def drawing(self, problem: PlanProblem) -> Drawing:
        """The cuts known for a problem, drawn from the duals where the problem is a new one."""
        found = next((drawing for drawing in self.drawings if drawing.serves(problem)), None)
        if found is None:
            groups = groups_of(problem.probability, problem.anchor_weight, group_count(problem))
            found = Drawing(problem.recourse, problem.probability, problem.anchor_weight, groups)
            found.cuts = drawn_anew(problem.recourse, groups, self.duals)
            # Drawn anew, a cut may be far from the optimum: it is added where an optimum violates it.
            found.useful = [False] * len(found.cuts)
        self.drawings = [found, *[d for d in self.drawings if d is not found]][:DRAWINGS_KEPT]
        return found

    def copy(self, second: SecondStage) -> "Memory":
        """One that grows on its own from here."""
        return Memory(second=second, duals=list(self.duals), drawings=[d.copy() for d in self.drawings])


def drawn_anew(recourse: Recourse, groups: Groups, rounds: list[Duals]) -> list[Cut]:
    """The cuts that the duals of some rounds draw; a future that was not in a round takes those of the one most like it."""
    futures = np.flatnonzero(groups.group >= 0)
    if not rounds:
        return []
    figures = likeness(recourse)
    taken = [nearest(figures, futures, duals.futures) for duals in rounds]

    def under(k: int) -> tuple[Vector, Vector]:
        rows = np.array([duals.rows[where[k]] for duals, where in zip(rounds, taken, strict=True)])
        constant, slope = lines_under(recourse, int(futures[k]), rows)
        return constant * groups.weight[futures[k]], slope * groups.weight[futures[k]]

    constants = np.zeros((len(groups), len(rounds)))
    slopes = np.zeros((len(groups), len(rounds), recourse.coupling.shape[1]))
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for k, (constant, slope) in enumerate(pool.map(under, range(len(futures)))):
            constants[groups.group[futures[k]]] += constant
            slopes[groups.group[futures[k]]] += slope
    return [
        Cut(group=g, constant=float(constants[g, r]), slope=slopes[g, r])
        for r in range(len(rounds))
        for g in range(len(groups))
    ]


def group_count(problem: PlanProblem) -> int:
    """How many groups the futures of a problem share cuts in."""
    weighted = int((problem.probability > 0).sum())
    return weighted if weighted <= SINGLE_MAX else GROUPS


class Stopped(Exception):
    """The user has asked to stop: what is best so far is the answer."""


@dataclass(slots=True)
class Run:
    """One solve under way; `objective` is that of the best point so far, at first of fractional ones.

    `best` (N,) is the best whole point, `second_cost` (S,) what it costs in each future.
    """

    problem: PlanProblem
    memory: Memory
    master: Master
    drawing: Drawing
    aim: Aim
    watch: Watch | None
    stage: str
    rounds: int = 0
    bound: float = -np.inf
    objective: float = np.inf
    best: Vector | None = None
    second_cost: Vector = field(default_factory=lambda: np.zeros(0))
    is_near: bool = False
    is_finishing: bool = False

    @property
    def active(self) -> NDArray[np.int64]:
        """The futures that have weight."""
        return np.flatnonzero(self.drawing.groups.group >= 0)

    def evaluate(self, first: Vector, *, gated: bool) -> tuple[float, Vector]:
        """Answer a first stage in every active future, keep the cuts; its objective and each future's cost (S,)."""
        answers = self.memory.second.answer(
            first, self.active, gated=gated, close=self._close(), go_on=self.go_on
        )
        self.rounds += 1
        self._learn(first, answers)
        second = np.zeros(len(self.problem.probability))
        second[answers.futures] = answers.cost
        return objective_at(self.problem, first, second), second

    def _close(self) -> float:
        """How near second stages must come to their optimum: a share of the gap that is left."""
        if not np.isfinite(self.objective):
            return np.inf if not np.isfinite(self.bound) else self.aim.gap_frac * abs(self.bound)
        left = max(self.objective - self.bound, self.aim.gap_frac * abs(self.objective))
        return CLOSE_FRAC * left

    def _learn(self, first: Vector, answers: Answers) -> None:
        """Keep the duals, and the cuts they draw at a first stage (N,)."""
        self.memory.keep(answers.duals)
        groups = self.drawing.groups
        cuts = expected_cuts(groups, answers.lines)
        if self.problem.risk_weight > 0:
            own = self.problem.first.cost[answers.futures] @ first + self.problem.recourse.constant[answers.futures]
            cost = own + answers.lines.at(first)
            at_risk = value_at_risk(cost, self.problem.probability[answers.futures], self.problem.risk_tail)
            # Without the future at the value at risk the tail weighs less than 1 - tail, and the master would lower a
            # for nothing; with it, more. Both cuts together hold a where it is.
            cuts += tail_cuts(groups, answers.lines, cost > at_risk) + tail_cuts(groups, answers.lines, cost >= at_risk)
        self.drawing.cuts += cuts
        # New cuts come from points that were tried: all of them were needed.
        self.drawing.useful += [True] * len(cuts)
        self.master.add(cuts)

    def try_whole(self, point: Vector) -> None:
        """Evaluate a whole point (N,) and keep it if it is the best."""
        value, costs = self.evaluate(point, gated=True)
        if self.best is None or value < self.objective:
            self.best, self.objective, self.second_cost = point, value, costs

    def solution(self) -> Solution:
        """The best whole point as the answer."""
        assert self.best is not None
        return Solution(
            first=self.best,
            second_cost=self.second_cost,
            objective=self.objective,
            bound=self.bound,
            iterations=self.rounds,
        )

    def go_on(self) -> None:
        """Raise `Stopped` if the user has asked to stop; a run that is finishing goes on."""
        if not self.is_finishing and self.aim.stopped():
            raise Stopped

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

    def tell(self, stage: str) -> None:
        """Report progress."""
        if self.watch is not None:
            self.watch(
                Progress(stage=self.stage + stage, iteration=self.rounds, bound=self.bound, objective=self.objective)
            )


def value_at_risk(cost: Vector, probability: Vector, tail_frac: float) -> float:
    """The cost (of F) that is exceeded with a chance of at most 1 - tail_frac."""
    order = np.argsort(-cost)
    beyond = np.cumsum(probability[order])
    return float(cost[order[min(int(np.searchsorted(beyond, 1.0 - tail_frac)), len(cost) - 1)]])


def satisfies(stage: FirstStage, first: Vector) -> bool:
    """Whether a first stage (N,) keeps every bound and row."""
    rows = stage.matrix @ first
    in_rows = (rows >= stage.row_lower - ROW_TOLERANCE) & (rows <= stage.row_upper + ROW_TOLERANCE)
    return bool(
        in_rows.all() and (first >= stage.lower - ROW_TOLERANCE).all() and (first <= stage.upper + ROW_TOLERANCE).all()
    )


class DecompositionEngine:
    """The engine for more than a handful of futures, and for many similar problems in a row."""

    def __init__(self) -> None:
        self._memories: dict[bytes, Memory] = {}

    def solve(self, problem: PlanProblem, aim: Aim, watch: Watch | None = None) -> Solution:
        """Solve to a relative gap; raises `Infeasible` if no first stage satisfies the rows."""
        return _solve(problem, self._memory(problem.recourse), aim, watch)

    def twin(self) -> "DecompositionEngine":
        """An engine with the same cuts and second stages of its own, for another thread."""
        return self._copied(lambda memory: memory.second.fresh())

    def branch(self) -> "DecompositionEngine":
        """An engine with the same cuts and the same second stages: what it learns from here on is its own."""
        return self._copied(lambda memory: memory.second)

    def _copied(self, second_of: Callable[[Memory], SecondStage]) -> "DecompositionEngine":
        other = DecompositionEngine()
        for mark, memory in self._memories.items():
            other._memories[mark] = memory.copy(second_of(memory))
        return other

    def _memory(self, recourse: Recourse) -> Memory:
        """What is known of second stages whose matrix has entries in the same places."""
        mark = hashlib.blake2b(repr((recourse.matrix.shape, recourse.futures)).encode(), digest_size=16)
        for part in (recourse.matrix.indptr, recourse.matrix.indices):
            mark.update(np.ascontiguousarray(part).tobytes())
        memory = self._memories.get(mark.digest())
        if memory is None:
            second = SecondStage(recourse=recourse, responder=Responder(recourse))
            memory = self._memories[mark.digest()] = Memory(second=second)
        memory.second.use(recourse)
        return memory


def _solve(problem: PlanProblem, memory: Memory, aim: Aim, watch: Watch | None, stage: str = "") -> Solution:
    """Solve one problem with what is known; `stage` names the part of a larger solve it is."""
    center = None
    if not memory.duals and int((problem.probability > 0).sum()) >= SAMPLE_FROM:
        center = _sample_plan(problem, memory, aim, watch)
    drawing = memory.drawing(problem)
    run = Run(problem, memory, Master(problem, drawing.groups), drawing, aim, watch, stage)
    known = len(drawing.cuts)
    if known:
        run.master.offer(drawing.cuts, drawing.useful)
    else:
        nothing = np.zeros((len(run.active), problem.recourse.matrix.shape[0]), np.float32)
        run.master.add(drawn_anew(problem.recourse, drawing.groups, [Duals(futures=run.active, rows=nothing)]))
    try:
        core = _relaxed(run, center) if aim.anew or center is not None or not known else None
        return _integer(run, core)
    except Stopped:
        return _best_so_far(run, center)


def _best_so_far(run: Run, center: Vector | None) -> Solution:
    """The best whole point known, or one made now of what is known: the answer of a solve that was stopped."""
    run.is_finishing = True
    if run.best is None:
        start = next((p for p in (run.aim.start, center) if p is not None and satisfies(run.problem.first, p)), None)
        if start is None:
            run.master.make_integer(run.aim.nodes_max)
            start = run.whole_point(SAMPLE_GAP_FRAC, None)
        run.try_whole(start)
    return run.solution()


def _sample_plan(problem: PlanProblem, memory: Memory, aim: Aim, watch: Watch | None) -> Vector:
    """The best first stage (N,) for a sample of the futures, with which all of them begin."""
    weighted = np.flatnonzero(problem.probability > 0)
    count = max(SAMPLE_MIN, round(SAMPLE_FRAC * len(weighted)))
    chosen = weighted[np.linspace(0, len(weighted) - 1, count).round().astype(int)]
    probability = np.zeros(len(problem.probability))
    probability[chosen] = problem.probability[chosen] / problem.probability[chosen].sum()
    sample = replace(problem, probability=probability)
    rough = replace(aim, gap_frac=max(2 * aim.gap_frac, SAMPLE_GAP_FRAC), start=None, near=False)
    return _solve(sample, memory, rough, watch, "sample: ").first


def _relaxed(run: Run, center: Vector | None) -> Vector:
    """Cuts until the relaxed master is near enough to a (fractional) point's objective; that point."""
    gap_frac = run.aim.gap_frac / 4
    point, run.bound = run.master.solve()
    trial = center if center is not None else point + 0.0
    center = trial
    step = STEP_FRAC
    while run.rounds < RELAXED_ROUNDS_MAX:
        value, _ = run.evaluate(trial, gated=False)
        if value < run.objective:
            center, run.objective = trial, value
        point, bound = run.master.solve()
        # No progress of the bound means the trial point cut nothing off: go all the way once.
        step = STEP_FRAC if bound > run.bound + 1e-9 * abs(bound) else 1.0
        run.bound = max(run.bound, bound)
        run.tell("relaxed")
        if run.within(run.objective, gap_frac):
            break
        trial = center + step * (point - center)
    return center


def _integer(run: Run, core: Vector | None) -> Solution:
    """Cuts at integer points until the best of them is within the gap of the bound, or rounds are up.

    A second cut a round is drawn between a core point and the integer one (Papadakos, 2008): cuts at
    integer points alone are steep and say little about their neighbours.
    """
    aim = run.aim
    relaxed, bound = run.master.make_integer(aim.nodes_max)
    run.bound = max(run.bound, bound)
    if aim.near and aim.start is not None:
        run.stay_near(aim.start, relaxed)
    run.objective = np.inf
    if aim.start is not None and satisfies(run.problem.first, aim.start):
        run.try_whole(aim.start)
    seen: set[bytes] = set()
    tight = run.best is not None
    for _ in range(aim.rounds_max):
        if run.within(run.objective, aim.gap_frac):
            break
        left = (run.objective - run.bound) / abs(run.objective) if np.isfinite(run.objective) else 1.0
        finest = aim.gap_frac / 3
        point = run.whole_point(finest if tight else max(finest, min(SHARE_FRAC * left, 0.01)), run.best)
        again = point.tobytes() in seen
        seen.add(point.tobytes())
        if not again:
            run.try_whole(point)
        run.tell("integer")
        if again and tight:
            break
        tight = again
        if core is not None and not run.within(run.objective, aim.gap_frac):
            run.evaluate(core + CORE_FRAC * (point - core), gated=False)
            core = (core + point) / 2
    return run.solution()
