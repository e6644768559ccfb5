"""`acreage rfq`: requests for quotes to several vendors, from asking to awarding."""

from pathlib import Path
from typing import Any

import click

from acreage.cli.books import change, changing, key_of, opened, say
from acreage.cli.lazy import load

_PATH = click.Path(path_type=Path)
_READ = (
    click.option("--ledger", metavar="ADDRESS", help="The books. Default: $ACREAGE_LEDGER, else acreage.db."),
    click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True),
)


def _reading(command: Any) -> Any:
    for option in _READ:
        command = option(command)
    return command


@click.group("rfq")
def rfq() -> None:
    """Ask several vendors for quotes; compare, counter and award their offers.

    create, send, import, compare, counter, send --next-round, import, award. Nothing that one vendor is
    sent tells of another; offers stay Proposed until leases are signed with `acreage lease sign`.
    """


@rfq.command("create")
@click.argument("file", type=_PATH, required=False)
@click.option("--plan", "plan_folder", type=_PATH, help="Ask for what this stored plan buys and misses, without FILE.")
@click.option("--id", "rfq_id", metavar="ID", help="With --plan: its id.")
@click.option("--vendor", "vendors", multiple=True, metavar="PROVIDER", help="With --plan: who is asked; repeat it.")
@click.option("--lot", "lots", multiple=True, metavar="LOT", help="With --plan: only this lot; may be repeated.")
@click.option("--title", default="", help="With --plan: what vendors read on top.")
@click.option("--disclosure", type=click.Choice(("sealed", "open")), default="sealed", show_default=True)
@click.option("--draft", is_flag=True, help="With --plan: print the request as a FILE to edit, and write nothing.")
@changing
def create(file: Path | None, plan_folder: Path | None, draft: bool, **options: Any) -> None:
    """Write a request for quotes into the books, from FILE (YAML) or from a plan's gap.

    `acreage schema rfq` prints the schema of FILE; `--plan FOLDER --draft` prints one to start from.
    """
    flow = load("acreage.flow.rfq_asking")
    asked = flow.requested(file, plan_folder, options)
    if draft:
        click.echo(flow.draft_text(asked).rstrip())
        return
    ledger = opened(options, make=True)
    work = flow.create(ledger, asked, key_of(options, ledger))
    change(ledger, options, [work], lambda: load("acreage.flow.rfq_books").shown(ledger, asked.id)[:3])


@rfq.command("list")
@_reading
def list_(**options: Any) -> None:
    """List requests and where they stand."""
    say(options, load("acreage.flow.rfq_books").listed(opened(options, make=False)))


@rfq.command("show")
@click.argument("rfq_id", metavar="RFQ")
@_reading
def show(rfq_id: str, **options: Any) -> None:
    """Show one request: lots, vendors, offers and everything that happened."""
    say(options, load("acreage.flow.rfq_books").shown(opened(options, make=False), rfq_id))


@rfq.command("send")
@click.argument("rfq_id", metavar="RFQ")
@click.option("--out", type=_PATH, required=True, help="Folder to write to: one folder a vendor in it.")
@click.option("--next-round", is_flag=True, help="Open another round; counters are told in it.")
@click.option("--answers-until", metavar="DATE", help="Deadline. Default: as the request says.")
@click.option("--answers-within", metavar="SPAN", help="Or from now on, such as '10 days'.")
@click.option("--best-and-final", is_flag=True, help="With a new round: there will be no other.")
@click.option("--portfolio", type=_PATH, help="The portfolio, if it is not where the request says.")
@changing
def send(rfq_id: str, out: Path, portfolio: Path | None, **options: Any) -> None:
    """Open the first round, or another, and write each vendor's documents into a folder of its own.

    Each gets a page to read, a workbook and a CSV to fill in, and a JSON answer with its schema. Without
    a new round the documents of the current one are written again.
    """
    ledger = opened(options, make=False)
    flow = load("acreage.flow.rfq_sending")
    round_, works = flow.to_open(ledger, rfq_id, options, key_of(options, ledger))
    change(ledger, options, works, lambda: flow.sent(ledger, rfq_id, out, portfolio, opened=round_ is not None))


@rfq.command("import")
@click.argument("rfq_id", metavar="RFQ")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--received-at", "received", metavar="DATE", help="When they came, if not now.")
@click.option("--accept-late", is_flag=True, help="Take answers that came after the deadline; the books will say so.")
@click.option("--portfolio", type=_PATH, help="The portfolio, if it is not where the request says.")
@changing
def import_(rfq_id: str, files: tuple[Path, ...], received: str | None, accept_late: bool, **options: Any) -> None:
    """Take in vendors' answers: .json, .yaml, .csv or the filled-in .xlsx, one file a vendor.

    All files are read before anything is written; a file imported before changes nothing.
    """
    ledger = opened(options, make=False)
    flow = load("acreage.flow.rfq_asking")
    works = flow.import_answers(
        ledger, rfq_id, files, received=received, accept_late=accept_late, portfolio=options["portfolio"]
    )
    change(ledger, options, works, lambda: load("acreage.flow.rfq_books").after(ledger, rfq_id))


@rfq.command("withdraw")
@click.argument("rfq_id", metavar="RFQ")
@click.argument("offer")
@click.option("--reason", default="", help="Why, for the record.")
@changing
def withdraw(rfq_id: str, offer: str, reason: str, **options: Any) -> None:
    """Record that a vendor has taken OFFER back, outside of an answer."""
    ledger = opened(options, make=False)
    flow = load("acreage.flow.rfq_asking")
    work = flow.withdraw(ledger, rfq_id, offer, reason, key_of(options, ledger))
    change(ledger, options, [work], lambda: load("acreage.flow.rfq_books").after(ledger, rfq_id))


@rfq.command("cancel")
@click.argument("rfq_id", metavar="RFQ")
@click.option("--reason", default="", help="Why, for the record.")
@changing
def cancel(rfq_id: str, reason: str, **options: Any) -> None:
    """Call a request off; its offers can no longer be accepted."""
    ledger = opened(options, make=False)
    work = load("acreage.flow.rfq_asking").cancel(ledger, rfq_id, reason, key_of(options, ledger))
    change(ledger, options, [work], lambda: load("acreage.flow.rfq_books").after(ledger, rfq_id))


@rfq.command("compare")
@click.argument("rfq_id", metavar="RFQ")
@click.option("--out", type=_PATH, help="Write the page with its pictures to this file. Default: compare.html.")
@click.option("--reference", metavar="CHIP", help="The chip whose effective hours count. Default: the first lot's.")
@click.option(
    "--replacement",
    "replacement_usd",
    type=click.FloatRange(0, min_open=True),
    metavar="USD",
    help="What a missing hour of the reference chip costs elsewhere. Default: the portfolio's cheapest on demand.",
)
@click.option("--portfolio", type=_PATH, help="The portfolio, if it is not where the request says.")
@_reading
def compare(rfq_id: str, out: Path | None, portfolio: Path | None, **options: Any) -> None:
    """Compare all offers on the table, with every term and risk counted in, and say what each term is worth.

    Prices are per effective accelerator-hour of one reference chip: present value of everything paid over
    present value of the hours had; hours that are wanted and not had are bought elsewhere.
    """
    flow = load("acreage.flow.rfq_comparing")
    found = flow.comparison(
        opened(options, make=False),
        rfq_id,
        portfolio,
        reference=options["reference"],
        replacement_usd=options["replacement_usd"],
    )
    page = out or Path("compare.html")
    flow.write_page(found, page)
    listings = flow.listings(found)
    say(options, listings if options["output"] == "json" else (listings[0], listings[2]))
    if options["output"] == "text":
        click.echo(f"page: {page}")


def _planning(command: Any) -> Any:
    """Options of the commands that plan."""
    futures = click.option("--futures", type=click.IntRange(0, 2000), help="Futures instead of the portfolio's number.")
    seed = click.option("--seed", type=click.IntRange(0), help="Seed of the futures instead of the portfolio's.")
    gap = click.option(
        "--gap", "gap_frac", type=click.FloatRange(0, 0.5, min_open=True), help="Relative gap to solve to."
    )
    held = click.option("--held", is_flag=True, help="Take what is held from the books, not from the portfolio.")
    portfolio = click.option("--portfolio", type=_PATH, help="The portfolio, if it is not where the request says.")
    return futures(seed(gap(held(portfolio(command)))))


@rfq.command("counter")
@click.argument("rfq_id", metavar="RFQ")
@click.option("--offer", "offers", multiple=True, metavar="OFFER", help="Only this offer; may be repeated.")
@click.option("--out", type=_PATH, help="Write the page to this file. Default: counter.html.")
@click.option("--draft", "vendors", multiple=True, metavar="PROVIDER", help="Counter this vendor by these figures.")
@click.option(
    "--margin",
    "margin_frac",
    type=click.FloatRange(0, 0.9),
    default=0.05,
    show_default=True,
    help="With --draft: ask for this share less than the price we would sign at.",
)
@click.option("--ask", "asks", multiple=True, metavar="OFFER=WISH", help="Counter with a price or words; no planning.")
@click.option("--message", default="", help="With --draft or --ask: what every vendor countered reads besides.")
@_planning
@changing
def counter(rfq_id: str, offers: tuple[str, ...], out: Path | None, **options: Any) -> None:
    """Say for each offer at which price it enters the plan, what would bring it in, and who is pivotal.

    --draft or --ask write a counter-offer into the books; each vendor reads its own with the next round.
    What we would pay at most is never told.
    """
    load("acreage.cli.rfq").run_counter(rfq_id, offers, out, options)


@rfq.command("award")
@click.argument("rfq_id", metavar="RFQ")
@click.option(
    "--payments",
    "rule",
    type=click.Choice(("pay-as-bid", "vcg", "core")),
    default="pay-as-bid",
    show_default=True,
    help="What winners are paid: their bids, Vickrey-Clarke-Groves, or core payments nearest to it.",
)
@click.option("--out", type=_PATH, help="Folder of the plan and the award's trail. Default: awards/RFQ.")
@_planning
@changing
def award(rfq_id: str, rule: str, out: Path | None, **options: Any) -> None:
    """Award what the best plan signs, and propose its leases in the books.

    The planning model itself decides: lots, bundles, discounts, supplier caps and survival rules hold, and no
    offer is scored by weights. Ties are reported; the folder holds the plan, its audit and the trail.
    """
    load("acreage.cli.rfq").run_award(rfq_id, rule, out, options)
