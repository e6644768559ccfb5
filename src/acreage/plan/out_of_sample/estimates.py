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
from scipy.special import stdtrit

from acreage.domain.evaluation import Estimate, Scores
from acreage.domain.portfolio import Risk
from acreage.plan.out_of_sample.playing import Fates
from acreage.plan.problem import Vector
from acreage.plan.service import share

CONFIDENCE_FRAC = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Futures drawn, and after them stresses: their probabilities (S,), of which the first `drawn` are equal."""

    probability: Vector
    drawn: int

    def part(self, drawn: int) -> "Sample":
        """The sample with fewer futures drawn, the first ones, which share out the same probability."""
        left = float(self.probability[: self.drawn].sum())
        kept = np.concatenate([np.full(drawn, left / drawn), self.probability[self.drawn :]])
        return Sample(probability=kept, drawn=drawn)

    def estimate(self, values: Vector) -> Estimate:
        """The mean of values (S,), with its interval; infinitely wide if but one future was drawn."""
        mean = float(self.probability @ values)
        if self.drawn < 2:
            return Estimate(found=mean, low=-np.inf, high=np.inf)
        half = quantile_of_t(self.drawn - 1) * standard_error(values[: self.drawn])
        half *= float(self.probability[: self.drawn].sum())
        return Estimate(found=mean, low=mean - half, high=mean + half)


def standard_error(values: Vector) -> float:
    """Of the mean of independent values (n,)."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def quantile_of_t(degrees: int, one_sided: bool = False) -> float:
    """How many standard errors a 95 % interval reaches."""
    return float(stdtrit(degrees, CONFIDENCE_FRAC if one_sided else (1.0 + CONFIDENCE_FRAC) / 2.0))


def tail_quantile(costs: Vector, probability: Vector, tail_frac: float) -> float:
    """The least cost that is not exceeded with probability `tail_frac`: a minimizer of Rockafellar and Uryasev's."""
    order = np.argsort(costs)
    reached = np.cumsum(probability[order])
    at = int(np.searchsorted(reached, tail_frac * reached[-1] - 1e-12))
    return float(costs[order][min(at, len(costs) - 1)])


def excess_values(costs: Vector, quantile: float, tail_frac: float) -> Vector:
    """q + max(0, cost - q) / (1 - tail): their mean is at least the CVaR, and is it at the tail quantile."""
    return np.asarray(quantile + np.maximum(0.0, costs - quantile) / (1.0 - tail_frac))


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
