"""Doubts about on-demand prices that look like commitment prices written into the wrong column."""

import polars as pl

from acreage.catalog.rules.rule import Context, alive, doubts, shown
from acreage.catalog.table import REJECTED, sentence
from acreage.domain.price import PriceKind

_GAP = 1.6
"""Least factor between two neighbouring regional prices; between real regions the widest seen is 1.38."""
_REGIONS_MIN = 4
_MATCH = 0.01


def commitment_in_on_demand(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """On-demand prices in two clusters, the lower at a discount, or equal to a reserved price."""
    rows = alive(offers).filter(pl.col("price_basis") == "node_hour")
    on_demand = rows.filter(pl.col("price_kind") == PriceKind.ON_DEMAND.value)
    return pl.concat([_below_gap(on_demand), _equal_to_reserved(on_demand, rows)]).unique("index", keep="first")


def _below_gap(on_demand: pl.DataFrame) -> pl.DataFrame:
    key = ["file", "provider", "instance_type", "accelerator", "accelerators_per_unit"]
    prices = on_demand.group_by(key).agg(price=pl.col("price").unique().sort(), regions=pl.col("region").n_unique())
    prices = prices.filter((pl.col("regions") >= _REGIONS_MIN) & (pl.col("price").list.len() > 1))
    prices = prices.explode("price")
    prices = prices.with_columns(above=pl.col("price").shift(-1).over(key))
    gaps = prices.filter(pl.col("above") / pl.col("price") >= _GAP)
    gaps = gaps.group_by(key).agg(below=pl.col("price").max(), above=pl.col("above").max())
    rows = on_demand.join(gaps, on=key, how="inner").filter(pl.col("price") <= pl.col("below"))
    message = sentence(
        "on-demand {} where other regions pay {} and more: it looks like a commitment price",
        shown(pl.col("price")),
        shown(pl.col("above")),
    )
    return doubts(rows, rule="commitment_as_on_demand", severity="error", message=message, verdict=REJECTED)


def _equal_to_reserved(on_demand: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Against reserved prices of the same machine and region where another on-demand price is far above."""
    kinds = [PriceKind.RESERVED_1Y.value, PriceKind.RESERVED_3Y.value]
    key = ["provider", "region", "instance_type"]
    highest = on_demand.group_by(key).agg(highest=pl.col("price").max())
    low = on_demand.join(highest, on=key).filter(pl.col("highest") > _GAP * pl.col("price"))
    reserved = rows.filter(pl.col("price_kind").is_in(kinds)).select(*key, reserved="price", reserved_kind="price_kind")
    found = low.join(reserved.unique(), on=key, how="inner")
    same = (pl.col("price") / pl.col("reserved") - 1).abs() < _MATCH
    found = found.filter(same).unique("index", keep="first", maintain_order=True)
    message = sentence("on-demand {} is the {} price of the same machine", shown(pl.col("price")), "reserved_kind")
    return doubts(found, rule="commitment_as_on_demand", severity="error", message=message, verdict=REJECTED)
