"""`acreage backtest PORTFOLIO`: re-plan month by month along a path, and see what each month's decision cost."""

from pathlib import Path
from typing import Any

import click

from acreage.cli.lazy import load


@click.command("backtest")
@click.argument("portfolio", type=click.Path(path_type=Path))
@click.option(
    "--months", type=click.IntRange(1, 240), default=6, show_default=True, help="Months over which it is re-planned."
)
@click.option("--every", metavar="STEP", default="1m", show_default=True, help="Time between plans: 1m, 2w, 10d.")
@click.option("--path", "seed", type=click.IntRange(0), help="Seed that the paths are drawn from.  [default: 1]")
@click.option("--paths", type=click.IntRange(1, 1000), help="How many paths are drawn.  [default: 1]")
@click.option("--history", type=click.Path(path_type=Path), help="Live through this history, a CSV file, instead.")
@click.option("--futures", type=click.IntRange(0, 2000), help="Futures of each plan instead of the portfolio's.")
@click.option(
    "--gap",
    "gap_frac",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=2e-3,
    show_default=True,
    help="Relative gap to solve plans to.",
)
@click.option("--no-spreadsheets", is_flag=True, help="Skip the comparison with what spreadsheets would sign.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the page and backtest.json. Default: none is written."
)
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
def backtest(portfolio: Path, out: Path | None, output: str, **options: Any) -> None:
    """Re-plan PORTFOLIO month by month along a path that no plan has seen, and show what each decision cost.

    Each month plans over futures drawn from what was seen by then, signs what cannot wait until the next, and is lived
    through on the path. Shown are the cost beside that of the first plan kept to the end, of spreadsheet plans
    and of perfect foresight; and for each month how much of the difference its decision lost.

    Paths are drawn from the portfolio's own uncertainty, or told by --history, a CSV file with the columns
    what,name,from,until,value: docs/how-to/backtest.md describes it.

    Ctrl-C shows what is done so far, marked as unfinished.
    """
    load("acreage.cli.backtesting").run_backtest(portfolio, out, output, options)
