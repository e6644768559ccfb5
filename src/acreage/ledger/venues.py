"""Venues in the books: every act is a fact on the chain `venue:NAME`, with the fills that came of it at once.

The books keep what was done and in which order; what comes of an act is for whoever asks, by the `decide`
that `record_act` runs under the chain's lock. So two who post at the same time are matched one after the other.
"""

from collections.abc import Callable

import msgspec

from acreage.domain.order import Fill, Order
from acreage.domain.venue import Acted, Deposit, Opening, Removal, Settlement, VenueAct
from acreage.ledger.facts import VENUE, Draft, Fact, FactKind, venue_chain
from acreage.ledger.ledger import Draw, Ledger, repeated_with_other_content
from acreage.units.ids import VenueName
from acreage.units.instants import Instant

ACTS: dict[FactKind, type[VenueAct]] = {
    FactKind.VENUE_OPENED: Opening,
    FactKind.VENUE_DEPOSITED: Deposit,
    FactKind.VENUE_POSTED: Order,
    FactKind.VENUE_CANCELED: Removal,
    FactKind.VENUE_SETTLED: Settlement,
}
"""What a fact's body holds, by its kind."""

_KINDS = {type_: kind for kind, type_ in ACTS.items()}
_ENCODE = msgspec.json.Encoder(order="deterministic").encode

Decide = Callable[[tuple[Acted, ...], Instant], tuple[Fill, ...] | None]
"""From all that was done before, and the present instant: the fills that come of an act, None where it was done before.

Raises `InputError` where the act may not be."""


class _Body(msgspec.Struct, frozen=True):
    act: msgspec.Raw
    fills: tuple[Fill, ...]


def venue_names(ledger: Ledger) -> tuple[VenueName, ...]:
    """The venues in the books, by name."""
    return tuple(VenueName(chain.removeprefix(VENUE)) for chain in sorted(ledger.journal.chains(VENUE)))


def venue_acts(
    ledger: Ledger, venue: VenueName, at: int | None = None, known_at: int | None = None
) -> tuple[Acted, ...]:
    """What was done at a venue by an instant, as far as it was recorded by another (None: all), in order."""
    return tuple(
        _acted(fact)
        for fact in ledger.journal.read(venue_chain(venue))
        if (at is None or fact.happened_at <= at) and (known_at is None or fact.recorded_at <= known_at)
    )


def record_act(ledger: Ledger, venue: VenueName, act: VenueAct, decide: Decide, *, key: str) -> tuple[Fill, ...]:
    """Do something at a venue; returns the fills that come of it at once.

    `key` makes it idempotent: the same act again writes nothing and returns the first answer. Raises
    `InputError` as `decide` does.
    """
    chain, kind = venue_chain(venue), _KINDS[type(act)]
    told = _ENCODE(act)

    def write(draw: Draw) -> tuple[Fill, ...]:
        known = ledger.journal.with_ids([key]).get(key)
        if known is not None:
            if (known.chain, known.kind) != (chain, kind.value) or _acted(known).act != act:
                raise repeated_with_other_content(key)
            return _acted(known).fills
        before = venue_acts(ledger, venue)
        now = max(draw.now, before[-1].at) if before else draw.now
        fills = decide(before, now)
        if fills is None:
            return ()
        draw.add(_draft(chain, key, kind, act, _Body(act=msgspec.Raw(told), fills=fills), now))
        return fills

    return ledger.record([chain], write)[0]


def _draft(chain: str, key: str, kind: FactKind, act: VenueAct, body: _Body, now: Instant) -> Draft:
    rectangle = act.rectangle if isinstance(act, Order | Deposit) else None
    mine = None
    if isinstance(act, Order):
        mine = sum(fill.amount_micro_usd for fill in body.fills if act.id in (fill.buy, fill.sell))
    return Draft(
        chain=chain,
        id=key,
        kind=kind.value,
        subject=_subject(act),
        happened_at=now,
        from_at=rectangle.from_at if rectangle else None,
        until_at=rectangle.until_at if rectangle else None,
        accelerators=rectangle.accelerators if rectangle else None,
        micro_usd=mine,
        body=_ENCODE(body).decode(),
    )


def _subject(act: VenueAct) -> str:
    match act:
        case Order():
            return act.id
        case Deposit():
            return act.owner
        case Removal():
            return act.order
        case Settlement():
            return act.fill
        case Opening():
            return ""


def _acted(fact: Fact) -> Acted:
    body = msgspec.json.decode(fact.body, type=_Body)
    act = msgspec.json.decode(body.act, type=ACTS[FactKind(fact.kind)])
    return Acted(at=Instant(fact.happened_at), actor=fact.actor, act=act, fills=body.fills)
