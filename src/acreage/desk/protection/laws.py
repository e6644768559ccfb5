"""The probability laws of demand for units: how likely more than x are wanted, and what x of them sell.

A law is a value. Demand is never negative: what a normal law puts below zero counts as no demand, so
`expected_min` is the integral of P(D > u) from 0 to x. Sums of normal laws keep their negative part, as the
published protection levels do. Everything that can be exact in floating point is; `scipy.stats` has the tails.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import ndtr, ndtri

from acreage.units.errors import InputError

Array = NDArray[np.float64]


class Law(Protocol):
    """The law of a non-negative number of units D."""

    @property
    def mean(self) -> float:
        """E D."""

    @property
    def variance(self) -> float:
        """Var D."""

    @property
    def discrete(self) -> bool:
        """Whether D is always a whole number of units."""

    def survival(self, units: ArrayLike) -> Array:
        """P(D > units), elementwise."""

    def expected_min(self, units: ArrayLike) -> Array:
        """E min(D, units), elementwise: what a stock of that many units sells."""

    def inverse_survival(self, tail_frac: float) -> float:
        """The smallest x >= 0 with P(D > x) <= tail_frac: the quantile at 1 - tail_frac."""

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Independent draws, shape (size,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalLaw:
    """A normal number of units; what falls below zero is no demand."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        must(math.isfinite(self.mean), f"a normal law's mean is {self.mean}", "give a number of units")
        must(0.0 < self.sd < math.inf, f"a normal law's sd is {self.sd}", "give a positive number, or a FixedLaw")

    @property
    def variance(self) -> float:
        """sd squared."""
        return self.sd * self.sd

    @property
    def discrete(self) -> bool:
        """A normal law is continuous."""
        return False

    def survival(self, units: ArrayLike) -> Array:
        """1 - Phi((x - mean) / sd); 1 below zero."""
        x = np.asarray(units, dtype=np.float64)
        return np.where(x < 0.0, 1.0, ndtr((self.mean - x) / self.sd))

    def density(self, units: ArrayLike) -> Array:
        """phi((x - mean) / sd) / sd, also below zero."""
        z = (np.asarray(units, dtype=np.float64) - self.mean) / self.sd
        return np.asarray(np.exp(-0.5 * z * z) / (self.sd * math.sqrt(2.0 * math.pi)))

    def expected_min(self, units: ArrayLike) -> Array:
        """The difference of two normal loss integrals; E (D - x)+ = sd phi(z) - (x - mean) (1 - Phi(z))."""
        x = np.asarray(units, dtype=np.float64)
        return np.where(x <= 0.0, x, self._excess(np.zeros(())) - self._excess(x))

    def _excess(self, x: Array) -> Array:
        return np.asarray(self.variance * self.density(x) + (self.mean - x) * ndtr((self.mean - x) / self.sd))

    def inverse_survival(self, tail_frac: float) -> float:
        """mean + sd Phi^-1(1 - tail), at least 0."""
        check_tail(tail_frac)
        return max(0.0, self.mean - self.sd * float(ndtri(tail_frac)))

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draws with zero in place of what is negative."""
        return np.maximum(rng.normal(self.mean, self.sd, size), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonLaw:
    """The number of arrivals of a Poisson process."""

    mean: float

    def __post_init__(self) -> None:
        must(0.0 <= self.mean < math.inf, f"a Poisson law's mean is {self.mean}", "give zero or more units")

    @property
    def variance(self) -> float:
        """Equal to the mean."""
        return self.mean

    @property
    def discrete(self) -> bool:
        """Whole units."""
        return True

    def survival(self, units: ArrayLike) -> Array:
        """P(D > x) of a Poisson law."""
        return np.asarray(stats.poisson.sf(np.asarray(units, dtype=np.float64), self.mean))

    def expected_min(self, units: ArrayLike) -> Array:
        """x P(D > x) + mean P(D <= x - 1) at whole x, since k P(D = k) = mean P(D = k - 1); straight between them."""
        x = np.asarray(units, dtype=np.float64)
        whole = np.floor(x)
        at_floor = whole * stats.poisson.sf(whole, self.mean) + self.mean * stats.poisson.cdf(whole - 1.0, self.mean)
        return np.where(x <= 0.0, x, at_floor + (x - whole) * stats.poisson.sf(whole, self.mean))

    def inverse_survival(self, tail_frac: float) -> float:
        """A whole number."""
        check_tail(tail_frac)
        return smallest_whole(self, tail_frac)

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Poisson draws."""
        return rng.poisson(self.mean, size).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class NegativeBinomialLaw:
    """Whole units with a variance above their mean: a Poisson law whose rate is itself gamma, as bursts are."""

    mean: float
    variance: float

    def __post_init__(self) -> None:
        must(0.0 < self.mean < math.inf, f"a negative binomial law's mean is {self.mean}", "give a positive number")
        over = self.mean < self.variance < math.inf
        must(over, f"a negative binomial law's variance is {self.variance}", "give more than the mean, or a Poisson")

    @property
    def discrete(self) -> bool:
        """Whole units."""
        return True

    @property
    def shape(self) -> float:
        """The shape of the gamma rate, mean^2 / (variance - mean)."""
        return self.mean**2 / (self.variance - self.mean)

    @property
    def stop_frac(self) -> float:
        """The success probability of the usual form, mean / variance."""
        return self.mean / self.variance

    def survival(self, units: ArrayLike) -> Array:
        """P(D > x)."""
        return np.asarray(stats.nbinom.sf(np.asarray(units, dtype=np.float64), self.shape, self.stop_frac))

    def expected_min(self, units: ArrayLike) -> Array:
        """As for Poisson: k P(D = k) is the mean times P(D' = k - 1) with shape + 1 in D'."""
        x = np.asarray(units, dtype=np.float64)
        whole = np.floor(x)
        above = self.survival(whole)
        below = stats.nbinom.cdf(whole - 1.0, self.shape + 1.0, self.stop_frac)
        return np.where(x <= 0.0, x, whole * above + self.mean * below + (x - whole) * above)

    def inverse_survival(self, tail_frac: float) -> float:
        """A whole number."""
        check_tail(tail_frac)
        return smallest_whole(self, tail_frac)

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Negative binomial draws."""
        return rng.negative_binomial(self.shape, self.stop_frac, size).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedLaw:
    """Exactly `units`, with certainty."""

    units: float

    def __post_init__(self) -> None:
        must(0.0 <= self.units < math.inf, f"a fixed demand is {self.units}", "give zero or more units")

    @property
    def mean(self) -> float:
        """The units themselves."""
        return self.units

    @property
    def variance(self) -> float:
        """None."""
        return 0.0

    @property
    def discrete(self) -> bool:
        """Whether the units are whole."""
        return self.units == math.floor(self.units)

    def survival(self, units: ArrayLike) -> Array:
        """1 below the units, 0 from there on."""
        return np.where(np.asarray(units, dtype=np.float64) < self.units, 1.0, 0.0)

    def expected_min(self, units: ArrayLike) -> Array:
        """The lesser of the two."""
        return np.minimum(np.asarray(units, dtype=np.float64), self.units)

    def inverse_survival(self, tail_frac: float) -> float:
        """The units, or 0 where any tail will do."""
        check_tail(tail_frac)
        return self.units if tail_frac < 1.0 else 0.0

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """The units, `size` times; the generator is not used."""
        return np.full(size, self.units)


def smallest_whole(law: Law, tail_frac: float) -> float:
    """The smallest whole x >= 0 with P(D > x) <= tail, by doubling and bisection; infinite for a tail of 0."""
    if tail_frac <= 0.0:
        return math.inf
    low, high = -1.0, 0.0
    while float(law.survival(high)) > tail_frac:
        low, high = high, 2.0 * high + 1.0
    while high - low > 1.0:
        middle = math.floor((low + high) / 2.0)
        if float(law.survival(middle)) > tail_frac:
            low = middle
        else:
            high = middle
    return high


def check_tail(tail_frac: float) -> None:
    """Raise `InputError` for what is not a probability."""
    must(0.0 <= tail_frac <= 1.0, f"a probability of {tail_frac}", "give a number from 0 to 1")


def must(true: bool, what: str, fix: str) -> None:
    """Raise `InputError(what, fix)` unless true."""
    if not true:
        raise InputError(what, fix=fix)
