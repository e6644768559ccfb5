"""Answers in rows: CSV and workbooks, one offer a row, turned into the document that the schema describes.

Workbooks come from strangers: they are opened by calamine (through fastexcel), which runs no formulas
or macros, after their unpacked size was looked at.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastexcel

from acreage.portfolio.document import BYTES_MAX, At, Document, parse_document, plain
from acreage.portfolio.rfq_answer import AnswerFile
from acreage.units.errors import InputError, Place

SHEET = "Offers"
UNPACKED_MAX = 64 * 1024 * 1024
ROWS_MAX = 2_000
MIDNIGHT = " 00:00:00"
"""What a workbook's day is read with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the sheet: the field it fills, whether it is text, and what it means."""

    name: str
    at: At
    meaning: str
    text: bool = False
    required: bool = False


def _column(name: str, at: str, meaning: str, *, text: bool = False, required: bool = False) -> Column:
    return Column(name=name, at=tuple(at.split(".")), meaning=meaning, text=text, required=required)


HEAD = (
    _column("reference", "reference", "The reference the request gave you.", text=True, required=True),
    _column("round", "round", "The round you answer.", required=True),
    _column("currency", "currency", "USD.", text=True, required=True),
)
"""Columns that say the same in every row."""

OFFER = (
    _column("id", "id", "Your own name for the offer.", text=True, required=True),
    _column("pool", "pool", "One of the pools that the request names.", text=True, required=True),
    _column("need", "need", "The lot it answers, if only one.", text=True),
    _column("accelerators_per_block", "accelerators_per_block", "Chips in one block.", required=True),
    _column("blocks_min", "blocks.min", "Fewest blocks; equal to the most: all or nothing."),
    _column("blocks_max", "blocks.max", "Most blocks.", required=True),
    _column("start_from", "start.from", "First day it can start, 2027-03-01.", required=True),
    _column("start_until", "start.until", "Last day it can start.", required=True),
    _column("term", "term", "How long: 36 months.", text=True, required=True),
    _column("price_usd", "price.usd", "US dollars for one unit.", required=True),
    _column(
        "price_per",
        "price.per",
        "The unit: accelerator_hour, node_hour, mw_month, monthly_lump or throughput_unit_hour.",
        text=True,
        required=True,
    ),
    _column("accelerators_per_unit", "price.accelerators_per_unit", "Chips in one unit, if not one."),
    _column("energy_usd_per_accelerator_hour", "energy_usd_per_accelerator_hour", "Energy billed on top."),
    _column("prepayment_frac", "prepayment_frac", "Share of all fees paid at signing."),
    _column("take_or_pay_frac", "take_or_pay_frac", "Share of the fee due used or not; left out: all."),
    _column("escalator_frac_per_year", "escalator_frac_per_year", "Rise of the price a year: 0.03."),
    _column("sparing_frac", "sparing_frac", "Share of the chips we must keep as spares."),
    _column("tranches", "tranches", "Delivery: 0 months: 0.5; 6 months: 0.5. Left out: all at the start.", text=True),
    _column("grace_days", "grace_days", "Days of lateness without consequence."),
    _column("late_discount_frac", "late_discount_frac", "Fee reduction for late days."),
    _column("terminable_after_days", "terminable_after_days", "Later than this we may give a tranche up."),
    _column("tiers", "tiers", "Quantity discounts, blocks: share of the price: 3: 0.96; 5: 0.93.", text=True),
    _column("fee_steps", "fee_steps", "Fee ramp, from when: share: 0 months: 0.5; 2 months: 1.0.", text=True),
    _column("firm_term", "firm_term", "How long we cannot leave; needed for a right to leave.", text=True),
    _column("termination_notice_days", "termination.notice_days", "Notice of our right to leave."),
    _column("termination_fee_frac", "termination.fee_frac", "Fee for leaving, share of the rest."),
    _column("extension", "extension.duration", "Our right to extend: 12 months.", text=True),
    _column("extension_price_frac", "extension.price_frac", "Price when extended, share of the last."),
    _column("recall_after", "recall.after", "Your right to take capacity back, from when: 3 months.", text=True),
    _column("recall_notice_days", "recall.notice_days", "Notice of a recall."),
    _column("recalls_per_year", "recall.recalls_per_year", "How often you expect to use it."),
    _column("sla", "sla", "Credits, below: share of the month's fee: 0.99: 0.10; 0.95: 0.25.", text=True),
    _column("expires", "expires", "When the offer lapses."),
    _column("bundle", "bundle", "Offers of one bundle are taken together.", text=True),
    _column("either_or", "either_or", "At most one of such a group is taken.", text=True),
    _column("withdraw", "withdraw", "yes: take back the offer of this name from an earlier round.", text=True),
    _column("notes", "notes", "Anything else.", text=True),
)
COLUMNS = (*HEAD, *OFFER)

_PAIRS: dict[str, tuple[str, str]] = {
    "tranches": ("after", "share_frac"),
    "tiers": ("blocks_min", "price_frac"),
    "fee_steps": ("after", "fee_frac"),
    "sla": ("below_frac", "credit_frac"),
}
"""Columns that hold a list of pairs, and the fields of a pair."""

_OF_TRANCHES = ("grace_days", "late_discount_frac", "terminable_after_days")


def load_answer(path: Path) -> AnswerFile:
    """An answer file, of whichever kind its ending says: .json, .yaml, .csv or .xlsx."""
    place = Place(file=str(path))
    data = _bytes_of(path, place)
    kind = path.suffix.lower()
    if kind == ".xlsx":
        document = _of_rows(str(path), _workbook_rows(data, place))
    elif kind in (".csv", ".json", ".yaml", ".yml"):
        text = _text_of(data, place)
        document = _of_rows(str(path), _csv_rows(text)) if kind == ".csv" else parse_document(text, str(path))
    else:
        fix = "send .json, .yaml, .csv or the filled-in .xlsx"
        raise InputError(f"{path.suffix or path.name!r} is no kind of answer", fix=fix, place=place)
    return AnswerFile(document=document, sha256=hashlib.sha256(data).hexdigest())


def _bytes_of(path: Path, place: Place) -> bytes:
    try:
        if path.stat().st_size > BYTES_MAX:
            raise InputError("the file is too large", fix=f"at most {BYTES_MAX // 2**20} MiB are read", place=place)
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", place=place) from None


def _text_of(data: bytes, place: Place) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"byte {error.start} is not UTF-8", fix="save it as UTF-8", place=place) from None


def _csv_rows(text: str) -> Iterable[Sequence[str | None]]:
    return csv.reader(io.StringIO(text))


def _workbook_rows(data: bytes, place: Place) -> Iterable[Sequence[str | None]]:
    """The rows of the sheet `Offers` as text; a workbook that unpacks to too much is refused unread."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(part.file_size for part in archive.infolist())
        if size > UNPACKED_MAX:
            fix = f"at most {UNPACKED_MAX // 2**20} MiB are read"
            raise InputError(f"the workbook unpacks to {size // 2**20} MiB", fix=fix, place=place)
        sheet = fastexcel.read_excel(data).load_sheet(SHEET, header_row=None, dtypes="string")
        return list(sheet.to_polars().iter_rows())
    except fastexcel.SheetNotFoundError:
        raise InputError(f"it has no sheet {SHEET!r}", fix="fill in the template", place=place) from None
    except (zipfile.BadZipFile, fastexcel.FastExcelError):
        raise InputError("it is not a workbook", fix="save it as .xlsx", place=place) from None


def _of_rows(file: str, rows: Iterable[Sequence[str | None]]) -> Document:
    """The document that the rows stand for; every value knows its row and column."""
    table = _Table(file)
    for line, cells in enumerate(rows, 1):
        if line > ROWS_MAX:
            raise InputError(f"more than {ROWS_MAX:,} rows", fix="send one offer a row", place=Place(file=file))
        table.take(line, [(cell or "").strip().removesuffix(MIDNIGHT) for cell in cells])
    return table.document()


class _Table:
    """Collects rows; the first is the header."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.columns: list[Column] | None = None
        self.value: dict[str, Any] = {"offers": [], "withdraw": []}
        self.places: dict[At, Place] = {(): Place(file=file)}

    def take(self, line: int, cells: Sequence[str]) -> None:
        if self.columns is None:
            self.columns = [self._known(name, line) for name in cells if name]
            return
        found = {c.name: cell for c, cell in zip(self.columns, cells, strict=False) if cell}
        if any(cells[len(self.columns) :]):
            raise InputError("a cell without a heading", fix="keep the template's columns", place=self._place(line, ""))
        if not any(c.name in found for c in OFFER):
            return
        for column in HEAD:
            self._head(column, found.get(column.name), line)
        if found.get("withdraw", "no").lower() not in ("no", "false"):
            self._withdraw(found, line)
        else:
            self._offer(found, line)

    def document(self) -> Document:
        if self.columns is None:
            raise InputError("the file is empty", fix="fill in the template", place=Place(file=self.file))
        return Document(file=self.file, value=self.value, places=self.places)

    def _known(self, name: str, line: int) -> Column:
        for column in COLUMNS:
            if column.name == name:
                return column
        fix = f"the columns are {', '.join(column.name for column in COLUMNS)}"
        raise InputError(f"unknown column {name!r}", fix=fix, place=self._place(line, name))

    def _place(self, line: int, name: str) -> Place:
        return Place(file=self.file, line=line, field=name)

    def _head(self, column: Column, cell: str | None, line: int) -> None:
        if cell is None:
            fix = f"{column.meaning} In every row."
            raise InputError(f"{column.name} is missing", fix=fix, place=self._place(line, column.name))
        value = cell if column.text else plain(cell, self._place(line, column.name))
        if self.value.setdefault(column.name, value) != value:
            what = f"{column.name} is {cell!r} here and {self.value[column.name]!r} above"
            raise InputError(what, fix="send one answer a file", place=self._place(line, column.name))
        self.places.setdefault((column.name,), self._place(line, column.name))

    def _withdraw(self, found: dict[str, str], line: int) -> None:
        if "id" not in found:
            raise InputError("which offer is withdrawn is missing", fix="fill in id", place=self._place(line, "id"))
        self.places["withdraw", len(self.value["withdraw"])] = self._place(line, "withdraw")
        self.value["withdraw"].append(found["id"])

    def _offer(self, found: dict[str, str], line: int) -> None:
        missing = [c.name for c in OFFER if c.required and c.name not in found]
        if missing:
            meaning = next(c.meaning for c in OFFER if c.name == missing[0])
            raise InputError(f"{missing[0]} is missing", fix=meaning, place=self._place(line, missing[0]))
        at: At = ("offers", len(self.value["offers"]))
        offer: dict[str, Any] = {}
        self.value["offers"].append(offer)
        self.places[at] = self._place(line, "")
        for column in OFFER:
            if column.name in found and column.name not in ("withdraw", *_OF_TRANCHES):
                self._fill(offer, at, column, found[column.name], line)
        self._tranches(offer, found, line)

    def _fill(self, offer: dict[str, Any], at: At, column: Column, cell: str, line: int) -> None:
        place = self._place(line, column.name)
        value: Any = cell
        if column.name in _PAIRS:
            value = _pairs(cell, _PAIRS[column.name], place)
        elif not column.text:
            value = plain(cell, place)
        inner = offer
        for step in column.at[:-1]:
            inner = inner.setdefault(str(step), {})
        inner[str(column.at[-1])] = value
        for depth in range(1, len(column.at) + 1):
            self.places[(*at, *column.at[:depth])] = place

    def _tranches(self, offer: dict[str, Any], found: dict[str, str], line: int) -> None:
        clauses = {n: plain(found[n], self._place(line, n)) for n in _OF_TRANCHES if n in found}
        if clauses:
            offer.setdefault("tranches", [{"after": "0 months", "share_frac": 1.0}])
        for tranche in offer.get("tranches", ()):
            tranche.update(clauses)


def _pairs(cell: str, names: tuple[str, str], place: Place) -> list[dict[str, Any]]:
    """'0 months: 0.5; 6 months: 0.5' as mappings."""
    found = []
    for part in cell.split(";"):
        first, colon, second = part.partition(":")
        if not colon or not first.strip() or not second.strip():
            fix = "write pairs, for example 0 months: 0.5; 6 months: 0.5"
            raise InputError(f"{part.strip()!r} is not a pair", fix=fix, place=place)
        read: Callable[[str], Any] = str if names[0] == "after" else lambda text: plain(text, place)
        found.append({names[0]: read(first.strip()), names[1]: plain(second.strip(), place)})
    return found
