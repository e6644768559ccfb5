"""How fast `acreage prices` answers over 100,000 offers, against a plain scan of the same CSV.

Run with `python benchmarks/prices/run.py [ROWS]`. It multiplies the shipped snapshot over
made-up regions, writes it as a normalised table and as a saved book, and prints the median
of several runs of each way to the same answer, in this process, and their ratios.
"""

import csv
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from acreage.catalog.book import load_book, read_snapshot
from acreage.catalog.query import Query, select
from acreage.catalog.regions import matches
from acreage.domain.price import PriceKind
from acreage.units.instants import instant

TODAY = instant("2026-11-23")
RUNS = 5
ASKED = Query(accelerator="H100", count=8, region="us", kinds=(PriceKind.SPOT,))


def many_quotes(rows: int) -> pl.DataFrame:
    """The snapshot repeated under new zone names until there are `rows` quotes."""
    quotes = read_snapshot()
    copies = -(-rows // quotes.height)
    parts = [quotes.with_columns(zone=pl.lit(f"zone-{copy}")) for copy in range(copies)]
    return pl.concat(parts).head(rows)


def write_table(quotes: pl.DataFrame, path: Path) -> None:
    """The quotes as a normalised table."""
    quotes.select(
        "provider", "region", pl.concat_str("instance_type", pl.lit("@"), "zone").alias("instance_type"),
        accelerator="accelerator_text", accelerators_per_instance=pl.col("accelerators").cast(pl.Int64),
        pricing_model="price_kind", usd_per_instance_hour="price_text", as_of=pl.col("as_of").cast(pl.String),
        source="source",
    ).write_csv(path)  # fmt: skip


def plain_scan(path: Path) -> float:
    """The cheapest answer by the csv module alone, with no checks at all."""
    best = float("inf")
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            fits = row["accelerator"] == "H100" and row["accelerators_per_instance"] == "8"
            if fits and row["pricing_model"] == "spot" and matches(row["region"], "us"):
                best = min(best, float(row["usd_per_instance_hour"]) / 8)
    return best


def naive_polars(path: Path) -> float:
    """The cheapest answer by polars alone, with no checks at all."""
    frame = pl.read_csv(path, schema_overrides={"usd_per_instance_hour": pl.Float64}, infer_schema_length=1000)
    regions = [region for region in frame["region"].unique() if matches(region, "us")]
    found = frame.filter(
        (pl.col("accelerator") == "H100")
        & (pl.col("accelerators_per_instance") == 8)
        & (pl.col("pricing_model") == "spot")
        & pl.col("region").is_in(regions)
    )
    return float(found["usd_per_instance_hour"].min()) / 8  # type: ignore[arg-type]


def through_book(path: Path) -> float:
    """The whole way: read, judge by every rule, ask."""
    book = load_book(today=TODAY, feeds=[str(path)], snapshot=False)
    return float(select(book.offers, ASKED).offers["usd_per_accelerator_hour"][0])


def seconds(work: Callable[[], object]) -> float:
    """Median wall time of several runs."""
    taken = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main(rows: int) -> None:
    """Measure and print."""
    print(f"{platform.platform()}, Python {platform.python_version()}, polars {pl.__version__}, {rows} offers")
    with tempfile.TemporaryDirectory() as folder:
        table, saved = Path(folder) / "table.csv", Path(folder) / "book.parquet"
        quotes = many_quotes(rows)
        write_table(quotes, table)
        quotes.write_parquet(saved)
        book = load_book(today=TODAY, feeds=[str(saved)], snapshot=False)
        answers = {
            "csv module, no checks": lambda: plain_scan(table),
            "polars read_csv, no checks": lambda: naive_polars(table),
            "acreage: CSV read, judged, asked": lambda: through_book(table),
            "acreage: saved book read, judged, asked": lambda: through_book(saved),
            "acreage: asked again of a book in memory": lambda: select(book.offers, ASKED),
        }
        assert abs(plain_scan(table) - through_book(table)) < 1e-6
        taken = {name: seconds(work) for name, work in answers.items()}
        base = taken["csv module, no checks"]
        for name, each in taken.items():
            print(f"{name:45s} {each:8.3f} s   {each / base:6.2f} x the csv module")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
