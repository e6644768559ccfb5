"""`acreage demo`: plan the flagship example and say where the report is."""

from pathlib import Path

import click

from acreage.cli.lazy import load


@click.command("demo")
@click.argument("example", type=click.Choice(("frontier-lab", "startup", "enterprise")), default="frontier-lab")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("acreage-demo"), show_default=True, help="Folder to write."
)
@click.option("--no-explain", is_flag=True, help="Skip walk-away prices and what-ifs, which take most of the time.")
def demo(example: str, out: Path, no_explain: bool) -> None:
    """Plan one of the examples that ship with Acreage and say where the report is."""
    load("acreage.cli.planning").run_demo(example, out, no_explain)
