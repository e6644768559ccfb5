"""How likely a request accepts a price, and which price earns most over what its units displace.

Of a response F (the take-up: the share of requests that accept), the best price maximizes F(p) (p - d), where d
is what the unit would earn otherwise. Each of these is log-concave where it is positive, or a power, so that this
rises to its best and falls from there: between a floor and a cap the best price is the nearest to the free one.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, lambertw

from acreage.units.errors import InputError

Array = NDArray[np.float64]


class Response(Protocol):
    """The take-up of a price in USD a unit."""

    def take_up_frac(self, price_usd: ArrayLike) -> Array:
        """The share of requests that accept, elementwise; never rising in the price."""

    def best_price_usd(self, displaced_usd: ArrayLike, floor_usd: float, cap_usd: float) -> Array:
        """The price within the limits that earns most over what is displaced, elementwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExponentialResponse:
    """exp(-p / scale): willingness to pay is exponential with mean `scale_usd`."""

    scale_usd: float

    def __post_init__(self) -> None:
        _positive("an exponential response's scale", self.scale_usd)

    def take_up_frac(self, price_usd: ArrayLike) -> Array:
        """exp(-p / scale), 1 below zero."""
        return np.asarray(np.exp(-np.maximum(np.asarray(price_usd, dtype=np.float64), 0.0) / self.scale_usd))

    def best_price_usd(self, displaced_usd: ArrayLike, floor_usd: float, cap_usd: float) -> Array:
        """d + scale."""
        return np.clip(np.asarray(displaced_usd, dtype=np.float64) + self.scale_usd, floor_usd, cap_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearResponse:
    """1 - p / most: willingness to pay is uniform from 0 to `most_usd`."""

    most_usd: float

    def __post_init__(self) -> None:
        _positive("the highest price anybody pays", self.most_usd)

    def take_up_frac(self, price_usd: ArrayLike) -> Array:
        """1 - p / most, within 0 and 1."""
        return np.clip(1.0 - np.asarray(price_usd, dtype=np.float64) / self.most_usd, 0.0, 1.0)

    def best_price_usd(self, displaced_usd: ArrayLike, floor_usd: float, cap_usd: float) -> Array:
        """Halfway between d and the highest."""
        return np.clip((np.asarray(displaced_usd, dtype=np.float64) + self.most_usd) / 2.0, floor_usd, cap_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogitResponse:
    """1 / (1 + exp(slope (p - middle))): half accept at `middle_usd`."""

    middle_usd: float
    slope_per_usd: float

    def __post_init__(self) -> None:
        _positive("a logit response's slope", self.slope_per_usd)

    def take_up_frac(self, price_usd: ArrayLike) -> Array:
        """The logistic curve."""
        return np.asarray(expit(self.slope_per_usd * (self.middle_usd - np.asarray(price_usd, dtype=np.float64))))

    def best_price_usd(self, displaced_usd: ArrayLike, floor_usd: float, cap_usd: float) -> Array:
        """d + (1 + W(exp(slope (middle - d) - 1))) / slope, W of Lambert; from slope (p - d) (1 - F(p)) = 1."""
        d = np.asarray(displaced_usd, dtype=np.float64)
        free = d + (1.0 + _lambert_of_exp(self.slope_per_usd * (self.middle_usd - d) - 1.0)) / self.slope_per_usd
        return np.clip(free, floor_usd, cap_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoelasticResponse:
    """(p / least)^-elasticity above `least_usd`, where everybody accepts; the elasticity is above 1."""

    least_usd: float
    elasticity: float

    def __post_init__(self) -> None:
        _positive("the price everybody pays", self.least_usd)
        if not 1.0 < self.elasticity < math.inf:
            raise InputError(f"an elasticity of {self.elasticity}", fix="give more than 1, or no price is too high")

    def take_up_frac(self, price_usd: ArrayLike) -> Array:
        """1 up to the least price, a power beyond."""
        ratio = np.maximum(np.asarray(price_usd, dtype=np.float64) / self.least_usd, 1.0)
        return np.asarray(ratio**-self.elasticity)

    def best_price_usd(self, displaced_usd: ArrayLike, floor_usd: float, cap_usd: float) -> Array:
        """d elasticity / (elasticity - 1), and at least the price everybody pays."""
        free = np.asarray(displaced_usd, dtype=np.float64) * self.elasticity / (self.elasticity - 1.0)
        return np.clip(np.maximum(free, self.least_usd), floor_usd, cap_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuResponse:
    """A menu of prices, rising, each with its take-up, never rising. No other price is asked."""

    prices_usd: tuple[float, ...]
    take_ups_frac: tuple[float, ...]

    def __post_init__(self) -> None:
        prices, shares = np.array(self.prices_usd), np.array(self.take_ups_frac)
        fits = prices.size > 0 and prices.shape == shares.shape and bool(np.all(np.diff(prices) > 0.0))
        if not (fits and prices[0] >= 0.0 and bool(np.all(np.diff(shares, prepend=1.0, append=0.0) <= 0.0))):
            fix = "give rising prices and one take-up from 0 to 1 for each, never rising"
            raise InputError("a menu of prices", fix=fix)

    def take_up_frac(self, price_usd: ArrayLike) -> Array:
        """The take-up of the next price up; none above the highest."""
        place = np.searchsorted(np.array(self.prices_usd), np.asarray(price_usd, dtype=np.float64), side="left")
        return np.append(np.array(self.take_ups_frac), 0.0)[place]

    def best_price_usd(self, displaced_usd: ArrayLike, floor_usd: float, cap_usd: float) -> Array:
        """The best of the menu's prices within the limits, the lowest of equals; raises `InputError` if none is."""
        prices, shares = np.array(self.prices_usd), np.array(self.take_ups_frac)
        allowed = (prices >= floor_usd) & (prices <= cap_usd)
        if not allowed.any():
            raise InputError(f"no price of the menu is from {floor_usd} to {cap_usd}", fix="widen the limits")
        earned = shares[allowed] * (prices[allowed] - np.asarray(displaced_usd, dtype=np.float64)[..., None])
        return np.asarray(prices[allowed][np.argmax(earned, axis=-1)])


def _lambert_of_exp(x: Array) -> Array:
    """W(exp(x)), also where exp(x) overflows: there by Newton's method on w + ln w = x."""
    small = np.real(lambertw(np.exp(np.minimum(x, 700.0))))
    large = np.maximum(x, 700.0)
    w = large - np.log(large)
    for _ in range(4):
        w = w * (1.0 + large - np.log(w)) / (1.0 + w)
    return np.where(x < 700.0, small, w)


def _positive(name: str, value: float) -> None:
    if not 0.0 < value < math.inf:
        raise InputError(f"{name} is {value}", fix="give a positive number")
