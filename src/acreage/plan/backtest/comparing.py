"""What re-planning is compared with on every path: the first plan kept to the end, and spreadsheet plans."""

from collections.abc import Mapping, Sequence

import numpy as np

from acreage.domain.backtest import BacktestMeans, BacktestPath
from acreage.domain.evaluation import Estimate, Way
from acreage.domain.future import Future
from acreage.domain.plan import Decision
from acreage.plan.backtest.playing import played_out
from acreage.plan.backtest.standing import first_standing, scene_at
from acreage.plan.backtest.walking import Course, Planned
from acreage.plan.decide import decision_of
from acreage.plan.engines import ENGINES
from acreage.plan.out_of_sample.intervals import Sample
from acreage.plan.out_of_sample.spreadsheets import rivals
from acreage.plan.planner import Tell
from acreage.plan.problem import Infeasible
from acreage.plan.session import Change, Session, without_caps


def spreadsheet_plans(course: Course, futures: tuple[Future, ...], tell: Tell) -> dict[Way, Decision]:
    """What spreadsheets would sign on the first day; `futures` are those of its plan."""
    session = Session(
        portfolio=course.portfolio,
        futures=futures,
        demand=course.demand,
        engine=ENGINES[course.engine](),
        gap_frac=course.gap_frac,
    )
    nothing = Change(barred=frozenset(offer.id for offer in course.portfolio.offers))
    try:
        none = session.solve(nothing)
    except Infeasible:
        none = session.solve(nothing, session.formulation(without_caps(course.portfolio)))
    no_new = decision_of(none.formulation, none.solution.first)
    return {r.way: r.decision for r in rivals(course.portfolio, futures, course.demand, no_new, tell)}


def costs_on(course: Course, path: Future, opening: Planned, decisions: Mapping[Way, Decision]) -> dict[Way, float]:
    """What decisions of the first day cost on a path, kept to the horizon; USD of the first day."""
    scene = scene_at(course.portfolio, course.demand, path, first_standing(course.portfolio))
    known: dict[Decision, float] = {}
    for decision in decisions.values():
        if decision not in known:
            known[decision] = played_out(scene, opening.base, decision).cost_usd
    return {way: known[decision] for way, decision in decisions.items()}


def means_of(paths: Sequence[BacktestPath]) -> BacktestMeans | None:
    """Means over the finished paths, differences path by path; None if there are none."""
    done = [path for path in paths if path.rolling_usd is not None]
    if not done:
        return None
    sample = Sample(probability=np.full(len(done), 1.0 / len(done)), drawn=len(done))

    def mean(values: Sequence[float | None]) -> Estimate:
        return sample.estimate(np.array(values, dtype=float))

    rolling = np.array([path.rolling_usd for path in done], dtype=float)
    return BacktestMeans(
        rolling_usd=sample.estimate(rolling),
        regret_usd=mean([path.regret_usd.found if path.regret_usd else None for path in done]),
        replanning_usd=sample.estimate(np.array([path.once_usd for path in done], dtype=float) - rolling),
        others_usd={
            way: sample.estimate(np.array([path.others_usd[way] for path in done]) - rolling)
            for way in done[0].others_usd
        },
        monthly_usd=tuple(
            mean([step.regret_usd.found if step.regret_usd else None for step in steps])
            for steps in zip(*(path.steps for path in done), strict=True)
        ),
    )
