"""Reads a provider's bill: a FOCUS 1.0, 1.1 or 1.2 Cost and Usage file, checked and exact.

A bill is somebody else's file about one's own money, so nothing is guessed: what cannot be read exactly is
one `InputError` with line and column. The checks run over all rows at once while the file streams by; only
when one of them finds something is the file read again for its first wrong row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Never

import polars as pl

from acreage.ledger.focus.cells import DIGITS, decimal, instant, is_formula, number_fault
from acreage.ledger.focus.columns import PLACES, Column, Kind, allowed_values, columns_of
from acreage.ledger.focus.source import ROW, Source, open_source
from acreage.units.errors import InputError, Place

_FAULTY = "\0faulty"
_NULL_IN_PRACTICE = frozenset(("ContractedCost",))
"""Mandatory, but left empty by a large provider where it has no contracted price; stays null."""

_PERIODS = (("BillingPeriodStart", "BillingPeriodEnd"), ("ChargePeriodStart", "ChargePeriodEnd"))
_CLOSED = "ChargeCategory"
"""The one column whose value decides how a charge counts, so that an unknown one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """`fault` is true in the rows where `field` is wrong; `what` and `fix` say so, {value} is the cell."""

    field: str
    fault: pl.Expr
    what: str
    fix: str = ""


def read_focus(path: Path) -> pl.DataFrame:
    """The charges of a Cost and Usage file, one row each, in file order.

    Columns: all of FOCUS 1.2 by their ids in the specification's order (those the file lacks are null), then
    `Row` (Int64, the line in the file as a spreadsheet shows it; Parquet counts alike), then whatever else
    the file has, as String. Text is String (Tags: JSON text), dates are Datetime("us", "UTC"), costs and
    prices and quantities Decimal(38, 18). Values of closed sets get the
    specification's spelling. Raises `InputError` with file, line and column for the first thing wrong.
    """
    source = open_source(path)
    columns = columns_of()
    _require(source, columns)
    present = [column for column in columns if column.id in source.header]
    checks = list(_checks(source, present))
    frame = _read(source, present, checks)
    if frame[_FAULTY].any():
        _refuse(source, present, checks, frame.filter(_FAULTY)[ROW].min())
    lacking = [pl.lit(None, column.dtype).alias(column.id) for column in columns if column not in present]
    ids = [column.id for column in columns]
    extras = [name for name in source.header if name not in ids]
    return _respelled(frame).with_columns(lacking).select(*ids, ROW, *extras)


def rows_of_text(rows: Sequence[Mapping[str, str]]) -> pl.DataFrame:
    """Charges from the text of their cells, as `read_focus` would give them; the cells have been read before."""
    columns = columns_of()
    ids = [column.id for column in columns]
    extras = sorted({name for row in rows for name in row if name not in ids})
    table = {name: [row.get(name) for row in rows] for name in (*ids, *extras)}
    texts = pl.DataFrame(table, schema=dict.fromkeys(table, pl.String())).lazy()
    read = {c.id: pl.col(_value(c.id)).alias(c.id) for c in columns if c.kind is not Kind.TEXT}
    chosen = [read.get(name, pl.col(name)) for name in table]
    return (
        _parsed(texts, columns)
        .select(chosen)
        .with_row_index(ROW, offset=2)
        .select(*ids, pl.col(ROW).cast(pl.Int64), *extras)
        .collect()
    )


def _read(source: Source, present: Sequence[Column], checks: Sequence[_Check]) -> pl.DataFrame:
    """The columns that the file has, and whether anything in a row is wrong."""
    rows = _parsed(source.texts, present)
    rows = rows.with_columns(pl.any_horizontal(check.fault for check in checks).alias(_FAULTY))
    read = {c.id: pl.col(_value(c.id)).alias(c.id) for c in present if c.kind is not Kind.TEXT}
    return source.gather(rows.select(ROW, _FAULTY, *(read.get(name, pl.col(name)) for name in source.header)))


def _require(source: Source, columns: Sequence[Column]) -> None:
    missing = [c for c in columns if c.mandatory and c.id not in source.header]
    if missing:
        names = ", ".join(f"{c.id} (since FOCUS {c.introduced})" for c in missing)
        raise InputError(
            f"no column {names}",
            fix="give a FOCUS Cost and Usage file, version 1.0 to 1.2, with all mandatory columns",
            place=Place(file=str(source.path), line=1),
        )


def _value(name: str) -> str:
    """The column that holds what was read from the text of another."""
    return f"\0{name}"


def _parsed(texts: pl.LazyFrame, present: Sequence[Column]) -> pl.LazyFrame:
    read = [column for column in present if column.kind is not Kind.TEXT]
    return texts.with_columns(_parse(column).alias(_value(column.id)) for column in read)


def _parse(column: Column) -> pl.Expr:
    return instant(column.id) if column.kind is Kind.INSTANT else decimal(column.id, PLACES)


def _respelled(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the values of closed sets in the specification's spelling, whatever their case."""
    for name, values in allowed_values().items():
        right = {value.lower(): value for value in values}
        found = frame[name].unique().drop_nulls().to_list() if name in frame.columns else []
        wrong = {text: right[text.lower()] for text in found if right.get(text.lower(), text) != text}
        if wrong:
            frame = frame.with_columns(pl.col(name).replace(wrong))
    return frame


def _checks(source: Source, present: Sequence[Column]) -> Iterator[_Check]:
    for column in present:
        yield from _cell_checks(column)
    for start, end in _PERIODS:
        later = pl.col(_value(end)) > pl.col(_value(start))
        yield _Check(
            field=end,
            fault=~later.fill_null(True),
            what=f"{{value!r}} is not after {start}",
            fix="the end of a period is not included in it",
        )
    known = {column.id for column in present if column.kind is not Kind.TEXT}
    for name in (name for name in source.header if name not in known):
        yield _Check(field=name, fault=is_formula(name), what="{value!r} is a formula", fix="write it as plain text")


def _cell_checks(column: Column) -> Iterator[_Check]:
    text, value = pl.col(column.id), pl.col(_value(column.id))
    unread = text.is_not_null() & value.is_null()
    if column.mandatory and not column.nullable and column.id not in _NULL_IN_PRACTICE:
        yield _Check(field=column.id, fault=text.is_null(), what="it is empty", fix="FOCUS allows no null here")
    if column.kind is Kind.NUMBER:
        fix = f"write a plain number of at most {DIGITS - PLACES} digits before the point"
        yield _Check(field=column.id, fault=unread, what="{number}", fix=fix)
    if column.kind is Kind.INSTANT:
        fix = "write for example 2024-09-01T00:00:00Z"
        yield _Check(field=column.id, fault=unread, what="{value!r} is not a date with time", fix=fix)
    if column.id == _CLOSED:
        values = allowed_values()[_CLOSED]
        fault = ~text.str.to_lowercase().is_in([known.lower() for known in values])
        yield _Check(field=_CLOSED, fault=fault, what="{value!r} is unknown", fix=f"use one of {', '.join(values)}")


def _refuse(source: Source, present: Sequence[Column], checks: Sequence[_Check], row: object) -> Never:
    """Name what is wrong in one row, by the checks that found it."""
    texts = source.gather(source.texts.filter(pl.col(ROW) == row))
    flags = [check.fault.alias(f"\0check {i}") for i, check in enumerate(checks)]
    found = _parsed(texts.lazy(), present).select(flags).collect().row(0)
    check = next(check for check, fault in zip(checks, found, strict=True) if fault)
    cell = texts[check.field].item()
    place = Place(file=str(source.path), line=texts[ROW].item(), field=check.field)
    what = check.what.format(value=cell, number=number_fault(str(cell)))
    raise InputError(what, fix=check.fix, place=place)
