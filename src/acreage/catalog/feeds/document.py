"""A file to be read: its text, its rows or its JSON, with errors that say which line is wrong."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Never

import polars as pl

from acreage.units.errors import InputError, Place

LINE = "line"
"""The column that holds a record's line number in a table read from CSV."""

_SIZE_MAX_BYTES = 2_000_000_000
_NOT_PROVIDERS = frozenset(("vms", "prices", "catalog", "offers", "accelerators", "images"))


@dataclass(frozen=True, kw_only=True)
class Document:
    """The text of one file; `provider` is the name given by the user, empty where none was."""

    path: str
    text: str
    given_provider: str = ""

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The column names of the first line, for recognising a CSV feed; empty for other files."""
        first = self.text[:100_000].partition("\n")[0]
        if not first.strip() or first.lstrip()[0] in "{[":
            return ()
        return tuple(name.strip() for name in next(csv.reader([first.rstrip("\r")]), []))

    @cached_property
    def json(self) -> Any:
        """The parsed JSON. Raises `InputError` with line and column where it is not JSON or holds a NaN."""
        try:
            return json.loads(self.text, parse_constant=self._reject_constant)
        except json.JSONDecodeError as error:
            place = Place(file=self.path, line=error.lineno, column=error.colno)
            raise InputError(f"not valid JSON: {error.msg}", fix="is the file cut short?", place=place) from None
        except RecursionError:
            raise InputError("JSON nested too deeply", place=Place(file=self.path)) from None

    def _reject_constant(self, constant: str) -> Never:
        line = self.text[: self.text.find(constant)].count("\n") + 1
        place = Place(file=self.path, line=line)
        raise InputError(f"{constant} is not a number", fix="leave out a price that is not known", place=place)

    @property
    def is_json(self) -> bool:
        """Whether the text looks like JSON."""
        return self.text.lstrip()[:1] in ("{", "[")

    @property
    def provider(self) -> str:
        """The provider a file is about: as given, else from its name ('nebius_v8.csv', 'aws/vms.csv')."""
        if self.given_provider:
            return self.given_provider
        path = Path(self.path)
        name = path.name.split(".")[0].lower()
        first = name.replace("-", "_").split("_")[0]
        return path.resolve().parent.name.lower() if first in _NOT_PROVIDERS else first

    def records(self, columns: Sequence[str]) -> pl.DataFrame:
        """All records of a CSV file as text columns plus `line`; missing optional columns are empty.

        Raises `InputError` where a column of `columns` is missing, a record has another
        number of fields than the header, or a column name occurs twice.
        """
        self.require(columns)
        plain = '"' not in self.text and "\r" not in self.text and "\n\n" not in self.text
        frame = self._records_plain() if plain else self._records_quoted()
        return frame.with_columns(pl.col(pl.String).fill_null("").str.strip_chars())

    def require(self, columns: Sequence[str]) -> None:
        """Raise `InputError` unless the header has these columns, each once."""
        missing = [name for name in columns if name not in self.header]
        repeated = sorted({name for name in self.header if self.header.count(name) > 1})
        place = Place(file=self.path, line=1)
        if missing:
            raise InputError(
                f"no column {', '.join(missing)}", fix=f"the header has {', '.join(self.header)}", place=place
            )
        if repeated:
            raise InputError(f"column {', '.join(repeated)} occurs twice", place=place)

    def _records_plain(self) -> pl.DataFrame:
        body = self.text.rstrip("\n").split("\n")[1:]
        if not body:
            return pl.DataFrame(schema=dict.fromkeys((*self.header, LINE), pl.String))
        fields = pl.Series(body).str.count_matches(",", literal=True) + 1
        ragged = (fields != len(self.header)).arg_true()
        if len(ragged):
            self._ragged(int(ragged[0]) + 2, int(fields[int(ragged[0])]))
        frame = pl.read_csv(
            io.BytesIO(self.text.encode()),
            infer_schema=False,
            new_columns=list(self.header),
            quote_char=None,
        )
        return frame.with_row_index(LINE, offset=2).with_columns(pl.col(LINE).cast(pl.String))

    def _records_quoted(self) -> pl.DataFrame:
        rows = list(self._rows_quoted())
        names = (*self.header, LINE)
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def _rows_quoted(self) -> Iterator[tuple[str, ...]]:
        reader = csv.reader(io.StringIO(self.text, newline=""), strict=True)
        try:
            next(reader)
            for row in reader:
                if not any(field.strip() for field in row):
                    continue
                if len(row) != len(self.header):
                    self._ragged(reader.line_num, len(row))
                yield (*row, str(reader.line_num))
        except csv.Error as error:
            place = Place(file=self.path, line=reader.line_num)
            raise InputError(f"not valid CSV: {error}", fix="is a quote missing?", place=place) from None

    def _ragged(self, line: int, fields: int) -> Never:
        raise InputError(
            f"{fields} fields where the header has {len(self.header)}",
            fix="is the file cut short, or a comma not quoted?",
            place=Place(file=self.path, line=line),
        )


def open_document(path: str, *, provider: str = "") -> Document:
    """Read a text file. Raises `InputError` where it cannot be read, is binary or is not UTF-8."""
    place = Place(file=path)
    try:
        if Path(path).stat().st_size > _SIZE_MAX_BYTES:
            raise InputError("larger than 2 GB", fix="give one region's file", place=place)
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=place) from None
    return Document(path=path, text=decode(content, path), given_provider=provider)


def decode(content: bytes, path: str) -> str:
    """UTF-8 text with or without a byte-order mark; raises `InputError` naming the line that is not text."""
    try:
        text = content.decode("utf-8-sig")
        bad = content.find(b"\x00")
    except UnicodeDecodeError as error:
        text, bad = "", error.start
    if bad >= 0:
        place = Place(file=path, line=content[:bad].count(b"\n") + 1)
        raise InputError("not a text file", fix="give CSV, JSON or a book saved as Parquet", place=place)
    if not text.strip():
        raise InputError("the file is empty", place=Place(file=path, line=1))
    return text


def mapping(value: object, document: Document, field: str) -> Mapping[str, Any]:
    """The value as a JSON object; raises `InputError` naming the field otherwise."""
    if not isinstance(value, dict):
        raise InputError("an object was expected", place=Place(file=document.path, field=field))
    return value


def sequence(value: object, document: Document, field: str) -> Sequence[Any]:
    """The value as a JSON array; raises `InputError` naming the field otherwise."""
    if not isinstance(value, list):
        raise InputError("an array was expected", place=Place(file=document.path, field=field))
    return value
