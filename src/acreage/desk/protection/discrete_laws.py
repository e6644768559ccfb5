"""Laws laid out unit by unit: observed, counted, rounded, and added up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from acreage.desk.protection.laws import (
    Array,
    FixedLaw,
    Law,
    NegativeBinomialLaw,
    NormalLaw,
    PoissonLaw,
    check_tail,
    must,
)

TAIL_FRAC = 1e-14
"""A law without an upper end is cut where less than this is left, before it is added to another."""
SUPPORT_MAX = 20_000_000
"""Units beyond which a law is not laid out unit by unit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiscreteLaw:
    """Whole units with stated probabilities: `probabilities[k]` is P(D = k), shape (K + 1,)."""

    probabilities: Array
    tail: Array = field(init=False, repr=False)
    """P(D > k), (K + 1,), summed from the small end."""
    sold: Array = field(init=False, repr=False)
    """E min(D, k), (K + 1,)."""

    def __post_init__(self) -> None:
        mass = np.asarray(self.probabilities, dtype=np.float64)
        good = mass.ndim == 1 and mass.size > 0 and bool(np.all(mass >= 0.0)) and abs(mass.sum() - 1.0) < 1e-9
        must(good, "probabilities of a discrete law", "give one per whole number of units from 0 on, summing to 1")
        mass = mass / mass.sum()
        tail = np.append(np.cumsum(mass[:0:-1])[::-1], 0.0)
        object.__setattr__(self, "probabilities", mass)
        object.__setattr__(self, "tail", tail)
        object.__setattr__(self, "sold", np.concatenate([[0.0], np.cumsum(tail[:-1])]))

    @property
    def mean(self) -> float:
        """Sum of k P(D = k)."""
        return float(self.sold[-1])

    @property
    def variance(self) -> float:
        """Sum of (k - mean)^2 P(D = k)."""
        return float(((np.arange(self.tail.size) - self.mean) ** 2) @ self.probabilities)

    @property
    def discrete(self) -> bool:
        """Whole units."""
        return True

    def survival(self, units: ArrayLike) -> Array:
        """P(D > x)."""
        x = np.asarray(units, dtype=np.float64)
        place = np.clip(np.floor(x), 0, self.tail.size - 1).astype(np.int64)
        return np.where(x < 0.0, 1.0, self.tail[place])

    def expected_min(self, units: ArrayLike) -> Array:
        """Straight between whole numbers of units."""
        x = np.asarray(units, dtype=np.float64)
        return np.where(x <= 0.0, x, np.interp(x, np.arange(self.sold.size), self.sold))

    def inverse_survival(self, tail_frac: float) -> float:
        """A whole number."""
        check_tail(tail_frac)
        return float(np.searchsorted(-self.tail, -tail_frac, side="left"))

    def sample(self, rng: np.random.Generator, size: int) -> Array:
        """Draws by the stated probabilities."""
        return rng.choice(self.tail.size, size=size, p=self.probabilities).astype(np.float64)


def empirical_law(observed: Sequence[int], weights: Sequence[float] | None = None) -> DiscreteLaw:
    """The law that repeats whole numbers of units as observed, each as likely as its weight says.

    Raises `InputError` for none, for negative numbers and for weights that do not fit.
    """
    values = np.asarray(observed)
    whole = values.size > 0 and bool(np.all(values >= 0) and np.all(values == np.floor(values)))
    must(whole, "an empirical law needs observations", "give whole numbers of units, zero or more")
    shares = np.ones(values.size) if weights is None else np.asarray(weights, dtype=np.float64)
    fits = shares.shape == values.shape and bool(np.all(shares >= 0.0)) and 0.0 < shares.sum() < math.inf
    must(fits, "weights of an empirical law", "give one non-negative weight per observation")
    counts = np.bincount(values.astype(np.int64), weights=shares)
    return DiscreteLaw(probabilities=counts / counts.sum())


def binomial_law(trials: int, success_frac: float) -> DiscreteLaw:
    """How many of `trials` independent events of probability `success_frac` happen."""
    must(trials >= 0, f"{trials} trials", "give zero or more")
    must(0.0 <= success_frac <= 1.0, f"a probability of {success_frac}", "give a number from 0 to 1")
    return DiscreteLaw(probabilities=stats.binom.pmf(np.arange(trials + 1), trials, success_frac))


def beta_binomial_law(trials: int, success_frac: float, correlation: float) -> DiscreteLaw:
    """Binomial, but any two events are correlated: their common probability is itself a beta variable.

    A correlation of 0 is the binomial law, of 1 all or nothing.
    """
    must(0.0 <= correlation <= 1.0, f"a correlation of {correlation}", "give a number from 0 to 1")
    if correlation == 0.0 or success_frac in (0.0, 1.0) or trials <= 1:
        return binomial_law(trials, success_frac)
    must(0.0 <= success_frac <= 1.0, f"a probability of {success_frac}", "give a number from 0 to 1")
    if correlation == 1.0:
        return DiscreteLaw(probabilities=np.r_[1.0 - success_frac, np.zeros(trials - 1), success_frac])
    total = 1.0 / correlation - 1.0
    mass = stats.betabinom.pmf(np.arange(trials + 1), trials, success_frac * total, (1.0 - success_frac) * total)
    return DiscreteLaw(probabilities=mass)


def probabilities(law: Law, count: int) -> Array:
    """P(D = k) for k = 0 .. count - 1, shape (count,), of a law taken to the nearest whole number of units.

    A continuous law is rounded: the mass between k - 1/2 and k + 1/2 is at k. What lies beyond is left out.
    """
    edges = np.arange(count, dtype=np.float64) + (0.0 if law.discrete else 0.5)
    if isinstance(law, PoissonLaw):
        return np.asarray(stats.poisson.pmf(edges, law.mean))
    if isinstance(law, NegativeBinomialLaw):
        return np.asarray(stats.nbinom.pmf(edges, law.shape, law.stop_frac))
    if isinstance(law, DiscreteLaw):
        mass = law.probabilities[:count]
        return np.concatenate([mass, np.zeros(count - mass.size)])
    return np.asarray(-np.diff(law.survival(edges), prepend=1.0))


def whole_units(law: Law) -> DiscreteLaw:
    """The law laid out unit by unit, cut where less than 1e-14 is left; the rest is scaled up to 1."""
    if isinstance(law, DiscreteLaw):
        return law
    end = math.ceil(law.inverse_survival(TAIL_FRAC)) + 1
    must(end <= SUPPORT_MAX, f"demand of up to {end} units", "count in larger blocks")
    mass = probabilities(law, end + 1)
    return DiscreteLaw(probabilities=mass / mass.sum())


def sum_of(laws: Sequence[Law]) -> Law:
    """The law of the sum of independent demands.

    Closed for normal laws (with fixed ones), for Poisson laws and for negative binomial ones of one
    variance-to-mean ratio; by convolution of whole units otherwise. No laws add up to zero.
    """
    kinds = {type(law) for law in laws}
    mean = math.fsum(law.mean for law in laws)
    variance = math.fsum(law.variance for law in laws)
    if kinds <= {FixedLaw}:
        return FixedLaw(units=mean)
    if len(laws) == 1:
        return laws[0]
    if kinds <= {NormalLaw, FixedLaw}:
        return NormalLaw(mean=mean, sd=math.sqrt(variance))
    if kinds == {PoissonLaw}:
        return PoissonLaw(mean=mean)
    ratios = [law.variance / law.mean for law in laws if isinstance(law, NegativeBinomialLaw)]
    if kinds == {NegativeBinomialLaw} and math.isclose(min(ratios), max(ratios), rel_tol=1e-12):
        return NegativeBinomialLaw(mean=mean, variance=variance)
    mass = np.ones(1)
    for law in laws:
        mass = np.convolve(mass, whole_units(law).probabilities)
    return DiscreteLaw(probabilities=mass / mass.sum())
