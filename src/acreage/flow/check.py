"""Answers `acreage check`: the doubts about prices, grouped by rule with examples, or as JSON."""

import json
from collections.abc import Sequence

import polars as pl

from acreage.catalog.book import STALE_AFTER_DAYS, PriceBook, load_book
from acreage.flow.text_table import text_table
from acreage.units.instants import Instant, iso_date

SCHEMA = "acreage.check.v1"
_SEVERITIES = ("error", "warning", "note")
_MESSAGE_CHARACTERS_MAX = 110


def check_feeds(
    paths: Sequence[str],
    *,
    today: Instant,
    contracts: Sequence[str] = (),
    snapshot: bool = True,
    stale_after_days: int = STALE_AFTER_DAYS,
) -> PriceBook:
    """Judge the snapshot and the given feeds together. Raises `InputError` for what cannot be read."""
    return load_book(
        today=today, feeds=paths, contracts=contracts, snapshot=snapshot, stale_after_days=stale_after_days
    )


def is_clean(book: PriceBook) -> bool:
    """Whether there is nothing worse than a note, for `--strict`."""
    return bool((book.doubts["severity"] == "note").all())


def as_table(book: PriceBook, *, examples: int = 3) -> str:
    """What became of the rows of each file, then the doubts by rule, worst first, each with examples."""
    return "\n".join([*_counts(book), "", *_summary(book), "", *_examples(book, examples), _closing(book)])


def _counts(book: PriceBook) -> list[str]:
    header = ("file", "read", "prices", "unknown", "rejected", "out of scope")
    names = ("file", "read", "price", "unknown", "rejected", "out_of_scope")
    rows = [tuple(str(row[name]) for name in names) for row in book.counts.iter_rows(named=True)]
    return text_table(header, rows, right=header[1:])


def _by_rule(book: PriceBook) -> pl.DataFrame:
    rank = pl.col("severity").replace_strict(
        {name: rank for rank, name in enumerate(_SEVERITIES)}, return_dtype=pl.Int64
    )
    grouped = book.doubts.group_by("severity", "rule").agg(count=pl.len())
    return grouped.sort(rank, -pl.col("count").cast(pl.Int64), "rule")


def _summary(book: PriceBook) -> list[str]:
    rows = [(row["severity"], row["rule"], str(row["count"])) for row in _by_rule(book).iter_rows(named=True)]
    return text_table(("severity", "rule", "rows"), rows, right=("rows",)) if rows else ["No doubts."]


def _examples(book: PriceBook, examples: int) -> list[str]:
    lines = []
    for group in _by_rule(book).iter_rows(named=True):
        found = book.doubts.filter((pl.col("rule") == group["rule"]) & (pl.col("severity") == group["severity"]))
        lines.append(f"{group['rule']} ({group['count']} {group['severity']})")
        for row in found.head(examples).iter_rows(named=True):
            place = f"{row['source']}:{row['row']}" if row["row"] else row["source"]
            lines.append(f"  {place}  {' '.join(row['subject'].split())}: {row['message'][:_MESSAGE_CHARACTERS_MAX]}")
        if found.height > examples:
            lines.append(f"  and {found.height - examples} more; -o json lists all")
    return [*lines, ""] if lines else []


def _closing(book: PriceBook) -> str:
    counts = {name: int((book.doubts["severity"] == name).sum()) for name in _SEVERITIES}
    said = ", ".join(f"{counts[name]} {name}{'' if counts[name] == 1 else 's'}" for name in _SEVERITIES)
    rest = "A row with an error is no price; it keeps its place in the book."
    return f"{said}. {rest} Ages as of {iso_date(book.today)}."


def as_json(book: PriceBook) -> str:
    """All doubts as JSON of catalog/check.schema.json."""
    content = {
        "schema": SCHEMA,
        "as_of": iso_date(book.today),
        "files": book.counts.to_dicts(),
        "rules": _by_rule(book).to_dicts(),
        "findings": book.doubts.to_dicts(),
    }
    return json.dumps(content, indent=2)
