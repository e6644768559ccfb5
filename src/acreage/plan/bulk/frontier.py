"""The efficient frontier of expected cost against CVaR: the same problem at other weights of risk.

The weighted-sum method finds the points of the frontier's lower convex hull (Zadeh, 1963; Ehrgott, Multicriteria
Optimization, 2005, chapter 3): each is proven optimal, to its gap, for its own weight. Whole blocks leave
further efficient points between them, which no weight finds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from acreage.domain.bulk import FrontierPoint
from acreage.domain.plan import Range
from acreage.plan.bulk.inquiry import Inquiry, expected_and_cvar, signed_in, with_problem
from acreage.plan.problem import USD_PER_UNIT
from acreage.plan.session import Solved

WEIGHTS_FRAC = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)
SAME_USD = 1.0
"""Costs this near are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A plan with its expected cost and CVaR."""

    solved: Solved
    expected_usd: float
    cvar_usd: float

    def objective_usd(self, weight: float) -> float:
        """Its objective at a weight of risk."""
        return (1.0 - weight) * self.expected_usd + weight * self.cvar_usd


def frontier(inquiry: Inquiry, weights: Sequence[float] = WEIGHTS_FRAC) -> tuple[FrontierPoint, ...]:
    """A point for each weight and for the portfolio's own, in the order of the weights.

    A plan found for one weight may be the best known for another, and then it is what is shown there.
    """
    formulation, best = inquiry.best.formulation, inquiry.best
    own = formulation.problem.risk_weight
    bounds = {own: best.range_usd.low}
    plans = [_found(best)]
    for weight in sorted({*weights, own}, key=lambda w: abs(w - own)):
        if weight == own:
            continue
        there = with_problem(formulation, replace(formulation.problem, risk_weight=weight))
        start = min(plans, key=lambda plan: plan.objective_usd(weight)).solved.solution.first
        solved = inquiry.solve(there, start)
        assert solved is not None, "the plan keeps every rule at every weight"
        bounds[weight] = solved.solution.bound * USD_PER_UNIT
        plans.append(_found(solved))
    shown = [(weight, min(plans, key=lambda plan: plan.objective_usd(weight))) for weight in sorted(bounds)]
    return tuple(_point(weight, plan, bounds[weight], plans, weight == own) for weight, plan in shown)


def _found(solved: Solved) -> _Found:
    problem = solved.formulation.problem
    expected, cvar = expected_and_cvar(solved.costs_usd, problem.probability, problem.risk_tail)
    return _Found(solved=solved, expected_usd=expected, cvar_usd=cvar)


def _point(weight: float, plan: _Found, bound_usd: float, plans: Sequence[_Found], is_plan: bool) -> FrontierPoint:
    objective = plan.objective_usd(weight)
    low = min(bound_usd, objective)
    return FrontierPoint(
        weight_frac=weight,
        expected_usd=plan.expected_usd,
        cvar_usd=plan.cvar_usd,
        objective_usd=Range(low=low, found=objective, high=objective),
        gap_frac=(objective - low) / abs(objective) if objective else 0.0,
        signed=signed_in(plan.solved),
        is_dominated=any(_dominates(other, plan) for other in plans),
        is_plan=is_plan,
    )


def _dominates(other: _Found, plan: _Found) -> bool:
    """Whether another plan is no worse on either scale and better on one."""
    expected, cvar = other.expected_usd - plan.expected_usd, other.cvar_usd - plan.cvar_usd
    return max(expected, cvar) <= SAME_USD and min(expected, cvar) < -SAME_USD
