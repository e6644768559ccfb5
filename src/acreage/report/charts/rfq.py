"""Offers compared, as a board reads them: what each really costs, and which terms make the difference."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from acreage.domain.comparison import Compared, ComponentKind
from acreage.report.charts.drawing import INK, WIDTH, styled
from acreage.report.words import price

GROUPS: dict[str, tuple[ComponentKind, ...]] = {
    "price for the chip's speed": (
        ComponentKind.QUOTED,
        ComponentKind.ENERGY,
        ComponentKind.TIER,
        ComponentKind.CHIP,
    ),
    "payment terms": (
        ComponentKind.BILLING,
        ComponentKind.FEE_RAMP,
        ComponentKind.ESCALATOR,
        ComponentKind.PREPAYMENT,
    ),
    "spares, ramp and later start": (ComponentKind.SPARES, ComponentKind.RAMP, ComponentKind.WAIT),
    "lateness, recall and outages": (ComponentKind.LATENESS, ComponentKind.RECALL, ComponentKind.OUTAGES),
    "porting": (ComponentKind.PORTING,),
    "rights to extend and leave": (ComponentKind.EXTENSION, ComponentKind.EXIT),
}
"""The steps as a board thinks of them, in the order in which they are stacked."""

COLORS = ("#0072B2", "#56B4E9", "#F0E442", "#D55E00", "#CC79A7", "#009E73")
"""One of Okabe and Ito (2008) for each group: risk is the warm one, rights that save are green."""

WATERFALLS_MAX = 4


def grouped(offers: Sequence[Compared]) -> pl.DataFrame:
    """What each group of steps adds, USD an effective accelerator-hour; columns offer, group, order, usd, total."""
    rows = []
    for one in offers:
        by_kind = {c.kind: c.micro_usd_per_hour for c in one.components}
        for order, (group, kinds) in enumerate(GROUPS.items()):
            added = sum(by_kind.get(kind, 0) for kind in kinds) / 1e6
            rows.append((str(one.offer), group, order, added, one.micro_usd_per_hour / 1e6))
    schema = {"offer": pl.String(), "group": pl.String(), "order": pl.Int64(), "usd": pl.Float64()}
    return pl.DataFrame(rows, schema={**schema, "total": pl.Float64()}, orient="row")


def comparison_chart(offers: Sequence[Compared]) -> Any:
    """A bar for each offer, cheapest on top, stacked from what makes its price; a mark at the whole."""
    table = grouped(offers).filter(pl.col("usd") != 0.0)
    names = [str(one.offer) for one in offers]
    y = alt.Y("offer:N", sort=names, title=None, axis=alt.Axis(labelLimit=260))
    scale = alt.Scale(domain=list(GROUPS), range=list(COLORS))
    bars = (
        alt.Chart(table)
        .mark_bar(height=16)
        .encode(
            alt.X("sum(usd):Q", title="USD per effective accelerator-hour"),
            y,
            alt.Color(
                "group:N", scale=scale, title=None, legend=alt.Legend(orient="bottom", columns=3, labelLimit=260)
            ),
            alt.Order("order:Q"),
        )
    )
    each = [one.micro_usd_per_hour / 1e6 for one in offers]
    totals = pl.DataFrame({"offer": names, "total": each, "text": [price(usd) for usd in each]})
    base = alt.Chart(totals)
    ticks = base.mark_tick(color=INK, thickness=3, size=24).encode(alt.X("total:Q"), y)
    # Labels stand to the right of the longest stack, so that none lies on a bar.
    ends = table.filter(pl.col("usd") > 0).group_by("offer").agg(pl.col("usd").sum().alias("end"))
    labelled = totals.join(ends, on="offer")
    texts = (
        alt.Chart(labelled)
        .mark_text(align="left", dx=8, fontWeight="bold", color=INK)
        .encode(alt.X("end:Q"), y, alt.Text("text:N"))
    )
    return styled(alt.layer(bars, ticks, texts).properties(width=WIDTH - 280, height=alt.Step(30)))


def waterfall_chart(offers: Sequence[Compared]) -> Any:
    """The steps from the quoted to the comparable price of the cheapest offers, one beside the other."""
    shown = list(offers)[:WATERFALLS_MAX]
    rows = []
    for one in shown:
        at = 0
        for component in one.components:
            begin, at = at, at + component.micro_usd_per_hour
            kind = "price" if component.kind is ComponentKind.QUOTED else "adds" if at > begin else "saves"
            rows.append((str(one.offer), component.kind.value, begin / 1e6, at / 1e6, kind))
        rows.append((str(one.offer), "comparable price", 0.0, at / 1e6, "price"))
    schema = {"offer": pl.String(), "step": pl.String(), "from": pl.Float64(), "to": pl.Float64(), "kind": pl.String()}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    order = [kind.value for kind in ComponentKind] + ["comparable price"]
    chart = (
        alt.Chart(table)
        .mark_bar(height=10)
        .encode(
            alt.X("from:Q", title="USD per effective accelerator-hour"),
            alt.X2("to:Q"),
            alt.Y("step:N", sort=order, title=None),
            alt.Color(
                "kind:N",
                scale=alt.Scale(domain=["price", "adds", "saves"], range=["#0072B2", "#D55E00", "#009E73"]),
                title=None,
                legend=alt.Legend(orient="bottom"),
            ),
        )
        .properties(width=(WIDTH - 420) // 2, height=alt.Step(16))
    )
    return styled(chart.facet(alt.Facet("offer:N", sort=[str(o.offer) for o in shown], title=None), columns=2))
