"""Prices of the clouds that gpuhunt collects, read live through that package (an optional extra).

The only home of gpuhunt, which is imported when the feed named `gpuhunt` is asked for.
`GPUHUNT_CATALOG_URL` points it to another catalog, for example a folder of one's own.
"""

import importlib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import polars as pl

from acreage.catalog.feeds.document import Document
from acreage.catalog.feeds.feed import Feed, quotes_from_rows
from acreage.domain.price import PriceKind
from acreage.units.errors import InputError, Transient

ADDRESS = "gpuhunt"
"""What to write in place of a file to read prices live."""

_PROVIDERS = {"lambdalabs": "lambda", "datacrunch": "verda", "vastai": "vast"}
_RETRY_AFTER_S = 60.0


def _recognises(document: Document) -> bool:
    return document.path == ADDRESS


def _read(document: Document) -> pl.DataFrame:
    package = _package()
    catalog = package.Catalog(balance_resources=False, auto_reload=False)
    try:
        catalog.load()
        items = catalog.query()
    except Exception as error:  # whatever the package or the network raises means: no prices just now
        raise Transient(f"gpuhunt has no catalog just now: {error}", retry_after_s=_RETRY_AFTER_S) from error
    versions = {name: loaded.version for name, loaded in catalog.catalog.items()}
    return quotes_from_rows(list(_rows(items, versions)), feed=FEED.name, document=document)


def _package() -> ModuleType:
    try:
        return importlib.import_module("gpuhunt")
    except ImportError:
        fix = "install it with: pip install 'acreage[gpuhunt]'"
        raise InputError("the package gpuhunt is not installed", fix=fix) from None


def _rows(items: list[Any], versions: dict[str, str]) -> Iterator[dict[str, object]]:
    for number, item in enumerate(items):
        yield {
            "row": f"{item.provider}/{item.instance_name}/{item.location}#{number}",
            "provider": _PROVIDERS.get(item.provider, item.provider),
            "region": item.location,
            "instance_type": item.instance_name,
            "accelerator_text": _chip(item),
            "accelerators": item.gpu_count or None,
            "price_kind": (PriceKind.SPOT if item.spot else PriceKind.ON_DEMAND).value,
            "terms": " ".join(item.flags),
            "price_text": item.price,
            "as_of_text": _day(versions.get(item.provider, "")),
            "source": "gpuhunt",
        }


def _chip(item: Any) -> str:
    """gpuhunt names a chip and its memory apart; together they pick the variant."""
    if not item.gpu_count or not item.gpu_name:
        return ""
    if str(item.gpu_name).lower().startswith(("tpu", "v2", "v3", "v4", "v5", "v6")) or not item.gpu_memory:
        return str(item.gpu_name)
    return f"{item.gpu_name} {item.gpu_memory:.0f}GB"


def _day(version: str) -> str:
    """Catalog versions begin with their day: '20261120-1' or '20261120'."""
    return f"{version[:4]}-{version[4:6]}-{version[6:8]}" if version[:8].isdigit() else ""


FEED = Feed(
    name="gpuhunt",
    summary="live prices through the gpuhunt package (write gpuhunt for the file)",
    recognises=_recognises,
    read=_read,
)
