"""A backtest's page and its screen: what re-planning was worth, what each month lost, every decision path by path."""

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from acreage.domain.backtest import Backtest
from acreage.report.backtest_words import (
    NUMBERS,
    compared_table,
    conclusions,
    estimate_text,
    paths_table,
    steps_table,
)
from acreage.report.charts import backtest as charts
from acreage.report.renderers.page import Card, Page, Section, TextTable, render_page
from acreage.report.renderers.terminal import rendered, table
from acreage.report.words import count, date

PATHS_SHOWN = 12
"""Paths whose decisions are listed one by one; all are in the document."""

_READ = (
    "The hindsight cost of a day is what its month cost plus the best that could be done after it, less the best that "
    "could be done before it, both by someone who knows the path. These costs add up exactly to the regret of the "
    "whole path; a range in brackets is what the solver's gaps leave open. A day on which nothing was signed can cost, "
    "too: an offer lapsed, or a start became later."
)
_METHOD = (
    "On each day the plan is made over futures drawn from what was seen by then: demand and prices go on from their "
    "last level, deliveries made are made, those owed are late by more than was waited. What cannot wait for the next "
    "day is signed, the rest is left open. Then the time to the next day is lived through on the path, and planned "
    "anew; the last day's plan is carried out to the horizon.",
    "Work is given out in each month as well as it can be, path known: what is measured is the signing. Costs are "
    "discounted to the first day. Every path is added up again from its contracts, the base demand and the work done, "
    "and every month is audited as a plan is.",
)


def render_backtest(found: Backtest, version: str) -> str:
    """The page's HTML; it needs no network."""
    return render_page(
        Page(
            title=f"{found.portfolio_name}: re-planned day by day",
            subtitle=f"{len(found.dates)} planning days from {date(found.dates[0])} to {date(found.dates[-1])}, "
            f"{count(found.finished)} of {count(found.asked)} paths lived to the end ({found.source}), "
            f"{count(found.futures)} futures a plan.",
            cards=_cards(found),
            sections=tuple(_sections(found)),
        ),
        version,
    )


def _cards(found: Backtest) -> tuple[Card, ...]:
    means = found.means
    if means is None:
        return (Card(label="paths lived to the end", value="0", note="it was interrupted"),)
    note = f"mean of {found.finished} paths, 95 % interval" if found.finished > 1 else "on one path"
    return (
        Card(label="cost, re-planned", value=estimate_text(means.rolling_usd), note=note),
        Card(label="the first plan kept costs more", value=estimate_text(means.replanning_usd, sign=True), note=note),
        Card(label="regret: knowing would have saved", value=estimate_text(means.regret_usd), note=note),
    )


def _sections(found: Backtest) -> list[Section]:
    sections = [Section(id="says", title="What it says", paragraphs=tuple(conclusions(found)))]
    if found.means is not None:
        sections += [
            Section(
                id="months",
                title="What each day's decision lost",
                paragraphs=(_READ,),
                chart=charts.monthly_regret(found),
            ),
            Section(
                id="others",
                title="Other ways to decide, on the same paths",
                chart=charts.against_replanning(found),
                table=compared_table(found),
            ),
        ]
    if len(found.paths) > 1:
        sections.append(Section(id="paths", title="Path by path", table=paths_table(found)))
    sections += [
        Section(id=f"path-{number}", title=f"Every decision on {path.name}", table=steps_table(path))
        for number, path in enumerate(found.paths[:PATHS_SHOWN])
    ]
    return [*sections, Section(id="method", title="How it is done", paragraphs=_METHOD)]


def backtest_screen(found: Backtest) -> str:
    """The same on the terminal."""
    parts: list[RenderableType] = [
        f"BACKTEST of {found.portfolio_name}: {len(found.dates)} planning days, {found.finished} of {found.asked} "
        f"paths ({found.source}), {found.futures} futures a plan"
    ]
    for path in found.paths[:PATHS_SHOWN]:
        parts += ["", path.name, _screen_table(steps_table(path))]
    if len(found.paths) > 1:
        parts += ["", _screen_table(paths_table(found))]
    if found.means is not None:
        parts += ["", _screen_table(compared_table(found))]
    return rendered([*parts, "", *(Text(line) for line in conclusions(found))])


def _screen_table(shown: TextTable) -> Table:
    found = table(*((name, "right" if name in NUMBERS else "left") for name in shown.columns))
    for row in shown.rows:
        found.add_row(*row)
    return found
