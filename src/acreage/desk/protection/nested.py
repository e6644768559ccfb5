"""Exact dynamic programming over nested tiers in whole units, cheap demand first.

Tier n, the cheapest, comes first and the dearest last. With x units left and level y = y_j-1 kept for dearer tiers,
tier j sells min(D_j, (x - y)+). Value of x units to tiers j .. 1, with p_j the fare:

    V_j(x) = E[p_j s + V_j-1(x - s)],  s = min(D_j, (x - y_j-1)+),  V_0 = 0

and the best levels are y_j = max{y : p_j+1 < V_j(y) - V_j(y - 1)} (Brumelle and McGill, Operations Research 41,
1993; Talluri and van Ryzin, The Theory and Practice of Revenue Management, 2004, section 2.2.2). What is computed
is the marginal value of the x-th unit, which for n = x - y > 0 is

    dV_j(y + n) = p_j P(D_j >= n) + sum over k < n of P(D_j = k) dV_j-1(y + n - k)

and dV_j-1(x) up to y: one convolution a tier, with no differences of large numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve

from acreage.desk.protection.discrete_laws import probabilities
from acreage.desk.protection.laws import Array
from acreage.desk.protection.tiers import Tier, check_tiers
from acreage.units.errors import InputError

DIRECT_MAX = 50_000_000
"""Products up to which a convolution is summed as it stands, which is exact to the last digits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NestedPlan:
    """Protection levels and what every stock up to a size is worth under them.

    `levels` (n - 1,) in whole units; `marginal_usd` (n, units): row j - 1 holds the value of the first, second,
    .. unit of stock when tiers j .. 1 are still to come (never rising in a best plan: bid prices);
    `value_usd` (n, units + 1): the value of 0, 1, .. units, that is V_j.
    """

    tiers: tuple[Tier, ...]
    levels: tuple[int, ...]
    marginal_usd: Array
    value_usd: Array

    def expected_usd(self, units: int) -> float:
        """Expected revenue from a stock of that many units with all tiers still to come."""
        if not 0 <= units < self.value_usd.shape[1]:
            raise InputError(f"a stock of {units} units", fix=f"give 0 to {self.value_usd.shape[1] - 1}")
        return float(self.value_usd[-1, units])


def optimal_plan(tiers: Sequence[Tier], units: int) -> NestedPlan:
    """The best nested policy for every stock from 0 to `units`.

    The levels do not depend on the stock: where they exceed `units` the table is extended until they are found.
    Continuous demand is rounded to the nearest whole unit (`continuous` keeps it as it is).
    """
    tiers = check_tiers(tiers)
    _check_units(units)
    top = max(units, 1)
    while True:
        found = _best(tiers, top)
        if found is not None:
            return _plan(tiers, found[1], found[0], units)
        top *= 2


def plan_of(tiers: Sequence[Tier], units: int, levels: Sequence[int]) -> NestedPlan:
    """What any nested policy earns, exactly: `levels` (n - 1,) are whole, not negative, and never decreasing."""
    tiers = check_tiers(tiers)
    _check_units(units)
    whole = tuple(int(level) for level in levels)
    good = len(whole) == len(tiers) - 1 and all(a <= b for a, b in zip((0, *whole), whole, strict=False))
    if not good or any(int(level) != level for level in levels):
        raise InputError(
            f"protection levels {tuple(levels)}", fix=f"give {len(tiers) - 1} whole numbers that do not fall, 0 or more"
        )
    rows = [_first(tiers[0], units)]
    for tier, level in zip(tiers[1:], whole, strict=True):
        rows.append(_next(tier, rows[-1], level))
    return _plan(tiers, whole, rows, units)


def _best(tiers: tuple[Tier, ...], top: int) -> tuple[list[Array], tuple[int, ...]] | None:
    """The marginal values of all tiers and the best levels; None if `top` units do not show a level's end."""
    rows, levels = [_first(tiers[0], top)], []
    for tier in tiers[1:]:
        worth_keeping = rows[-1] > tier.fare_usd
        if worth_keeping.all():
            return None
        levels.append(int(np.argmin(worth_keeping)))
        rows.append(_next(tier, rows[-1], levels[-1]))
    return rows, tuple(levels)


def _first(tier: Tier, top: int) -> Array:
    return tier.fare_usd * _at_least(tier, top)


def _next(tier: Tier, below: Array, level: int) -> Array:
    """The marginal values with one more, cheaper tier before those of `below` (top,)."""
    count = below.size - level
    if count <= 0:
        return below
    mass = probabilities(tier.law, count)
    passed = _convolve(mass, below[level:])[:count]
    return np.concatenate([below[:level], tier.fare_usd * _at_least(tier, count) + passed])


def _at_least(tier: Tier, count: int) -> Array:
    """P(D >= n) for n = 1 .. count, of demand in whole units."""
    shift = 0.0 if tier.law.discrete else 0.5
    return tier.law.survival(np.arange(count) + shift)


def _convolve(mass: Array, values: Array) -> Array:
    used = np.flatnonzero(mass)
    if used.size == 0:
        return np.zeros(values.size)
    begin, end = int(used[0]), int(used[-1]) + 1
    direct = (end - begin) * values.size <= DIRECT_MAX
    part = np.convolve(mass[begin:end], values) if direct else fftconvolve(mass[begin:end], values)
    return np.concatenate([np.zeros(begin), part])


def _plan(tiers: tuple[Tier, ...], levels: tuple[int, ...], rows: list[Array], units: int) -> NestedPlan:
    marginal = np.stack([row[:units] for row in rows])
    value = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(marginal, axis=1)], axis=1)
    return NestedPlan(tiers=tiers, levels=levels, marginal_usd=marginal, value_usd=value)


def _check_units(units: int) -> None:
    if units < 0:
        raise InputError(f"a stock of {units} units", fix="give zero or more")
