"""From the price as quoted to a comparable one, term by term, and what each term is worth.

A step counts one more term in and takes the difference, in whole micro-dollars: so the components add
up exactly, whatever the terms. The order is that of `ComponentKind`; it says which step bears what two
terms do together (a late tranche of a prepaid lease, say), not what the offer costs in the end.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from acreage.domain.comparison import Compared, Component, ComponentKind, TermWorth
from acreage.domain.contract import NOTHING, SlaStep
from acreage.domain.lease import Offer
from acreage.domain.price import Price
from acreage.domain.provider import Provider
from acreage.domain.rfq import Need, Quote
from acreage.domain.terms import Terms, Tranche
from acreage.market.rfq.levelised import Case, Levelised, Surprise, Yardstick, levelised
from acreage.market.rfq.rights import exit_usd, extension_usd
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.ids import AcceleratorName
from acreage.units.instants import DAYS_PER_YEAR, SECONDS_PER_DAY, Duration, Instant, add_days, iso_date
from acreage.units.money import MICRO_PER_USD, MicroUsd, usd, usd_text

EARLIER_DAYS = 30
DAYS_PER_MONTH = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """An offer with what the comparison needs of its surroundings.

    `surprises` are the ways its delivery may turn out, with their probabilities; those without recall
    in `late` alone. `port_micro_usd` is what has to be ported before anything runs on its chip.
    """

    quote: Quote
    provider: Provider
    accelerator: AcceleratorName
    need: Need
    late: tuple[Surprise, ...]
    surprises: tuple[Surprise, ...]
    port_micro_usd: MicroUsd = NOTHING


def compared(bid: Bid, yard: Yardstick) -> Compared:
    """The offer at the quantity wanted, as near as its blocks allow."""
    steps = tuple(_steps(bid, yard))
    components, before = [], 0
    for kind, usd_per_hour, note in steps:
        now = round(usd_per_hour * MICRO_PER_USD)
        if now != before or kind is ComponentKind.QUOTED:
            components.append(Component(kind=kind, micro_usd_per_hour=MicroUsd(now - before), note=note))
        before = now
    whole = full_case(bid, yard)
    return Compared(
        offer=bid.quote.offer.id,
        provider=bid.provider.id,
        accelerators=whole.accelerators,
        quoted_micro_usd_per_accelerator_hour=MicroUsd(round(steps[0][1] * MICRO_PER_USD)),
        components=tuple(components),
        micro_usd_per_hour=MicroUsd(before),
        hours=levelised(whole, yard).hours,
        worths=tuple(_worths(bid, yard)),
    )


def blocks_for(offer: Offer, need: Need, accelerator: AcceleratorName, yard: Yardstick) -> int:
    """The fewest blocks that cover the need, within what the offer allows."""
    if need.quantity is not None:
        tflops = need.quantity * yard.effective_tflops[need.accelerators[0]]
    else:
        assert need.effective_pflops is not None, need
        tflops = need.effective_pflops * 1_000.0
    per_block = offer.accelerators_per_block * yard.effective_tflops[accelerator] * (1.0 - offer.terms.sparing_frac)
    return min(max(math.ceil(tflops / per_block - 1e-9), offer.blocks_min), offer.blocks_max)


def start_of(offer: Offer, need: Need, yard: Yardstick) -> Instant:
    """The start in the offer's window nearest to when it is wanted."""
    first = max(offer.start_from_at, yard.as_of_at)
    return Instant(max(first, min(need.from_at, offer.start_until_at)))


def full_case(bid: Bid, yard: Yardstick) -> Case:
    """The offer with every term and risk counted in."""
    bare = _bare(bid, yard)
    lost, credit = outage_fracs(bid.provider, bid.quote.sla)
    offer = bid.quote.offer
    return replace(
        bare,
        offer=offer,
        wanted_from_at=bid.need.from_at,
        surprises=bid.surprises,
        lost_frac=lost,
        credit_frac=credit,
        extra_usd=usd(bid.port_micro_usd)
        - extension_usd(offer, bare.accelerators, bare.price_frac, bare.starts_at, yard)
        - exit_usd(offer, bare.accelerators, bare.price_frac, bare.starts_at, yard),
    )


def _bare(bid: Bid, yard: Yardstick) -> Case:
    """The price alone: all delivered at its start, nothing else agreed, nothing going wrong."""
    offer = bid.quote.offer
    blocks = blocks_for(offer, bid.need, bid.accelerator, yard)
    starts_at = start_of(offer, bid.need, yard)
    terms = Terms(price=offer.terms.price)
    return Case(
        offer=replace(offer, terms=terms, tranches=(Tranche(share_frac=1.0, after=Duration()),)),
        accelerators=blocks * offer.accelerators_per_block,
        accelerator=bid.accelerator,
        price_frac=_tier(offer, blocks),
        starts_at=starts_at,
        ends_at=offer.term.after(starts_at),
        wanted_from_at=starts_at,
        surprises=(Surprise(probability_frac=1.0, late_days=(0.0,)),),
    )


def _tier(offer: Offer, blocks: int) -> float:
    reached = [tier for tier in offer.tiers if tier.blocks_min <= blocks]
    return reached[-1].price_frac if reached else 1.0


def outage_fracs(provider: Provider, sla: tuple[SlaStep, ...]) -> tuple[float, float]:
    """The expected share of time down, and of fees that come back as service credits.

    A month in which an outage falls earns the highest credit whose step its availability is below.
    """
    down = provider.outages_per_year * provider.outage_days / DAYS_PER_YEAR * provider.outage_lost_frac
    availability = 1.0 - provider.outage_lost_frac * min(provider.outage_days / DAYS_PER_MONTH, 1.0)
    credit = max((step.credit_frac for step in sla if availability < step.below_frac), default=0.0)
    months = math.ceil(provider.outage_days / DAYS_PER_MONTH)
    return min(down, 1.0), min(provider.outages_per_year * months * credit / 12.0, 1.0)


def _steps(bid: Bid, yard: Yardstick) -> Iterator[tuple[ComponentKind, float, str]]:
    """The price after each step, with why it changed."""
    yield from _price_steps(bid, yard)
    offer, terms = bid.quote.offer, bid.quote.offer.terms
    case = _bare(bid, yard)
    yield ComponentKind.BILLING, levelised(case, yard).usd_per_hour, f"discounted at {yard.discount_frac_per_year:.1%}"
    for kind, have, note in _money_terms(case.offer.terms, terms):
        case = replace(case, offer=replace(case.offer, terms=have))
        yield kind, levelised(case, yard).usd_per_hour, note
    on_time = (Surprise(probability_frac=1.0, late_days=(0.0,) * len(offer.tranches)),)
    case = replace(case, offer=replace(offer, terms=case.offer.terms), surprises=on_time)
    yield ComponentKind.RAMP, levelised(case, yard).usd_per_hour, f"{len(offer.tranches)} tranches"
    case = replace(case, wanted_from_at=bid.need.from_at)
    days = max(case.starts_at - bid.need.from_at, 0) // SECONDS_PER_DAY
    yield ComponentKind.WAIT, levelised(case, yard).usd_per_hour, f"{days} days after {iso_date(bid.need.from_at)}"
    case = replace(case, surprises=bid.late)
    yield ComponentKind.LATENESS, levelised(case, yard).usd_per_hour, f"{_mean_days(bid):.0f} days late on average"
    case = replace(case, offer=offer, surprises=bid.surprises)
    yield ComponentKind.RECALL, levelised(case, yard).usd_per_hour, _recall_note(bid)
    whole = full_case(bid, yard)
    case = replace(case, lost_frac=whole.lost_frac, credit_frac=whole.credit_frac)
    yield ComponentKind.OUTAGES, levelised(case, yard).usd_per_hour, f"{whole.lost_frac:.2%} of the time down"
    yield from _extra_steps(bid, case, yard)


def _price_steps(bid: Bid, yard: Yardstick) -> Iterator[tuple[ComponentKind, float, str]]:
    price, energy = bid.quote.offer.terms.price, usd(bid.quote.energy_micro_usd_per_accelerator_hour)
    case = _bare(bid, yard)
    full = usd_per_accelerator_hour(price)
    speed = yard.speed(bid.accelerator)
    yield ComponentKind.QUOTED, full - energy, _basis_note(price)
    yield ComponentKind.ENERGY, full, ""
    yield ComponentKind.TIER, full * case.price_frac, f"at {case.accelerators:,} accelerators"
    yield ComponentKind.CHIP, full * case.price_frac / speed, f"one {bid.accelerator} is {speed:.2f} {yard.reference}"


def _money_terms(have: Terms, full: Terms) -> Iterator[tuple[ComponentKind, Terms, str]]:
    have = replace(have, fee_steps=full.fee_steps)
    yield ComponentKind.FEE_RAMP, have, "the fee begins at another share of the price"
    have = replace(have, escalator_frac_per_year=full.escalator_frac_per_year)
    yield ComponentKind.ESCALATOR, have, f"{full.escalator_frac_per_year:.1%} a year"
    have = replace(have, prepayment_frac=full.prepayment_frac)
    yield ComponentKind.PREPAYMENT, have, f"{full.prepayment_frac:.0%} of all fees at signing"
    have = replace(have, sparing_frac=full.sparing_frac)
    yield ComponentKind.SPARES, have, f"{full.sparing_frac:.1%} of the accelerators"


def _extra_steps(bid: Bid, case: Case, yard: Yardstick) -> Iterator[tuple[ComponentKind, float, str]]:
    offer = bid.quote.offer
    extra = usd(bid.port_micro_usd)
    yield ComponentKind.PORTING, _with_extra(case, extra, yard).usd_per_hour, f"{usd_text(bid.port_micro_usd)} USD once"
    extra -= extension_usd(offer, case.accelerators, case.price_frac, case.starts_at, yard)
    yield ComponentKind.EXTENSION, _with_extra(case, extra, yard).usd_per_hour, "an option on the price of the day"
    extra -= exit_usd(offer, case.accelerators, case.price_frac, case.starts_at, yard)
    yield ComponentKind.EXIT, _with_extra(case, extra, yard).usd_per_hour, "an option on the price of the day"


def _with_extra(case: Case, extra_usd: float, yard: Yardstick) -> Levelised:
    return levelised(replace(case, extra_usd=extra_usd), yard)


def _basis_note(price: Price) -> str:
    per = f", {price.accelerators_per_unit:g} accelerators each" if price.accelerators_per_unit != 1.0 else ""
    return f"{usd_text(price.amount_micro_usd)} USD per {price.basis.replace('_', ' ')}{per}"


def _mean_days(bid: Bid) -> float:
    shares = [tranche.share_frac for tranche in bid.quote.offer.tranches]
    return sum(
        s.probability_frac * share * days for s in bid.late for share, days in zip(shares, s.late_days, strict=True)
    )


def _recall_note(bid: Bid) -> str:
    recall = bid.quote.offer.terms.recall
    if recall is None:
        return ""
    taken = sum(s.probability_frac for s in bid.surprises if s.recalled_at is not None)
    return f"{taken:.0%} likely within the term, {recall.notice_days} days' notice"


def _worths(bid: Bid, yard: Yardstick) -> Iterator[TermWorth]:
    """What changes of single terms would be worth; those that change nothing are left out."""
    now = full_case(bid, yard)
    price = levelised(now, yard)
    for term, case in _changes(bid, now, yard):
        each = price.usd_per_hour - levelised(case, yard).usd_per_hour
        worth = TermWorth(
            term=term,
            micro_usd=MicroUsd(round(each * price.hours * MICRO_PER_USD)),
            micro_usd_per_hour=MicroUsd(round(each * MICRO_PER_USD)),
        )
        if worth.micro_usd_per_hour:
            yield worth


def _changes(bid: Bid, now: Case, yard: Yardstick) -> Iterator[tuple[str, Case]]:
    offer, terms = now.offer, now.offer.terms
    earlier_at = add_days(now.starts_at, -EARLIER_DAYS)
    if earlier_at >= yard.as_of_at:
        yield f"{EARLIER_DAYS} days earlier", replace(now, starts_at=earlier_at)
    on_time = tuple(replace(s, late_days=(0.0,) * len(s.late_days)) for s in now.surprises)
    yield "delivered on time for certain", replace(now, surprises=on_time)
    if len(offer.tranches) > 1:
        at_once = tuple(replace(t, after=Duration()) for t in offer.tranches)
        yield "all delivered at the start", replace(now, offer=replace(offer, tranches=at_once))
    if terms.recall is not None:
        free = replace(now, offer=replace(offer, terms=replace(terms, recall=None)), surprises=bid.late)
        yield "without the recall right", free
    if terms.prepayment_frac:
        yield "without prepayment", replace(now, offer=replace(offer, terms=replace(terms, prepayment_frac=0.0)))
    if terms.escalator_frac_per_year:
        flat = replace(terms, escalator_frac_per_year=0.0)
        yield "without the escalator", replace(now, offer=replace(offer, terms=flat))
    if terms.sparing_frac:
        yield "spares kept by the vendor", replace(now, offer=replace(offer, terms=replace(terms, sparing_frac=0.0)))
    if bid.port_micro_usd:
        yield "nothing to port", replace(now, extra_usd=now.extra_usd - usd(bid.port_micro_usd))
    for name, worth in (("extend", extension_usd), ("leave", exit_usd)):
        value = worth(offer, now.accelerators, now.price_frac, now.starts_at, yard)
        if value:
            yield f"without the right to {name}", replace(now, extra_usd=now.extra_usd + value)
    yield "a price 1% lower", replace(now, price_frac=0.99 * now.price_frac)
