"""A lease cut into stretches of one calendar month and one price: the grid on which bills are compared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from acreage.domain.contract import Contract
from acreage.ledger.facts import Fact
from acreage.ledger.grid import CapacityGrid
from acreage.ledger.leases import LeaseView
from acreage.pricing.calendar import calendar_of
from acreage.pricing.invoice import Handover
from acreage.pricing.rate import RULES, exactly
from acreage.units.ids import LeaseId
from acreage.units.instants import Instant, add_months, moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """[from_at, until_at) of a lease within one calendar month, at one price.

    `rate` is micro-dollars an accelerator-second; `due_frac` of what is delivered is due whether used
    or not. `month` is the first second of the calendar month.
    """

    lease: LeaseId
    month: Instant
    from_at: Instant
    until_at: Instant
    rate: Fraction
    due_frac: Fraction
    contract: Contract


def month_of(at: int) -> Instant:
    """The first second of an instant's calendar month, UTC."""
    then = moment(at)
    return Instant(round(then.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()))


def stretches_of(view: LeaseView, until_at: int) -> tuple[Stretch, ...]:
    """The stretches of a lease up to an instant or its end, in order and without gaps."""
    changes = [max(at, view.contract.lease.starts_at) for at, _ in view.versions]
    ends = [*changes[1:], max(view.contract.lease.ends_at, view.ends_at)]
    found: list[Stretch] = []
    for (_, contract), from_at, end_at in zip(view.versions, changes, ends, strict=True):
        if from_at < min(end_at, until_at):
            found += _stretches(view.id, contract, from_at, min(end_at, until_at))
    return tuple(found)


def rest_of(view: LeaseView, until_at: int) -> tuple[Stretch, ...]:
    """What of a lease lies after an instant, in one piece, so that bills ahead of their time find their place."""
    from_at = Instant(max(until_at, view.contract.lease.starts_at))
    end_at = Instant(max(view.contract.lease.ends_at, view.ends_at))
    if from_at >= end_at:
        return ()
    rest = Stretch(
        lease=view.id,
        month=month_of(from_at),
        from_at=from_at,
        until_at=end_at,
        rate=Fraction(0),
        due_frac=Fraction(0),
        contract=view.contract,
    )
    return (rest,)


def _stretches(lease: LeaseId, contract: Contract, from_at: int, until_at: int) -> Iterable[Stretch]:
    held, terms = contract.lease, contract.lease.terms
    term_ends_at = max(held.ends_at, until_at)
    calendar = calendar_of(terms, contract.price_frac, held.starts_at, term_ends_at, term_ends_at)
    fixed = RULES[terms.price.basis].always_fixed
    for segment in calendar.segments:
        low, high = max(segment.from_at, from_at), min(segment.until_at, until_at)
        if low >= high:
            continue
        due = Fraction(segment.numerator, segment.denominator)
        for start, end in pairwise(_month_knots(low, high)):
            yield Stretch(
                lease=lease,
                month=month_of(start),
                from_at=Instant(start),
                until_at=Instant(end),
                rate=due if fixed else segment.usage,
                due_frac=Fraction(1) if fixed else exactly(terms.take_or_pay_frac),
                contract=contract,
            )


def _month_knots(from_at: int, until_at: int) -> list[int]:
    knots = [from_at]
    while (following := add_months(month_of(knots[-1]), 1)) < until_at:
        knots.append(following)
    return [*knots, until_at]


def promised_grid(view: LeaseView) -> CapacityGrid:
    """What is leased over time: each version's schedule while it holds, up to the lease's real end."""
    grid = CapacityGrid()
    for i, (from_at, contract) in enumerate(view.versions):
        end_at = view.versions[i + 1][0] if i + 1 < len(view.versions) else view.ends_at
        for delivery in contract.lease.deliveries:
            grid.add(delivery.accelerators, max(delivery.due_at, from_at), min(end_at, view.ends_at))
    return grid


def delivered_grid(deliveries: Sequence[Fact]) -> CapacityGrid:
    """What was delivered over time, from the deliveries that stand."""
    grid = CapacityGrid()
    for fact in deliveries:
        grid.add(fact.accelerators or 0, fact.from_at or 0, fact.until_at or 0)
    return grid


def usable_grid(promised: CapacityGrid, delivered: CapacityGrid) -> CapacityGrid:
    """What should have been usable: the most ever handed over so far, as long as it is promised.

    What is delivered below this was down: taken back before its time.
    """
    knots = sorted({*promised.changes()[0].tolist(), *delivered.changes()[0].tolist()})
    grid, most = CapacityGrid(), 0
    for from_at, until_at in pairwise(knots):
        most = max(most, delivered.free_at(from_at))
        grid.add(min(most, promised.free_at(from_at)), from_at, until_at)
    return grid


def accelerator_seconds(grid: CapacityGrid, from_at: int, until_at: int) -> int:
    """The integral of a grid over [from_at, until_at)."""
    total, at = 0, from_at
    while at < until_at:
        end = min(grid.next_change(at), until_at)
        total += grid.free_at(at) * (end - at)
        at = end
    return total


def handovers(view: LeaseView, deliveries: Sequence[Fact], now: int) -> tuple[Handover, ...]:
    """Promised against delivered, first promised first delivered: who was late, by how long, for how many.

    What has not been delivered by now counts as late until now.
    """
    due = [
        [d.accelerators, d.due_at, d.grace_days, d.late_discount_frac]
        for d in sorted(view.contract.lease.deliveries, key=lambda d: d.due_at)
        if d.accelerators > 0
    ]
    found = []
    for fact in sorted((f for f in deliveries if (f.accelerators or 0) > 0), key=lambda f: f.from_at or 0):
        left = fact.accelerators or 0
        while left and due:
            part = min(left, int(due[0][0]))
            found.append(_handover(part, due[0], fact.from_at or 0, view.ends_at))
            left -= part
            due[0][0] -= part
            if not due[0][0]:
                due.pop(0)
    found += [
        _handover(int(entry[0]), entry, min(max(now, int(entry[1])), view.ends_at), view.ends_at) for entry in due
    ]
    return tuple(found)


def _handover(accelerators: int, entry: Sequence[float], from_at: int, ends_at: int) -> Handover:
    return Handover(
        accelerators=accelerators,
        promised_at=Instant(int(entry[1])),
        from_at=Instant(from_at),
        until_at=Instant(ends_at),
        grace_days=int(entry[2]),
        late_discount_frac=entry[3],
    )
