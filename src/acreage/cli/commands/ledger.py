"""`acreage ledger`: the books as a whole."""

import sys
from pathlib import Path
from typing import Any

import click

from acreage.cli.books import opened, reading, say
from acreage.cli.lazy import load

FORMATS = ("focus-1.0", "focus-1.0-validator", "focus-1.2", "focus-1.3", "beancount", "ics", "csv", "parquet", "xlsx")
EXIT_FLAWED = 1


@click.group("ledger")
def ledger() -> None:
    """Verify the books, export them, and ask how they stood at any time."""


@ledger.command("status")
@reading
def status(**options: Any) -> None:
    """Show where everything stands: leases, pools, commitments, accounts, the deadlines of the next 90 days."""
    books = opened(options, make=False)
    when = load("acreage.flow.books").as_of(books, options["as_of"], options["known_at"])
    say(options, load("acreage.flow.books_status").status(books, when))


@ledger.command("asof")
@click.argument("date", metavar="DATE")
@reading
def asof(date: str, **options: Any) -> None:
    """Show where everything stood at DATE; --known-at leaves out what was recorded later than that."""
    books = opened(options, make=False)
    when = load("acreage.flow.books").as_of(books, date, options["known_at"])
    say(options, load("acreage.flow.books_status").status(books, when))


@ledger.command("balance")
@reading
def balance(**options: Any) -> None:
    """Show capacity by pool (late, idle, held unused, used) and money by provider."""
    books = opened(options, make=False)
    when = load("acreage.flow.books").as_of(books, options["as_of"], options["known_at"])
    rows = load("acreage.flow.books_listings")
    say(options, [rows.balance_rows(books, when), rows.account_rows(books, when)])


@ledger.command("facts")
@click.option("--chain", default="", help="Only chains whose names begin so: pool:, lease:ID, bill:aws.")
@click.option("--last", type=click.IntRange(0), default=50, show_default=True, help="The newest so many; 0: all.")
@reading
def facts(chain: str, last: int, **options: Any) -> None:
    """List facts as they were written."""
    books = opened(options, make=False)
    when = load("acreage.flow.books").as_of(books, options["as_of"], options["known_at"])
    say(options, load("acreage.flow.books_status").facts(books, when, chain, last))


@ledger.command("verify")
@reading
def verify(**options: Any) -> None:
    """Recompute every hash, walk every chain and anchor, and sweep holds against deliveries.

    Exit code 1 names the first fact of each chain that is not as it was written.
    """
    books = opened(options, make=False)
    flow = load("acreage.flow.books_status")
    with load("acreage.cli.progress").counting("verifying") as tell:
        verdict, flaws = flow.proven(books, tell)
    say(options, flaws)
    if options["output"] == "text":
        click.echo(f"{verdict.facts:,} facts in {verdict.chains} chains, {verdict.anchors} anchors")
    if verdict.flaws:
        sys.exit(EXIT_FLAWED)


@ledger.command("export")
@click.option("--format", "format_", type=click.Choice(FORMATS), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A file; for csv and parquet a folder.")
@reading
def export(format_: str, out: Path, **options: Any) -> None:
    """Write the books in a format of others.

    focus-1.0 and focus-1.2 are Cost and Usage (.csv or .parquet), focus-1.3 is Contract Commitment;
    focus-1.0-validator adds the five old names that version 1.0.0 of the public validator asks for.
    """
    books = opened(options, make=False)
    when = load("acreage.flow.books").as_of(books, options["as_of"], options["known_at"])
    with load("acreage.cli.progress").waiting("writing"):
        count = load("acreage.flow.books_export").export(books, when, format_, out)
    click.echo(f"{count:,} rows in {out}", err=options["output"] == "json")
