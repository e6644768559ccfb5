"""Charts of what-ifs in bulk: both frontiers, the tornado of sensitivities, what knowing is worth."""

from collections.abc import Iterator

import altair as alt
import polars as pl

from acreage.domain.bulk import Bulk, Knowledge, Sensitivity
from acreage.report.bulk_words import by_size, knowledge_words, signed_words, told
from acreage.report.charts.drawing import INK, OKABE_ITO, WIDTH, Figure, money_unit, styled
from acreage.report.words import date, money, percent

BARS_MAX = 16
"""Subjects in the tornado: those that move the cost most."""


def bulk_charts(bulk: Bulk) -> Iterator[Figure]:
    """Every chart that there is something to show in."""
    if bulk.frontier:
        yield frontier_chart(bulk)
    if any(point.objective_usd is not None for point in bulk.concentration):
        yield concentration_chart(bulk)
    if any(one.extra_usd is not None for one in bulk.sensitivities):
        yield tornado(bulk)
    if bulk.information:
        yield information_chart(bulk)


def frontier_chart(bulk: Bulk) -> Figure:
    """CVaR over expected cost, a point for each plan that some weight of risk asks for."""
    rows = [
        {
            "weight": percent(p.weight_frac),
            "expected_usd": p.expected_usd,
            "cvar_usd": p.cvar_usd,
            "gap": p.gap_frac,
            "plan": "this plan" if p.is_plan else "dominated" if p.is_dominated else "other weights of risk",
            "signed": signed_words(p.signed),
        }
        for p in bulk.frontier
    ]
    table = pl.DataFrame(rows)
    unit = money_unit(float(table["cvar_usd"].max() or 0.0))  # type: ignore[arg-type]
    # Weights that lead to the same plan share a point and its label.
    drawn = table.with_columns(pl.col("expected_usd", "cvar_usd").round(0) / unit.size)
    drawn = drawn.group_by("expected_usd", "cvar_usd", maintain_order=True).agg(
        pl.col("weight").str.join(", "), pl.col("plan").sort_by(pl.col("plan") != "this plan").first()
    )
    x = alt.X("expected_usd:Q", title=f"expected cost, {unit.name}", scale=alt.Scale(zero=False, padding=30))
    y = alt.Y("cvar_usd:Q", title=f"CVaR, {unit.name}", scale=alt.Scale(zero=False, padding=20))
    kinds = ["this plan", "other weights of risk", "dominated"]
    tint = alt.Color("plan:N", scale=alt.Scale(domain=kinds, range=["#D55E00", "#0072B2", "#7F7F7F"]), title=None)
    base = alt.Chart(drawn)
    efficient = base.transform_filter("datum.plan != 'dominated'")
    line = efficient.mark_line(color="#9aa5b1", strokeWidth=1.5).encode(x, y, order="expected_usd:Q")
    dots = base.mark_point(size=110, filled=True, opacity=1.0).encode(x, y, tint)
    names = base.mark_text(align="left", dx=9, dy=-7, fontSize=12, color=INK).encode(x, y, alt.Text("weight:N"))
    plans, own = drawn.height, next(p for p in bulk.frontier if p.is_plan)
    safest = min(bulk.frontier, key=lambda p: p.cvar_usd)
    more, less = safest.expected_usd - own.expected_usd, own.cvar_usd - safest.cvar_usd
    title = (
        f"{money(more)} more of expected cost would buy {money(less)} less of CVaR"
        if less > 1.0
        else "No weight of risk asked for gives a lower CVaR than this plan's"
    )
    return Figure(
        id="frontier",
        title=title,
        note=f"{plans} plans for {len(bulk.frontier)} weights of risk, which stand beside them. Points between the "
        "line's may be efficient too, but no weight finds them.",
        chart=styled(alt.layer(line, dots, names).properties(width=WIDTH - 160, height=300)),
        table=table.rename({"expected_usd": "expected USD", "cvar_usd": "CVaR USD"}),
    )


def concentration_chart(bulk: Bulk) -> Figure:
    """Extra cost over the largest share any supplier holds, with the proven range."""
    rows = [
        {
            "cap": "none" if p.share_max_frac is None else percent(p.share_max_frac),
            "largest_frac": p.largest_frac,
            "hhi": p.hhi,
            "extra_usd": p.extra_usd.found,
            "low_usd": p.extra_usd.low,
            "high_usd": p.extra_usd.high,
            "signed": signed_words(p.signed),
        }
        for p in bulk.concentration
        if p.extra_usd is not None
    ]
    table = pl.DataFrame(rows)
    money_columns = ("extra_usd", "low_usd", "high_usd")
    unit = money_unit(float(table.select(pl.max_horizontal(pl.col(*money_columns).abs()).max()).item() or 0.0))
    drawn = table.with_columns(pl.col(*money_columns) / unit.size, pl.col("largest_frac") * 100.0)
    x = alt.X("largest_frac:Q", title="largest supplier's share of firm FLOP/s, %", scale=alt.Scale(zero=False))
    title, blue = f"extra cost, {unit.name}", OKABE_ITO[0]
    y = alt.Y("extra_usd:Q", title=title)
    base = alt.Chart(drawn)
    low = alt.Y("low_usd:Q", title=title)
    reach = base.mark_rule(strokeWidth=2, color="#9aa5b1").encode(x, low, alt.Y2("high_usd:Q"))
    line = base.mark_line(color=blue, strokeWidth=1.5).encode(x, y)
    dots = base.mark_point(size=110, filled=True, opacity=1.0, color=blue).encode(x, y)
    names = base.mark_text(align="left", dx=9, dy=-7, fontSize=12, color=INK).encode(x, y, alt.Text("cap:N"))
    last = next(p for p in reversed(bulk.concentration) if p.extra_usd is not None)
    assert last.extra_usd is not None
    stuck = next((p for p in bulk.concentration if p.reason), None)
    note = f"At most {percent(stuck.share_max_frac or 0.0)}: {stuck.reason}. " if stuck is not None else ""
    from_at = date(bulk.concentration[0].from_at)
    if last.share_max_frac is None:
        heading = "No cap that was asked for binds and can be kept"
    else:
        heading = f"A cap of {percent(last.share_max_frac)} on any supplier costs {money(last.extra_usd.found)} more"
    return Figure(
        id="concentration",
        title=heading,
        note=f"{note}Caps bind from {from_at} on; beside each point its cap; bars: proven ranges.",
        chart=styled(alt.layer(reach, line, dots, names).properties(width=WIDTH - 160, height=260)),
        table=table,
    )


def tornado(bulk: Bulk) -> Figure:
    """Bars from the plan's cost to the cost with one lever at its extremes, the widest first."""
    answered = [one for one in by_size(bulk.sensitivities) if one.extra_usd is not None]
    rows = [row for one in answered for row in _bar(one)]
    table = pl.DataFrame(rows)
    moving = table.filter(pl.col("extra_usd").abs() > 1.0)
    shown = list(dict.fromkeys((moving if moving.height else table)["what"].to_list()))[:BARS_MAX]
    unit = money_unit(float(table.select(pl.col("extra_usd").abs().max()).item() or 0.0))
    drawn = table.filter(pl.col("what").is_in(shown))
    drawn = drawn.with_columns(pl.col("extra_usd", "low_usd", "high_usd") / unit.size)
    y = alt.Y("what:N", sort=shown, title=None, axis=alt.Axis(labelLimit=260))
    # Steps of one lever lie over each other, the largest showing furthest.
    x = alt.X("extra_usd:Q", title=f"change of the best plan's cost, {unit.name}", stack=None)
    tint = alt.Color(
        "direction:N", scale=alt.Scale(domain=["dearer", "cheaper"], range=["#D55E00", "#009E73"]), title=None
    )
    base = alt.Chart(drawn)
    bars = base.mark_bar(opacity=0.75, height=11).encode(x, y, tint)
    reach = base.mark_rule(color=INK, strokeWidth=1, opacity=0.6).encode(alt.X("low_usd:Q"), alt.X2("high_usd:Q"), y)
    zero = alt.Chart(pl.DataFrame({"at": [0.0]})).mark_rule(color=INK).encode(alt.X("at:Q"))
    open_ = sum(one.extra_usd is not None and not told(one.extra_usd) for one in answered)
    return Figure(
        id="tornado",
        title=f"The cost depends most on: {shown[0]}",
        note=f"Each with everything decided anew; thin lines: proven ranges. {open_} of {len(answered)} changes cannot "
        f"be told from nothing at this gap. The {len(shown)} widest are drawn.",
        chart=styled(alt.layer(bars, reach, zero).properties(width=WIDTH - 230, height=alt.Step(20))),
        table=table,
    )


def _bar(one: Sensitivity) -> Iterator[dict[str, object]]:
    assert one.extra_usd is not None
    lever = {"price": "price of ", "delivery": "later ", "demand": "demand of "}.get(one.lever.value)
    what = f"{lever}{one.subject}" if lever is not None else one.lever.value.replace("_", " ") + "s"
    yield {
        "what": what,
        "change": one.change,
        "extra_usd": one.extra_usd.found,
        "low_usd": one.extra_usd.low,
        "high_usd": one.extra_usd.high,
        "direction": "dearer" if one.extra_usd.found > 0 else "cheaper",
        "decision": "; ".join(one.changes) or "the same",
    }


def information_chart(bulk: Bulk) -> Figure:
    """What knowing each thing is worth, the part by deciding filled, beside what a split by chance pretends."""
    order = sorted(bulk.information, key=lambda one: -one.value_usd.found)
    rows = [
        {
            "known": knowledge_words(one),
            "value_usd": one.value_usd.found,
            "by_deciding_usd": one.deciding_usd,
            "low_usd": one.value_usd.low,
            "high_usd": one.value_usd.high,
        }
        for one in order
    ]
    table = pl.DataFrame(rows)
    unit = money_unit(float(table.select(pl.col("high_usd").max()).item() or 0.0))
    drawn = table.with_columns(pl.selectors.ends_with("_usd") / unit.size)
    y = alt.Y("known:N", sort=table["known"].to_list(), title=None, axis=alt.Axis(labelLimit=300))
    title = f"worth, {unit.name}"
    base = alt.Chart(drawn)
    whole = base.mark_bar(color="#56B4E9", opacity=0.45, height=14).encode(
        alt.X("value_usd:Q", title=title, stack=None), y
    )
    part = base.mark_bar(color=OKABE_ITO[0], height=8).encode(alt.X("by_deciding_usd:Q", title=title, stack=None), y)
    reach = base.mark_rule(color=INK, strokeWidth=1).encode(alt.X("low_usd:Q"), alt.X2("high_usd:Q"), y)
    named = [one for one in order if one.about in (Knowledge.DELIVERY, Knowledge.DEMAND)]
    best = named[0] if named else order[0]
    return Figure(
        id="information",
        title=f"Knowing {knowledge_words(best)} today would be worth {money(best.value_usd.found)}",
        note="Light: what knowing is worth; dark: the part that comes from deciding otherwise; lines: proven ranges. "
        "What the deal by chance seems to be worth is the noise of so few futures.",
        chart=styled(alt.layer(whole, part, reach).properties(width=WIDTH - 270, height=alt.Step(26))),
        table=table,
    )
