"""Builds the snapshot that ships inside the package: `python -m acreage.catalog.snapshot TABLE... OUTPUT`.

Only prices from sources with a licence that lets facts be passed on are kept; the list
stands here and in data/SOURCES.md, and what is left out is counted.
"""

import sys
from collections.abc import Sequence

import polars as pl

from acreage.catalog.book import read_file

CLEAN_SOURCES = (
    "Cyclenerd/google-cloud-pricing-cost-calculator",  # Apache-2.0
    "tsaol/aws-gpu",  # MIT
    "Azure/karpenter-provider-azure",  # Apache-2.0
    "aws/karpenter-provider-aws",  # Apache-2.0
    "dstackai/gpuhunt",  # MPL-2.0
    "the-full-stack/website",  # MIT
)
SNAPSHOT_NAME = "shipped snapshot"


def clean_quotes(tables: Sequence[str]) -> pl.DataFrame:
    """The quotes of normalised tables that may be shipped, named after the snapshot instead of the file."""
    quotes = pl.concat([read_file(table) for table in tables])
    clean = pl.any_horizontal([pl.col("source").str.starts_with(source) for source in CLEAN_SOURCES])
    return quotes.filter(clean).with_columns(file=pl.lit(SNAPSHOT_NAME), feed=pl.lit("snapshot"))


def main(arguments: Sequence[str]) -> None:
    """Write the snapshot and say what is in it."""
    *tables, output = arguments
    quotes = clean_quotes(tables)
    quotes.write_parquet(output, compression="zstd", statistics=False)
    counts = quotes.group_by("source").len().sort("len", descending=True)
    for source, count in counts.iter_rows():
        print(f"{count:6d}  {source}")
    print(f"{quotes.height:6d}  in {output}")


if __name__ == "__main__":
    main(sys.argv[1:])
