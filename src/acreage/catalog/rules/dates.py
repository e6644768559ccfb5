"""Doubts about when a price was true: stale, undated, of the future, outside its contract."""

import polars as pl

from acreage.catalog.rules.rule import Context, alive, doubts
from acreage.catalog.table import OUT_OF_SCOPE, UNDATED, sentence
from acreage.domain.price import PriceKind

_CONTRACT = PriceKind.CONTRACT.value


def not_in_force(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """A contract's price outside its dates, or any price that begins after today."""
    rows = alive(offers)
    ended = pl.col("valid_until") <= context.today
    future = pl.col("as_of") > context.today
    message = (
        pl.when(ended)
        .then(sentence("the price ended on {}", pl.col("valid_until").cast(pl.String)))
        .otherwise(sentence("the price begins on {}", pl.col("as_of").cast(pl.String)))
    )
    return doubts(
        rows.filter(ended | future),
        rule="not_in_force",
        severity="warning",
        message=message,
        verdict=OUT_OF_SCOPE,
    )


def stale(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Older than the days allowed; a year alone is as old as its first day."""
    rows = alive(offers).filter((pl.col("price_kind") != _CONTRACT) & (pl.col("age_days") > context.stale_after_days))
    message = sentence("{} days old, more than {}", "age_days", pl.lit(context.stale_after_days))
    return doubts(rows, rule="stale", severity="warning", message=message)


def undated(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The feed says nothing about the day."""
    rows = alive(offers).filter(pl.col("as_of_precision") == UNDATED)
    return doubts(rows, rule="undated", severity="note", message=pl.lit("the feed carries no date"))
