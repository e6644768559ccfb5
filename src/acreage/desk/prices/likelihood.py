"""The likelihood of a logistic take-up curve: its largest value, free or with one thing held, and how it falls off."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, linprog, minimize
from scipy.special import expit, log_expit

from acreage.desk.prices.answers import Answers
from acreage.desk.prices.responses import Array

SEPARATED_SHARE = 1e-7
"""Of the linear program's largest possible value: less is rounding."""
DOUBLINGS_MAX = 40
"""Steps outward, each twice the last, before an interval's end is taken to be infinite."""
START_LOG_ODDS = np.linspace(-6.0, 6.0, 25)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaled:
    """Answers with price and covariates centred and scaled: `design` (N, 2 + K), `sign` +1 accepted, -1 refused."""

    design: Array
    sign: Array
    price_middle: float
    price_scale: float
    covariate_middle: Array
    covariate_scale: Array

    @classmethod
    def of(cls, seen: Answers) -> "Scaled":
        """Scaled so that each column has mean 0 and standard deviation 1, but for the ones."""
        columns = np.column_stack([seen.prices_usd, seen.covariates])
        middle, scale = columns.mean(axis=0), columns.std(axis=0)
        return cls(
            design=np.column_stack([np.ones(len(columns)), (columns - middle) / scale]),
            sign=np.where(seen.accepted, 1.0, -1.0),
            price_middle=float(middle[0]),
            price_scale=float(scale[0]),
            covariate_middle=middle[1:],
            covariate_scale=scale[1:],
        )

    def information(self, weights: Array) -> Array:
        """The matrix of second derivatives of minus the log-likelihood."""
        share = expit(self.design @ weights)
        return np.asarray((self.design.T * (share * (1.0 - share))) @ self.design)

    def fit(self) -> tuple[Array, float]:
        """The weights of the largest likelihood and its logarithm."""
        return maximized(self.design, self.sign, np.zeros(self.sign.size))

    def fit_at_slope(self, slope: float) -> float:
        """The largest log-likelihood with the slope given, by scaled price."""
        return maximized(np.delete(self.design, 1, axis=1), self.sign, -slope * self.design[:, 1])[1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriceProfile:
    """The largest likelihood for which a given price is the best one for a request with covariates `at`."""

    data: Scaled
    displaced_usd: float
    at: Array

    def likelihood(self, price_usd: float, weights: Array) -> float:
        """Its logarithm; the search starts from these scaled weights and the best of some log odds at the price."""
        data = self.data
        over = price_usd - self.displaced_usd
        paid = data.price_middle + data.price_scale * data.design[:, 1] - price_usd
        apart = data.design[:, 2:] - (self.at - data.covariate_middle) / data.covariate_scale

        def minus(unknown: Array) -> tuple[float, Array]:
            odds = math.exp(min(unknown[0], 300.0))
            utility = unknown[0] - (1.0 + odds) / over * paid + apart @ unknown[1:]
            miss = data.sign * expit(-data.sign * utility)
            slope = np.concatenate([[miss @ (1.0 - odds / over * paid)], apart.T @ miss])
            return -float(log_expit(data.sign * utility).sum()), -slope

        starts = [np.append(u, weights) for u in START_LOG_ODDS]
        best = min(starts, key=lambda start: minus(start)[0])
        return -float(minimize(minus, best, jac=True, method="BFGS").fun)


def separated(design: Array, sign: Array) -> bool:
    """Whether some weights rank every accepted offer at least as high as every refused one (Albert and Anderson,
    Biometrika 71, 1984), found by the linear program of K. Konis (Oxford, 2007).
    """
    signed = design * sign[:, None]
    found = linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=[(-1.0, 1.0)] * signed.shape[1]
    )
    return bool(-found.fun > SEPARATED_SHARE * len(signed))


def maximized(design: Array, sign: Array, offset: Array) -> tuple[Array, float]:
    """Maximum likelihood of a logistic model with an offset: weights and log-likelihood."""

    def minus(weights: Array) -> tuple[float, Array]:
        utility = design @ weights + offset
        return -float(log_expit(sign * utility).sum()), -design.T @ (sign * expit(-sign * utility))

    def curvature(weights: Array) -> Array:
        share = expit(design @ weights + offset)
        return np.asarray((design.T * (share * (1.0 - share))) @ design)

    start = np.zeros(design.shape[1])
    found = minimize(minus, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-8})
    return np.asarray(found.x), -float(found.fun)


def crossing(lost: Callable[[float], float], allowed: float, step: float) -> float:
    """How far from the estimate the loss reaches what is allowed; infinite if it does not."""
    inside, outside = 0.0, step
    for _ in range(DOUBLINGS_MAX):
        if lost(outside) > allowed:
            return float(brentq(lambda d: lost(d) - allowed, inside, outside, xtol=1e-5 * step))
        inside, outside = outside, 2.0 * outside
    return math.inf
