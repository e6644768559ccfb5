"""AWS Capacity Block rates as CSV: effective USD per instance-hour by instance type and region."""

import polars as pl

from acreage.catalog.feeds.document import LINE, Document
from acreage.catalog.feeds.feed import Feed, quotes_from_frame
from acreage.domain.price import PriceKind

_COLUMNS = ("instance_type", "region", "effective_usd_per_instance_hour", "accelerators")


def _recognises(document: Document) -> bool:
    return {"instance_type", "effective_usd_per_instance_hour"} <= set(document.header)


def _read(document: Document) -> pl.DataFrame:
    frame = document.records(_COLUMNS)
    dated = "as_of" in frame.columns
    frame = frame.select(
        row=pl.col(LINE),
        provider=pl.lit("aws"),
        region="region",
        instance_type="instance_type",
        accelerators="accelerators",
        price_kind=pl.lit(PriceKind.CAPACITY_BLOCK.value),
        price_text="effective_usd_per_instance_hour",
        as_of_text=pl.col("as_of") if dated else pl.lit(""),
        source=pl.lit("AWS Capacity Blocks pricing page"),
    )
    return quotes_from_frame(frame, feed=FEED.name, document=document)


FEED = Feed(name="aws_capacity_blocks", summary="CSV of AWS Capacity Block rates", recognises=_recognises, read=_read)
