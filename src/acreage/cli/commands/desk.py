"""`acreage desk`: the lessor's side, from request to lease."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from acreage.cli.books import EXIT_REFUSED, agreed, change, changing, key_of, numbered, opened, say
from acreage.cli.lazy import load
from acreage.units.errors import InputError

_PROGRESS = "acreage.cli.progress"
_DESK = click.option(
    "--desk",
    "desk_file",
    type=click.Path(path_type=Path),
    help="The desk's document. Default: $ACREAGE_DESK, else desk.yaml.",
)
_AS = click.option(
    "--as", "role", default="desk", show_default=True, metavar="ROLE", help="Who looks: desk, lessee:NAME or auditor."
)
_LEDGER = click.option(
    "--ledger",
    metavar="ADDRESS",
    help="SQLite file or postgresql:// address. Default: $ACREAGE_LEDGER, else acreage.db.",
)
_OUTPUT = click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)


_TODAY = click.option(
    "--today",
    metavar="DATE",
    envvar="ACREAGE_TODAY",
    help="Pretend that it is this day, on books of a rehearsal. Default: $ACREAGE_TODAY, else the clock.",
)


def looking(command: Any) -> Any:
    """Options of a command that only looks; who looked is recorded."""
    return _DESK(_LEDGER(_AS(_TODAY(_OUTPUT(command)))))


def acting(command: Any) -> Any:
    """Options of a command that writes."""
    return _DESK(_AS(_TODAY(changing(command))))


@click.group("desk")
def desk() -> None:
    """Lease spare capacity beside an anchor tenant that is never failed: quote, admit, simulate, report."""


@desk.command("template")
def template() -> None:
    """Print a commented desk document to start from."""
    click.echo(load("acreage.portfolio.desk_starter").desk_starter().rstrip())


@desk.command("open")
@acting
def open_(desk_file: Path | None, role: str, **options: Any) -> None:
    """Put the desk's own capacity into the books, as its document says. Doing it again changes nothing."""
    room, viewer = _room(options, desk_file, role, make=True)
    viewer.must_be("desk")
    flow = load("acreage.flow.desk")
    _make(options, flow.opening_lines(room), lambda: flow.opening(room), room.ledger)
    if not options["dry_run"]:
        say(options, load("acreage.flow.desk_tables").protection(room, viewer, None, 30))


@desk.command("quote")
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[REQUEST]")
@click.option("--lessee", help="Who asks.")
@click.option("--tier", type=click.Choice(("contracted", "reserved", "on_demand", "spot")), help="How firm.")
@click.option("--pool", "pools", multiple=True, help="Where; may be repeated, the preferred one first.")
@click.option("--accelerator", default="", help="Any pool with this chip, instead of --pool.")
@click.option("--accelerators", type=int, help="How many.")
@click.option("--from", "from_", metavar="TIME", help="From when: a date or an ISO date-time.")
@click.option("--until", metavar="TIME", help="Until when.")
@click.option("--bid", default="", help="For example '3.40 USD/accelerator_hour'. Default: the desk names its price.")
@click.option("--key", help="Idempotency key: the same key of the same lessee returns the first answer.")
@click.option("--dry-run", is_flag=True, help="Answer without recording the quote.")
@looking
def quote(file: Path | None, key: str | None, dry_run: bool, desk_file: Path | None, role: str, **options: Any) -> None:
    """Answer a request, from a REQUEST file or from options: accept, counter or refuse, with the reason.

    The answer is recorded and stands until it lapses; `acreage desk admit` makes it a lease.
    A request that is refused ends with exit code 2.
    """
    room, viewer = _room(options, desk_file, role)
    flow = load("acreage.flow.desk_quotes")
    request = flow.request_from_file(room, file) if file else _request(flow, room, viewer, options)
    logged = flow.quoted(room, request, viewer, key, write=not dry_run)
    _say_quote(options, flow, logged, viewer, {"dry_run": dry_run})
    if dry_run and options["output"] == "text":
        click.echo("nothing was written (--dry-run)")
    if flow.is_refused(logged):
        raise click.exceptions.Exit(EXIT_REFUSED)


def _request(flow: Any, room: Any, viewer: Any, options: dict[str, Any]) -> Any:
    names = ("lessee", "tier", "pools", "accelerator", "accelerators", "from_", "until", "bid")
    found = {name: options[name] for name in names}
    found["lessee"] = found["lessee"] or viewer.lessee or None
    for name in ("lessee", "tier", "accelerators", "from_", "until"):
        if found[name] is None:
            raise InputError(
                f"--{name.rstrip('_')} is missing", fix="name a REQUEST file, or see `acreage desk quote --help`"
            )
    return flow.request_from_options(room, **found)


@desk.command("admit")
@click.argument("quote_id", metavar="QUOTE")
@click.option(
    "--counter", "number", type=int, default=0, help="Take this counter-offer instead of the terms asked for."
)
@acting
def admit(quote_id: str, number: int, desk_file: Path | None, role: str, **options: Any) -> None:
    """Make a quote a lease, one for each of its parts, with its capacity, or say why it cannot be.

    All are written in one record or nothing is: of two admissions for the last accelerators one wins.
    """
    room, viewer = _room(options, desk_file, role)
    viewer.must_be("desk", "lessee")
    quotes, flow = load("acreage.flow.desk_quotes"), load("acreage.flow.desk_admit")
    logged = quotes.found(room, quote_id, viewer, "admit")
    key = flow.key_for(viewer, key_of(options, room.ledger))
    lines = [f"1. {line}" for line in flow.rehearsed(room, logged, number, key, viewer)]
    if not agreed(options, lines):
        return
    done = flow.admit(room, logged, number, key)
    load("acreage.flow.books").finish(room.ledger)
    now = quotes.found(room, quote_id, viewer, "admitted")
    _say_quote(options, quotes, now, viewer, {"dry_run": False, "plan": lines})
    if not done.leases:
        click.echo(f"error: quote {quote_id} was not admitted: {done.told(viewer)}", err=True)
        raise click.exceptions.Exit(EXIT_REFUSED)


@desk.command("list")
@looking
def list_(desk_file: Path | None, role: str, **options: Any) -> None:
    """List quotes: all for the desk and the auditor, a lessee's own for a lessee."""
    room, viewer = _room(options, desk_file, role)
    flow = load("acreage.flow.desk_quotes")
    say(options, flow.shown(flow.listed(room, viewer), viewer)[:1])


@desk.command("show")
@click.argument("quote_id", metavar="QUOTE")
@looking
def show(quote_id: str, desk_file: Path | None, role: str, **options: Any) -> None:
    """Show one quote: what is offered and, for the desk and the auditor, why."""
    room, viewer = _room(options, desk_file, role)
    flow = load("acreage.flow.desk_quotes")
    _say_quote(options, flow, flow.found(room, quote_id, viewer, "show"), viewer, {})


@desk.command("recall")
@click.argument("lease_id", metavar="LEASE")
@click.option("--at", required=True, metavar="DATE", help="From when, its notice ahead at least.")
@acting
def recall(lease_id: str, at: str, desk_file: Path | None, role: str, **options: Any) -> None:
    """Take a recallable lease back from a day on, its notice ahead."""
    room, viewer = _room(options, desk_file, role)
    work = load("acreage.flow.desk_admit").recall(room, lease_id, at, viewer, key_of(options, room.ledger))
    change(room.ledger, options, [work], lambda: load("acreage.flow.books_leases").of_ids(room.ledger, [lease_id])[:1])


@desk.command("tables")
@click.option("--pool", help="Only this pool.")
@click.option(
    "--every", "every_days", type=click.IntRange(min=1), default=30, show_default=True, help="Every so many days."
)
@looking
def tables(pool: str | None, every_days: int, desk_file: Path | None, role: str, **options: Any) -> None:
    """Show what is kept for the anchor, what is free and what one more hour displaces, day by day."""
    room, viewer = _room(options, desk_file, role)
    say(options, load("acreage.flow.desk_tables").protection(room, viewer, pool, every_days))


@desk.command("learn")
@click.option(
    "--confidence",
    "confidence_frac",
    type=click.FloatRange(0.5, 1.0, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@looking
def learn(confidence_frac: float, desk_file: Path | None, role: str, **options: Any) -> None:
    """Show what the desk's own quotes teach: how many take a price, and which earns most over what it displaces.

    From requests that named no bid: taken where they were to be admitted, not where they lapsed. Where the log
    cannot tell, it says why. The document stays as it is.
    """
    room, viewer = _room(options, desk_file, role)
    say(options, load("acreage.flow.desk_learn").lessons(room, viewer, confidence_frac))


@desk.command("outcome")
@click.option("--since", metavar="DATE", help="From when. Default: the first quote.")
@click.option("--until", metavar="DATE", help="Until when. Default: the end of the last lease.")
@looking
def outcome(since: str | None, until: str | None, desk_file: Path | None, role: str, **options: Any) -> None:
    """Show what the desk's books came to: revenue, utilisation, spill, the anchor's shortfall.

    Beside it: first-come, first-served on the same requests, and the bound of who had known them all.
    """
    room, viewer = _room(options, desk_file, role)
    say(options, load("acreage.flow.desk_outcome").history(room, viewer, since, until))


@desk.command("simulate")
@click.option(
    "--desk",
    "desk_file",
    type=click.Path(path_type=Path),
    help="The desk's document. Default: $ACREAGE_DESK, else desk.yaml.",
)
@click.option("--from", "from_", metavar="DATE", help="The first day. Default: today.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same years.")
@click.option("--replications", type=int, default=20, show_default=True, help="How many years.")
@click.option(
    "--warm-up", "warm_days", type=int, default=90, show_default=True, help="Days before the year is measured."
)
@_OUTPUT
def simulate(
    desk_file: Path | None, from_: str | None, seed: int, replications: int, warm_days: int, output: str
) -> None:
    """Simulate years at the desk: its tables, first come first served, and the clairvoyant bound on the same arrivals.

    Starts from empty books and writes nothing. Intervals are of 95 %.
    """
    desk, flow = load("acreage.flow.desk"), load("acreage.flow.desk_outcome")
    document = desk.read_document(desk_file)
    at = desk.day_or_today(from_)
    with load(_PROGRESS).waiting("simulating"):
        found = flow.simulated(document, at, seed=seed, replications=replications, warm_days=warm_days)
    say({"output": output}, flow.outcome_listings(found))


@desk.command("rehearse")
@click.option("--days", type=click.IntRange(1, 1_830), default=365, show_default=True, help="How many days go by.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same days.")
@click.option(
    "--asking",
    "asking_frac",
    type=click.FloatRange(0.0, 1.0),
    default=0.0,
    show_default=True,
    help="Share of requests that name no bid, and take the price named if it is not above what they would have bid.",
)
@_DESK
@_LEDGER
@_TODAY
@_OUTPUT
def rehearse(days: int, seed: int, asking_frac: float, desk_file: Path | None, **options: Any) -> None:
    """Let made-up days of requests go through the desk, into new books: a year to look at before the first real one.

    Each request is quoted, and admitted where it is accepted; the anchor's calls are placed as holds.
    """
    room, _ = _room(options, desk_file, "desk", make=True)
    flow = load("acreage.flow.desk_rehearse")
    hands = flow.hands_of(room)
    with load(_PROGRESS).counting("rehearsing") as tell:
        asked = flow.rehearse(room, hands, days=days, seed=seed, asking_frac=asking_frac, tell=tell)
    load("acreage.flow.books").finish(room.ledger)
    found = {"requests": asked, "days": days, "ends": load("acreage.units.instants").iso_date(hands.now)}
    as_json = options["output"] == "json"
    text = f"{asked:,} requests in {days} days; it is now {found['ends']} in these books"
    click.echo(json.dumps(found) if as_json else text)


@desk.command("report")
@click.option("--out", type=click.Path(path_type=Path), default=Path("desk.html"), show_default=True, help="The file.")
@click.option(
    "--replications", type=int, default=10, show_default=True, help="Simulated years of other policies; 0: none."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The seed of the simulated years.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@looking
def report(
    out: Path, replications: int, seed: int, force: bool, desk_file: Path | None, role: str, **options: Any
) -> None:
    """Write the desk's page: capacity by tier, protection, bid prices, and every request with its reason."""
    room, viewer = _room(options, desk_file, role)
    with load(_PROGRESS).waiting("writing the page"):
        path = load("acreage.flow.desk_report").write_report(
            room, viewer, out, replications=replications, seed=seed, force=force
        )
    click.echo(json.dumps({"report": str(path)}) if options["output"] == "json" else f"wrote {path}")


@desk.command("trail")
@looking
def trail(desk_file: Path | None, role: str, **options: Any) -> None:
    """Show who looked at what; for the auditor and the desk."""
    room, viewer = _room(options, desk_file, role)
    say(options, load("acreage.flow.desk_quotes").trail(room, viewer))


def _say_quote(options: dict[str, Any], flow: Any, logged: Any, viewer: Any, more: dict[str, Any]) -> None:
    if options["output"] == "json":
        say(options, flow.shown([logged], viewer), more)
        return
    click.echo("\n".join(flow.said(logged, viewer)))


def _room(options: dict[str, Any], desk_file: Path | None, role: str, *, make: bool = False) -> tuple[Any, Any]:
    flow = load("acreage.flow.desk")
    viewer = flow.viewer(role)
    room = flow.open_desk(desk_file, opened(options, make=make))
    if options["today"]:
        room.ledger.clock = flow.standing_clock(options["today"])
    return room, viewer


def _make(options: dict[str, Any], lines: Sequence[str], works: Callable[[], Sequence[Any]], ledger: Any) -> None:
    """Print a numbered plan, ask, and do it."""
    if not agreed(options, numbered(lines)):
        return
    for work in works():
        work()
    load("acreage.flow.books").finish(ledger)
