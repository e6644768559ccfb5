"""What all charts share: colors that survive color blindness and print, sizes, and the figure they come in."""

from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F", "#332288")
"""Okabe and Ito (2008), with a grey and an indigo for the eighth and ninth."""
INK, FAINT = "#1b1f24", "#d9dde2"
WIDTH = 860
DAY = "%b %Y"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart with what it says: the title states the finding, the table holds what is drawn."""

    id: str
    title: str
    note: str
    chart: Any
    table: pl.DataFrame


def styled(chart: Any) -> Any:
    """A chart in the common style."""
    return (
        chart.configure(background="white", font="Helvetica, Arial, sans-serif")
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=12,
            titleFontSize=12,
            labelColor=INK,
            titleColor=INK,
            gridColor=FAINT,
            titleFontWeight="normal",
        )
        .configure_legend(labelFontSize=12, titleFontSize=12, labelColor=INK, titleColor=INK, symbolStrokeWidth=0)
        .configure_header(labelFontSize=12, titleFontSize=12, labelColor=INK)
    )


def colors(everyone: list[str], shown: set[str]) -> alt.Scale:
    """A color for each member, the same in every chart of a plan; only those shown are in the legend."""
    each = {name: OKABE_ITO[i % len(OKABE_ITO)] for i, name in enumerate(everyone) if name in shown}
    return alt.Scale(domain=list(each), range=list(each.values()))


def month_axis(title: str = "") -> alt.X:
    """Time from the start of each period."""
    return alt.X(
        "from_at:T", title=title or None, axis=alt.Axis(format=DAY, labelAngle=0, tickCount=8, labelOverlap=True)
    )


def in_steps(frame: pl.DataFrame, by: list[str], values: list[str]) -> pl.DataFrame:
    """The frame with the last period repeated at its end, so that steps show all of it."""
    last = frame.filter(pl.col("period") == pl.col("period").max())
    end = last.with_columns(pl.col("until_at").alias("from_at"))
    return pl.concat([frame, end]).select([*by, "from_at", *values]).sort([*by, "from_at"])


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit for a chart's axis: its name and how many of the base unit it is."""

    name: str
    size: float


def compute_unit(peak_pflops: float) -> Unit:
    """PFLOP/s, EFLOP/s or ZFLOP/s, so that axis labels stay short."""
    if peak_pflops >= 1e6:
        return Unit("ZFLOP/s", 1e6)
    return Unit("EFLOP/s", 1e3) if peak_pflops >= 1e3 else Unit("PFLOP/s", 1.0)


def money_unit(peak_usd: float) -> Unit:
    """Thousands, millions or billions of dollars."""
    for name, size in (("billion USD", 1e9), ("million USD", 1e6), ("thousand USD", 1e3)):
        if peak_usd >= size * 2:
            return Unit(name, size)
    return Unit("USD", 1.0)
