"""What all intervals of a sample of futures rest on: its weights, Student's t, and the influence of a future on CVaR.

See `estimates` for the formulas and their sources.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from acreage.domain.evaluation import Estimate
from acreage.plan.problem import Vector

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
