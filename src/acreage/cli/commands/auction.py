"""`acreage auction`: sell or buy one's own lots by auction, and audit what came of it."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from acreage.cli.lazy import load

_FLOW = "acreage.flow.auction"
_OUTPUT = click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
EXIT_FAULTS = 1


@click.group("auction")
def auction() -> None:
    """Hold an auction of your own lots: combinatorial, sealed second-price, or an ascending clock."""


@auction.command("run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--payments",
    type=click.Choice(("pay-as-bid", "vcg", "core")),
    help="What winners pay. Default: as the file says.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Decides between equally good awards. Default: the file's.")
@_OUTPUT
def run(file: Path, payments: str | None, seed: int | None, output: str) -> None:
    """Say who wins the auction in FILE, what they pay, and why.

    Nothing is written or signed. The JSON is the whole record: keep it, and anybody can check it with
    `acreage auction audit`.
    """
    flow = load(_FLOW)
    _show(flow.run_auction(file, payments=payments, seed=seed), output, flow.result_text)


@auction.command("template")
def template() -> None:
    """Print a commented auction file to start from."""
    click.echo(load(_FLOW).template().rstrip("\n"))


@auction.command("audit")
@click.argument("result", type=click.Path(path_type=Path))
@_OUTPUT
def audit(result: Path, output: str) -> None:
    """Recompute a RESULT (of `run -o json`) in plain arithmetic, without a solver; exit code 1 if any of it differs."""
    flow = load(_FLOW)
    found = flow.audit_result(result)
    _show(found, output, flow.audit_text)
    if not found["holds"]:
        sys.exit(EXIT_FAULTS)


def _show(document: dict[str, Any], output: str, text: Any) -> None:
    click.echo(json.dumps(document, indent=2) if output == "json" else text(document))
