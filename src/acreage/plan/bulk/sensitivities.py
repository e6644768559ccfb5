"""What the best plan would cost if a price, a date, a demand or the market were another, one at a time.

A price moves one offer alone. Later deliveries, demand and the market move in every future, the base one included, so
that promises must hold then too; where none can, they are set aside and the answer says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.bulk import Lever, Sensitivity
from acreage.domain.future import Future
from acreage.domain.lease import Offer
from acreage.domain.plan import OfferVerdict, Range
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import ResearchShare, ServingFleet, TrainingRun
from acreage.plan.bulk.asked import Pending
from acreage.plan.bulk.differences import decision_changes
from acreage.plan.bulk.inquiry import Inquiry, difference
from acreage.plan.decide import decision_of
from acreage.plan.formulate.formulate import Formulation, formulate
from acreage.plan.price_line import PriceLine
from acreage.plan.session import Session, Solved, carried, without_promises
from acreage.units.ids import OfferId, ProviderId

SIGNED_STEPS, UNSIGNED_STEPS = (-0.10, -0.05, 0.05, 0.10), (-0.05, -0.10)
LATER_DAYS = (30, 60, 90)
DEMAND_STEPS = (-0.10, 0.10)
MARKET_FACTORS = (0.5, 2.0)
TRAINING = "training runs"
ALL_POOLS = "all pools"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One lever moved by one step; the formulation in which it is.

    `dearer` tells that the best cost cannot fall by it (False: cannot rise, None: either). That is so for prices, for
    limits by the hour and for demand: whatever serves more demand serves less as well.
    """

    lever: Lever
    subject: str
    change: str
    step: float
    there: Formulation
    dearer: bool | None


def price_sensitivities(inquiry: Inquiry, offer: Offer, verdict: OfferVerdict | None) -> tuple[Sensitivity, ...]:
    """An offer at other prices: a signed one dearer and cheaper, another one cheaper.

    An offer whose walk-away price is proven to lie below the changed one stays out: that needs no solve.
    """
    line = PriceLine(inquiry.session, OfferId(offer.id))
    signed = inquiry.best.blocks_of(offer.id) > 0
    found = []
    for step in SIGNED_STEPS if signed else UNSIGNED_STEPS:
        known = None if signed else _stays_out(inquiry, offer, verdict, step)
        if known is not None:
            found.append(known)
            continue
        there = line.at(1.0 + step)
        change = f"price {step:+.0%}"
        moved = Moved(lever=Lever.PRICE, subject=offer.id, change=change, step=step, there=there, dearer=step > 0)
        found.append(answer(inquiry, moved))
    return tuple(found)


def _stays_out(inquiry: Inquiry, offer: Offer, verdict: OfferVerdict | None, step: float) -> Sensitivity | None:
    walk = verdict.walk_away_usd_per_accelerator_hour if verdict is not None else None
    if verdict is None or walk is None or walk.high >= verdict.asked_usd_per_accelerator_hour * (1.0 + step):
        return None
    now = inquiry.best.range_usd
    kept = ", other contracts as planned" if verdict.others_kept else ""
    return Sensitivity(
        lever=Lever.PRICE,
        subject=offer.id,
        change=f"price {step:+.0%}",
        step=step,
        extra_usd=Range(low=now.low - now.high, found=0.0, high=0.0),
        changes=(),
        note=f"it enters the plan at ${walk.high:,.2f} at most{kept}",
    )


def delivery_sensitivities(
    inquiry: Inquiry, provider: ProviderId, pending: tuple[Pending, ...]
) -> tuple[Sensitivity, ...]:
    """Every delivery of a provider later by some days in every future."""
    mine = [one for one in pending if one.provider == provider]
    found = []
    for days in LATER_DAYS:
        futures = tuple(_later(future, mine, days) for future in inquiry.session.futures)
        there = _with_later(inquiry.session, futures, mine)
        change = f"deliveries {days} days later"
        moved = Moved(lever=Lever.DELIVERY, subject=provider, change=change, step=float(days), there=there, dearer=None)
        found.append(answer(inquiry, moved))
    return tuple(found)


def _later(future: Future, pending: list[Pending], days: int) -> Future:
    keys = {(one.source, one.index) for one in pending}
    later = {key: future.delay_days.get(key, 0) + days for key in keys}
    return replace(future, delay_days={**future.delay_days, **later})


def _with_later(session: Session, futures: tuple[Future, ...], pending: list[Pending]) -> Formulation:
    """The formulation of later deliveries.

    Where later means that more may be given up, the layout must have room for it, and is not the plan's.
    """
    portfolio, sources = session.portfolio, {one.source for one in pending}
    limits = [t.terminable_after_days for o in portfolio.offers if o.id in sources for t in o.tranches]
    limits += [d.terminable_after_days for lease in portfolio.leases if lease.id in sources for d in lease.deliveries]
    if any(days is not None for days in limits):
        return formulate(portfolio, futures, session.demand)
    return session.formulation(futures=futures)


def demand_sensitivities(inquiry: Inquiry, family: str) -> tuple[Sensitivity, ...]:
    """The demand of a family of workloads, or the work of all training runs, smaller and larger."""
    found = []
    for step in DEMAND_STEPS:
        there = _with_demand(inquiry.session, family, 1.0 + step)
        change = f"{'work' if family == TRAINING else 'demand'} {step:+.0%}"
        moved = Moved(lever=Lever.DEMAND, subject=family, change=change, step=step, there=there, dearer=step > 0)
        found.append(answer(inquiry, moved))
    return tuple(found)


def families(portfolio: Portfolio) -> tuple[str, ...]:
    """Families of serving fleets, research shares by their own names, and training runs all together."""
    names = dict.fromkeys(family_of(w) for w in portfolio.workloads)
    return tuple(names)


def family_of(workload: ServingFleet | ResearchShare | TrainingRun) -> str:
    """What a workload's demand moves with."""
    if isinstance(workload, TrainingRun):
        return TRAINING
    return (workload.family if isinstance(workload, ServingFleet) else "") or workload.id


def _with_demand(session: Session, family: str, factor: float) -> Formulation:
    mine = {w.id for w in session.portfolio.workloads if family_of(w) == family}
    if family != TRAINING:
        demand = {key: series * (factor if key in mine else 1.0) for key, series in session.demand.items()}
        return formulate(session.portfolio, session.futures, demand, like=session.base)
    workloads = tuple(
        replace(w, work=w.work * factor) if isinstance(w, TrainingRun) else w for w in session.portfolio.workloads
    )
    return session.formulation(replace(session.portfolio, workloads=workloads))


def market_sensitivities(inquiry: Inquiry, lever: Lever) -> tuple[Sensitivity, ...]:
    """Prices by the hour, or how much is sold by the hour, halved and doubled in every future."""
    session = inquiry.session
    what = "price by the hour" if lever is Lever.MARKET_PRICE else "limit by the hour"
    found = []
    for factor in MARKET_FACTORS:
        futures = tuple(_with_market(future, session.portfolio, lever, factor) for future in session.futures)
        there, change = session.formulation(futures=futures), f"{what} x{factor:g}"
        dearer = (factor > 1.0) is (lever is Lever.MARKET_PRICE)
        moved = Moved(lever=lever, subject=ALL_POOLS, change=change, step=factor, there=there, dearer=dearer)
        found.append(answer(inquiry, moved))
    return tuple(found)


def _with_market(future: Future, portfolio: Portfolio, lever: Lever, factor: float) -> Future:
    is_price = lever is Lever.MARKET_PRICE
    known = future.price_factor if is_price else future.limit_factor
    neutral = np.ones(len(portfolio.periods))
    moved = {pool: np.asarray(known.get(pool, neutral)) * factor for pool in portfolio.pools}
    return replace(future, price_factor=moved) if is_price else replace(future, limit_factor=moved)


def answer(inquiry: Inquiry, moved: Moved) -> Sensitivity:
    """The best plan with one lever moved, beside the plan."""
    best, there = inquiry.best, moved.there
    start = carried(best.solution.first, best.formulation, there)
    solved, note = inquiry.solve(there, start), ""
    if solved is None and there.scene.hard >= 0:
        solved = inquiry.solve(without_promises(there), start)
        note = "promises set aside, as no plan keeps them"
    if solved is None:
        return _sensitivity(moved, None, (), "no plan keeps every rule then")
    before = decision_of(best.formulation, best.solution.first)
    after = decision_of(solved.formulation, solved.solution.first)
    extra = _one_sided(difference(solved.range_usd, best.range_usd), best.range_usd, moved.dearer)
    return _sensitivity(moved, extra, decision_changes(before, after), note)


def _one_sided(extra: Range, now: Range, dearer: bool | None) -> Range:
    """A difference that can only go one way goes the other way by no more than the plan's own gap."""
    gap = now.high - now.low
    if dearer is True:
        return replace(extra, low=max(extra.low, min(-gap, extra.found)))
    if dearer is False:
        return replace(extra, high=min(extra.high, max(gap, extra.found)))
    return extra


def _sensitivity(moved: Moved, extra: Range | None, changes: tuple[str, ...], note: str) -> Sensitivity:
    return Sensitivity(
        lever=moved.lever,
        subject=moved.subject,
        change=moved.change,
        step=moved.step,
        extra_usd=extra,
        changes=changes,
        note=note,
    )


def slipping_providers(portfolio: Portfolio, best: Solved, pending: tuple[Pending, ...]) -> tuple[ProviderId, ...]:
    """Providers that something is still to come from: signed in the plan, or held."""
    return tuple(dict.fromkeys(one.provider for one in to_come(portfolio, best, pending)))


def to_come(portfolio: Portfolio, best: Solved, pending: Sequence[Pending]) -> tuple[Pending, ...]:
    """The deliveries that may slip of what is held or signed in the plan."""
    offers = {str(offer.id): offer.id for offer in portfolio.offers}
    return tuple(one for one in pending if one.source not in offers or best.blocks_of(offers[one.source]) > 0)
