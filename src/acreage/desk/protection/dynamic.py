"""One stock against requests in any order over time, in groups that are served whole or not at all.

In each of T periods at most one request comes: of kind k, for s_k units at p_k a unit, with chance q_tk. The value
of x units before period t (T. Lee and M. Hersh, A model for dynamic airline seat inventory control with multiple
seat bookings, Transportation Science 27, 1993; Talluri and van Ryzin, 2004, chapter 2) is

    V_t(x) = V_t+1(x) + sum over k with s_k <= x of q_tk max(0, s_k p_k - (V_t+1(x) - V_t+1(x - s_k)))

A request is accepted if it pays at least what it displaces. With groups neither V nor acceptance need be monotone
in the stock: a group may be refused because it leaves a remainder that fits nobody.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acreage.desk.protection.laws import Array
from acreage.units.errors import InputError

CHANCE_MAX = 0.05
"""The chance of a request in one period, when Poisson arrivals are spread over periods of one request at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKind:
    """Requests for `units` together at `usd_per_unit`."""

    usd_per_unit: float
    units: int = 1

    def __post_init__(self) -> None:
        if not 0.0 <= self.usd_per_unit < math.inf:
            raise InputError(f"a request pays {self.usd_per_unit} USD a unit", fix="give zero or more")
        if self.units < 1:
            raise InputError(f"a request for {self.units} units", fix="give at least 1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DynamicPlan:
    """The value of every stock before every period: `value_usd` (T + 1, units + 1); row T is the worth at the end."""

    kinds: tuple[RequestKind, ...]
    chances: Array
    value_usd: Array

    @property
    def bid_price_usd(self) -> Array:
        """What the x-th unit is worth once period t's request is answered, (T, units): V_t+1(x) - V_t+1(x - 1)."""
        return np.diff(self.value_usd[1:], axis=1)

    def displaced_usd(self, period: int, left: ArrayLike, units: ArrayLike) -> Array:
        """What giving up `units` in a period costs when that many are left, elementwise; infinite for too many."""
        x, s = np.broadcast_arrays(np.asarray(left, dtype=np.int64), np.asarray(units, dtype=np.int64))
        after = self.value_usd[period + 1]
        return np.where(s <= x, after[x] - after[np.maximum(x - s, 0)], np.inf)

    def accepts(self, period: int, left: ArrayLike, units: ArrayLike, usd_per_unit: ArrayLike) -> NDArray[np.bool_]:
        """Whether a request pays at least what it displaces, elementwise; of any size and price."""
        offered = np.asarray(usd_per_unit, dtype=np.float64) * np.asarray(units)
        return np.asarray(offered >= self.displaced_usd(period, left, units))

    def least_usd_per_unit(self, units: int) -> Array:
        """The lowest price a unit at which a group of that size is accepted: (T, stock + 1), infinite if too large."""
        least = np.full((self.value_usd.shape[0] - 1, self.value_usd.shape[1]), np.inf)
        after = self.value_usd[1:]
        if units < after.shape[1]:
            least[:, units:] = (after[:, units:] - after[:, :-units]) / units
        return least


def dynamic_plan(
    kinds: Sequence[RequestKind], chances: ArrayLike, units: int, left_usd: ArrayLike | None = None
) -> DynamicPlan:
    """Solve backwards for every stock from 0 to `units`.

    `chances` (T, K) are the probabilities of each kind in each period, at most 1 in sum; `left_usd` (units + 1,) is
    what is left at the end is worth, nothing if not given. Raises `InputError` for what does not fit.
    """
    table = _checked(kinds, chances, units)
    value = np.zeros((table.shape[0] + 1, units + 1))
    if left_usd is not None:
        value[-1] = left_usd
    for period in reversed(range(table.shape[0])):
        after = value[period + 1]
        now = after.copy()
        for kind, chance in zip(kinds, table[period], strict=True):
            if chance > 0.0 and kind.units <= units:
                gain = kind.units * kind.usd_per_unit - (after[kind.units :] - after[: -kind.units])
                now[kind.units :] += chance * np.maximum(gain, 0.0)
        value[period] = now
    return DynamicPlan(kinds=tuple(kinds), chances=table, value_usd=value)


def spread(expected: ArrayLike, chance_max: float = CHANCE_MAX) -> tuple[Array, int]:
    """Poisson arrivals as periods of one request at most: `expected` (P, K) per long period and kind.

    Returns chances (P m, K) and m, the number of short periods in each long one: the fewest in which no short one
    has more than `chance_max` of a request. As m grows, the plan tends to that of the Poisson process.
    """
    rates = np.asarray(expected, dtype=np.float64)
    if rates.ndim != 2 or not bool(np.all(rates >= 0.0)) or not bool(np.all(np.isfinite(rates))):
        raise InputError("expected arrivals", fix="give a table of periods by kinds of numbers, zero or more")
    if not 0.0 < chance_max <= 1.0:
        raise InputError(f"a chance of {chance_max} a period", fix="give a number above 0 and up to 1")
    parts = max(1, math.ceil(float(rates.sum(axis=1).max(initial=0.0)) / chance_max))
    return np.repeat(rates / parts, parts, axis=0), parts


def _checked(kinds: Sequence[RequestKind], chances: ArrayLike, units: int) -> Array:
    table = np.asarray(chances, dtype=np.float64)
    if units < 0:
        raise InputError(f"a stock of {units} units", fix="give zero or more")
    if table.ndim != 2 or table.shape[1] != len(kinds):
        raise InputError(f"chances of shape {table.shape}", fix=f"give a table of periods by {len(kinds)} kinds")
    if not bool(np.all(table >= 0.0)) or not bool(np.all(table.sum(axis=1) <= 1.0 + 1e-12)):
        raise InputError("chances of requests", fix="give probabilities that sum to at most 1 in each period")
    return table
