"""The fan of outcomes: how cost, need and capacity, unmet demand and lateness spread over the futures."""

from collections.abc import Iterator
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.report import fan
from acreage.report.charts.drawing import INK, WIDTH, Figure, compute_unit, in_steps, money_unit, month_axis, styled
from acreage.report.words import money, percent

PLAN_TINT, NONE_TINT, TAIL_TINT = "#0072B2", "#7F7F7F", "#D55E00"
NEED, HELD = "#D55E00", "#0072B2"
LABEL_FRAC = 0.055
"""Height of a label, as a share of the chart's."""

BAND_NOTE = "Dark: half of the futures; light: nine in ten; line: the median."


def fan_of(plan: Plan, portfolio: Portfolio) -> Iterator[Figure]:
    """The charts of the fan; none where the futures are too few."""
    if not fan.has_fan(plan):
        return
    yield costs(plan, portfolio)
    spread = fan.over_time(plan, plan.best, portfolio)
    yield supply(spread)
    yield unmet(spread)
    late = fan.lateness(plan, plan.best, portfolio)
    if late.height and late["chance_frac"].max():
        yield lateness(late)


def costs(plan: Plan, portfolio: Portfolio) -> Figure:
    """The distribution of cost with and without new leases, the tail of CVaR and the stresses marked."""
    tail_frac = portfolio.policy.risk.tail_frac
    curves = {"this plan": fan.distribution(plan, plan.best), "no new lease": fan.distribution(plan, plan.without_new)}
    mine = curves["this plan"]
    unit = money_unit(float(curves["no new lease"]["usd"].max() or 0.0))  # type: ignore[arg-type]
    lines = pl.concat(fan.drawn_points(c).with_columns(pl.lit(name).alias("plan")) for name, c in curves.items())
    title = f"discounted cost, {unit.name}"
    x = alt.X("usd:Q", title=title, scale=alt.Scale(zero=False))
    y = alt.Y("reached_frac:Q", title="share of futures that cost no more", axis=alt.Axis(format="%"))
    tint = alt.Scale(domain=list(curves), range=[PLAN_TINT, NONE_TINT])
    steps = (
        alt.Chart(lines.with_columns(pl.col("usd") / unit.size))
        .mark_line(interpolate="step-after", strokeWidth=2.5)
        .encode(x, y, alt.Color("plan:N", scale=tint, title=None, legend=alt.Legend(symbolStrokeWidth=3)))
    )
    at = fan.quantiles(mine["usd"].to_numpy(), mine["probability"].to_numpy(), np.array([*fan.LEVELS, tail_frac]))
    layers = [_tail(float(at[-1]) / unit.size, float(mine["usd"][-1]) / unit.size, tail_frac), steps]
    layers += [*_marks(plan, unit.size, tail_frac), *_stresses(mine, portfolio, unit.size)]
    figures = plan.best.figures
    table = pl.concat(_quantile_row(name, curve) for name, curve in curves.items())
    return Figure(
        id="fan-costs",
        title=f"Nine in ten futures cost {money(at[0])} to {money(at[4])}; the worst {1 - tail_frac:.0%} cost "
        f"{money(figures.cvar_usd)} on average",
        note=f"Over {mine.height} futures. Shaded: the tail whose mean is the CVaR. Dots: the named stresses.",
        chart=styled(alt.layer(*layers).properties(width=WIDTH, height=280)),
        table=table,
    )


def _tail(from_usd: float, until_usd: float, tail_frac: float) -> Any:
    place = pl.DataFrame({"usd": [from_usd], "until": [until_usd], "reached_frac": [tail_frac], "top": [1.0]})
    return (
        alt.Chart(place)
        .mark_rect(color=TAIL_TINT, opacity=0.16)
        .encode(alt.X("usd:Q"), alt.X2("until:Q"), alt.Y("reached_frac:Q"), alt.Y2("top:Q"))
    )


def _marks(plan: Plan, size: float, tail_frac: float) -> list[Any]:
    """Where the plan's expected cost and CVaR lie."""
    figures = plan.best.figures
    worst = f"CVaR {1 - tail_frac:.0%}"
    places = pl.DataFrame(
        {
            "usd": [figures.expected_usd / size, figures.cvar_usd / size],
            "label": [f"expected {money(figures.expected_usd)}", f"{worst} {money(figures.cvar_usd)}"],
            "reached_frac": [0.04, 0.12],
        }
    )
    base = alt.Chart(places)
    rules = base.mark_rule(color=INK, strokeDash=[4, 3]).encode(alt.X("usd:Q"))
    words = base.mark_text(align="left", dx=5, fontSize=12, color=INK).encode(
        alt.X("usd:Q"), alt.Y("reached_frac:Q"), alt.Text("label:N")
    )
    return [rules, words]


def _stresses(mine: pl.DataFrame, portfolio: Portfolio, size: float) -> list[Any]:
    """The named stresses on the plan's curve."""
    shown = mine.filter(pl.col("future").is_in([stress.name for stress in portfolio.stresses]))
    if shown.is_empty():
        return []
    heights = _apart(shown["reached_frac"].to_list())
    base = alt.Chart(shown.with_columns(pl.col("usd") / size, pl.Series("label_at", heights)))
    dots = base.mark_point(filled=True, size=70, color=TAIL_TINT, opacity=1.0).encode(
        alt.X("usd:Q"), alt.Y("reached_frac:Q")
    )
    words = base.mark_text(align="right", dx=-9, fontSize=12, color=INK).encode(
        alt.X("usd:Q"), alt.Y("label_at:Q"), alt.Text("future:N")
    )
    return [dots, words]


def _apart(heights: list[float]) -> list[float]:
    """Heights of labels, from the lowest up, moved down where they would lie on each other."""
    placed: list[float] = []
    for height in reversed(heights):
        placed.append(min(height, placed[-1] - LABEL_FRAC) if placed else height)
    return placed[::-1]


def _quantile_row(name: str, curve: pl.DataFrame) -> pl.DataFrame:
    levels = np.array([0.0, *fan.LEVELS, 1.0])
    at = fan.quantiles(curve["usd"].to_numpy(), curve["probability"].to_numpy(), levels)
    heads = ("least", "5 %", "25 %", "median", "75 %", "95 %", "most")
    return pl.DataFrame({"plan": [name]} | {head: [round(float(usd))] for head, usd in zip(heads, at, strict=True)})


def supply(spread: pl.DataFrame) -> Figure:
    """Need of fleets and research beside leased capacity, both as bands."""
    peak = float(spread.filter(pl.col("what") != "unmet")["p95"].max() or 0.0)  # type: ignore[arg-type]
    unit = compute_unit(peak)
    shown = spread.filter(pl.col("what") != "unmet").with_columns(pl.col(*fan.BANDS) / unit.size)
    tint = alt.Scale(domain=["need", "held"], range=[NEED, HELD])
    last = {row["what"]: row for row in shown.filter(pl.col("period") == pl.col("period").max()).to_dicts()}
    need, held = last["need"], last["held"]
    return Figure(
        id="fan-supply",
        title=f"By {need['from_at']:%b %Y} need is {need['p05']:.3g} to {need['p95']:.3g} {unit.name} in nine of ten "
        f"futures, held is {held['p05']:.3g} to {held['p95']:.3g}",
        note=f"Need of serving fleets and research, and leased capacity as delivered. {BAND_NOTE}",
        chart=styled(_banded(shown, tint, f"effective {unit.name}").properties(width=WIDTH, height=280)),
        table=shown.select("what", pl.col("from_at").alias("from"), *fan.BANDS),
    )


def unmet(spread: pl.DataFrame) -> Figure:
    """The share of need that is unmet, as a band."""
    shown = spread.filter(pl.col("what") == "unmet")
    worst = shown.sort("p95", descending=True).row(0, named=True)
    title = "Need is met in nineteen of twenty futures in every period"
    if worst["p95"] > 0.0:
        title = f"One future in twenty leaves {percent(worst['p95'])} or more unmet in {worst['from_at']:%b %Y}; "
        title += f"the median {percent(worst['p50'])}"
    tint = alt.Scale(domain=["unmet"], range=["#CC79A7"])
    return Figure(
        id="fan-unmet",
        title=title,
        note=f"Share of the need of serving fleets and research that is not served. {BAND_NOTE}",
        chart=styled(_banded(shown, tint, "share unmet", percents=True).properties(width=WIDTH, height=220)),
        table=shown.select(pl.col("from_at").alias("from"), *fan.BANDS),
    )


def _banded(shown: pl.DataFrame, tint: alt.Scale, title: str, *, percents: bool = False) -> Any:
    """Bands and medians over time, in steps."""
    steps = in_steps(shown, ["what"], list(fan.BANDS))
    axis = alt.Axis(format="%") if percents else alt.Axis()
    color = alt.Color("what:N", scale=tint, title=None)
    base = alt.Chart(steps)

    def band(low: str, high: str, opacity: float) -> Any:
        area = base.mark_area(interpolate="step-after", opacity=opacity)
        return area.encode(month_axis(), alt.Y(f"{low}:Q", title=title, axis=axis), alt.Y2(f"{high}:Q"), color)

    line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(month_axis(), alt.Y("p50:Q"), color)
    return alt.layer(band("p05", "p95", 0.18), band("p25", "p75", 0.3), line)


def lateness(late: pl.DataFrame) -> Figure:
    """The chance that each run is late."""
    y = alt.Y("workload:N", sort=late["workload"].to_list(), title=None, axis=alt.Axis(labelLimit=190))
    x = alt.X("chance_frac:Q", title="share of futures in which it is late", axis=alt.Axis(format="%"))
    bars = alt.Chart(late).mark_bar(color="#56B4E9", height=13).encode(x, y)
    worst = late.row(0, named=True)
    return Figure(
        id="fan-late",
        title=f"{worst['workload']} is late most often: in {percent(worst['chance_frac'])} of futures",
        note="Late is a run with work undone at the end of the period of its deadline; how much is in the figures.",
        chart=styled(bars.properties(width=WIDTH - 150, height=alt.Step(24))),
        table=late.rename({"chance_frac": "chance to be late", **{b: f"undone {b}" for b in fan.BANDS}}),
    )
