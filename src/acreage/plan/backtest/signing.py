"""What of a plan is done now, and what it leaves open.

Signed now is what cannot wait: an offer of which the plan has a part that could not be had on the next planning day on
the same dates, because it would have lapsed, started or lack its lead time. Offers keep their price until they lapse,
so waiting costs nothing, and what is seen meanwhile may change the mind. An offer is signed at once and whole, with
those it requires. How a lease ends is left to its right to leave, which is used when notice is due; an extension is
agreed with the signing. Ports are made when a plan has them: no later date is known to the model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from acreage.domain.lease import Delivery, Lease, Offer
from acreage.domain.plan import Decision, Release, Signing
from acreage.domain.portfolio import Portfolio
from acreage.domain.terms import FeeStep, FirstRefusal, Terms
from acreage.plan.formulate.variants import Ending, Variant, rule_of
from acreage.units.ids import LeaseId, OfferId
from acreage.units.instants import Instant, add_days, iso_date
from acreage.units.money import MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What of a plan's decision is done now and what is left open."""

    signed: tuple[Signing, ...]
    left_open: tuple[Signing, ...]
    released: tuple[Release, ...]


def done_now(portfolio: Portfolio, decision: Decision, next_at: Instant | None) -> Done:
    """What cannot wait until `next_at`, the next planning day; all of it where there is none."""
    offers = {offer.id: offer for offer in portfolio.offers}
    now = {s.offer for s in decision.signings if next_at is None or not _can_wait(portfolio, decision, s, next_at)}
    while True:
        needed = {o for offer in now for o in offers[offer].requires if any(s.offer == o for s in decision.signings)}
        if needed <= now:
            break
        now |= needed
    leases = {str(lease.id): lease for lease in portfolio.leases}
    return Done(
        signed=tuple(s for s in decision.signings if s.offer in now),
        left_open=tuple(s for s in decision.signings if s.offer not in now),
        released=tuple(r for r in decision.releases if next_at is None or _notice_due(leases[r.lease], r, next_at)),
    )


def _can_wait(portfolio: Portfolio, decision: Decision, signing: Signing, next_at: Instant) -> bool:
    offer = next(o for o in portfolio.offers if o.id == signing.offer)
    if offer.expires_at is not None and offer.expires_at < next_at:
        return False
    return signing.starts_at >= earliest_start(portfolio, decision, offer, next_at)


def earliest_start(portfolio: Portfolio, decision: Decision, offer: Offer, at: Instant) -> Instant:
    """The first day on which an offer could start if signed at `at`, what the decision signs held by then."""
    rule = rule_of(portfolio, offer)
    found = max(offer.start_from_at, at)
    if rule is not None and rule.lead_time_min is not None:
        found = max(found, rule.lead_time_min.after(at))
    chip = portfolio.pools[offer.pool].accelerator
    for clause in _refusals(portfolio, decision, offer):
        if at < clause.until_at and (not clause.accelerators or chip in clause.accelerators):
            found = max(found, add_days(at, clause.response_days))
    return found


def _refusals(portfolio: Portfolio, decision: Decision, offer: Offer) -> Iterator[FirstRefusal]:
    """First refusals that others have, or will have once the decision is signed."""
    signed = {s.offer for s in decision.signings}
    others: tuple[Lease | Offer, ...] = (*portfolio.leases, *(o for o in portfolio.offers if o.id in signed))
    for other in others:
        if other.provider != offer.provider and other.terms.first_refusal is not None:
            yield other.terms.first_refusal


def _notice_due(lease: Lease, release: Release, next_at: Instant) -> bool:
    """Whether notice must be given before the next planning day."""
    right = lease.terms.termination
    assert right is not None, f"{lease.id} is left without a right to"
    return add_days(next_at, right.notice_days) > release.ends_at


def as_signed(signing: Signing, offer: Offer) -> Signing:
    """The signing as the contract says it: for its term, unless it is extended."""
    if not signing.ends_early:
        return signing
    return replace(signing, ends_at=offer.term.after(signing.starts_at), ends_early=False)


def variant_of(signing: Signing, offer: Offer) -> Variant:
    """The variant that a signing is of."""
    ending = Ending.EXTENDED if signing.extended else Ending.EARLY if signing.ends_early else Ending.FULL
    return Variant(
        offer=offer,
        starts_at=signing.starts_at,
        ends_at=signing.ends_at,
        term_ends_at=offer.term.after(signing.starts_at),
        ending=ending,
        blocks_min=signing.blocks,
        blocks_max=signing.blocks,
        price_frac=signing.price_frac,
    )


def lease_of(signing: Signing, offer: Offer, portfolio: Portfolio) -> Lease:
    """The lease that a signing becomes: tier and extension in its price, what is prepaid paid."""
    terms = offer.terms
    price = replace(terms.price, amount_micro_usd=MicroUsd(round(terms.price.amount_micro_usd * signing.price_frac)))
    rule = rule_of(portfolio, offer)
    can_leave = (rule is None or rule.cancellable) and not signing.extended
    return Lease(
        id=LeaseId(f"{offer.id}@{iso_date(signing.starts_at)}"),
        provider=offer.provider,
        pool=offer.pool,
        starts_at=signing.starts_at,
        ends_at=signing.ends_at,
        deliveries=deliveries_of(signing, offer),
        terms=replace(
            terms,
            price=price,
            fee_steps=_extended_steps(terms, offer) if signing.extended else terms.fee_steps,
            extension=None,
            termination=terms.termination if can_leave else None,
        ),
    )


def _extended_steps(terms: Terms, offer: Offer) -> tuple[FeeStep, ...]:
    """The fee steps with the extension's price from the end of the term on."""
    assert terms.extension is not None
    day = Instant(0)
    end = offer.term.after(day)
    frac = terms.extension.price_frac
    steps = sorted(terms.fee_steps, key=lambda step: step.after.after(day))
    before = [step for step in steps if step.after.after(day) <= end]
    later = [replace(step, fee_frac=step.fee_frac * frac) for step in steps if step.after.after(day) > end]
    last = before[-1].fee_frac if before else 1.0
    return (*before, FeeStep(after=offer.term, fee_frac=last * frac), *later)


def deliveries_of(signing: Signing, offer: Offer) -> tuple[Delivery, ...]:
    """Whole accelerators a tranche, each tranche in its place; the last takes what rounding leaves."""
    left = signing.accelerators
    found = []
    for i, tranche in enumerate(offer.tranches):
        last = i + 1 == len(offer.tranches)
        count = left if last else min(left, round(signing.accelerators * tranche.share_frac))
        left -= count
        found.append(
            Delivery(
                accelerators=count,
                due_at=tranche.after.after(signing.starts_at),
                grace_days=tranche.grace_days,
                late_discount_frac=tranche.late_discount_frac,
                terminable_after_days=tranche.terminable_after_days,
                delay=tranche.delay,
            )
        )
    return tuple(found)


def left_after(offers: Sequence[Offer], signed: frozenset[OfferId]) -> tuple[Offer, ...]:
    """The offers still open: neither signed nor excluded by one that is; what they require of those signed is met."""
    by_id = {offer.id: offer for offer in offers}
    barred = {other for id_ in signed for other in by_id[id_].excludes}
    return tuple(
        replace(offer, requires=tuple(o for o in offer.requires if o not in signed))
        for offer in offers
        if offer.id not in signed and offer.id not in barred and not signed.intersection(offer.excludes)
    )
