"""`acreage explain SUBJECT`: why an offer, workload or provider is treated as it is."""

from pathlib import Path

import click

from acreage.cli.lazy import load


@click.command("explain")
@click.argument("subject", metavar="OFFER|WORKLOAD|PROVIDER")
@click.option(
    "--plan",
    "folder",
    type=click.Path(path_type=Path),
    help="The plan's folder. Default: the newest under plans/ or here.",
)
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
def explain(subject: str, folder: Path | None, output: str) -> None:
    """Say in words and figures why an offer is signed or not, where a workload runs, or what a provider means."""
    load("acreage.cli.planning").run_explain(subject, folder, output)
