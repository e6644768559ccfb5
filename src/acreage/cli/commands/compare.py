"""`acreage compare A B`: two plans side by side, or a plan and one without a supplier."""

from pathlib import Path

import click

from acreage.cli.lazy import load


@click.command("compare")
@click.argument("plans", nargs=-1, type=click.Path(path_type=Path), metavar="[PLAN [PLAN]]")
@click.option("--without", "provider", metavar="PROVIDER", help="Compare a plan with the best one without a provider.")
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
def compare(plans: tuple[Path, ...], provider: str | None, output: str) -> None:
    """Compare two stored plans, or one with the best plan without a provider.

    Where they were made over different futures, the one over fewer is also played in those of the other.
    Without a PLAN the newest one is taken.
    """
    load("acreage.cli.planning").run_compare(plans, provider, output)
