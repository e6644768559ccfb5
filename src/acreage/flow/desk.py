"""A lessor's desk from outside: its document, the books it leases from, and who is looking.

`open_desk` is where a notebook starts; `book_of` and `asks_of` give what the functions of `acreage.desk` take.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from acreage.catalog.accelerators import load_accelerators
from acreage.desk.asks import Asks, laid_out
from acreage.desk.book import Book, daily
from acreage.desk.horizon import Horizon, day_of
from acreage.desk.tables import Tables, build_tables
from acreage.domain.contract import Contract, Side
from acreage.domain.desk import Desk, DeskPool
from acreage.domain.lease import Delivery, Lease
from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.domain.terms import Terms
from acreage.flow.books import Work
from acreage.ledger.claims import claims
from acreage.ledger.contracts import propose_lease, sign_lease
from acreage.ledger.deliveries import record_delivery
from acreage.ledger.facts import pool_chain
from acreage.ledger.ledger import Ledger
from acreage.portfolio.desk_file import read_desk
from acreage.units.errors import InputError
from acreage.units.ids import LeaseId, PoolId, ProviderId
from acreage.units.instants import SECONDS_PER_DAY, Instant, add_months, instant, iso_date
from acreage.units.money import MicroUsd

ENVIRONMENT = "ACREAGE_DESK"
DEFAULT = "desk.yaml"
OWN_MONTHS = 240
"""The lessor's own capacity is in the books for so long; what is taken away earlier is recorded as such."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: the desk, one lessee (`lessee` is its name), or the auditor."""

    role: str
    lessee: str = ""

    def __str__(self) -> str:
        return f"lessee:{self.lessee}" if self.role == "lessee" else self.role

    def must_be(self, *roles: str) -> None:
        """Raise `InputError` unless the viewer has one of these roles."""
        if self.role not in roles:
            raise InputError(f"{self} may not do this", fix=f"it is for {' and '.join(roles)}")


def viewer(text: str) -> Viewer:
    """A viewer from what the user wrote: desk, auditor or lessee:NAME; raises `InputError`."""
    role, _, name = text.partition(":")
    if role not in ("desk", "auditor", "lessee") or (role == "lessee") != bool(name):
        raise InputError(f"{text!r} is no role", fix="one of desk, auditor and lessee:NAME")
    return Viewer(role, name)


@dataclass
class Room:
    """A desk at its books. `tables` are kept by day and pools, asks by pools as long as the books stand."""

    desk: Desk
    ledger: Ledger
    tables: dict[tuple[PoolId, ...], Tables] = field(default_factory=dict)
    asks: dict[tuple[PoolId, ...], Asks] = field(default_factory=dict)

    def horizon(self) -> Horizon:
        """The days the desk quotes, from today on."""
        return Horizon(day_of(self.ledger.clock()), self.desk.horizon_days)

    def tables_of(self, pools: tuple[PoolId, ...]) -> Tables:
        """Today's tables of some pools."""
        kept = self.tables.get(pools)
        if kept is None or kept.horizon != self.horizon():
            kept = self.tables[pools] = build_tables(self.desk, self.horizon(), pools)
        return kept

    def asks_of(self, pools: tuple[PoolId, ...]) -> Asks:
        """The books as they stand on today's tables, for some pools."""
        ordered = tuple(pool.id for pool in self.desk.pools if pool.id in pools)
        self.ledger.refresh([pool_chain(pool) for pool in ordered])
        tables, kept = self.tables_of(ordered), self.asks.get(ordered)
        turns = [self.ledger.pool(pool).head.seq for pool in ordered]
        if kept is None or kept.tables is not tables or kept.book.turn.tolist() != turns:
            kept = self.asks[ordered] = laid_out(book_of(self, ordered), tables)
        return kept


def open_desk(path: Path | None, ledger: Ledger) -> Room:
    """A desk from its document; None: $ACREAGE_DESK, else desk.yaml here. Raises `InputError`."""
    return Room(read_document(path), ledger)


def read_document(path: Path | None) -> Desk:
    """A desk's document; None: $ACREAGE_DESK, else desk.yaml here. Raises `InputError`."""
    file = path or Path(os.environ.get(ENVIRONMENT) or DEFAULT)
    return read_desk(file, accelerators=load_accelerators())


def standing_clock(text: str) -> Callable[[], Instant]:
    """A clock that stands at an instant the user wrote; raises `InputError` for what is no date."""
    at = instant(text)
    return lambda: at


def day_or_today(text: str | None) -> Instant:
    """The day written, or today; raises `InputError` for what is no date."""
    return day_of(instant(text) if text else int(time.time()))


def asks_known(room: Room) -> Asks:
    """All books as they were known on the room's day, to be shown. Decisions take `Room.asks_of`: all that is written.

    They differ where the day is a pretended one, or another machine's clock is ahead.
    """
    pools = tuple(pool.id for pool in room.desk.pools)
    return laid_out(book_of(room, pools, room.ledger.clock()), room.tables_of(pools))


def book_of(room: Room, pools: tuple[PoolId, ...], known_at: int | None = None) -> Book:
    """What the ledger says is there, leased and held by the anchor, by day; `known_at` leaves out what came later.

    Raises `InputError` where nothing of a pool is in the books.
    """
    horizon = room.horizon()
    room.ledger.refresh([pool_chain(pool) for pool in pools])
    rows = [_pool_rows(room, pool, horizon, known_at) for pool in pools]
    capacity, firm, recallable, anchor = (np.stack([row[i] for row in rows]) for i in range(4))
    turn = np.array([room.ledger.pool(pool).head.seq for pool in pools], dtype=np.int64)
    return Book(pools, horizon, capacity, firm, recallable, anchor, turn)


def _pool_rows(room: Room, pool: PoolId, horizon: Horizon, known_at: int | None) -> tuple[np.ndarray, ...]:
    delivered = room.ledger.pool(pool).delivered
    _first, last = delivered.span()
    if last <= horizon.from_at:
        fix = "put the desk's capacity into the books with `acreage desk open`"
        raise InputError(f"nothing of pool {pool} is in the books", fix=fix)
    times, changes = delivered.changes()
    after = np.concatenate(([0], np.cumsum(changes)))
    starts = horizon.starts()
    begin = np.searchsorted(times, starts, side="right")
    end = np.searchsorted(times, starts + SECONDS_PER_DAY - 1, side="right")
    capacity = np.array([after[b : e + 1].min() for b, e in zip(begin, end, strict=True)], dtype=np.int64)
    held = claims(room.ledger, pool, known_at).filter(
        (pl.col("state") == "claimed") & (pl.col("until_at") > horizon.from_at)
    )
    of_anchor = pl.col("holder") == room.desk.anchor.name
    is_recallable = pl.col("recall_notice_days").is_not_null()
    kinds = (~of_anchor & ~is_recallable, ~of_anchor & is_recallable, of_anchor)
    return capacity, *(_daily(held.filter(kind), horizon) for kind in kinds)


def _daily(held: pl.DataFrame, horizon: Horizon) -> np.ndarray:
    columns = (held[name].to_numpy() for name in ("accelerators", "from_at", "until_at"))
    accelerators, from_at, until_at = columns
    return daily(horizon, accelerators, from_at, until_at)


def opening(room: Room) -> list[Work]:
    """The work of putting the desk's own capacity into the books: a lease from itself a pool, delivered by period."""
    found: list[Work] = []
    for pool in room.desk.pools:
        found.append(partial(_open_pool, room, pool))
    return found


def opening_lines(room: Room) -> list[str]:
    """The numbered plan of opening, pool by pool."""
    return [
        f"{pool.id}: " + ", ".join(f"{step.accelerators:,} from {iso_date(step.from_at)}" for step in pool.capacity)
        for pool in room.desk.pools
    ]


def _open_pool(room: Room, pool: DeskPool) -> None:
    ledger, contract = room.ledger, own_capacity(room.desk, pool)
    lease = contract.lease.id
    propose_lease(ledger, contract, key=f"{lease}/proposed")
    sign_lease(ledger, lease, key=f"{lease}/signed")
    for i, delivery in enumerate(contract.lease.deliveries):
        if delivery.accelerators:
            record_delivery(ledger, lease, delivery.accelerators, at=delivery.due_at, key=f"{lease}/delivered/{i + 1}")


def own_capacity(desk: Desk, pool: DeskPool) -> Contract:
    """The lessor's own capacity of a pool as a lease from itself, at no price."""
    before, deliveries = 0, []
    for step in pool.capacity:
        deliveries.append(Delivery(accelerators=step.accelerators - before, due_at=step.from_at))
        before = step.accelerators
    nothing = Price(
        basis=PriceBasis.ACCELERATOR_HOUR,
        amount_micro_usd=MicroUsd(0),
        provenance=Provenance(source=f"the desk {desk.name}"),
    )
    starts_at = pool.capacity[0].from_at
    lease = Lease(
        id=LeaseId(f"own:{pool.id}"),
        provider=ProviderId(desk.lessor),
        pool=pool.id,
        starts_at=starts_at,
        ends_at=Instant(add_months(starts_at, OWN_MONTHS)),
        deliveries=tuple(deliveries),
        terms=Terms(price=nothing),
    )
    return Contract(lease=lease, side=Side.OWN, counterparty=desk.lessor, accelerator=pool.accelerator)
