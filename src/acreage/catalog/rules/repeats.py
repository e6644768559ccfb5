"""Doubts where one thing is priced more than once: older prices, duplicates, contradictions, odd sizes."""

import polars as pl

from acreage.catalog.rules.rule import Context, alive, doubts, shown
from acreage.catalog.table import OUT_OF_SCOPE, REJECTED, YEAR, sentence
from acreage.domain.price import PriceKind

KEY = ["provider", "region", "zone", "instance_type", "accelerator", "price_kind", "terms", "price_basis"]
_SAME = 1e-9
_SIZE_RATIO = 2.5


def older(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Of several prices of one thing the newest counts; a full date beats a year, a year beats none."""
    rows = alive(offers).filter(pl.col("price_kind") != PriceKind.CONTRACT.value)
    # A year alone says least about its day, so it counts as the first of that year.
    newest = pl.col("as_of").max().over(KEY)
    rows = rows.with_columns(newest=newest).filter(pl.col("newest").is_not_null())
    rows = rows.filter(pl.col("as_of").is_null() | (pl.col("as_of") < pl.col("newest")))
    message = sentence("a newer price of {} stands in the book", pl.col("newest").cast(pl.String))
    return doubts(rows, rule="superseded", severity="note", message=message, verdict=OUT_OF_SCOPE)


def duplicates(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The same price of the same thing again: the first row counts."""
    rows = alive(offers)
    repeated = [*KEY, "price", "as_of", "valid_until"]
    first = pl.col("index").min().over(repeated)
    rows = rows.with_columns(first=first, first_row=pl.col("row").sort_by("index").first().over(repeated))
    rows = rows.filter(pl.col("index") > pl.col("first"))
    message = sentence("the same price as in row {}", "first_row")
    return doubts(rows, rule="duplicate", severity="note", message=message, verdict=OUT_OF_SCOPE)


def contradictions(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Two prices of one thing on one day: the dearer is kept, since planning on the cheaper may fail."""
    rows = alive(offers).filter(pl.col("price_kind") != PriceKind.CONTRACT.value)
    rows = rows.with_columns(dearest=pl.col("price").max().over(KEY), cheapest=pl.col("price").min().over(KEY))
    rows = rows.filter(pl.col("cheapest") < pl.col("dearest") * (1 - _SAME))
    kept = pl.col("price") == pl.col("dearest")
    message = sentence(
        "listed at {} and at {}: the dearer is kept", shown(pl.col("cheapest")), shown(pl.col("dearest"))
    )
    return pl.concat(
        [
            doubts(rows.filter(~kept), rule="contradictory", severity="error", message=message, verdict=REJECTED),
            doubts(rows.filter(kept), rule="contradictory", severity="warning", message=message),
        ]
    )


def sizes(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Per accelerator, a machine of another size costs several times less or more in the same place."""
    rows = alive(offers).filter((pl.col("price_basis") == "node_hour") & (pl.col("domain") > 1))
    key = ["file", "provider", "region", "zone", "accelerator", "price_kind", "terms"]
    rows = rows.with_columns(each=pl.col("price") / pl.col("accelerators_per_unit"))
    rows = rows.with_columns(
        middle=pl.col("each").median().over(key),
        several=pl.col("accelerators_per_unit").n_unique().over(key) > 1,
    )
    ratio = pl.col("each") / pl.col("middle")
    rows = rows.filter(pl.col("several") & ((ratio > _SIZE_RATIO) | (ratio < 1 / _SIZE_RATIO)))
    message = sentence(
        "{} USD per accelerator-hour where its other sizes cost {}",
        shown(pl.col("each")),
        shown(pl.col("middle")),
    )
    return doubts(rows, rule="size_does_not_scale", severity="warning", message=message)


def dated_by_year(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """A price of which only the year is known."""
    rows = alive(offers).filter(pl.col("as_of_precision") == YEAR)
    message = sentence("only the year is known: {}", pl.col("as_of").dt.year())
    return doubts(rows, rule="year_only", severity="note", message=message)
