"""Requests for quotes in the books: where each stands, its listings, and the work of writing one event."""

from collections.abc import Iterable
from functools import partial

from acreage.domain.rfq import (
    Answer,
    Award,
    Cancellation,
    Counter,
    Happened,
    Need,
    Rfq,
    RfqEvent,
    Round,
    Withdrawal,
)
from acreage.flow.books import Work
from acreage.flow.books_columns import Listing, Row
from acreage.ledger.ledger import Ledger
from acreage.ledger.rfqs import record_event, rfq_events, rfq_ids
from acreage.market.rfq.standing import OfferStanding, Standing, check_event, standing
from acreage.report.rfq_request import how_much
from acreage.units.errors import InputError
from acreage.units.ids import RfqId
from acreage.units.instants import Instant, iso
from acreage.units.money import usd_text

OFFERS_SHOWN = ("id", "state", "round", "pool", "accelerators", "price_usd", "price_basis", "start_from_at", "term")
VENDORS_SHOWN = ("provider", "reference", "rounds", "offers", "countered")
EVENTS_SHOWN = ("at", "actor", "told")


def standing_of(ledger: Ledger, rfq: str) -> Standing:
    """Where a request stands now; raises `InputError` where there is none of the id."""
    found = standing(rfq_events(ledger, RfqId(rfq)), ledger.clock())
    if found is None:
        known = ", ".join(rfq_ids(ledger))
        raise InputError(
            f"no request for quotes {rfq!r} is in the books",
            fix=f"there are {known}" if known else "start with `acreage rfq create`",
        )
    return found


def event_work(ledger: Ledger, rfq: RfqId, event: RfqEvent, key: str, at: Instant | None = None) -> Work:
    """The work of writing one event, checked against what stands when it is written."""

    def check(events: tuple[Happened, ...]) -> None:
        check_event(events, event, ledger.clock())

    return partial(record_event, ledger, rfq, event, check, key=key, at=at)


def listed(ledger: Ledger) -> Listing:
    """All requests and where they stand."""
    now = ledger.clock()
    found = [standing(rfq_events(ledger, rfq), now) for rfq in rfq_ids(ledger)]
    return Listing(kind="rfqs", rows=[_rfq(one) for one in found if one is not None])


def shown(ledger: Ledger, rfq: str) -> tuple[Listing, ...]:
    """Everything about one request."""
    now = standing_of(ledger, rfq)
    return (
        Listing(kind="rfqs", rows=[_rfq(now)]),
        Listing(kind="rfq_needs", rows=[_need(need) for need in now.rfq.needs]),
        Listing(kind="rfq_vendors", rows=vendor_rows(now), shown=VENDORS_SHOWN),
        offer_listing(now.offers),
        Listing(kind="rfq_events", rows=event_rows(rfq_events(ledger, now.rfq.id)), shown=EVENTS_SHOWN),
    )


def after(ledger: Ledger, rfq: str) -> tuple[Listing, ...]:
    """A request after a step: itself and its offers."""
    now = standing_of(ledger, rfq)
    return Listing(kind="rfqs", rows=[_rfq(now)]), offer_listing(now.offers)


def offer_listing(offers: Iterable[OfferStanding]) -> Listing:
    """Offers and where they stand."""
    return Listing(kind="rfq_offers", rows=[_offer(offer) for offer in offers], shown=OFFERS_SHOWN)


def _rfq(now: Standing) -> Row:
    current = now.round
    return {
        "id": now.rfq.id,
        "title": now.rfq.title,
        "stage": now.stage.value,
        "disclosure": now.rfq.disclosure.value,
        "round": current.number if current else 0,
        "answers_until_at": iso(current.answers_until_at) if current else None,
        "vendors": len(now.rfq.vendors),
        "answers": len({p for p, number in now.answered if current and number == current.number}),
        "offers": len(now.live),
    }


def _need(need: Need) -> Row:
    return {
        "id": need.id,
        "wanted": how_much(need),
        "accelerators": ", ".join(need.accelerators),
        "from_at": iso(need.from_at),
        "until_at": iso(need.until_at),
    }


def vendor_rows(now: Standing) -> list[Row]:
    """The vendors asked, with what they sent."""
    return [
        {
            "provider": vendor.provider,
            "reference": vendor.reference,
            "pools": ", ".join(vendor.pools),
            "rounds": ", ".join(sorted({str(n) for p, n in now.answered if p == vendor.provider})),
            "offers": sum(offer.provider == vendor.provider for offer in now.live),
            "countered": any(counter.provider == vendor.provider for counter in now.counters),
        }
        for vendor in now.rfq.vendors
    ]


def _offer(offer: OfferStanding) -> Row:
    one = offer.quote.offer
    price = one.terms.price
    return {
        "id": one.id,
        "provider": offer.provider,
        "state": offer.state.value,
        "round": offer.round,
        "pool": one.pool,
        "accelerators": one.blocks_max * one.accelerators_per_block,
        "price_usd": usd_text(price.amount_micro_usd),
        "price_basis": price.basis.value,
        "start_from_at": iso(one.start_from_at),
        "term": str(one.term),
        "expires_at": iso(one.expires_at) if one.expires_at is not None else None,
        "late": offer.late,
        "source": one.provenance.source,
    }


def event_rows(events: Iterable[Happened]) -> list[Row]:
    """What happened, in words."""
    return [
        {"id": happened.fact, "at": iso(happened.at), "actor": happened.actor, "told": _told(happened.event)}
        for happened in events
    ]


def _told(event: RfqEvent) -> str:
    match event:
        case Rfq():
            return f"created for {len(event.vendors)} vendors and {len(event.needs)} lots, {event.disclosure}"
        case Round():
            final = ", best and final" if event.best_and_final else ""
            return f"round {event.number} opened{final}, answers until {iso(event.answers_until_at)}"
        case Answer():
            late = ", late and accepted" if event.late else ""
            back = f", {len(event.withdrawn)} withdrawn" if event.withdrawn else ""
            return (
                f"{event.provider} answered round {event.round}{late}: {len(event.quotes)} offers{back} ({event.file})"
            )
        case Withdrawal():
            return f"{event.offer} withdrawn" + (f": {event.reason}" if event.reason else "")
        case Counter():
            return f"{event.provider} countered: " + "; ".join(
                f"{ask.vendor_id}: {', '.join(ask.words)}" for ask in event.asks
            )
        case Award():
            names = ", ".join(win.offer for win in event.winners) or "nobody"
            return f"awarded, {event.rule}: {names}"
        case Cancellation():
            return "canceled" + (f": {event.reason}" if event.reason else "")
