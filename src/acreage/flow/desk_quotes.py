"""What the desk's commands on quotes do: answer, admit, list and show, each viewer within its own walls."""

from collections.abc import Sequence
from pathlib import Path

from acreage.desk.quote import answer
from acreage.desk.reasons import for_lessee, in_full, terms_text
from acreage.domain.desk import LeaseRequest, Quote, Terms, Verdict
from acreage.flow.books_columns import Listing, Row
from acreage.flow.desk import Room, Viewer
from acreage.ledger.desk_log import (
    Logged,
    QuoteState,
    Sight,
    first_quote,
    give_quote,
    look,
    quote_id,
    quote_with_id,
    quotes,
    sights,
)
from acreage.portfolio.desk_file import options_document, read_request, request_of
from acreage.units.errors import InputError
from acreage.units.ids import LesseeName, QuoteId
from acreage.units.instants import SECONDS_PER_HOUR, Instant, instant, iso
from acreage.units.money import scaled, usd_text

QUOTES_SHOWN = ("id", "lessee", "tier", "accelerators", "from_at", "until_at", "bid_usd", "verdict", "state", "told")
TERMS_SHOWN = ("number", "part", "pool", "accelerators", "from_at", "until_at", "price_usd", "amount_usd")
DIGITS_MIN = 4
"""The fewest digits that may stand for a quote's id."""

REASONS_SHOWN = ("because", "why", "tables")


def request_from_file(room: Room, file: Path) -> LeaseRequest:
    """The request of a file; raises `InputError` with its line."""
    return read_request(file, room.desk)


def request_from_options(
    room: Room,
    *,
    lessee: str,
    tier: str,
    pools: Sequence[str],
    accelerator: str,
    accelerators: int,
    from_: str,
    until: str,
    bid: str,
) -> LeaseRequest:
    """The request of a command line; raises `InputError`."""
    return request_of(
        room.desk,
        options_document(),
        lessee=lessee,
        tier=tier,
        pools=pools,
        accelerator=accelerator,
        accelerators=accelerators,
        from_at=instant(from_),
        until_at=instant(until),
        bid=bid,
    )


def quoted(room: Room, request: LeaseRequest, viewer: Viewer, key: str | None, *, write: bool) -> Logged:
    """Answer a request and log it (`write`); the same key of the same lessee returns the first answer.

    A lessee asks for itself only. Raises `InputError` for a request that makes no sense.
    """
    viewer.must_be("desk", "lessee")
    if viewer.role == "lessee" and request.lessee != viewer.lessee:
        raise InputError(f"{viewer} asks for {request.lessee}", fix="a lessee asks for itself")
    id_ = quote_id(request.lessee, key)
    first = first_quote(room.ledger, id_, request) if key is not None else None
    if first is not None:
        return _known(room, first.id)
    now = room.ledger.clock()
    asks = room.asks_of(request.pools)
    quote = Quote(
        id=id_,
        request=request,
        answer=answer(room.desk, asks, request, now),
        tables=asks.tables.version,
        given_at=now,
        valid_until_at=Instant(min(now + room.desk.rules.quote_valid_s, request.from_at)),
    )
    if write:
        give_quote(room.ledger, quote, str(viewer))
    return Logged(quote=quote, state=QuoteState.GIVEN)


def is_refused(logged: Logged) -> bool:
    """Whether nothing at all is offered."""
    return logged.quote.answer.verdict is Verdict.REFUSE


def found(room: Room, id_: str, viewer: Viewer, act: str) -> Logged:
    """A quote the viewer may see, by its id or the first digits of it. The look is recorded.

    To a lessee another's is as if it were not there. Raises `InputError` where there is none, or several.
    """
    logged = quote_with_id(room.ledger, QuoteId(id_)) or _begins(room, id_, viewer)
    if logged is None or not _may_see(viewer, logged):
        raise InputError(f"no quote {id_!r}", fix="see `acreage desk list`")
    look(room.ledger, str(viewer), act, (logged.quote.id,))
    return logged


def _begins(room: Room, digits: str, viewer: Viewer) -> Logged | None:
    """The one quote the viewer may see whose id begins so."""
    if len(digits) < DIGITS_MIN:
        return None
    same = [one for one in quotes(room.ledger) if one.quote.id.startswith(digits) and _may_see(viewer, one)]
    if len(same) > 1:
        raise InputError(f"{len(same)} quotes begin with {digits!r}", fix="give more of its id")
    return same[0] if same else None


def listed(room: Room, viewer: Viewer) -> list[Logged]:
    """The quotes the viewer may see, newest last. The look is recorded."""
    mine = [logged for logged in quotes(room.ledger) if _may_see(viewer, logged)]
    look(room.ledger, str(viewer), "list", tuple(logged.quote.id for logged in mine))
    return mine


def shown(logged: Sequence[Logged], viewer: Viewer) -> tuple[Listing, ...]:
    """Quotes as the viewer sees them: a lessee what it asked and is offered, the others the reasons too."""
    views: tuple[Listing, ...] = (
        Listing(kind="quotes", rows=[quote_row(one) for one in logged], shown=QUOTES_SHOWN),
        Listing(kind="terms", rows=[row for one in logged for row in terms_rows(one)], shown=TERMS_SHOWN),
    )
    if viewer.role != "lessee":
        views += (Listing(kind="reasons", rows=[reason_row(one) for one in logged], shown=REASONS_SHOWN),)
    return views


def said(logged: Logged, viewer: Viewer) -> list[str]:
    """One quote as lines to read."""
    quote = logged.quote
    lines = [f"{quote.answer.verdict}: {for_lessee(quote.answer)}"]
    for number, terms in enumerate(choices(logged)):
        if terms is not None:
            lines.append(f"  {number}. {terms_text(terms)}")
    if viewer.role != "lessee":
        lines.append(f"why: {in_full(quote.request, quote.answer)}")
    lines.append(f"quote {quote.id}, tables {quote.tables}, stands until {iso(quote.valid_until_at)}")
    if logged.state is not QuoteState.GIVEN:
        lines.append(f"it was {logged.state}" + (f" as lease {', '.join(logged.leases)}" if logged.leases else ""))
    return lines


def trail(room: Room, viewer: Viewer) -> Listing:
    """Who looked at what; for the auditor and the desk. This look is recorded too."""
    viewer.must_be("auditor", "desk")
    seen = sights(room.ledger)
    look(room.ledger, str(viewer), "trail", ())
    return Listing(kind="sights", rows=[_sight_row(one) for one in seen])


def quote_row(logged: Logged) -> Row:
    """A quote without a reason: what its lessee may know."""
    quote, request = logged.quote, logged.quote.request
    bid = request.bid_micro_usd
    return {
        "id": quote.id,
        "lessee": request.lessee,
        "tier": request.tier.value,
        "pools": ", ".join(request.pools),
        "parts": max(len(request.parts), 1),
        "accelerators": request.accelerators,
        "from_at": iso(request.from_at),
        "until_at": iso(request.until_at),
        "bid_usd": None if bid is None else usd_text(bid),
        "verdict": quote.answer.verdict.value,
        "state": logged.state.value,
        "lease": ", ".join(logged.leases) or None,
        "valid_until_at": iso(quote.valid_until_at),
        "told": for_lessee(quote.answer) if logged.state is not QuoteState.LOST else LOST,
    }


LOST = "these terms can no longer be offered"
"""What a lessee is told where a quote could not be admitted."""


def choices(logged: Logged) -> tuple[Terms | None, ...]:
    """What can be admitted of a quote: first as asked (None: it cannot), then the counter-offers."""
    return (logged.quote.answer.offer, *logged.quote.answer.counters)


def terms_rows(logged: Logged) -> list[Row]:
    """The terms a quote offers, numbered as `admit` takes them, a row for each part."""
    return [
        {
            "quote": logged.quote.id,
            "number": number,
            "part": place,
            "pool": part.pool,
            "accelerators": part.accelerators,
            "from_at": iso(part.from_at),
            "until_at": iso(part.until_at),
            "price_usd": usd_text(terms.micro_usd),
            "amount_usd": usd_text(scaled(terms.micro_usd, part.accelerator_seconds, SECONDS_PER_HOUR)),
        }
        for number, terms in enumerate(choices(logged))
        if terms is not None
        for place, part in enumerate(terms.each(), 1)
    ]


def reason_row(logged: Logged) -> Row:
    """Why an answer is what it is, in full."""
    quote, reason = logged.quote, logged.quote.answer.reason
    why = in_full(quote.request, quote.answer)
    return {
        "quote": quote.id,
        "because": reason.because.value,
        "why": f"{why}; then {logged.why}" if logged.state is QuoteState.LOST else why,
        "tables": quote.tables,
        "pool": reason.pool,
        "tightest_at": iso(reason.tightest_at),
        "free": reason.free,
        "capacity": reason.capacity,
        "firm": reason.firm,
        "recallable": reason.recallable,
        "protected": reason.protected,
        "contracted": reason.contracted,
        "short_before_frac": reason.short_before_frac,
        "short_after_frac": reason.short_after_frac,
        "short_max_frac": reason.short_max_frac,
        "recall_frac": reason.recall_frac,
        "displacement_usd": reason.displacement_usd,
        "revenue_usd": reason.revenue_usd,
    }


def _sight_row(one: Sight) -> Row:
    return {
        "at": iso(one.at),
        "actor": one.actor,
        "role": one.role,
        "act": one.act,
        "subjects": ", ".join(one.subjects),
    }


def _may_see(viewer: Viewer, logged: Logged) -> bool:
    return viewer.role != "lessee" or LesseeName(viewer.lessee) == logged.quote.request.lessee


def _known(room: Room, id_: QuoteId) -> Logged:
    logged = quote_with_id(room.ledger, id_)
    assert logged is not None, id_
    return logged
