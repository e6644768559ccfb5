"""Play a first stage out in every future: the second stage solved once more, honestly, and tidied.

Tidying recomputes what follows from use (unmet demand,
shortfalls) in plain arithmetic, so that solver tolerances do not show.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from acreage.plan.engines.responses import Responder
from acreage.plan.formulate.capacity import Source, brought
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import ColumnKind, Use, UseKind
from acreage.plan.problem import ACCELERATORS_PER_UNIT, Vector

QUANTUM = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A first stage and its answers: `second` (S, M) in accelerators, `row_dual` (S, R).

    `sources` are the sources in force by column with their units (blocks, or 1 for leases);
    futures are those of the formulation without the hard one. `broken` is the cost of
    hard promises that cannot be kept, 0 if all are.
    """

    formulation: Formulation
    first: Vector
    sources: Mapping[int, float]
    second: Vector
    row_dual: Vector
    given_up: Mapping[tuple[int, str, int], float]
    broken: float


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
    cost = problem.recourse.cost
    if scene.hard >= 0:
        # The base future keeps hard promises first, whatever that costs there.
        cost = replace(cost, rows={**cost.rows, 0: cost[0] + cost[scene.hard]})
    return Responder(replace(problem.recourse, cost=cost))


def play(formulation: Formulation, first: Vector, responder: Responder | None = None) -> Play:
    """Answer a first stage (N,) in every future; `responder` is one of `responder_of`, if there is one already."""
    problem, scene = formulation.problem, formulation.scene
    count = len(formulation.futures) - (scene.hard >= 0)
    responder = responder or responder_of(formulation)
    sources = sources_in_force(formulation, first)
    every = range(len(formulation.futures))
    responses = responder.respond(first, every, gated=True)
    second = np.array([r.columns for r in responses[:count]]) * ACCELERATORS_PER_UNIT
    second[np.abs(second) < QUANTUM * ACCELERATORS_PER_UNIT] = 0.0
    broken = 0.0
    if scene.hard >= 0:
        broken = responses[scene.hard].cost + float(problem.recourse.constant[scene.hard])
    return Play(
        formulation=formulation,
        first=first,
        sources=sources,
        second=second,
        row_dual=np.array([r.row_dual for r in responses[:count]]),
        given_up=_given_up(formulation, first, second),
        broken=broken,
    )


def source_capacity(formulation: Formulation, source: Source, future: int) -> Vector:
    """Usable accelerators (T,) of one unit of a source in a future."""
    scene = formulation.scene
    return brought(scene.clock, source, scene.futures[future])[0]


def _given_up(formulation: Formulation, first: Vector, second: Vector) -> dict[tuple[int, str, int], float]:
    """Share of a source's part that is given up, by (future, source, part): the least of its starts."""
    shares: dict[tuple[int, str, int], list[float]] = {}
    for use in uses_of(formulation, UseKind.GIVE_UP):
        if first[use.column] > 0.5:
            given = second[:, use.start] / ACCELERATORS_PER_UNIT / round(first[use.column])
            for s, share in enumerate(np.minimum(given, 1.0).tolist()):
                shares.setdefault((s, use.subject, int(use.rate[0])), []).append(share)
    return {key: min(found) for key, found in shares.items() if min(found) > QUANTUM}


def uses_of(formulation: Formulation, kind: UseKind, subject: str | None = None) -> list[Use]:
    """The groups of second-stage columns of a kind, perhaps of one subject."""
    return [u for u in formulation.uses if u.kind is kind and subject in (None, u.subject)]
