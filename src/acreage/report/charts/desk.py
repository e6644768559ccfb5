"""A desk in pictures: capacity by tier over time, what is kept for the anchor, bid prices, and policies compared."""

from typing import Any

import altair as alt
import polars as pl

from acreage.report.charts.drawing import DAY, FAINT, INK, OKABE_ITO, WIDTH, styled

LAYERS = ("anchor, expected", "kept for the anchor", "contracted", "reserved", "on_demand", "spot")
"""What a pool's capacity is taken by, from the bottom up."""

_COLORS = ("#332288", "#b9b3d9", OKABE_ITO[0], OKABE_ITO[4], OKABE_ITO[2], OKABE_ITO[1])
_HEIGHT = 190


def capacity(layers: pl.DataFrame, lines: pl.DataFrame) -> Any:
    """Capacity by tier, a picture a pool.

    `layers`: pool, day_at (datetime), layer, accelerators; `lines`: pool, day_at, line, accelerators.
    """
    order = pl.DataFrame({"layer": LAYERS, "order": range(len(LAYERS))})
    each = []
    # Charts of two tables cannot be faceted: one is made for each pool.
    for pool in layers["pool"].unique(maintain_order=True):
        here = pl.col("pool") == pool
        areas = _areas(layers.filter(here).join(order, on="layer"))
        each.append(
            alt.layer(areas, _marks(lines.filter(here))).properties(width=WIDTH - 60, height=_HEIGHT, title=pool)
        )
    return styled(alt.vconcat(*each))


def _areas(layers: pl.DataFrame) -> Any:
    return (
        alt.Chart(layers)
        .mark_area(interpolate="step-after")
        .encode(
            _days(),
            alt.Y("accelerators:Q", stack="zero", title="accelerators"),
            alt.Color(
                "layer:N", scale=alt.Scale(domain=list(LAYERS), range=list(_COLORS)), title=None, sort=list(LAYERS)
            ),
            alt.Order("order:Q"),
        )
    )


def _marks(lines: pl.DataFrame) -> Any:
    return (
        alt.Chart(lines)
        .mark_line(interpolate="step-after", color=INK, strokeWidth=1.6)
        .encode(
            _days(),
            alt.Y("accelerators:Q"),
            alt.StrokeDash("line:N", title=None, legend=alt.Legend(symbolStrokeWidth=2)),
        )
    )


def protection(lines: pl.DataFrame) -> Any:
    """The anchor's right, what it is expected to need and what is kept. `lines`: pool, day_at, line, accelerators."""
    drawn = (
        alt.Chart()
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            _days(),
            alt.Y("accelerators:Q", title="accelerators", scale=alt.Scale(zero=False)),
            alt.Color(
                "line:N",
                title=None,
                legend=alt.Legend(symbolStrokeWidth=3),
                scale=alt.Scale(
                    domain=["its right", "kept for it", "expected to be needed"],
                    range=[INK, OKABE_ITO[5], OKABE_ITO[0]],
                ),
            ),
        )
    )
    return styled(drawn.properties(width=WIDTH - 60, height=_HEIGHT).facet(row=_title(), data=lines))


def bid_prices(prices: pl.DataFrame) -> Any:
    """What one more accelerator-hour displaces. `prices`: pool, day_at, side, usd."""
    drawn = (
        alt.Chart()
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            _days(),
            alt.Y("usd:Q", title="USD per accelerator-hour"),
            alt.Color(
                "side:N",
                title=None,
                legend=alt.Legend(symbolStrokeWidth=3),
                scale=alt.Scale(domain=["firm", "recallable"], range=[OKABE_ITO[0], OKABE_ITO[1]]),
            ),
        )
    )
    return styled(drawn.properties(width=WIDTH - 60, height=_HEIGHT * 0.75).facet(row=_title(), data=prices))


def policies(outcomes: pl.DataFrame) -> Any:
    """Revenue by policy with its interval. `outcomes`: policy, musd, low, high in million USD."""
    order = outcomes["policy"].to_list()
    y = alt.Y("policy:N", sort=order, title=None, axis=alt.Axis(labelLimit=200))
    bars = (
        alt.Chart(outcomes)
        .mark_bar(color=OKABE_ITO[0], height=16)
        .encode(alt.X("musd:Q", title="million USD a year"), y)
    )
    spans = alt.Chart(outcomes).mark_rule(color=INK, strokeWidth=2).encode(alt.X("low:Q"), alt.X2("high:Q"), y)
    return styled(alt.layer(bars, spans).properties(width=WIDTH - 160, height=alt.Step(28)))


def _days() -> alt.X:
    return alt.X("day_at:T", title=None, axis=alt.Axis(format=DAY, labelAngle=0, tickCount=8, gridColor=FAINT))


def _title() -> alt.Row:
    return alt.Row("pool:N", title=None, header=alt.Header(labelAngle=0, labelAnchor="start", labelOrient="top"))
