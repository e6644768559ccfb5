"""Play a first stage out in every future: the second stage solved once more, honestly, and tidied.

Futures are played in acts, a few dozen at a time, so that memory does not grow with their number: an act is looked at
and dropped. Tidying recomputes what follows from use (unmet demand, shortfalls) in plain arithmetic, so that solver
tolerances do not show.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.future import Future
from acreage.plan.engines.responses import Responder
from acreage.plan.formulate.capacity import Source, brought
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import ColumnKind, Use, UseKind
from acreage.plan.problem import ACCELERATORS_PER_UNIT, Vector

QUANTUM = 1e-9

FUTURES_PER_ACT = 50
"""A frontier lab's second stage has 20,000 columns a future: an act of 50 takes some 20 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A first stage that is answered in every future but the hard one, act by act.

    `sources` are the sources in force by column with their units (blocks, or 1 for leases). `broken` is the
    cost of hard promises that cannot be kept, 0 if all are.
    """

    formulation: Formulation
    first: Vector
    responder: Responder
    sources: Mapping[int, float]
    broken: float

    @property
    def count(self) -> int:
        """Number of futures S."""
        return len(self.formulation.futures) - (self.formulation.scene.hard >= 0)

    @property
    def futures(self) -> tuple[Future, ...]:
        """The futures that are played."""
        return self.formulation.futures[: self.count]

    def acts(self) -> Iterator["Act"]:
        """All futures in their order, each act solved when it is asked for."""
        for begin in range(0, self.count, FUTURES_PER_ACT):
            yield _act(self, range(begin, min(begin + FUTURES_PER_ACT, self.count)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Some of a play's futures, F by `numbers`, and their answers: `second` (F, M) in accelerators, `row_dual` (F, R).

    `given_up` is the share of a source's part that is given up, by (place among the F, source, part).
    """

    play: Play
    numbers: range
    second: Vector
    row_dual: Vector
    given_up: Mapping[tuple[int, str, int], float]

    @property
    def formulation(self) -> Formulation:
        """The formulation that is played."""
        return self.play.formulation

    @property
    def futures(self) -> tuple[Future, ...]:
        """The futures of the act."""
        return self.formulation.futures[self.numbers.start : self.numbers.stop]


def sources_in_force(formulation: Formulation, first: Vector) -> dict[int, float]:
    """Columns whose source is held, with their units; a released lease counts as its release."""
    columns = formulation.choices.builder.columns
    released = {
        columns[i].subject
        for i in formulation.choices.sources
        if columns[i].kind is ColumnKind.RELEASE and first[i] > 0.5
    }
    return {
        i: float(round(first[i]))
        for i in formulation.choices.sources
        if first[i] > 0.5 and not (columns[i].kind is ColumnKind.HELD and columns[i].subject in released)
    }


def responder_of(formulation: Formulation) -> Responder:
    """Who answers first stages of a formulation; kept warm, it answers many of them."""
    problem, scene = formulation.problem, formulation.scene
    cost = problem.recourse.cost.copy()
    if scene.hard >= 0:
        # The base future keeps hard promises first, whatever that costs there.
        cost[0] += cost[scene.hard]
    return Responder(replace(problem.recourse, cost=cost))


def play(formulation: Formulation, first: Vector, responder: Responder | None = None) -> Play:
    """Answer a first stage (N,) in every future; `responder` is one of `responder_of`, if there is one already."""
    responder = responder or responder_of(formulation)
    hard, broken = formulation.scene.hard, 0.0
    if hard >= 0:
        answer = responder.respond(first, [hard], gated=True)[0]
        broken = answer.cost + float(formulation.problem.recourse.constant[hard])
    return Play(
        formulation=formulation,
        first=first,
        responder=responder,
        sources=sources_in_force(formulation, first),
        broken=broken,
    )


def _act(play: Play, numbers: range) -> Act:
    responses = play.responder.respond(play.first, numbers, gated=True)
    second = np.array([r.columns for r in responses]) * ACCELERATORS_PER_UNIT
    second[np.abs(second) < QUANTUM * ACCELERATORS_PER_UNIT] = 0.0
    return Act(
        play=play,
        numbers=numbers,
        second=second,
        row_dual=np.array([r.row_dual for r in responses]),
        given_up=_given_up(play, numbers, second),
    )


def source_capacity(formulation: Formulation, source: Source, future: Future) -> Vector:
    """Usable accelerators (T,) of one unit of a source in a future."""
    return brought(formulation.scene.clock, source, future)[0]


def _given_up(play: Play, numbers: range, second: Vector) -> dict[tuple[int, str, int], float]:
    """Share of a source's part that is given up, by (place, source, part): the least of its starts."""
    shares: dict[tuple[int, str, int], list[float]] = {}
    for use in play.formulation.uses:
        if use.kind is UseKind.GIVE_UP and play.first[use.column] > 0.5 and use.future in numbers:
            place = use.future - numbers.start
            share = second[place, use.start] / ACCELERATORS_PER_UNIT / round(play.first[use.column])
            shares.setdefault((place, use.subject, int(use.rate[0])), []).append(min(1.0, share))
    return {key: min(found) for key, found in shares.items() if min(found) > QUANTUM}


def uses_of(formulation: Formulation, kind: UseKind, subject: str | None = None) -> list[Use]:
    """The groups of second-stage columns of a kind, perhaps of one subject."""
    return [u for u in formulation.uses if u.kind is kind and subject in (None, u.subject)]
