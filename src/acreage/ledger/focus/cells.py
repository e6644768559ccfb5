"""How one cell is spelled: numbers, dates, and text that a spreadsheet would run.

Numbers go from text to `Decimal` and never through a float. The usual spellings are read a column at a
time; only the cells spelled in another way are looked at one by one.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import partial

import polars as pl

from acreage.ledger.focus.columns import INSTANT

DIGITS = 38
"""Digits of a Decimal column, before and after the point together."""

_FORMULA = (
    r"(?s)^\s*(?:[=\x{FF1D}].|[@+\-\x{FF20}\x{FF0B}\x{FF0D}].*"
    r"(?:\w\(|\|.*!|(?i:hyperlink|webservice|import\w*|image|dde|call|exec|register)\s*\())"
)
"""`=` and anything; a sign or `@` only before a call, `NAME(`, or before DDE's `|...!`."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?", re.ASCII)
_YEAR_MIN = 1970


def is_formula(column: str) -> pl.Expr:
    """Whether a text cell is one that a spreadsheet would run when the file is opened; false for null."""
    return pl.col(column).str.contains(_FORMULA).fill_null(False)


def are_formulas(texts: list[str]) -> list[bool]:
    """`is_formula` for plain texts."""
    return pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(is_formula("text")).to_series().to_list()


def decimal(column: str, places: int) -> pl.Expr:
    """Decimal(38, `places`) numbers of a text column, rounded half to even at the last place.

    Null for null, for what is no number and for what has too many digits before the point.
    """
    text = pl.col(column)
    dtype = pl.Decimal(DIGITS, places)
    rounded = text.str.contains(rf"[eE]|\.\d{{{places}}}0*[1-9]")
    usual = pl.when(~rounded).then(text.cast(dtype, strict=False))
    return _completed(text, usual, partial(_exact, places=places), dtype)


def _exact(text: str, *, places: int) -> Decimal | None:
    if _NUMBER.fullmatch(text) is None:
        return None
    scaled = round(Fraction(Decimal(text)) * 10**places)
    return Decimal(f"{scaled}E-{places}") if abs(scaled) < 10**DIGITS else None


def number_fault(text: str) -> str:
    """What is wrong with a text that `decimal` did not accept."""
    try:
        finite = _NUMBER.fullmatch(text) is not None and Decimal(text).is_finite()
    except InvalidOperation:
        finite = False
    return f"{text} has more digits than can be kept" if finite else f"{text!r} is not a number"


def instant(column: str) -> pl.Expr:
    """UTC date-times of ISO texts with Z, an offset or no zone (UTC); null for null and for what is none."""
    text = pl.col(column)
    bare = text.str.replace(" ", "T", literal=True).str.strip_suffix("Z")
    value = bare.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    usual = pl.when(value.dt.year() >= _YEAR_MIN).then(value.dt.replace_time_zone("UTC"))
    return _completed(text, usual, _instant, INSTANT)


def _instant(text: str) -> datetime | None:
    if _DATE.fullmatch(text) is None:
        return None
    try:
        value = datetime.fromisoformat(text.removesuffix(" UTC"))
        if value.year < _YEAR_MIN:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _completed(text: pl.Expr, usual: pl.Expr, parse: Callable[[str], object], dtype: pl.DataType) -> pl.Expr:
    """What is spelled as usual, and of all other cells what `parse` makes of them."""
    left = pl.when(usual.is_null()).then(text)
    read = partial(_one_by_one, parse=parse, dtype=dtype)
    return pl.coalesce(usual, left.map_batches(read, return_dtype=dtype, is_elementwise=True))


def _one_by_one(texts: pl.Series, *, parse: Callable[[str], object], dtype: pl.DataType) -> pl.Series:
    """`parse` of every text, called once for each distinct one."""
    if texts.null_count() == len(texts):
        return pl.Series(texts.name, [None], dtype=dtype).new_from_index(0, len(texts))
    distinct = texts.drop_nulls().unique()
    parsed = pl.Series([parse(text) for text in distinct.to_list()], dtype=dtype)
    return texts.replace_strict(distinct, parsed, default=None, return_dtype=dtype)


def decimal_of(amount: Fraction, places: int) -> Decimal:
    """The amount at `places` decimal places, half to even; exact where it has no more."""
    return Decimal(f"{round(amount * 10**places)}E-{places}")


def number_text(column: str) -> pl.Expr:
    """A Decimal column as plain text without exponent: '0.0000001', '5.0'."""
    return pl.col(column).cast(pl.String).str.replace(r"(\.\d+?)0+$", "$1")


def instant_text(column: str) -> pl.Expr:
    """A date-time column as FOCUS writes it: '2024-09-01T00:00:00Z', a fraction only where there is one."""
    return pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
