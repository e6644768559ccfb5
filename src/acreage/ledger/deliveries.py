"""Deliveries: accelerators of a lease handed over or taken back, and which holds that leaves in breach.

A delivery may be announced before its day; one that slips is corrected. Capacity that goes away while it
is held leaves the holds where they are: the oldest promises are kept first, and those that cannot be are
recorded as in breach.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import polars as pl

from acreage.domain.contract import Side
from acreage.domain.hold import Breach
from acreage.ledger.facts import (
    FOLLOW_UPS,
    Draft,
    Fact,
    FactKind,
    lease_chain,
    pool_chain,
)
from acreage.ledger.grid import CapacityGrid
from acreage.ledger.leases import FIRM, LeaseView, lease_view, promised_max
from acreage.ledger.ledger import Draw, Ledger, repeated_with_other_content
from acreage.units.errors import InputError
from acreage.units.ids import LeaseId, PoolId
from acreage.units.instants import Instant, iso

POOL_MAX = 1_000_000_000
"""More accelerators than any pool has; beyond, the grid's 32-bit numbers would be in danger."""

_CLAIMS = (FactKind.HOLD_PLACED, *FOLLOW_UPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDone:
    """A recorded delivery, and the holds it leaves in breach: hold id and breach, the oldest promise first."""

    id: str
    breaches: tuple[tuple[str, Breach], ...]


class _Breached(msgspec.Struct, frozen=True):
    short: int
    cause: str


def record_delivery(
    ledger: Ledger, lease: LeaseId, accelerators: int, *, at: Instant, key: str, corrects: str = ""
) -> DeliveryDone:
    """Hand over `accelerators` of a lease from `at` to its end; negative: take them back.

    `corrects` names an earlier delivery that this one replaces. Raises `InputError` where the lease is
    not signed, the day is outside of it, more would be delivered than leased or less than nothing.
    """
    view = _signed(lease_view(ledger.journal.read(lease_chain(lease)), ledger.clock()), lease)
    pool = view.contract.lease.pool

    def decide(draw: Draw) -> tuple[tuple[str, Breach], ...]:
        known = ledger.journal.with_ids([key]).get(key)
        if known is not None:
            _check_same(known, lease, accelerators, at, corrects)
            return breaches_by(ledger, pool, key)
        now = _signed(lease_view(ledger.journal.read(lease_chain(lease)), draw.now), lease)
        if corrects:
            _retract(draw, now, corrects, key)
        _check_delivery(draw, now, accelerators, at)
        draw.add(
            Draft(
                chain=pool_chain(pool),
                id=key,
                kind=FactKind.DELIVERED.value,
                subject=lease,
                happened_at=draw.now,
                corrects=corrects,
                from_at=at,
                until_at=now.ends_at,
                accelerators=accelerators,
            )
        )
        return _breach(draw, pool, key)

    breaches, _ = ledger.record([lease_chain(lease), pool_chain(pool)], decide)
    return DeliveryDone(id=key, breaches=breaches)


def retract_delivery(ledger: Ledger, delivery: str, *, key: str) -> DeliveryDone:
    """Say that a delivery in the books never was. Raises `InputError` if there is none of this id."""
    fact = ledger.journal.with_ids([delivery]).get(delivery)
    if fact is None or fact.kind != FactKind.DELIVERED:
        raise InputError(f"no delivery {delivery!r} is in the books", fix="see `acreage lease show`")
    lease, pool = LeaseId(fact.subject), PoolId(fact.chain.partition(":")[2])

    def decide(draw: Draw) -> tuple[tuple[str, Breach], ...]:
        known = ledger.journal.with_ids([f"{key}/retracted"])
        if not known:
            view = _signed(lease_view(ledger.journal.read(lease_chain(lease)), draw.now), lease)
            _retract(draw, view, delivery, key)
            return _breach(draw, pool, key)
        return breaches_by(ledger, pool, key)

    breaches, _ = ledger.record([lease_chain(lease), fact.chain], decide)
    return DeliveryDone(id=key, breaches=breaches)


def deliveries_of(facts: list[Fact]) -> dict[LeaseId, list[Fact]]:
    """The deliveries of each lease that stand, in order; `facts` are a pool's, whole chains of them or a part."""
    gone = {fact.corrects for fact in facts if fact.kind == FactKind.DELIVERY_RETRACTED}
    found: dict[LeaseId, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind == FactKind.DELIVERED and fact.id not in gone:
            found[LeaseId(fact.subject)].append(fact)
    return found


def move_end(draw: Draw, view: LeaseView, ends_at: Instant, key: str) -> None:
    """Let what a lease has delivered reach to another end, later or earlier than now written."""
    pool, old_end = view.contract.lease.pool, view.ends_at
    grid = _lease_grid(draw, view)
    pieces = []
    if ends_at > old_end:
        pieces.append((grid.free_at(old_end - 1), int(old_end), int(ends_at)))
    at = int(ends_at)
    while at < old_end:
        until_at = min(grid.next_change(at), old_end)
        pieces.append((-grid.free_at(at), at, until_at))
        at = until_at
    for i, (accelerators, from_at, until_at) in enumerate(piece for piece in pieces if piece[0]):
        draw.add(
            Draft(
                chain=pool_chain(pool),
                id=f"{key}/{i + 1}",
                kind=FactKind.DELIVERED.value,
                subject=view.id,
                happened_at=draw.now,
                from_at=from_at,
                until_at=until_at,
                accelerators=accelerators,
            )
        )
    _breach(draw, pool, key)


def _lease_grid(draw: Draw, view: LeaseView) -> CapacityGrid:
    """What a lease has delivered over time."""
    grid = CapacityGrid()
    for fact in _standing(draw, view):
        grid.add(fact.accelerators or 0, fact.from_at or 0, fact.until_at or 0)
    return grid


def _signed(view: LeaseView | None, lease: LeaseId) -> LeaseView:
    if view is None:
        raise InputError(f"no lease {lease!r} is in the books", fix="see `acreage lease list`")
    if view.state not in FIRM:
        raise InputError(f"lease {lease} is {view.state}", fix="only a signed lease that has not ended delivers")
    if view.contract.side is Side.LET:
        fix = f"hold it for the lessee: acreage hold place --holder {lease}"
        raise InputError(f"lease {lease} is let: it brings no capacity, it takes some", fix=fix)
    return view


def _check_delivery(draw: Draw, view: LeaseView, accelerators: int, at: Instant) -> None:
    lease = view.contract.lease
    if accelerators == 0 or abs(accelerators) > POOL_MAX:
        raise InputError(f"lease {view.id}: {accelerators} accelerators", fix="a whole number that is not 0")
    if not lease.starts_at <= at < view.ends_at:
        raise InputError(
            f"lease {view.id}: {iso(at)} is outside of it", fix=f"from {iso(lease.starts_at)} to {iso(view.ends_at)}"
        )
    grid = _lease_grid(draw, view)
    before = grid.free(at, view.ends_at)
    if before + accelerators < 0:
        raise InputError(
            f"lease {view.id}: {-accelerators:,} are taken back where {before:,} are delivered",
            fix=f"at most {before:,}",
        )
    grid.add(accelerators, at, view.ends_at)
    promised = promised_max(view.contract)
    if accelerators > 0 and (most := -_negated(grid).free(at, view.ends_at)) > promised:
        raise InputError(
            f"lease {view.id}: {most:,} would be delivered where {promised:,} are leased",
            fix=f"at most {promised - most + accelerators:,} more, or amend the lease",
        )
    book = draw.ledger.pool(lease.pool)
    if book.delivered.free_at(at) + accelerators > POOL_MAX:
        raise InputError(f"pool {lease.pool} would have more than {POOL_MAX:,} accelerators")


def _negated(grid: CapacityGrid) -> CapacityGrid:
    times, deltas = grid.changes()
    return CapacityGrid.of_changes(times, -deltas)


def _standing(draw: Draw, view: LeaseView) -> list[Fact]:
    """Deliveries of a lease that stand, with those of this draw."""
    chain = pool_chain(view.contract.lease.pool)
    kinds = (FactKind.DELIVERED.value, FactKind.DELIVERY_RETRACTED.value)
    ids = [
        id_
        for frame in draw.ledger.journal.columns(("id", "subject"), [chain], kinds=kinds)
        for id_ in frame.filter(pl.col("subject") == view.id)["id"]
    ]
    kept = [fact for fact in draw.ledger.journal.with_ids(ids).values() if fact.chain == chain]
    kept += [fact for fact in draw.facts if fact.kind in kinds and fact.subject == view.id]
    return kept


def _retract(draw: Draw, view: LeaseView, delivery: str, key: str) -> None:
    standing = {fact.id: fact for fact in _standing(draw, view)}
    gone = {fact.corrects for fact in standing.values() if fact.kind == FactKind.DELIVERY_RETRACTED}
    fact = standing.get(delivery)
    if fact is None or fact.kind != FactKind.DELIVERED or delivery in gone:
        raise InputError(f"lease {view.id} has no delivery {delivery!r} that stands", fix="see `acreage lease show`")
    if fact.until_at != view.ends_at:
        raise InputError(
            f"delivery {delivery} was cut when the end of lease {view.id} was moved",
            fix="record what is taken back instead",
        )
    draw.add(
        Draft(
            chain=fact.chain,
            id=f"{key}/retracted",
            kind=FactKind.DELIVERY_RETRACTED.value,
            subject=view.id,
            happened_at=draw.now,
            corrects=delivery,
            from_at=fact.from_at,
            until_at=fact.until_at,
            accelerators=-(fact.accelerators or 0),
        )
    )


def _check_same(known: Fact, lease: LeaseId, accelerators: int, at: Instant, corrects: str) -> None:
    was = (known.kind, known.subject, known.accelerators, known.from_at, known.corrects)
    if was != (FactKind.DELIVERED.value, lease, accelerators, at, corrects):
        raise repeated_with_other_content(known.id)


def _breach(draw: Draw, pool: PoolId, cause: str) -> tuple[tuple[str, Breach], ...]:
    """Record which holds cannot be kept any more, the oldest promise first."""
    book = draw.ledger.pool(pool)
    first, last = book.free.span()
    windows = book.free.short_windows(max(first, draw.now), last)
    if not windows:
        return ()
    recorded = _recorded_breaches(draw.ledger, pool)
    found = []
    for id_, breach in unkept(_claims(draw, pool, windows), book.delivered, windows, cause):
        if (id_, breach.short, breach.from_at, breach.until_at) in recorded:
            continue
        found.append((id_, breach))
        draw.add(
            Draft(
                chain=pool_chain(pool),
                id=f"{cause}/breach/{len(found)}",
                kind=FactKind.HOLD_BREACHED.value,
                subject=id_,
                happened_at=draw.now,
                from_at=breach.from_at,
                until_at=breach.until_at,
                body=msgspec.json.encode(_Breached(breach.short, cause)).decode(),
            )
        )
    return tuple(found)


def unkept(
    claims: list[tuple[str, int, int, int]], delivered: CapacityGrid, windows: list[tuple[int, int]], cause: str
) -> list[tuple[str, Breach]]:
    """Claims that what is delivered cannot satisfy within the short windows, oldest promise first.

    Claims are (id, accelerators, from, until) in the order of promise; each takes what it can.
    """
    worst: dict[str, Breach] = {}
    for id_, short, from_at, until_at in shortfalls(claims, delivered, windows):
        before = worst.get(id_)
        worst[id_] = Breach(
            short=max(short, before.short if before else 0),
            from_at=before.from_at if before else Instant(from_at),
            until_at=Instant(until_at),
            cause=cause,
        )
    return list(worst.items())


def shortfalls(
    claims: list[tuple[str, int, int, int]], delivered: CapacityGrid, windows: list[tuple[int, int]]
) -> Iterator[tuple[str, int, int, int]]:
    """What each claim misses, as (id, accelerators, from, until), claim by claim and in order of time."""
    left = CapacityGrid.of_changes(*delivered.changes())
    for id_, accelerators, from_at, until_at in claims:
        for window_from, window_until in windows:
            low, high = max(from_at, window_from), min(until_at, window_until)
            while low < high:
                # One stretch of equal capacity at a time, so that a claim takes what is there.
                free = left.free_at(low)
                end = min(high, left.next_change(low))
                taken = min(max(free, 0), accelerators)
                left.add(-taken, low, end)
                if taken < accelerators:
                    yield id_, accelerators - taken, low, end
                low = end


def _claims(draw: Draw, pool: PoolId, windows: list[tuple[int, int]]) -> list[tuple[str, int, int, int]]:
    """What holds claim in the windows, in the order of promise."""
    chain = pool_chain(pool)
    columns = ("seq", "id", "kind", "subject", "from_at", "until_at", "accelerators")
    kinds = [kind.value for kind in _CLAIMS]
    frames = list(draw.ledger.journal.columns(columns, [chain], kinds=kinds))
    if not frames:
        return []
    facts = pl.concat(frames)
    placed = facts.filter(pl.col("kind") == FactKind.HOLD_PLACED)
    low, high = windows[0][0], windows[-1][1]
    placed = placed.filter((pl.col("from_at") < high) & (pl.col("until_at") > low))
    later = facts.filter(pl.col("kind") != FactKind.HOLD_PLACED).select("subject", "kind", "from_at", "accelerators")
    expired = [f.subject for f in draw.facts if f.kind == FactKind.HOLD_EXPIRED]
    changes = later.group_by("subject").agg(
        pl.col("accelerators").filter(pl.col("kind") != FactKind.HOLD_RELEASED).sum().alias("change"),
        pl.col("from_at").filter(pl.col("kind") == FactKind.HOLD_RELEASED).min().alias("released_at"),
    )
    claims = placed.filter(~pl.col("id").is_in(expired)).join(changes, left_on="id", right_on="subject", how="left")
    claims = claims.with_columns(
        accelerators=pl.col("accelerators") + pl.col("change").fill_null(0),
        until_at=pl.min_horizontal("until_at", pl.col("released_at").fill_null(pl.col("until_at"))),
    )
    claims = claims.filter((pl.col("accelerators") > 0) & (pl.col("until_at") > low)).sort("seq")
    return list(claims.select("id", "accelerators", "from_at", "until_at").iter_rows())


def _recorded_breaches(ledger: Ledger, pool: PoolId) -> set[tuple[str, int, int, int]]:
    columns = ("subject", "body", "from_at", "until_at")
    frames = ledger.journal.columns(columns, [pool_chain(pool)], kinds=(FactKind.HOLD_BREACHED.value,))
    return {
        (subject, msgspec.json.decode(body, type=_Breached).short, from_at, until_at)
        for frame in frames
        for subject, body, from_at, until_at in frame.iter_rows()
    }


def breaches_by(ledger: Ledger, pool: PoolId, cause: str) -> tuple[tuple[str, Breach], ...]:
    """The breaches recorded for an earlier call with this key."""
    columns = ("subject", "body", "from_at", "until_at")
    frames = ledger.journal.columns(columns, [pool_chain(pool)], kinds=(FactKind.HOLD_BREACHED.value,))
    found = []
    for frame in frames:
        for subject, body, from_at, until_at in frame.iter_rows():
            told = msgspec.json.decode(body, type=_Breached)
            if told.cause == cause:
                breach = Breach(short=told.short, from_at=Instant(from_at), until_at=Instant(until_at), cause=cause)
                found.append((subject, breach))
    return tuple(found)
