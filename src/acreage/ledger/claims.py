"""What is claimed of a pool as a table: every hold that still claims something, with the label of what is let."""

import polars as pl

from acreage.domain.hold import HoldState
from acreage.ledger.facts import FOLLOW_UPS, FactKind, pool_chain
from acreage.ledger.ledger import Ledger
from acreage.units.ids import PoolId

_COLUMNS = ("seq", "id", "kind", "subject", "happened_at", "recorded_at", "from_at", "until_at", "accelerators", "body")
_KINDS = tuple(kind.value for kind in (FactKind.HOLD_PLACED, FactKind.HOLD_REFUSED, *FOLLOW_UPS))
_LABEL = pl.Struct(
    {
        "lease": pl.String,
        "lessee": pl.String,
        "tier": pl.String,
        "recall_notice_days": pl.Int64,
        "micro_usd": pl.Int64,
    }
)
SCHEMA = {
    "id": pl.String,
    "holder": pl.String,
    "placed_at": pl.Int64,
    "from_at": pl.Int64,
    "until_at": pl.Int64,
    "accelerators": pl.Int64,
    "asked_until_at": pl.Int64,
    **{field.name: field.dtype for field in _LABEL.fields},
    "state": pl.String,
}
"""Columns of `claims`; those of the label are null for a hold that is no letting."""


def claims(ledger: Ledger, pool: PoolId, known_at: int | None = None) -> pl.DataFrame:
    """All holds of a pool in the order of their placing, as `SCHEMA`; `state` is "claimed" or "refused".

    `known_at` leaves out what was recorded later. `until_at` is where a released hold ends, `asked_until_at`
    where it was to end; what was voided or has expired claims 0 accelerators.
    """
    frames = list(ledger.journal.columns(_COLUMNS, [pool_chain(pool)], kinds=_KINDS))
    if not frames:
        return pl.DataFrame(schema=SCHEMA)
    facts = pl.concat(frames)
    if known_at is not None:
        facts = facts.filter(pl.col("recorded_at") <= known_at)
    first = pl.col("kind").is_in([FactKind.HOLD_PLACED.value, FactKind.HOLD_REFUSED.value])
    released = pl.col("kind") == FactKind.HOLD_RELEASED
    later = (
        facts.filter(~first)
        .group_by("subject")
        .agg(
            pl.col("accelerators").filter(~released).sum().alias("change"),
            pl.col("from_at").filter(released).min().alias("released_at"),
        )
        .rename({"subject": "id"})
    )
    placed = facts.filter(first).sort("seq").join(later, on="id", how="left", maintain_order="left")
    refused = pl.col("kind") == FactKind.HOLD_REFUSED
    label = pl.when(pl.col("body").str.contains('"lease"', literal=True) & ~refused).then(pl.col("body"))
    return (
        placed.with_columns(
            label.str.json_decode(_LABEL).alias("label"),
            holder=pl.col("subject"),
            placed_at=pl.col("happened_at"),
            asked_until_at=pl.col("until_at"),
            until_at=pl.min_horizontal("until_at", pl.col("released_at").fill_null(pl.col("until_at"))),
            accelerators=pl.col("accelerators") + pl.col("change").fill_null(0),
            state=pl.when(refused).then(pl.lit(HoldState.REFUSED.value)).otherwise(pl.lit("claimed")),
        )
        .unnest("label")
        .select(list(SCHEMA))
        .cast(SCHEMA)  # type: ignore[arg-type]
    )
