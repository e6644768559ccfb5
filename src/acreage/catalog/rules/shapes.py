"""Doubts about which accelerators a machine carries and how many."""

import polars as pl

from acreage.catalog.rules.rule import Context, alive, doubts
from acreage.catalog.table import REJECTED, sentence

_DOMAIN_MIN = 4
_CHIPS_MAX = 1_000_000


def wrong_count(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The stated number of accelerators is not the machine's, as its type or its name says."""
    rows = alive(offers).filter(pl.col("accelerators").is_not_null())
    known = pl.coalesce("shape_accelerators", "name_accelerators")
    rows = rows.filter(known.is_not_null() & (pl.col("accelerators") != known))
    message = sentence(
        "{} accelerators are stated where {} has {}",
        pl.col("accelerators").cast(pl.String).str.strip_suffix(".0"),
        "instance_type",
        known,
    )
    return doubts(rows, rule="wrong_count", severity="error", message=message, verdict=REJECTED)


def no_count(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """How many accelerators the price is for is stated nowhere, or is no number of chips."""
    stated = pl.col("accelerators_per_unit")
    whole = pl.col("accelerators").is_null() | (pl.col("accelerators") == pl.col("accelerators").round(0))
    rows = alive(offers).filter(stated.is_null() | ~whole | (stated < 1) | (stated > _CHIPS_MAX))
    message = sentence(
        "how many accelerators {} has is not known (stated: {})",
        "instance_type",
        pl.col("accelerators").cast(pl.String).fill_null("nothing"),
    )
    return doubts(rows, rule="unknown_count", severity="error", message=message, verdict=REJECTED)


def odd_count(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """More accelerators than one scale-up domain but no whole number of them: 12 where boards hold 8."""
    domain, count = pl.col("domain"), pl.col("accelerators_per_unit")
    rows = alive(offers).filter(
        pl.col("shape_accelerators").is_null()
        & (pl.col("price_basis") == "node_hour")
        & (domain >= _DOMAIN_MIN)
        & (count > domain)
        & (count % domain != 0)
    )
    message = sentence("{} accelerators do not make up boards of {} {}", count, domain, "accelerator")
    return doubts(rows, rule="wrong_count", severity="error", message=message, verdict=REJECTED)


def differing_counts(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """One machine type with two numbers of accelerators: at least one of them is wrong."""
    rows = alive(offers).filter(
        (pl.col("instance_type") != "")
        & (pl.col("price_basis") == "node_hour")
        & pl.col("shape_accelerators").is_null()
        & pl.col("name_accelerators").is_null()
    )
    key = ["provider", "instance_type", "accelerator"]
    lowest, highest = (
        pl.col("accelerators_per_unit").min().over(key),
        pl.col("accelerators_per_unit").max().over(key),
    )
    rows = rows.with_columns(lowest=lowest, highest=highest).filter(pl.col("lowest") != pl.col("highest"))
    message = sentence("{} is listed with {} and with {} accelerators", "instance_type", "lowest", "highest")
    return doubts(rows, rule="differing_counts", severity="warning", message=message)


def other_accelerator(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """The feed names another chip than the machine carries; the machine's is taken."""
    rows = alive(offers).filter(
        pl.col("stated_accelerator").is_not_null() & (pl.col("stated_accelerator") != pl.col("accelerator"))
    )
    message = sentence("the feed says {}, {} carries {}", "accelerator_text", "instance_type", "accelerator")
    return doubts(rows, rule="other_accelerator", severity="note", message=message)
