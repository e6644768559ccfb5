"""How every question in bulk is asked: near the plan, anew where that leaves much open, and stopped in between."""

import threading
from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.bulk import Signed
from acreage.domain.plan import Range
from acreage.plan.decide import decision_of
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.problem import Infeasible, PlanProblem, Vector, conditional_value_at_risk
from acreage.plan.session import BROKEN_USD, Change, Session, Solved

OPEN_GAPS = 10.0
"""A quick solve that leaves more than this many of its gaps open is followed by a longer one."""
LONG_ROUNDS_MAX = 10
LONG_GAPS = 3.0
"""The longer one is content with this many of the quick one's gaps."""


class Stopped(Exception):
    """The user has had enough: what is answered is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A plan that questions are asked about, and the session that answers them; `stop` ends it between two solves."""

    session: Session
    best: Solved
    stop: threading.Event

    def solve(self, there: Formulation, start: Vector | None, change: Change | None = None) -> Solved | None:
        """The best plan of a formulation, no worse than `start` (N,) where that keeps its rules.

        None where no plan keeps every rule and promise. Near the start first; if that leaves much open, everywhere,
        with the better bound of both.
        """
        quick = self._try(there, change, start, long=False)
        if quick is None or _gap_frac(quick) <= OPEN_GAPS * self.session.quick_gap_frac:
            return _kept(quick)
        long = self._try(there, change, quick.solution.first, long=True)
        if long is None:
            return _kept(quick)
        finer = max(long.solution.bound, quick.solution.bound)
        better = min((quick, long), key=lambda one: one.solution.objective)
        return _kept(replace(better, solution=replace(better.solution, bound=finer)))

    def _try(self, there: Formulation, change: Change | None, start: Vector | None, *, long: bool) -> Solved | None:
        if self.stop.is_set():
            raise Stopped
        aim = self.session.quick(start)
        if long:
            gap_frac = LONG_GAPS * aim.gap_frac
            aim = replace(aim, near=False, anew=True, rounds_max=LONG_ROUNDS_MAX, gap_frac=gap_frac)
        try:
            return self.session.solve(change, there, aim=aim)
        except Infeasible:
            return None


def _kept(solved: Solved | None) -> Solved | None:
    return solved if solved is not None and solved.broken_usd <= BROKEN_USD else None


def _gap_frac(solved: Solved) -> float:
    found = solved.range_usd
    return (found.high - found.low) / max(abs(found.high), 1e-9)


def over(formulation: Formulation, probability: Vector) -> Formulation:
    """The formulation with other probabilities (S,) of the same futures."""
    return with_problem(formulation, replace(formulation.problem, probability=probability))


def with_problem(formulation: Formulation, problem: PlanProblem) -> Formulation:
    """The formulation with another problem that has the same columns."""
    return replace(formulation, problem=problem)


def objective_over(costs_usd: Vector, probability: Vector, problem: PlanProblem) -> float:
    """The objective (without anchors) of costs (S,) over futures weighted by `probability` (S,), which sums to 1."""
    expected, cvar = expected_and_cvar(costs_usd, probability, problem.risk_tail)
    return (1.0 - problem.risk_weight) * expected + problem.risk_weight * cvar


def expected_and_cvar(costs_usd: Vector, probability: Vector, tail_frac: float) -> tuple[float, float]:
    """Mean and CVaR of costs (S,); futures without probability do not count, whatever stands there."""
    kept = np.flatnonzero(probability > 0.0)
    costs, weights = costs_usd[kept], probability[kept]
    return float(weights @ costs), conditional_value_at_risk(costs, weights, tail_frac)


def difference(then: Range, now: Range) -> Range:
    """How much more one best cost is than another, proven on both sides."""
    return Range(low=then.low - now.high, found=then.found - now.found, high=then.high - now.low)


def signed_in(solved: Solved) -> tuple[Signed, ...]:
    """What a plan signs, by offer in the portfolio's order."""
    total: dict[str, int] = {}
    for signing in decision_of(solved.formulation, solved.solution.first).signings:
        total[signing.offer] = total.get(signing.offer, 0) + signing.accelerators
    order = [str(offer.id) for offer in solved.formulation.portfolio.offers if offer.id in total]
    return tuple(Signed(offer=offer, accelerators=total[offer]) for offer in order)
