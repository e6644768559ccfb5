"""Price kinds as feeds spell them."""

import polars as pl

from acreage.catalog.table import OUT_OF_SCOPE, sentence
from acreage.domain.price import PriceKind

_KINDS = tuple(kind.value for kind in PriceKind)


def with_known_kinds(frame: pl.DataFrame) -> pl.DataFrame:
    """Put rows of a price kind that Acreage does not compare out of scope, saying so."""
    if frame.is_empty():
        return frame
    kind = pl.col("price_kind").str.to_lowercase().str.replace_all("[- ]", "_")
    frame = frame.with_columns(price_kind=kind)
    known = pl.col("price_kind").is_in(_KINDS)
    return frame.with_columns(
        status=pl.when(known).then(pl.lit("price")).otherwise(pl.lit(OUT_OF_SCOPE)),
        rule=pl.when(known).then(pl.lit("")).otherwise(pl.lit("other_price_kind")),
        reason=pl.when(known)
        .then(pl.lit(""))
        .otherwise(sentence("the price kind '{}' is not compared", pl.col("price_kind"))),
    )
