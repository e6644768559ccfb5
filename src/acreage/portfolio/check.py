"""What only the whole portfolio can tell: gangs that fit nowhere, windows outside purchase rules."""

from collections.abc import Iterator

from acreage.domain.finding import Finding, Severity
from acreage.domain.lease import Offer
from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import PurchaseRule
from acreage.domain.surprises import EventKind, SupplierEvent
from acreage.domain.workload import Capability, PortState, TrainingRun
from acreage.portfolio.document import At
from acreage.portfolio.names import Names
from acreage.units.ids import PoolId
from acreage.units.instants import iso_date


def check_portfolio(portfolio: Portfolio, names: Names) -> Iterator[Finding]:
    """Doubts about a portfolio; raises `InputError` for what can never work."""
    for i, offer in enumerate(portfolio.offers):
        yield from _check_offer(portfolio, names, offer, ("offers", i))
    for i, workload in enumerate(portfolio.workloads):
        if isinstance(workload, TrainingRun):
            yield from _check_run(portfolio, names, workload, ("workloads", i))
            _check_gang(portfolio, names, workload, ("workloads", i))
    for i, event in enumerate(portfolio.uncertainty.events):
        yield from _check_event(portfolio, names, event, ("uncertainty", "events", i))


def _check_offer(portfolio: Portfolio, names: Names, offer: Offer, at: At) -> Iterator[Finding]:
    rule = next((r for r in portfolio.providers[offer.provider].purchase_rules if r.product == offer.product), None)
    if rule is not None:
        yield from _check_rule(portfolio, names, offer, rule, at)
    if offer.start_until_at < portfolio.as_of_at:
        names.wrong(
            f"the start window ends before the planning day {iso_date(portfolio.as_of_at)}",
            "move the window, or leave the offer out",
            (*at, "start"),
        )
    if offer.expires_at is not None and offer.expires_at < portfolio.as_of_at:
        yield _doubt(names, "lapsed", at, f"the offer lapsed on {iso_date(offer.expires_at)}; it will not be signed")
    if offer.start_from_at >= portfolio.periods[-1].until_at:
        yield _doubt(names, "beyond_horizon", at, "its start window begins after the horizon")


def _check_rule(portfolio: Portfolio, names: Names, offer: Offer, rule: PurchaseRule, at: At) -> Iterator[Finding]:
    if rule.lead_time_max is not None:
        last = rule.lead_time_max.after(portfolio.as_of_at)
        if offer.start_from_at > last:
            names.wrong(
                f"the start window begins after {iso_date(last)}, the last day {rule.product!r} can be bought for",
                f"start it at most {rule.lead_time_max} ahead",
                (*at, "start"),
            )
        if offer.start_until_at > last:
            yield _doubt(names, "lead_time", at, f"starts after {iso_date(last)} are left out: too far ahead")
    if rule.lead_time_min is not None and offer.start_until_at < rule.lead_time_min.after(portfolio.as_of_at):
        names.wrong(
            f"the start window ends before {rule.product!r} can be delivered ({rule.lead_time_min} ahead)",
            f"end it after {iso_date(rule.lead_time_min.after(portfolio.as_of_at))}",
            (*at, "start"),
        )
    start = offer.start_from_at
    if rule.term_min is not None and offer.term.after(start) < rule.term_min.after(start):
        names.wrong(f"the term is shorter than {rule.product!r} allows", f"at least {rule.term_min}", (*at, "term"))
    if rule.term_max is not None and offer.term.after(start) > rule.term_max.after(start):
        names.wrong(f"the term is longer than {rule.product!r} allows", f"at most {rule.term_max}", (*at, "term"))
    if rule.accelerators_max is not None and offer.blocks_min * offer.accelerators_per_block > rule.accelerators_max:
        names.wrong(
            f"{rule.product!r} is sold up to {rule.accelerators_max} accelerators at a time",
            "make the blocks smaller",
            (*at, "blocks"),
        )


def _check_run(portfolio: Portfolio, names: Names, run: TrainingRun, at: At) -> Iterator[Finding]:
    if run.deadline_at <= portfolio.as_of_at:
        day = iso_date(portfolio.as_of_at)
        names.wrong(f"the deadline is not after the planning day {day}", "leave out what is over", (*at, "deadline"))
    if run.deadline_at > portfolio.periods[-1].until_at:
        yield _doubt(names, "beyond_horizon", at, "its deadline is after the horizon; make the grid longer")


def _check_event(portfolio: Portfolio, names: Names, event: SupplierEvent, at: At) -> Iterator[Finding]:
    """A recall where nothing can be taken back changes nothing."""
    rights = {lease.pool for lease in portfolio.leases if lease.terms.recall is not None}
    rights |= {offer.pool for offer in portfolio.offers if offer.terms.recall is not None}
    if event.kind is EventKind.RECALL and not rights.intersection(event.pools):
        yield _doubt(names, "no_recall_right", at, "no lease or offer there has a recall right; it changes nothing")


def _check_gang(portfolio: Portfolio, names: Names, run: TrainingRun, at: At) -> None:
    """Raise an error for a gang that no eligible pool could ever hold."""
    if all(c.gang_min <= 1 for c in run.capabilities):
        return
    sizes = {}
    for pool in portfolio.pools.values():
        capability = _usable(run, pool.accelerator)
        if capability is None or (run.pools and pool.id not in run.pools):
            continue
        most = _most(portfolio, pool.id)
        if pool.fabric_accelerators_max is not None:
            most = min(most, pool.fabric_accelerators_max)
        if most >= capability.gang_min:
            return
        sizes[pool.id] = (most, capability.gang_min)
    if not sizes:
        names.wrong("no pool it may use has a chip it runs on", "add a pool or a capability", at)
    largest = max(sizes, key=lambda pool: sizes[pool][0] / sizes[pool][1])
    most, needed = sizes[largest]
    names.wrong(
        f"its gang fits no pool: the best is {largest} with at most {most:,} accelerators for a gang of {needed:,}",
        "lower gang_min, or add an offer or lease that makes a pool large enough",
        at,
    )


def _usable(run: TrainingRun, accelerator: str) -> Capability | None:
    return next(
        (c for c in run.capabilities if c.accelerator == accelerator and c.port_state is not PortState.NO), None
    )


def _most(portfolio: Portfolio, pool_id: PoolId) -> int:
    """Most usable accelerators a pool could ever hold: held, offered and by the hour."""
    held = sum(
        sum(d.accelerators for d in lease.deliveries if d.accelerators > 0) * (1 - lease.terms.sparing_frac)
        for lease in portfolio.leases
        if lease.pool == pool_id
    )
    offered = sum(
        offer.blocks_max * offer.accelerators_per_block * (1 - offer.terms.sparing_frac)
        for offer in portfolio.offers
        if offer.pool == pool_id
    )
    pool = portfolio.pools[pool_id]
    hourly = sum(access.accelerators_max for access in (pool.on_demand, pool.spot) if access is not None)
    return int(held + offered + hourly)


def _doubt(names: Names, rule: str, at: At, message: str) -> Finding:
    place = names.document.place(at)
    return Finding(
        severity=Severity.WARNING,
        rule=rule,
        source=place.file,
        row=str(place.line or ""),
        subject=place.field,
        message=message,
    )
