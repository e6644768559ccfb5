"""`acreage simulate market WORLD`: labs and clouds that deal with each other over years, and what changes do."""

from pathlib import Path

import click

from acreage.cli.lazy import load

_CHANGES = """\b
multi-vendor:LAB             it deals with every cloud, on every chip
open-spare:CLOUD             it leases to those it was closed to
late-chip:CHIP:QUARTERS      the chip arrives so many quarters later
Several at once are joined by +, as in multi-vendor:birch+late-chip:GB300:2."""


@click.group("simulate")
def simulate() -> None:
    """Simulate a market of labs and clouds, each of which decides with the code of the other commands."""


@simulate.command(
    "market",
    help=f"""Simulate the market of WORLD over years: prices, concentration, utilisation and who is short.

Labs buy by winner determination within their walk-away prices; clouds answer at their desks, protect their anchors
and move their prices. Every run is audited. `acreage schema world` describes WORLD.

Each --change is another market on the same needs, compared with the base pair by pair:

{_CHANGES}""",
)
@click.argument("world", type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(0), help="The same seed gives the same outcome. Default: as WORLD says.")
@click.option("--years", type=click.IntRange(1, 30), help="Instead of the years that WORLD says.")
@click.option("--replications", type=click.IntRange(1, 1000), help="Instead of the number that WORLD says.")
@click.option("--change", "changes", multiple=True, metavar="NAME", help="A change to try; may be repeated.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the page and its tables. Default: none is written."
)
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
def market(
    world: Path,
    seed: int | None,
    years: int | None,
    replications: int | None,
    changes: tuple[str, ...],
    out: Path | None,
    output: str,
) -> None:
    """Run the market and show it."""
    room, flow = load("acreage.sim.outcome"), load("acreage.sim.market")
    made = flow.open_world(world, years)
    if out is not None:
        flow.check_folder(out)
    with load("acreage.cli.progress").counting("simulating") as tell:
        found = room.simulate(
            made,
            tuple(dict.fromkeys(changes)),
            made.seed if seed is None else seed,
            made.replications if replications is None else replications,
            tell,
        )
    page = flow.keep(out, found) if out is not None else None
    click.echo(flow.document_text(found) if output == "json" else flow.screen(found))
    if page is not None and output == "text":
        click.echo(f"report: {page}")
