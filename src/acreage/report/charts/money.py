"""Offers with their walk-away prices, cash and commitments over time, and what could go wrong."""

import altair as alt
import polars as pl

from acreage.domain.plan import Plan, chances, expectation
from acreage.domain.portfolio import Portfolio
from acreage.report import figures
from acreage.report.charts.drawing import INK, WIDTH, Figure, colors, money_unit, styled
from acreage.report.charts.supply import providers_of
from acreage.report.fates import periods_frame
from acreage.report.words import money, percent, signed_money

SIGN, LEAVE = "#009E73", "#D55E00"
NOT_CASH = ("unmet", "late", "unfinished", "salvage")


def offer_prices(plan: Plan, portfolio: Portfolio) -> Figure:
    """Asked price and walk-away price of every offer."""
    rows = [
        {
            "offer": str(v.offer),
            "decision": "sign" if v.signed else "do not sign",
            "asked": v.asked_usd_per_accelerator_hour,
            "walk_away": w.found if (w := v.walk_away_usd_per_accelerator_hour) else None,
            "proven_low": w.low if w else None,
            "proven_high": w.high if w else None,
            "at_accelerators": v.at_accelerators,
            "reason": v.reason,
        }
        for v in plan.verdicts
    ]
    number = pl.Float64()
    schema = {"offer": pl.String(), "decision": pl.String(), "asked": number, "walk_away": number}
    schema |= {"proven_low": number, "proven_high": number, "at_accelerators": pl.Int64(), "reason": pl.String()}
    table = pl.DataFrame(rows, schema=schema)
    ratio = (pl.col("walk_away") / pl.col("asked")).fill_null(-1.0)
    table = table.sort((pl.col("decision") == "sign").cast(pl.Int8), ratio, "offer", descending=[True, True, False])
    order = table["offer"].to_list()
    top = 1.6 * float(table["asked"].max() or 1.0)  # type: ignore[arg-type]
    drawn = table.with_columns(pl.col("walk_away").clip(0.0, top).alias("shown"))
    y = alt.Y("offer:N", sort=order, title=None, axis=alt.Axis(labelLimit=190))
    tint = alt.Color(
        "decision:N", scale=alt.Scale(domain=["sign", "do not sign"], range=[SIGN, LEAVE]), title="decision"
    )
    base = alt.Chart(drawn)
    scale = alt.Scale(domain=[0, top], nice=False)
    x = alt.X("asked:Q", title="USD per accelerator-hour", scale=scale)
    both = base.transform_filter("datum.walk_away != null")
    rule = both.mark_rule(strokeWidth=3, opacity=0.5).encode(x, alt.X2("shown:Q"), y, tint)
    long = drawn.unpivot(
        ["asked", "shown"], index=["offer", "decision"], variable_name="price", value_name="usd"
    ).drop_nulls()
    long = long.with_columns(pl.col("price").replace({"asked": "asked", "shown": "walk-away"}))
    points = (
        alt.Chart(long)
        .mark_point(size=90, filled=True, opacity=1.0)
        .encode(
            alt.X("usd:Q", title="USD per accelerator-hour", scale=scale),
            y,
            tint,
            alt.Shape(
                "price:N", scale=alt.Scale(domain=["asked", "walk-away"], range=["circle", "diamond"]), title="price"
            ),
        )
    )
    signed = sum(v.signed for v in plan.verdicts)
    return Figure(
        id="offers",
        title=f"{signed} of {len(plan.verdicts)} offers are worth their price",
        note="The walk-away price is what an offer may cost at most to be worth signing: to the right of the asked "
        "price it is signed. Prices beyond the axis are drawn at its end.",
        chart=styled(alt.layer(rule, points).properties(width=WIDTH - 130, height=alt.Step(19))),
        table=table.rename({"asked": "asked USD/h", "walk_away": "walk-away USD/h"}),
    )


def _provider_of_source(portfolio: Portfolio) -> dict[str, str]:
    found = {str(lease.id): str(lease.provider) for lease in portfolio.leases}
    found |= {str(offer.id): str(offer.provider) for offer in portfolio.offers}
    found |= {str(pool.id): str(pool.provider) for pool in portfolio.pools.values()}
    return found | {str(c.id): str(c.spend.provider) for c in portfolio.commitments}


def cash(plan: Plan, portfolio: Portfolio) -> Figure:
    """Cash by period and supplier, expected."""
    owners = _provider_of_source(portfolio)
    paid = expectation(plan, plan.best, "cash").filter(~pl.col("kind").is_in(NOT_CASH))
    paid = paid.with_columns(pl.col("source").replace_strict(owners, default="ports and other").alias("payee"))
    shown = figures.summed(paid, ["period", "payee"], "usd").join(periods_frame(portfolio), on="period")
    total = shown.group_by("period").agg(pl.col("usd").sum())
    unit = money_unit(float(total["usd"].max() or 0.0))  # type: ignore[arg-type]
    everyone = [*providers_of(portfolio), "ports and other"]
    order = {name: i for i, name in enumerate(everyone)}
    stacked = (
        shown.with_columns(pl.col("usd") / unit.size, pl.col("payee").replace_strict(order).alias("order"))
        .sort("period", "order")
        .with_columns(pl.col("usd").cum_sum().over("period").alias("to"))
        .with_columns((pl.col("to") - pl.col("usd")).alias("from"))
    )
    chart = (
        alt.Chart(stacked)
        .mark_rect(stroke="white", strokeWidth=0.4)
        .encode(
            alt.X("from_at:T", title=None, axis=alt.Axis(format="%b %Y", labelAngle=0, tickCount=8)),
            alt.X2("until_at:T"),
            alt.Y("from:Q", title=f"{unit.name} a period"),
            alt.Y2("to:Q"),
            alt.Color("payee:N", scale=colors(everyone, set(shown["payee"])), title="paid to"),
        )
        .properties(width=WIDTH, height=240)
    )
    everything = float(total["usd"].sum())
    top = total.sort("usd", descending=True).head(1).join(periods_frame(portfolio), on="period")
    when = f", at most {money(top['usd'][0])} in {top['from_at'][0]:%b %Y}" if top.height else ""
    return Figure(
        id="cash",
        title=f"{money(everything)} is paid over the horizon{when}",
        note="Undiscounted payments in the period in which they fall due, expected over the futures.",
        chart=styled(chart),
        table=shown.select(
            pl.col("from_at").alias("from"), pl.col("payee").alias("paid to"), pl.col("usd").round(0).alias("USD")
        ),
    )


def drawdown(plan: Plan) -> Figure | None:
    """Commitments: what is drawn at each milestone against what is pledged; None without commitments."""
    drawn = plan.best.frames["drawdown"].join(chances(plan), on="future")
    if drawn.is_empty():
        return None
    p = pl.col("probability")
    table = (
        drawn.group_by("commitment", "due_at")
        .agg(
            (pl.col("drawn_usd") * p).sum().alias("drawn_usd"),
            pl.col("drawn_usd").filter(p > 0).min().alias("least_usd"),
            pl.col("drawn_usd").filter(p > 0).max().alias("most_usd"),
            pl.col("pledged_usd").max().alias("pledged_usd"),
            (pl.col("shortfall_usd") * p).sum().alias("shortfall_usd"),
        )
        .with_columns(pl.col("least_usd", "most_usd").fill_null(pl.col("drawn_usd")))
        .sort("commitment", "due_at")
    )
    unit = money_unit(float(table["most_usd"].max() or 0.0))  # type: ignore[arg-type]
    scaled = table.with_columns(pl.col("drawn_usd", "least_usd", "most_usd", "pledged_usd") / unit.size)
    scaled = scaled.with_columns(
        (pl.col("commitment") + ", " + pl.col("due_at").dt.strftime("%b %Y")).alias("milestone")
    )
    order = scaled["milestone"].to_list()
    y = alt.Y("milestone:N", sort=order, title=None, axis=alt.Axis(labelLimit=260))
    title = f"{unit.name} since the start"
    base = alt.Chart(scaled)
    bars = base.mark_bar(color="#56B4E9", height=11).encode(alt.X("drawn_usd:Q", title=title), y)
    reach = base.mark_rule(color=INK, strokeWidth=1.5).encode(
        alt.X("least_usd:Q", title=title), alt.X2("most_usd:Q"), y
    )
    ticks = base.mark_tick(color="#D55E00", thickness=4, size=18).encode(alt.X("pledged_usd:Q", title=title), y)
    short = float(table["shortfall_usd"].sum())
    return Figure(
        id="drawdown",
        title="Every commitment is drawn down in time" if short < 1.0 else f"Shortfalls cost {money(short)} on average",
        note="Bar: drawn, expected over the futures; line: the least and the most of any future; mark: pledged.",
        chart=styled(alt.layer(bars, reach, ticks).properties(width=WIDTH - 200, height=alt.Step(24))),
        table=table.with_columns(pl.col("drawn_usd", "least_usd", "most_usd", "pledged_usd", "shortfall_usd").round(0)),
    )


def outcomes(plan: Plan) -> Figure:
    """The cost of every future, with the plan and without any new lease."""
    named = (("this plan", plan.best), ("no new lease", plan.without_new))
    parts = [figures.cost_of_futures(plan, o).with_columns(pl.lit(name).alias("plan")) for name, o in named]
    costs = pl.concat(parts)
    unit = money_unit(float(costs["usd"].max() or 0.0))  # type: ignore[arg-type]
    marks = pl.DataFrame(
        [
            {"plan": name, "figure": figure, "usd": usd / unit.size}
            for name, o in named
            for figure, usd in (("expected", o.figures.expected_usd), ("CVaR", o.figures.cvar_usd))
        ]
    )
    sampled = costs.filter(pl.col("probability") > 0).with_columns(pl.col("usd") / unit.size)
    y = alt.Y("plan:N", sort=["this plan", "no new lease"], title=None)
    title = f"discounted cost, {unit.name}"
    x = alt.X("usd:Q", title=title, scale=alt.Scale(zero=False))
    dots = (
        alt.Chart(sampled)
        .mark_circle(opacity=0.55, color="#0072B2")
        .encode(x, y, alt.Size("probability:Q", title="probability", legend=None, scale=alt.Scale(range=[60, 160])))
    )
    ticks = (
        alt.Chart(marks)
        .mark_point(size=170, filled=True, opacity=1.0, color="#D55E00")
        .encode(
            x,
            y,
            alt.Shape(
                "figure:N",
                scale=alt.Scale(domain=["expected", "CVaR"], range=["triangle-up", "square"]),
                title="over futures",
            ),
        )
    )
    better = plan.without_new.figures.expected_usd - plan.best.figures.expected_usd
    return Figure(
        id="outcomes",
        title=f"The plan saves {money(better)} on average over signing nothing",
        note="Each dot is a future; its size is its probability. CVaR is the mean of the worst futures.",
        chart=styled(alt.layer(dots, ticks).properties(width=WIDTH, height=alt.Step(58))),
        table=costs.select("plan", "future", "probability", pl.col("usd").round(0).alias("USD")),
    )


def losses(plan: Plan) -> Figure | None:
    """What the loss of each supplier would cost; None where what-ifs were not asked for."""
    rows = [
        {"supplier": w.subject, "usd": w.extra_usd.found, "low": w.extra_usd.low, "high": w.extra_usd.high}
        for w in plan.what_ifs
        if w.kind == "supplier"
    ]
    if not rows:
        return None
    table = pl.DataFrame(rows).sort("usd", descending=True)
    unit = money_unit(float(table["usd"].abs().max() or 0.0))  # type: ignore[arg-type]
    base = alt.Chart(table.with_columns(pl.col("usd", "low", "high") / unit.size))
    y = alt.Y("supplier:N", sort=table["supplier"].to_list(), title=None)
    title = f"extra cost, {unit.name}"
    bars = base.mark_bar(color="#E69F00", height=13).encode(alt.X("usd:Q", title=title), y)
    reach = base.mark_rule(color=INK, strokeWidth=1.5).encode(alt.X("low:Q", title=title), alt.X2("high:Q"), y)
    worst = table.row(0, named=True)
    share = worst["usd"] / plan.best.figures.objective_usd if plan.best.figures.objective_usd else 0.0
    return Figure(
        id="losses",
        title=f"Losing {worst['supplier']} costs most: {signed_money(worst['usd'])}, {percent(share)} of the objective",
        note="What the best plan with nothing of a supplier costs more. Line: proven range.",
        chart=styled(alt.layer(bars, reach).properties(width=WIDTH - 60, height=alt.Step(24))),
        table=table.with_columns(pl.col("usd", "low", "high").round(0)),
    )
