"""The least cost from a planning day on for who knows the path: one deterministic program.

Whoever knows what comes can also wait, so limits on how far ahead one may sign do not bind. The value is of the
options that the planning day's model has; where a later day offers more (a finer choice of dates), the best known
continuation counts if it is cheaper.
"""

import math
from dataclasses import dataclass, replace

from acreage.domain.future import Future
from acreage.domain.plan import Range
from acreage.domain.portfolio import Portfolio
from acreage.plan.backtest.standing import Scene
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.evaluate import evaluate
from acreage.plan.formulate.formulate import formulate
from acreage.plan.play import play
from acreage.plan.problem import USD_PER_UNIT, Aim

HINDSIGHT_GAP_FRAC = 5e-4
"""Each program is solved to this gap, or half of it: months differ by little."""


def best_from(scene: Scene, base: Future) -> Range:
    """The least cost from a scene's day on along what really comes, USD of that day; raises `Infeasible`."""
    portfolio = without_lead_max(scene.portfolio)
    formulation = formulate(portfolio, (replace(base, probability=0.0), scene.comes), scene.demand)
    solution = WholeEngine().solve(formulation.problem, Aim(gap_frac=HINDSIGHT_GAP_FRAC))
    cost_usd = evaluate(play(formulation, solution.first), math.inf).figures.expected_usd
    return Range(low=min(cost_usd, solution.bound * USD_PER_UNIT), found=cost_usd, high=cost_usd)


def without_lead_max(portfolio: Portfolio) -> Portfolio:
    """The portfolio whose purchase rules allow to sign as early as one likes."""
    providers = {
        id_: replace(
            provider, purchase_rules=tuple(replace(rule, lead_time_max=None) for rule in provider.purchase_rules)
        )
        for id_, provider in portfolio.providers.items()
    }
    return replace(portfolio, providers=providers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """A planning day: the factor that discounts its money to the first day, the best cost from it on, the month's cost.

    `best_usd` and `paid_usd` are in its own money.
    """

    factor: float
    best_usd: Range
    paid_usd: float


def known_best(days: list[Valued], end_usd: Range | None) -> list[Range]:
    """The best cost from each day on, discounted to the first; never dearer than what was really done from there.

    `end_usd` is the best cost from the day after the last of them on, discounted: 0 at the horizon, None if unknown.
    """
    found: list[Range] = []
    after = end_usd
    for day in reversed(days):
        best = scaled(day.best_usd, day.factor)
        if after is not None:
            through = day.factor * day.paid_usd + after.found
            best = Range(low=min(best.low, through), found=min(best.found, through), high=min(best.high, through))
        found.append(best)
        after = best
    return found[::-1]


def scaled(found: Range, factor: float) -> Range:
    """A range times a positive factor."""
    return Range(low=found.low * factor, found=found.found * factor, high=found.high * factor)


def lost(before: Range, paid_usd: float, after: Range) -> Range:
    """What a month lost: paid + best after it - best before it, as an interval; all discounted to the first day.

    The best before it is no dearer than what was really done, so nothing can be lost that is less than nothing.
    """
    return Range(
        low=max(0.0, paid_usd + after.low - before.high),
        found=paid_usd + after.found - before.found,
        high=paid_usd + after.high - before.low,
    )
