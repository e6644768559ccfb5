"""When a lease is invoiced and what an accelerator costs between any two price changes.

Invoice months are counted from the lease's start, so that a lease from the 15th is invoiced
on each 15th. A calendar depends on the terms only and is built once for many futures.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from acreage.domain.terms import Terms
from acreage.pricing.rate import RULES, exactly, micro_usd_per_accelerator_second
from acreage.units.instants import Instant, add_months

MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of one invoice month with one price: `numerator / denominator` micro-dollars
    an accelerator-second due whether used or not, `usage` as much for the rest if it is used."""

    invoice: int
    from_at: int
    until_at: int
    seconds: int
    numerator: int
    denominator: int
    usage: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Invoice `i` is for [from_at[i], posted_at[i]) and posted at its end.

    `segments` tile the lease up to its end, `rest` what is left of the term after an early exit.
    """

    from_at: tuple[Instant, ...]
    posted_at: tuple[Instant, ...]
    segments: tuple[Segment, ...]
    segment_ends: tuple[int, ...]
    rest: tuple[Segment, ...]


def price_factor(terms: Terms, starts_at: int, term_ends_at: int, at: int) -> Fraction:
    """What the asked price is multiplied with at an instant: escalator x fee step x extension price."""
    factor = Fraction(1)
    if terms.escalator_frac_per_year:
        factor = (1 + exactly(terms.escalator_frac_per_year)) ** anniversaries(starts_at, at)
    steps = [step for step in terms.fee_steps if step.after.after(starts_at) <= at]
    if steps:
        factor *= exactly(max(steps, key=lambda step: step.after.after(starts_at)).fee_frac)
    if at >= term_ends_at and terms.extension is not None:
        factor *= exactly(terms.extension.price_frac)
    return factor


def anniversaries(starts_at: int, at: int) -> int:
    """How many whole years of a lease have passed at an instant."""
    years = 0
    while add_months(starts_at, MONTHS_PER_YEAR * (years + 1)) <= at:
        years += 1
    return years


@lru_cache(maxsize=65536)
def calendar_of(terms: Terms, price_frac: float, starts_at: int, ends_at: int, term_ends_at: int) -> Calendar:
    """The invoices and prices of a lease from its start to its end or, if later, the end of its term."""
    assert starts_at < ends_at, (starts_at, ends_at)
    last_at = max(ends_at, term_ends_at)
    months = [Instant(starts_at)]
    while months[-1] < last_at:
        months.append(add_months(starts_at, len(months)))
    steps = (step.after.after(starts_at) for step in terms.fee_steps)
    changes = {ends_at, term_ends_at, last_at, *steps, *months}
    knots = sorted(at for at in changes if starts_at <= at <= last_at)
    segments = []
    month = 0
    for from_at, until_at in pairwise(knots):
        month += from_at >= months[month + 1]
        factor = exactly(price_frac) * price_factor(terms, starts_at, term_ends_at, from_at)
        segments.append(_segment(terms, factor, month, from_at, until_at, months[month + 1] - months[month]))
    held = tuple(segment for segment in segments if segment.from_at < ends_at)
    invoices = [i for i, at in enumerate(months) if at < ends_at]
    return Calendar(
        from_at=tuple(months[i] for i in invoices),
        posted_at=tuple(Instant(min(months[i + 1], ends_at)) for i in invoices),
        segments=held,
        segment_ends=tuple(segment.until_at for segment in held),
        rest=tuple(segments[len(held) :]),
    )


def _segment(terms: Terms, factor: Fraction, invoice: int, from_at: int, until_at: int, month_s: int) -> Segment:
    rate = factor * micro_usd_per_accelerator_second(terms.price, month_s)
    always_fixed = RULES[terms.price.basis].always_fixed
    due = rate if always_fixed else rate * exactly(terms.take_or_pay_frac)
    return Segment(
        invoice=invoice,
        from_at=from_at,
        until_at=until_at,
        seconds=until_at - from_at,
        numerator=due.numerator,
        denominator=due.denominator,
        usage=Fraction(0) if always_fixed else rate,
    )
