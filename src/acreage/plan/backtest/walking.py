"""Along a path from one planning day to the next: plan, do what cannot wait, live, plan again.

The plan of a day sees the path only as far as it has come; the hindsight value of the day sees all of it.
On the last planning day the plan is done as it is, to the horizon.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from acreage.domain.backtest import BacktestPath, BacktestStep, Seen
from acreage.domain.evaluation import Way
from acreage.domain.finding import Finding
from acreage.domain.future import Future
from acreage.domain.plan import Decision, Range
from acreage.domain.portfolio import Portfolio
from acreage.plan.audit import audit
from acreage.plan.backtest.hindsight import Valued, best_from, known_best, lost, scaled
from acreage.plan.backtest.living import Month, live
from acreage.plan.backtest.playing import Played, played_out
from acreage.plan.backtest.signing import Done, done_now
from acreage.plan.backtest.standing import Scene, Standing, first_standing, scene_at
from acreage.plan.decide import decision_of
from acreage.plan.engines import ENGINES
from acreage.plan.planner import Step, Tell
from acreage.plan.problem import Infeasible, Vector
from acreage.plan.session import Session, Solved, without_caps
from acreage.pricing.present_value import discount_factor
from acreage.units.ids import WorkloadId

Foretell = Callable[[Portfolio, Seen], tuple[Future, ...]]
"""Draws the futures of a planning day, the base first, given what was seen."""

UNKEPT = ("must", "min_suppliers", "share_cap", "survive_loss")
"""Rules that a path can make impossible to keep: a promise broken by a late delivery stays broken, and costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What all paths have in common: the portfolio, its base demand, the periods that planning days begin.

    `days` are period numbers, the first one 0. `gap_frac` is what plans are solved to.
    """

    portfolio: Portfolio
    demand: Mapping[WorkloadId, Vector]
    days: tuple[int, ...]
    foretell: Foretell
    gap_frac: float
    engine: str = "decomposition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A planning day's plan: its decision, the base future it kept promises in and whether rules were set aside."""

    decision: Decision
    base: Future
    set_aside: bool


def plan_on(course: Course, scene: Scene, tell: Tell) -> Planned:
    """The plan of a scene's day over the futures that can be told then."""
    futures = course.foretell(scene.portfolio, scene.seen)
    try:
        best, set_aside = _solved(course, scene.portfolio, scene, futures, tell), False
    except Infeasible:
        best, set_aside = _solved(course, without_caps(scene.portfolio), scene, futures, tell), True
    return Planned(decision=decision_of(best.formulation, best.solution.first), base=futures[0], set_aside=set_aside)


def _solved(course: Course, portfolio: Portfolio, scene: Scene, futures: tuple[Future, ...], tell: Tell) -> Solved:
    session = Session(
        portfolio=portfolio,
        futures=futures,
        demand=scene.demand,
        engine=ENGINES[course.engine](),
        gap_frac=course.gap_frac,
    )
    return session.solve(watch=lambda news: tell(Step(stage="planning", done=0, total=1, news=news)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """One planning day passed: what was planned and done, the best in hindsight before it, and the month it led to.

    `month` is None on the last day, whose plan is played to the horizon.
    """

    scene: Scene
    standing: Standing
    planned: Planned
    done: Done
    best_usd: Range
    played: Played
    month: Month | None
    findings: tuple[Finding, ...]

    @property
    def paid_usd(self) -> float:
        """What the month cost, or all that was left on the last day; USD of the planning day."""
        return self.played.cost_usd if self.month is None else self.month.paid_usd


def walk(course: Course, path: Future, opening: Planned, tell: Tell) -> Iterator[Walked]:
    """Walk a path day by day; `opening` is the plan of the first day, which is the same on every path."""
    standing = first_standing(course.portfolio)
    for number in range(len(course.days)):
        tell(Step(stage="planning anew", done=number, total=len(course.days)))
        scene = scene_at(course.portfolio, course.demand, path, standing)
        planned = plan_on(course, scene, tell) if number else opening
        until = course.days[number + 1] if number + 1 < len(course.days) else None
        found = _walked(course, path, scene, standing, planned, until)
        yield found
        if found.month is None:
            return
        standing = found.month.after


def _walked(
    course: Course, path: Future, scene: Scene, standing: Standing, planned: Planned, until: int | None
) -> Walked:
    ruled = replace(scene, portfolio=without_caps(scene.portfolio)) if planned.set_aside else scene
    next_at = course.portfolio.periods[until].from_at if until is not None else None
    done = done_now(ruled.portfolio, planned.decision, next_at)
    played = played_out(ruled, planned.base, planned.decision)
    best = best_from(ruled, planned.base)
    # What was planned is one of the ways to go on, and at times better than what is found within the gap.
    best = Range(
        low=min(best.low, played.cost_usd), found=min(best.found, played.cost_usd), high=min(best.high, played.cost_usd)
    )
    month = live(course.portfolio, path, standing, played, done, until) if until is not None else None
    doubts = audit(ruled.portfolio, played.outcome, (replace(planned.base, probability=0.0), ruled.comes))
    return Walked(
        scene=ruled,
        standing=standing,
        planned=planned,
        done=done,
        best_usd=best,
        played=played,
        month=month,
        findings=tuple(finding for finding in doubts if finding.rule not in UNKEPT),
    )


def summed_up(
    course: Course, name: str, walked: list[Walked], others_usd: Mapping[Way, float], doubts: tuple[Finding, ...]
) -> BacktestPath:
    """A path as far as it was walked; costs of the whole only where it was walked to the end."""
    factors = [_factor(course, day) for day in course.days]
    finished = len(walked) == len(course.days)
    nothing = Range(low=0.0, found=0.0, high=0.0)
    days = [Valued(factor=f, best_usd=w.best_usd, paid_usd=w.paid_usd) for f, w in zip(factors, walked, strict=False)]
    best = known_best(days, nothing) if finished else known_unfinished(days)
    after = [*best[1:], nothing if finished else None]
    steps = tuple(
        _step(course, number, one, factors[number], best[number], after[number]) for number, one in enumerate(walked)
    )
    rolling = math.fsum(step.paid_usd for step in steps) if finished else None
    return BacktestPath(
        name=name,
        steps=steps,
        rolling_usd=rolling,
        once_usd=walked[0].played.cost_usd if walked else None,
        others_usd=others_usd,
        foresight_usd=best[0] if finished else None,
        regret_usd=None
        if rolling is None
        else Range(low=rolling - best[0].high, found=rolling - best[0].found, high=rolling - best[0].low),
        findings=(*(finding for one in walked for finding in one.findings), *doubts),
    )


def known_unfinished(days: list[Valued]) -> list[Range]:
    """The best cost from each day on where the path was cut short: its last day's is what was found for it."""
    if not days:
        return []
    last = scaled(days[-1].best_usd, days[-1].factor)
    return [*known_best(days[:-1], last), last]


def _factor(course: Course, day: int) -> float:
    portfolio = course.portfolio
    at = portfolio.periods[day].from_at
    return discount_factor(at, portfolio.as_of_at, portfolio.policy.discount_frac_per_year)


def _step(course: Course, number: int, one: Walked, factor: float, before: Range, after: Range | None) -> BacktestStep:
    periods = course.portfolio.periods
    is_last = number + 1 == len(course.days)
    paid = factor * one.paid_usd
    return BacktestStep(
        at=periods[course.days[number]].from_at,
        until_at=periods[-1].until_at if is_last else periods[course.days[number + 1]].from_at,
        signed=one.done.signed,
        left_open=one.done.left_open,
        released=one.done.released,
        ported=one.planned.decision.ports,
        paid_usd=paid,
        best_before_usd=before,
        regret_usd=None if after is None else lost(before, paid, after),
        set_aside=one.planned.set_aside,
    )
