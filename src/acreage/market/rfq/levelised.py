"""What it costs to have an offer's capacity for the time wanted, per discounted effective accelerator-hour.

The levelised cost of energy, applied to compute: the present value of all payments divided by the
present value of the hours (Short, Packey and Holt, A Manual for the Economic Evaluation of Energy
Efficiency and Renewable Energy Technologies, NREL/TP-462-5173, 1995, section 3). Hours that are wanted
and not delivered are bought elsewhere at the replacement price, so that every offer gives the same.
Payments are those of the pricing rules, the same that plans and invoices use.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from acreage.domain.lease import Offer
from acreage.domain.terms import Tranche
from acreage.pricing.invoice import Agreement, Handover, LostCapacity, statement
from acreage.pricing.present_value import SECONDS_PER_YEAR, statement_value
from acreage.units.ids import AcceleratorName
from acreage.units.instants import SECONDS_PER_HOUR, Instant, add_days

FAR_AT = Instant(2**40)
"""Beyond every lease: nothing is salvage here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What all offers of a comparison are measured with.

    `effective_tflops` is peak x MFU x goodput by chip; hours count in accelerators of `reference`.
    `replacement_usd_per_hour` is what such an hour costs elsewhere; prices of contracts move by
    `price_sd_frac_per_year`.
    """

    as_of_at: Instant
    discount_frac_per_year: float
    reference: AcceleratorName
    effective_tflops: Mapping[AcceleratorName, float]
    replacement_usd_per_hour: float
    price_sd_frac_per_year: float

    def speed(self, accelerator: AcceleratorName) -> float:
        """How many reference accelerators one of these is worth."""
        return self.effective_tflops[accelerator] / self.effective_tflops[self.reference]

    def hours_of(self, from_at: float, until_at: float) -> float:
        """Discounted hours of [from_at, until_at): the integral of (1 + discount)^-years."""
        if until_at <= from_at:
            return 0.0
        start = max(from_at - self.as_of_at, 0.0) / SECONDS_PER_YEAR
        end = max(until_at - self.as_of_at, 0.0) / SECONDS_PER_YEAR
        past_h = max(min(until_at, self.as_of_at) - from_at, 0.0) / SECONDS_PER_HOUR
        rate = math.log1p(self.discount_frac_per_year)
        years = end - start if rate == 0.0 else (math.exp(-rate * start) - math.exp(-rate * end)) / rate
        return past_h + years * SECONDS_PER_YEAR / SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise:
    """One way delivery may turn out: each tranche late by so many days, perhaps recalled on a day."""

    probability_frac: float
    late_days: tuple[float, ...]
    recalled_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An offer at a quantity, on stated dates, with the surprises and risks that are counted in.

    `wanted_from_at` is when the hours are wanted from. `lost_frac` is the share of time it is expected
    to be down; `credit_frac` the share of all fees expected back for that. `extra_usd` is paid besides.
    """

    offer: Offer
    accelerators: int
    accelerator: AcceleratorName
    price_frac: float
    starts_at: Instant
    ends_at: Instant
    wanted_from_at: Instant
    surprises: tuple[Surprise, ...]
    lost_frac: float = 0.0
    credit_frac: float = 0.0
    extra_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Levelised:
    """Discounted cost, and discounted effective hours of the reference chip that it buys."""

    usd: float
    hours: float

    @property
    def usd_per_hour(self) -> float:
        """The levelised price."""
        return self.usd / self.hours


def levelised(case: Case, yard: Yardstick) -> Levelised:
    """The expected cost of having the case's usable accelerators from when they are wanted to its end."""
    usable = case.accelerators * yard.speed(case.accelerator) * (1.0 - case.offer.terms.sparing_frac)
    wanted = usable * yard.hours_of(min(case.wanted_from_at, case.starts_at), case.ends_at)
    usd = case.extra_usd
    for surprise in case.surprises:
        paid, delivered = _delivered(case, surprise, yard)
        missing = max(wanted - usable * delivered, 0.0)
        usd += surprise.probability_frac * (paid + missing * yard.replacement_usd_per_hour)
    return Levelised(usd=usd, hours=wanted)


def _delivered(case: Case, surprise: Surprise, yard: Yardstick) -> tuple[float, float]:
    """What is paid in one course of events, and the discounted hours delivered, as a share of all accelerators."""
    terms = case.offer.terms
    until_at = case.ends_at
    if surprise.recalled_at is not None and terms.recall is not None:
        until_at = min(until_at, add_days(surprise.recalled_at, terms.recall.notice_days))
    promised, handed = [], []
    delivered = 0.0
    for tranche, days in zip(case.offer.tranches, surprise.late_days, strict=True):
        due_at = tranche.after.after(case.starts_at)
        from_at = add_days(due_at, round(days))
        count = case.accelerators * tranche.share_frac
        promised.append(Handover(accelerators=count, promised_at=due_at, from_at=due_at, until_at=case.ends_at))
        handed.append(_handed(tranche, count, due_at, from_at, until_at))
        delivered += tranche.share_frac * yard.hours_of(from_at, until_at) * (1.0 - case.lost_frac)
    agreement = Agreement(
        # Every hour is wanted, so every hour is used and paid for.
        terms=replace(terms, take_or_pay_frac=1.0),
        price_frac=case.price_frac,
        starts_at=case.starts_at,
        ends_at=case.ends_at,
        term_ends_at=case.ends_at,
        signed_at=yard.as_of_at,
        promised=tuple(promised),
    )
    down = LostCapacity(from_at=case.starts_at, until_at=case.ends_at, lost_frac=case.lost_frac)
    done = statement(agreement, tuple(handed), (down,) if case.lost_frac else ())
    paid = statement_value(done, yard.as_of_at, yard.discount_frac_per_year, FAR_AT, 0.0).cost_usd
    return paid * (1.0 - case.credit_frac), delivered


def _handed(tranche: Tranche, count: float, due_at: Instant, from_at: Instant, until_at: Instant) -> Handover:
    return Handover(
        accelerators=count,
        promised_at=due_at,
        from_at=from_at,
        until_at=until_at,
        grace_days=tranche.grace_days,
        late_discount_frac=tranche.late_discount_frac,
    )
