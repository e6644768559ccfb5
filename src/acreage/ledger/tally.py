"""Sums of use and charges by stretch of a lease, in one pass over the facts whatever their number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import polars as pl

from acreage.ledger.facts import FactKind
from acreage.ledger.journal import Journal
from acreage.ledger.segments import Stretch
from acreage.units.ids import LeaseId

_COLUMNS = ("id", "subject", "from_at", "until_at", "accelerator_seconds", "micro_usd", "corrects")
_CATEGORY = "$.ChargeCategory"


@dataclass
class Sums:
    """What was metered or charged in a stretch.

    `accelerator_seconds` and `micro_usd` are of charges for use, `other_micro_usd` of charges without a
    quantity (purchases, taxes), `credit_micro_usd` of credits, positive in favor of the lessee.
    """

    rows: int = 0
    accelerator_seconds: Fraction = Fraction(0)
    micro_usd: Fraction = Fraction(0)
    other_micro_usd: Fraction = Fraction(0)
    credit_micro_usd: Fraction = Fraction(0)

    def add(self, part: Fraction, row: Mapping[str, int]) -> None:
        """Add a share of a group of rows."""
        self.rows += row["rows"] if part == 1 else 0
        self.accelerator_seconds += part * row["accelerator_seconds"]
        self.micro_usd += part * row["micro_usd"]
        self.other_micro_usd += part * row["other"]
        self.credit_micro_usd += part * row["credit"]


@dataclass
class Tally:
    """Sums by lease and stretch, and what lies outside of every lease's stretches."""

    by_stretch: dict[tuple[LeaseId, int], Sums] = field(default_factory=dict)
    outside: dict[LeaseId, Sums] = field(default_factory=dict)


def tally(
    journal: Journal,
    chains: Iterable[str],
    kind: FactKind,
    stretches: Mapping[LeaseId, Sequence[Stretch]],
    *,
    known_at: int | None = None,
    retracted: frozenset[str] = frozenset(),
    lumps: frozenset[LeaseId] = frozenset(),
) -> Tally:
    """Sum the facts of one kind, those recorded by `known_at` and not retracted.

    Charges without a quantity count as charges for use where the lease is one of `lumps`, whose price is
    a monthly amount. A row that crosses stretches is shared by time.
    """
    table = _table(stretches)
    found = Tally()
    columns = (*_COLUMNS, "recorded_at", *(("body",) if kind is FactKind.CHARGE_INVOICED else ()))
    for frame in journal.columns(columns, chains, kinds=(kind.value,)):
        rows = frame.filter(pl.col("subject") != "")
        if known_at is not None:
            rows = rows.filter(pl.col("recorded_at") <= known_at)
        if retracted:
            rows = rows.filter(~pl.col("id").is_in(list(retracted)))
        for row in _grouped(_in_kinds(rows, lumps), table).iter_rows(named=True):
            _place(found, row, stretches)
    return found


def _table(stretches: Mapping[LeaseId, Sequence[Stretch]]) -> pl.DataFrame:
    rows = [(s.lease, i, s.from_at, s.until_at) for all_ in stretches.values() for i, s in enumerate(all_)]
    schema = {"subject": pl.String, "stretch": pl.Int64, "starts": pl.Int64, "ends": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("starts")


def _in_kinds(rows: pl.DataFrame, lumps: frozenset[LeaseId]) -> pl.DataFrame:
    """Split the amount of each row into use, other and credit."""
    money = pl.col("micro_usd").fill_null(0)
    counted = pl.col("accelerator_seconds").is_not_null()
    if "body" in rows.columns:
        category = pl.col("body").str.json_path_match(_CATEGORY)
        plain = counted | (pl.col("subject").is_in(list(lumps)) & (category == "Usage"))
    else:
        plain = counted
    use = plain & (money >= 0)
    return rows.select(
        "subject",
        "from_at",
        "until_at",
        accelerator_seconds=pl.col("accelerator_seconds").fill_null(0),
        micro_usd=pl.when(use).then(money).otherwise(0),
        other=pl.when(~use & (money > 0)).then(money).otherwise(0),
        credit=pl.when(money < 0).then(-money).otherwise(0),
    )


def _grouped(rows: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Rows that lie in one stretch summed by stretch; others by their own window."""
    joined = rows.sort("from_at").join_asof(
        table, left_on="from_at", right_on="starts", by="subject", strategy="backward", check_sortedness=False
    )
    inside = pl.col("until_at") <= pl.col("ends")
    keyed = joined.with_columns(
        stretch=pl.when(inside).then("stretch"),
        from_at=pl.when(inside).then(None).otherwise(pl.col("from_at")),
        until_at=pl.when(inside).then(None).otherwise(pl.col("until_at")),
    )
    return keyed.group_by("subject", "stretch", "from_at", "until_at").agg(
        pl.len().alias("rows"), pl.col("accelerator_seconds", "micro_usd", "other", "credit").sum()
    )


def _place(found: Tally, row: Mapping[str, int], stretches: Mapping[LeaseId, Sequence[Stretch]]) -> None:
    lease = LeaseId(str(row["subject"]))
    if row["stretch"] is not None:
        found.by_stretch.setdefault((lease, row["stretch"]), Sums()).add(Fraction(1), row)
        return
    from_at, until_at = row["from_at"], row["until_at"]
    left = Fraction(1)
    for i, stretch in enumerate(stretches.get(lease, ())):
        seconds = min(stretch.until_at, until_at) - max(stretch.from_at, from_at)
        if seconds > 0:
            part = Fraction(seconds, until_at - from_at)
            left -= part
            found.by_stretch.setdefault((lease, i), Sums()).add(part, row)
    if left > 0:
        found.outside.setdefault(lease, Sums()).add(left, row)
