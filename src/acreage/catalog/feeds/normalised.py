"""The normalised table: USD per instance-hour by provider, region, instance type and pricing model.

Columns: provider, region, instance_type, accelerator, accelerators_per_instance,
pricing_model, usd_per_instance_hour, as_of, source; a `currency` column is understood.
"""

import polars as pl

from acreage.catalog.feeds.document import LINE, Document
from acreage.catalog.feeds.feed import Feed, quotes_from_frame
from acreage.catalog.feeds.kinds import with_known_kinds

_COLUMNS = (
    "provider",
    "region",
    "instance_type",
    "accelerator",
    "accelerators_per_instance",
    "pricing_model",
    "usd_per_instance_hour",
    "as_of",
    "source",
)


def _recognises(document: Document) -> bool:
    return {"pricing_model", "usd_per_instance_hour"} <= set(document.header)


def _read(document: Document) -> pl.DataFrame:
    frame = document.records(_COLUMNS).rename(
        {
            LINE: "row",
            "accelerator": "accelerator_text",
            "accelerators_per_instance": "accelerators",
            "pricing_model": "price_kind",
            "usd_per_instance_hour": "price_text",
            "as_of": "as_of_text",
        }
    )
    return quotes_from_frame(with_known_kinds(frame), feed=FEED.name, document=document)


FEED = Feed(
    name="normalised",
    summary="CSV with provider, region, pricing_model and usd_per_instance_hour",
    recognises=_recognises,
    read=_read,
)
