"""A portfolio and its futures as a `PlanProblem`, with the index that leads back to the words."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acreage.domain.future import Future
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import ResearchShare, ServingFleet
from acreage.plan.formulate.blocks import common_blocks
from acreage.plan.formulate.capacity import Clock
from acreage.plan.formulate.costs import define_budgets, first_costs
from acreage.plan.formulate.fates import FateBook
from acreage.plan.formulate.first_stage import Choices, lay_out
from acreage.plan.formulate.layout import RecourseBuilder, Use
from acreage.plan.formulate.money import (
    Pledge,
    agreement_of_lease,
    agreement_of_variant,
    pledges_of,
)
from acreage.plan.formulate.pledged import define_pledged
from acreage.plan.formulate.recourse import (
    HARD_FUTURE,
    Scene,
    define_capacity,
    define_market,
    define_research,
    define_serving,
    make_scene,
)
from acreage.plan.formulate.supply import define_supply
from acreage.plan.formulate.training import define_training
from acreage.plan.formulate.till import Till
from acreage.plan.problem import PlanProblem, Vector
from acreage.pricing.invoice import Agreement
from acreage.units.ids import LeaseId, PoolId, WorkloadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Formulation:
    """The problem and what its columns mean.

    `futures` are those of the problem, in order; the last one is the hard future if there is
    one (`scene.hard`). `uses` are the groups of second-stage columns, `agreements` the
    contracts behind HELD, RELEASE and BLOCKS columns.
    """

    portfolio: Portfolio
    futures: tuple[Future, ...]
    problem: PlanProblem
    scene: Scene
    uses: tuple[Use, ...]
    agreements: Mapping[int, Agreement]
    pledges: tuple[Pledge, ...]
    rules: tuple[str, ...]
    pool_rows: Mapping[PoolId, int]
    till: Till

    @property
    def choices(self) -> Choices:
        """The first stage's layout."""
        return self.scene.choices


def formulate(
    portfolio: Portfolio,
    futures: tuple[Future, ...],
    demand: Mapping[WorkloadId, Vector],
    *,
    waived: frozenset[str] = frozenset(),
    like: Formulation | None = None,
) -> Formulation:
    """Build the problem of docs/why/the-model.md.

    What was priced for a formulation of the same policy, `like`, is not priced again.

    `demand` is the base demand (T,) of every serving fleet and research share; `waived`
    names held leases whose exclusivity, first refusal and most-favored clauses are set aside.
    """
    clock = (
        like.scene.clock
        if like is not None and like.portfolio.periods is portfolio.periods
        else Clock(portfolio.periods)
    )
    choices = lay_out(portfolio, clock, demand, waived)
    hard = len(futures) if any(w.must for w in portfolio.workloads) else -1
    played = (*futures, _hard_future(futures[0])) if hard >= 0 else futures
    fates = like.scene.fates if like is not None and _are_same(like.futures, played) else FateBook(played)
    scene = make_scene(portfolio, fates, clock, choices, common_blocks(portfolio), demand, hard)
    pledges = pledges_of(portfolio)
    agreements = _agreements(portfolio, choices)
    till = Till(portfolio, pledges)
    if like is not None and like.portfolio.policy is portfolio.policy and like.pledges == pledges:
        agreements = _shared(agreements, choices, like)
        till.know(like.till)
    builder = RecourseBuilder(len(played), hard)
    pool_rows, constant = _define_work(builder, scene)
    define_supply(builder, scene, pool_rows, till, agreements)
    define_pledged(builder, scene, pledges, till, agreements)
    cost = first_costs(scene, till, agreements)
    define_budgets(choices.builder, scene, agreements)
    problem = PlanProblem(
        first=choices.builder.build(cost),
        recourse=builder.build(len(choices.builder.columns), constant),
        probability=np.array([0.0 if f.name == HARD_FUTURE else f.probability for f in played]),
        anchor_weight=np.array([float(s == hard) for s in range(len(played))]),
        risk_weight=portfolio.policy.risk.weight_frac,
        risk_tail=portfolio.policy.risk.tail_frac,
    )
    return Formulation(
        portfolio=portfolio,
        futures=fates.futures,
        problem=problem,
        scene=scene,
        uses=tuple(builder.uses),
        agreements=agreements,
        pledges=pledges,
        rules=tuple(choices.builder.rules),
        pool_rows=pool_rows,
        till=till,
    )


def _shared(agreements: dict[int, Agreement], choices: Choices, like: Formulation) -> dict[int, Agreement]:
    """The agreements, those that equal one of a like formulation replaced by it."""
    known = {like.choices.builder.columns[number].name: found for number, found in like.agreements.items()}
    shared = {}
    for number, agreement in agreements.items():
        twin = known.get(choices.builder.columns[number].name)
        shared[number] = twin if twin is not None and twin.terms is agreement.terms and twin == agreement else agreement
    return shared


def _are_same(known: tuple[Future, ...], wanted: tuple[Future, ...]) -> bool:
    """Whether futures are the very same; the hard one is made anew from the first."""
    return len(known) == len(wanted) and all(
        a is b or a.name == b.name == HARD_FUTURE for a, b in zip(known, wanted, strict=True)
    )


def _hard_future(base: Future) -> Future:
    return Future(
        name=HARD_FUTURE,
        probability=0.0,
        demand_factor=base.demand_factor,
        work_factor=base.work_factor,
        delay_days=base.delay_days,
        price_factor=base.price_factor,
        limit_factor=base.limit_factor,
        outages=base.outages,
        recalled_at=base.recalled_at,
    )


def _agreements(portfolio: Portfolio, choices: Choices) -> dict[int, Agreement]:
    leases = {lease.id: lease for lease in portfolio.leases}
    found = {}
    for number, source in choices.sources.items():
        column = choices.builder.columns[number]
        if column.variant is not None:
            found[number] = agreement_of_variant(column.variant, source, portfolio.as_of_at)
        else:
            found[number] = agreement_of_lease(leases[LeaseId(column.subject)], source)
    return found


def _define_work(builder: RecourseBuilder, scene: Scene) -> tuple[dict[PoolId, int], Vector]:
    """Capacity rows, markets and everything that wants accelerators; the constants of the futures."""
    pool_rows = define_capacity(builder, scene)
    constant = np.zeros(len(scene.futures))
    define_market(builder, scene, pool_rows)
    for workload in scene.portfolio.workloads:
        if isinstance(workload, ServingFleet):
            define_serving(builder, scene, pool_rows, workload)
        elif isinstance(workload, ResearchShare):
            define_research(builder, scene, pool_rows, workload)
        else:
            constant += define_training(builder, scene, pool_rows, workload)
    return pool_rows, constant
