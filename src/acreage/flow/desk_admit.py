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
from acreage.domain.desk import LeaseRequest, Terms, TierTerms, Verdict
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
    Moved,
    Recall,
    let_lease,
    recall_lease,
)
from acreage.units.errors import InputError, Transient
from acreage.units.ids import LeaseId, PoolId, ProviderId
from acreage.units.instants import Duration, Instant, instant, iso

ATTEMPTS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What became of an admission: the lease, or why there is none, in full for the desk."""

    lease: LeaseId | None
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


def lease_of(logged: Logged) -> LeaseId:
    """The id of the lease a quote becomes."""
    return LeaseId(f"let-{logged.quote.id[:20]}")


def key_for(viewer: Viewer, key: str) -> str:
    """The key of an admission: those of two viewers never meet, so that none learns what another used."""
    return f"{viewer}/{key}"


def rehearsed(room: Room, logged: Logged, number: int, key: str, viewer: Viewer) -> list[str]:
    """What an admission would write, in words the viewer may hear."""
    facts = rehearse(room.ledger, lambda: admit(room, logged, number, key))
    if not facts:
        return ["nothing: this is in the books already"]
    mine = [told(fact) for fact in facts if fact.subject in (lease_of(logged), logged.quote.id)]
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
    return Admission(lease=now.lease, why=now.why)


def _standing(room: Room, logged: Logged, number: int) -> Terms:
    """The terms asked for, if they can still be admitted at all."""
    quote, now = logged.quote, room.ledger.clock()
    if logged.state is QuoteState.ADMITTED:
        raise InputError(f"quote {quote.id} is lease {logged.lease} already", fix="ask for a new quote")
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
    request = replace(
        logged.quote.request,
        pools=(terms.pool,),
        accelerators=terms.accelerators,
        from_at=terms.from_at,
        until_at=terms.until_at,
        bid_micro_usd=terms.micro_usd,
    )
    asks = room.asks_of((terms.pool,))
    got = answer(room.desk, asks, request, room.ledger.clock())
    recalls = _recalls(room, asks, request) if got.verdict is Verdict.ACCEPT else None
    lease = lease_of(logged)

    def tell(done: LetAnswer) -> Draft:
        why = "" if done.done else f"only {done.largest:,} were left when it was to be admitted"
        outcome = Outcome(lease=lease if done.done else "", why=why)
        return settled(logged.quote.id, key, room.ledger.clock(), outcome, admitted=done.done, left=done.largest)

    if recalls is None:
        why = (
            in_full(request, got) if got.verdict is not Verdict.ACCEPT else "recallable leases do not give way in time"
        )
        outcome = Outcome(lease="", why=why)
        write(room.ledger, settled(logged.quote.id, key, room.ledger.clock(), outcome, admitted=False))
        return Admission(lease=None, why=why)
    how = tier_terms(room.desk, request)
    done = let_lease(
        room.ledger,
        _contract(room, request, how, terms, lease),
        label=_label(request, how, lease),
        kept=_kept(asks, request, how),
        recalls=recalls,
        tell=tell,
        pool_seq=int(asks.book.turn[0]),
    )
    return Admission(lease=lease if done.done else None, why=f"only {done.largest:,} were left")


def recall(room: Room, lease: str, at: str, viewer: Viewer, key: str) -> Work:
    """The work of recalling a lease."""
    viewer.must_be("desk")
    return partial(recall_lease, room.ledger, LeaseId(lease), at=instant(at), key=key)


def _recalls(room: Room, asks: Asks, request: LeaseRequest) -> tuple[Recall, ...] | None:
    """The recallable leases that must give way for a firm one to fit; None where they cannot."""
    book, row = asks.book, 0
    days = slice(book.horizon.first_day(request.from_at), book.horizon.end_day(request.until_at))
    left = book.capacity[row] - book.firm[row] - book.recallable[row] - book.anchor[row]
    short = np.zeros_like(left)
    short[days] = np.maximum(request.accelerators - left[days], 0)
    if not short.any():
        return ()
    found = give_way(short, recallable_leases(room, request.pools[0], asks))
    if found is None:
        return None
    return tuple(Recall(lease=lease, at=book.horizon.day_at(day)) for lease, day in found)


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


def _kept(asks: Asks, request: LeaseRequest, how: TierTerms) -> tuple[Kept, ...]:
    """What must stay free beside the lease, day by day: the anchor's, less what it holds and what can be recalled."""
    book, side = asks.book, SIDES[how.firm]
    back = book.recallable[0] if how.firm else np.zeros_like(book.recallable[0])
    soon = min(asks.tables.notice_days + 1, book.horizon.days)
    back = np.concatenate((np.zeros_like(back[:soon]), back[soon:]))
    levels = np.maximum(kept(book, asks.tables, side, 0) - book.anchor[0] - back, 0)
    found, at = [], int(request.from_at)
    while at < request.until_at:
        day = book.horizon.first_day(at)
        until = min(book.horizon.day_at(day + 1), request.until_at)
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


def _contract(room: Room, request: LeaseRequest, how: TierTerms, terms: Terms, lease: LeaseId) -> Contract:
    pool = next(pool for pool in room.desk.pools if pool.id == terms.pool)
    price = Price(
        basis=PriceBasis.ACCELERATOR_HOUR,
        amount_micro_usd=terms.micro_usd,
        provenance=Provenance(source=f"the desk {room.desk.name}", as_of_at=room.ledger.clock()),
    )
    right = None
    if how.recall_notice_days is not None:
        right = RecallRight(after=Duration(), notice_days=how.recall_notice_days, recalls_per_year=0.0)
    return Contract(
        lease=Lease(
            id=lease,
            provider=ProviderId(room.desk.lessor),
            pool=terms.pool,
            starts_at=terms.from_at,
            ends_at=terms.until_at,
            deliveries=(Delivery(accelerators=terms.accelerators, due_at=terms.from_at),),
            terms=LeaseTerms(price=price, recall=right),
        ),
        side=Side.LET,
        counterparty=request.lessee,
        accelerator=pool.accelerator,
    )
