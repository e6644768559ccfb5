"""Doubts about one price by itself: its currency, its sign, placeholders and distance from other prices."""

import polars as pl

from acreage.catalog.rules.rule import Context, alive, doubts, shown
from acreage.catalog.table import OUT_OF_SCOPE, REJECTED, sentence
from acreage.domain.price import PriceKind

_HIGH_ERROR = 12.0
_LOW_ERROR = 50.0
_RATIO_WARNING = 3.0
_RATIO_WARNING_LONE = 8.0
"""For chips sold one by one in hosts of very different size, such as an L4 in 4 or in 64 vCPUs."""
_SPREADS_WARNING = 3.5
"""Robust z-score above which a value is called an outlier (Iglewicz and Hoaglin, 1993)."""
SPREAD_MIN = 0.25
"""Least spread of log prices (a factor of 1.28), so that a chip sold at one price has no false outliers."""


SPREAD_MAX = 0.45
"""Largest spread of log prices: the few providers of one chip differ so much that all would pass."""


def foreign_currency(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """A price in another currency is kept as printed and never taken for dollars."""
    foreign = offers.filter(pl.col("currency") != "USD")
    message = sentence("{} {} is not in US dollars and no rate is assumed", "price_text", "currency")
    rows, others = alive(foreign), foreign.filter(pl.col("status") == OUT_OF_SCOPE)
    return pl.concat(
        [
            doubts(rows, rule="foreign_currency", severity="error", message=message, verdict=REJECTED),
            doubts(others, rule="foreign_currency", severity="note", message=message),
        ]
    )


def not_positive(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Zero is a placeholder (or a block that is billed upfront), a negative price a mistake."""
    rows = alive(offers).filter(pl.col("price") <= 0)
    block = pl.col("price_kind") == PriceKind.CAPACITY_BLOCK.value
    message = (
        pl.when(block)
        .then(pl.lit("0.00 per hour stands for a capacity block that is paid upfront"))
        .when(pl.col("price") < 0)
        .then(sentence("{} is below zero", "price_text"))
        .otherwise(sentence("{} is a placeholder, not a price", "price_text"))
    )
    found = doubts(rows, rule="zero_price", severity="error", message=message, verdict=REJECTED)
    names = pl.DataFrame(
        {
            "index": rows["index"].cast(pl.UInt32),
            "name": rows.select(
                pl.when(block)
                .then(pl.lit("capacity_block_zero"))
                .when(pl.col("price") < 0)
                .then(pl.lit("negative_price"))
                .otherwise(pl.lit("zero_price"))
            ).to_series(),
        }
    )
    return found.join(names, on="index").with_columns(rule="name").drop("name")


def too_large(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Beyond a million dollars a chip-hour nothing is a price, and integers would overflow."""
    rows = alive(offers).filter(pl.col("price") / pl.col("accelerators_per_unit") > 1e6)
    message = sentence("{} per hour is out of all range", "price_text")
    return doubts(rows, rule="placeholder", severity="error", message=message, verdict=REJECTED)


def outliers(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Far from the accelerator's other prices of the kind: an error when hopeless, else a warning.

    The centre is the median over providers, so that a cloud with many regions does not
    outvote the others; the spread is the median absolute deviation of log prices.
    """
    rows = alive(offers).filter(pl.col("price_kind") != PriceKind.CONTRACT.value)
    rows = rows.with_columns(each=pl.col("price") / pl.col("accelerators_per_unit"))
    rows = rows.join(context.reference, on=["accelerator", "price_kind"], how="inner")
    rows = rows.with_columns(ratio=pl.col("each") / pl.col("centre_usd"))
    hopeless = (pl.col("ratio") > _HIGH_ERROR) | (pl.col("ratio") < 1 / _LOW_ERROR)
    score = pl.col("ratio").log().abs() / pl.col("spread_log").clip(SPREAD_MIN, SPREAD_MAX)
    least = pl.when(pl.col("domain") > 1).then(_RATIO_WARNING).otherwise(_RATIO_WARNING_LONE)
    far = (score > _SPREADS_WARNING) & (pl.col("ratio").log().abs() > least.log())
    message = sentence(
        "{} USD per accelerator-hour is {} times the middle price of {}, {}",
        shown(pl.col("each")),
        pl.col("ratio").round_sig_figs(3).cast(pl.String),
        "accelerator",
        shown(pl.col("centre_usd")),
    )
    errors = doubts(rows.filter(hopeless), rule="placeholder", severity="error", message=message, verdict=REJECTED)
    warnings = doubts(rows.filter(far & ~hopeless), rule="outlier", severity="warning", message=message)
    return pl.concat([errors, warnings])


def flat_price(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """One price for chips of different kinds: a floor or a placeholder rather than what one would pay."""
    rows = alive(offers).filter(pl.col("price_kind") != PriceKind.CONTRACT.value)
    key = ["file", "provider", "price_kind"]
    rows = rows.with_columns(each=(pl.col("price") / pl.col("accelerators_per_unit")).round(6))
    one = pl.col("each").n_unique().over(key) == 1
    several = pl.col("accelerator").n_unique().over(key) > 1
    message = sentence("every accelerator of {} is listed at {} an hour", "provider", shown(pl.col("each")))
    return doubts(rows.filter(one & several), rule="flat_price", severity="warning", message=message)


def reference_of(offers: pl.DataFrame) -> pl.DataFrame:
    """The middle price and spread of each accelerator and kind over providers, for `outliers`."""
    rows = alive(offers).filter((pl.col("price") > 0) & (pl.col("currency") == "USD"))
    each = (pl.col("price") / pl.col("accelerators_per_unit")).log()
    by_provider = rows.group_by("accelerator", "price_kind", "provider").agg(middle=each.median())
    middle = pl.col("middle")
    return by_provider.group_by("accelerator", "price_kind").agg(
        centre_usd=middle.median().exp(),
        spread_log=1.4826 * (middle - middle.median()).abs().median(),
    )
