"""How sure a plan's own figures are: expected cost and CVaR as estimates from the futures that were drawn.

With weights p of the futures drawn, which sum to P, a figure is the sum of p v over their influences v (see
`estimates.py`) and the stresses'. Its standard error is sqrt(n / (n - 1) sum p^2 (v - m)^2), m being the mean of v
by p; with equal weights that is P s / sqrt(n), and with unequal ones the usual one of self-normalized importance
sampling (Owen, Monte Carlo Theory, Methods and Examples, 2013, equation 9.9). Strata make the true error smaller.
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from acreage.domain.evaluation import Estimate, SampleError
from acreage.domain.plan import Outcome, Plan
from acreage.domain.portfolio import Portfolio
from acreage.plan.out_of_sample.estimates import excess_values, quantile_of_t, tail_quantile
from acreage.plan.problem import Vector


def own_sample(plan: Plan, portfolio: Portfolio) -> SampleError | None:
    """The error of the best plan's expected cost and CVaR; None where fewer than two futures were drawn."""
    named = {plan.futures[0].name, *(stress.name for stress in portfolio.stresses)}
    drawn = np.array([f.name not in named and f.probability > 0.0 for f in plan.futures])
    if drawn.sum() < 2:
        return None
    probability = np.array([f.probability for f in plan.futures])
    costs = costs_of(plan, plan.best)
    tail_frac = portfolio.policy.risk.tail_frac
    quantile = tail_quantile(costs, probability, tail_frac)
    return SampleError(
        futures=int(drawn.sum()),
        expected_usd=weighted_estimate(costs, probability, drawn),
        cvar_usd=weighted_estimate(excess_values(costs, quantile, tail_frac), probability, drawn),
        tail_futures=int((costs[drawn] > quantile).sum()),
    )


def costs_of(plan: Plan, outcome: Outcome) -> Vector:
    """Cost (S,) of each of a plan's futures, in their order."""
    found = dict(outcome.frames["cost"].group_by("future").agg(pl.col("usd").sum()).iter_rows())
    return np.array([found[future.name] for future in plan.futures])


def weighted_estimate(values: Vector, probability: Vector, drawn: NDArray[np.bool_]) -> Estimate:
    """The mean of values (S,), with the 95 % interval that comes of the futures `drawn` (S,)."""
    weights, mine = probability[drawn], values[drawn]
    count, mean = len(mine), float(probability @ values)
    spread = mine - float(weights @ mine) / float(weights.sum())
    error = float(np.sqrt(count / (count - 1) * np.sum((weights * spread) ** 2)))
    half = quantile_of_t(count - 1) * error
    return Estimate(found=mean, low=mean - half, high=mean + half)
