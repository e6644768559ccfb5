"""`acreage plan PORTFOLIO` and `acreage demo`: from contracts, offers and demand to a plan worth signing."""

from pathlib import Path
from typing import Any

import click

from acreage.cli.lazy import load

FORMATS = ("parquet", "csv", "xlsx")


@click.command("plan")
@click.argument("portfolio", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the plan. Default: plans/NAME.")
@click.option("--futures", type=click.IntRange(0, 2000), help="Number of sampled futures instead of the portfolio's.")
@click.option("--seed", type=click.IntRange(0), help="Seed of the futures instead of the portfolio's.")
@click.option("--gap", "gap_frac", type=click.FloatRange(0, 0.5, min_open=True), help="Relative gap to solve to.")
@click.option("--no-explain", is_flag=True, help="Skip walk-away prices and what-ifs, which take most of the time.")
@click.option(
    "--engine",
    metavar="NAME",
    default="decomposition",
    show_default=True,
    help="How to solve (decomposition, or whole: HiGHS in one piece), or else who helps (ray, ray://HOST:PORT).",
)
@click.option("--evaluate", is_flag=True, help="Try the plan on fresh futures, beside what a spreadsheet would sign.")
@click.option("--evaluate-futures", type=click.IntRange(2, 5000), help="How many fresh futures.  [default: 200]")
@click.option("--evaluate-seed", type=click.IntRange(0), help="Seed of the fresh futures.  [default: 1]")
@click.option(
    "--foresight",
    "evaluate_foreseen",
    type=click.IntRange(0, 5000),
    help="How many of them to solve by themselves, as if known; 0 for none.  [default: 20]",
)
@click.option(
    "--replications",
    "evaluate_replications",
    type=click.IntRange(0, 1000),
    help="Samples to plan over anew, for the error of having planned on a sample; 0 for none.  [default: 0]",
)
@click.option("--ledger", metavar="ADDRESS", help="Take what is held from these books instead of from PORTFOLIO.")
@click.option("--apply", is_flag=True, help="Propose what the plan signs as leases in the books of --ledger.")
@click.option("--yes", is_flag=True, help="Do not ask before proposing.")
@click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Table formats to export.")
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
def plan(portfolio: Path, out: Path | None, output: str, formats: tuple[str, ...], **options: Any) -> None:
    """Plan PORTFOLIO, a YAML file: what to sign, how much, from when, and what every other offer is worth.

    Writes a folder with the report, plan.json and tables, and shows the decision. Exit code 2
    if no plan can keep every rule and promise: then it says which of them conflict.

    --evaluate plays it in futures that it was not made on, beside plans for the mean future and for no surprise,
    the cheapest offers first, the incumbent alone and no new lease, each with a 95 % interval.

    With --engine ray or ray://HOST:PORT what-ifs and evaluations are worked on by a Ray cluster, started on this
    machine or at an address; answers are the same, also where parts of it are lost on the way.

    With --ledger the plan goes on from what is really held and delivered, as far as the books know;
    --apply writes what it signs into them as Proposed leases, to be signed with `acreage lease sign`.
    """
    load("acreage.cli.planning").run_plan(portfolio, out, output, formats or FORMATS, options)
