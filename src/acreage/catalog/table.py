"""The columns of the price book: quotes as feeds read them, offers as the book judges them.

One row is one price cell of one record of a feed. Prices are per unit of `price_basis`
(an instance for node_hour, one chip for accelerator_hour).
"""

import polars as pl

QUOTES: pl.Schema = pl.Schema(
    {
        "feed": pl.String,  # which reader
        "file": pl.String,  # the file or address read
        "row": pl.String,  # line number or key within it
        "provider": pl.String,
        "region": pl.String,  # "global" where one price list holds everywhere
        "zone": pl.String,
        "instance_type": pl.String,
        "accelerator_text": pl.String,  # as the feed prints it; empty: none
        "accelerators": pl.Float64,  # chips per unit; null: not stated
        "price_basis": pl.String,  # node_hour or accelerator_hour
        "price_kind": pl.String,
        "terms": pl.String,  # purchase option where one kind has several
        "price": pl.Float64,  # in `currency` per unit-hour; null: none
        "price_text": pl.String,  # as printed
        "currency": pl.String,
        "as_of": pl.Date,
        "as_of_precision": pl.String,  # day, year or unknown
        "valid_until": pl.Date,
        "source": pl.String,
        "status": pl.String,  # price, unknown, rejected, out_of_scope
        "rule": pl.String,  # why it is not a price
        "reason": pl.String,
    }
)

_JUDGED: dict[str, type[pl.DataType]] = {
    "accelerator": pl.String,  # canonical name; null: none of ours
    "accelerators_per_unit": pl.Int64,
    "price_micro_usd_per_unit_hour": pl.Int64,
    "usd_per_accelerator_hour": pl.Float64,  # for sorting and ratios; null unless a price
    "age_days": pl.Int64,
    "covered_by_contract": pl.Boolean,
}

OFFERS = pl.Schema([*QUOTES.items(), *_JUDGED.items()])

DOUBTS = pl.Schema(
    {
        "severity": pl.String,
        "rule": pl.String,
        "source": pl.String,
        "row": pl.String,
        "subject": pl.String,
        "message": pl.String,
    }
)

PRICE, UNKNOWN, REJECTED, OUT_OF_SCOPE = "price", "unknown", "rejected", "out_of_scope"
STATUSES = (PRICE, UNKNOWN, REJECTED, OUT_OF_SCOPE)
DAY, YEAR, UNDATED = "day", "year", "unknown"

MICRO = 1_000_000

DEFAULTS: dict[str, object] = {
    "region": "global",
    "zone": "",
    "instance_type": "",
    "accelerator_text": "",
    "accelerators": None,
    "price_basis": "node_hour",
    "price_kind": "on_demand",
    "terms": "",
    "price": None,
    "price_text": "",
    "currency": "USD",
    "as_of": None,
    "as_of_precision": UNDATED,
    "valid_until": None,
    "source": "",
    "status": PRICE,
    "rule": "",
    "reason": "",
}


def with_micro_usd(offers: pl.DataFrame) -> pl.DataFrame:
    """Set the integer price of rows that are prices, and null for all others.

    A price printed with up to six decimals below 10**9 USD is exact; a seventh rounds.
    """
    is_price = pl.col("status") == PRICE
    return offers.with_columns(
        pl.when(is_price)
        .then((pl.col("price") * MICRO).round(0).cast(pl.Int64, strict=False))
        .alias("price_micro_usd_per_unit_hour"),
        pl.when(is_price).then(pl.col("price") / pl.col("accelerators_per_unit")).alias("usd_per_accelerator_hour"),
    )


def sentence(template: str, *parts: str | pl.Expr) -> pl.Expr:
    """Text with each {} replaced by a column (named or computed); nulls are left out.

    `pl.format` does the same but panics on some filtered columns in polars 2.1.
    """
    texts = template.split("{}")
    assert len(texts) == len(parts) + 1, template
    pieces = [pl.lit(texts[0])]
    for part, text in zip(parts, texts[1:], strict=True):
        value = pl.col(part) if isinstance(part, str) else part
        pieces += [value.cast(pl.String), pl.lit(text)]
    return pl.concat_str(pieces, ignore_nulls=True)
