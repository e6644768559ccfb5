"""What every feed supplies, and the way its rows become quotes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from acreage.catalog.feeds.document import Document
from acreage.catalog.table import DAY, DEFAULTS, QUOTES, REJECTED, UNDATED, UNKNOWN, YEAR, sentence
from acreage.units.errors import InputError, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One shape of price list.

    `recognises` says whether a document has this shape, from its header or outermost keys
    alone; `read` gives one quote per price cell of each record, none left out; it raises
    `InputError` where the document is malformed.
    """

    name: str
    summary: str
    recognises: Callable[[Document], bool]
    read: Callable[[Document], pl.DataFrame]


_MISSING = ("", "-", "--", "n/a", "na", "none", "null", "contact sales", "contact us", "tbd", "on request")
_NOT_FINITE = ("nan", "inf", "-inf", "+inf", "infinity", "-infinity")


def quotes_from_rows(rows: Sequence[Mapping[str, object]], *, feed: str, document: Document) -> pl.DataFrame:
    """Quotes from records given as mappings; see `quotes_from_frame`."""
    names = {name for row in rows for name in row}
    kinds = {name: pl.Date if QUOTES.get(name) == pl.Date else pl.String for name in names}
    columns = {
        name: pl.Series([_cell(row.get(name), kinds[name]) for row in rows], dtype=kinds[name]) for name in names
    }
    return quotes_from_frame(pl.DataFrame(columns), feed=feed, document=document)


def _cell(value: object, kind: type[pl.DataType]) -> object:
    return value if value is None or kind != pl.String else str(value)


def quotes_from_frame(frame: pl.DataFrame, *, feed: str, document: Document) -> pl.DataFrame:
    """Bring a frame to the schema of quotes: read the numbers and dates printed as text, fill what is absent.

    An absent price makes the row an unknown, one that cannot be read makes it rejected.
    Raises `InputError` at the line of a price that is NaN or infinite.
    """
    if frame.is_empty():
        return pl.DataFrame(schema=QUOTES)
    _refuse_not_finite(frame, document)
    absent = [pl.lit(value).alias(name) for name, value in DEFAULTS.items() if name not in frame.columns]
    frame = frame.with_columns(*absent, pl.lit(feed).alias("feed"), pl.lit(document.path).alias("file"))
    filled = [pl.col(name).fill_null(str(DEFAULTS[name] or "")) for name in ("region", "currency", "status", "rule")]
    frame = frame.with_columns(*filled, pl.col("price_text").cast(pl.String).fill_null("").str.strip_chars())
    frame = _with_dates(frame)
    plain = pl.col("price_text").str.replace_all(r"[$,\s]", "")
    missing = pl.col("price_text").str.to_lowercase().is_in(_MISSING)
    untouched = pl.col("status") == "price"
    price = pl.when(~missing).then(plain.cast(pl.Float64, strict=False))
    frame = frame.with_columns(
        price=price, accelerators=pl.col("accelerators").cast(pl.String).cast(pl.Float64, strict=False)
    )
    unread = untouched & ~missing & pl.col("price").is_null()
    frame = frame.with_columns(
        status=pl.when(untouched & missing)
        .then(pl.lit(UNKNOWN))
        .when(unread)
        .then(pl.lit(REJECTED))
        .otherwise("status"),
        rule=pl.when(untouched & missing)
        .then(pl.lit("missing_price"))
        .when(unread)
        .then(pl.lit("unreadable_price"))
        .otherwise("rule"),
        reason=pl.when(untouched & missing)
        .then(pl.lit("no price is given"))
        .when(unread)
        .then(sentence("the price {} is not a number", pl.col("price_text")))
        .otherwise("reason"),
    )
    return frame.select([pl.col(name).cast(kind) for name, kind in QUOTES.items()])


def _refuse_not_finite(frame: pl.DataFrame, document: Document) -> None:
    if "price_text" not in frame.columns:
        return
    bad = frame.filter(pl.col("price_text").cast(pl.String).str.strip_chars().str.to_lowercase().is_in(_NOT_FINITE))
    if bad.is_empty():
        return
    row, text = str(bad["row"][0]), bad["price_text"][0]
    line = int(row) if row.isdigit() else None
    place = Place(file=document.path, line=line, field="" if line else row)
    raise InputError(f"the price {text} is not a number", fix="leave an unknown price empty", place=place)


def _with_dates(frame: pl.DataFrame) -> pl.DataFrame:
    """Read `as_of_text`: a day, or a year alone, or anything else as undated."""
    if "as_of_text" not in frame.columns:
        return frame
    text = pl.col("as_of_text").fill_null("").str.strip_chars()
    day = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    year = pl.when(text.str.contains(r"^(19|20)\d\d$")).then(pl.concat_str(text, pl.lit("-01-01")))
    return frame.with_columns(
        as_of=pl.coalesce(day, year.str.to_date("%Y-%m-%d", strict=False)),
        as_of_precision=pl.when(day.is_not_null())
        .then(pl.lit(DAY))
        .when(year.is_not_null())
        .then(pl.lit(YEAR))
        .otherwise(pl.lit(UNDATED)),
    )
