"""Writes FOCUS: Cost and Usage in the columns of a version, and files that others can read.

What FOCUS wants and the rows lack is filled only where the specification itself says with what; anything
else missing is an error that names row and column, for a made-up cost is worse than none. No text cell goes
out that a spreadsheet would run.
"""

import gzip
import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import IO, cast

import polars as pl

from acreage.ledger.focus.cells import decimal_of, instant_text, is_formula, number_text
from acreage.ledger.focus.columns import PLACES, Column, columns_of
from acreage.ledger.focus.commitments import contract_commitments
from acreage.ledger.focus.computed import ComputedCharge, charge_rows
from acreage.ledger.focus.source import ROW
from acreage.units.errors import InputError, Place

__all__ = ["ComputedCharge", "charge_rows", "contract_commitments", "cost_and_usage", "write_focus"]

_ROWS = "FOCUS rows"
_UNIT_PRICES = {"ContractedCost": "ContractedUnitPrice", "ListCost": "ListUnitPrice"}
_UNRELATED = ("Credit", "Adjustment")


def cost_and_usage(rows: pl.DataFrame, version: str) -> pl.DataFrame:
    """Exactly the columns of FOCUS "1.0", "1.1" or "1.2", in the specification's order.

    `rows` come from `read_focus` or `charge_rows`; columns they lack are null. An empty ContractedCost or
    ListCost becomes unit price times quantity, or the billed cost where there is no unit price; an empty
    EffectiveCost of a credit or adjustment the billed cost. Raises `InputError` with row and column for
    anything else FOCUS wants in every row and that a row lacks, and for an unknown version.
    """
    columns = columns_of(version)
    everything = columns_of()
    lacking = [pl.lit(None, c.dtype).alias(c.id) for c in everything if c.id not in rows.columns]
    lines = rows[ROW] if ROW in rows.columns else pl.Series(range(2, len(rows) + 2), dtype=pl.Int64)
    frame = rows.with_columns(lacking).select(pl.col(c.id).cast(c.dtype) for c in everything)
    for name in ("ContractedCost", "ListCost", "EffectiveCost"):
        frame = _filled(frame, name)
    _check_nulls(frame, columns, lines)
    return frame.select(column.id for column in columns)


def _filled(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The frame with a cost filled in where the specification says what it is."""
    empty = frame[name].is_null()
    if not empty.any():
        return frame
    costs = [_cost(row, name) for row in frame.filter(empty).iter_rows(named=True)]
    filled = frame[name].scatter(empty.arg_true(), pl.Series(costs, dtype=frame[name].dtype))
    return frame.with_columns(filled.alias(name))


def _cost(row: Mapping[str, object], name: str) -> object:
    if name == "EffectiveCost":
        return row["BilledCost"] if row["ChargeCategory"] in _UNRELATED else None
    price, quantity = row[_UNIT_PRICES[name]], row["PricingQuantity"]
    if isinstance(price, Decimal) and isinstance(quantity, Decimal):
        return decimal_of(Fraction(price) * Fraction(quantity), PLACES)
    # A tax follows the charges it is on, which one row does not know.
    return row["BilledCost"] if price is None and row["ChargeCategory"] != "Tax" else None


def _check_nulls(frame: pl.DataFrame, columns: Sequence[Column], lines: pl.Series) -> None:
    """Refuse nulls where FOCUS has none; a column that may be left out is empty in all rows or in none."""
    strict = [c for c in columns if not c.nullable and (c.mandatory or frame[c.id].null_count() < len(frame))]
    faults = frame.select(pl.col(column.id).is_null() for column in strict)
    faulty = faults.select(pl.any_horizontal(pl.all())).to_series() if strict else pl.Series([], dtype=pl.Boolean)
    if not faulty.any():
        return
    index = int(faulty.arg_true()[0])
    name = next(name for name, fault in faults.row(index, named=True).items() if fault)
    place = Place(file=_ROWS, line=int(lines[index]), field=name)
    raise InputError("it is empty", fix="FOCUS allows no null here", place=place)


def write_focus(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as .csv, .csv.gz or .parquet; the file appears complete or not at all.

    CSV has dates as 2024-09-01T00:00:00Z, numbers plain and exact with at least one decimal place, and
    nothing for null. `Row` is left out. Raises `InputError` for another suffix, for a text cell that a
    spreadsheet would run as a formula, and where the file cannot be written.
    """
    place = Place(file=str(path))
    if not path.name.endswith((".csv", ".csv.gz", ".parquet")):
        raise InputError(f"cannot write {path.suffix or 'a file without suffix'}", fix="name it .csv", place=place)
    frame = frame.drop(ROW, strict=False)
    _check_formulas(frame, path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _write(frame, part, path.name)
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=place) from None
    finally:
        part.unlink(missing_ok=True)


def _write(frame: pl.DataFrame, path: Path, name: str) -> None:
    if name.endswith(".parquet"):
        frame.write_parquet(path)
    elif name.endswith(".gz"):
        with gzip.open(path, "wb") as file:
            _plain(frame).write_csv(cast(IO[bytes], file))
    else:
        _plain(frame).write_csv(path)


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Every cell as the text it has in CSV."""
    texts: list[pl.Expr] = []
    for name, dtype in frame.schema.items():
        if isinstance(dtype, pl.Decimal):
            texts.append(number_text(name))
        elif isinstance(dtype, pl.Datetime):
            texts.append(instant_text(name))
    return frame.with_columns(texts)


def _check_formulas(frame: pl.DataFrame, path: Path) -> None:
    names = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    faults = frame.select(is_formula(name).alias(name) for name in names)
    faulty = faults.select(pl.any_horizontal(pl.all())).to_series() if names else pl.Series([], dtype=pl.Boolean)
    if not faulty.any():
        return
    index = int(faulty.arg_true()[0])
    name = next(name for name, fault in faults.row(index, named=True).items() if fault)
    cell = frame[name][index]
    place = Place(file=str(path), line=index + 2, field=name)
    raise InputError(f"{cell!r} is a formula", fix="a spreadsheet would run it: write it as plain text", place=place)


def with_old_names(frame: pl.DataFrame) -> pl.DataFrame:
    """A FOCUS 1.0 frame with five columns more, under names of FOCUS 0.5, at its end.

    Version 1.0.0 of the public focus-validator asks for them in files of version 1.0 too, although that
    version renamed them: with them its verdict is pass with no rule switched off.
    """
    return frame.with_columns(pl.col(new).alias(old) for old, new in _OLD_NAMES.items())


_OLD_NAMES = {
    "ChargeType": "ChargeCategory",
    "InvoiceIssuer": "InvoiceIssuerName",
    "Provider": "ProviderName",
    "Publisher": "PublisherName",
    "ResourceID": "ResourceId",
}
