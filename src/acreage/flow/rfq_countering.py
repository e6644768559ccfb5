"""Countering: what the plan says of each offer, what to ask for, and the counters written into the books."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from acreage import __version__
from acreage.domain.conflict import Conflict
from acreage.domain.countering import Countering, Pivot, Standpoint, TriedChange
from acreage.domain.future import Future
from acreage.domain.lease import Offer
from acreage.domain.plan import OfferVerdict, Range
from acreage.domain.rfq import Ask, Counter
from acreage.flow.books import Work
from acreage.flow.books_columns import Listing, Row
from acreage.flow.rfq_books import event_work, standing_of
from acreage.flow.rfq_comparing import write_file, yardstick
from acreage.flow.rfq_planning import Ground, no_plan, session_on
from acreage.ledger.ledger import Ledger
from acreage.market.rfq.counter import PRICE_STEP_FRAC, TermChange, at_price, changes_of, payments_usd, price_words
from acreage.market.rfq.levelised import Yardstick
from acreage.market.rfq.standing import OfferStanding, Standing
from acreage.plan.concessions import entered, nearest_with, without_offers
from acreage.plan.planner import Step, Tell, best_of
from acreage.plan.session import Session, Solved, with_offer
from acreage.plan.verdicts import verdict_of
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.report.renderers.page import render_page
from acreage.report.rfq_countering import countering_page
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, OfferId, ProviderId
from acreage.units.money import MICRO_PER_USD, usd_text

COUNTERS_SHOWN = ("offer", "in_plan", "accelerators", "asked_usd", "walk_away_usd", "expires_usd", "cheapest")
MARGIN_FRAC = 0.05
"""A counter asks for this much less than the price at which we would sign, unless another margin is given."""


def countering(ground: Ground, options: Mapping[str, Any], tell: Tell) -> Countering:
    """Plan with the offers on the table, then find for each what it is worth and what would bring it in."""
    session = session_on(ground, options)
    found = best_of(session, tell)
    if isinstance(found, Conflict):
        raise no_plan(found)
    best = found[0]
    yard = yardstick(ground.read.portfolio, ground.now.rfq, replacement_usd=options.get("replacement_usd"))
    asked = [offer for offer in ground.now.live if _is_asked(offer, options["offers"])]
    if not asked:
        known = ", ".join(offer.quote.offer.id for offer in ground.now.live)
        raise InputError(f"no offer {', '.join(options['offers'])} is on the table", fix=f"there are {known}")
    standpoints = []
    for i, offer in enumerate(asked):
        tell(Step(stage=f"walk-away price of {offer.quote.offer.id}", done=i, total=len(asked)))
        standpoints.append(_standpoint(session, best, offer, yard, tell))
    return Countering(
        standpoints=tuple(standpoints),
        pivots=tuple(_pivots(session, best, ground.now, tell)),
        objective_usd=best.range_usd.found,
        gap_frac=session.quick_gap_frac,
    )


def _is_asked(offer: OfferStanding, names: Sequence[str]) -> bool:
    return not names or offer.quote.offer.id in names or offer.quote.vendor_id in names


def _standpoint(session: Session, best: Solved, offer: OfferStanding, yard: Yardstick, tell: Tell) -> Standpoint:
    """The verdict on one offer, and the changes tried if the plan does without it."""
    one = offer.quote.offer
    reason = session.base.choices.barred.get(one.id, "")
    if one.id not in {o.id for o in session.portfolio.offers}:
        reason = "an offer of its bundle is no longer on the table"
        return Standpoint(offer=one.id, provider=one.provider, verdict=_gone(one.id, reason), changes=())
    verdict = verdict_of(session.branch(), best, one, reason)
    changes = () if verdict.signed else tuple(_tried(session, best, offer, verdict, yard, tell))
    return Standpoint(offer=one.id, provider=one.provider, verdict=verdict, changes=changes)


def _gone(offer: OfferId, reason: str) -> OfferVerdict:
    return OfferVerdict(
        offer=offer,
        signed=False,
        asked_usd_per_accelerator_hour=0.0,
        walk_away_usd_per_accelerator_hour=None,
        at_accelerators=0,
        worth_usd=None,
        confirmed=None,
        others_kept=False,
        reason=reason,
    )


def _tried(
    session: Session, best: Solved, offer: OfferStanding, verdict: OfferVerdict, yard: Yardstick, tell: Tell
) -> list[TriedChange]:
    one = offer.quote.offer
    walk = verdict.walk_away_usd_per_accelerator_hour
    accelerators = verdict.at_accelerators or one.blocks_min * one.accelerators_per_block
    chip = session.portfolio.pools[one.pool].accelerator
    found = [_at_price(one, accelerators, walk, chip, yard)] if walk is not None and walk.found > 0.0 else []
    start = nearest_with(session.branch(), best, one.id)
    for change in changes_of(one, accelerators, chip, yard) if start is not None else ():
        assert start is not None
        tell(Step(stage=f"{one.id}: {change.words}", done=0, total=1))
        found.append(_try(session.branch(), best, start, change, large=not verdict.others_kept))
    return found


def _at_price(offer: Offer, accelerators: int, walk: Range, chip: AcceleratorName, yard: Yardstick) -> TriedChange:
    """A price a little below the one at which the verdict found that the decision flips: nothing is left to try."""
    change = at_price(offer, accelerators, walk.found, chip, yard)
    usd_per_price = payments_usd(offer, accelerators, chip, yard) / usd_per_accelerator_hour(offer.terms.price)
    low, found_, high = (
        (price - walk.found * PRICE_STEP_FRAC) * usd_per_price for price in (walk.low, walk.found, walk.high)
    )
    gain = Range(low=low, found=found_, high=high)
    return TriedChange(words=change.words, gain_usd=gain, forgone_usd=change.forgone_usd)


def _try(session: Session, best: Solved, start: Solved, change: TermChange, *, large: bool) -> TriedChange:
    """Whether the plan has the offer on the changed terms, and what it gains."""
    futures = tuple(_on_time(future, change.offer.id) for future in session.futures) if change.on_time else None
    portfolio = with_offer(session.portfolio, change.offer)
    there = entered(session, best, start, portfolio, change.offer.id, futures=futures, large=large)
    gain = there.gain_usd if there is not None else None
    return TriedChange(words=change.words, gain_usd=gain, forgone_usd=change.forgone_usd)


def _on_time(future: Future, offer: OfferId) -> Future:
    kept = {key: days for key, days in future.delay_days.items() if key[0] != offer}
    return replace(future, delay_days=kept)


def _pivots(session: Session, best: Solved, now: Standing, tell: Tell) -> list[Pivot]:
    """What the plan costs more without each vendor's offers."""
    found = []
    for provider in sorted({offer.provider for offer in now.live}):
        tell(Step(stage=f"without the offers of {provider}", done=0, total=1))
        mine = frozenset(offer.quote.offer.id for offer in now.live if offer.provider == provider)
        there = without_offers(session.branch(), best, mine, session.quick(best.solution.first))
        found.append(_pivot(provider, best, there, session.quick_gap_frac))
    return found


def _pivot(provider: ProviderId, best: Solved, there: Solved | None, gap_frac: float) -> Pivot:
    if there is None:
        return Pivot(provider=provider, extra_usd=None, pivotal=True)
    now, then = best.range_usd, there.range_usd
    extra = Range(low=then.low - now.high, found=then.found - now.found, high=then.high - now.low)
    if there is best:
        extra = Range(low=0.0, found=0.0, high=0.0)
    return Pivot(provider=provider, extra_usd=extra, pivotal=extra.found > gap_frac * abs(now.found))


def drafts(
    ledger: Ledger, rfq: str, found: Countering, vendors: Sequence[str], margin_frac: float, message: str
) -> list[Counter]:
    """Counters to vendors made from the figures: a price below the one we would sign at, or the cheapest change.

    What we would pay at most is never told.
    """
    now = standing_of(ledger, rfq)
    counters = []
    for name in vendors:
        provider = now.vendor(name).provider
        asks = [_ask(now, s, margin_frac) for s in found.standpoints if s.provider == provider]
        good = tuple(ask for ask in asks if ask is not None)
        if not good:
            raise InputError(f"no change of terms would bring an offer of {provider} into the plan", fix="leave it out")
        counters.append(Counter(provider=provider, asks=good, message=message))
    return counters


def _ask(now: Standing, standpoint: Standpoint, margin_frac: float) -> Ask | None:
    verdict = standpoint.verdict
    walk = verdict.walk_away_usd_per_accelerator_hour
    vendor_id = now.offer(standpoint.offer).quote.vendor_id
    if walk is not None and walk.found > 0.0:
        usd = min(walk.found, verdict.asked_usd_per_accelerator_hour) * (1.0 - margin_frac)
        return price_ask(standpoint.offer, vendor_id, usd)
    cheapest = standpoint.cheapest
    if cheapest is None:
        return None
    return Ask(offer=standpoint.offer, vendor_id=vendor_id, usd_per_accelerator_hour=None, words=(cheapest.words,))


def price_ask(offer: OfferId, vendor_id: str, usd: float) -> Ask:
    """An ask for a price."""
    words = (price_words(usd),)
    return Ask(offer=offer, vendor_id=vendor_id, usd_per_accelerator_hour=round(usd, 2), words=words)


def explicit(ledger: Ledger, rfq: str, asks: Sequence[str], message: str) -> list[Counter]:
    """Counters as the user writes them: OFFER=PRICE or OFFER=words, by the offer's id or the vendor's own name."""
    now = standing_of(ledger, rfq)
    by_vendor: dict[ProviderId, list[Ask]] = {}
    for text in asks:
        name, equals, wanted = text.partition("=")
        if not equals or not wanted.strip():
            raise InputError(f"{text!r} asks for nothing", fix="write OFFER=PRICE or OFFER=words")
        offer = _named(now, name.strip())
        by_vendor.setdefault(offer.provider, []).append(_asked_for(offer, wanted.strip()))
    return [Counter(provider=p, asks=tuple(found), message=message) for p, found in by_vendor.items()]


def _named(now: Standing, name: str) -> OfferStanding:
    found = [offer for offer in now.live if name in (offer.quote.offer.id, offer.quote.vendor_id)]
    if len(found) > 1:
        raise InputError(f"{name!r} is a name of several offers", fix=f"write {found[0].quote.offer.id}")
    return found[0] if found else now.offer(name)


def _asked_for(offer: OfferStanding, wanted: str) -> Ask:
    one, vendor_id = offer.quote.offer, offer.quote.vendor_id
    try:
        usd = float(wanted)
    except ValueError:
        return Ask(offer=one.id, vendor_id=vendor_id, usd_per_accelerator_hour=None, words=(wanted,))
    if not 0.0 < usd < 1e9:
        raise InputError(f"{wanted} is no price", fix="write USD an accelerator-hour, for example 4.10")
    return price_ask(one.id, vendor_id, usd)


def counter_works(ledger: Ledger, rfq: str, counters: Sequence[Counter], key: str) -> list[Work]:
    """The work of writing counters into the books; they are told with the next round."""
    now = standing_of(ledger, rfq)
    return [event_work(ledger, now.rfq.id, one, f"{key}/{one.provider}") for one in counters]


def listings(found: Countering) -> tuple[Listing, ...]:
    """The figures as listings."""
    changes: list[Row] = [
        {
            "offer": one.offer,
            "change": change.words,
            "enters": change.verdict,
            "gain_usd": _whole(change.gain_usd.found) if change.gain_usd is not None else None,
            "forgone_usd": _whole(change.forgone_usd),
        }
        for one in found.standpoints
        for change in one.changes
    ]
    pivots: list[Row] = [
        {
            "provider": pivot.provider,
            "usd": _whole(pivot.extra_usd.found) if pivot.extra_usd is not None else None,
            "pivotal": pivot.pivotal,
        }
        for pivot in found.pivots
    ]
    return (
        Listing(kind="counters", rows=[_counter_row(one) for one in found.standpoints], shown=COUNTERS_SHOWN),
        Listing(kind="changes", rows=changes),
        Listing(kind="pivotal", rows=pivots),
    )


def _counter_row(one: Standpoint) -> Row:
    verdict, cheapest = one.verdict, one.cheapest
    walk = verdict.walk_away_usd_per_accelerator_hour
    lost = verdict.worth_usd.found if verdict.signed and verdict.worth_usd is not None else None
    return {
        "offer": one.offer,
        "provider": one.provider,
        "in_plan": verdict.signed,
        "accelerators": verdict.at_accelerators,
        "asked_usd": f"{verdict.asked_usd_per_accelerator_hour:.2f}",
        "walk_away_usd": f"{walk.found:.2f}" if walk is not None else None,
        "expires_usd": "0" if not verdict.signed else _whole(lost) if lost is not None else None,
        "cheapest": cheapest.words if cheapest is not None else "",
        "reason": verdict.reason,
    }


def _whole(usd: float) -> str:
    return usd_text(round(usd) * MICRO_PER_USD)


def write_page(ground: Ground, found: Countering, path: Path) -> None:
    """The figures as a page, for our eyes only; raises `InputError` where it cannot be written."""
    write_file(path, render_page(countering_page(ground.now.rfq, found), __version__).encode())
