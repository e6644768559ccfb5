"""The four-way match: leased against delivered against used against invoiced, per lease and month.

The difference between a bill and what the contract says is fully explained: what was billed but not
delivered at the contract's price, plus the price difference on everything billed. Credits that are owed
(prepayment, late delivery, service level) are set against those received in the order they arose. Of a
lease that is let, "delivered" is what we handed over, "billed" what we invoiced, and credits those we gave.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from acreage.domain.contract import Side
from acreage.domain.match import Match, MatchFinding, MatchRow, Mismatch, Unmatched
from acreage.domain.price import PriceBasis
from acreage.ledger.facts import Fact
from acreage.ledger.grid import CapacityGrid
from acreage.ledger.leases import LeaseView
from acreage.ledger.segments import (
    Stretch,
    accelerator_seconds,
    delivered_grid,
    handovers,
    promised_grid,
    rest_of,
    stretches_of,
    usable_grid,
)
from acreage.ledger.tally import Sums, Tally
from acreage.pricing.rate import exactly
from acreage.units.ids import LeaseId, ProviderId
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, Instant, add_months
from acreage.units.money import MicroUsd

CENT = 10_000
"""Micro-dollars of a cent: a bill rounds each row to one, so differences below are no findings."""

LUMPS = frozenset({PriceBasis.MONTHLY_LUMP, PriceBasis.MW_MONTH, PriceBasis.THROUGHPUT_UNIT_HOUR})
"""Price bases whose bills need not carry accelerator-hours."""

Owed = tuple[Mismatch, Fraction]


@dataclass
class _Month:
    """What a month of a lease comes to; accelerator-seconds and micro-dollars, exact."""

    leased: int = 0
    delivered: int = 0
    usable: int = 0
    used: Fraction = Fraction(0)
    metered: bool = False
    rows: int = 0
    billed: Fraction = Fraction(0)
    fee: Fraction = Fraction(0)
    expected: Fraction = Fraction(0)
    money: Fraction = Fraction(0)
    other: Fraction = Fraction(0)
    credit: Fraction = Fraction(0)
    price_difference: Fraction = Fraction(0)
    not_delivered: Fraction = Fraction(0)
    not_delivered_usd: Fraction = Fraction(0)
    used_not_billed: Fraction = Fraction(0)
    used_not_billed_usd: Fraction = Fraction(0)
    due_not_billed: Fraction = Fraction(0)
    due_not_billed_usd: Fraction = Fraction(0)
    idle: Fraction = Fraction(0)
    idle_usd: Fraction = Fraction(0)
    owed: list[Owed] = field(default_factory=list)


def match_leases(
    views: Sequence[LeaseView],
    deliveries: Mapping[LeaseId, Sequence[Fact]],
    charges: Tally,
    usage: Tally,
    unmatched: Iterable[Unmatched],
    until_at: Instant,
) -> Match:
    """Compare everything known up to an instant; `charges` and `usage` are tallied over `stretches_by_lease`."""
    months = {view.id: _months(view, deliveries.get(view.id, ()), charges, usage, until_at) for view in views}
    billed_until = _billed_until(views, months)
    rows: list[MatchRow] = []
    findings: list[MatchFinding] = []
    for view in views:
        closed_until = min(billed_until.get((view.contract.side, view.contract.lease.provider), 0), until_at)
        received = sum((m.credit for m in months[view.id].values()), Fraction(0))
        for month, sums in sorted(months[view.id].items()):
            invoiced = month < closed_until
            rows.append(_row(view, month, sums, invoiced))
            if invoiced:
                findings += _findings(view, month, sums)
                received = _credits(view, month, sums, received, findings)
        findings += _outside(view, charges.outside.get(view.id))
    return Match(until_at=until_at, rows=tuple(rows), findings=tuple(findings), unmatched=tuple(unmatched))


def stretches_by_lease(views: Iterable[LeaseView], until_at: int) -> dict[LeaseId, tuple[Stretch, ...]]:
    """The stretches of signed leases up to `until_at`, and one more for the rest of each, which is not judged yet."""
    return {
        view.id: (*stretches_of(view, until_at), *rest_of(view, until_at))
        for view in views
        if view.signed_at is not None
    }


def lumps_of(views: Iterable[LeaseView]) -> frozenset[LeaseId]:
    """The leases whose bills need not carry accelerator-hours."""
    return frozenset(view.id for view in views if view.contract.lease.terms.price.basis in LUMPS)


def _months(
    view: LeaseView, deliveries: Sequence[Fact], charges: Tally, usage: Tally, until_at: Instant
) -> dict[Instant, _Month]:
    promised, delivered = promised_grid(view), delivered_grid(deliveries)
    usable = usable_grid(promised, delivered)
    found: dict[Instant, _Month] = defaultdict(_Month)
    for i, stretch in enumerate(stretches_of(view, until_at)):
        billed = charges.by_stretch.get((view.id, i), Sums())
        used = usage.by_stretch.get((view.id, i))
        _add_stretch(found[stretch.month], stretch, (promised, delivered, usable), billed, used)
    _add_late(found, view, deliveries, until_at)
    for sums in found.values():
        _add_sla(sums, view)
    return found


def _add_stretch(
    month: _Month,
    stretch: Stretch,
    grids: tuple[CapacityGrid, CapacityGrid, CapacityGrid],
    billed: Sums,
    used: Sums | None,
) -> None:
    leased, delivered, usable = (accelerator_seconds(grid, stretch.from_at, stretch.until_at) for grid in grids)
    use = used.accelerator_seconds if used is not None else Fraction(0)
    lump = stretch.contract.lease.terms.price.basis in LUMPS and not billed.accelerator_seconds
    quantity = Fraction(delivered) if lump and billed.rows else billed.accelerator_seconds
    due = _due(stretch, delivered, use, quantity, used is not None)
    over = max(quantity - delivered, Fraction(0))
    unbilled = max(due - quantity, Fraction(0))
    use_unbilled = min(max(min(use, Fraction(delivered)) - quantity, Fraction(0)), unbilled)
    idle = max(min(quantity, Fraction(delivered)) - use, Fraction(0)) if used is not None else Fraction(0)
    rate = stretch.rate
    month.leased += leased
    month.delivered += delivered
    month.usable += usable
    month.used += use
    month.metered |= used is not None
    month.rows += billed.rows
    month.billed += quantity
    month.fee += rate * delivered
    month.expected += rate * due
    month.money += billed.micro_usd
    month.other += billed.other_micro_usd
    month.credit += billed.credit_micro_usd
    month.price_difference += billed.micro_usd - rate * quantity
    month.not_delivered += over
    month.not_delivered_usd += rate * over
    month.used_not_billed += use_unbilled
    month.used_not_billed_usd += rate * use_unbilled
    month.due_not_billed += unbilled - use_unbilled
    month.due_not_billed_usd += rate * (unbilled - use_unbilled)
    month.idle += idle
    month.idle_usd += rate * idle
    prepaid = exactly(stretch.contract.lease.terms.prepayment_frac) * rate * due
    if prepaid:
        month.owed.append((Mismatch.PREPAYMENT_NOT_CREDITED, prepaid))


def _due(stretch: Stretch, delivered: int, used: Fraction, billed: Fraction, metered: bool) -> Fraction:
    """The accelerator-seconds the contract charges: the take-or-pay share, or what was used above it.

    Where use was not metered, a bill between the two is taken to be right.
    """
    least = stretch.due_frac * delivered
    return min(max(least, used if metered else billed), Fraction(delivered))


def _add_late(found: dict[Instant, _Month], view: LeaseView, deliveries: Sequence[Fact], until_at: Instant) -> None:
    """Liquidated damages for the days beyond grace, in the months in which they arose."""
    stretches = stretches_of(view, until_at)
    for handover in handovers(view, deliveries, until_at):
        late_from = handover.promised_at + handover.grace_days * SECONDS_PER_DAY
        if not handover.late_discount_frac or late_from >= handover.from_at:
            continue
        frac = exactly(handover.late_discount_frac)
        for stretch in stretches:
            seconds = min(stretch.until_at, handover.from_at) - max(stretch.from_at, late_from)
            if seconds > 0:
                amount = frac * stretch.rate * seconds * Fraction(handover.accelerators)
                found[stretch.month].owed.append((Mismatch.LATE_DAMAGES_OWED, amount))


def _add_sla(month: _Month, view: LeaseView) -> None:
    if not view.contract.sla or not month.usable:
        return
    available = Fraction(min(month.delivered, month.usable), month.usable)
    fracs = [exactly(step.credit_frac) for step in view.contract.sla if available < exactly(step.below_frac)]
    if fracs:
        month.owed.append((Mismatch.SLA_CREDIT_OWED, max(fracs) * month.fee))


def _billed_until(
    views: Sequence[LeaseView], months: Mapping[LeaseId, Mapping[Instant, _Month]]
) -> dict[tuple[Side, ProviderId], int]:
    """Up to when each provider, or we of what we let, sent bills: the end of the last month billed for at all."""
    found: dict[tuple[Side, ProviderId], int] = {}
    for view in views:
        billed = [month for month, sums in months[view.id].items() if sums.rows]
        if billed:
            end_at = add_months(max(billed), 1)
            sender = view.contract.side, view.contract.lease.provider
            found[sender] = max(found.get(sender, 0), end_at)
    return found


def _row(view: LeaseView, month: Instant, sums: _Month, invoiced: bool) -> MatchRow:
    return MatchRow(
        lease=view.id,
        side=view.contract.side,
        provider=view.contract.lease.provider,
        month=month,
        leased=sums.leased,
        delivered=sums.delivered,
        used=round(sums.used) if sums.metered else None,
        billed=round(sums.billed),
        expected_micro_usd=_money(sums.expected),
        billed_micro_usd=_money(sums.money),
        other_micro_usd=_money(sums.other),
        credit_owed_micro_usd=_money(sum((amount for _, amount in sums.owed), Fraction(0))),
        credit_micro_usd=_money(sums.credit),
        invoiced=invoiced,
    )


def _findings(view: LeaseView, month: Instant, sums: _Month) -> Iterable[MatchFinding]:
    tolerance = max(CENT, CENT * sums.rows // 2)
    hours = f"{float(sums.billed / SECONDS_PER_HOUR):,.0f} accelerator-hours billed"
    found = (
        (
            Mismatch.BILLED_NOT_DELIVERED,
            sums.not_delivered,
            sums.not_delivered_usd,
            f"{hours}, {sums.delivered / SECONDS_PER_HOUR:,.0f} delivered",
        ),
        (Mismatch.WRONG_UNIT_PRICE, sums.billed, sums.price_difference, _prices(sums)),
        (
            Mismatch.USED_NOT_BILLED,
            sums.used_not_billed,
            sums.used_not_billed_usd,
            f"{hours}, {float(sums.used / SECONDS_PER_HOUR):,.0f} used",
        ),
        (
            Mismatch.DELIVERED_NOT_BILLED,
            sums.due_not_billed,
            sums.due_not_billed_usd,
            f"{hours}, {sums.delivered / SECONDS_PER_HOUR:,.0f} delivered",
        ),
        (
            Mismatch.IDLE_BILLED,
            sums.idle,
            sums.idle_usd,
            f"{hours}, {float(sums.used / SECONDS_PER_HOUR):,.0f} used",
        ),
    )
    for kind, quantity, amount, message in found:
        # What a lessee leaves idle and pays for is no loss of its lessor's.
        if kind is Mismatch.IDLE_BILLED and view.contract.side is Side.LET:
            continue
        if abs(amount) > tolerance:
            yield MatchFinding(
                kind=kind,
                lease=view.id,
                side=view.contract.side,
                month=month,
                accelerator_seconds=round(quantity),
                micro_usd=_money(amount),
                message=message,
            )


def _prices(sums: _Month) -> str:
    if not sums.billed:
        return "billed without a quantity"
    billed = float(sums.money / sums.billed) * SECONDS_PER_HOUR / 1e6
    agreed = float((sums.money - sums.price_difference) / sums.billed) * SECONDS_PER_HOUR / 1e6
    return f"billed at {billed:.4f} USD an accelerator-hour, agreed are {agreed:.4f}"


_OWED_WORDS = {
    Mismatch.PREPAYMENT_NOT_CREDITED: "the share that was paid at signing was not taken off",
    Mismatch.LATE_DAMAGES_OWED: "the discount for late delivery beyond the days of grace was not given",
    Mismatch.SLA_CREDIT_OWED: "availability was below the agreed level and no credit was given",
}


def _credits(
    view: LeaseView, month: Instant, sums: _Month, received: Fraction, findings: list[MatchFinding]
) -> Fraction:
    """Set what is owed for a month against credits received and not used up; returns what is left of them."""
    for kind in _OWED_WORDS:
        amount = sum((owed for what, owed in sums.owed if what is kind), Fraction(0))
        paid = min(amount, received)
        received -= paid
        if amount - paid > CENT:
            findings.append(
                MatchFinding(
                    kind=kind,
                    lease=view.id,
                    side=view.contract.side,
                    month=month,
                    accelerator_seconds=0,
                    micro_usd=_money(amount - paid),
                    message=_OWED_WORDS[kind],
                )
            )
    return received


def _outside(view: LeaseView, sums: Sums | None) -> Iterable[MatchFinding]:
    if sums is None or sums.micro_usd <= CENT:
        return
    yield MatchFinding(
        kind=Mismatch.BILLED_NOT_DELIVERED,
        lease=view.id,
        side=view.contract.side,
        month=Instant(0),
        accelerator_seconds=round(sums.accelerator_seconds),
        micro_usd=_money(sums.micro_usd),
        message="billed for a time outside of the lease",
    )


def _money(amount: Fraction) -> MicroUsd:
    return MicroUsd(round(amount))
