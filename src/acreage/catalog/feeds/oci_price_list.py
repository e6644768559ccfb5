"""Oracle price list JSON: accelerators are priced per GPU hour, the same in every region.

Rows of other metrics are out of scope. The list carries no date. The names of the older
shapes do not name their chip, so they are given here, from Oracle's shape documentation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from acreage.catalog.accelerators import find
from acreage.catalog.feeds.document import Document, mapping, sequence
from acreage.catalog.feeds.feed import Feed, quotes_from_rows
from acreage.catalog.table import OUT_OF_SCOPE, UNKNOWN

_OLDER = (
    (r"GPU Standard - X7", "P100"),
    (r"GPU Standard - V2", "V100"),
    (r"GPU - E3", "A100-40GB"),
    (r"GPU - A100 - v2", "A100-80GB"),
)


def _recognises(document: Document) -> bool:
    return document.is_json and '"partNumber"' in document.text[:8_000]


def _read(document: Document) -> pl.DataFrame:
    content = mapping(document.json, document, "the file")
    items = sequence(content.get("items"), document, "items")
    rows = [
        row
        for number, item in enumerate(items)
        for row in _rows_of(mapping(item, document, f"items[{number}]"), content)
    ]
    return quotes_from_rows(rows, feed=FEED.name, document=document)


def _rows_of(item: Mapping[str, Any], content: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    name = re.sub(r"\s+", " ", str(item.get("displayName", "")))
    metric = str(item.get("metricName", ""))
    base: dict[str, object] = {
        "row": item.get("partNumber", ""),
        "provider": "oci",
        "instance_type": name,
        "accelerator_text": _chip(name),
        "accelerators": 1,
        "price_basis": "accelerator_hour",
        "as_of_text": content.get("lastUpdated", ""),
        "source": "Oracle price list",
    }
    scope = {} if _is_gpu_hour(metric) else _closed(f"a price per {metric}")
    cells = list(_cells(item))
    if not cells:
        yield {**base, "status": UNKNOWN, "rule": "missing_price", "reason": "the item has no price", **scope}
    for currency, price in cells:
        model = str(price.get("model", ""))
        other = scope or ({} if model == "PAY_AS_YOU_GO" else _closed(f"a price of model {model}"))
        yield {**base, "currency": currency, "price_text": price.get("value"), **other}


def _cells(item: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for localised in item.get("currencyCodeLocalizations") or ():
        for price in localised.get("prices") or ():
            yield str(localised.get("currencyCode", "")), price


def _is_gpu_hour(metric: str) -> bool:
    return metric.lower().replace("s per", " per") in ("gpu per hour", "gpu hour")


def _closed(reason: str) -> dict[str, object]:
    return {"status": OUT_OF_SCOPE, "rule": "other_product", "reason": reason}


def _chip(name: str) -> str:
    for pattern, chip in _OLDER:
        if re.search(pattern, name, re.IGNORECASE):
            return chip
    words = [part.strip() for part in name.split(" - ")]
    return next((word for word in reversed(words) if find(word)), words[-1] if words else "")


FEED = Feed(name="oci_price_list", summary="Oracle price list API answer (JSON)", recognises=_recognises, read=_read)
