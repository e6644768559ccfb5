"""The books in the formats of others: FOCUS, Beancount, calendars, and tables as CSV, Parquet or one workbook."""

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from acreage.domain.contract import Side
from acreage.flow.books_columns import Listing
from acreage.flow.books_listings import (
    account_rows,
    balance_rows,
    commitment_rows,
    day_rows,
    delivery_rows,
    fact_rows,
    hold_rows,
    holds,
    lease_rows,
    match_rows,
    upcoming,
)
from acreage.ledger.billing import focus_rows
from acreage.ledger.contracts import commitments, leases
from acreage.ledger.entries import transactions
from acreage.ledger.exports.beancount import beancount_text
from acreage.ledger.exports.calendar import ics
from acreage.ledger.facts import BILL, FactKind
from acreage.ledger.focus.reading import rows_of_text
from acreage.ledger.focus.writing import contract_commitments, cost_and_usage, with_old_names, write_focus
from acreage.ledger.ledger import Ledger
from acreage.ledger.statements import AsOf, deliveries_by_lease, four_way_match, retractions
from acreage.report.tables import write_tables
from acreage.units.errors import InputError, Place

Write = Callable[[Ledger, AsOf, Path], int]


def export(ledger: Ledger, when: AsOf, format_: str, path: Path) -> int:
    """Write the books in a format; returns how many rows, entries or events there are. Raises `InputError`."""
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        return FORMATS[format_](ledger, when, path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", place=Place(file=str(path))) from None


def listings(ledger: Ledger, when: AsOf) -> dict[str, Listing]:
    """Every table of the books by name."""
    facts = (
        fact
        for chain in ledger.journal.chains()
        for fact in ledger.journal.read(chain)
        if fact.recorded_at <= when.known_at
    )
    match = match_rows(four_way_match(ledger, when))
    found = [
        lease_rows(ledger, when),
        delivery_rows(deliveries_by_lease(ledger, when, leases(ledger, when.at, when.known_at))),
        hold_rows(holds(ledger, when)),
        balance_rows(ledger, when),
        account_rows(ledger, when),
        *commitment_rows(ledger, when),
        *match,
        day_rows(upcoming(ledger, when)),
        fact_rows(facts),
    ]
    return {listing.kind: listing for listing in found}


def charges_frame(ledger: Ledger, when: AsOf) -> pl.DataFrame:
    """What we were charged as FOCUS rows: without what was taken back, and what we invoiced for leases that we let."""
    gone = list(retractions(ledger))
    let = [v.id for v in leases(ledger, when.at, when.known_at) if v.contract.side is Side.LET]
    columns = ("id", "subject", "recorded_at", "body")
    chains = ledger.journal.chains(BILL)
    bodies = [
        body
        for frame in ledger.journal.columns(columns, chains, kinds=(FactKind.CHARGE_INVOICED.value,))
        for body in frame.filter(
            (pl.col("recorded_at") <= when.known_at) & ~pl.col("id").is_in(gone) & ~pl.col("subject").is_in(let)
        )["body"]
    ]
    return rows_of_text(focus_rows(iter(bodies)))


def _focus(version: str, *, old_names: bool = False) -> Write:
    def write(ledger: Ledger, when: AsOf, path: Path) -> int:
        frame = cost_and_usage(charges_frame(ledger, when), version)
        write_focus(with_old_names(frame) if old_names else frame, path)
        return len(frame)

    return write


def _contract_commitments(ledger: Ledger, when: AsOf, path: Path) -> int:
    held = [(view.contract, view.state) for view in leases(ledger, when.at, when.known_at)]
    frame = contract_commitments(held, tuple(commitments(ledger, when.at, when.known_at).values()))
    write_focus(frame, path)
    return len(frame)


def _beancount(ledger: Ledger, when: AsOf, path: Path) -> int:
    contracts = {view.id: view.contract for view in leases(ledger, when.at, when.known_at)}
    facts = (
        f for chain in ledger.journal.chains(BILL) for f in ledger.journal.read(chain) if f.recorded_at <= when.known_at
    )
    made = list(transactions(facts, contracts))
    path.write_text(beancount_text(made, title="Acreage"), encoding="utf-8")
    return len(made)


def _ics(ledger: Ledger, when: AsOf, path: Path) -> int:
    found = upcoming(ledger, when)
    path.write_bytes(ics(found, stamped_at=ledger.clock()))
    return len(found)


def _tables(format_: str) -> Write:
    def write(ledger: Ledger, when: AsOf, path: Path) -> int:
        tables: Mapping[str, pl.DataFrame] = {name: listing.frame() for name, listing in listings(ledger, when).items()}
        write_tables(tables, path, format_)
        return sum(len(frame) for frame in tables.values())

    return write


FORMATS: Mapping[str, Write] = {
    "focus-1.0": _focus("1.0"),
    "focus-1.0-validator": _focus("1.0", old_names=True),
    "focus-1.2": _focus("1.2"),
    "focus-1.3": _contract_commitments,
    "beancount": _beancount,
    "ics": _ics,
    "csv": _tables("csv"),
    "parquet": _tables("parquet"),
    "xlsx": _tables("xlsx"),
}
"""What writes each format: a file, or a folder of tables for csv and parquet."""
