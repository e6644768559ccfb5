"""A backtest in pictures: what each month's decision lost, and what other ways to decide cost more."""

import math
from typing import Any

import altair as alt
import polars as pl

from acreage.domain.backtest import Backtest
from acreage.domain.evaluation import Estimate
from acreage.report.backtest_words import ONCE
from acreage.report.charts.drawing import INK, OKABE_ITO, WIDTH, money_unit, styled
from acreage.report.evaluation_words import FORESIGHT, NAMES
from acreage.units.instants import iso_date

BAR, DOT = OKABE_ITO[0], OKABE_ITO[5]


def monthly_regret(found: Backtest) -> Any:
    """Bars with intervals: the hindsight cost of each planning day, the mean over the finished paths."""
    assert found.means is not None, "no path was finished"
    rows = [{"day": iso_date(at), **_ends(one)} for at, one in zip(found.dates, found.means.monthly_usd, strict=True)]
    drawn, unit = _in_unit(rows)
    title = f"lost to hindsight, {unit}"
    x = alt.X("day:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True))
    base = alt.Chart(drawn)
    bars = base.mark_bar(color=BAR).encode(x, alt.Y("found:Q", title=title))
    reach = base.mark_rule(color=INK, strokeWidth=2).encode(x, alt.Y("low:Q", title=title), alt.Y2("high:Q"))
    return styled(alt.layer(bars, reach).properties(width=WIDTH - 120, height=240))


def against_replanning(found: Backtest) -> Any:
    """Dots with intervals: what each other way to decide costs more than re-planning on the same paths."""
    assert found.means is not None, "no path was finished"
    regret = found.means.regret_usd
    rows = [
        {"way": FORESIGHT, **_ends(Estimate(found=-regret.found, low=-regret.high, high=-regret.low))},
        {"way": ONCE, **_ends(found.means.replanning_usd)},
        *({"way": NAMES[way], **_ends(more)} for way, more in found.means.others_usd.items()),
    ]
    drawn, unit = _in_unit(rows)
    title = f"dearer than re-planned by, {unit}"
    y = alt.Y("way:N", sort=[str(row["way"]) for row in rows], title=None, axis=alt.Axis(labelLimit=190, grid=True))
    base = alt.Chart(drawn)
    reach = base.mark_rule(color=DOT, strokeWidth=2).encode(alt.X("low:Q", title=title), alt.X2("high:Q"), y)
    dots = base.mark_point(color=DOT, size=70, filled=True, opacity=1.0).encode(alt.X("found:Q", title=title), y)
    zero = alt.Chart(pl.DataFrame({"at": [0.0]})).mark_rule(color=INK, strokeDash=[4, 3]).encode(alt.X("at:Q"))
    return styled(alt.layer(zero, reach, dots).properties(width=WIDTH - 190, height=alt.Step(28)))


def _ends(found: Estimate) -> dict[str, float]:
    """A figure and its interval; the figure alone where it has none."""
    low, high = (end if math.isfinite(end) else found.found for end in (found.low, found.high))
    return {"found": float(found.found), "low": float(low), "high": float(high)}


def _in_unit(rows: list[dict[str, Any]]) -> tuple[pl.DataFrame, str]:
    table = pl.DataFrame(rows)
    most = table.select(pl.max_horizontal(pl.col("found", "low", "high").abs()).max()).item()
    unit = money_unit(float(most or 0.0))
    return table.with_columns(pl.col("found", "low", "high") / unit.size), unit.name
