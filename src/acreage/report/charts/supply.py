"""Supply against need over time, where workloads run, and what one more accelerator-hour is worth."""

import altair as alt
import polars as pl

from acreage.domain.plan import Plan, expectation
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import TrainingRun
from acreage.report import figures
from acreage.report.charts.drawing import (
    INK,
    WIDTH,
    Figure,
    colors,
    compute_unit,
    in_steps,
    month_axis,
    styled,
)
from acreage.report.fates import periods_frame
from acreage.report.words import percent

POOLS_MAX = 24


def providers_of(portfolio: Portfolio) -> list[str]:
    """Providers in a fixed order, so that each keeps its color from chart to chart."""
    return sorted({str(pool.provider) for pool in portfolio.pools.values()})


def supply_and_need(plan: Plan, portfolio: Portfolio) -> Figure:
    """Leased capacity by supplier, stacked, and what all workloads need."""
    supply = figures.supply_by_provider(plan, plan.best, portfolio)
    need = (
        figures.need_and_unmet(plan, plan.best, portfolio)
        .group_by("period", "from_at", "until_at")
        .agg(pl.col("need_pflops").sum(), pl.col("unmet_pflops").sum())
        .sort("period")
    )
    peak = float(need["need_pflops"].max() or 0.0)  # type: ignore[arg-type]
    unit = compute_unit(max(peak, float(supply["effective_pflops"].max() or 0.0)))  # type: ignore[arg-type]
    held = in_steps(supply, ["provider"], ["effective_pflops"]).with_columns(pl.col("effective_pflops") / unit.size)
    wanted = in_steps(need, [], ["need_pflops"]).with_columns(pl.col("need_pflops") / unit.size)
    y = alt.Y("effective_pflops:Q", stack="zero", title=f"effective {unit.name}")
    scale = colors(providers_of(portfolio), set(held["provider"]))
    areas = (
        alt.Chart(held)
        .mark_area(interpolate="step-after", stroke="white", strokeWidth=0.8)
        .encode(month_axis(), y, alt.Color("provider:N", scale=scale, title="supplier"))
    )
    line = (
        alt.Chart(wanted.with_columns(pl.lit("need of all workloads").alias("what")))
        .mark_line(interpolate="step-after", color=INK, strokeWidth=2.5, strokeDash=[7, 3])
        .encode(
            month_axis(),
            alt.Y("need_pflops:Q"),
            alt.StrokeDash("what:N", title=None, legend=alt.Legend(symbolStrokeWidth=2)),
        )
    )
    gap = figures.gap_of(plan, plan.best, portfolio)
    title = "Supply covers what is served in every period"
    if gap.peak_from:
        worst = f"{percent(gap.peak_frac)} in {gap.peak_from}"
        title = f"Serving and research miss {percent(gap.unmet_frac)} on average, {worst}"
    return Figure(
        id="supply",
        title=title,
        note="Leased capacity expected over the futures, by supplier, and what all workloads need; a training run's "
        "work is spread from its release to its deadline. Hours bought on demand are not drawn.",
        chart=styled(alt.layer(areas, line).resolve_scale(y="shared").properties(width=WIDTH, height=300)),
        table=_supply_table(supply, need),
    )


def _supply_table(supply: pl.DataFrame, need: pl.DataFrame) -> pl.DataFrame:
    wide = supply.pivot("provider", index="period", values="effective_pflops").with_columns(
        pl.exclude("period").fill_null(0.0)
    )
    return (
        need.join(wide, on="period", how="left")
        .select(
            "from_at",
            "need_pflops",
            "unmet_pflops",
            pl.exclude("period", "from_at", "until_at", "need_pflops", "unmet_pflops"),
        )
        .rename({"need_pflops": "need, PFLOP/s", "unmet_pflops": "unmet, PFLOP/s", "from_at": "from"})
    )


def placement(plan: Plan, portfolio: Portfolio) -> Figure:
    """The share of each workload's accelerator-hours that each pool carries."""
    hours = _hours_used(plan, portfolio)
    total = hours.group_by("workload").agg(pl.col("hours").sum().alias("total"))
    shown = hours.join(total, on="workload").with_columns((pl.col("hours") / pl.col("total")).alias("share"))
    order = total.sort("total", descending=True)["workload"].to_list()
    pools = (
        hours.group_by("pool").agg(pl.col("hours").sum()).sort("hours", descending=True)["pool"].to_list()[:POOLS_MAX]
    )
    base = alt.Chart(shown.filter(pl.col("pool").is_in(pools) & (pl.col("share") > 0.001)))
    x = alt.X("pool:N", sort=pools, title=None, axis=alt.Axis(labelAngle=-40, labelLimit=150))
    y = alt.Y("workload:N", sort=order, title=None, axis=alt.Axis(labelLimit=170))
    squares = base.mark_rect(stroke="white").encode(
        x, y, alt.Color("share:Q", scale=alt.Scale(range=["#eef4f9", "#0072B2"]), legend=None)
    )
    labels = base.mark_text(fontSize=11).encode(
        x,
        y,
        alt.Text("share:Q", format=".0%"),
        color=alt.condition("datum.share > 0.55", alt.value("white"), alt.value(INK)),
    )
    chart = alt.layer(squares, labels).properties(width=WIDTH - 120, height=alt.Step(22))
    return Figure(
        id="placement",
        title="Where each workload runs",
        note="Share of a workload's accelerator-hours in each pool over the horizon, expected over the futures.",
        chart=styled(chart),
        table=shown.sort(["workload", "hours"], descending=[False, True]).select(
            "workload", "pool", pl.col("hours").round(0).alias("accelerator-hours"), "share"
        ),
    )


def _hours_used(plan: Plan, portfolio: Portfolio) -> pl.DataFrame:
    """Expected accelerator-hours of each workload in each pool."""
    spans = periods_frame(portfolio).select("period", pl.col("hours").alias("period_hours"))
    blocks = _block_hours(plan, portfolio)
    used = expectation(plan, plan.best, "dispatch").join(spans, on="period").join(blocks, on="block")
    used = used.with_columns((pl.col("accelerators") * pl.col("period_hours") * pl.col("hours_frac")).alias("hours"))
    return figures.summed(used, ["workload", "pool"], "hours").filter(pl.col("hours") > 0.5)


def _block_hours(plan: Plan, portfolio: Portfolio) -> pl.DataFrame:
    """Share of a period's hours in each load block; "all" is the whole period."""
    names = plan.best.frames["dispatch"]["block"].unique().to_list()
    known = {
        b.name: b.hours_frac
        for w in portfolio.workloads
        if not isinstance(w, TrainingRun)
        for b in getattr(w, "load_blocks", ())
    }
    rows = [(name, 1.0 if name == "all" else known.get(name, 1.0)) for name in names]
    return pl.DataFrame(rows, schema={"block": pl.String, "hours_frac": pl.Float64}, orient="row")


def marginal_value(plan: Plan, portfolio: Portfolio) -> Figure:
    """What one more accelerator-hour would be worth in each pool and period."""
    worth = plan.best.frames["marginal"]
    top = worth.group_by("pool").agg(pl.col("usd_per_accelerator_hour").max().alias("top")).sort("top", descending=True)
    pools = top["pool"].to_list()[:POOLS_MAX]
    shown = worth.filter(pl.col("pool").is_in(pools))
    chart = (
        alt.Chart(shown)
        .mark_rect()
        .encode(
            alt.X("from_at:T", title=None, axis=alt.Axis(format="%b %Y", labelAngle=0, tickCount=8)),
            alt.X2("until_at:T"),
            alt.Y("pool:N", sort=pools, title=None, axis=alt.Axis(labelLimit=170)),
            alt.Color(
                "usd_per_accelerator_hour:Q",
                scale=alt.Scale(range=["#f4f6f8", "#56B4E9", "#0072B2", "#10243a"]),
                title=["USD per", "accelerator-hour"],
            ),
        )
        .properties(width=WIDTH - 140, height=alt.Step(20))
    )
    best = top.row(0, named=True) if top.height else {"pool": "", "top": 0.0}
    return Figure(
        id="marginal",
        title=f"One more accelerator-hour is worth most in {best['pool']}: up to ${best['top']:,.2f}",
        note="Marginal value of capacity, expected over the futures, in that period's money. Capacity that costs less "
        "than this is worth adding.",
        chart=styled(chart),
        table=worth.select(
            "pool", pl.col("from_at").alias("from"), pl.col("usd_per_accelerator_hour").alias("USD/accelerator-hour")
        ),
    )
