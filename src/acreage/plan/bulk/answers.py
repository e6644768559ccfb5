"""Asks everything that is wanted in bulk, two questions at a time, and keeps what is answered when interrupted."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

from acreage.domain.bulk import (
    Bulk,
    ConcentrationPoint,
    FrontierPoint,
    Information,
    Kind,
    Lever,
    Sensitivity,
    Waiting,
)
from acreage.domain.plan import OfferVerdict
from acreage.plan.bulk.asked import Asked
from acreage.plan.bulk.concentration import concentration
from acreage.plan.bulk.frontier import frontier
from acreage.plan.bulk.information import of_chance, of_delivery, of_demand, of_everything
from acreage.plan.bulk.inquiry import Inquiry, Stopped
from acreage.plan.bulk.sensitivities import (
    delivery_sensitivities,
    demand_sensitivities,
    families,
    family_of,
    market_sensitivities,
    price_sensitivities,
    slipping_providers,
    to_come,
)
from acreage.plan.bulk.waiting import waiting
from acreage.plan.planner import Step, Tell
from acreage.plan.session import Session, Solved

WORKERS = 2

Answer = FrontierPoint | ConcentrationPoint | Sensitivity | Information | Waiting
Ask = Callable[[Inquiry], Sequence[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question in words, and how it is answered."""

    name: str
    ask: Ask


def bulk(
    session: Session,
    best: Solved,
    verdicts: Sequence[OfferVerdict],
    asked: Asked,
    tell: Tell,
    clock: Callable[[], float],
) -> Bulk:
    """Everything asked about a plan; `verdicts` save solves where they know the answer.

    Workers share the questions out always the same way and each question starts from what the plan's own solve has
    learned, so that answers repeat. `KeyboardInterrupt` ends it with what is answered.
    """
    began, before = clock(), session.solves
    questions = list(_questions(session, best, verdicts, asked))
    answers, solves = _answered(session, best, questions, tell, clock)
    found = [one for answer in answers if answer is not None for one in answer]
    return Bulk(
        kinds=tuple(kind for kind in Kind if kind in asked.kinds),
        plan_usd=best.range_usd,
        frontier=tuple(one for one in found if isinstance(one, FrontierPoint)),
        concentration=tuple(one for one in found if isinstance(one, ConcentrationPoint)),
        sensitivities=tuple(one for one in found if isinstance(one, Sensitivity)),
        information=tuple(one for one in found if isinstance(one, Information)),
        waiting=next((one for one in found if isinstance(one, Waiting)), None),
        unanswered=tuple(q.name for q, answer in zip(questions, answers, strict=True) if answer is None),
        solves=solves + session.solves - before,
        seconds=clock() - began,
    )


def _questions(session: Session, best: Solved, verdicts: Sequence[OfferVerdict], asked: Asked) -> Iterator[Question]:
    if Kind.FRONTIER in asked.kinds:
        yield Question(name="expected cost against CVaR", ask=partial(frontier, weights=asked.weights_frac))
    if Kind.CONCENTRATION in asked.kinds:
        yield Question(name="cost against concentration", ask=partial(concentration, caps=asked.caps_frac))
    if Kind.WAITING in asked.kinds:
        yield Question(name="waiting a quarter", ask=lambda inquiry: (waiting(inquiry, asked.pending),))
    if Kind.INFORMATION in asked.kinds:
        yield from _information_questions(session, best, asked)
    if Kind.SENSITIVITY in asked.kinds:
        yield from _sensitivity_questions(session, best, verdicts, asked)


def _information_questions(session: Session, best: Solved, asked: Asked) -> Iterator[Question]:
    for one in to_come(session.portfolio, best, asked.pending):
        name = f"knowing when {one.source} is delivered"
        yield Question(name=name, ask=_if_any(partial(of_delivery, pending=one)))
    for family in families(session.portfolio):
        if any(family_of(w) == family and w.id in session.demand for w in session.portfolio.workloads):
            yield Question(name=f"knowing the demand of {family}", ask=_if_any(partial(of_demand, family=family)))
    yield Question(name="a split by chance", ask=_if_any(partial(of_chance, seed=asked.seed)))
    yield Question(name="knowing the future", ask=lambda inquiry: (of_everything(inquiry),))


def _if_any(ask: Callable[[Inquiry], Information | None]) -> Ask:
    def answers(inquiry: Inquiry) -> Sequence[Answer]:
        found = ask(inquiry)
        return () if found is None else (found,)

    return answers


def _sensitivity_questions(
    session: Session, best: Solved, verdicts: Sequence[OfferVerdict], asked: Asked
) -> Iterator[Question]:
    known, barred = {v.offer: v for v in verdicts}, session.base.choices.barred
    for lever, name in ((Lever.MARKET_PRICE, "prices by the hour"), (Lever.MARKET_LIMIT, "limits by the hour")):
        if any(pool.on_demand is not None or pool.spot is not None for pool in session.portfolio.pools.values()):
            yield Question(name=name, ask=partial(market_sensitivities, lever=lever))
    for family in families(session.portfolio):
        yield Question(name=f"demand of {family}", ask=partial(demand_sensitivities, family=family))
    for provider in slipping_providers(session.portfolio, best, asked.pending):
        ask = partial(delivery_sensitivities, provider=provider, pending=asked.pending)
        yield Question(name=f"later deliveries of {provider}", ask=ask)
    for offer in session.portfolio.offers:
        if offer.id not in barred:
            ask = partial(price_sensitivities, offer=offer, verdict=known.get(offer.id))
            yield Question(name=f"price of {offer.id}", ask=ask)


Told = list[Sequence[Answer] | None]


def _answered(
    session: Session, best: Solved, questions: Sequence[Question], tell: Tell, clock: Callable[[], float]
) -> tuple[Told, int]:
    """The answer to each question, None where it was interrupted; and how many solves the twins did."""
    heard, stop, began = threading.Event(), threading.Event(), clock()
    found: Told = [None] * len(questions)
    sessions = (session, *(session.twin() for _ in range(WORKERS - 1)))
    solves = [0] * WORKERS
    done = [0]

    def work(worker: int) -> None:
        heard.wait()
        for number in range(worker, len(questions), WORKERS):
            if stop.is_set():
                return
            tell(_step(questions[number].name, done[0], len(questions), clock() - began))
            own = sessions[worker].branch()
            start = own.solves
            try:
                found[number] = questions[number].ask(Inquiry(session=own, best=best, stop=stop))
            except Stopped:
                return
            finally:
                solves[worker] += own.solves - start
            done[0] += 1

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        _joined([pool.submit(work, worker) for worker in range(WORKERS)], heard, stop)
    return found, sum(solves)


def _joined(running: Sequence["Future[None]"], heard: threading.Event, stop: threading.Event) -> None:
    """Wait for all workers; interrupted, let them end their present solve. An error of one ends the others too.

    They begin once `heard` is set: from then on an interruption is heard here.
    """
    left = set(running)
    while left:
        try:
            heard.set()
            ended, left = wait(left, return_when=FIRST_COMPLETED)
            if any(one.exception() is not None for one in ended):
                stop.set()
        except KeyboardInterrupt:
            stop.set()
    for one in running:
        one.result()


def _step(name: str, done: int, total: int, seconds: float) -> Step:
    """How far it is, with time to go once there is something to go by."""
    left = f", {_time(seconds / done * (total - done))} to go" if done >= WORKERS else ""
    return Step(stage=f"what if: {name}{left}", done=done, total=total)


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
