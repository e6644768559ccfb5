"""A simulated market in pictures: prices, who is short, concentration and use over time, and what changes do."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from acreage.domain.market_outcome import BASE, EVERYBODY, MarketOutcome, Measure
from acreage.report.charts.drawing import DAY, INK, OKABE_ITO, WIDTH, styled
from acreage.report.market_tables import UNITS
from acreage.units.instants import add_months, moment

_LEGEND = alt.Legend(orient="bottom", columns=3, labelLimit=380, symbolType="square", symbolOpacity=1)
_WHOLE = (Measure.UTILISATION, Measure.UNMET, Measure.LAB_UNMET)
"""Shares, which no interval in a picture is drawn beyond."""


def chip_prices(outcome: MarketOutcome) -> Any:
    """The price of new business by chip, in the base, with its interval."""
    chips = [str(chip.name) for chip in outcome.world.chips]
    lines = _series(outcome, Measure.CHIP_PRICE).filter(pl.col("world") == BASE)
    return styled(_lines(lines, "subject", chips, UNITS[Measure.CHIP_PRICE].label, 260))


def over_time(outcome: MarketOutcome, measures: Sequence[Measure]) -> Any:
    """Measures of the whole market over time, a picture each, a line for the base and each change."""
    worlds = [BASE, *(change.name for change in outcome.changes)]
    each = [
        _lines(
            _series(outcome, measure).filter(pl.col("subject") == EVERYBODY), "world", worlds, UNITS[measure].label, 150
        )
        for measure in measures
    ]
    return styled(alt.vconcat(*each))


def who_is_short(outcome: MarketOutcome) -> Any:
    """The share of each lab's need that is not met, tick by tick, in the base."""
    labs = [str(lab.name) for lab in outcome.world.labs]
    cells = _series(outcome, Measure.LAB_UNMET).filter(pl.col("world") == BASE)
    ends = [_day(outcome, tick + 1) for tick in cells["tick"]]
    return styled(
        alt.Chart(cells.with_columns(pl.Series("until_at", ends)))
        .mark_rect(stroke="white", strokeWidth=0.5)
        .encode(
            alt.X("from_at:T", title=None, axis=alt.Axis(format=DAY, labelAngle=0, tickCount=8)),
            alt.X2("until_at:T"),
            alt.Y("subject:N", title=None, sort=labs),
            alt.Color(
                "mean:Q",
                title="need not met, %",
                scale=alt.Scale(range=["#f4f5f7", OKABE_ITO[5]], interpolate="rgb", domainMin=0),
                legend=alt.Legend(gradientLength=150),
            ),
        )
        .properties(width=WIDTH - 130, height=alt.Step(24))
    )


def effects(outcome: MarketOutcome, measures: Sequence[Measure]) -> Any:
    """What every change adds to measures of the whole market, with its interval, a picture for each measure."""
    each = [_forest(_effects(outcome, (measure,)), "world", UNITS[measure].label) for measure in measures]
    return styled(alt.vconcat(*each).resolve_scale(x="independent"))


def lab_effects(outcome: MarketOutcome) -> Any:
    """What every change adds to the share of each lab's need that is not met, a picture for each change."""
    points = _effects(outcome, (Measure.LAB_UNMET,))
    title = f"{UNITS[Measure.LAB_UNMET].label}: added"
    each = [
        _forest(points.filter(pl.col("world") == change.name), "subject", title).properties(title=change.words)
        for change in outcome.changes
    ]
    return styled(alt.vconcat(*each))


def _series(outcome: MarketOutcome, measure: Measure) -> pl.DataFrame:
    """One measure in its unit, with `from_at`, the day at which a tick begins."""
    found = outcome.series.filter(pl.col("measure") == measure.value)
    days = [_day(outcome, tick) for tick in found["tick"]]
    scaled = [pl.col(name) * UNITS[measure].scale for name in ("mean", "low", "high")]
    scaled[1] = scaled[1].clip(0.0)
    if measure in _WHOLE:
        scaled[2] = scaled[2].clip(0.0, UNITS[measure].scale)
    return found.with_columns(*scaled, pl.Series("from_at", days, dtype=pl.Datetime()))


def _day(outcome: MarketOutcome, tick: int) -> Any:
    return moment(add_months(outcome.world.from_at, tick * outcome.world.tick_months)).replace(tzinfo=None)


def _lines(frame: pl.DataFrame, by: str, order: Sequence[str], title: str, height: int) -> Any:
    shown = [name for name in order if name in set(frame[by])]
    color = alt.Color(
        f"{by}:N",
        title=None,
        sort=shown,
        scale=alt.Scale(domain=shown, range=[OKABE_ITO[i % len(OKABE_ITO)] for i in range(len(shown))]),
        legend=_LEGEND,
    )
    x = alt.X("from_at:T", title=None, axis=alt.Axis(format=DAY, labelAngle=0, tickCount=8))
    around = frame if by == "subject" else frame.filter(pl.col("world") == BASE)
    scale = alt.Scale(zero=False, nice=True)
    band = alt.Chart(around).mark_area(opacity=0.13).encode(x, alt.Y("low:Q", scale=scale), alt.Y2("high:Q"), color)
    line = alt.Chart(frame).mark_line(strokeWidth=2).encode(x, alt.Y("mean:Q", title=None, scale=scale), color)
    named = alt.TitleParams(title, anchor="start", fontSize=12, fontWeight="normal", color=INK)
    return alt.layer(band, line).properties(width=WIDTH - 60, height=height, title=named)


def _effects(outcome: MarketOutcome, measures: Sequence[Measure]) -> pl.DataFrame:
    rows = []
    for change in outcome.changes:
        for effect in change.effects:
            if effect.measure in measures:
                scale, found = UNITS[effect.measure].scale, effect.difference
                ends = (found.mean if end is None else end for end in (found.low, found.high))
                rows.append((change.name, effect.subject, found.mean * scale, *(end * scale for end in ends)))
    return pl.DataFrame(rows, schema=["world", "subject", "mean", "low", "high"], orient="row")


def _forest(points: pl.DataFrame, by: str, title: str) -> Any:
    """A dot with its interval for each row, and zero as a line."""
    y = alt.Y(f"{by}:N", title=None, sort=points[by].to_list(), axis=alt.Axis(labelLimit=330))
    base = alt.Chart(points)
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=INK, strokeDash=[4, 3]).encode(alt.X("zero:Q"))
    rule = base.mark_rule(color=INK, strokeWidth=1.5).encode(alt.X("low:Q", title=title), alt.X2("high:Q"), y)
    dot = base.mark_point(size=70, filled=True, opacity=1.0, color=OKABE_ITO[0]).encode(alt.X("mean:Q", title=title), y)
    return alt.layer(zero, rule, dot).properties(width=WIDTH - 340, height=alt.Step(22))
