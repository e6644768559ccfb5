"""Figures of a sample of futures with 95 % confidence intervals; differences over the same futures, pair by pair.

Every figure is, to first order, a mean of one value a future: its influence. The value is

- the cost itself for expected cost,
- q + max(0, cost - q) / (1 - tail) for CVaR, q being the sample's tail quantile. Its mean is the CVaR (Rockafellar
  and Uryasev, 2000), and CVaR being the optimal value of a sampled problem in q alone, the error is that
  of this mean (Shapiro, Dentcheva and Ruszczynski, Lectures on Stochastic Programming, 2009, theorem 5.7),
- R + (part - R whole) / mean whole for a ratio R of means (Cochran, Sampling Techniques, 1977, section 2.11).

So one interval serves all: mean +- t s / sqrt(n), Student's t of n - 1 degrees. The difference of two decisions
is the mean of the differences of their values in the same futures (common random numbers; Law, Simulation
Modeling and Analysis, 2015, section 11.2), in which what futures have in common cancels. Stress futures
have known probabilities: they add to figures, not to their errors.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from acreage.domain.evaluation import Estimate, Scores
from acreage.domain.portfolio import Risk
from acreage.plan.evaluate import share
from acreage.plan.out_of_sample.intervals import Sample, excess_values, tail_quantile
from acreage.plan.out_of_sample.playing import Fates
from acreage.plan.problem import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Influences:
    """The value (S,) of each future in each figure of `Scores`, and how many futures drawn lie in the tail."""

    objective: Vector
    expected: Vector
    cvar: Vector
    unmet: Vector
    late: Vector
    tail_futures: int


def influences(fates: Fates, sample: Sample, risk: Risk) -> Influences:
    """What each future adds to each figure of a decision."""
    quantile = tail_quantile(fates.cost_usd, sample.probability, risk.tail_frac)
    tail = excess_values(fates.cost_usd, quantile, risk.tail_frac)
    return Influences(
        objective=(1.0 - risk.weight_frac) * fates.cost_usd + risk.weight_frac * tail,
        expected=fates.cost_usd,
        cvar=tail,
        unmet=_ratio(fates.unmet_hours, fates.wanted_hours, sample.probability),
        late=_ratio(fates.late_hours, fates.work_hours, sample.probability),
        tail_futures=int((fates.cost_usd[: sample.drawn] > quantile).sum()),
    )


def _ratio(part: Vector, whole: Vector, probability: Vector) -> Vector:
    mean = float(probability @ whole)
    ratio = share(float(probability @ part), mean)
    return ratio + (part - ratio * whole) / mean if mean else np.zeros(len(part))


def scores(values: Influences, sample: Sample, less: Influences | None = None) -> Scores:
    """The figures of a decision, or those of its difference to another in the same futures."""

    def figure(of: Callable[[Influences], Vector]) -> Estimate:
        return sample.estimate(of(values) - of(less) if less is not None else of(values))

    return Scores(
        objective_usd=figure(lambda v: v.objective),
        expected_usd=figure(lambda v: v.expected),
        cvar_usd=figure(lambda v: v.cvar),
        unmet_frac=figure(lambda v: v.unmet),
        late_frac=figure(lambda v: v.late),
        tail_futures=min(v.tail_futures for v in (values, less or values)),
    )
