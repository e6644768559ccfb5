"""The audit of a run: balances, capacity, promises and dealings, checked on books made from its events alone."""

from collections import Counter
from collections.abc import Iterator

from acreage.domain.finding import Finding, Severity
from acreage.domain.market_world import MILLI, World, may_lease
from acreage.sim.books import Books, books_of
from acreage.sim.events import Where
from acreage.sim.kernel import Run
from acreage.units.ids import LesseeName


class AuditFailure(Exception):
    """A run whose events do not add up; a defect of the simulation, never of the world."""

    def __init__(self, run: Run, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        first = findings[0]
        super().__init__(
            f"seed {run.seed}, replication {run.replication}: {len(findings)} findings, "
            f"the first: {first.rule}: {first.subject}: {first.message}"
        )


def audited(world: World, run: Run) -> Books:
    """The books of a run that passes its audit; raises `AuditFailure` for one that does not."""
    books = books_of(world, run.events)
    findings = tuple(audit(world, run, books))
    if findings:
        raise AuditFailure(run, findings)
    return books


def audit(world: World, run: Run, books: Books) -> Iterator[Finding]:
    """Everything that does not add up."""
    yield from _deliveries(world, books)
    yield from _promises(world, books)
    yield from _leases(world, books)
    yield from _sales(world, books)
    yield from _accounts(run, books)
    yield from _shortages(world, run, books)


def _deliveries(world: World, books: Books) -> Iterator[Finding]:
    """No pool gives out more than it has, so that each accelerator-hour is delivered by exactly one cloud."""
    for (tick, where), taken in books.taken(world).items():
        if taken > books.capacity[tick, where]:
            message = f"{taken:,} accelerators are out, {books.capacity[tick, where]:,} are there"
            yield _found("capacity", _at(tick, where), message)


def _promises(world: World, books: Books) -> Iterator[Finding]:
    """An anchor is given what it calls, up to its right and to what firm leases leave."""
    leased: Counter[tuple[int, Where]] = Counter()
    for (tick, _, where), accelerators in books.leased.items():
        leased[tick, where] += accelerators
    for call in books.calls:
        subject = _at(call.tick, call.where)
        left = books.capacity[call.tick, call.where] - leased[call.tick, call.where]
        if call.delivered != min(call.called, left):
            yield _found("anchor", subject, f"{call.delivered:,} delivered of {call.called:,}, {left:,} were left")
        if not 0 <= call.called <= call.right:
            yield _found("anchor", subject, f"{call.called:,} called of a right to {call.right:,}")


def _leases(world: World, books: Books) -> Iterator[Finding]:
    """Leases are of one pool each, between parties that deal, at no less than the floor and no more than worth."""
    labs = {lab.name: lab for lab in world.labs}
    for name, times in Counter(lease.lease for lease in books.leases).items():
        if times > 1:
            yield _found("lease", name, f"{times} leases of one name")
    for lease in books.leases:
        if lease.accelerators <= 0 or lease.until_tick <= lease.from_tick:
            yield _found("lease", lease.lease, "it is of nothing")
        if lease.tick < 0:
            continue
        lab, cloud = labs[lease.lab], world.cloud(lease.where[0])
        terms, speed = cloud.pool(lease.where[1]), world.chip(lease.where[1]).speed_milli
        if lease.from_tick <= lease.tick:
            yield _found("lease", lease.lease, "it begins before it is signed")
        if terms is None or not may_lease(lab, cloud, lease.where[1]):
            yield _found("dealing", lease.lease, f"{lab.name} and {cloud.id} do not deal over {lease.where[1]}")
        elif not terms.floor_micro_usd <= lease.micro_usd <= lab.value_micro_usd * speed / MILLI:
            yield _found("price", lease.lease, f"{lease.micro_usd / 1e6:.2f} USD an accelerator-hour")


def _sales(world: World, books: Books) -> Iterator[Finding]:
    labs = {lab.name: lab for lab in world.labs}
    for sale in books.sales:
        subject, speed = _at(sale.tick, sale.where), world.chip(sale.where[1]).speed_milli
        lab, cloud = labs[sale.lab], world.cloud(sale.where[0])
        low, high = (usd * speed // MILLI for usd in (world.venue_floor_micro_usd, lab.value_micro_usd))
        if not low <= sale.micro_usd <= high:
            yield _found("price", subject, f"sold at {sale.micro_usd / 1e6:.2f} USD to {lab.name}")
        if sale.accelerators <= 0 or sale.seller == sale.lab or not may_lease(lab, cloud, sale.where[1]):
            yield _found("dealing", subject, f"{sale.accelerators:,} sold to {lab.name}")
    for (tick, lab_name, where), resold in books.resold.items():
        if resold > books.leased[tick, lab_name, where]:
            yield _found("resale", _at(tick, where), f"{lab_name} lets go {resold:,}, more than it leases")


def _accounts(run: Run, books: Books) -> Iterator[Finding]:
    """Money only moves, and the kernel moved what is owed."""
    balances = books.balances()
    if sum(run.balances.values()):
        yield _found("accounts", "all", f"balances add up to {sum(run.balances.values())} micro-USD")
    for name in sorted({*run.balances, *balances}):
        if run.balances.get(name, 0) != balances[name]:
            message = f"{run.balances.get(name, 0)} kept, {balances[name]} owed by the events, in micro-USD"
            yield _found("accounts", name, message)


def _shortages(world: World, run: Run, books: Books) -> Iterator[Finding]:
    for tick in range(world.ticks):
        for lab in world.labs:
            short = short_milli(books, tick, lab.name)
            if short != run.short_milli.get((tick, lab.name)):
                yield _found("shortage", f"{lab.name} in tick {tick}", f"{short} thousandths by the events")


def short_milli(books: Books, tick: int, lab: LesseeName) -> int:
    """What a lab is short of in a tick, in thousandths of a reference accelerator."""
    return max(books.need[tick, lab] * MILLI - books.supplied_milli[tick, lab], 0)


def _at(tick: int, where: Where) -> str:
    return f"{'/'.join(where)} in tick {tick}"


def _found(rule: str, subject: str, message: str) -> Finding:
    return Finding(severity=Severity.ERROR, rule=rule, source="run", row="", subject=subject, message=message)
