"""`acreage check [FILES]`: what is doubtful about prices, and about portfolios."""

from typing import Any

import click

from acreage.cli.commands.prices import day
from acreage.cli.lazy import load


@click.command("check")
@click.argument("files", nargs=-1, metavar="[[PROVIDER=]FILE]...")
@click.option("--contract", "contracts", multiple=True, metavar="FILE", help="Check your contract prices (CSV) too.")
@click.option("--no-snapshot", is_flag=True, help="Leave out the prices that ship with Acreage.")
@click.option("--stale-after", type=click.IntRange(1), default=180, show_default=True, metavar="DAYS")
@click.option("--examples", type=click.IntRange(0), default=3, show_default=True, help="Examples shown of each rule.")
@click.option("--strict", is_flag=True, help="Exit with code 1 where there is an error or a warning.")
@click.option("--as-of", metavar="DATE", help="The day from which ages count. Default: today.")
@click.option("-o", "--output", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.pass_context
def check(context: click.Context, /, files: tuple[str, ...], **options: Any) -> None:
    """Report doubts about the prices that ship with Acreage, about feeds and about portfolios of your own.

    Files that end in .yaml or .yml are portfolios: what is odd about one is listed with its
    line, and nothing is planned.

    Stale, outlying, contradictory and missing prices, wrong accelerator counts,
    placeholders and other currencies, each with its file and row. Doubts alone exit with
    code 0, files that cannot be read with code 2.
    """
    portfolios = [file for file in files if file.endswith((".yaml", ".yml"))]
    if portfolios:
        odd = load("acreage.flow.check_portfolio").check_portfolios(portfolios)
        click.echo("\n".join(odd) if odd else "nothing doubtful")
        if odd and options["strict"]:
            context.exit(1)
        if len(portfolios) == len(files):
            return
        files = tuple(file for file in files if file not in portfolios)
    flow = load("acreage.flow.check")
    book = flow.check_feeds(
        files,
        today=day(options["as_of"]),
        contracts=options["contracts"],
        snapshot=not options["no_snapshot"],
        stale_after_days=options["stale_after"],
    )
    text = flow.as_json(book) if options["output"] == "json" else flow.as_table(book, examples=options["examples"])
    click.echo(text)
    if options["strict"] and not flow.is_clean(book):
        context.exit(1)
