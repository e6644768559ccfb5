"""What the invoice commands do: FOCUS files in, the match out, payments, disputes and corrections."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from acreage.domain.contract import Contract, Side
from acreage.domain.match import Match
from acreage.flow.books import Work
from acreage.flow.books_columns import Listing, Row
from acreage.flow.books_listings import match_rows
from acreage.ledger.billing import (
    assign_charge,
    close_dispute,
    import_charges,
    import_usage,
    open_dispute,
    record_payment,
    retract,
)
from acreage.ledger.contracts import leases
from acreage.ledger.facts import BILL, FactKind
from acreage.ledger.focus.reading import read_focus
from acreage.ledger.holds import UNTIL_MAX
from acreage.ledger.ledger import Ledger
from acreage.ledger.statements import AsOf, four_way_match
from acreage.report.tables import write_tables
from acreage.units.errors import InputError, Place
from acreage.units.ids import LeaseId, ProviderId
from acreage.units.instants import instant
from acreage.units.money import micro_usd, usd_text

AS = ("charges", "usage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A file as read, not in the books yet."""

    file: Path
    rows: pl.DataFrame


def read_bills(files: Sequence[Path]) -> list[Bill]:
    """Read FOCUS files; raises `InputError` before anything of any of them is written."""
    return [Bill(file=file, rows=read_focus(file)) for file in files]


def plan_of(bills: Sequence[Bill], as_: str) -> list[str]:
    """What importing would do, in words."""
    return [
        f"import {len(bill.rows):,} rows of {bill.file} as {as_}, those that are not in the books yet" for bill in bills
    ]


def import_bills(ledger: Ledger, bills: Sequence[Bill], as_: str) -> Listing:
    """Write the files into the books."""
    contracts = contracts_of(ledger)
    write = import_charges if as_ == "charges" else import_usage
    rows: list[Row] = []
    for bill in bills:
        try:
            done = write(ledger, bill.rows, contracts)
        except InputError as error:
            raise error.at(Place(file=str(bill.file))) from None
        rows.append(
            {
                "file": str(bill.file),
                "rows": done.rows,
                "new": done.new,
                "unmatched": done.unmatched,
                "usd": usd_text(done.billed_micro_usd),
            }
        )
    return Listing(kind="imports", rows=rows)


def contracts_of(ledger: Ledger) -> list[Contract]:
    """The contracts that charges may belong to: all in the books, whatever the day."""
    return [view.contract for view in leases(ledger, UNTIL_MAX)]


def match(ledger: Ledger, when: AsOf, lease: str | None, month: str | None) -> tuple[Match, tuple[Listing, ...]]:
    """The match and what is shown of it."""
    if month is not None:
        instant(f"{month}-01")
    found = four_way_match(ledger, when)
    return found, match_rows(found, lease=lease, month=month)


def summary(listings: Sequence[Listing]) -> str:
    """Findings added up by kind, for the end of the page."""
    findings = listings[1].frame()
    if not len(findings):
        return "nothing is wrong with what has been billed"
    sums = (
        findings.with_columns(pl.col("usd").cast(pl.Decimal(38, 6)))
        .group_by("kind", "remedy")
        .agg(pl.len().alias("n"), pl.col("usd").sum())
    )
    lines = [f"{n} x {kind} ({remedy}): {usd:,.2f} USD" for kind, remedy, n, usd in sums.sort("kind").iter_rows()]
    return "\n".join(lines)


def has_claims(listings: Sequence[Listing]) -> bool:
    """Whether anything is owed to us."""
    return any(row["remedy"] == "claim" for row in listings[1].rows)


def keep(listings: Sequence[Listing], path: Path) -> None:
    """Write the match as a table: .csv, .parquet, or a workbook with its findings."""
    frames = {listing.kind: listing.frame() for listing in listings}
    if path.suffix == ".xlsx":
        write_tables(frames, path, "xlsx")
    elif path.suffix == ".parquet":
        frames["match"].write_parquet(path)
    elif path.suffix == ".csv":
        frames["match"].write_csv(path)
    else:
        raise InputError(
            f"cannot write {path.suffix!r}", fix="name a .csv, .parquet or .xlsx file", place=Place(file=str(path))
        )


def assign(ledger: Ledger, charge: str, lease: str, key: str) -> Work:
    """The work of saying which lease a charge belongs to."""
    return partial(assign_charge, ledger, charge, LeaseId(lease), contracts_of(ledger), key=key)


def pay(
    ledger: Ledger, party: str, amount: str, at: str | None, invoice: str, key: str, *, received: bool = False
) -> Work:
    """The work of recording a payment to a provider, or one `received` from a lessee."""
    paid_at = ledger.clock() if at is None else instant(at)
    kind = FactKind.PAYMENT_RECEIVED if received else FactKind.PAYMENT_MADE
    if received and party not in {c.counterparty for c in contracts_of(ledger) if c.side is Side.LET}:
        raise InputError(f"no lease is let to {party!r}", fix="see `acreage lease list`")
    return partial(record_payment, ledger, party, micro_usd(amount), at=paid_at, key=key, invoice=invoice, kind=kind)


def dispute(ledger: Ledger, charge: str, amount: str, reason: str, key: str) -> Work:
    """The work of disputing a charge."""
    provider = _provider_of(ledger, charge, FactKind.CHARGE_INVOICED)
    return partial(open_dispute, ledger, provider, charge, micro_usd(amount), key=key, reason=reason)


def resolve(ledger: Ledger, dispute_id: str, credited: str, key: str) -> Work:
    """The work of closing a dispute."""
    provider = _provider_of(ledger, dispute_id, FactKind.DISPUTE_OPENED)
    return partial(close_dispute, ledger, provider, dispute_id, micro_usd(credited), key=key)


def take_back(ledger: Ledger, fact: str, reason: str, key: str) -> Work:
    """The work of taking back what should not be in the books."""
    return partial(retract, ledger, fact, key=key, reason=reason)


def _provider_of(ledger: Ledger, fact_id: str, kind: FactKind) -> ProviderId:
    fact = ledger.journal.with_ids([fact_id]).get(fact_id)
    if fact is None or fact.kind != kind:
        word = kind.value.replace("_", " ")
        raise InputError(
            f"no {word} {fact_id!r} is in the books", fix="see `acreage ledger facts --chain bill:PROVIDER`"
        )
    return ProviderId(fact.chain.removeprefix(BILL))
