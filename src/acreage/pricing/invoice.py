"""What is posted for a lease in the future at hand, in whole micro-dollars.

A lease is invoiced monthly in arrears for what was really delivered. Everything is
proportional to the accelerators up to the rounding of each posted amount, which is why a
solver may count in blocks. Amounts are positive where the lessee pays.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from acreage.domain.terms import Terms
from acreage.pricing.calendar import Calendar, Segment, calendar_of
from acreage.pricing.rate import exactly
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, Instant
from acreage.units.money import MicroUsd, scaled

PARTS_PER_ACCELERATOR = 1_000_000
"""Accelerators are counted in millionths: a tranche may be an odd share of a block."""

PARTS_PER_WHOLE = 1_000_000_000
"""Availability is counted in billionths."""

_PARTS = PARTS_PER_ACCELERATOR * PARTS_PER_WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Leased accelerators really held over [from_at, until_at); negative: taken back.

    They were promised for `promised_at`. Nothing is held where `until_at <= from_at`.
    """

    accelerators: float
    promised_at: Instant
    from_at: Instant
    until_at: Instant
    grace_days: int = 0
    late_discount_frac: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LostCapacity:
    """The lessor fails to serve `lost_frac` of the lease over [from_at, until_at): no fee for that share.

    Where several overlap, what is left is the product of what each leaves.
    """

    from_at: Instant
    until_at: Instant
    lost_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What fees depend on besides deliveries.

    `price_frac` is the quantity tier's. `ends_at` is when the lease really ends (extended or
    left early), `term_ends_at` the end of its term: beyond it the extension price holds, and
    an end before it costs the termination fee. `signed_at` is when the prepayment is due,
    None where it has been paid. `promised` is what the prepayment is a share of.
    """

    terms: Terms
    price_frac: float
    starts_at: Instant
    ends_at: Instant
    term_ends_at: Instant
    signed_at: Instant | None
    promised: tuple[Handover, ...]


class ChargeKind(StrEnum):
    """What is posted."""

    PREPAYMENT = "prepayment"
    FEE = "fee"
    PREPAYMENT_CREDIT = "prepayment_credit"
    LATE_CREDIT = "late_credit"
    TERMINATION_FEE = "termination_fee"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One posted amount for service over [from_at, until_at); negative where the lessee is paid."""

    kind: ChargeKind
    posted_at: Instant
    from_at: Instant
    until_at: Instant
    micro_usd: MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """All invoices of a lease in columns, one entry an invoice, and the single postings.

    Credits and the refund are given as positive amounts in favor of the lessee.
    `fee` is before prepayment is taken off. `prepayment` is 0 where it has been paid already.
    """

    agreement: Agreement
    calendar: Calendar
    fee: tuple[int, ...]
    prepayment_credit: tuple[int, ...]
    late_credit: tuple[int, ...]
    prepayment: int
    termination_fee: int
    refund: int


Loss = tuple[int, int, int]
"""From, until and how many billionths are lost; a list of them does not overlap."""


def statement(agreement: Agreement, handovers: Sequence[Handover], lost: tuple[LostCapacity, ...] = ()) -> Statement:
    """What is invoiced for the handovers of the future at hand, given the lessor's outages."""
    terms = agreement.terms
    calendar = _calendar(agreement)
    fee = _fees(calendar, handovers, _losses(lost))
    no_credit = (0,) * len(fee)
    credit, prepaid = no_credit, 0
    if terms.prepayment_frac:
        credit = _shares(fee, terms.prepayment_frac)
        prepaid = _prepayment(agreement)
    return Statement(
        agreement=agreement,
        calendar=calendar,
        fee=fee,
        prepayment_credit=credit,
        late_credit=_late_credits(calendar, handovers) if any(h.late_discount_frac for h in handovers) else no_credit,
        prepayment=prepaid if agreement.signed_at is not None else 0,
        termination_fee=_termination_fee(agreement, calendar, handovers),
        refund=prepaid - sum(credit),
    )


def charges(
    agreement: Agreement, handovers: Sequence[Handover], lost: tuple[LostCapacity, ...] = ()
) -> tuple[Charge, ...]:
    """What is posted, in order of posting; charges of nothing are left out."""
    done = statement(agreement, handovers, lost)
    found = [*_invoice_charges(done), *_single_charges(done)]
    return tuple(sorted((c for c in found if c.micro_usd), key=lambda charge: charge.posted_at))


def usage_rate_micro_usd_per_accelerator_hour(agreement: Agreement, at: Instant) -> float:
    """Price of an hour of use above the take-or-pay share, per leased accelerator; 0 where fees are fixed."""
    for segment in _calendar(agreement).segments:
        if segment.from_at <= at < segment.until_at:
            return float(segment.usage * SECONDS_PER_HOUR)
    return 0.0


def fees_micro_usd(done: Statement, from_at: int, until_at: int) -> int:
    """Gross fees invoiced on [from_at, until_at], both ends included: what counts towards a commitment."""
    posted = done.calendar.posted_at
    return sum(fee for fee, at in zip(done.fee, posted, strict=True) if from_at <= at <= until_at)


def _calendar(agreement: Agreement) -> Calendar:
    return calendar_of(
        agreement.terms, agreement.price_frac, agreement.starts_at, agreement.ends_at, agreement.term_ends_at
    )


@lru_cache(maxsize=65536)
def _prepayment(agreement: Agreement) -> int:
    """The stated share of every promised invoice, each rounded: a lease as promised leaves no refund."""
    promised_until_at = max((h.until_at for h in agreement.promised), default=agreement.ends_at)
    ends_at = max(agreement.ends_at, promised_until_at)
    calendar = calendar_of(agreement.terms, agreement.price_frac, agreement.starts_at, ends_at, agreement.term_ends_at)
    return sum(_shares(_fees(calendar, agreement.promised, ()), agreement.terms.prepayment_frac))


def _shares(amounts: tuple[int, ...], frac: float) -> tuple[int, ...]:
    """A share of each amount, rounded one by one."""
    share = exactly(frac)
    numerator, denominator = share.numerator, share.denominator
    return tuple([scaled(amount, numerator, denominator) for amount in amounts])


def _fees(calendar: Calendar, handovers: Iterable[Handover], losses: tuple[Loss, ...]) -> tuple[int, ...]:
    """Fee of each invoice: what was held in each segment x its rate, rounded a segment."""
    rises = [0] * (len(calendar.segments) + 1)
    extra = [0] * (len(calendar.segments) + 1)
    for handover in handovers:
        parts = round(handover.accelerators * PARTS_PER_ACCELERATOR)
        if handover.from_at < handover.until_at:
            _hold(calendar, parts, handover.from_at, handover.until_at, rises, extra)
        for from_at, until_at, lost in losses:
            overlap = (max(from_at, handover.from_at), min(until_at, handover.until_at))
            if overlap[0] < overlap[1]:
                _lose(calendar, parts * lost, *overlap, extra)
    fees = [0] * len(calendar.posted_at)
    held = 0
    for segment, rise, rest in zip(calendar.segments, rises, extra, strict=False):
        held += rise
        if held or rest:
            fees[segment.invoice] += _segment_fee(segment, held * segment.seconds + rest)
    return tuple(fees)


def _hold(calendar: Calendar, parts: int, from_at: int, until_at: int, rises: list[int], extra: list[int]) -> None:
    """Hold `parts` over [from_at, until_at): as a level over whole segments, corrected at its two ends.

    `rises` is how the level changes at each segment, in parts; `extra` is in parts x seconds.
    """
    first, last = bisect_right(calendar.segment_ends, from_at), bisect_left(calendar.segment_ends, until_at)
    level = parts * PARTS_PER_WHOLE
    if first == len(calendar.segments) or until_at <= calendar.segments[first].from_at:
        return
    rises[first] += level
    extra[first] -= level * max(from_at - calendar.segments[first].from_at, 0)
    rises[min(last + 1, len(rises) - 1)] -= level
    if last < len(calendar.segments):
        extra[last] -= level * (calendar.segment_ends[last] - until_at)


def _lose(calendar: Calendar, parts: int, from_at: int, until_at: int, extra: list[int]) -> None:
    """Take off what is lost in each segment of [from_at, until_at)."""
    for i in range(bisect_right(calendar.segment_ends, from_at), len(calendar.segments)):
        segment = calendar.segments[i]
        if segment.from_at >= until_at:
            return
        extra[i] -= parts * max(min(segment.until_at, until_at) - max(segment.from_at, from_at), 0)


@lru_cache(maxsize=4096)
def _losses(lost: tuple[LostCapacity, ...]) -> tuple[Loss, ...]:
    """The outages as stretches that do not overlap."""
    knots = sorted({at for loss in lost for at in (loss.from_at, loss.until_at)})
    found = []
    for from_at, until_at in pairwise(knots):
        left = Fraction(1)
        for loss in lost:
            if loss.from_at <= from_at < loss.until_at:
                left *= 1 - exactly(loss.lost_frac)
        if left < 1:
            found.append((int(from_at), int(until_at), round((1 - left) * PARTS_PER_WHOLE)))
    return tuple(found)


def _late_credits(calendar: Calendar, handovers: Iterable[Handover]) -> tuple[int, ...]:
    """Per invoice: the discount on the fee of the days beyond grace, on the invoice of the first month."""
    credits = [0] * len(calendar.posted_at)
    for handover in handovers:
        late_from_at = handover.promised_at + handover.grace_days * SECONDS_PER_DAY
        late_until_at = min(handover.from_at, handover.until_at)
        if handover.late_discount_frac and handover.accelerators > 0 and late_from_at < late_until_at:
            missed = _one_fee(calendar, handover.accelerators, late_from_at, late_until_at)
            share = exactly(handover.late_discount_frac)
            invoice = min(bisect_right(calendar.posted_at, late_until_at), len(credits) - 1)
            credits[invoice] += scaled(missed, share.numerator, share.denominator)
    return tuple(credits)


def _one_fee(calendar: Calendar, accelerators: float, from_at: int, until_at: int) -> int:
    """The fee of some accelerators over a stretch, without outages."""
    parts = round(accelerators * PARTS_PER_ACCELERATOR) * PARTS_PER_WHOLE
    due = 0
    for i in range(bisect_right(calendar.segment_ends, from_at), len(calendar.segments)):
        segment = calendar.segments[i]
        if segment.from_at >= until_at:
            break
        seconds = min(segment.until_at, until_at) - max(segment.from_at, from_at)
        due += _segment_fee(segment, parts * seconds)
    return due


def _segment_fee(segment: Segment, part_seconds: int) -> int:
    return scaled(part_seconds, segment.numerator, segment.denominator * _PARTS)


def _termination_fee(agreement: Agreement, calendar: Calendar, handovers: Iterable[Handover]) -> int:
    """The stated share of the fees of the rest of the term, for what is not taken back before the exit."""
    right = agreement.terms.termination
    if right is None or not right.fee_frac or not calendar.rest:
        return 0
    due = 0
    for segment in calendar.rest:
        parts = 0
        for handover in handovers:
            if handover.until_at >= agreement.ends_at:
                seconds = segment.until_at - max(segment.from_at, handover.from_at)
                parts += round(handover.accelerators * PARTS_PER_ACCELERATOR) * max(seconds, 0)
        due += _segment_fee(segment, parts * PARTS_PER_WHOLE)
    share = exactly(right.fee_frac)
    return scaled(due, share.numerator, share.denominator)


def _single_charges(done: Statement) -> Iterable[Charge]:
    agreement, ends_at = done.agreement, done.agreement.ends_at
    singles = (
        (ChargeKind.PREPAYMENT, agreement.signed_at or agreement.starts_at, done.prepayment),
        (ChargeKind.TERMINATION_FEE, ends_at, done.termination_fee),
        (ChargeKind.REFUND, done.calendar.posted_at[-1], -done.refund),
    )
    for kind, posted_at, amount in singles:
        yield Charge(
            kind=kind,
            posted_at=posted_at,
            from_at=agreement.starts_at,
            until_at=ends_at if kind is not ChargeKind.TERMINATION_FEE else agreement.term_ends_at,
            micro_usd=MicroUsd(amount),
        )


def _invoice_charges(done: Statement) -> Iterable[Charge]:
    columns = (
        (ChargeKind.FEE, done.fee, 1),
        (ChargeKind.PREPAYMENT_CREDIT, done.prepayment_credit, -1),
        (ChargeKind.LATE_CREDIT, done.late_credit, -1),
    )
    for kind, amounts, sign in columns:
        for from_at, posted_at, amount in zip(done.calendar.from_at, done.calendar.posted_at, amounts, strict=True):
            if amount:
                yield Charge(
                    kind=kind,
                    posted_at=posted_at,
                    from_at=from_at,
                    until_at=posted_at,
                    micro_usd=MicroUsd(sign * amount),
                )
