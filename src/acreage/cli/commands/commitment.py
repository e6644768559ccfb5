"""`acreage commitment`: spend commitments, their drawdown and what they will still cost."""

from typing import Any

import click

from acreage.cli.books import opened, reading, say
from acreage.cli.lazy import load
from acreage.units.errors import InputError


@click.group("commitment")
def commitment() -> None:
    """Look at spend commitments; they are signed with `acreage lease propose`."""


@commitment.command("list")
@reading
def list_(**options: Any) -> None:
    """List spend commitments: drawn, burn rate, the next milestone and its shortfall at this rate."""
    ledger = opened(options, make=False)
    when = load("acreage.flow.books").as_of(ledger, options["as_of"], options["known_at"])
    say(options, load("acreage.flow.books_listings").commitment_rows(ledger, when)[0])


@commitment.command("show")
@click.argument("commitment_id", metavar="COMMITMENT")
@reading
def show(commitment_id: str, **options: Any) -> None:
    """Show one spend commitment with all its milestones."""
    ledger = opened(options, make=False)
    when = load("acreage.flow.books").as_of(ledger, options["as_of"], options["known_at"])
    columns = load("acreage.flow.books_columns")
    first, milestones = load("acreage.flow.books_listings").commitment_rows(ledger, when)
    if commitment_id not in [row["id"] for row in first.rows]:
        raise InputError(f"no commitment {commitment_id!r} is in the books then", fix="see `acreage commitment list`")
    shown = [row for row in first.rows if row["id"] == commitment_id]
    due = [row for row in milestones.rows if row["commitment"] == commitment_id]
    say(options, [columns.Listing(kind="commitments", rows=shown), columns.Listing(kind="milestones", rows=due)])
