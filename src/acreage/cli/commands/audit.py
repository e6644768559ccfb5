"""`acreage audit PLAN`: recompute a stored plan without a solver."""

from pathlib import Path

import click

from acreage.cli.lazy import load


@click.command("audit")
@click.argument("plan", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
def audit(plan: Path | None, output: str) -> None:
    """Recompute cost, feasibility and every share of a stored plan in plain arithmetic; exit code 1 if any differs.

    PLAN is a folder that `acreage plan` wrote; without it, the newest here.
    """
    load("acreage.cli.planning").run_audit(plan, output)
