"""`acreage prices H100:8`: what an accelerator costs, cheapest first."""

import time
from typing import Any

import click

from acreage.cli.lazy import load
from acreage.units.instants import Instant, instant

_KINDS = ("on_demand", "spot", "reserved_1y", "reserved_3y", "capacity_block", "contract", "all")


@click.command("prices")
@click.argument("accelerator", metavar="ACCELERATOR[:COUNT]")
@click.option("--region", help="An area (us, europe, japan) or the beginning of a region's name (us-east).")
@click.option("--provider", "providers", multiple=True, help="Only this provider; may be repeated.")
@click.option("--spot", is_flag=True, help="Spot prices only.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(_KINDS),
    help="Only this kind; may be repeated. Default: on_demand, capacity_block and contract.",
)
@click.option("--max-age", type=click.IntRange(0), metavar="DAYS", help="Leave out older and undated prices.")
@click.option(
    "--sort",
    type=click.Choice(("price", "value", "age", "provider")),
    default="price",
    show_default=True,
    help="Order; value is by effective PFLOP-hour.",
)
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Rows to show; 0 shows all.")
@click.option(
    "--mfu",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.40,
    show_default=True,
    help="Share of peak FLOP/s for the effective PFLOP-hour.",
)
@click.option(
    "--book",
    "books",
    multiple=True,
    metavar="[PROVIDER=]PATH",
    help="Add a feed or a folder of feeds, or gpuhunt for live prices; may be repeated.",
)
@click.option("--contract", "contracts", multiple=True, metavar="FILE", help="Add your contract prices (CSV).")
@click.option("--no-snapshot", is_flag=True, help="Leave out the prices that ship with Acreage.")
@click.option("--as-of", metavar="DATE", help="The day from which ages count. Default: today.")
@click.option("-o", "--output", type=click.Choice(("table", "json", "csv")), default="table", show_default=True)
def prices(accelerator: str, **options: Any) -> None:
    """Show what an accelerator costs, cheapest first.

    H100:8 means instances with exactly eight, H100 alone any number. Prices come from the
    snapshot that ships with Acreage (works offline) and from feeds and contracts you add.
    """
    flow, query = load("acreage.flow.prices"), load("acreage.catalog.query")
    name, count = query.parse_request(accelerator)
    asked = query.Query(
        accelerator=name,
        count=count,
        region=options["region"],
        providers=options["providers"],
        kinds=flow.price_kinds(options["kinds"], spot=options["spot"]),
        age_days_max=options["max_age"],
        mfu_frac=options["mfu"],
    )
    answer = flow.answer_prices(
        asked,
        today=day(options["as_of"]),
        books=options["books"],
        contracts=options["contracts"],
        snapshot=not options["no_snapshot"],
        sort=options["sort"],
        limit=options["limit"] or None,
    )
    render = {"table": flow.as_table, "json": flow.as_json, "csv": flow.as_csv}[options["output"]]
    click.echo(render(answer).rstrip("\n"))


def day(text: str | None) -> Instant:
    """The day given, or now: the edge is where the clock is read."""
    return instant(text) if text else Instant(int(time.time()))
