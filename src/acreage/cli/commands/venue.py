"""`acreage venue`: an order book of accelerators x time that stands in the books."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from acreage.cli.books import F, change, changing, key_of, opened, reading, say
from acreage.cli.lazy import load

_FLOW, _ROWS = "acreage.flow.venue", "acreage.flow.venue_listings"
EXIT_DIFFERENCES = 1
_RECTANGLE = (
    click.option("--owner", required=True, help="Whose it is."),
    click.option("--product", required=True, help="A pool, or an accelerator where any pool will do."),
    click.option("--accelerators", type=int, required=True, help="How many."),
    click.option("--from", "from_", required=True, metavar="TIME", help="From when: a date or an ISO date-time."),
    click.option("--until", required=True, metavar="TIME", help="Until when."),
)
_ORDER = (
    *_RECTANGLE,
    click.option("--side", type=click.Choice(("buy", "sell")), required=True),
    click.option("--limit-usd", required=True, metavar="USD", help="At most, or at least, USD an accelerator-hour."),
    click.option(
        "--partial",
        type=click.Choice(("any", "quantity", "all-or-nothing")),
        default="any",
        show_default=True,
        help="What may be filled: any part, fewer accelerators over the whole window, or all or nothing.",
    ),
    click.option("--expires", metavar="TIME", help="Until when it stands. Default: until its window starts."),
    click.option("--id", "order_id", metavar="ORDER", help="The order's id. Default: a new one."),
)


def _with(options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    def wrap(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return wrap


@click.group("venue")
def venue() -> None:
    """Buy and sell accelerators x time on an order book that stands in the books.

    Capacity enters by deposit; orders match by price, then by time; what was bought can be sold on, whole or in part.
    """


@venue.command("open")
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@changing
def open_(name: str, description: str, **options: Any) -> None:
    """Open a venue."""
    ledger = opened(options, make=True)
    work = load(_FLOW).opening(ledger, name, description, key_of(options, ledger))
    change(ledger, options, [work], lambda: load(_ROWS).venues(ledger))


@venue.command("list")
@reading
def list_(**options: Any) -> None:
    """List venues and how they stand."""
    ledger, when = _look(options)
    say(options, load(_ROWS).venues(ledger, when))


@venue.command("deposit")
@click.argument("name")
@_with(_RECTANGLE)
@changing
def deposit(name: str, **options: Any) -> None:
    """Bring capacity that its owner holds elsewhere, so that it can be sold here.

    Capacity of a pool in these books is best held for the venue first: `acreage hold place`.
    """
    ledger = opened(options, make=False)
    work = load(_FLOW).deposit(ledger, name, options, key_of(options, ledger))
    change(ledger, options, [work], lambda: load(_ROWS).book(ledger, name))


@venue.command("post")
@click.argument("name")
@_with(_ORDER)
@changing
def post(name: str, **options: Any) -> None:
    """Place an order: it is matched with what stands, and what is left of it stands.

    With --dry-run it says what would be matched, and writes nothing.
    """
    ledger = opened(options, make=False)
    flow, key = load(_FLOW), key_of(options, ledger)
    order = flow.order_of(options, key)
    change(ledger, options, [flow.post(ledger, name, order, key)], lambda: load(_ROWS).posted(ledger, name, order))


@venue.command("quote")
@click.argument("name")
@_with(_ORDER)
@reading
def quote(name: str, **options: Any) -> None:
    """Say what an order would get at once, from whom and for how much. Nothing is written."""
    ledger, when = _look(options)
    say(options, load(_ROWS).quote(ledger, name, load(_FLOW).order_of(options, ledger.new_id()), when))


@venue.command("cancel")
@click.argument("name")
@click.argument("order")
@click.option("--owner", required=True, help="Whose it is.")
@changing
def cancel(name: str, order: str, owner: str, **options: Any) -> None:
    """Take what is left of ORDER off the book."""
    ledger = opened(options, make=False)
    work = load(_FLOW).cancel(ledger, name, order, owner, key_of(options, ledger))
    change(ledger, options, [work], lambda: load(_ROWS).book(ledger, name))


@venue.command("book")
@click.argument("name")
@click.option("--product", help="Only this one.")
@reading
def book(name: str, product: str | None, **options: Any) -> None:
    """Show standing orders, the best price of each side on top, and who holds what."""
    ledger, when = _look(options)
    say(options, load(_ROWS).book(ledger, name, when, product))


@venue.command("trades")
@click.argument("name")
@click.option("--owner", help="Only those of this buyer or seller.")
@reading
def trades(name: str, owner: str | None, **options: Any) -> None:
    """List what was traded, and whether it is settled."""
    ledger, when = _look(options)
    say(options, load(_ROWS).trades(ledger, name, when, owner))


@venue.command("settle")
@click.argument("name")
@click.argument("fill")
@click.option("--lease", is_flag=True, help="Propose it as a lease too: these are the buyer's books.")
@click.option("--accelerator", metavar="CHIP", help="With --lease: the chip, where the product is a pool.")
@changing
def settle(name: str, fill: str, lease: bool, accelerator: str | None, **options: Any) -> None:
    """Say that FILL was paid and handed over.

    With --lease it is a Proposed lease in these books as well, from the seller and at its price;
    `acreage lease sign` makes it firm.
    """
    ledger = opened(options, make=False)
    flow, key = load(_FLOW), key_of(options, ledger)
    works, ids = [flow.settle(ledger, name, fill, key)], []
    if lease:
        work, lease_id = flow.lease_of_fill(ledger, name, fill, accelerator, key)
        works, ids = [*works, work], [lease_id]
    of_ids = load("acreage.flow.books_leases").of_ids
    change(
        ledger,
        options,
        works,
        lambda: (load(_ROWS).trades(ledger, name), *(of_ids(ledger, ids)[:1] if ids else ())),
    )


@venue.command("audit")
@click.argument("name")
@reading
def audit(name: str, **options: Any) -> None:
    """Match every order again, on the book as it stood; exit code 1 names those that got other fills."""
    ledger, when = _look(options)
    found = load(_FLOW).audit(ledger, name, when)
    say(options, found)
    if found.rows:
        sys.exit(EXIT_DIFFERENCES)


def _look(options: dict[str, Any]) -> tuple[Any, Any]:
    ledger = opened(options, make=False)
    return ledger, load("acreage.flow.books").as_of(ledger, options["as_of"], options["known_at"])
