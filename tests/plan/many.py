"""A tiny portfolio over sixty futures, planned, for everything that must hold where futures are many."""

from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.future import Future
from acreage.domain.plan import Effort, Plan
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.evaluate import evaluate
from acreage.plan.formulate.formulate import Formulation, formulate
from acreage.plan.play import play
from acreage.plan.problem import USD_PER_UNIT, Aim
from acreage.plan.session import Solved
from acreage.plan.verdicts import brief_verdict
from tests.plan.tiny import Tiny, tiny

FUTURES = 60
SEED = 5
RULES = ("late_delivery", "loose_run", "research", "on_demand", "pledge_held", "ramp", "tail_risk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A case over many futures, its formulation and its plan with full detail; nothing new is the same decision."""

    case: Tiny
    formulation: Formulation
    plan: Plan


def many(futures: int = FUTURES) -> Many:
    """The case: demand, work and delays differ from future to future."""
    case = tiny(SEED, *RULES, only=True)
    rng = np.random.default_rng(SEED)
    drawn = tuple(_future(case, rng, number, futures) for number in range(1, futures + 1))
    case = replace(case, futures=(replace(case.futures[0], probability=0.0), *drawn))
    formulation = formulate(case.portfolio, case.futures, case.demand)
    solution = WholeEngine().solve(formulation.problem, Aim(gap_frac=1e-4))
    solved = Solved(formulation=formulation, solution=solution)
    outcome = evaluate(play(formulation, solution.first), solution.bound * USD_PER_UNIT)
    plan = Plan(
        portfolio_name=case.portfolio.name,
        as_of_at=case.portfolio.as_of_at,
        seed=SEED,
        best=outcome,
        without_new=outcome,
        verdicts=tuple(brief_verdict(solved, offer, "") for offer in case.portfolio.offers),
        what_ifs=(),
        effort=Effort(engine="whole", build_s=0.0, solve_s=0.0, explain_s=0.0, columns=1, rows=1, futures=futures + 1),
        futures=case.futures,
    )
    return Many(case=case, formulation=formulation, plan=plan)


def _future(case: Tiny, rng: np.random.Generator, number: int, futures: int) -> Future:
    like = case.futures[1 + number % (len(case.futures) - 1)]
    periods = len(case.portfolio.periods)
    return replace(
        like,
        name=f"future-{number:02d}",
        probability=1.0 / futures,
        demand_factor={workload: rng.uniform(0.5, 2.0, periods) for workload in case.demand},
        delay_days={key: int(days * rng.uniform(0.2, 1.8)) for key, days in like.delay_days.items()},
    )
