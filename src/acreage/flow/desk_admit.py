"""Admission: a quote becomes a lease, with its capacity, in one record, or is refused with the reason.

What was quoted is decided again on the books as they stand, then written only if nobody has written to
the pool since; else it is decided once more. Of two admissions that race for the last accelerators the
second therefore decides on books that hold the first.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from acreage.desk.asks import SIDES, Asks, kept
from acreage.desk.quote import answer, tier_terms
from acreage.desk.reasons import in_full
from acreage.desk.recalls import Recallable, give_way
from acreage.desk.tables import version_of
from acreage.domain.contract import Contract, Side
from acreage.domain.desk import LeaseRequest, Part, Terms, TierTerms, Verdict
from acreage.domain.lease import Delivery, Lease
from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.domain.terms import RecallRight
from acreage.domain.terms import Terms as LeaseTerms
from acreage.flow.books import Work, rehearse, told
from acreage.flow.desk import Room, Viewer
from acreage.flow.desk_quotes import LOST, choices
from acreage.ledger.claims import claims
from acreage.ledger.desk_log import Logged, Outcome, QuoteState, quote_with_id, settled, write
from acreage.ledger.facts import Draft
from acreage.ledger.ledger import repeated_with_other_content
from acreage.ledger.lettings import (
    Kept,
    LetAnswer,
    LetLabel,
    Letting,
    Moved,
    Recall,
    let_leases,
    recall_lease,
)
from acreage.units.errors import InputError, Transient
from acreage.units.ids import LeaseId, PoolId, ProviderId
from acreage.units.instants import Duration, Instant, instant, iso
from acreage.units.money import MicroUsd

ATTEMPTS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What became of an admission: the leases, one a part, or why there is none, in full for the desk."""

    leases: tuple[LeaseId, ...]
    why: str

    def told(self, viewer: Viewer) -> str:
        """What the viewer hears of a refusal."""
        return LOST if viewer.role == "lessee" else self.why


def admit(room: Room, logged: Logged, number: int, key: str) -> Admission:
    """Make a quote's terms a lease: `number` 0 as asked, else that counter-offer.

    The same key returns the first answer. Raises `InputError` where the quote has lapsed, was made on stale
    tables, is a lease already or offers no such terms. A refusal is recorded.
    """
    before = _answered(room, logged, key)
    if before is not None:
        return before
    terms = _standing(room, logged, number)
    for _ in range(ATTEMPTS_MAX):
        try:
            return _try(room, logged, terms, key)
        except Moved:
            continue
    raise Transient("others keep writing to the same pool", retry_after_s=1.0)


def leases_of(logged: Logged) -> tuple[LeaseId, ...]:
    """The ids of the leases a quote becomes, one a part."""
    name, parts = f"let-{logged.quote.id[:20]}", len(logged.quote.request.parts)
    return tuple(LeaseId(f"{name}-{i}") for i in range(1, parts + 1)) or (LeaseId(name),)


def key_for(viewer: Viewer, key: str) -> str:
    """The key of an admission: those of two viewers never meet, so that none learns what another used."""
    return f"{viewer}/{key}"


def rehearsed(room: Room, logged: Logged, number: int, key: str, viewer: Viewer) -> list[str]:
    """What an admission would write, in words the viewer may hear."""
    facts = rehearse(room.ledger, lambda: admit(room, logged, number, key))
    if not facts:
        return ["nothing: this is in the books already"]
    mine = [told(fact) for fact in facts if fact.subject in (*leases_of(logged), logged.quote.id)]
    return ["; ".join(mine if viewer.role == "lessee" else [told(fact) for fact in facts])]


def _answered(room: Room, logged: Logged, key: str) -> Admission | None:
    """The first answer to this key."""
    known = room.ledger.journal.with_ids([key]).get(key)
    if known is None:
        return None
    if known.subject != logged.quote.id:
        raise repeated_with_other_content(key)
    now = quote_with_id(room.ledger, logged.quote.id)
    assert now is not None
    return Admission(leases=now.leases, why=now.why)


def _standing(room: Room, logged: Logged, number: int) -> Terms:
    """The terms asked for, if they can still be admitted at all."""
    quote, now = logged.quote, room.ledger.clock()
    if logged.state is QuoteState.ADMITTED:
        raise InputError(f"quote {quote.id} is lease {', '.join(logged.leases)} already", fix="ask for a new quote")
    if now >= quote.valid_until_at:
        raise InputError(f"quote {quote.id} lapsed at {iso(quote.valid_until_at)}", fix="ask for a new quote")
    today = version_of(room.desk, room.horizon().from_at)
    if quote.tables != today:
        what = f"quote {quote.id} was made on tables {quote.tables}, which are stale: today's are {today}"
        raise InputError(what, fix="ask for a new quote")
    offered = choices(logged)
    if not 0 <= number < len(offered) or offered[number] is None:
        numbers = ", ".join(str(i) for i, one in enumerate(offered) if one is not None)
        what = f"quote {quote.id} offers no terms number {number}" if number else f"quote {quote.id} was not accepted"
        raise InputError(what, fix=f"name one of its terms with --counter: {numbers}" if numbers else "ask anew")
    terms = offered[number]
    assert terms is not None
    return terms


def _try(room: Room, logged: Logged, terms: Terms, key: str) -> Admission:
    """Decide on the books at hand and write if they still stand."""
    parts = terms.each()
    request = replace(
        logged.quote.request,
        pools=tuple(dict.fromkeys(part.pool for part in parts)),
        accelerators=terms.accelerators,
        from_at=terms.from_at,
        until_at=terms.until_at,
        bid_micro_usd=terms.micro_usd,
        parts=terms.parts,
    )
    asks = room.asks_of(request.pools)
    got = answer(room.desk, asks, request, room.ledger.clock())
    recalls = _recalls(room, asks, parts) if got.verdict is Verdict.ACCEPT else None
    leases = leases_of(logged)

    def tell(done: LetAnswer) -> Draft:
        why = "" if done.done else f"only {done.largest:,} were left when it was to be admitted"
        outcome = Outcome(lease=leases[0], more=leases[1:], why="") if done.done else Outcome(lease="", why=why)
        return settled(logged.quote.id, key, room.ledger.clock(), outcome, admitted=done.done, left=done.largest)

    if recalls is None:
        why = (
            in_full(request, got) if got.verdict is not Verdict.ACCEPT else "recallable leases do not give way in time"
        )
        outcome = Outcome(lease="", why=why)
        write(room.ledger, settled(logged.quote.id, key, room.ledger.clock(), outcome, admitted=False))
        return Admission(leases=(), why=why)
    lettings = [_letting(room, asks, request, part, lease) for part, lease in zip(parts, leases, strict=True)]
    done = let_leases(room.ledger, lettings, recalls=recalls, tell=tell)
    return Admission(leases=leases if done.done else (), why=f"only {done.largest:,} were left")


def _letting(room: Room, asks: Asks, request: LeaseRequest, part: Part, lease: LeaseId) -> Letting:
    how = tier_terms(room.desk, request)
    return Letting(
        contract=_contract(room, request, how, part, lease),
        label=_label(request, how, lease),
        kept=_kept(asks, part, how),
        pool_seq=int(asks.book.turn[asks.book.index(part.pool)]),
    )


def recall(room: Room, lease: str, at: str, viewer: Viewer, key: str) -> Work:
    """The work of recalling a lease."""
    viewer.must_be("desk")
    return partial(recall_lease, room.ledger, LeaseId(lease), at=instant(at), key=key)


def _recalls(room: Room, asks: Asks, parts: tuple[Part, ...]) -> tuple[Recall, ...] | None:
    """The recallable leases that must give way for firm ones to fit, pool by pool; None where they cannot."""
    book, found = asks.book, []
    for pool in dict.fromkeys(part.pool for part in parts):
        row = book.index(pool)
        wanted = np.zeros(book.horizon.days, dtype=np.int64)
        for part in parts:
            if part.pool == pool:
                days = slice(book.horizon.first_day(part.from_at), book.horizon.end_day(part.until_at))
                wanted[days] = np.maximum(wanted[days], part.accelerators)
        left = book.capacity[row] - book.firm[row] - book.recallable[row] - book.anchor[row]
        short = np.where(wanted > 0, np.maximum(wanted - left, 0), 0)
        giving = give_way(short, recallable_leases(room, pool, asks)) if short.any() else []
        if giving is None:
            return None
        found += [Recall(lease=lease, at=book.horizon.day_at(day)) for lease, day in giving]
    return tuple(found)


def recallable_leases(room: Room, pool: PoolId, asks: Asks) -> list[Recallable]:
    """The recallable leases that stand in a pool, in days of the horizon."""
    horizon = asks.book.horizon
    held = claims(room.ledger, pool).filter(
        (pl.col("state") == "claimed")
        & (pl.col("accelerators") > 0)
        & (pl.col("until_at") > horizon.from_at)
        & pl.col("recall_notice_days").is_not_null()
        & (pl.col("until_at") == pl.col("asked_until_at"))
    )
    return [
        Recallable(
            lease=LeaseId(one["lease"]),
            accelerators=one["accelerators"],
            first=max(horizon.first_day(one["from_at"]), 0),
            end=min(horizon.end_day(one["until_at"]), horizon.days),
            notice_days=one["recall_notice_days"],
            micro_usd=one["micro_usd"],
        )
        for one in held.iter_rows(named=True)
    ]


def _kept(asks: Asks, part: Part, how: TierTerms) -> tuple[Kept, ...]:
    """What must stay free beside the lease, day by day: the anchor's, less what it holds and what can be recalled."""
    book, row, side = asks.book, asks.book.index(part.pool), SIDES[how.firm]
    back = book.recallable[row] if how.firm else np.zeros_like(book.recallable[row])
    soon = min(asks.tables.notice_days + 1, book.horizon.days)
    back = np.concatenate((np.zeros_like(back[:soon]), back[soon:]))
    levels = np.maximum(kept(book, asks.tables, side, row) - book.anchor[row] - back, 0)
    found, at = [], int(part.from_at)
    while at < part.until_at:
        day = book.horizon.first_day(at)
        until = min(book.horizon.day_at(day + 1), part.until_at)
        found.append(Kept(from_at=Instant(at), until_at=Instant(until), accelerators=int(levels[day])))
        at = until
    return tuple(found)


def _label(request: LeaseRequest, how: TierTerms, lease: LeaseId) -> LetLabel:
    return LetLabel(
        lease=lease,
        lessee=request.lessee,
        tier=request.tier.value,
        recall_notice_days=how.recall_notice_days,
        micro_usd=request.bid_micro_usd or 0,
    )


def _contract(room: Room, request: LeaseRequest, how: TierTerms, part: Part, lease: LeaseId) -> Contract:
    pool = next(pool for pool in room.desk.pools if pool.id == part.pool)
    price = Price(
        basis=PriceBasis.ACCELERATOR_HOUR,
        amount_micro_usd=MicroUsd(request.bid_micro_usd or 0),
        provenance=Provenance(source=f"the desk {room.desk.name}", as_of_at=room.ledger.clock()),
    )
    right = None
    if how.recall_notice_days is not None:
        right = RecallRight(after=Duration(), notice_days=how.recall_notice_days, recalls_per_year=0.0)
    return Contract(
        lease=Lease(
            id=lease,
            provider=ProviderId(room.desk.lessor),
            pool=part.pool,
            starts_at=part.from_at,
            ends_at=part.until_at,
            deliveries=(Delivery(accelerators=part.accelerators, due_at=part.from_at),),
            terms=LeaseTerms(price=price, recall=right),
        ),
        side=Side.LET,
        counterparty=request.lessee,
        accelerator=pool.accelerator,
    )
