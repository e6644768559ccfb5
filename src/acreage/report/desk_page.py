"""A desk's page: the promise to the anchor first, then capacity, protection, bid prices, every request and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from acreage.report.charts import desk as charts
from acreage.report.renderers.page import Card, Page, Section, TextTable, render_page
from acreage.report.words import count, money, percent

_HEADS = {
    "day_at": "day",
    "contracted": "anchor's right",
    "expected": "expected need",
    "protected": "kept for it",
    "free_firm": "free, firm",
    "bid_firm_usd": "firm, USD/h",
    "bid_recallable_usd": "recallable, USD/h",
    "short_frac": "P(anchor short)",
    "musd": "million USD",
    "low": "from",
    "high": "to",
}

LEARNT_COLUMNS = ("tier", "pool", "offers", "taken", "half take", "best price", "from", "to", "listed", "finding")
LOG_COLUMNS = ("asked", "lessee", "tier", "request", "bid", "answer", "became", "why", "quote")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskStory:
    """What the page tells.

    `days`: pool, day_at (datetime), capacity, contracted, expected, protected, free_firm, bid_firm_usd,
    bid_recallable_usd, short_frac; `leased`: pool, day_at, tier, accelerators; `log`: texts by `LOG_COLUMNS`, the
    newest first; `learnt`: texts by `LEARNT_COLUMNS`; `outcomes`: policy, musd, low, high of simulated years, or None;
    `margin` in words.
    """

    name: str
    lessor: str
    day: str
    tables: str
    anchor: str
    short_max_frac: float
    days: pl.DataFrame
    leased: pl.DataFrame
    log: Sequence[tuple[str, ...]]
    learnt: Sequence[tuple[str, ...]]
    booked_usd: float
    accepted: int
    outcomes: pl.DataFrame | None
    margin: str


def render_desk(story: DeskStory, version: str) -> str:
    """The page's HTML; it needs no network."""
    return render_page(
        Page(
            title=f"{story.name}: the desk of {story.lessor}",
            subtitle=f"As the books stand on {story.day}, on tables {story.tables}. For the desk and its auditor only.",
            cards=_cards(story),
            sections=tuple(_sections(story)),
        ),
        version,
    )


def _cards(story: DeskStory) -> tuple[Card, ...]:
    worst = float(_number(story.days["short_frac"].max()))
    capacity = float(_number(story.days["capacity"].sum()))
    leased = float(_number(story.leased["accelerators"].sum())) if story.leased.height else 0.0
    held = percent(worst) if worst >= 0.00005 or worst == 0 else "below 0.01%"
    kept = "within the limit of" if worst <= story.short_max_frac else "ABOVE the limit of"
    return (
        Card(label=f"{story.anchor} is short, on its worst day", value=held, note=f"{kept} {story.short_max_frac:.2%}"),
        Card(
            label="Leased to others", value=percent(leased / max(capacity, 1.0)), note="of all accelerator-days ahead"
        ),
        Card(label="Booked", value=money(story.booked_usd), note="for leases that stand, to their ends"),
        Card(label="Requests", value=count(len(story.log)), note=f"{count(story.accepted)} became leases"),
    )


def _sections(story: DeskStory) -> list[Section]:
    found = [_capacity(story), _protection(story), _bids(story)]
    if story.outcomes is not None:
        found.append(_policies(story, story.outcomes))
    found.append(_learnt(story))
    found.append(
        Section(
            id="requests",
            title="Every request, and why it was answered so",
            paragraphs=(
                "The newest first. A lessee is never told more than that its quantity, dates or price do not fit.",
            ),
            table=TextTable(columns=LOG_COLUMNS, rows=tuple(story.log), numbers=frozenset({"bid"})),
        )
    )
    return found


def _capacity(story: DeskStory) -> Section:
    taken = story.leased.group_by("pool", "day_at").agg(pl.col("accelerators").sum().alias("taken"))
    days = story.days.join(taken, on=["pool", "day_at"], how="left").with_columns(pl.col("taken").fill_null(0))
    # Recallable leases stand in what is kept until they are recalled: what is drawn as kept is the rest.
    rest = (pl.col("capacity") - pl.col("taken") - pl.col("expected")).clip(0.0)
    kept = pl.min_horizontal(rest, (pl.col("protected") - pl.col("expected")).clip(0.0))
    needed = pl.min_horizontal("expected", "protected").alias("accelerators")
    anchor = pl.concat(
        [
            days.select("pool", "day_at", pl.lit(charts.LAYERS[0]).alias("layer"), needed),
            days.select("pool", "day_at", pl.lit(charts.LAYERS[1]).alias("layer"), kept.alias("accelerators")),
        ]
    )
    leased = story.leased.select(
        "pool", "day_at", pl.col("tier").alias("layer"), pl.col("accelerators").cast(pl.Float64)
    )
    lines = _long(story.days, {"capacity": "capacity", "contracted": "the anchor's right"})
    return Section(
        id="capacity",
        title="Capacity by tier over time",
        paragraphs=(
            "What the anchor is expected to need, what is kept for it beyond that, and what is leased to others.",
        ),
        chart=charts.capacity(pl.concat([anchor, leased]), lines),
        table=_table(story.days, ("pool", "day_at", "capacity", "contracted", "expected", "protected", "free_firm")),
    )


def _protection(story: DeskStory) -> Section:
    names = {"contracted": "its right", "protected": "kept for it", "expected": "expected to be needed"}
    return Section(
        id="protection",
        title=f"What is kept for {story.anchor}",
        paragraphs=(
            f"Enough that on no day it is short with a probability above {story.short_max_frac:.2%}. Between its right "
            "and what is kept lies the slack that is leased to others.",
        ),
        chart=charts.protection(_long(story.days, names)),
    )


def _bids(story: DeskStory) -> Section:
    prices = _long(story.days, {"bid_firm_usd": "firm", "bid_recallable_usd": "recallable"}, "side", "usd").drop_nulls(
        "usd"
    )
    return Section(
        id="bid-prices",
        title="What one more accelerator-hour displaces",
        paragraphs=("The bid price of each day as the books stand; gaps are days on which nothing is free.",),
        chart=charts.bid_prices(prices),
        table=_table(story.days, ("pool", "day_at", "bid_firm_usd", "bid_recallable_usd", "short_frac")),
    )


def _learnt(story: DeskStory) -> Section:
    return Section(
        id="take-up",
        title="What prices are taken",
        paragraphs=(
            "Learnt from requests that asked for the price, in USD an accelerator-hour, for a typical request. The "
            "best price earns most over what such a request displaces; its 95 % interval says how sure that is.",
        ),
        table=TextTable(
            columns=LEARNT_COLUMNS,
            rows=tuple(story.learnt),
            numbers=frozenset(LEARNT_COLUMNS) - {"tier", "pool", "finding"},
        ),
    )


def _policies(story: DeskStory, outcomes: pl.DataFrame) -> Section:
    return Section(
        id="policies",
        title="A year under other policies",
        paragraphs=(
            "Simulated years on the same arrivals; the lines are 95 % confidence intervals. No policy can earn more "
            "than the clairvoyant, who knows every request and the anchor's needs beforehand.",
            story.margin,
        ),
        chart=charts.policies(outcomes),
        table=_table(outcomes, ("policy", "musd", "low", "high")),
    )


def _long(days: pl.DataFrame, names: dict[str, str], label: str = "line", value: str = "accelerators") -> pl.DataFrame:
    return pl.concat(
        [
            days.select("pool", "day_at", pl.lit(name).alias(label), pl.col(column).cast(pl.Float64).alias(value))
            for column, name in names.items()
        ]
    )


def _table(frame: pl.DataFrame, columns: tuple[str, ...]) -> TextTable:
    """The first day of each month of a table by day, or all of one without days."""
    shown = frame.filter(pl.col("day_at").dt.day() == 1) if "day_at" in columns else frame
    rows = tuple(tuple(_cell(value) for value in row) for row in shown.select(columns).iter_rows())
    names = tuple(_HEADS.get(name, name) for name in columns)
    return TextTable(columns=names, rows=rows, numbers=frozenset(names) - {"pool", "day", "policy"})


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else f"{value:,}" if isinstance(value, int) else str(value)


def _number(value: Any) -> Any:
    return 0 if value is None else value
