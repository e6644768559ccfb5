"""Perfect foresight: the best decision for each future by itself, as if it had been known today.

It must keep every rule and promise, as the plan does. No decision made without knowing can be better on
average, so what a plan costs more is the most that knowing could be worth (its regret).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from acreage.crew.crew import Crew
from acreage.crew.local import HERE
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


def foresee(stage: Stage, futures: Sequence[Future], tell: Tell, crew: Crew = HERE) -> Foreseen:
    """Solve each future by itself; the order of the answers is that of the futures.

    Raises `Infeasible` if no decision keeps the rules, which are the same in every future.
    """
    found = list(
        crew.map(
            _best_in,
            crew.keep(stage),
            futures,
            tell=lambda done, total: tell(Step(stage="solving each future by itself", done=done, total=total)),
        )
    )
    return Foreseen(fates=joined([fates for fates, _ in found]), least_usd=np.array([least for _, least in found]))


def _best_in(stage: Stage, future: Future) -> tuple[Fates, float]:
    """The fates of the best decision found for one future, and what any costs there at least, USD."""
    formulation = formulate(stage.portfolio, (stage.base, replace(future, probability=1.0)), stage.demand)
    solution = WholeEngine().solve(formulation.problem, Aim(gap_frac=FORESIGHT_GAP_FRAC))
    return fates_of(play(formulation, solution.first)), solution.bound * USD_PER_UNIT


def best_known(foreseen: Fates, lawful: Sequence[Fates]) -> Fates:
    """The least cost known in each future: foresight's, or a decision that keeps all rules and is better still there.

    The latter happens within the gap that foresight is solved to.
    """
    ways = [foreseen, *lawful]
    least = np.argmin([way.cost_usd for way in ways], axis=0)
    return joined([ways[int(k)].of([s]) for s, k in enumerate(least)])
