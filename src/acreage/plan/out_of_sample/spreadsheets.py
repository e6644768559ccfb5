"""What a spreadsheet would sign: one future instead of many, the cheapest hours first, all from one supplier, nothing.

Plans for one future are solved as well as they can be: what is compared is what is planned for, not how well.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from acreage.domain.evaluation import Way
from acreage.domain.future import Future
from acreage.domain.plan import Decision
from acreage.domain.portfolio import Portfolio
from acreage.plan.decide import decision_of, first_stage_of
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.out_of_sample.cheapest import cheapest_first
from acreage.plan.out_of_sample.mean_future import mean_future
from acreage.plan.planner import Step, Tell
from acreage.plan.problem import Infeasible, Vector
from acreage.plan.session import Change, Session, Solved, without_caps
from acreage.units.ids import ProviderId, WorkloadId

SPREADSHEET_GAP_FRAC = 2e-3
"""A spreadsheet's plan for its one future is proven to this gap: finer than any difference that 200 futures show."""

MEAN = 1
"""Number of the mean future in the problem that plans on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A decision to be compared with the plan."""

    way: Way
    note: str
    decision: Decision


def rivals(
    portfolio: Portfolio,
    futures: tuple[Future, ...],
    demand: Mapping[WorkloadId, Vector],
    no_new_lease: Decision,
    tell: Tell,
) -> tuple[Rival, ...]:
    """Every spreadsheet plan; `futures` are those of the plan, the base first."""
    base, mean = replace(futures[0], probability=1.0), mean_future(futures, portfolio)
    on_mean = _session(portfolio, (replace(base, probability=0.0), mean), demand)
    on_base = _session(portfolio, (base,), demand)
    incumbent = incumbent_of(portfolio)
    others = frozenset(offer.id for offer in portfolio.offers if offer.provider != incumbent)
    tell(Step(stage="the plan for the mean future", done=0, total=4))
    averaged = _best(on_mean, Change())
    tell(Step(stage="the plan without a surprise", done=1, total=4))
    unsurprised = _best(on_base, Change())
    tell(Step(stage=f"the plan with {incumbent} alone", done=2, total=4))
    loyal = _best(on_mean, Change(barred=others))
    tell(Step(stage="the cheapest offers first", done=3, total=4))
    # A sheet decides contracts; where runs live and what is ported is then chosen as well as it can be.
    cheap = _best(on_mean, Change(kept=first_stage_of(on_mean.base, cheapest_first(on_mean.base, MEAN))))
    return (
        Rival(way=Way.MEAN_FUTURE, note="the best plan for the mean of the plan's futures", decision=averaged),
        Rival(
            way=Way.NO_SURPRISE,
            note="the best plan if all is delivered on time and demand is base",
            decision=unsurprised,
        ),
        Rival(
            way=Way.CHEAPEST_FIRST,
            note="offers by price per accelerator-hour until mean demand is covered",
            decision=cheap,
        ),
        Rival(
            way=Way.INCUMBENT,
            note=f"the best plan for the mean future with new leases from {incumbent} alone",
            decision=loyal,
        ),
        Rival(way=Way.NO_NEW_LEASE, note="the best plan without any new lease", decision=no_new_lease),
    )


def _session(portfolio: Portfolio, futures: tuple[Future, ...], demand: Mapping[WorkloadId, Vector]) -> Session:
    return Session(
        portfolio=portfolio, futures=futures, demand=demand, engine=WholeEngine(), gap_frac=SPREADSHEET_GAP_FRAC
    )


def _best(session: Session, change: Change) -> Decision:
    """The best decision for a session's one future; rules that it cannot keep so are set aside."""
    found: Solved
    try:
        found = session.solve(change)
    except Infeasible:
        found = session.solve(change, session.formulation(without_caps(session.portfolio)))
    return decision_of(found.formulation, found.solution.first)


def incumbent_of(portfolio: Portfolio) -> ProviderId:
    """The provider of whom most accelerators are held, or who offers most where nothing is held."""
    sizes = Counter[ProviderId]()
    for lease in portfolio.leases:
        sizes[lease.provider] += sum(delivery.accelerators for delivery in lease.deliveries)
    if not sizes:
        for offer in portfolio.offers:
            sizes[offer.provider] += offer.blocks_max * offer.accelerators_per_block
    if not sizes:
        return min(portfolio.providers)
    return min(sizes, key=lambda provider: (-sizes[provider], provider))
