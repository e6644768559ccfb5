"""Answers `acreage prices`: reads the book, asks it, and puts the answer into words, JSON or CSV."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from acreage.catalog.accelerators import resolve
from acreage.catalog.book import load_book
from acreage.catalog.query import Query, Selection, select
from acreage.domain.price import PriceKind
from acreage.flow.text_table import text_table
from acreage.units.errors import InputError
from acreage.units.instants import Instant, iso_date
from acreage.units.money import scaled, usd_text

SCHEMA = "acreage.prices.v1"
SORTS: Mapping[str, tuple[str, ...]] = {
    "price": ("usd_per_accelerator_hour",),
    "value": ("usd_per_effective_pflop_hour", "usd_per_accelerator_hour"),
    "age": ("age_days", "usd_per_accelerator_hour"),
    "provider": ("provider", "usd_per_accelerator_hour"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAnswer:
    """What was asked, what was found, and the day from which ages count; `shown` are the rows to show."""

    query: Query
    selection: Selection
    shown: pl.DataFrame
    today: Instant


def answer_prices(
    query: Query,
    *,
    today: Instant,
    books: Sequence[str] = (),
    contracts: Sequence[str] = (),
    snapshot: bool = True,
    sort: str = "price",
    limit: int | None = None,
) -> PriceAnswer:
    """Read the book and answer the query. Raises `InputError` for what cannot be read or is not known."""
    if sort not in SORTS:
        raise InputError(f"cannot sort by {sort!r}", fix=f"write one of {', '.join(SORTS)}")
    query = replace(query, accelerator=resolve(query.accelerator))
    book = load_book(today=today, feeds=books, contracts=contracts, snapshot=snapshot)
    selection = select(book.offers, query)
    ordered = selection.offers.sort(*SORTS[sort], maintain_order=True, nulls_last=True)
    shown = ordered if limit is None else ordered.head(limit)
    return PriceAnswer(query=query, selection=selection, shown=shown, today=today)


def as_json(answer: PriceAnswer) -> str:
    """The answer as JSON of catalog/prices.schema.json: prices are decimal strings."""
    query, found = answer.query, answer.selection
    content = {
        "schema": SCHEMA,
        "as_of": iso_date(answer.today),
        "query": {
            "accelerator": query.accelerator,
            "accelerators_per_instance": query.count,
            "region": query.region,
            "providers": list(query.providers),
            "price_kinds": [kind.value for kind in query.kinds],
            "age_days_max": query.age_days_max,
        },
        "mfu_frac": query.mfu_frac,
        "precision": found.precision or None,
        "found": found.offers.height,
        "unknown": found.unknown,
        "rejected": found.rejected,
        "out_of_scope": found.superseded,
        "covered_by_contract": found.covered_by_contract,
        "too_old": found.too_old,
        "offers": [_offer(row) for row in answer.shown.iter_rows(named=True)],
    }
    return json.dumps(content, indent=2)


def _offer(row: Mapping[str, object]) -> dict[str, object]:
    amount, chips = row["price_micro_usd_per_unit_hour"], row["accelerators_per_unit"]
    assert isinstance(amount, int)
    assert isinstance(chips, int)
    by_chip = row["price_basis"] == "accelerator_hour"
    value = row["usd_per_effective_pflop_hour"]
    return {
        "provider": row["provider"],
        "region": row["region"],
        "zone": row["zone"] or None,
        "instance_type": row["instance_type"] or None,
        "accelerator": row["accelerator"],
        "accelerators_per_instance": None if by_chip else chips,
        "price_basis": row["price_basis"],
        "price_kind": row["price_kind"],
        "terms": row["terms"] or None,
        "usd_per_instance_hour": None if by_chip else usd_text(amount),
        "usd_per_accelerator_hour": usd_text(scaled(amount, 1, chips)),
        "usd_per_effective_pflop_hour": None if value is None else f"{value:.6f}",
        "as_of": _as_of(row) or None,
        "age_days": row["age_days"],
        "valid_until": None if row["valid_until"] is None else str(row["valid_until"]),
        "source": row["source"],
        "file": row["file"],
        "row": row["row"],
    }


def as_csv(answer: PriceAnswer) -> str:
    """The answer as CSV, with the columns of the JSON offers."""
    rows = [_offer(row) for row in answer.shown.iter_rows(named=True)]
    names = list(rows[0]) if rows else []
    columns = {name: [None if row[name] is None else str(row[name]) for row in rows] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String)).write_csv()


def as_table(answer: PriceAnswer) -> str:
    """The answer for people: a table, cheapest first, and below it what is not in the table and why."""
    return "\n".join([*_rows(answer), *_notes(answer)])


def _rows(answer: PriceAnswer) -> list[str]:
    if answer.shown.is_empty():
        return ["No price found."]
    header = (
        "provider",
        "region",
        "instance",
        "n",
        "kind",
        "USD/acc-h",
        "USD/PFLOP-h",
        "as of",
        "age",
        "source",
    )
    right = frozenset(("n", "USD/acc-h", "USD/PFLOP-h", "age"))
    return text_table(header, [_cells(row) for row in answer.shown.iter_rows(named=True)], right=right)


def _cells(row: Mapping[str, object]) -> tuple[str, ...]:
    value, age = row["usd_per_effective_pflop_hour"], row["age_days"]
    by_chip = row["price_basis"] == "accelerator_hour"
    return (
        str(row["provider"]),
        str(row["zone"] or row["region"]),
        str(row["instance_type"] or "-"),
        "any" if by_chip else str(row["accelerators_per_unit"]),
        " ".join(part for part in (str(row["price_kind"]), str(row["terms"])) if part),
        f"{row['usd_per_accelerator_hour']:.3f}",
        "-" if value is None else f"{value:.3f}",
        _as_of(row) or "unknown",
        "?" if age is None else f"{age} d",
        str(row["source"]),
    )


def _as_of(row: Mapping[str, object]) -> str:
    if row["as_of"] is None:
        return ""
    return str(row["as_of"])[:4] if row["as_of_precision"] == "year" else str(row["as_of"])


def _notes(answer: PriceAnswer) -> list[str]:
    query, found = answer.query, answer.selection
    notes = [""]
    if found.offers.is_empty():
        notes.append(
            f"{_asked(query)} has no price here: it lives by contract price (--contract FILE)"
            " or by a feed of your own (--book FILE)."
        )
    elif answer.shown.height < found.offers.height:
        notes.append(f"{answer.shown.height} of {found.offers.height} prices shown; --limit 0 shows all.")
    if found.precision:
        notes.append(
            f"Effective PFLOP-hour: peak dense {found.precision} x {query.mfu_frac:.0%} MFU."
            " Ages count from " + iso_date(answer.today) + "."
        )
    if query.count is not None:
        notes.append(f"{_asked(query)} means exactly {query.count} in one instance; write {query.accelerator} for any.")
    if "global" in answer.shown["region"]:
        notes.append("Region global: one price list for all of the provider's sites.")
    left_out = (
        (found.unknown, "price unknown"),
        (found.rejected, "rejected as wrong"),
        (found.superseded, "out of scope (older, repeated or not in force)"),
        (found.covered_by_contract, "covered by a contract of yours"),
        (found.too_old, "older than asked for or undated"),
    )
    parts = [f"{count} {words}" for count, words in left_out if count]
    if parts:
        notes.append(f"Not shown: {'; '.join(parts)}. `acreage check` says why.")
    return notes


def _asked(query: Query) -> str:
    return query.accelerator if query.count is None else f"{query.accelerator}:{query.count}"


def price_kinds(names: Sequence[str], *, spot: bool) -> tuple[PriceKind, ...]:
    """The kinds asked for: spot alone, those named, `all` of them, or those one pays without a commitment."""
    if spot:
        return (PriceKind.SPOT,)
    if "all" in names:
        return tuple(PriceKind)
    return tuple(PriceKind(name) for name in names) if names else Query(accelerator="").kinds
