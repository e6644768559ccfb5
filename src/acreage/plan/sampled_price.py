"""How far a walk-away price would move with other futures than the sampled ones.

The price at which an offer enters or leaves is f + (J without - J with) / slope: J are objectives at two first stages,
`slope` the offer's own payments. All three are means over the same futures, of the influences of `estimates`. To
first order the best cost of a sample errs as the cost of one first stage does, the best one (Shapiro, Dentcheva and
Ruszczynski, Lectures on Stochastic Programming, 2009, theorem 5.7), so the price errs as a ratio of means does
(Cochran, Sampling Techniques, 1977, section 2.11): by the standard error of the paired differences at that price,
divided by the slope. What both plans have in common cancels in the pairs. Weights need not be equal: the
variance is that of a weighted mean (Owen, Monte Carlo theory, methods and examples, 2013, equation 9.9). Stresses
have known probabilities and add no error. The plan's futures are stratified, which makes the interval rather too
wide; of few futures in the tail, it is too narrow.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.domain.portfolio import Risk
from acreage.plan.out_of_sample.intervals import excess_values, quantile_of_t, tail_quantile
from acreage.plan.problem import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two plans in the same futures: their costs (S,), with the offer at `factor` of its price and without it.

    `own` (S,) is what the offer is paid in each future per unit of the factor; `probability` (S,) sums to 1 and
    `is_drawn` (S,) marks the futures that were drawn, the others being stresses. Any unit of money.
    """

    with_offer: Vector
    without: Vector
    own: Vector
    factor: float
    probability: Vector
    is_drawn: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Half the width of a 95 % interval of the factor, and how many futures drawn lie in the tail of both plans."""

    half_width: float
    tail_futures: int


def spread_of(pair: Pair, risk: Risk) -> Spread | None:
    """How far the factor at which both plans cost the same would move; None where too few futures were drawn."""
    drawn = int(pair.is_drawn.sum())
    if drawn < 2:
        return None
    at = flip_of(pair, risk)
    at_flip = pair.with_offer + (at - pair.factor) * pair.own
    values, tails = [], []
    for costs in (pair.without, at_flip):
        value, tail = _influence(costs, pair, risk)
        values.append(value)
        tails.append(tail)
    slope = abs(float(objective_weights(at_flip, pair.probability, risk) @ pair.own))
    error = weighted_error(values[0] - values[1], pair.probability, pair.is_drawn)
    if slope <= 0.0:
        return None
    return Spread(half_width=quantile_of_t(drawn - 1) * error / slope, tail_futures=min(tails))


def flip_of(pair: Pair, risk: Risk) -> float:
    """The factor at which the line through the plan with the offer meets the cost without it."""
    without, with_offer = (
        float(pair.probability @ _influence(costs, pair, risk)[0]) for costs in (pair.without, pair.with_offer)
    )
    slope = float(objective_weights(pair.with_offer, pair.probability, risk) @ pair.own)
    return pair.factor + (without - with_offer) / slope if slope else pair.factor


def weighted_error(values: Vector, probability: Vector, is_drawn: NDArray[np.bool_]) -> float:
    """The standard error of a weighted sum of values (S,), of which only those drawn err."""
    weights, mine = probability[is_drawn], values[is_drawn]
    count = len(mine)
    mean = float(weights @ mine) / float(weights.sum())
    return float(np.sqrt(count / (count - 1) * ((weights * (mine - mean)) ** 2).sum()))


def _influence(costs: Vector, pair: Pair, risk: Risk) -> tuple[Vector, int]:
    """The value (S,) of each future in the objective, and how many of those drawn lie in the tail."""
    if risk.weight_frac == 0.0:
        return costs, int(pair.is_drawn.sum())
    quantile = tail_quantile(costs, pair.probability, risk.tail_frac)
    tail = excess_values(costs, quantile, risk.tail_frac)
    value = (1.0 - risk.weight_frac) * costs + risk.weight_frac * tail
    return value, int((costs[pair.is_drawn] > quantile).sum())


def objective_weights(costs: Vector, probability: Vector, risk: Risk) -> Vector:
    """What a dollar more in each future (S,) adds to the objective: its probability, and its part in the tail."""
    left = 1.0 - risk.tail_frac
    order = np.argsort(-costs)
    taken = np.zeros(len(costs))
    taken[order] = np.diff(np.minimum(np.cumsum(probability[order]), left), prepend=0.0)
    return np.asarray((1.0 - risk.weight_frac) * probability + risk.weight_frac * taken / left)
