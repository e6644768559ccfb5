"""`acreage lease`: leases from proposal to their end."""

from pathlib import Path
from typing import Any

import click

from acreage.cli.books import change, changing, key_of, opened, reading, say
from acreage.cli.lazy import load


@click.group("lease")
def lease() -> None:
    """Propose, sign, amend, deliver and end leases, and look at them."""


@lease.command("template")
def template() -> None:
    """Print a commented contract file to start from."""
    click.echo(load("acreage.portfolio.contract_file").contract_starter().rstrip())


@lease.command("list")
@click.option("--state", "states", multiple=True, help="Only leases in this state; may be repeated.")
@reading
def list_(states: tuple[str, ...], **options: Any) -> None:
    """List leases and where they stand."""
    ledger = opened(options, make=False)
    when = load("acreage.flow.books").as_of(ledger, options["as_of"], options["known_at"])
    say(options, load("acreage.flow.books_leases").listed(ledger, when, states))


@lease.command("show")
@click.argument("lease_id", metavar="LEASE")
@reading
def show(lease_id: str, **options: Any) -> None:
    """Show one lease: its terms, what it promised and delivered, and every fact about it."""
    ledger = opened(options, make=False)
    when = load("acreage.flow.books").as_of(ledger, options["as_of"], options["known_at"])
    flow = load("acreage.flow.books_leases")
    if options["output"] == "text":
        click.echo(flow.terms_text(ledger, lease_id, when))
    say(options, flow.shown(ledger, lease_id, when))


@lease.command("propose")
@click.argument("file", type=click.Path(path_type=Path))
@changing
def propose(file: Path, **options: Any) -> None:
    """Write the leases of a contract FILE (YAML) as Proposed; its spend commitments are signed at once.

    `acreage lease template` prints such a file, `acreage schema contract` its schema.
    """
    ledger = opened(options, make=True)
    flow = load("acreage.flow.books_leases")
    works, ids = flow.proposals(ledger, file, options["key"])
    change(ledger, options, works, lambda: flow.of_ids(ledger, ids))


@lease.command("sign")
@click.argument("lease_id", metavar="LEASE")
@click.option("--at", metavar="DATE", help="The day it was signed, if not today.")
@changing
def sign(lease_id: str, at: str | None, **options: Any) -> None:
    """Sign a proposed lease."""
    _step(options, lease_id, lambda flow, ledger, key: flow.sign(ledger, lease_id, at, key))


@lease.command("amend")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--effective", required=True, metavar="DATE", help="From when the new terms hold.")
@click.option("--reason", default="", help="Why, for the record.")
@changing
def amend(file: Path, effective: str, reason: str, **options: Any) -> None:
    """Replace the terms of a lease by those in a contract FILE with one lease, from a day on."""
    ledger = opened(options, make=False)
    flow = load("acreage.flow.books_leases")
    work, lease_id = flow.amendment(ledger, file, effective, reason, key_of(options, ledger))
    change(ledger, options, [work], lambda: flow.of_ids(ledger, [lease_id]))


@lease.command("deliver")
@click.argument("lease_id", metavar="LEASE")
@click.option("--accelerators", type=int, help="How many are handed over; negative: taken back.")
@click.option("--at", metavar="DATE", help="From when. A day ahead announces the delivery.")
@click.option(
    "--corrects", default="", metavar="DELIVERY", help="The delivery this one replaces, if it slipped or shrank."
)
@click.option("--retract", metavar="DELIVERY", help="Take a delivery back that never was, instead.")
@changing
def deliver(
    lease_id: str, accelerators: int | None, at: str | None, corrects: str, retract: str | None, **options: Any
) -> None:
    """Record a delivery of a lease, or capacity taken back; names the holds that this leaves in breach."""
    ledger = opened(options, make=False)
    flow, key = load("acreage.flow.books_leases"), key_of(options, ledger)
    work = flow.delivery(ledger, lease_id, accelerators, at, corrects, retract, key)
    change(ledger, options, [work], lambda: flow.after_delivery(ledger, lease_id, key))


@lease.command("cancel")
@click.argument("lease_id", metavar="LEASE")
@click.option("--at", metavar="DATE", help="When it ends. Default: now.")
@click.option("--reason", default="", help="Why, for the record.")
@changing
def cancel(lease_id: str, at: str | None, reason: str, **options: Any) -> None:
    """End a lease before its term; names the holds that this leaves in breach."""
    _step(options, lease_id, lambda flow, ledger, key: flow.cancel(ledger, lease_id, at, reason, key))


@lease.command("supersede")
@click.argument("lease_id", metavar="LEASE")
@click.option("--by", "successor", required=True, metavar="LEASE", help="The lease that takes its place.")
@click.option("--at", metavar="DATE", help="When. Default: now.")
@click.option("--reason", default="", help="Why, for the record.")
@changing
def supersede(lease_id: str, successor: str, at: str | None, reason: str, **options: Any) -> None:
    """End a lease because another takes its place."""
    _step(options, lease_id, lambda flow, ledger, key: flow.supersede(ledger, lease_id, successor, at, reason, key))


def _step(options: dict[str, Any], lease_id: str, work_of: Any) -> None:
    ledger = opened(options, make=False)
    flow, key = load("acreage.flow.books_leases"), key_of(options, ledger)
    change(ledger, options, [work_of(flow, ledger, key)], lambda: flow.after_step(ledger, lease_id, key))
