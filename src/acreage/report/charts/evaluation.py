"""What spreadsheet plans and foresight cost more or less than the plan, in futures that none of them saw."""

import altair as alt
import polars as pl

from acreage.domain.evaluation import Evaluation, Scores
from acreage.report.charts.drawing import INK, WIDTH, Figure, money_unit, styled
from acreage.report.evaluation_words import FORESIGHT, NAMES

FIGURES = ("objective", "expected cost", "CVaR")
TINTS = ("#0072B2", "#009E73", "#D55E00")


def against_spreadsheets(evaluation: Evaluation) -> Figure:
    """Dots with 95 % intervals: the cost of each way to plan less the plan's own, in the same futures."""
    others = evaluation.trials[1:]
    rows = [row for trial in others for row in _rows(NAMES[trial.way], trial.against_plan)]
    if evaluation.foresight is not None:
        rows += _rows(FORESIGHT, evaluation.foresight.against_plan)
    table = pl.DataFrame(rows)
    unit = money_unit(float(table.select(pl.max_horizontal(pl.col("low", "high").abs()).max()).item() or 0.0))
    drawn = table.with_columns(pl.col("found", "low", "high") / unit.size)
    order = list(dict.fromkeys(table["plan"].to_list()))
    title = f"dearer than this plan by, {unit.name}"
    y = alt.Y("plan:N", sort=order, title=None, axis=alt.Axis(labelLimit=190, grid=True))
    offset = alt.YOffset("figure:N", sort=list(FIGURES))
    tint = alt.Color("figure:N", scale=alt.Scale(domain=list(FIGURES), range=list(TINTS)), title="difference of")
    base = alt.Chart(drawn)
    reach = base.mark_rule(strokeWidth=2).encode(alt.X("low:Q", title=title), alt.X2("high:Q"), y, offset, tint)
    dots = base.mark_point(size=70, filled=True, opacity=1.0).encode(alt.X("found:Q", title=title), y, offset, tint)
    zero = alt.Chart(pl.DataFrame({"at": [0.0]})).mark_rule(color=INK, strokeDash=[4, 3]).encode(alt.X("at:Q"))
    better = [NAMES[t.way] for t in others if t.against_plan.objective_usd.low > 0.0]
    unclear = len(others) - len(better)
    finding = f"In fresh futures the plan beats {len(better)} of {len(others)} spreadsheet plans"
    return Figure(
        id="out-of-sample",
        title=finding + (f"; over {unclear} it shows no gain" if unclear else ""),
        note=f"What each costs more than this plan in the same {evaluation.futures} futures, which no solver saw "
        f"(seed {evaluation.seed}), and the {evaluation.stresses} named stresses. Line: 95 % interval.",
        chart=styled(alt.layer(zero, reach, dots).properties(width=WIDTH - 150, height=alt.Step(16))),
        table=table.with_columns(pl.col("found", "low", "high").round(0)),
    )


def _rows(name: str, scores: Scores) -> list[dict[str, object]]:
    estimates = (scores.objective_usd, scores.expected_usd, scores.cvar_usd)
    return [
        {"plan": name, "figure": figure, "found": float(e.found), "low": float(e.low), "high": float(e.high)}
        for figure, e in zip(FIGURES, estimates, strict=True)
    ]
