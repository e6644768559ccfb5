"""Requests for quotes in the books: every event is a fact on the chain `rfq:ID`, every offer one on `offers:PROVIDER`.

The books keep what happened and in which order; which step is allowed is for whoever asks, by the
`check` that `record_event` runs under the chain's lock.
"""

from collections.abc import Callable

import msgspec

from acreage.domain.lease import Offer
from acreage.domain.rfq import (
    Answer,
    Award,
    Cancellation,
    Counter,
    Happened,
    Rfq,
    RfqEvent,
    Round,
    Withdrawal,
)
from acreage.ledger.facts import RFQ, Draft, Fact, FactKind, offers_chain, rfq_chain
from acreage.ledger.ledger import Draw, Ledger, repeated_with_other_content
from acreage.units.ids import RfqId
from acreage.units.instants import Instant

EVENTS: dict[FactKind, type[RfqEvent]] = {
    FactKind.RFQ_CREATED: Rfq,
    FactKind.RFQ_ROUND_OPENED: Round,
    FactKind.RFQ_ANSWERED: Answer,
    FactKind.RFQ_OFFER_WITHDRAWN: Withdrawal,
    FactKind.RFQ_COUNTERED: Counter,
    FactKind.RFQ_AWARDED: Award,
    FactKind.RFQ_CANCELED: Cancellation,
}
"""What a fact's body holds, by its kind."""

_KINDS = {type_: kind for kind, type_ in EVENTS.items()}
_ENCODE = msgspec.json.Encoder(order="deterministic").encode

Check = Callable[[tuple[Happened, ...]], None]
"""Raises `InputError` where an event may not follow what has happened."""


def rfq_ids(ledger: Ledger) -> tuple[RfqId, ...]:
    """The requests in the books, by id."""
    return tuple(RfqId(chain.removeprefix(RFQ)) for chain in sorted(ledger.journal.chains(RFQ)))


def rfq_events(ledger: Ledger, rfq: RfqId) -> tuple[Happened, ...]:
    """Everything that has happened to a request, in order; nothing where there is none of the id."""
    return tuple(_happened(fact) for fact in ledger.journal.read(rfq_chain(rfq)))


def record_event(
    ledger: Ledger, rfq: RfqId, event: RfqEvent, check: Check, *, key: str, at: Instant | None = None
) -> tuple[Happened, ...]:
    """Write an event, and the offers it brings; returns everything that has happened then.

    `key` makes it idempotent: the same event again writes nothing. `check` decides on what stands.
    """
    chain = rfq_chain(rfq)
    kind = _KINDS[type(event)]
    chains = [chain, offers_chain(event.provider)] if isinstance(event, Answer) else [chain]

    def decide(draw: Draw) -> None:
        draft = Draft(
            chain=chain,
            id=key,
            kind=kind.value,
            subject=_subject(rfq, event),
            happened_at=draw.now if at is None else at,
            body=_ENCODE(event).decode(),
        )
        known = ledger.journal.with_ids([key]).get(key)
        if known is not None:
            if (known.chain, known.kind, known.subject, known.body) != (chain, kind.value, draft.subject, draft.body):
                raise repeated_with_other_content(key)
            return
        check(rfq_events(ledger, rfq))
        draw.add(draft)
        if isinstance(event, Answer):
            _add_offers(draw, event, key)

    ledger.record(chains, decide)
    return rfq_events(ledger, rfq)


def encoded_offers(offers: tuple[Offer, ...]) -> bytes:
    """Offers as JSON, to be kept with a plan that was made on them."""
    return msgspec.json.format(_ENCODE(offers), indent=1)


def decoded_offers(data: bytes) -> tuple[Offer, ...]:
    """What was kept with a plan."""
    return msgspec.json.decode(data, type=tuple[Offer, ...])


def encoded_award(award: Award) -> bytes:
    """An award as a JSON document, its trail for audit."""
    return msgspec.json.format(_ENCODE(award), indent=2) + b"\n"


def _add_offers(draw: Draw, answer: Answer, key: str) -> None:
    for quote in answer.quotes:
        draw.add(
            Draft(
                chain=offers_chain(answer.provider),
                id=f"{key}/{quote.offer.id}",
                kind=FactKind.OFFER_RECEIVED.value,
                subject=quote.offer.id,
                happened_at=answer.received_at,
                body=_ENCODE(quote.offer).decode(),
            )
        )


def _subject(rfq: RfqId, event: RfqEvent) -> str:
    if isinstance(event, Answer | Counter):
        return str(event.provider)
    return str(event.offer) if isinstance(event, Withdrawal) else str(rfq)


def _happened(fact: Fact) -> Happened:
    return Happened(
        at=Instant(fact.happened_at),
        actor=fact.actor,
        fact=fact.id,
        event=msgspec.json.decode(fact.body, type=EVENTS[FactKind(fact.kind)]),
    )
