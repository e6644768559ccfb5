"""`acreage init [DIR|FILE]`: a small commented portfolio to start from, with its schema beside it."""

import time
from pathlib import Path

import click

from acreage.cli.lazy import load
from acreage.units.instants import Instant


@click.command("init")
@click.argument("target", type=click.Path(path_type=Path), default=Path(), metavar="[DIR|FILE]")
@click.option("--name", help="The portfolio's name. Default: the name of its folder.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def init(target: Path, name: str | None, force: bool) -> None:
    """Write a small commented portfolio and the schema that lets editors check it.

    The portfolio plans as it stands: two leases, three offers, a training run, a serving
    fleet and a research share. Nothing that exists is overwritten without --force.
    """
    starter = load("acreage.portfolio.starter")
    path, schema = starter.write_starter(target, name=name, as_of_at=Instant(int(time.time())), force=force)
    click.echo(f"wrote {path} and {schema}")
    click.echo(f"plan it with: acreage plan {path}")
