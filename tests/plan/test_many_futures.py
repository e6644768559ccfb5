"""Many futures: acts and lots change nothing, the audit misses none of them, and errors are stated."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from acreage.domain.plan import Outcome, Plan
from acreage.plan import audit as auditing
from acreage.plan import play as playing
from acreage.plan.audit import audit, audit_report
from acreage.plan.decide import first_stage_of
from acreage.plan.evaluate import evaluate
from acreage.plan.out_of_sample.earlier import judged_in
from acreage.plan.out_of_sample.estimates import Sample
from acreage.plan.out_of_sample.own_sample import costs_of, own_sample, weighted_estimate
from acreage.plan.out_of_sample.playing import Stage
from acreage.plan.play import play
from acreage.report.thinning import thinned
from tests.plan.many import FUTURES, Many, many


@pytest.fixture(scope="module")
def sixty() -> Many:
    """The case, planned once."""
    return many()


def quiet(_: object) -> None:
    """Say nothing."""


def test_acts_change_nothing(sixty: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures and frames are the same however many futures are played at a time."""
    first = first_stage_of(sixty.formulation, sixty.plan.best.decision)
    monkeypatch.setattr(playing, "FUTURES_PER_ACT", 7)
    outcome = evaluate(play(sixty.formulation, first), -np.inf)
    assert outcome.figures.objective_usd == pytest.approx(sixty.plan.best.figures.objective_usd, rel=1e-9)
    for name in ("cost", "capacity", "drawdown", "given_up"):
        keys = [c for c, kind in outcome.frames[name].schema.items() if kind != pl.Float64()]
        assert_frame_equal(outcome.frames[name].sort(keys), sixty.plan.best.frames[name].sort(keys), abs_tol=0.01)


def test_lots_change_nothing(sixty: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    """The auditor derives the same totals however many futures it looks at at a time, and doubts nothing."""
    whole = audit_report(sixty.case.portfolio, sixty.plan.best, sixty.plan.futures)
    monkeypatch.setattr(auditing, "FUTURES_PER_LOT", 7)
    parts = audit_report(sixty.case.portfolio, sixty.plan.best, sixty.plan.futures)
    assert whole.findings == parts.findings == ()
    assert whole.totals is not None
    assert parts.totals is not None
    assert parts.totals.cost_usd == pytest.approx(whole.totals.cost_usd)
    assert parts.totals.cvar_usd == pytest.approx(whole.totals.cvar_usd)
    assert (whole.in_full, whole.futures) == (FUTURES + 1, FUTURES + 1)


def wrong(outcome: Outcome, name: str, rows: pl.Expr, change: pl.Expr) -> Outcome:
    """The outcome with a column of some rows of a frame changed."""
    column = change.meta.root_names()[0]
    frame = outcome.frames[name]
    assert frame.filter(rows).height
    changed = frame.with_columns(pl.when(rows).then(change).otherwise(pl.col(column)).alias(column))
    return replace(outcome, frames={**outcome.frames, name: changed})


def undetailed(plan: Plan, thin: Plan) -> str:
    """A future whose detail is not kept."""
    assert thin.best.summary is not None
    return next(f.name for f in reversed(plan.futures) if f.name not in thin.best.summary.detailed)


def test_errors_in_a_future_that_will_not_be_kept_are_found(sixty: Many) -> None:
    """Before detail is dropped every future is audited: use, service, capacity, purchases, cash and cost."""
    plan, portfolio = sixty.plan, sixty.case.portfolio
    mine = pl.col("future") == undetailed(plan, thinned(plan, portfolio))
    for name, column in (
        ("dispatch", "accelerators"),
        ("capacity", "accelerators"),
        ("service", "served"),
        ("cash", "usd"),
        ("cost", "usd"),
        ("drawdown", "drawn_usd"),
    ):
        # Half as much again and a bit, so that zeros change too.
        planted = wrong(plan.best, name, mine, pl.col(column) * 1.5 + 1.0)
        assert audit(portfolio, planted, plan.futures), name


def planted(thin: Plan, name: str) -> Iterator[Outcome]:
    """A thinned outcome with one error each that concerns a future without detail."""
    best, mine = thin.best, pl.col("future") == name
    for kind in ("lease", "salvage", "port", "market", "unmet", "shortfall"):
        yield wrong(best, "cost", mine & (pl.col("kind") == kind), pl.col("usd") + 50_000.0)
    assert best.summary is not None
    for frame, column in (("capacity", "accelerators"), ("market", "usd"), ("service", "penalty_usd")):
        expected = best.summary.expected[frame]
        assert expected.height
        off = {**best.summary.expected, frame: expected.with_columns(pl.col(column) * 1.1 + 10.0)}
        yield replace(best, summary=replace(best.summary, expected=off))


def test_a_thinned_plan_is_audited_as_far_as_it_goes(sixty: Many) -> None:
    """It passes, says what it covered, and what does not add up in a future without detail is found all the same."""
    plan, portfolio = sixty.plan, sixty.case.portfolio
    thin = thinned(plan, portfolio)
    report = audit_report(portfolio, thin.best, thin.futures)
    assert report.findings == ()
    assert 0 < report.in_full < report.futures == FUTURES + 1
    for outcome in planted(thin, undetailed(plan, thin)):
        assert audit(portfolio, outcome, thin.futures)


def test_the_error_of_equal_futures_is_the_usual_one() -> None:
    """With equal weights the interval is that of a mean of independent values; a known stress adds none."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=41)
    probability = np.append(np.full(40, 0.9 / 40), 0.1)
    found = weighted_estimate(values, probability, np.arange(41) < 40)
    usual = Sample(probability=probability, drawn=40).estimate(values)
    assert (found.found, found.low, found.high) == pytest.approx((usual.found, usual.low, usual.high))


def test_a_plan_says_how_sure_it_is(sixty: Many) -> None:
    """Its intervals are around its own figures, from the futures that were drawn."""
    sure = own_sample(sixty.plan, sixty.case.portfolio)
    assert sure is not None
    figures = sixty.plan.best.figures
    assert sure.futures == FUTURES
    assert sure.expected_usd.found == pytest.approx(figures.expected_usd)
    assert sure.cvar_usd.found == pytest.approx(figures.cvar_usd)
    assert sure.expected_usd.low < figures.expected_usd < sure.expected_usd.high


def test_an_earlier_plan_is_judged_in_the_same_futures(sixty: Many) -> None:
    """The same decision costs the same; another one what an evaluation of it in these futures says."""
    case, plan = sixty.case, sixty.plan
    stage = Stage(portfolio=case.portfolio, base=case.futures[0], demand=case.demand)
    same = judged_in(stage, plan, plan, quiet)
    assert (same.more_objective_usd.low, same.more_objective_usd.high) == (0.0, 0.0)
    bare = replace(plan.best.decision, signings=(), ports=(), homes=())
    other = evaluate(play(sixty.formulation, first_stage_of(sixty.formulation, bare)), -np.inf)
    judged = judged_in(stage, replace(plan, best=replace(plan.best, decision=bare)), plan, quiet)
    assert judged.figures.expected_usd == pytest.approx(other.figures.expected_usd, rel=1e-9)
    assert judged.figures.cvar_usd == pytest.approx(other.figures.cvar_usd, rel=1e-9)
    assert judged.figures.unmet_frac == pytest.approx(other.figures.unmet_frac, abs=1e-9)
    more = costs_of(plan, other) - costs_of(plan, plan.best)
    assert judged.more_expected_usd.found == pytest.approx(float(more[1:].mean()), rel=1e-9, abs=0.01)
