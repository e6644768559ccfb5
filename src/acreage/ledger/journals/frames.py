"""Rows of facts as polars frames: the types of the columns, whichever engine they come from."""

from collections.abc import Sequence

import polars as pl

ROWS = 200_000
"""Facts in one piece: some tens of megabytes."""

_TEXT = {"chain", "id", "kind", "subject", "actor", "corrects", "body"}
_BYTES = {"prev_hash", "hash"}


def schema_of(columns: Sequence[str]) -> dict[str, pl.DataType]:
    """Column types: text, bytes, and Int64 for everything else."""
    return {c: pl.String() if c in _TEXT else pl.Binary() if c in _BYTES else pl.Int64() for c in columns}


def of_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], chain: str) -> pl.DataFrame:
    """A piece of one chain; a `chain` column carries its name, not its number."""
    schema = schema_of(columns)
    stored = {c: (pl.Int64() if c == "chain" else t) for c, t in schema.items()}
    frame = pl.DataFrame(rows, schema=stored, orient="row")
    return frame.with_columns(chain=pl.lit(chain)) if "chain" in columns else frame
