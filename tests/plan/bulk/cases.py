"""Tiny portfolios asked in bulk with the reference engine at a gap of nothing, and their best costs by brute force."""

import threading
from dataclasses import replace

import numpy as np

from acreage.plan.bulk.inquiry import Inquiry, over, with_problem
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.formulate.formulate import Formulation, formulate
from acreage.plan.problem import USD_PER_UNIT, Aim, PlanProblem, Solution, Vector, Watch
from acreage.plan.session import Session
from tests.plan.brute_force import BruteForce
from tests.plan.tiny import Tiny, tiny

CLOSE = 1e-6


def more_futures(case: Tiny, count: int, seed: int = 0) -> Tiny:
    """The case with `count` futures of equal probability, demand and lateness drawn anew."""
    rng = np.random.default_rng(seed)
    like = case.futures[1]
    drawn = tuple(
        replace(
            like,
            name=f"f{number}",
            probability=1.0 / count,
            demand_factor={key: rng.uniform(0.4, 1.8) * np.ones_like(s) for key, s in like.demand_factor.items()},
            delay_days={("deal", 0): int(rng.choice([0, 20, 45, 75])), ("more", 0): int(rng.choice([0, 0, 30]))},
        )
        for number in range(count)
    )
    return replace(case, futures=(case.futures[0], *drawn))


class Finest:
    """The reference engine at a gap of nothing, whatever was aimed at."""

    def solve(self, problem: PlanProblem, aim: Aim, watch: Watch | None = None) -> Solution:
        """Solve exactly."""
        return WholeEngine().solve(problem, replace(aim, gap_frac=1e-9), watch)

    def twin(self) -> "Finest":
        """Nothing is learned."""
        return self

    def branch(self) -> "Finest":
        """Nothing is learned."""
        return self


def session_of(case: Tiny) -> Session:
    """A session that solves exactly."""
    return Session(portfolio=case.portfolio, futures=case.futures, demand=case.demand, engine=Finest(), gap_frac=1e-9)


def inquiry_of(case: Tiny) -> Inquiry:
    """The case solved exactly, to be asked."""
    session = session_of(case)
    return Inquiry(session=session, best=session.solve(), stop=threading.Event())


def least_usd(case: Tiny, formulation: Formulation) -> float:
    """The least objective of a formulation of the case, every decision tried."""
    return min(t.objective for t in BruteForce(case=case, formulation=formulation).every()) * USD_PER_UNIT


def plain_formulation(case: Tiny) -> Formulation:
    """The case's formulation, made anew."""
    return formulate(case.portfolio, case.futures, case.demand)


def at_weight(case: Tiny, weight: float) -> Formulation:
    """The formulation with another weight of risk."""
    there = plain_formulation(case)
    return with_problem(there, replace(there.problem, risk_weight=weight))


def given(case: Tiny, futures: Vector) -> tuple[float, Formulation]:
    """The probability of some futures, and the formulation given them."""
    there = plain_formulation(case)
    mass = there.problem.probability[futures].sum()
    within = np.zeros(len(there.problem.probability))
    within[futures] = there.problem.probability[futures] / mass
    return float(mass), over(there, within)


def cases(*seeds: int, rules: tuple[str, ...] = ("tail_risk",), futures: int = 6) -> list[tuple[int, Tiny]]:
    """Tiny cases with these rules and more futures, by seed."""
    return [(seed, more_futures(tiny(seed, *rules, only=True), futures, seed)) for seed in seeds]
