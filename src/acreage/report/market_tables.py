"""A market's figures as tables of texts: the base with its interval, and what each change adds to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from acreage.domain.market_outcome import Interval, MarketOutcome, Measure
from acreage.report.renderers.page import TextTable

BASE_COLUMN = "base"
SURE = "*"
"""Stands behind a difference whose 95 % interval leaves out zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """How a measure is shown: its name, by what it is multiplied, and how many decimals it has."""

    label: str
    scale: float
    decimals: int


UNITS = {
    Measure.PRICE: Unit(label="price, USD a reference accelerator-hour", scale=1.0, decimals=2),
    Measure.CHIP_PRICE: Unit(label="price, USD an accelerator-hour", scale=1.0, decimals=2),
    Measure.VENUE_PRICE: Unit(label="price at the venue", scale=1.0, decimals=2),
    Measure.HHI: Unit(label="concentration of clouds (HHI)", scale=1.0, decimals=3),
    Measure.UTILISATION: Unit(label="compute used, %", scale=100.0, decimals=1),
    Measure.UNMET: Unit(label="need not met, %", scale=100.0, decimals=1),
    Measure.LAB_UNMET: Unit(label="need not met, %", scale=100.0, decimals=1),
    Measure.LAB_SUPPLIER_HHI: Unit(label="concentration of suppliers (HHI)", scale=1.0, decimals=2),
    Measure.ANCHOR_SHORT: Unit(label="anchor's calls not met, %", scale=100.0, decimals=2),
    Measure.SPEND: Unit(label="paid, million USD", scale=1e-6, decimals=0),
    Measure.REVENUE: Unit(label="earned, million USD", scale=1e-6, decimals=0),
    Measure.CLOUD_UTILISATION: Unit(label="leased, called or sold, %", scale=100.0, decimals=1),
}

MARKET = (Measure.PRICE, Measure.VENUE_PRICE, Measure.HHI, Measure.UTILISATION, Measure.UNMET)
CHIPS = (Measure.CHIP_PRICE,)
LABS = (Measure.LAB_UNMET, Measure.SPEND, Measure.LAB_SUPPLIER_HHI)
CLOUDS = (Measure.REVENUE, Measure.CLOUD_UTILISATION, Measure.ANCHOR_SHORT)


def market_table(outcome: MarketOutcome, measures: Sequence[Measure]) -> TextTable:
    """A row for each measure and subject, a column for the base and one for what each change adds."""
    named = any(subject != "all" for measure, subject, _ in outcome.base if measure in measures)
    head = ("of whom", "figure") if named else ("figure",)
    rows = []
    for wanted in measures:
        for measure, subject, base in outcome.base:
            if measure is wanted:
                label = (subject, UNITS[measure].label) if named else (UNITS[measure].label,)
                rows.append((*label, stated(measure, base), *_differences(outcome, measure, subject)))
    names = (BASE_COLUMN, *(change.name for change in outcome.changes))
    return TextTable(columns=(*head, *names), rows=tuple(rows), numbers=frozenset(names))


def replications_text(outcome: MarketOutcome) -> str:
    """How many replications, in words."""
    return f"{outcome.replications} replication{'s' if outcome.replications > 1 else ''}"


def stated(measure: Measure, interval: Interval) -> str:
    """A figure with half its interval: 12.5 ±6.1."""
    unit = UNITS[measure]
    return f"{interval.mean * unit.scale:,.{unit.decimals}f}{_half(interval, unit)}"


def added(measure: Measure, interval: Interval) -> str:
    """A difference with its sign and half its interval, marked where that leaves out zero: +0.36 ±0.22 *."""
    unit = UNITS[measure]
    sure = interval.low is not None and interval.high is not None and (interval.low > 0 or interval.high < 0)
    return f"{interval.mean * unit.scale:+,.{unit.decimals}f}{_half(interval, unit)}{' ' + SURE if sure else ''}"


def _half(interval: Interval, unit: Unit) -> str:
    if interval.high is None:
        return ""
    return f" ±{(interval.high - interval.mean) * unit.scale:,.{unit.decimals}f}"


def _differences(outcome: MarketOutcome, measure: Measure, subject: str) -> list[str]:
    found = []
    for change in outcome.changes:
        effects = [e for e in change.effects if e.measure is measure and e.subject == subject]
        found.append(added(measure, effects[0].difference) if effects else "")
    return found
