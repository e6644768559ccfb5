"""Makes a plan: solve, explain, play out, audit; or say which demands and rules conflict."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from acreage.crew.crew import Crew
from acreage.crew.local import HERE
from acreage.domain.conflict import Conflict
from acreage.domain.future import Future
from acreage.domain.lease import Offer
from acreage.domain.plan import Effort, OfferVerdict, Plan, WhatIf
from acreage.domain.portfolio import Portfolio
from acreage.plan.conflict import find_conflict, keep_promises
from acreage.plan.engines import ENGINES
from acreage.plan.evaluate import evaluate
from acreage.plan.play import Play, play
from acreage.plan.problem import USD_PER_UNIT, Infeasible, Progress, Vector
from acreage.plan.session import BROKEN_USD, Change, Session, Solved, without_caps
from acreage.plan.verdicts import brief_verdict, polished, verdict_of
from acreage.plan.what_ifs import Question, answer, questions
from acreage.units.ids import WorkloadId

EXPLAIN_GAP_FRAC = 2e-4
"""Walk-away prices are differences of two best costs: they need a finer gap than the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Progress of the whole: the stage in words, how many of how many steps, and the solver's news."""

    stage: str
    done: int
    total: int
    news: Progress | None = None


Tell = Callable[[Step], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How a plan is to be made, and by whom; `clock` gives seconds for the effort report.

    `explain` asks for walk-away prices and what-ifs, which take most of the time.
    """

    engine: str = "decomposition"
    gap_frac: float | None = None
    explain: bool = True
    clock: Callable[[], float] = time.perf_counter
    crew: Crew = HERE


def make_plan(
    portfolio: Portfolio,
    futures: tuple[Future, ...],
    demand: Mapping[WorkloadId, Vector],
    wishes: Wishes,
    tell: Tell,
) -> Plan | Conflict:
    """The best plan for a portfolio over its futures, explained; or the conflict that forbids one."""
    found = plan_in(session_of(portfolio, futures, demand, wishes), wishes, tell)
    return found if isinstance(found, Conflict) else found[0]


def session_of(
    portfolio: Portfolio, futures: tuple[Future, ...], demand: Mapping[WorkloadId, Vector], wishes: Wishes
) -> Session:
    """A session that plans as wished; what it learns serves every further question."""
    gap_frac = wishes.gap_frac or portfolio.policy.gap_frac
    if wishes.explain:
        gap_frac = min(gap_frac, EXPLAIN_GAP_FRAC)
    engine = ENGINES[wishes.engine]()
    return Session(portfolio=portfolio, futures=futures, demand=demand, engine=engine, gap_frac=gap_frac)


def best_of(session: Session, tell: Tell) -> tuple[Solved, Play] | Conflict:
    """The best plan found and how it plays out, promises kept; or the conflict that forbids one."""
    try:
        best = session.solve(watch=lambda p: tell(Step(stage="solving", done=0, total=1, news=p)))
    except Infeasible:
        return _conflict(session, tell)
    best = polished(session, best)
    played = play(session.base, best.solution.first)
    if played.broken * USD_PER_UNIT <= BROKEN_USD:
        return best, played
    kept = keep_promises(session)
    if isinstance(kept, Conflict):
        return kept
    return kept, play(session.base, kept.solution.first)


def plan_in(session: Session, wishes: Wishes, tell: Tell) -> tuple[Plan, Solved] | Conflict:
    """The best plan in a session, explained, with the solution it comes from."""
    clock, portfolio, futures = wishes.clock, session.portfolio, session.futures
    began = clock()
    tell(Step(stage="building the model", done=0, total=1))
    built = session.base
    build_s = clock() - began
    found = best_of(session, tell)
    if isinstance(found, Conflict):
        return found
    best, played = found
    tell(Step(stage="the best plan without any new lease", done=0, total=1))
    none = _without_new(session)
    outcome = evaluate(played, best.range_usd.low)
    without_new = evaluate(play(none.formulation, none.solution.first), none.range_usd.low)
    solve_s = clock() - began - build_s
    verdicts, what_ifs = _explained(session, best, wishes.crew, tell) if wishes.explain else (_brief(session, best), ())
    recourse = built.problem.recourse
    plan = Plan(
        portfolio_name=portfolio.name,
        as_of_at=portfolio.as_of_at,
        seed=portfolio.uncertainty.seed,
        best=outcome,
        without_new=without_new,
        verdicts=verdicts,
        what_ifs=what_ifs,
        effort=Effort(
            engine=wishes.engine,
            build_s=build_s,
            solve_s=solve_s,
            explain_s=clock() - began - build_s - solve_s,
            columns=len(built.problem.first.lower) + recourse.cost.size,
            rows=len(built.problem.first.row_lower) + recourse.row_lower.size,
            futures=len(futures),
        ),
        futures=futures,
    )
    return plan, best


def _conflict(session: Session, tell: Tell) -> Conflict:
    tell(Step(stage="finding what conflicts", done=0, total=1))
    found = find_conflict(session)
    assert found is not None, "the engine found no plan, but every rule can be kept"
    return found


def _without_new(session: Session) -> Solved:
    """The best plan that signs nothing; rules that only new leases could keep are set aside in it."""
    nothing = Change(barred=frozenset(offer.id for offer in session.portfolio.offers))
    try:
        return session.solve(nothing)
    except Infeasible:
        return session.solve(nothing, session.formulation(without_caps(session.portfolio)))


def _brief(session: Session, best: Solved) -> tuple[OfferVerdict, ...]:
    barred = session.base.choices.barred
    return tuple(brief_verdict(best, offer, barred.get(offer.id, "")) for offer in session.portfolio.offers)


SHIFT = 4
"""Tasks done one after another by whoever takes them: each spares the next some work. The same for every crew, however
large, as what a task finds depends within its range on those before it."""


def _explained(
    session: Session, best: Solved, crew: Crew, tell: Tell
) -> tuple[tuple[OfferVerdict, ...], tuple[WhatIf, ...]]:
    """Every verdict and what-if: a few at a time are a shift, which is done by whoever of the crew is free.

    Each starts from what the plan's own solve has learned: cuts drawn for one question are dead weight for the next.
    """
    offers, asked = session.portfolio.offers, list(questions(session, best))
    barred = session.base.choices.barred
    tasks: list[Task] = [partial(_verdict, best, o, barred.get(o.id, "")) for o in offers]
    tasks += [partial(_answer, best, q) for q in asked]
    shifts = range(-(-len(tasks) // SHIFT))
    results: list[OfferVerdict | WhatIf | None] = [None] * len(tasks)
    found = crew.map(
        _shift,
        crew.keep((session, tasks)),
        [slice(number, None, len(shifts)) for number in shifts],
        tell=lambda done, total: tell(Step(stage=EXPLAINING, done=done, total=total)),
    )
    for number, part in enumerate(found):
        results[number :: len(shifts)] = part
    verdicts = tuple(r for r in results if isinstance(r, OfferVerdict))
    return verdicts, tuple(r for r in results if isinstance(r, WhatIf))


EXPLAINING = "walk-away prices and what-ifs"

Task = Callable[[Session], OfferVerdict | WhatIf | None]
"""One thing to explain."""


def _shift(kept: tuple[Session, list[Task]], which: slice) -> list[OfferVerdict | WhatIf | None]:
    """Some of the tasks, one after another, from what the session has learned so far."""
    session, tasks = kept
    own = session.twin()
    return [task(own.branch()) for task in tasks[which]]


def _verdict(best: Solved, offer: Offer, reason: str, session: Session) -> OfferVerdict:
    return verdict_of(session, best, offer, reason)


def _answer(best: Solved, question: Question, session: Session) -> WhatIf | None:
    return answer(session, best, question)
