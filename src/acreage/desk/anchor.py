"""The law of the anchor's need on each day: a forecast with uncertainty up to its ramp, and options it may call.

The need of a day is min(max(X, 0), ramp) plus each option already open times a Bernoulli draw, where X is
normal with the forecast's mean and deviation. Options are independent, so that the law is a mixture over
the subsets of options called. The promise to the anchor is per day: P(need > what is left for it) <= limit.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import ndtr

from acreage.desk.horizon import Counts, Horizon, Numbers
from acreage.domain.desk import AnchorContract
from acreage.units.errors import InputError

OPTIONS_MAX = 8
"""Subsets of options are enumerated: at most 256 a day."""

_SURE = 1e-6
"""Deviation in accelerators of a need that is certain."""

_PER_ROOT = 0.3989422804014327
"""1 / sqrt(2 pi)."""


@dataclass(frozen=True, slots=True)
class AnchorLaw:
    """The need of each day in one pool.

    `mean`, `deviation` and `ramp` have shape (days,); `offsets` (subsets, days) is what a subset of options
    adds on a day, `weights` (subsets,) its probability; `right` (days,) is everything the anchor may call.
    """

    mean: Numbers
    deviation: Numbers
    ramp: Numbers
    offsets: Numbers
    weights: Numbers
    right: Counts

    def above(self, level: Numbers, days: slice = slice(None)) -> Numbers:
        """P(need > level), level of shape (days,) or broadcastable to it."""
        y = np.asarray(level)[None] - self.offsets[:, days]
        tail = ndtr((self.mean[days] - y) / self.deviation[days])
        tail = np.where(y < 0.0, 1.0, np.where(y >= self.ramp[days], 0.0, tail))
        return np.asarray(self.weights @ tail)

    def excess(self, level: Numbers, days: slice = slice(None)) -> Numbers:
        """E[(need - level)+] in accelerators.

        The integral of the tail: with L(z) = phi(z) - z (1 - Phi(z)), the normal loss function,
        it is s (L(z0) - L(z1)) between the level and the ramp.
        """
        y = np.asarray(level)[None] - self.offsets[:, days]
        mean, deviation, ramp = self.mean[days], self.deviation[days], self.ramp[days]
        low = np.clip(y, 0.0, ramp)
        within = deviation * (_loss((low - mean) / deviation) - _loss((ramp - mean) / deviation))
        return np.asarray(self.weights @ (within + np.maximum(-y, 0.0)))

    def expected(self) -> Numbers:
        """E[need], shape (days,)."""
        return self.excess(np.zeros(len(self.mean)))

    def protected(self, short_max_frac: float) -> Counts:
        """The fewest accelerators to be left for the anchor so that P(need > them) <= the limit, shape (days,)."""
        low, high = np.full(len(self.right), -1, dtype=np.int64), self.right.copy()
        while np.any(high - low > 1):
            middle = (low + high) // 2
            enough = self.above(middle.astype(np.float64)) <= short_max_frac
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
        return high

    def drawn(self, latent: Numbers, called: Numbers) -> Numbers:
        """Needs from draws: `latent` standard normal of shape (days,), `called` the subset row of the options."""
        base = np.clip(self.mean + self.deviation * latent, 0.0, self.ramp)
        return np.ceil(base + called)


def anchor_law(contract: AnchorContract | None, horizon: Horizon) -> AnchorLaw:
    """The law in one pool; None: the anchor has no right there. Raises `InputError` for too many options."""
    days = horizon.days
    if contract is None:
        nothing = np.zeros(days)
        sure = np.full(days, _SURE)
        return AnchorLaw(nothing, sure, nothing, np.zeros((1, days)), np.ones(1), np.zeros(days, dtype=np.int64))
    if len(contract.options) > OPTIONS_MAX:
        raise InputError(f"{len(contract.options)} options of the anchor in {contract.pool}", fix="at most 8")
    ramp = horizon.levels(contract.ramp, least=False)
    mean, deviation = _forecast(contract, horizon, ramp)
    steps = np.array([_open(option.from_at, option.accelerators, horizon) for option in contract.options])
    steps = steps.reshape(len(contract.options), days)
    chances = [option.probability_frac for option in contract.options]
    subsets = np.array(list(product((0.0, 1.0), repeat=len(chances)))).reshape(2 ** len(chances), len(chances))
    weights = np.prod(np.where(subsets == 1.0, chances, 1.0 - np.array(chances)), axis=1)
    offsets = subsets @ steps
    right = ramp + steps.sum(axis=0).astype(np.int64)
    return AnchorLaw(mean, deviation, ramp.astype(np.float64), offsets, weights, right)


def _forecast(contract: AnchorContract, horizon: Horizon, ramp: Counts) -> tuple[Numbers, Numbers]:
    if not contract.forecast:
        return ramp.astype(np.float64), np.full(horizon.days, _SURE)
    at = np.array([point.at for point in contract.forecast], dtype=np.float64)
    starts = horizon.starts().astype(np.float64)
    mean = np.interp(starts, at, [point.mean for point in contract.forecast])
    deviation = np.interp(starts, at, [point.deviation for point in contract.forecast])
    return mean, np.maximum(deviation, _SURE)


def _open(from_at: int, accelerators: int, horizon: Horizon) -> Numbers:
    return np.where(np.arange(horizon.days) >= horizon.first_day(from_at), float(accelerators), 0.0)


def _loss(z: Numbers) -> Numbers:
    """The standard normal loss function E[(Z - z)+]."""
    return np.asarray(_PER_ROOT * np.exp(-0.5 * z * z) - z * ndtr(-z))
