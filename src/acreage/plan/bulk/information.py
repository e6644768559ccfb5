"""What knowing something today would be worth: the plan against one plan for each thing that could be learned.

Futures are split into groups by what would be known; each group is solved with its conditional probabilities. The value
is (Raiffa and Schlaifer, Applied Statistical Decision Theory, 1961; Birge and Louveaux, Introduction to Stochastic
Programming, 2011, chapter 4)

    rho(plan) - sum over groups of p_k min rho_k,

rho_k being the same mix of expectation and CVaR over the group's own futures. CVaR is concave in the distribution
(a minimum over q of expectations), so rho is no less than the sum of the p_k rho_k of the same plan: the value is never
negative, and with a weight on risk part of it is there whatever is decided. `deciding_usd` leaves that part out:

    sum over groups of p_k (rho_k(plan) - rho_k(the group's best)).

The fewer futures a group has, the better its plan fits them alone, which shows as value: a split by chance tells how
much.
"""

from collections.abc import Sequence

import numpy as np

from acreage.domain.bulk import FutureGroup, Information, Knowledge
from acreage.domain.future import Future
from acreage.domain.plan import Range
from acreage.plan.bulk.asked import Pending
from acreage.plan.bulk.groups import Group, by_chance, by_lateness, conditional, thirds
from acreage.plan.bulk.inquiry import Inquiry, objective_over, over, signed_in
from acreage.plan.bulk.sensitivities import family_of
from acreage.plan.problem import Vector
from acreage.plan.session import Solved
from acreage.units.ids import WorkloadId

FORESEEN_MAX = 40
"""Futures solved by themselves at most: of more, some of each cost stand for the others."""


def of_delivery(inquiry: Inquiry, pending: Pending) -> Information | None:
    """What knowing how late one delivery comes is worth; None where that is the same in every future."""
    days = np.array([float(f.delay_days.get((pending.source, pending.index), 0)) for f in futures_of(inquiry)])
    groups = by_lateness(days, probability_of(inquiry))
    parts = len(_parts(inquiry, pending.source))
    part = f", part {pending.index + 1} of {parts}" if parts > 1 else ""
    return _value(inquiry, Knowledge.DELIVERY, f"{pending.source}{part}", groups)


def _parts(inquiry: Inquiry, source: str) -> Sequence[object]:
    portfolio = inquiry.session.portfolio
    offers = [offer.tranches for offer in portfolio.offers if offer.id == source]
    return offers[0] if offers else next(lease.deliveries for lease in portfolio.leases if lease.id == source)


def of_demand(inquiry: Inquiry, family: str) -> Information | None:
    """What knowing the final demand of a family is worth, to within a third; None where it is certain."""
    session = inquiry.session
    mine = [w.id for w in session.portfolio.workloads if w.id in session.demand and family_of(w) == family]
    final = np.array([sum(_final(f, key, session.demand[key]) for key in mine) for f in futures_of(inquiry)])
    base = sum(float(session.demand[key][_last(session.demand[key])]) for key in mine)
    if not base:
        return None
    groups = [
        Group(name=f"demand x{final[g].min() / base:.2f} to x{final[g].max() / base:.2f}", futures=g)
        for g in thirds(np.round(final / base, 9), probability_of(inquiry))
    ]
    return _value(inquiry, Knowledge.DEMAND, family, groups)


def _last(series: Vector) -> int:
    """The last period in which there is any demand."""
    return int(np.flatnonzero(series)[-1]) if series.any() else len(series) - 1


def _final(future: Future, workload: WorkloadId, demand: Vector) -> float:
    last = _last(demand)
    factor = future.demand_factor.get(workload)
    return float(demand[last] * (factor[last] if factor is not None else 1.0))


def of_chance(inquiry: Inquiry, seed: int) -> Information | None:
    """What a split of the futures that says nothing seems to be worth."""
    return _value(inquiry, Knowledge.CHANCE, "a split by chance", by_chance(probability_of(inquiry), seed))


def of_everything(inquiry: Inquiry) -> Information:
    """What knowing the future is worth: each future solved by itself (at most `FORESEEN_MAX`, spread over the costs).

    Its own cost is all there is to a single future, so CVaR plays no part in it.
    """
    probability, best = probability_of(inquiry), inquiry.best
    weights = _sampled(best.costs_usd, probability)
    costs, bounds, deciding = 0.0, 0.0, 0.0
    for s in np.flatnonzero(weights):
        _, alone = conditional(probability, np.array([s]))
        solved = _solved(inquiry, alone)
        costs += float(weights[s]) * solved.range_usd.found
        bounds += float(weights[s]) * solved.range_usd.low
        deciding += float(weights[s]) * max(0.0, float(best.costs_usd[s]) - solved.range_usd.found)
    # With every future solved this is rho(plan) - sum of p_s cost_s; else the mean saving over those solved.
    risk = best.range_usd.found - float(probability @ best.costs_usd)
    mean = float(weights @ np.where(weights > 0.0, best.costs_usd, 0.0))
    gap = best.range_usd.high - best.range_usd.low
    found = max(0.0, risk + mean - costs)
    return Information(
        about=Knowledge.EVERYTHING,
        subject="every future",
        value_usd=Range(low=max(0.0, found - gap), found=found, high=max(found, risk + mean - bounds)),
        deciding_usd=deciding,
        groups=(),
        solved_futures=int((weights > 0.0).sum()),
    )


def _sampled(costs: Vector, probability: Vector) -> Vector:
    """Weights (S,) of the futures to solve: all, or the middle one of each slice of probability by cost."""
    kept = np.flatnonzero(probability > 0.0)
    if len(kept) <= FORESEEN_MAX:
        return probability
    order = kept[np.argsort(costs[kept], kind="stable")]
    middles = np.cumsum(probability[order]) - probability[order] / 2.0
    weights = np.zeros(len(probability))
    for slice_ in range(FORESEEN_MAX):
        at = int(np.searchsorted(middles, (slice_ + 0.5) / FORESEEN_MAX))
        weights[order[min(at, len(order) - 1)]] += 1.0 / FORESEEN_MAX
    return weights


def _value(inquiry: Inquiry, about: Knowledge, subject: str, groups: Sequence[Group]) -> Information | None:
    if len(groups) < 2:
        return None
    best, probability = inquiry.best, probability_of(inquiry)
    shown, deciding = [], 0.0
    for group in groups:
        mass, within = conditional(probability, group.futures)
        solved = _solved(inquiry, within)
        shown.append(group_of(group, mass, solved))
        deciding += mass * (objective_over(best.costs_usd, within, best.formulation.problem) - solved.range_usd.found)
    return Information(
        about=about,
        subject=subject,
        value_usd=saving(best.range_usd, shown, shown),
        deciding_usd=max(0.0, deciding),
        groups=tuple(shown),
        solved_futures=sum(group.futures for group in shown),
    )


def saving(now: Range, found: Sequence[FutureGroup], least: Sequence[FutureGroup]) -> Range:
    """What the groups' plans `found` save against the plan; never less than nothing, as they may decide as it does.

    At most it is what the bounds of the groups `least` leave.
    """
    high = sum(group.probability_frac * group.cost_usd.high for group in found)
    low = sum(group.probability_frac * group.cost_usd.low for group in least)
    saved = max(0.0, now.found - high)
    return Range(low=max(0.0, now.low - high), found=saved, high=max(saved, now.high - low))


def group_of(group: Group, mass: float, solved: Solved) -> FutureGroup:
    """A group with the best plan found for it."""
    return FutureGroup(
        name=group.name,
        futures=len(group.futures),
        probability_frac=mass,
        cost_usd=solved.range_usd,
        signed=signed_in(solved),
    )


def _solved(inquiry: Inquiry, within: Vector) -> Solved:
    solved = inquiry.solve(over(inquiry.best.formulation, within), inquiry.best.solution.first)
    assert solved is not None, "the plan keeps every rule whatever futures there are"
    return solved


def probability_of(inquiry: Inquiry) -> Vector:
    """The probability (S,) of each future of the problem; that of hard promises has none."""
    return inquiry.best.formulation.problem.probability


def futures_of(inquiry: Inquiry) -> tuple[Future, ...]:
    """The futures of the problem, in order."""
    return inquiry.best.formulation.futures
