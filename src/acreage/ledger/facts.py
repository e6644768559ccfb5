"""Facts: what happened, when, who says so, and the hash that ties each to the one before it in its chain.

A fact is appended and never changed; a correction is a new fact that names the old one. Chains are
named after what they are about: `pool:ID` (deliveries and holds), `lease:ID`, `commitment:ID`,
`offers:PROVIDER`, `rfq:ID`, `usage:PROVIDER`, `bill:PROVIDER`, `desk:quotes` and `desk:seen` (what a lessor's
desk answered, and who looked at what), `venue:NAME`, and `anchor`, which ties the heads of all others.
"""

import hashlib
from enum import StrEnum

import msgspec

from acreage.units.ids import CommitmentId, LeaseId, PoolId, ProviderId, RfqId, VenueName


class FactKind(StrEnum):
    """What a fact says happened."""

    OFFER_RECEIVED = "offer_received"
    LEASE_PROPOSED = "lease_proposed"
    LEASE_SIGNED = "lease_signed"
    LEASE_AMENDED = "lease_amended"
    LEASE_CANCELED = "lease_canceled"
    LEASE_SUPERSEDED = "lease_superseded"
    COMMITMENT_SIGNED = "commitment_signed"
    COMMITMENT_CANCELED = "commitment_canceled"
    DELIVERED = "delivered"
    DELIVERY_RETRACTED = "delivery_retracted"
    HOLD_PLACED = "hold_placed"
    HOLD_REFUSED = "hold_refused"
    HOLD_POSTED = "hold_posted"
    HOLD_VOIDED = "hold_voided"
    HOLD_EXPIRED = "hold_expired"
    HOLD_RELEASED = "hold_released"
    HOLD_BREACHED = "hold_breached"
    USAGE_METERED = "usage_metered"
    CHARGE_INVOICED = "charge_invoiced"
    PAYMENT_MADE = "payment_made"
    PAYMENT_RECEIVED = "payment_received"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_CLOSED = "dispute_closed"
    RFQ_CREATED = "rfq_created"
    RFQ_ROUND_OPENED = "rfq_round_opened"
    RFQ_ANSWERED = "rfq_answered"
    RFQ_OFFER_WITHDRAWN = "rfq_offer_withdrawn"
    RFQ_COUNTERED = "rfq_countered"
    RFQ_AWARDED = "rfq_awarded"
    RFQ_CANCELED = "rfq_canceled"
    QUOTE_GIVEN = "quote_given"
    QUOTE_ADMITTED = "quote_admitted"
    QUOTE_LOST = "quote_lost"
    DESK_SEEN = "desk_seen"
    VENUE_OPENED = "venue_opened"
    VENUE_DEPOSITED = "venue_deposited"
    VENUE_POSTED = "venue_posted"
    VENUE_CANCELED = "venue_canceled"
    VENUE_SETTLED = "venue_settled"
    RETRACTED = "retracted"
    ANCHORED = "anchored"


CAPACITY_SIGN = {
    FactKind.DELIVERED: 1,
    FactKind.DELIVERY_RETRACTED: 1,
    FactKind.HOLD_PLACED: -1,
    FactKind.HOLD_POSTED: -1,
    FactKind.HOLD_VOIDED: -1,
    FactKind.HOLD_EXPIRED: -1,
    FactKind.HOLD_RELEASED: -1,
}
"""How a fact's `accelerators` over [from_at, until_at) change what is free in its pool."""

FOLLOW_UPS = (
    FactKind.HOLD_POSTED,
    FactKind.HOLD_VOIDED,
    FactKind.HOLD_EXPIRED,
    FactKind.HOLD_RELEASED,
    FactKind.HOLD_BREACHED,
)
"""Facts about a hold that was placed before; their subject is its id."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that is not recorded yet.

    `id` is made by the client and is the idempotency key. `subject` is what the fact is about: the
    holder of a new hold, the hold a follow-up belongs to, else a lease, commitment or offer.
    `accelerators` is a change (see `CAPACITY_SIGN`), `accelerator_seconds` metered use,
    `headroom` what stayed free at the tightest instant of a hold's window after it was placed,
    `expires_at` when a pending hold lapses, `corrects` the id of the fact this one replaces.
    `body` is JSON text with whatever else belongs to the kind.
    """

    chain: str
    id: str
    kind: str
    subject: str
    happened_at: int
    corrects: str = ""
    from_at: int | None = None
    until_at: int | None = None
    accelerators: int | None = None
    accelerator_seconds: int | None = None
    micro_usd: int | None = None
    headroom: int | None = None
    expires_at: int | None = None
    body: str = ""


class Fact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A recorded fact; the fields are those of `Draft`, its place in the chain, and the hash.

    Instants are UTC epoch seconds; `recorded_at` never decreases along a chain.
    """

    chain: str
    seq: int
    id: str
    kind: str
    subject: str
    actor: str
    happened_at: int
    recorded_at: int
    corrects: str
    from_at: int | None
    until_at: int | None
    accelerators: int | None
    accelerator_seconds: int | None
    micro_usd: int | None
    headroom: int | None
    expires_at: int | None
    body: str
    prev_hash: bytes
    hash: bytes


class Head(msgspec.Struct, frozen=True):
    """The newest fact of a chain: its place, hash and time; seq 0 where the chain is empty."""

    seq: int
    hash: bytes
    recorded_at: int


GENESIS = Head(seq=0, hash=bytes(32), recorded_at=0)
"""What the first fact of every chain follows."""

_ENCODE = msgspec.json.Encoder().encode


def hash_of(fact: Fact) -> bytes:
    """SHA-256 of the previous hash followed by the JSON array of the fact's fields up to `body`.

    The array is compact UTF-8 JSON in the order of `Fact`'s fields, so that anybody can recompute it.
    """
    return _digest(
        fact.prev_hash,
        (
            fact.chain,
            fact.seq,
            fact.id,
            fact.kind,
            fact.subject,
            fact.actor,
            fact.happened_at,
            fact.recorded_at,
            fact.corrects,
            fact.from_at,
            fact.until_at,
            fact.accelerators,
            fact.accelerator_seconds,
            fact.micro_usd,
            fact.headroom,
            fact.expires_at,
            fact.body,
        ),
    )


def recorded(draft: Draft, head: Head, actor: str, now: int) -> Fact:
    """The fact that a draft becomes after `head`; its time of recording is never before the head's."""
    at = max(now, head.recorded_at)
    fields = (
        draft.chain,
        head.seq + 1,
        draft.id,
        draft.kind,
        draft.subject,
        actor,
        draft.happened_at,
        at,
        draft.corrects,
        draft.from_at,
        draft.until_at,
        draft.accelerators,
        draft.accelerator_seconds,
        draft.micro_usd,
        draft.headroom,
        draft.expires_at,
        draft.body,
    )
    return Fact(*fields, head.hash, _digest(head.hash, fields))


def head_of(fact: Fact) -> Head:
    """The head of a chain that ends with this fact."""
    return Head(seq=fact.seq, hash=fact.hash, recorded_at=fact.recorded_at)


def window_of(fact: Fact) -> tuple[int, int, int]:
    """The accelerators, start and end of a fact about capacity."""
    assert fact.accelerators is not None, fact
    assert fact.from_at is not None, fact
    assert fact.until_at is not None, fact
    return fact.accelerators, fact.from_at, fact.until_at


def same_request(draft: Draft, fact: Fact) -> bool:
    """Whether a recorded fact says what the draft asks for, times aside: then the draft is a repetition."""
    return (
        draft.chain == fact.chain
        and draft.kind == fact.kind
        and draft.subject == fact.subject
        and draft.corrects == fact.corrects
        and draft.from_at == fact.from_at
        and draft.until_at == fact.until_at
        and draft.accelerators == fact.accelerators
        and draft.accelerator_seconds == fact.accelerator_seconds
        and draft.micro_usd == fact.micro_usd
        and draft.body == fact.body
    )


def _digest(prev_hash: bytes, fields: tuple[str | int | None, ...]) -> bytes:
    return hashlib.sha256(prev_hash + _ENCODE(fields)).digest()


POOL, LEASE, COMMITMENT, OFFERS, USAGE, BILL = "pool:", "lease:", "commitment:", "offers:", "usage:", "bill:"
RFQ, VENUE = "rfq:", "venue:"
"""How the names of chains begin."""


def pool_chain(pool: PoolId) -> str:
    """The chain of a pool's deliveries and holds."""
    return POOL + pool


def lease_chain(lease: LeaseId) -> str:
    """The chain of a lease's life."""
    return LEASE + lease


def commitment_chain(commitment: CommitmentId) -> str:
    """The chain of a spend commitment's life."""
    return COMMITMENT + commitment


def offers_chain(provider: ProviderId) -> str:
    """The chain of what a provider has offered."""
    return OFFERS + provider


def rfq_chain(rfq: RfqId) -> str:
    """The chain of a request for quotes: its rounds, answers, counters and award."""
    return RFQ + rfq


def venue_chain(venue: VenueName) -> str:
    """The chain of what is done at a venue."""
    return VENUE + venue


def usage_chain(provider: ProviderId) -> str:
    """The chain of what was used of a provider's capacity."""
    return USAGE + provider


def bill_chain(provider: ProviderId) -> str:
    """The chain of what a provider invoiced and was paid, and of what a lessee of that name has paid us."""
    return BILL + provider


DESK_QUOTES, DESK_SEEN = "desk:quotes", "desk:seen"
"""The chains of a lessor's desk."""

ANCHOR_CHAIN = "anchor"
