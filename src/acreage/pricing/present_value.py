"""What charges are worth on the planning day, and what capacity beyond the horizon is worth then."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from acreage.pricing.invoice import Charge, ChargeKind, Statement
from acreage.units.instants import DAYS_PER_YEAR, SECONDS_PER_DAY
from acreage.units.money import MICRO_PER_USD

SECONDS_PER_YEAR = DAYS_PER_YEAR * SECONDS_PER_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentValue:
    """Discounted USD: what is paid, and the salvage to take off it (positive)."""

    cost_usd: float
    salvage_usd: float


def discount_factor(at: float, as_of_at: int, frac_per_year: float) -> float:
    """(1 + discount)^-years, a year being 365 days; an instant of the past counts as the planning day."""
    return float((1.0 + frac_per_year) ** -(max(at - as_of_at, 0) / SECONDS_PER_YEAR))


def present_value(
    posted: Iterable[Charge], as_of_at: int, frac_per_year: float, horizon_at: int, resale_frac: float
) -> PresentValue:
    """Worth of the charges posted on the planning day or later.

    Salvage is `resale_frac` of the gross fees of invoice months that begin at the horizon or later.
    """
    due = [charge for charge in posted if charge.posted_at >= as_of_at]
    worth = [(charge, discount_factor(charge.posted_at, as_of_at, frac_per_year)) for charge in due]
    cost = math.fsum(charge.micro_usd * factor for charge, factor in worth)
    after = math.fsum(
        charge.micro_usd * factor
        for charge, factor in worth
        if charge.kind is ChargeKind.FEE and charge.from_at >= horizon_at
    )
    return PresentValue(cost_usd=cost / MICRO_PER_USD, salvage_usd=resale_frac * after / MICRO_PER_USD)


def statement_value(
    done: Statement, as_of_at: int, frac_per_year: float, horizon_at: int, resale_frac: float
) -> PresentValue:
    """The same as `present_value` of the statement's charges without making them: a plan has thousands."""
    calendar = done.calendar
    factors = discount_factors(calendar.posted_at, as_of_at, frac_per_year)
    amounts = [
        fee - credit - late
        for fee, credit, late in zip(done.fee, done.prepayment_credit, done.late_credit, strict=True)
    ]
    amounts[-1] += done.termination_fee - done.refund
    terms = [amount * factor for amount, factor in zip(amounts, factors, strict=True)]
    signed_at = done.agreement.signed_at
    if done.prepayment and signed_at is not None and signed_at >= as_of_at:
        terms.append(done.prepayment * discount_factor(signed_at, as_of_at, frac_per_year))
    after = math.fsum(
        fee * factor
        for fee, factor, from_at in zip(done.fee, factors, calendar.from_at, strict=True)
        if from_at >= horizon_at
    )
    return PresentValue(cost_usd=math.fsum(terms) / MICRO_PER_USD, salvage_usd=resale_frac * after / MICRO_PER_USD)


@lru_cache(maxsize=65536)
def discount_factors(posted_at: tuple[int, ...], as_of_at: int, frac_per_year: float) -> tuple[float, ...]:
    """Discount factors of a lease's invoices; 0 for those posted before the planning day."""
    return tuple(discount_factor(at, as_of_at, frac_per_year) if at >= as_of_at else 0.0 for at in posted_at)
