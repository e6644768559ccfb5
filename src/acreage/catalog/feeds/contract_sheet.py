"""A price sheet of one's own: what contracts say, which wins over list prices while it is in force.

Columns: provider, region (empty: everywhere), accelerator, price_basis, usd, valid_from,
valid_until, source; `accelerators_per_unit` is needed for every basis but accelerator_hour.
The sheet is the user's own, so a wrong row is an error with its line, not a finding.
"""

from collections.abc import Mapping
from datetime import date

import polars as pl

from acreage.catalog.accelerators import resolve
from acreage.catalog.feeds.document import LINE, Document
from acreage.catalog.feeds.feed import Feed, quotes_from_rows
from acreage.catalog.table import DAY
from acreage.domain.price import PriceBasis, PriceKind
from acreage.units.errors import InputError, Place
from acreage.units.money import micro_usd, usd_text

_COLUMNS = ("provider", "region", "accelerator", "price_basis", "usd", "valid_from", "valid_until", "source")
_UNIT = "accelerators_per_unit"
_HOURS_PER_MONTH = 730
"""8,760 hours a year over twelve months, as the clouds bill it."""
_HOURS = {
    PriceBasis.ACCELERATOR_HOUR: 1,
    PriceBasis.NODE_HOUR: 1,
    PriceBasis.THROUGHPUT_UNIT_HOUR: 1,
    PriceBasis.MW_MONTH: _HOURS_PER_MONTH,
    PriceBasis.MONTHLY_LUMP: _HOURS_PER_MONTH,
}


def _recognises(document: Document) -> bool:
    return {"price_basis", "usd", "valid_from"} <= set(document.header)


def _read(document: Document) -> pl.DataFrame:
    records = document.records(_COLUMNS)
    rows = [_row(record, document) for record in records.iter_rows(named=True)]
    return quotes_from_rows(rows, feed=FEED.name, document=document)


def _row(record: Mapping[str, str], document: Document) -> dict[str, object]:
    line = int(record[LINE])
    starts_on = _date(record, "valid_from", document)
    ends_on = _date(record, "valid_until", document)
    if starts_on and ends_on and ends_on <= starts_on:
        raise _wrong(document, line, "valid_until", f"{ends_on} is not after {starts_on}", "the end is not included")
    if not record["provider"]:
        raise _wrong(document, line, "provider", "no provider is named", "every contract has one")
    basis, chips = _basis(record, document), 1
    per_unit = _per_unit(record, basis, document)
    if basis is PriceBasis.NODE_HOUR:
        chips, per_unit = round(per_unit), 1.0
    price = _amount(record, document) / (_HOURS[basis] * per_unit)
    return {
        "row": record[LINE],
        "provider": record["provider"].lower(),
        "region": record["region"] or "global",
        "accelerator_text": _accelerator(record, document),
        "accelerators": chips,
        "price_basis": "node_hour" if basis is PriceBasis.NODE_HOUR else "accelerator_hour",
        "price_kind": PriceKind.CONTRACT.value,
        "terms": basis.value,
        "price_text": usd_text(round(price)),
        "as_of": starts_on,
        "as_of_precision": DAY,
        "valid_until": ends_on,
        "source": record["source"] or "contract price sheet",
    }


def _amount(record: Mapping[str, str], document: Document) -> int:
    line = int(record[LINE])
    try:
        amount = micro_usd(record["usd"].replace(",", "").replace("$", ""))
    except InputError as error:
        raise _wrong(document, line, "usd", error.what, error.fix) from None
    if amount <= 0:
        raise _wrong(document, line, "usd", f"a price of {record['usd']}", "leave out a row without a price")
    return amount


def _basis(record: Mapping[str, str], document: Document) -> PriceBasis:
    try:
        return PriceBasis(record["price_basis"].lower())
    except ValueError:
        choices = ", ".join(PriceBasis)
        what = f"unknown price basis {record['price_basis']!r}"
        raise _wrong(document, int(record[LINE]), "price_basis", what, f"write one of {choices}") from None


def _per_unit(record: Mapping[str, str], basis: PriceBasis, document: Document) -> float:
    if basis is PriceBasis.ACCELERATOR_HOUR:
        return 1.0
    text = record.get(_UNIT, "")
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < 1e9 or (basis is PriceBasis.NODE_HOUR and number != round(number)):
        what = f"{text!r} accelerators per unit of {basis}"
        raise _wrong(document, int(record[LINE]), _UNIT, what, f"add how many accelerators one {basis} pays for")
    return number


def _accelerator(record: Mapping[str, str], document: Document) -> str:
    try:
        return resolve(record["accelerator"])
    except InputError as error:
        raise _wrong(document, int(record[LINE]), "accelerator", error.what, error.fix) from None


def _date(record: Mapping[str, str], field: str, document: Document) -> date | None:
    if not record[field] and field == "valid_until":
        return None
    try:
        return date.fromisoformat(record[field])
    except ValueError:
        what = f"{record[field]!r} is not a date"
        raise _wrong(document, int(record[LINE]), field, what, "write YYYY-MM-DD") from None


def _wrong(document: Document, line: int, field: str, what: str, fix: str) -> InputError:
    return InputError(what, fix=fix, place=Place(file=document.path, line=line, field=field))


FEED = Feed(
    name="contract_sheet",
    summary="CSV of one's own contract prices, which win over list prices",
    recognises=_recognises,
    read=_read,
)
