"""Doubts about spot prices against the on-demand price of the same machine in the same place."""

import polars as pl

from acreage.catalog.rules.rule import Context, alive, doubts, shown
from acreage.catalog.table import REJECTED, UNKNOWN, sentence
from acreage.domain.price import PriceKind

_TENTH_TOLERANCE = 1e-4
_EQUAL_TOLERANCE = 1e-4


def spot(offers: pl.DataFrame, context: Context) -> pl.DataFrame:
    """A tenth exactly is a placeholder, the same price means none on offer, more is a mistake."""
    rows = _paired(alive(offers)).with_columns(ratio=pl.col("price") / pl.col("on_demand"))
    tenth = ((pl.col("ratio") - 0.1).abs() <= _TENTH_TOLERANCE) | (
        pl.col("price") == (pl.col("on_demand") / 10).round(2)
    )
    equal = (pl.col("ratio") - 1.0).abs() <= _EQUAL_TOLERANCE
    above = pl.col("ratio") > 1.0 + _EQUAL_TOLERANCE
    price, on_demand = shown(pl.col("price")), shown(pl.col("on_demand"))
    return pl.concat(
        [
            doubts(
                rows.filter(tenth & ~equal),
                rule="spot_tenth",
                severity="error",
                message=sentence("spot {} is exactly a tenth of on-demand {}: a placeholder", price, on_demand),
                verdict=REJECTED,
            ),
            doubts(
                rows.filter(equal),
                rule="spot_equals_on_demand",
                severity="warning",
                message=sentence("spot equals on-demand ({}): no spot is on offer", on_demand),
                verdict=UNKNOWN,
            ),
            doubts(
                rows.filter(above),
                rule="spot_above_on_demand",
                severity="error",
                message=sentence("spot {} is above on-demand {}", price, on_demand),
                verdict=REJECTED,
            ),
        ]
    )


def _paired(rows: pl.DataFrame) -> pl.DataFrame:
    """Spot rows with the on-demand price of the same feed and zone, or else of the newest in the region."""
    on_demand = rows.filter(pl.col("price_kind") == PriceKind.ON_DEMAND.value)
    key = ["provider", "region", "instance_type"]
    near = on_demand.group_by("file", *key, "zone").agg(near=pl.col("price").max())
    newest = on_demand.sort("as_of", nulls_last=False).group_by(key).agg(newest=pl.col("price").last())
    found = rows.filter(pl.col("price_kind") == PriceKind.SPOT.value)
    found = found.join(near, on=["file", *key, "zone"], how="left").join(newest, on=key, how="left")
    return found.with_columns(on_demand=pl.coalesce("near", "newest")).filter(pl.col("on_demand").is_not_null())
