"""The desk's tables as they stand: what is kept for the anchor, what is free, what one more hour displaces."""

import numpy as np
import polars as pl

from acreage.desk.asks import Asks, headrooms, kept, short_frac
from acreage.desk.tables import FIRM, RECALLABLE
from acreage.flow.books_columns import Listing
from acreage.flow.desk import Room, Viewer
from acreage.ledger.desk_log import look
from acreage.units.ids import PoolId
from acreage.units.instants import iso

SHOWN = (
    "pool",
    "day_at",
    "capacity",
    "contracted",
    "protected",
    "firm",
    "recallable",
    "free_firm",
    "free_recallable",
    "bid_firm_usd",
    "bid_recallable_usd",
)


def protection(room: Room, viewer: Viewer, pool: str | None, every_days: int) -> Listing:
    """The tables of one pool or all, every so many days; for the desk and the auditor."""
    viewer.must_be("desk", "auditor")
    pools = tuple(one.id for one in room.desk.pools) if pool is None else (PoolId(pool),)
    asks = room.asks_of(pools)
    look(room.ledger, str(viewer), "tables", pools)
    frame = protection_frame(asks).filter(pl.col("day") % every_days == 0)
    rows = [
        {**{name: row[name] for name in row if name not in ("day", "day_at")}, "day_at": iso(row["day_at"])}
        for row in frame.iter_rows(named=True)
    ]
    return Listing(kind="protection", rows=rows, shown=SHOWN)


def protection_frame(asks: Asks) -> pl.DataFrame:
    """Every pool and day with what the tables say: the columns of the listing, `day` and `day_at` in epoch seconds."""
    return pl.concat([_pool_frame(asks, row) for row in range(len(asks.book.pools))])


def _pool_frame(asks: Asks, row: int) -> pl.DataFrame:
    book, tables, law = asks.book, asks.tables, asks.tables.laws[row]
    days = np.arange(book.horizon.days)
    headroom = headrooms(book, tables, row)
    free = [headroom[side] - kept(book, tables, side, row) for side in (FIRM, RECALLABLE)]
    bids = []
    for side in (FIRM, RECALLABLE):
        place = np.clip(free[side] / tables.step[row], 0, tables.bid_usd.shape[3] - 1).astype(np.int64)
        bids.append(np.where(free[side] > 0, tables.bid_usd[side, row, days, place], np.nan))
    left = (book.capacity[row] - book.firm[row]).astype(np.float64)
    return pl.DataFrame(
        {
            "pool": [book.pools[row]] * len(days),
            "day": days,
            "day_at": book.horizon.starts(),
            "capacity": book.capacity[row],
            "contracted": law.right,
            "expected": law.expected(),
            "protected": kept(book, tables, FIRM, row),
            "firm": book.firm[row],
            "recallable": book.recallable[row],
            "free_firm": np.maximum(free[FIRM], 0),
            "free_recallable": np.maximum(free[RECALLABLE], 0),
            "bid_firm_usd": bids[FIRM],
            "bid_recallable_usd": bids[RECALLABLE],
            "short_frac": short_frac(book, tables, row, left, slice(None)),
        },
        nan_to_null=True,
    )
