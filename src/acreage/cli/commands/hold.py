"""`acreage hold`: claims on delivered capacity."""

import sys
from pathlib import Path
from typing import Any

import click

from acreage.cli.books import EXIT_REFUSED, agreed, change, changing, key_of, numbered, opened, reading, say
from acreage.cli.lazy import load
from acreage.units.errors import InputError


@click.group("hold")
def hold() -> None:
    """Hold delivered accelerators for jobs and sublessees; nothing is ever held twice."""


@hold.command("place")
@click.option("--pool", help="The pool.")
@click.option("--accelerators", type=int, help="How many.")
@click.option("--from", "from_", metavar="TIME", help="From when: a date or an ISO date-time.")
@click.option("--until", metavar="TIME", help="Until when.")
@click.option("--for", "length", metavar="LENGTH", help="For how long, instead of --until: 72h, 14d.")
@click.option("--holder", help="The job or sublessee.")
@click.option("--timeout", metavar="LENGTH", help="Hold it pending for so long, until it is posted: 15m.")
@click.option("--file", "file", type=click.Path(path_type=Path), help="A CSV file of requests instead.")
@click.option("--together", is_flag=True, help="Place all requests of the file or none.")
@changing
def place(file: Path | None, together: bool, **options: Any) -> None:
    """Place a hold, or those of a CSV file with columns pool, accelerators, from, until or for, holder, timeout, key.

    A hold that does not fit is refused with what is free instead, and exit code 2.
    """
    ledger = opened(options, make=False)
    flow = load("acreage.flow.books_holds")
    requests = flow.requests_of(ledger, file) if file else [_request(flow, ledger, options)]
    lines = numbered(flow.rehearsed(ledger, requests, together))
    if not agreed(options, lines):
        return
    answers = flow.place(ledger, requests, together)
    load("acreage.flow.books").finish(ledger)
    say(options, flow.placed(answers), {"dry_run": False, "plan": lines})
    refused = flow.refused(answers)
    if refused:
        click.echo("\n".join(f"error: {line}" for line in refused), err=True)
        sys.exit(EXIT_REFUSED)


def _request(flow: Any, ledger: Any, options: dict[str, Any]) -> Any:
    for name in ("pool", "accelerators", "from_", "holder"):
        if options[name] is None:
            raise InputError(f"--{name.rstrip('_')} is missing", fix="see `acreage hold place --help`")
    names = ("pool", "accelerators", "from_", "until", "length", "holder", "timeout")
    return flow.request(key=key_of(options, ledger), **{name: options[name] for name in names})


@hold.command("post")
@click.argument("hold_id", metavar="HOLD")
@click.option("--accelerators", type=int, help="A part of it; the rest is given back.")
@changing
def post(hold_id: str, accelerators: int | None, **options: Any) -> None:
    """Make a pending hold firm."""
    _settle(options, "post", hold_id, accelerators, None)


@hold.command("void")
@click.argument("hold_id", metavar="HOLD")
@changing
def void(hold_id: str, **options: Any) -> None:
    """Give a pending hold back."""
    _settle(options, "void", hold_id, None, None)


@hold.command("release")
@click.argument("hold_id", metavar="HOLD")
@click.option("--at", metavar="TIME", help="From when. Default: now.")
@changing
def release(hold_id: str, at: str | None, **options: Any) -> None:
    """Give the rest of a posted hold back."""
    _settle(options, "release", hold_id, None, at)


@hold.command("show")
@click.argument("hold_id", metavar="HOLD")
@reading
def show(hold_id: str, **options: Any) -> None:
    """Show one hold and its breaches."""
    ledger = opened(options, make=False)
    say(options, load("acreage.flow.books_holds").shown(ledger, hold_id))


@hold.command("list")
@click.option("--pool", help="Only of this pool.")
@click.option("--holder", help="Only of this holder.")
@click.option("--state", "states", multiple=True, help="Only in this state; may be repeated.")
@click.option("--active", is_flag=True, help="Only those that claim capacity at the asked instant.")
@reading
def list_(pool: str | None, holder: str | None, states: tuple[str, ...], active: bool, **options: Any) -> None:
    """List holds."""
    ledger = opened(options, make=False)
    when = load("acreage.flow.books").as_of(ledger, options["as_of"], options["known_at"])
    flow = load("acreage.flow.books_holds")
    say(options, flow.listed(ledger, when, pool=pool, holder=holder, states=states, active=active))


def _settle(options: dict[str, Any], how: str, hold_id: str, accelerators: int | None, at: str | None) -> None:
    ledger = opened(options, make=False)
    flow = load("acreage.flow.books_holds")
    work = flow.settle(ledger, how, hold_id, key_of(options, ledger), accelerators, at)
    change(ledger, options, [work], lambda: flow.shown(ledger, hold_id))
