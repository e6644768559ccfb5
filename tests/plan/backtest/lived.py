"""Tiny portfolios lived through from month to month, each once for all tests that look at them."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from acreage.demand.conditional import futures_knowing
from acreage.domain.backtest import BacktestPath
from acreage.domain.finding import Finding
from acreage.domain.future import Future
from acreage.plan.backtest.auditing import audit_walk
from acreage.plan.backtest.standing import Scene, first_standing, scene_at
from acreage.plan.backtest.walking import Course, Walked, plan_on, summed_up, walk
from acreage.plan.planner import Step
from tests.plan.tiny import Tiny, tiny

SEEDS = tuple(range(0, 62, 2))


def quiet(step: Step) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A tiny portfolio whose offers stay open to the end, walked along one of its futures with demand that jumps."""

    case: Tiny
    course: Course
    path: Future
    walked: tuple[Walked, ...]
    doubts: tuple[Finding, ...]
    told: BacktestPath


def course_of(case: Tiny) -> Course:
    """A course that plans in every period."""
    portfolio = case.portfolio
    offers = tuple(replace(offer, start_until_at=portfolio.periods[-1].from_at) for offer in portfolio.offers)
    return Course(
        portfolio=replace(portfolio, offers=offers),
        demand=case.demand,
        days=tuple(range(len(portfolio.periods))),
        foretell=futures_knowing,
        gap_frac=1e-5,
    )


def path_of(case: Tiny, seed: int) -> Future:
    """The case's first sampled future, its demand multiplied by something else each month."""
    rng = np.random.default_rng(seed)
    periods = len(case.portfolio.periods)
    return replace(
        case.futures[1],
        name="path",
        probability=1.0,
        demand_factor={w: rng.uniform(0.3, 2.0, periods) for w in case.demand},
    )


def opening_of(course: Course, path: Future) -> Scene:
    """The first planning day."""
    return scene_at(course.portfolio, course.demand, path, first_standing(course.portfolio))


@cache
def life(seed: int) -> Life:
    """The life of a seed."""
    case = tiny(seed)
    course, path = course_of(case), path_of(case, seed)
    opening = plan_on(course, opening_of(course, path), quiet)
    walked = tuple(walk(course, path, opening, quiet))
    doubts = audit_walk(course, path, walked)
    told = summed_up(course, path.name, list(walked), {}, doubts)
    return Life(case=case, course=course, path=path, walked=walked, doubts=doubts, told=told)
