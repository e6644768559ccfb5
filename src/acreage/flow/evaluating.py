"""A plan tried on futures it was not made on: draws them, and has the plan judged beside its rivals."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from acreage.crew.crew import Crew
from acreage.crew.local import HERE
from acreage.demand.futures import fresh_futures, sample_again
from acreage.domain.evaluation import Evaluation
from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.flow.planning import base_demands
from acreage.plan.out_of_sample.judge import Unseen, judge
from acreage.plan.planner import Tell
from acreage.units.errors import InputError

FUTURES, SEED, FORESEEN = 200, 1, 20
"""How many fresh futures are drawn from which seed, and how many of them are solved by themselves, if not asked."""

FRESH, AGAIN = "evaluation/", "replication-{number}/"
"""Sources of draws, none of which a plan is made on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a plan is to be judged: see `Unseen`; `replications` are samples drawn and planned over anew."""

    futures: int = FUTURES
    seed: int = SEED
    foreseen: int = FORESEEN
    replications: int = 0


def check_asked(asked: Asked) -> None:
    """Refuse what gives no interval; raises `InputError`."""
    for count, option, least in (
        (asked.futures, "--evaluate-futures", 2),
        (asked.foreseen, "--foresight", 0),
        (asked.replications, "--replications", 0),
    ):
        if count < least or count == 1:
            none = "" if least else ", or 0 for none"
            raise InputError(f"{option} {count} gives no interval", fix=f"ask for 2 or more{none}")


def evaluate_plan(
    plan: Plan,
    portfolio: Portfolio,
    asked: Asked,
    tell: Tell,
    clock: Callable[[], float] = time.perf_counter,
    crew: Crew = HERE,
) -> Evaluation:
    """The plan in fresh futures beside spreadsheet plans and foresight; the same for the same seed.

    Raises `InputError` for counts that give no interval.
    """
    check_asked(asked)
    sampled = len(plan.futures) - 1 - len(portfolio.stresses)
    like_plan = replace(portfolio, uncertainty=replace(portfolio.uncertainty, futures=sampled))
    if asked.replications and not sampled:
        raise InputError(
            "the plan was made on no sampled futures", fix="plan with --futures, or leave out --replications"
        )
    unseen = Unseen(
        seed=asked.seed,
        futures=fresh_futures(portfolio, futures=asked.futures, seed=asked.seed, source=FRESH),
        drawn=asked.futures,
        foreseen=min(asked.foreseen, asked.futures),
        samples=tuple(
            sample_again(like_plan, seed=asked.seed, source=AGAIN.format(number=number))
            for number in range(asked.replications)
        ),
    )
    return judge(portfolio, plan, base_demands(portfolio), unseen, tell, clock, crew)
