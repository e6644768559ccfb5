"""The ways an offer could be signed: start date x price tier x how it ends.

Purchase rules, lapsed offers, exclusivity and first refusal held by others remove variants here,
before there is a model; why an offer has none left is kept as its `Barred` reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from acreage.domain.lease import Lease, Offer
from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import PurchaseRule
from acreage.units.ids import OfferId
from acreage.units.instants import Instant, add_days, iso_date

STARTS_MAX = 6


class Ending(StrEnum):
    """How a lease ends."""

    FULL = "full"
    EARLY = "early"
    EXTENDED = "extended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to sign: blocks of the offer from `starts_at` to `ends_at`, in one tier.

    `term_ends_at` is the headline end: beyond it the extension price holds.
    """

    offer: Offer
    starts_at: Instant
    ends_at: Instant
    term_ends_at: Instant
    ending: Ending
    blocks_min: int
    blocks_max: int
    price_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """Why an offer cannot be signed at all."""

    offer: OfferId
    reason: str


def variants_of(
    portfolio: Portfolio, offer: Offer, *, waived: frozenset[str] = frozenset()
) -> tuple[Variant, ...] | Barred:
    """All variants of an offer; `waived` names leases whose exclusivity and first refusal are set aside.

    What-ifs value a clause by planning without it.
    """
    if offer.expires_at is not None and offer.expires_at < portfolio.as_of_at:
        return Barred(offer=offer.id, reason=f"the offer lapsed on {iso_date(offer.expires_at)}")
    starts = starts_of(portfolio, offer)
    for lease in portfolio.leases:
        if lease.id in waived or lease.provider == offer.provider:
            continue
        starts, reason = _after_clauses(portfolio, lease, offer, starts)
        if not starts:
            return Barred(offer=offer.id, reason=reason)
    found = tuple(_variants(offer, starts, rule_of(portfolio, offer)))
    if not found:
        return Barred(
            offer=offer.id,
            reason=f"no quantity or term of it satisfies the purchase rule of {offer.product!r}",
        )
    return found


def rule_of(portfolio: Portfolio, offer: Offer) -> PurchaseRule | None:
    """The provider's purchase rule for the offer's product, if it has one."""
    rules = portfolio.providers[offer.provider].purchase_rules
    return next((rule for rule in rules if rule.product == offer.product), None)


def starts_of(portfolio: Portfolio, offer: Offer) -> tuple[Instant, ...]:
    """Start dates: the window's first day and the period starts inside it, at most `STARTS_MAX`, evenly spread."""
    first = max(offer.start_from_at, portfolio.as_of_at)
    last = offer.start_until_at
    rule = rule_of(portfolio, offer)
    if rule is not None and rule.lead_time_min is not None:
        first = max(first, rule.lead_time_min.after(portfolio.as_of_at))
    if rule is not None and rule.lead_time_max is not None:
        last = min(last, rule.lead_time_max.after(portfolio.as_of_at))
    inside = [p.from_at for p in portfolio.periods if first < p.from_at <= last]
    starts = ([first] if first <= last else []) + inside
    starts = [at for at in starts if at < portfolio.periods[-1].until_at]
    if len(starts) > STARTS_MAX:
        step = (len(starts) - 1) / (STARTS_MAX - 1)
        starts = [starts[round(i * step)] for i in range(STARTS_MAX)]
    return tuple(starts)


def _after_clauses(
    portfolio: Portfolio, lease: Lease, offer: Offer, starts: tuple[Instant, ...]
) -> tuple[tuple[Instant, ...], str]:
    """The starts left by a held lease's exclusivity and first refusal, and why none if none."""
    accelerator = portfolio.pools[offer.pool].accelerator
    reason = "its start window holds no day that can still be had"
    exclusive = lease.terms.exclusivity
    if exclusive is not None and (not exclusive.accelerators or accelerator in exclusive.accelerators):
        starts = tuple(at for at in starts if at >= exclusive.until_at)
        reason = f"{lease.provider} is exclusive until {iso_date(exclusive.until_at)} (lease {lease.id})"
    refusal = lease.terms.first_refusal
    if starts and refusal is not None and (not refusal.accelerators or accelerator in refusal.accelerators):
        open_at = add_days(portfolio.as_of_at, refusal.response_days)
        if portfolio.as_of_at < refusal.until_at:
            reason = f"{lease.provider} has {refusal.response_days} days to match it (lease {lease.id})"
            late = starts
            starts = tuple(at for at in starts if at >= open_at)
            if not starts and late and open_at <= offer.start_until_at:
                starts = (open_at,)
    return starts, reason


def _variants(offer: Offer, starts: tuple[Instant, ...], rule: PurchaseRule | None) -> Iterator[Variant]:
    blocks_top = offer.blocks_max
    if rule is not None and rule.accelerators_max is not None:
        blocks_top = min(blocks_top, rule.accelerators_max // offer.accelerators_per_block)
    for starts_at in starts:
        for ending, ends_at in _endings(offer, starts_at, rule):
            if not _term_allowed(rule, starts_at, ends_at):
                continue
            for low, high, price_frac in _tiers(offer, blocks_top):
                yield Variant(
                    offer=offer,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    term_ends_at=offer.term.after(starts_at),
                    ending=ending,
                    blocks_min=low,
                    blocks_max=high,
                    price_frac=price_frac,
                )


def _endings(offer: Offer, starts_at: Instant, rule: PurchaseRule | None) -> Iterator[tuple[Ending, Instant]]:
    terms = offer.terms
    full = offer.term.after(starts_at)
    yield Ending.FULL, full
    cancellable = rule is None or rule.cancellable
    if terms.termination is not None and terms.firm_term is not None and cancellable:
        early = add_days(terms.firm_term.after(starts_at), terms.termination.notice_days)
        if early < full:
            yield Ending.EARLY, early
    if terms.extension is not None:
        yield Ending.EXTENDED, terms.extension.duration.after(full)


def _term_allowed(rule: PurchaseRule | None, starts_at: Instant, ends_at: Instant) -> bool:
    if rule is None:
        return True
    if rule.term_min is not None and ends_at < rule.term_min.after(starts_at):
        return False
    return rule.term_max is None or ends_at <= rule.term_max.after(starts_at)


def _tiers(offer: Offer, blocks_top: int) -> Iterator[tuple[int, int, float]]:
    """Quantity ranges and their price share; below the first tier the asked price holds."""
    steps = sorted(offer.tiers, key=lambda tier: tier.blocks_min)
    floors = [offer.blocks_min, *[tier.blocks_min for tier in steps]]
    fracs = [1.0, *[tier.price_frac for tier in steps]]
    for i, (low, price_frac) in enumerate(zip(floors, fracs, strict=True)):
        high = blocks_top if i + 1 == len(floors) else min(blocks_top, floors[i + 1] - 1)
        low = max(low, offer.blocks_min, 1)
        if low <= high:
            yield low, high, price_frac


def release_dates(portfolio: Portfolio, lease: Lease) -> tuple[Instant, ...]:
    """When a held lease with a right to leave could end: the earliest exit, then later period starts."""
    right = lease.terms.termination
    if right is None or lease.terms.firm_term is None:
        return ()
    notice_ends_at = add_days(portfolio.as_of_at, right.notice_days)
    first = max(
        add_days(lease.terms.firm_term.after(lease.starts_at), right.notice_days),
        notice_ends_at,
    )
    dates = [first, *[p.from_at for p in portfolio.periods if p.from_at > first]]
    dates = [at for at in dates if at < min(lease.ends_at, portfolio.periods[-1].until_at)]
    if len(dates) > STARTS_MAX:
        step = (len(dates) - 1) / (STARTS_MAX - 1)
        dates = [dates[round(i * step)] for i in range(STARTS_MAX)]
    return tuple(dict.fromkeys(dates))
