"""`acreage schema NAME`: a published JSON Schema on standard output."""

from importlib import resources

import click

_FILES = {
    "portfolio": ("acreage.portfolio", "portfolio.schema.json"),
    "contract": ("acreage.portfolio", "contract.schema.json"),
    "rfq": ("acreage.portfolio", "rfq.schema.json"),
    "rfq-answer": ("acreage.portfolio", "rfq-answer.schema.json"),
    "auction": ("acreage.portfolio", "auction.schema.json"),
    "auction-result": ("acreage.portfolio", "auction_result.schema.json"),
    "desk": ("acreage.portfolio", "desk.schema.json"),
    "desk-request": ("acreage.portfolio", "desk-request.schema.json"),
    "world": ("acreage.portfolio", "world.schema.json"),
    "books": ("acreage.flow", "books.schema.json"),
    "calibration": ("acreage.flow", "calibration.schema.json"),
    "plan": ("acreage.report", "plan.schema.json"),
    "check": ("acreage.catalog", "check.schema.json"),
    "prices": ("acreage.catalog", "prices.schema.json"),
}
"""What a schema describes: the package that owns it, and its file."""


@click.command("schema")
@click.argument("name", type=click.Choice(tuple(_FILES)), default="portfolio")
def schema(name: str) -> None:
    """Print a published JSON Schema: of the portfolio or contracts you write, or of what Acreage writes.

    `acreage schema portfolio > portfolio.schema.json` and the first line of a portfolio,
    `# yaml-language-server: $schema=portfolio.schema.json`, make editors complete and check it.
    """
    package, file = _FILES[name]
    click.echo(resources.files(package).joinpath(file).read_text(encoding="utf-8").rstrip("\n"))
