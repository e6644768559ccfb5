"""What a rule is given and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl

from acreage.catalog.table import PRICE

DOUBT_COLUMNS = pl.Schema(
    {
        "index": pl.UInt32,  # the offer doubted
        "severity": pl.String,
        "rule": pl.String,
        "message": pl.String,
        "verdict": pl.String,  # the offer's new status; null leaves it a price
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The day from which ages count, and what prices of each accelerator are like.

    `reference` has columns accelerator, price_kind, centre_usd and spread_log.
    """

    today: date
    stale_after_days: int
    reference: pl.DataFrame


Rule = Callable[[pl.DataFrame, Context], pl.DataFrame]
"""From the offers judged so far (with their `index`) to the doubts about them."""


def alive(offers: pl.DataFrame) -> pl.DataFrame:
    """The offers that are still prices."""
    return offers.filter(pl.col("status") == PRICE)


def doubts(
    rows: pl.DataFrame, *, rule: str, severity: str, message: pl.Expr, verdict: str | None = None
) -> pl.DataFrame:
    """One doubt for each of the rows."""
    if rows.is_empty():
        return pl.DataFrame(schema=DOUBT_COLUMNS)
    return rows.select(
        pl.col("index").cast(pl.UInt32),
        severity=pl.lit(severity),
        rule=pl.lit(rule),
        message=message,
        verdict=pl.lit(verdict, dtype=pl.String),
    )


def shown(amount: pl.Expr) -> pl.Expr:
    """An amount for a message, to four decimals."""
    return amount.round(4).cast(pl.String)
