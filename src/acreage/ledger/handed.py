"""Let leases in their pools: what is handed over to a lessee is what is held in the lease's name, and can be kept."""

from collections.abc import Collection

import msgspec
import polars as pl

from acreage.domain.hold import HoldState
from acreage.ledger.claims import claims
from acreage.ledger.deliveries import shortfalls
from acreage.ledger.facts import Draft, Fact, FactKind, pool_chain
from acreage.ledger.holds import hold_with_id
from acreage.ledger.leases import LeaseView
from acreage.ledger.ledger import Draw, Ledger
from acreage.ledger.pool_book import PoolBook
from acreage.units.ids import LeaseId, PoolId


def handed_over(
    ledger: Ledger, pool: PoolId, lets: Collection[LeaseId], book: PoolBook, known_at: int
) -> dict[LeaseId, list[Fact]]:
    """What a pool hands over to each of its let leases, as changes: its holds, less what they miss in breach.

    Derived from the holds known at `known_at`, and from `book`, the pool's book as of then: where less
    is delivered than is held the oldest promise is kept first. Each change is the fact that placed the hold,
    with the accelerators and window that came of it.
    """
    held = claims(ledger, pool, known_at).filter((pl.col("state") == "claimed") & (pl.col("accelerators") > 0))
    held = held.filter(pl.col("from_at") < pl.col("until_at"))
    rows = list(held.select("id", "accelerators", "from_at", "until_at").iter_rows())
    mine = held.filter(pl.col("holder").is_in(list(lets)))["id"].to_list()
    placed = ledger.journal.with_ids(mine)
    found: dict[LeaseId, list[Fact]] = {}
    short = list(shortfalls(rows, book.delivered, book.free.short_windows(*book.free.span())))
    for id_, accelerators, from_at, until_at in (*rows, *((id_, -n, a, b) for id_, n, a, b in short)):
        fact = placed.get(id_)
        if fact is not None:
            change = msgspec.structs.replace(fact, accelerators=accelerators, from_at=from_at, until_at=until_at)
            found.setdefault(LeaseId(fact.subject), []).append(change)
    return found


def give_back(draw: Draw, view: LeaseView, at: int, key: str) -> None:
    """Release what is held for a let lease from `at` on, because it ends then."""
    pool = view.contract.lease.pool
    held = claims(draw.ledger, pool).filter(
        (pl.col("holder") == view.id) & (pl.col("state") == "claimed") & (pl.col("until_at") > at)
    )
    for i, id_ in enumerate(held["id"]):
        hold = hold_with_id(draw.ledger, id_)
        if hold.state is not HoldState.POSTED:
            continue
        draw.add(
            Draft(
                chain=pool_chain(pool),
                id=f"{key}/released/{i + 1}",
                kind=FactKind.HOLD_RELEASED.value,
                subject=hold.id,
                happened_at=draw.now,
                from_at=max(at, hold.from_at),
                until_at=hold.until_at,
                accelerators=-hold.accelerators,
            )
        )
