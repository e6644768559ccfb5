"""What to ask a vendor for: single changes of an offer's terms, and what each costs the vendor in payments."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from acreage.domain.lease import Offer
from acreage.domain.terms import Termination, Tranche
from acreage.market.rfq.levelised import Case, Surprise, Yardstick, levelised
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.ids import AcceleratorName
from acreage.units.instants import Duration, Instant, add_months
from acreage.units.money import MicroUsd

EARLIER_MONTHS = (1, 2)
PRICE_STEP_FRAC = 0.99
"""A price is asked a little below the one at which the decision flips, so that it flips."""
LEAVE_AFTER = Duration(months=12)
LEAVE_NOTICE_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class TermChange:
    """One change of an offer: in words for the vendor, the offer then, and the payments that the vendor forgoes.

    `on_time` asks for a guarantee: the plan is then made as if no delivery of it could be late.
    """

    words: str
    offer: Offer
    forgone_usd: float
    on_time: bool = False


def at_price(
    offer: Offer, accelerators: int, walk_away_usd: float, chip: AcceleratorName, yard: Yardstick
) -> TermChange:
    """A price a step below the one at which an offer enters the plan."""
    usd = walk_away_usd * PRICE_STEP_FRAC
    changed = with_price(offer, usd)
    forgone = payments_usd(offer, accelerators, chip, yard) - payments_usd(changed, accelerators, chip, yard)
    return TermChange(words=price_words(usd), offer=changed, forgone_usd=max(forgone, 0.0))


def price_words(usd: float) -> str:
    """A price as it is asked for."""
    return f"a price of {usd:.2f} USD an accelerator-hour"


def changes_of(offer: Offer, accelerators: int, chip: AcceleratorName, yard: Yardstick) -> Iterator[TermChange]:
    """Every change but that of the price worth trying on an offer, `accelerators` of which would be taken."""
    now_usd = payments_usd(offer, accelerators, chip, yard)
    for words, changed in _changed(offer, yard):
        forgone = max(now_usd - payments_usd(changed, accelerators, chip, yard), 0.0)
        yield TermChange(words=words, offer=changed, forgone_usd=forgone)
    yield TermChange(words="delivery on time guaranteed", offer=offer, forgone_usd=0.0, on_time=True)


def _changed(offer: Offer, yard: Yardstick) -> Iterator[tuple[str, Offer]]:
    for months in EARLIER_MONTHS:
        from_at = add_months(offer.start_from_at, -months)
        if from_at >= yard.as_of_at:
            window = (from_at, add_months(offer.start_until_at, -months))
            yield (
                f"a start {months} {'month' if months == 1 else 'months'} earlier",
                replace(offer, start_from_at=from_at, start_until_at=Instant(max(window))),
            )
    if offer.blocks_min > 1:
        fewest = f"as few as one block of {offer.accelerators_per_block:,}"
        yield fewest, replace(offer, blocks_min=1)
    if len(offer.tranches) > 1:
        yield "all delivered at the start", replace(offer, tranches=_at_once(offer))
    yield from _clauses(offer)


def _clauses(offer: Offer) -> Iterator[tuple[str, Offer]]:
    terms = offer.terms
    if terms.recall is not None:
        yield "no right to take it back", replace(offer, terms=replace(terms, recall=None))
    if terms.prepayment_frac:
        yield "no prepayment", replace(offer, terms=replace(terms, prepayment_frac=0.0))
    if terms.escalator_frac_per_year > 0:
        yield "no escalator", replace(offer, terms=replace(terms, escalator_frac_per_year=0.0))
    if terms.exclusivity is not None:
        yield "no exclusivity", replace(offer, terms=replace(terms, exclusivity=None))
    if offer.commitment is not None:
        yield "no spend commitment", replace(offer, commitment=None)
    if offer.requires:
        yield "on its own, outside of its bundle", replace(offer, requires=())
    if terms.termination is None and LEAVE_AFTER.after(0) < offer.term.after(0):
        leave = Termination(notice_days=LEAVE_NOTICE_DAYS, fee_frac=0.0)
        yield (
            f"the right to leave after {LEAVE_AFTER} at {LEAVE_NOTICE_DAYS} days' notice",
            replace(offer, terms=replace(terms, firm_term=LEAVE_AFTER, termination=leave)),
        )


def with_price(offer: Offer, usd_per_hour: float) -> Offer:
    """The offer at another price per accelerator-hour, in its own unit."""
    price = offer.terms.price
    factor = usd_per_hour / usd_per_accelerator_hour(price)
    amount = MicroUsd(round(price.amount_micro_usd * factor))
    return replace(offer, terms=replace(offer.terms, price=replace(price, amount_micro_usd=amount)))


def _firm(offer: Offer) -> Offer:
    """What the buyer is bound to: with a right to leave, only up to its first use."""
    right, firm = offer.terms.termination, offer.terms.firm_term
    if right is None or firm is None:
        return offer
    bound = Duration(months=firm.months, days=firm.days + right.notice_days)
    shorter = bound.after(0) < offer.term.after(0)
    return replace(offer, term=bound) if shorter else offer


def payments_usd(offer: Offer, accelerators: int, chip: AcceleratorName, yard: Yardstick) -> float:
    """Everything paid for an offer that starts on its first day and is delivered as promised, discounted.

    Of an offer that can be left, only what is paid before.
    """
    offer = _firm(offer)
    starts_at = Instant(max(offer.start_from_at, yard.as_of_at))
    on_time = Surprise(probability_frac=1.0, late_days=(0.0,) * len(offer.tranches))
    case = Case(
        offer=offer,
        accelerators=accelerators,
        accelerator=chip,
        price_frac=1.0,
        starts_at=starts_at,
        ends_at=offer.term.after(starts_at),
        wanted_from_at=starts_at,
        surprises=(on_time,),
    )
    return levelised(case, replace(yard, replacement_usd_per_hour=0.0)).usd


def _at_once(offer: Offer) -> tuple[Tranche, ...]:
    return tuple(replace(tranche, after=Duration()) for tranche in offer.tranches)
