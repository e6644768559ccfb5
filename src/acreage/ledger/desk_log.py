"""The desk's own chains: what it answered to whom, what became of it, and who looked at what.

Ids of quotes are random, or made from the lessee and a key of its own: nothing can be counted or guessed
from them, and the keys of two lessees never meet.
"""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from acreage.domain.desk import LeaseRequest, Quote
from acreage.ledger.facts import DESK_QUOTES, DESK_SEEN, Draft, Fact, FactKind
from acreage.ledger.ledger import Draw, Ledger, repeated_with_other_content
from acreage.units.errors import InputError
from acreage.units.ids import LeaseId, LesseeName, QuoteId
from acreage.units.instants import Instant

_ENCODE = msgspec.json.Encoder(order="deterministic").encode


class QuoteState(StrEnum):
    """What became of a quote."""

    GIVEN = "given"
    ADMITTED = "admitted"
    LOST = "lost"


class Outcome(msgspec.Struct, frozen=True):
    """The body of the fact that settles a quote: its lease and those of its `more` parts, or why it was lost."""

    lease: str
    why: str
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A quote and what became of it; `leases`, one a part, are set where it was admitted, `why` where it was lost."""

    quote: Quote
    state: QuoteState
    leases: tuple[LeaseId, ...] = ()
    why: str = ""
    settled_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Somebody looked: in which role, by which act, at which quotes or leases."""

    at: Instant
    actor: str
    role: str
    act: str
    subjects: tuple[str, ...]


class _Seen(msgspec.Struct, frozen=True):
    role: str
    act: str
    subjects: tuple[str, ...]


def quote_id(lessee: LesseeName, key: str | None) -> QuoteId:
    """An id for a new quote: the same for the same lessee and key, else random."""
    if key is None:
        return QuoteId(secrets.token_hex(16))
    return QuoteId(hashlib.sha256(f"{lessee}\0{key}".encode()).hexdigest()[:32])


def first_quote(ledger: Ledger, id_: QuoteId, request: LeaseRequest) -> Quote | None:
    """The quote given under this id before; raises `InputError` if it was for another request."""
    known = ledger.journal.with_ids([id_]).get(id_)
    if known is None:
        return None
    quote = _decoded(known)
    if quote is None or quote.request != request:
        raise repeated_with_other_content("this key")
    return quote


def give_quote(ledger: Ledger, quote: Quote, role: str) -> None:
    """Record a quote, and who was given it."""
    draft = Draft(
        chain=DESK_QUOTES,
        id=quote.id,
        kind=FactKind.QUOTE_GIVEN.value,
        subject=quote.id,
        happened_at=quote.given_at,
        expires_at=quote.valid_until_at,
        body=_ENCODE(quote).decode(),
    )
    write(ledger, draft, _sight(ledger, role, "quote", (quote.id,)))


def settled(quote: QuoteId, key: str, at: Instant, outcome: Outcome, *, admitted: bool, left: int = 0) -> Draft:
    """The fact that a quote became a lease, or did not; `left` is what was left where capacity was short."""
    kind = FactKind.QUOTE_ADMITTED if admitted else FactKind.QUOTE_LOST
    return Draft(
        chain=DESK_QUOTES,
        id=key,
        kind=kind.value,
        subject=quote,
        happened_at=at,
        headroom=left,
        body=_ENCODE(outcome).decode(),
    )


def write(ledger: Ledger, *drafts: Draft) -> None:
    """Record facts of the desk together, each id once."""

    def decide(draw: Draw) -> None:
        known = draw.ledger.journal.with_ids([draft.id for draft in drafts])
        for draft in drafts:
            if draft.id not in known:
                draw.add(draft)

    ledger.record([draft.chain for draft in drafts], decide)


def quotes(ledger: Ledger) -> tuple[Logged, ...]:
    """All quotes in the order they were given."""
    found: dict[str, Logged] = {}
    for fact in ledger.journal.read(DESK_QUOTES):
        quote = _decoded(fact)
        if quote is not None:
            found[quote.id] = Logged(quote=quote, state=QuoteState.GIVEN)
        elif fact.subject in found:
            found[fact.subject] = _settled(found[fact.subject], fact)
    return tuple(found.values())


def quote_with_id(ledger: Ledger, id_: QuoteId) -> Logged | None:
    """A quote and what became of it; None where there is none."""
    known = ledger.journal.with_ids([id_]).get(id_)
    quote = _decoded(known) if known is not None else None
    if known is None or quote is None:
        return None
    logged = Logged(quote=quote, state=QuoteState.GIVEN)
    for fact in ledger.journal.read(DESK_QUOTES, known.seq):
        if fact.subject == id_:
            logged = _settled(logged, fact)
    return logged


def look(ledger: Ledger, role: str, act: str, subjects: tuple[str, ...]) -> None:
    """Record who looked at what."""
    write(ledger, _sight(ledger, role, act, subjects))


def _sight(ledger: Ledger, role: str, act: str, subjects: tuple[str, ...]) -> Draft:
    return Draft(
        chain=DESK_SEEN,
        id=secrets.token_hex(16),
        kind=FactKind.DESK_SEEN.value,
        subject=role,
        happened_at=ledger.clock(),
        body=_ENCODE(_Seen(role=role, act=act, subjects=subjects)).decode(),
    )


def sights(ledger: Ledger) -> tuple[Sight, ...]:
    """Who looked at what, in order."""
    found = []
    for fact in ledger.journal.read(DESK_SEEN):
        seen = msgspec.json.decode(fact.body, type=_Seen)
        found.append(
            Sight(at=Instant(fact.happened_at), actor=fact.actor, role=seen.role, act=seen.act, subjects=seen.subjects)
        )
    return tuple(found)


def _decoded(fact: Fact) -> Quote | None:
    if fact.kind != FactKind.QUOTE_GIVEN:
        return None
    try:
        return msgspec.json.decode(fact.body, type=Quote)
    except msgspec.ValidationError:
        raise InputError(f"quote {fact.id} was written by another version of Acreage") from None


def _settled(logged: Logged, fact: Fact) -> Logged:
    outcome = msgspec.json.decode(fact.body, type=Outcome)
    admitted = fact.kind == FactKind.QUOTE_ADMITTED
    if logged.state is QuoteState.ADMITTED:
        return logged
    return Logged(
        quote=logged.quote,
        state=QuoteState.ADMITTED if admitted else QuoteState.LOST,
        leases=tuple(LeaseId(lease) for lease in (outcome.lease, *outcome.more)) if admitted else (),
        why=outcome.why,
        settled_at=Instant(fact.happened_at),
    )
