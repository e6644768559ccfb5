"""A market from outside: its document read, simulated, shown and kept."""

import json
from dataclasses import replace
from pathlib import Path

from acreage import __version__
from acreage.catalog.accelerators import load_accelerators
from acreage.domain.market_outcome import MarketOutcome
from acreage.domain.market_world import World
from acreage.flow.planning import check_writable
from acreage.flow.text_table import text_table
from acreage.portfolio.world_file import read_world
from acreage.report.market_json import market_document
from acreage.report.market_page import render_market
from acreage.report.market_tables import CHIPS, CLOUDS, LABS, MARKET, market_table, replications_text
from acreage.units.errors import InputError

REPORT, DOCUMENT, SERIES = "report.html", "market.json", "series.csv"


def open_world(path: Path, years: int | None) -> World:
    """A market's document, perhaps over fewer or more years than it says; raises `InputError`."""
    world = read_world(path, accelerators=load_accelerators())
    return world if years is None else replace(world, ticks=years * world.ticks_per_year)


def check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be written to before any work is done; raises `InputError`."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder", fix="choose another with --out")
    if not folder.exists():
        check_writable(folder)


def document_text(outcome: MarketOutcome) -> str:
    """The outcome as JSON; the same world and seed give the same bytes."""
    return json.dumps(market_document(outcome), indent=2)


def screen(outcome: MarketOutcome) -> str:
    """The outcome as a few tables of a terminal."""
    world = outcome.world
    lines = [
        f"{world.name}: {world.ticks // world.ticks_per_year} years, {len(world.labs)} labs, "
        f"{len(world.clouds)} clouds, {replications_text(outcome)}, seed {outcome.seed}; "
        f"all {outcome.audited} runs passed their audit"
    ]
    lines += [f"  {change.name}: {change.words}" for change in outcome.changes]
    for measures in (MARKET, CHIPS, LABS[:2], CLOUDS[:1]):
        table = market_table(outcome, measures)
        lines += ["", *text_table(table.columns, table.rows, right=table.numbers)]
    if outcome.replications > 1:
        lines += ["", "± gives the 95 % interval; changes are differences to the base, * where that leaves out zero"]
    return "\n".join(lines)


def keep(folder: Path, outcome: MarketOutcome) -> Path:
    """Write the page, the document and the series into a folder; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / REPORT).write_text(render_market(outcome, __version__), encoding="utf-8")
    (folder / DOCUMENT).write_text(document_text(outcome) + "\n", encoding="utf-8")
    outcome.series.write_csv(folder / SERIES)
    return folder / REPORT
