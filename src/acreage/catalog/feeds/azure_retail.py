"""Azure Retail Prices JSON: one item per meter, in the shape of the public API.

Spot and Low Priority are told by `skuName` and `meterName`. A reservation's price is for
its whole term and is spread over its hours. Windows, dev/test, tiered and secondary-region
meters are out of scope. The date is `effectiveStartDate`, since when the price holds.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from acreage.catalog.feeds.document import Document, mapping, sequence
from acreage.catalog.feeds.feed import Feed, quotes_from_rows
from acreage.catalog.table import OUT_OF_SCOPE
from acreage.domain.price import PriceKind

_TERMS = {
    "1 Year": (PriceKind.RESERVED_1Y, 8_760),
    "3 Years": (PriceKind.RESERVED_3Y, 26_280),
}
_HOURS = {"1 Hour": 1, "10 Hours": 10, "100 Hours": 100, "1/Day": 24, "1 Day": 24}


def _recognises(document: Document) -> bool:
    return document.is_json and '"Items"' in document.text[:4_000]


def _read(document: Document) -> pl.DataFrame:
    content = mapping(document.json, document, "the file")
    items = sequence(content.get("Items"), document, "Items")
    rows = [
        row
        for number, item in enumerate(items)
        for row in _rows_of(mapping(item, document, f"Items[{number}]"), number)
    ]
    return quotes_from_rows(rows, feed=FEED.name, document=document)


def _rows_of(item: Mapping[str, Any], number: int) -> Iterator[dict[str, object]]:
    kind, hours, reason = _kind_and_hours(item)
    base: dict[str, object] = {
        "row": str(item.get("meterId") or f"Items[{number}]"),
        "provider": "azure",
        "region": item.get("armRegionName", ""),
        "instance_type": item.get("armSkuName", ""),
        "currency": item.get("currencyCode", "USD"),
        "as_of_text": item.get("effectiveStartDate", ""),
        "source": "Azure Retail Prices",
    }
    scope = {"status": OUT_OF_SCOPE, "rule": "other_product", "reason": reason} if reason else {}
    yield {**base, "price_kind": kind.value, "price_text": _per_hour(item.get("retailPrice"), hours), **scope}
    for plan in item.get("savingsPlan") or ():
        yield {
            **base,
            "row": f"{base['row']} savings plan {plan.get('term', '')}",
            "price_text": plan.get("retailPrice"),
            "status": OUT_OF_SCOPE,
            "rule": "other_product",
            "reason": "a savings plan, which is a spend commitment",
        }


def _per_hour(amount: object, hours: int) -> object:
    return amount if hours == 1 or not isinstance(amount, int | float) else f"{amount / hours:.6f}"


def _kind_and_hours(item: Mapping[str, Any]) -> tuple[PriceKind, int, str]:
    """Price kind, hours the printed price is for, and why the item is out of scope (empty: it is in)."""
    names = f"{item.get('skuName', '')} {item.get('meterName', '')}"
    kind = PriceKind.SPOT if "Spot" in names else PriceKind.ON_DEMAND
    unit = str(item.get("unitOfMeasure", "1 Hour"))
    if item.get("type") == "Reservation":
        term = str(item.get("reservationTerm", ""))
        if term not in _TERMS:
            return kind, 1, f"a reservation of {term or 'no term'}"
        return *_TERMS[term], _reason(item, names)
    if unit not in _HOURS:
        return kind, 1, f"a price per {unit}"
    return kind, _HOURS[unit], _reason(item, names)


def _reason(item: Mapping[str, Any], names: str) -> str:
    if item.get("serviceName", "Virtual Machines") != "Virtual Machines":
        return f"a price of {item['serviceName']}"
    if "Windows" in str(item.get("productName", "")):
        return "Windows licence included"
    if "Low Priority" in names:
        return "Low Priority, the predecessor of Spot"
    if item.get("type") not in ("Consumption", "Reservation", None):
        return f"a price of type {item['type']}"
    if item.get("tierMinimumUnits"):
        return "a price above a usage tier"
    if item.get("isPrimaryMeterRegion") is False:
        return "a secondary meter of the region"
    return "" if item.get("armSkuName") else "no machine size is named"


FEED = Feed(name="azure_retail", summary="Azure Retail Prices API answer (JSON)", recognises=_recognises, read=_read)
