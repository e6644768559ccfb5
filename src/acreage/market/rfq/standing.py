"""Where a request for quotes stands: folded from its events; and which step may follow them.

Offers are in the words of leases: Proposed while they can be accepted, Superseded by a later version,
Canceled when withdrawn or called off, Expired past their own date.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from acreage.domain.contract import LeaseState
from acreage.domain.rfq import (
    Answer,
    Asked,
    Award,
    Cancellation,
    Counter,
    Happened,
    Quote,
    Rfq,
    RfqEvent,
    Round,
    Withdrawal,
)
from acreage.units.errors import InputError, Place
from acreage.units.ids import OfferId, ProviderId
from acreage.units.instants import Instant, iso


class Stage(StrEnum):
    """Where the request itself stands."""

    CREATED = "created"
    ASKING = "asking"
    CLOSED = "closed"
    AWARDED = "awarded"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferStanding:
    """An offer received: its latest form, whose it is, from which round and file, and its state."""

    quote: Quote
    provider: ProviderId
    round: int
    file: str
    received_at: Instant
    late: bool
    state: LeaseState


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A request and everything that has happened to it by an instant.

    `offers` are all versions in the order they came; `counters` those of the current round, not yet answered.
    """

    rfq: Rfq
    stage: Stage
    rounds: tuple[Round, ...]
    offers: tuple[OfferStanding, ...]
    answered: tuple[tuple[ProviderId, int], ...]
    counters: tuple[Counter, ...]
    award: Award | None

    @property
    def round(self) -> Round | None:
        """The current round; None before the first."""
        return self.rounds[-1] if self.rounds else None

    @property
    def live(self) -> tuple[OfferStanding, ...]:
        """The offers that can be accepted."""
        return tuple(offer for offer in self.offers if offer.state is LeaseState.PROPOSED)

    def vendor(self, provider: str) -> Asked:
        """A vendor that was asked; raises `InputError` for any other."""
        for asked in self.rfq.vendors:
            if provider in (asked.provider, asked.reference):
                return asked
        known = ", ".join(asked.provider for asked in self.rfq.vendors)
        raise InputError(f"{provider!r} was not asked in {self.rfq.id}", fix=f"asked were {known}")

    def offer(self, name: str) -> OfferStanding:
        """A live offer by its id; raises `InputError` if there is none."""
        for offer in self.live:
            if offer.quote.offer.id == name:
                return offer
        known = ", ".join(offer.quote.offer.id for offer in self.live) or "none"
        raise InputError(f"no offer {name!r} can be accepted in {self.rfq.id}", fix=f"there are {known}")


def standing(events: Sequence[Happened], at: Instant) -> Standing | None:
    """Where a request stands at an instant; None where nothing has happened yet."""
    now = None
    for happened in events:
        if isinstance(happened.event, Rfq):
            now = _created(happened.event)
        else:
            assert now is not None, happened
            now = _after(now, happened.event)
    if now is None:
        return None
    offers = tuple(_expired(offer, at) for offer in now.offers)
    return replace(now, offers=offers, stage=_stage(now, at))


def _created(rfq: Rfq) -> Standing:
    return Standing(rfq=rfq, stage=Stage.CREATED, rounds=(), offers=(), answered=(), counters=(), award=None)


def _after(now: Standing, event: RfqEvent) -> Standing:
    match event:
        case Round():
            return replace(now, rounds=(*now.rounds, event), counters=(), stage=Stage.ASKING)
        case Answer():
            return _answered(now, event)
        case Withdrawal():
            return replace(now, offers=_without(now.offers, {event.offer}))
        case Counter():
            others = tuple(c for c in now.counters if c.provider != event.provider)
            return replace(now, counters=(*others, event))
        case Award():
            return replace(now, award=event, stage=Stage.AWARDED)
        case Cancellation():
            everything = {offer.quote.offer.id for offer in now.offers}
            return replace(now, offers=_without(now.offers, everything), stage=Stage.CANCELED)
        case _:
            raise AssertionError(event)


def _answered(now: Standing, answer: Answer) -> Standing:
    again = {quote.vendor_id for quote in answer.quotes}
    kept = []
    for offer in now.offers:
        mine = offer.provider == answer.provider and offer.state is LeaseState.PROPOSED
        if mine and offer.quote.vendor_id in again:
            offer = replace(offer, state=LeaseState.SUPERSEDED)
        elif mine and offer.quote.vendor_id in answer.withdrawn:
            offer = replace(offer, state=LeaseState.CANCELED)
        kept.append(offer)
    new = tuple(
        OfferStanding(
            quote=quote,
            provider=answer.provider,
            round=answer.round,
            file=answer.file,
            received_at=answer.received_at,
            late=answer.late,
            state=LeaseState.PROPOSED,
        )
        for quote in answer.quotes
    )
    return replace(now, offers=(*kept, *new), answered=(*now.answered, (answer.provider, answer.round)))


def _without(offers: tuple[OfferStanding, ...], gone: set[OfferId]) -> tuple[OfferStanding, ...]:
    def left(offer: OfferStanding) -> OfferStanding:
        taken_back = offer.quote.offer.id in gone and offer.state is LeaseState.PROPOSED
        return replace(offer, state=LeaseState.CANCELED) if taken_back else offer

    return tuple(left(offer) for offer in offers)


def _expired(offer: OfferStanding, at: Instant) -> OfferStanding:
    expires_at = offer.quote.offer.expires_at
    if offer.state is LeaseState.PROPOSED and expires_at is not None and expires_at <= at:
        return replace(offer, state=LeaseState.EXPIRED)
    return offer


def _stage(now: Standing, at: Instant) -> Stage:
    if now.stage is Stage.ASKING and now.rounds[-1].answers_until_at <= at:
        return Stage.CLOSED
    return now.stage


def check_event(events: Sequence[Happened], event: RfqEvent, at: Instant) -> None:
    """Raise `InputError` where an event may not follow what has happened."""
    now = standing(events, at)
    if isinstance(event, Rfq):
        if now is not None:
            raise InputError(f"request {event.id} is in the books already", fix="choose another id")
        return
    if now is None:
        raise InputError("there is no such request for quotes", fix="see `acreage rfq list`")
    if now.stage in (Stage.AWARDED, Stage.CANCELED):
        raise InputError(f"request {now.rfq.id} is {now.stage}", fix="create another one")
    match event:
        case Round():
            _check_round(now, event, at)
        case Answer():
            _check_answer(now, event)
        case Withdrawal():
            now.offer(event.offer)
        case Counter():
            _check_counter(now, event)


def _check_round(now: Standing, event: Round, at: Instant) -> None:
    if now.round is not None and now.round.best_and_final:
        raise InputError(f"round {now.round.number} of {now.rfq.id} was best and final", fix="award it, or cancel it")
    if event.number != len(now.rounds) + 1:
        raise InputError(f"the next round of {now.rfq.id} is {len(now.rounds) + 1}", fix="open rounds in order")
    if event.answers_until_at <= at:
        raise InputError(f"the deadline {iso(event.answers_until_at)} is in the past", fix="name a later one")


def _check_counter(now: Standing, event: Counter) -> None:
    if now.round is not None and now.round.best_and_final:
        raise InputError(f"round {now.round.number} of {now.rfq.id} was best and final", fix="award it, or cancel it")
    for ask in event.asks:
        if now.offer(ask.offer).provider != event.provider:
            raise InputError(f"offer {ask.offer} is not of {event.provider}", fix="counter each vendor by itself")


def _check_answer(now: Standing, answer: Answer) -> None:
    place = Place(file=answer.file)
    vendor = now.vendor(answer.provider)
    current = now.round
    if current is None:
        raise InputError(f"{now.rfq.id} was not sent yet", fix="open its first round: acreage rfq send", place=place)
    if answer.round != current.number:
        what = f"it answers round {answer.round}, and {now.rfq.id} is in round {current.number}"
        raise InputError(what, fix=f"ask for an answer to round {current.number}", place=place)
    if answer.received_at > current.answers_until_at and not answer.late:
        what = f"received {iso(answer.received_at)}, after the deadline {iso(current.answers_until_at)}"
        raise InputError(what, fix="add --accept-late to take it all the same; the books will say so", place=place)
    mine = [o.quote.vendor_id for o in now.live if o.provider == vendor.provider]
    for name in answer.withdrawn:
        if name not in mine:
            fix = f"live are {', '.join(mine)}" if mine else "none of its offers is live"
            raise InputError(f"it withdraws {name!r}, which is not on the table", fix=fix, place=place)
