"""Running totals of use and money chains: by lease and calendar month, kept as snapshots so that state is quick."""

from collections.abc import Iterable

import msgspec
import polars as pl

from acreage.ledger.facts import GENESIS, FactKind
from acreage.ledger.journal import Journal, Snapshot

FORMAT = "totals-2"
KEEP_AFTER = 5_000
"""Facts after which a snapshot is renewed."""


class Line(msgspec.Struct):
    """Sums of one kind of fact for one lease ("" for none) and month ("2027-03"), in whole units."""

    kind: str
    lease: str
    month: str
    rows: int
    accelerator_seconds: int
    micro_usd: int


class Totals(msgspec.Struct):
    """The lines of a chain, and the last instant that any of its facts is about."""

    lines: list[Line]
    until_at: int


def totals(journal: Journal, chain: str) -> Totals:
    """The totals of a `usage:` or `bill:` chain: the last snapshot and what came after it.

    A row counts for the month in which its period begins; retracted rows are taken off again.
    """
    kept = journal.snapshot(chain, FORMAT)
    head = kept.head if kept else GENESIS
    found = msgspec.msgpack.decode(kept.data, type=Totals) if kept else Totals([], 0)
    newest = journal.head(chain)
    if newest.seq > head.seq:
        found = _added(found, journal, chain, head.seq)
        if newest.seq - head.seq > KEEP_AFTER:
            journal.keep_snapshot(chain, Snapshot(head=newest, format=FORMAT, data=msgspec.msgpack.encode(found)))
    return found


def totals_known(journal: Journal, chain: str, known_at: int) -> Totals:
    """The totals as they were known at an instant, from the facts themselves."""
    return _added(Totals([], 0), journal, chain, 0, known_at)


def used_until(journal: Journal, chain: str, at: int, known_at: int) -> dict[str, int]:
    """Accelerator-seconds metered by lease up to an instant, as known at another, from the facts themselves.

    Of a row whose period is under way the share that has passed counts, rounded down.
    """
    found: dict[str, int] = {}
    columns = ("id", "subject", "recorded_at", "from_at", "until_at", "accelerator_seconds")
    gone = [
        id_
        for frame in journal.columns(("corrects", "recorded_at"), [chain], kinds=(FactKind.RETRACTED.value,))
        for id_ in frame.filter(pl.col("recorded_at") <= known_at)["corrects"]
    ]
    for frame in journal.columns(columns, [chain], kinds=(FactKind.USAGE_METERED.value,)):
        known = (pl.col("recorded_at") <= known_at) & (pl.col("from_at") < at) & ~pl.col("id").is_in(gone)
        rows = frame.filter(known & pl.col("accelerator_seconds").is_not_null())
        past = rows.filter(pl.col("until_at") <= at).group_by("subject").agg(pl.col("accelerator_seconds").sum())
        parts = list(past.iter_rows())
        for _, lease, _, from_at, until_at, seconds in rows.filter(pl.col("until_at") > at).iter_rows():
            parts.append((lease, seconds * (at - from_at) // (until_at - from_at)))
        for lease, seconds in parts:
            found[lease] = found.get(lease, 0) + seconds
    return found


def _added(kept: Totals, journal: Journal, chain: str, after_seq: int, known_at: int | None = None) -> Totals:
    lines = {(x.kind, x.lease, x.month): x for x in kept.lines}
    until_at = kept.until_at
    columns = (
        "kind",
        "subject",
        "corrects",
        "happened_at",
        "recorded_at",
        "from_at",
        "until_at",
        "accelerator_seconds",
        "micro_usd",
    )
    gone: list[str] = []
    for frame in journal.columns(columns, [chain], after_seq=after_seq):
        rows = frame if known_at is None else frame.filter(pl.col("recorded_at") <= known_at)
        until_at = max(until_at, rows.select(pl.coalesce("until_at", "happened_at").max()).item() or 0)
        gone += rows.filter(pl.col("kind") == FactKind.RETRACTED)["corrects"].to_list()
        _sum(lines, rows.filter(pl.col("kind") != FactKind.RETRACTED), 1)
    if gone:
        facts = journal.with_ids(gone).values()
        data = [(f.kind, f.subject, f.happened_at, f.from_at, f.accelerator_seconds, f.micro_usd) for f in facts]
        names = ["kind", "subject", "happened_at", "from_at", "accelerator_seconds", "micro_usd"]
        schema = {name: pl.String if name in ("kind", "subject") else pl.Int64 for name in names}
        _sum(lines, pl.DataFrame(data, schema=schema, orient="row"), -1)
    return Totals(list(lines.values()), until_at)


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
