"""The file a bill comes in: CSV, CSV.gz or Parquet, as rows of text with their line numbers.

What a file is, its first bytes say and not its name. Everything becomes text first, so that the two formats
are read by the same rules; a float of a Parquet file becomes its shortest text.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import polars as pl

from acreage.ledger.focus.cells import are_formulas
from acreage.units.errors import InputError, Place

ROW = "Row"
"""The column that holds a row's line number as a spreadsheet shows it; the header is line 1."""

NULLS = ("", "NULL", "null")
"""How files spell a missing value."""

_HEADER_CHARACTERS_MAX = 1_000_000
_TAIL_BYTES = 1_000_000
_KEEP = "surrogateescape"
"""Bytes that are not UTF-8 are kept apart, so that the line they stand in is found."""

_FIRST_ROW = 2
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file and its rows: `texts` has `Row` (Int64) and the columns of `header`, all String.

    Rows in which every cell is empty are left out; the others keep their line numbers.
    """

    path: Path
    header: tuple[str, ...]
    texts: pl.LazyFrame
    csv: bool

    def gather(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Run a query over `texts`; raises `InputError` where the file turns out not to be readable."""
        try:
            return rows.collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError) as error:
            fault = _csv_fault(self.path, self.header) if self.csv else None
            if fault is not None:
                raise fault from None
            what = str(error).partition("\n")[0]
            raise InputError(f"cannot be read: {what}", place=Place(file=str(self.path))) from None


def open_source(path: Path) -> Source:
    """Open a file. Raises `InputError` where it cannot be read, is empty, or its header is not usable."""
    place = Place(file=str(path))
    try:
        with path.open("rb") as file:
            first = file.read(4)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=place) from None
    if not first:
        raise InputError("the file is empty", place=place)
    if first == _PARQUET:
        return _open_parquet(path)
    if path.suffix == ".parquet":
        raise InputError("not a Parquet file", fix="is it cut short, or CSV under another name?", place=place)
    return _open_csv(path)


def _open_csv(path: Path) -> Source:
    header = _header(path)
    _check_header(header, path)
    _check_end(header, path)
    rows = pl.scan_csv(path, schema=dict.fromkeys(header, pl.String()), null_values=list(NULLS))
    return Source(path=path, header=header, texts=_numbered(rows, header), csv=True)


def _numbered(rows: pl.LazyFrame, header: Sequence[str]) -> pl.LazyFrame:
    numbered = rows.with_row_index(ROW, offset=_FIRST_ROW).with_columns(pl.col(ROW).cast(pl.Int64))
    return numbered.filter(~pl.all_horizontal(pl.col(name).is_null() for name in header))


def _open_text(path: Path) -> TextIO:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", errors=_KEEP, newline="")
    return path.open(encoding="utf-8-sig", errors=_KEEP, newline="")


def _header(path: Path) -> tuple[str, ...]:
    """The names in the first line of a CSV file; raises `InputError` for what is not text."""
    place = Place(file=str(path), line=1)
    try:
        with _open_text(path) as file:
            start = file.read(_HEADER_CHARACTERS_MAX)
        names = next(csv.reader(io.StringIO(start, newline=""), strict=True), [])
    except (OSError, EOFError, zlib.error):
        raise InputError("cannot be unpacked", fix="is the file cut short?", place=place) from None
    except csv.Error:
        names, start = [], "\0"
    if "\0" in start or not _is_utf8(names):
        raise InputError("not a CSV file in UTF-8", fix="give CSV, CSV.gz or Parquet", place=place)
    return tuple(name.strip() for name in names)


def _is_utf8(fields: Sequence[str]) -> bool:
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_header(header: Sequence[str], path: Path) -> None:
    place = Place(file=str(path), line=1)
    if not any(header):
        raise InputError("there is no header", fix="the first line names the columns", place=place)
    if "" in header:
        raise InputError(f"column {header.index('') + 1} has no name", fix="name it or leave it out", place=place)
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise InputError(f"column {', '.join(repeated)} occurs twice", fix="keep one of them", place=place)
    if ROW in header:
        raise InputError(f"a column is named {ROW}", fix=f"rename it, for example to x_{ROW}", place=place)
    for name, formula in zip(header, are_formulas(list(header)), strict=True):
        if formula:
            raise InputError(f"column name {name!r} is a formula", fix="rename the column", place=place)


def _check_end(header: Sequence[str], path: Path) -> None:
    """Refuse a plain file whose last line was cut: a reader of CSV would take what is missing for null."""
    with path.open("rb") as file:
        if file.read(2) == _GZIP:
            return
        file.seek(max(file.seek(0, io.SEEK_END) - _TAIL_BYTES, 0))
        before, newline, last = file.read().rpartition(b"\n")
    # An odd number of quotes means the end of a cell with several lines.
    if not before or not newline or not last.strip() or last.count(b'"') % 2:
        return
    fields = next(csv.reader([last.decode("utf-8", _KEEP)]), [])
    if len(fields) < len(header):
        with _open_text(path) as text:
            line = max((line for line, _ in _records(text)), default=1)
        what = f"{len(fields)} fields where the header has {len(header)}"
        raise InputError(what, fix="is the file cut short?", place=Place(file=str(path), line=line))


def _csv_fault(path: Path, header: Sequence[str]) -> InputError | None:
    """The first record that is not CSV, found by reading one after the other."""
    line = 0
    what = fix = ""
    try:
        with _open_text(path) as file:
            for line, fields in _records(file):
                if len(fields) > len(header):
                    what, fix = f"{len(fields)} fields where the header has {len(header)}", "is a comma not quoted?"
                elif not _is_utf8(fields):
                    what, fix = "not UTF-8 text", "save the file as UTF-8"
                if what:
                    return InputError(what, fix=fix, place=Place(file=str(path), line=line))
    except csv.Error as error:
        what, fix = f"not valid CSV: {error}", "is a quote missing?"
    except (OSError, EOFError, zlib.error):
        what, fix = "cannot be unpacked", "is the file cut short?"
    return InputError(what, fix=fix, place=Place(file=str(path), line=line + 1)) if what else None


def _records(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    return enumerate(csv.reader(file, strict=True), start=1)


def _open_parquet(path: Path) -> Source:
    rows = pl.scan_parquet(path)
    try:
        schema = rows.collect_schema()
    except (pl.exceptions.PolarsError, OSError):
        raise InputError("not a Parquet file", fix="is it cut short?", place=Place(file=str(path))) from None
    _check_header(schema.names(), path)
    texts = rows.select(_text_of(name, dtype, path) for name, dtype in schema.items())
    header = tuple(schema.names())
    return Source(path=path, header=header, texts=_numbered(texts, header), csv=False)


def _text_of(name: str, dtype: pl.DataType, path: Path) -> pl.Expr:
    """A Parquet column as text, nulls however they are spelled."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        zoned = column.dt.replace_time_zone("UTC") if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        return zoned.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    if isinstance(dtype, pl.Struct):
        return pl.when(column.is_not_null()).then(column.struct.json_encode()).alias(name)
    if isinstance(dtype, pl.List) and _is_map(dtype):
        return column.map_elements(_json_of_pairs, return_dtype=pl.String)
    if dtype.is_nested() or dtype == pl.Binary:
        place = Place(file=str(path), line=1, field=name)
        raise InputError(f"a column of type {dtype} cannot be read", fix="save it as text", place=place)
    text = column.cast(pl.String)
    return pl.when(~text.is_in(NULLS)).then(text).alias(name)


def _is_map(dtype: pl.List) -> bool:
    inner = dtype.inner
    return isinstance(inner, pl.Struct) and {field.name for field in inner.fields} == {"key", "value"}


def _json_of_pairs(pairs: Sequence[Mapping[str, object]]) -> str:
    return json.dumps({str(pair["key"]): pair["value"] for pair in pairs}, ensure_ascii=False)
