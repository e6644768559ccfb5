"""Perfect foresight: the best decision for each future by itself, as if it had been known today.

It must keep every rule and promise, as the plan does. No decision made without knowing can be better on
average, so what a plan costs more is the most that knowing could be worth (its regret).
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.future import Future
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.formulate.formulate import formulate
from acreage.plan.out_of_sample.playing import Fates, Stage, fates_of, joined
from acreage.plan.planner import Step, Tell
from acreage.plan.play import play
from acreage.plan.problem import USD_PER_UNIT, Aim, Vector

FORESIGHT_GAP_FRAC = 4e-3
"""Each future is solved to this gap, or half of it: far below what one future differs from the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """The best found for each future by itself, and what it costs at least there (S,)."""

    fates: Fates
    least_usd: Vector


def foresee(stage: Stage, futures: Sequence[Future], tell: Tell) -> Foreseen:
    """Solve each future by itself, several at a time; the order of the answers is that of the futures.

    Raises `Infeasible` if no decision keeps the rules, which are the same in every future.
    """

    def one(future: Future) -> tuple[Fates, float]:
        formulation = formulate(stage.portfolio, (stage.base, replace(future, probability=1.0)), stage.demand)
        solution = WholeEngine().solve(formulation.problem, Aim(gap_frac=FORESIGHT_GAP_FRAC))
        return fates_of(play(formulation, solution.first)), solution.bound * USD_PER_UNIT

    found = []
    pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
    try:
        for done, answer in enumerate(pool.map(one, futures)):
            found.append(answer)
            tell(Step(stage="solving each future by itself", done=done, total=len(futures)))
    finally:
        # Interrupted, it waits for those under way and not for all the others.
        pool.shutdown(cancel_futures=True)
    return Foreseen(fates=joined([fates for fates, _ in found]), least_usd=np.array([least for _, least in found]))


def best_known(foreseen: Fates, lawful: Sequence[Fates]) -> Fates:
    """The least cost known in each future: foresight's, or a decision that keeps all rules and is better still there.

    The latter happens within the gap that foresight is solved to.
    """
    ways = [foreseen, *lawful]
    least = np.argmin([way.cost_usd for way in ways], axis=0)
    return joined([ways[int(k)].of([s]) for s, k in enumerate(least)])
