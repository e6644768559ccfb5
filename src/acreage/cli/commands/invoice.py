"""`acreage invoice`: bills in, what is wrong with them out."""

import sys
from pathlib import Path
from typing import Any

import click

from acreage.cli.books import agreed, change, changing, key_of, numbered, opened, reading, say
from acreage.cli.lazy import load

_FLOW = "acreage.flow.books_bills"
_PROGRESS = "acreage.cli.progress"
EXIT_CLAIMS = 1


@click.group("invoice")
def invoice() -> None:
    """Import FOCUS bills and usage, match them with leases, deliveries and use, pay and dispute."""


@invoice.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "as_", type=click.Choice(("charges", "usage")), default="charges", show_default=True)
@changing
def import_(files: tuple[Path, ...], as_: str, **options: Any) -> None:
    """Import FOCUS 1.0 to 1.2 FILES (CSV, Parquet) as what was invoiced, or as what your own meters say was used.

    The same row is written once, however often it comes. Rows that match no lease are kept and listed by
    `acreage invoice match`.
    """
    ledger = opened(options, make=True)
    flow = load(_FLOW)
    with load(_PROGRESS).waiting("reading"):
        bills = flow.read_bills(files)
    lines = numbered(flow.plan_of(bills, as_))
    if not agreed(options, lines):
        return
    with load(_PROGRESS).waiting("writing"):
        done = flow.import_bills(ledger, bills, as_)
    load("acreage.flow.books").finish(ledger)
    say(options, done, {"dry_run": False, "plan": lines})


@invoice.command("match")
@click.option("--month", metavar="YYYY-MM", help="Only this month.")
@click.option("--lease", help="Only this lease.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the rows to a .csv, .parquet or .xlsx file too.")
@click.option("--strict", is_flag=True, help="Exit with code 1 if anything is owed to you.")
@reading
def match(month: str | None, lease: str | None, out: Path | None, strict: bool, **options: Any) -> None:
    """Compare leased, delivered, used and invoiced by lease and month, each mismatch with its money."""
    ledger = opened(options, make=False)
    when = load("acreage.flow.books").as_of(ledger, options["as_of"], options["known_at"])
    flow = load(_FLOW)
    with load(_PROGRESS).waiting("matching"):
        _, listings = flow.match(ledger, when, lease, month)
    if out is not None:
        flow.keep(listings, out)
    say(options, listings)
    if options["output"] == "text":
        click.echo(f"\n{flow.summary(listings)}")
    if strict and flow.has_claims(listings):
        sys.exit(EXIT_CLAIMS)


@invoice.command("assign")
@click.argument("charge", metavar="CHARGE")
@click.option("--lease", required=True, help="The lease it belongs to.")
@changing
def assign(charge: str, lease: str, **options: Any) -> None:
    """Say which lease a charge or metered use belongs to."""
    _do(options, lambda flow, ledger, key: flow.assign(ledger, charge, lease, key))


@invoice.command("pay")
@click.argument("provider", metavar="PROVIDER")
@click.option("--usd", "amount", required=True, help="How much; negative: paid back.")
@click.option("--at", metavar="DATE", help="When. Default: now.")
@click.option("--invoice", "number", default="", help="The invoice it pays.")
@changing
def pay(provider: str, amount: str, at: str | None, number: str, **options: Any) -> None:
    """Record a payment to PROVIDER."""
    _do(options, lambda flow, ledger, key: flow.pay(ledger, provider, amount, at, number, key))


@invoice.command("receive")
@click.argument("lessee", metavar="LESSEE")
@click.option("--usd", "amount", required=True, help="How much; negative: paid back.")
@click.option("--at", metavar="DATE", help="When. Default: now.")
@click.option("--invoice", "number", default="", help="The invoice it pays.")
@changing
def receive(lessee: str, amount: str, at: str | None, number: str, **options: Any) -> None:
    """Record a payment received for leases that are let to LESSEE."""
    _do(options, lambda flow, ledger, key: flow.pay(ledger, lessee, amount, at, number, key, received=True))


@invoice.command("dispute")
@click.argument("charge", metavar="CHARGE")
@click.option("--usd", "amount", required=True, help="How much of it.")
@click.option("--reason", required=True, help="Why.")
@changing
def dispute(charge: str, amount: str, reason: str, **options: Any) -> None:
    """Dispute a charge or a part of it."""
    _do(options, lambda flow, ledger, key: flow.dispute(ledger, charge, amount, reason, key))


@invoice.command("resolve")
@click.argument("dispute_id", metavar="DISPUTE")
@click.option("--credited-usd", "credited", required=True, help="How much was given back; 0 for nothing.")
@changing
def resolve(dispute_id: str, credited: str, **options: Any) -> None:
    """Close a dispute."""
    _do(options, lambda flow, ledger, key: flow.resolve(ledger, dispute_id, credited, key))


@invoice.command("retract")
@click.argument("fact", metavar="FACT")
@click.option("--reason", required=True, help="Why.")
@changing
def retract(fact: str, reason: str, **options: Any) -> None:
    """Take back a charge, use, payment or dispute that should not be in the books; it stays on record."""
    _do(options, lambda flow, ledger, key: flow.take_back(ledger, fact, reason, key))


def _do(options: dict[str, Any], work_of: Any) -> None:
    ledger = opened(options, make=False)
    key = key_of(options, ledger)
    work = work_of(load(_FLOW), ledger, key)
    change(ledger, options, [work], lambda: load("acreage.flow.books_status").written(ledger, key))
