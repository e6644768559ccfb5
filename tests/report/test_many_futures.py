"""A plan over many futures on disk and on its page: exact figures of all of them, in little room."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from acreage.domain.against import Against, Judged
from acreage.domain.evaluation import Estimate
from acreage.domain.plan import DETAIL, SUMMARY_SCHEMAS, expectation
from acreage.plan.out_of_sample.own_sample import own_sample
from acreage.report import fan, figures
from acreage.report.against import against_lines, against_view, sure_lines
from acreage.report.plan_json import plan_document
from acreage.report.plan_store import load_plan, save_plan
from acreage.report.renderers.html import render_report
from acreage.report.tables import export_tables, tables_of
from acreage.report.thinning import REPRESENTATIVES, WHOLE_FUTURES_MAX, representatives, thinned
from tests.plan.many import FUTURES, Many, many


@pytest.fixture(scope="module")
def sixty() -> Many:
    """The case, planned once."""
    return many()


def test_figures_are_those_of_full_detail(sixty: Many) -> None:
    """Everything that is shown of a thinned plan equals what full detail says."""
    plan, portfolio = sixty.plan, sixty.case.portfolio
    thin = thinned(plan, portfolio)
    for name in DETAIL:
        assert thin.best.frames[name].height < plan.best.frames[name].height or not plan.best.frames[name].height
        assert_frame_equal(expectation(thin, thin.best, name), expectation(plan, plan.best, name))
    for figure in (
        figures.supply_by_provider,
        figures.need_and_unmet,
        figures.gap_by_period,
        figures.unmet_by_workload,
        figures.late_runs,
        fan.over_time,
        fan.lateness,
    ):
        assert_frame_equal(figure(thin, thin.best, portfolio), figure(plan, plan.best, portfolio))
    assert figures.gap_of(thin, thin.best, portfolio) == figures.gap_of(plan, plan.best, portfolio)
    assert plan_document(thin, portfolio) == plan_document(plan, portfolio)


def test_a_small_plan_is_kept_whole() -> None:
    """Up to forty futures nothing is thinned."""
    few = many(WHOLE_FUTURES_MAX - 1)
    assert thinned(few.plan, few.case.portfolio) is few.plan


def test_representatives_follow_the_distribution(sixty: Many) -> None:
    """They are real futures, the base among them, and the mean of their costs is near that of all."""
    names = representatives(sixty.plan, sixty.case.portfolio)
    costs = {row["future"]: row["usd"] for row in fan.distribution(sixty.plan, sixty.plan.best).to_dicts()}
    assert names[0] == sixty.plan.futures[0].name
    assert len(names) <= REPRESENTATIVES + 1
    spread = max(costs.values()) - min(costs.values())
    mean = np.mean([costs[name] for name in names[1:]])
    assert abs(mean - sixty.plan.best.figures.expected_usd) < 0.05 * spread


def test_a_thinned_plan_is_stored_and_read_back(sixty: Many, tmp_path: Path) -> None:
    """The folder gives back the very same frames and summary, and its tables hold what is kept of all futures."""
    portfolio = sixty.case.portfolio
    thin = thinned(sixty.plan, portfolio)
    save_plan(tmp_path / "p", thin, plan_document(thin, portfolio), {"portfolio.yaml": b"x"})
    again = load_plan(tmp_path / "p")
    assert again.best.figures == thin.best.figures
    for name, frame in thin.best.frames.items():
        assert_frame_equal(again.best.frames[name], frame)
    kept, told = again.best.summary, thin.best.summary
    assert kept is not None
    assert told is not None
    assert kept.detailed == told.detailed
    for name in DETAIL:
        assert_frame_equal(kept.expected[name], told.expected[name])
    for name, schema in SUMMARY_SCHEMAS.items():
        assert dict(getattr(kept, name).schema) == dict(schema)
        assert_frame_equal(getattr(kept, name), getattr(told, name))
        assert set(getattr(kept, name)["future"]) == {f.name for f in sixty.plan.futures}
    assert {"paths", "fates", "expected_dispatch"} <= set(tables_of(thin, portfolio))
    export_tables(thin, portfolio, tmp_path / "export", ("parquet", "xlsx"))
    sheets = pl.read_excel(tmp_path / "export" / "plan.xlsx", sheet_id=0)
    assert sheets["service"].height == expectation(thin, thin.best, "service").height


def test_the_page_shows_the_fan_in_little_room(sixty: Many) -> None:
    """Cost, need against capacity and unmet demand as fans, and how sure they are; half a megabyte at most."""
    plan, portfolio = sixty.plan, sixty.case.portfolio
    page = render_report(plan, portfolio, (), "0.0.0", sure=own_sample(plan, portfolio))
    for words in ("The fan of outcomes", "Nine in ten futures cost", "How sure", "fan-supply", "fan-unmet"):
        assert words in page
    assert "nan" not in page.lower().replace("finance", "")
    assert len(page) < 500_000
    few = replace(plan, futures=plan.futures[: fan.FUTURES_MIN])
    assert not fan.has_fan(few)


def test_what_changed_is_said(sixty: Many) -> None:
    """Decision, cost in the same futures with its interval, and what the earlier plan promised; or why not."""
    plan = sixty.plan
    bare = replace(plan.best.decision, signings=())
    earlier = replace(plan, best=replace(plan.best, decision=bare), futures=plan.futures[:10])
    differ = len({s.offer for s in plan.best.decision.signings})
    more = Estimate(found=2e6, low=1e6, high=3e6)
    judged = Judged(figures=plan.best.figures, more_objective_usd=more, more_expected_usd=more, more_cvar_usd=more)
    against = Against(name="plans/small", earlier=earlier, judged=judged)
    lines = against_lines(against, plan)
    assert lines[0].startswith(f"{differ} decision" if differ else "Both decide the same")
    assert f"made over 9 futures, this one over {FUTURES}" in lines[0]
    assert "+$2.00M against this plan's (95 %: +$1.00M to +$3.00M), which is more than chance" in lines[1]
    view = against_view(against, plan)
    assert view["tables"][0]["rows"][0][-1] == "+$2.00M ±$1.00M"
    page = render_report(plan, sixty.case.portfolio, (), "0.0.0", against=against)
    assert "What changed against plans/small" in page
    refused = replace(against, judged=None, refused="no such offer")
    assert against_lines(refused, plan)[1] == "The earlier plan cannot be played in these futures: no such offer."


def test_a_thin_tail_is_said(sixty: Many) -> None:
    """Few futures in the tail make CVaR's interval a rough one."""
    sure = own_sample(sixty.plan, sixty.case.portfolio)
    assert sure is not None
    assert "conservative" in sure_lines(sure)[0]
    assert f"Only {sure.tail_futures} of the futures drawn lie in the tail" in sure_lines(sure)[1]
    assert len(sure_lines(replace(sure, tail_futures=100))) == 1


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.integers(1, 9)), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_quantiles_are_the_least_values_reached(futures: list[tuple[float, int]], level: float) -> None:
    """A quantile is a future's value; at most the level's probability lies below it, at least that up to it."""
    values, weights = (np.array(part, dtype=float) for part in zip(*futures, strict=True))
    weights /= weights.sum()
    (found,) = fan.quantiles(values, weights, np.array([level]))
    assert found in values
    assert weights[values < found].sum() <= level + 1e-9
    assert weights[values <= found].sum() >= level - 1e-9
