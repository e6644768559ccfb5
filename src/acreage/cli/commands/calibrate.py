"""`acreage calibrate PORTFOLIO`: the parameters of the generator of futures, with intervals, from data."""

from pathlib import Path

import click

from acreage.cli.lazy import load

_PATH = click.Path(path_type=Path)


@click.command("calibrate")
@click.argument("portfolio", type=_PATH)
@click.option("--prices", type=_PATH, metavar="CSV", help="A price history: how far market prices stray in a year.")
@click.option("--spot", type=_PATH, metavar="PATH", help="Spot availability traces, a file or a folder.")
@click.option(
    "--serving", type=_PATH, metavar="CSV", multiple=True, help="A serving trace: load blocks; may be repeated."
)
@click.option("--demand", type=_PATH, metavar="CSV", help="Your own history: date, workload, value. Is forecast.")
@click.option("--books", metavar="ADDRESS", help="Books with deliveries: how late each provider is.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the resampling.")
@click.option("--write", type=_PATH, metavar="FILE", help="Write the block to paste there as well.")
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
def calibrate(
    portfolio: Path,
    prices: Path | None,
    spot: Path | None,
    serving: tuple[Path, ...],
    demand: Path | None,
    books: str | None,
    seed: int,
    write: Path | None,
    output: str,
) -> None:
    """Estimate what PORTFOLIO says about uncertainty from data, with 95 % intervals.

    Prints every estimate with its source and method, what the data cannot say, and the fields to paste. Give what
    there is: each kind of data says its part. Forecasts of --demand need pip install 'acreage[forecast]'.
    """
    flow = load("acreage.flow.calibrating")
    if write is not None:
        flow.check_new(write)
    ledger = load("acreage.flow.books").open_books(books, make=False) if books is not None else None
    sources = flow.Sources(prices=prices, spot=spot, serving=serving, demand=demand, ledger=ledger)
    with load("acreage.cli.progress").counting("calibrating") as tell:
        found = flow.calibrate(portfolio, sources, seed=seed, tell=tell)
    text = load("acreage.flow.calibration_text")
    click.echo(text.as_json(found) if output == "json" else text.as_text(found))
    if write is not None:
        write.write_text(load("acreage.flow.calibration_block").block_text(found), encoding="utf-8")
        click.echo(f"written: {write}", err=True)
