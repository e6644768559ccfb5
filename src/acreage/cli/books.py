"""What the ledger's commands share: options, how a change is planned, asked for and made, how rows are shown."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from acreage.cli.lazy import load
from acreage.units.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])

EXIT_REFUSED = 2

_LEDGER = click.option(
    "--ledger",
    metavar="ADDRESS",
    help="SQLite file or postgresql:// address. Default: $ACREAGE_LEDGER, else acreage.db.",
)
_OUTPUT = click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)


def reading(command: F) -> F:
    """Options of a command that only reads."""
    known = click.option("--known-at", metavar="DATE", help="Leave out what was recorded later. Default: everything.")
    at = click.option("--as-of", metavar="DATE", help="The instant asked about, a date or ISO date-time. Default: now.")
    return _LEDGER(at(known(_OUTPUT(command))))


def changing(command: F) -> F:
    """Options of a command that writes."""
    yes = click.option("--yes", is_flag=True, help="Do not ask.")
    dry = click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
    key = click.option(
        "--key", help="Idempotency key: the same key again returns the first answer. Default: a new one."
    )
    return _LEDGER(key(dry(yes(_OUTPUT(command)))))


def opened(options: dict[str, Any], *, make: bool) -> Any:
    """The books that the options name; with `make` they are made if there are none, but not on --dry-run."""
    dry = bool(options.get("dry_run"))
    return load("acreage.flow.books").open_books(options["ledger"], make=make and not dry, scratch=make and dry)


def key_of(options: dict[str, Any], ledger: Any) -> str:
    """The key given, or a new one."""
    return str(options["key"] or ledger.new_id())


def change(
    ledger: Any, options: dict[str, Any], works: Sequence[Callable[[], object]], show: Callable[[], Any]
) -> None:
    """Print the numbered plan, ask, make the changes one by one, and show what then stands.

    `show` returns the listings. Nothing is written on --dry-run, on no, or where one of them cannot be made.
    """
    books = load("acreage.flow.books")
    steps = books.steps_of(ledger, works)
    lines = numbered([step.line for step in steps])
    if not agreed(options, lines):
        return
    for step in steps:
        step.work()
    books.finish(ledger)
    say(options, show(), {"dry_run": False, "plan": lines})


def numbered(lines: Sequence[str]) -> list[str]:
    """The lines of a plan with their numbers."""
    return [f"{i}. {line}" for i, line in enumerate(lines, 1)]


def agreed(options: dict[str, Any], lines: Sequence[str]) -> bool:
    """Print a numbered plan and ask whether to make it so; False on --dry-run, which only looks."""
    as_json = options["output"] == "json"
    if not as_json:
        click.echo("\n".join(lines))
    if options["dry_run"]:
        document = json.dumps({"dry_run": True, "plan": list(lines)}, indent=2)
        click.echo(document if as_json else "nothing was written (--dry-run)")
        return False
    agree(options, as_json, lines)
    return True


def agree(options: dict[str, Any], as_json: bool, lines: Sequence[str]) -> None:
    """Ask whether to go on, unless --yes; raises `InputError` where nobody can be asked."""
    if options["yes"]:
        return
    if not sys.stdin.isatty():
        raise InputError(
            "a change asks first, and there is no terminal to ask on", fix="add --yes, or --dry-run to look"
        )
    if as_json:
        click.echo("\n".join(lines), err=True)
    click.confirm("write this?", abort=True, err=True)


def say(options: dict[str, Any], listings: Any, more: dict[str, Any] | None = None) -> None:
    """Show listings as JSON or as tables."""
    found = listings if isinstance(listings, list | tuple) else [listings]
    if options["output"] == "json":
        click.echo(json.dumps((more or {}) | {listing.kind: list(listing.rows) for listing in found}, indent=2))
        return
    text = load("acreage.flow.books_text").listing_text
    click.echo("\n\n".join(text(listing) for listing in found))
