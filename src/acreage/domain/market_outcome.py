"""What simulated markets came to: measures by tick and over all, each change against the base, with intervals."""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from acreage.domain.market_world import World


class Measure(StrEnum):
    """What is measured: of the whole market, of a chip, of a lab or of a cloud."""

    PRICE = "price"
    CHIP_PRICE = "chip_price"
    VENUE_PRICE = "venue_price"
    HHI = "hhi"
    UTILISATION = "utilisation"
    UNMET = "unmet"
    LAB_UNMET = "lab_unmet"
    LAB_SUPPLIER_HHI = "lab_supplier_hhi"
    ANCHOR_SHORT = "anchor_short"
    SPEND = "spend"
    REVENUE = "revenue"
    CLOUD_UTILISATION = "cloud_utilisation"


WORDS = {
    Measure.PRICE: "price of new leases and sales, USD a reference accelerator-hour",
    Measure.CHIP_PRICE: "price of new leases and sales, USD an accelerator-hour",
    Measure.VENUE_PRICE: "price at the venue, USD a reference accelerator-hour",
    Measure.HHI: "concentration of clouds (HHI of delivered compute)",
    Measure.UTILISATION: "share of all compute that is used",
    Measure.UNMET: "share of all need that is not met",
    Measure.LAB_UNMET: "share of its need that is not met",
    Measure.LAB_SUPPLIER_HHI: "concentration of its suppliers (HHI)",
    Measure.ANCHOR_SHORT: "share of its anchor's calls that a cloud fails",
    Measure.SPEND: "what it pays on balance, USD",
    Measure.REVENUE: "what it earns on balance, USD",
    Measure.CLOUD_UTILISATION: "share of its compute that is leased, called or sold",
}
"""What each measure means, for people."""

MONEY = (Measure.SPEND, Measure.REVENUE)
"""Measures that add up over ticks; all others are ratios."""

EVERYBODY = "all"
"""The subject of what is measured of the whole market."""

BASE = "base"
"""The name of the world as it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over replications and its 95 % confidence interval; the ends are None for a single replication."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One measure of one subject in the base and under a change, and the paired difference of the two."""

    measure: Measure
    subject: str
    base: Interval
    changed: Interval
    difference: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change by its name, in words, and what it does."""

    name: str
    words: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketOutcome:
    """The base over all its replications, every change against it, and how each measure went over time.

    `series`: world, measure, subject, tick, mean, low, high, the last two null for a single replication. `audited`
    runs passed their audit; a run that does not pass is no outcome.
    """

    world: World
    seed: int
    replications: int
    audited: int
    base: tuple[tuple[Measure, str, Interval], ...]
    changes: tuple[Change, ...]
    series: pl.DataFrame
