"""Running totals of use and money chains: by lease and calendar month, kept as snapshots so that state is quick."""

from collections.abc import Iterable

import msgspec
import polars as pl

from acreage.ledger.facts import GENESIS, FactKind
from acreage.ledger.journal import Journal, Snapshot
from acreage.units.instants import moment

FORMAT = "totals-1"
KEEP_AFTER = 50_000
"""Facts after which a snapshot is renewed."""


class Line(msgspec.Struct):
    """Sums of one kind of fact for one lease ("" for none) and month ("2027-03"), in whole units."""

    kind: str
    lease: str
    month: str
    rows: int
    accelerator_seconds: int
    micro_usd: int


class _Kept(msgspec.Struct):
    lines: list[Line]


def totals(journal: Journal, chain: str) -> list[Line]:
    """The totals of a `usage:` or `bill:` chain: the last snapshot and what came after it.

    A row counts for the month in which its period begins; retracted rows are taken off again.
    """
    kept = journal.snapshot(chain, FORMAT)
    head = kept.head if kept else GENESIS
    lines = {
        (x.kind, x.lease, x.month): x for x in (msgspec.msgpack.decode(kept.data, type=_Kept).lines if kept else ())
    }
    newest = journal.head(chain)
    if newest.seq > head.seq:
        _add(lines, journal, chain, head.seq)
        if newest.seq - head.seq > KEEP_AFTER:
            data = msgspec.msgpack.encode(_Kept(list(lines.values())))
            journal.keep_snapshot(chain, Snapshot(head=newest, format=FORMAT, data=data))
    return list(lines.values())


def totals_until(journal: Journal, chain: str, known_at: int) -> list[Line]:
    """The totals as they were known at an instant, from the facts themselves."""
    lines: dict[tuple[str, str, str], Line] = {}
    _add(lines, journal, chain, 0, known_at)
    return list(lines.values())


def _add(
    lines: dict[tuple[str, str, str], Line], journal: Journal, chain: str, after_seq: int, known_at: int | None = None
) -> None:
    columns = (
        "kind",
        "subject",
        "corrects",
        "happened_at",
        "recorded_at",
        "from_at",
        "accelerator_seconds",
        "micro_usd",
    )
    gone: list[str] = []
    for frame in journal.columns(columns, [chain], after_seq=after_seq):
        rows = frame if known_at is None else frame.filter(pl.col("recorded_at") <= known_at)
        gone += rows.filter(pl.col("kind") == FactKind.RETRACTED)["corrects"].to_list()
        _sum(lines, rows.filter(pl.col("kind") != FactKind.RETRACTED), 1)
    if gone:
        facts = journal.with_ids(gone).values()
        data = [(f.kind, f.subject, f.happened_at, f.from_at, f.accelerator_seconds, f.micro_usd) for f in facts]
        names = ["kind", "subject", "happened_at", "from_at", "accelerator_seconds", "micro_usd"]
        schema = {name: pl.String if name in ("kind", "subject") else pl.Int64 for name in names}
        _sum(lines, pl.DataFrame(data, schema=schema, orient="row"), -1)


def _sum(lines: dict[tuple[str, str, str], Line], rows: pl.DataFrame, sign: int) -> None:
    at = pl.from_epoch(pl.coalesce("from_at", "happened_at"), time_unit="s")
    grouped = rows.group_by("kind", pl.col("subject").alias("lease"), at.dt.strftime("%Y-%m").alias("month")).agg(
        pl.len().alias("rows"),
        pl.col("accelerator_seconds").fill_null(0).sum(),
        pl.col("micro_usd").fill_null(0).sum(),
    )
    for kind, lease, month, count, seconds, amount in grouped.iter_rows():
        line = lines.setdefault((kind, lease, month), Line(kind, lease, month, 0, 0, 0))
        line.rows += sign * count
        line.accelerator_seconds += sign * seconds
        line.micro_usd += sign * amount


def money(lines: Iterable[Line], kind: FactKind, lease: str | None = None) -> int:
    """The micro-dollars of one kind of fact, of one lease or of all."""
    return sum(x.micro_usd for x in lines if x.kind == kind and (lease is None or x.lease == lease))


def month_name(at: int) -> str:
    """An instant's calendar month as totals name it."""
    return moment(at).strftime("%Y-%m")
