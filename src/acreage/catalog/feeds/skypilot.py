"""SkyPilot catalog CSV: one row per instance type and zone, with an on-demand and a spot price.

The file names no provider (it is taken from the file's name, or for the Shadeform
marketplace from the prefix of the instance type) and no date. On GCP a machine row holds
the host's price alone and a row without instance type its accelerators': they are added
here, on the machine's row. Spellings follow SkyPilot, where A100 is the 40 GB chip.
"""

import polars as pl

from acreage.catalog.feeds.document import LINE, Document
from acreage.catalog.feeds.feed import Feed, quotes_from_frame
from acreage.catalog.shapes import known_shapes
from acreage.catalog.table import OUT_OF_SCOPE, REJECTED, sentence
from acreage.domain.price import PriceKind

_COLUMNS = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "Region")
_SPOT = "SpotPrice"
_MARKETPLACE_CLOUDS = {"lambdalabs": "lambda", "datacrunch": "verda"}


def _recognises(document: Document) -> bool:
    return {"InstanceType", "AcceleratorName", "AcceleratorCount"} <= set(document.header)


def _read(document: Document) -> pl.DataFrame:
    records = document.records(_COLUMNS)
    if "AvailabilityZone" not in records.columns:
        records = records.with_columns(AvailabilityZone=pl.lit(""))
    cells = [_cells(records, "Price", PriceKind.ON_DEMAND)]
    if _SPOT in records.columns:
        cells.append(_cells(records, _SPOT, PriceKind.SPOT))
    frame = _with_provider(pl.concat(cells), document)
    quotes = quotes_from_frame(frame, feed=FEED.name, document=document)
    split = ((pl.col("instance_type") == "") & (pl.col("accelerator_text") != "")).any()
    return _with_hosts_added(quotes) if quotes.select(split).item() else quotes


def _cells(records: pl.DataFrame, column: str, kind: PriceKind) -> pl.DataFrame:
    return records.select(
        row=pl.col(LINE),
        region=pl.col("Region"),
        zone=pl.col("AvailabilityZone"),
        instance_type=pl.col("InstanceType"),
        accelerator_text=pl.col("AcceleratorName"),
        accelerators=pl.col("AcceleratorCount"),
        price_kind=pl.lit(kind.value),
        price_text=pl.col(column),
    )


def _with_provider(frame: pl.DataFrame, document: Document) -> pl.DataFrame:
    source = pl.lit("SkyPilot catalog")
    region = pl.when(pl.col("region").is_in(["default", ""])).then(pl.lit("global")).otherwise("region")
    if document.provider == "shadeform":
        prefix = pl.col("instance_type").str.split("_").list.first()
        provider, source = prefix.replace(_MARKETPLACE_CLOUDS), pl.lit("SkyPilot catalog, via Shadeform")
    else:
        provider = pl.lit(document.provider)
    return frame.with_columns(provider=provider, region=region, source=source)


def _with_hosts_added(quotes: pl.DataFrame) -> pl.DataFrame:
    """Add each accelerator row's price to the machine rows of its zone that carry those accelerators."""
    chips = pl.col("accelerator_text") != ""
    whole = (chips & (pl.col("instance_type") != "")) | pl.col("accelerator_text").str.to_lowercase().str.starts_with(
        "tpu"
    )
    parts, hosts = quotes.filter(chips & ~whole), quotes.filter(~chips)
    hosts = hosts.join(known_shapes(), on=["provider", "instance_type"], how="left")
    machines = _machines(hosts, parts)
    plain = hosts.filter(pl.col("shape_accelerator").is_null()).drop("shape_accelerator", "shape_accelerators")
    used = machines.select(row="part_row", price_kind="price_kind", host="row").drop_nulls()
    used = used.group_by("row", "price_kind").agg(pl.col("host").str.join(", "))
    parts = _closed_parts(parts.join(used, on=["row", "price_kind"], how="left"))
    slices = quotes.filter(whole).with_columns(
        instance_type=pl.when(pl.col("instance_type") == "").then("accelerator_text").otherwise("instance_type")
    )
    return pl.concat([slices, plain, machines.select(quotes.columns), parts.select(quotes.columns)])


def _machines(hosts: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    keys = ["region", "zone", "price_kind", "shape_accelerator", "shape_accelerators"]
    offered = parts.select(
        *keys[:3],
        shape_accelerator=_shape_spelling(),
        shape_accelerators=pl.col("accelerators").cast(pl.Int64),
        part_row="row",
        part_price="price",
        part_text="price_text",
        part_name="accelerator_text",
    ).unique(keys, keep="first", maintain_order=True)
    joined = hosts.filter(pl.col("shape_accelerator").is_not_null()).join(offered, on=keys, how="left")
    alone = pl.col("part_row").is_null()
    open_price = pl.col("price").is_not_null() & pl.col("part_price").is_not_null()
    positive = (pl.col("price") > 0) & (pl.col("part_price") > 0)
    whole = (
        pl.when(positive)
        .then(pl.col("price") + pl.col("part_price"))
        .otherwise(pl.min_horizontal("price", "part_price"))
    )
    return joined.with_columns(
        accelerator_text=pl.coalesce("part_name", "shape_accelerator"),
        accelerators=pl.col("shape_accelerators").cast(pl.Float64),
        price=pl.when(alone).then("price").when(open_price).then(whole),
        price_text=pl.when(alone).then("price_text").otherwise(sentence("{}+{}", "price_text", "part_text")),
        status=pl.when(alone).then(pl.lit(REJECTED)).when(~open_price).then(pl.lit("unknown")).otherwise("status"),
        rule=pl.when(alone)
        .then(pl.lit("host_without_accelerators"))
        .when(~open_price)
        .then(pl.lit("missing_price"))
        .otherwise("rule"),
        reason=pl.when(alone)
        .then(
            sentence(
                "{} is the host's price: its {} {} have no row in {}",
                "price_text",
                "shape_accelerators",
                "shape_accelerator",
                "zone",
            )
        )
        .when(~open_price)
        .then(pl.lit("the host's or the accelerators' price is not given"))
        .otherwise("reason"),
    )


def _shape_spelling() -> pl.Expr:
    """SkyPilot's names of GPUs on GCP as the shape table has them; H100-MEGA has hosts of its own."""
    text = pl.col("accelerator_text")
    return text.replace({"A100": "A100-40GB", "H100-80GB": "H100", "H100-MEGA-80GB": "H100", "H200-141GB": "H200"})


def _closed_parts(parts: pl.DataFrame) -> pl.DataFrame:
    """Accelerator rows are no offers by themselves: either part of a machine's row or without a host."""
    alone = pl.col("host").is_null()
    return parts.with_columns(
        status=pl.when(alone).then(pl.lit(REJECTED)).otherwise(pl.lit(OUT_OF_SCOPE)),
        rule=pl.when(alone).then(pl.lit("accelerators_without_host")).otherwise(pl.lit("part_of_machine")),
        reason=pl.when(alone)
        .then(sentence("the price {} is the accelerators' alone: no host row in {}", "price_text", "zone"))
        .otherwise(sentence("added to the host's price in row {}", "host")),
    )


FEED = Feed(
    name="skypilot",
    summary="SkyPilot catalog CSV, the provider in the file's name (nebius_v8.csv, aws/vms.csv)",
    recognises=_recognises,
    read=_read,
)
