"""The nested tiers of `nested` in units that can be divided: normal demand, as published examples have it.

With y = y_j-1 the level kept for dearer tiers, f and F the density and distribution of D_j, the marginal value of
stock x > y while tiers j .. 1 are still to come is

    V'_j(x) = p_j P(D_j > x - y) + F(0) V'_j-1(x) + integral from y to x of f(x - u) V'_j-1(u) du

(V'_j-1(x) up to y), and the best levels solve V'_j(y_j) = p_j+1 (Brumelle and McGill, Operations Research 41,
1993, theorem 1; equal to their P(D_1 > y_1, .., D_1 + .. + D_j > y_j) = p_j+1 / p_1). Each V'_j beyond y_j-1 is
smooth: it is kept as a spline of degree 5 and integrated with Gauss-Legendre nodes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline, make_interp_spline
from scipy.optimize import brentq

from acreage.desk.protection.laws import Array, NormalLaw
from acreage.desk.protection.tiers import Tier, check_tiers
from acreage.units.errors import InputError

KNOTS_PER_SD = 24
NODES = 96
"""Gauss-Legendre nodes over at most 18 standard deviations."""
REACH_SDS = 9.0
"""Beyond this many standard deviations a normal law has less than 1e-18."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """V'_j from `begin` = y_j-1 on, and V_j at `begin`."""

    begin: float
    base_usd: float
    marginal: BSpline
    value: BSpline


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContinuousPlan:
    """Protection levels (n - 1,) and the value of any divisible stock up to `units_max` under them."""

    tiers: tuple[Tier, ...]
    levels: tuple[float, ...]
    units_max: float
    pieces: tuple[Piece, ...]

    def expected_usd(self, units: float, tiers_to_come: int | None = None) -> float:
        """Expected revenue from a stock when that many of the dearest tiers, or all, are still to come."""
        piece = self._piece(units, tiers_to_come)
        return piece.base_usd + float(piece.value(units))

    def marginal_usd(self, units: float, tiers_to_come: int | None = None) -> float:
        """What a little more stock is worth a unit, likewise."""
        return float(self._piece(units, tiers_to_come).marginal(units))

    def _piece(self, units: float, tiers_to_come: int | None) -> Piece:
        if not 0.0 <= units <= self.units_max:
            raise InputError(f"a stock of {units} units", fix=f"give 0 to {self.units_max}")
        count = len(self.pieces) if tiers_to_come is None else tiers_to_come
        assert 1 <= count <= len(self.pieces), count
        return _piece_at(self.pieces[:count], units)


def optimal_continuous(tiers: Sequence[Tier], units: float) -> ContinuousPlan:
    """The best nested policy of tiers with normal demand; its levels do not depend on the stock."""
    return _build(_normal(tiers), units, None)


def continuous_plan_of(tiers: Sequence[Tier], units: float, levels: Sequence[float]) -> ContinuousPlan:
    """What any nested policy earns when demand is normal: `levels` (n - 1,) not negative and never falling."""
    tiers = _normal(tiers)
    if len(levels) != len(tiers) - 1 or any(a > b for a, b in zip((0.0, *levels), levels, strict=False)):
        raise InputError(
            f"protection levels {tuple(levels)}", fix=f"give {len(tiers) - 1} numbers that do not fall, 0 or more"
        )
    return _build(tiers, units, tuple(float(level) for level in levels))


def _build(tiers: tuple[Tier, ...], units: float, levels: tuple[float, ...] | None) -> ContinuousPlan:
    laws = [_law(tier) for tier in tiers]
    top = max(units, math.fsum(max(law.mean, 0.0) + REACH_SDS * law.sd for law in laws), *(levels or (0.0,)))
    step = min(law.sd for law in laws) / KNOTS_PER_SD
    grid = _grid(0.0, top, step)
    pieces = [_piece(0.0, 0.0, grid, tiers[0].fare_usd * laws[0].survival(grid))]
    found: list[float] = []
    for tier, given in zip(tiers[1:], levels or (None,) * (len(tiers) - 1), strict=True):
        level = _level(pieces, tier.fare_usd, top) if given is None else given
        before = _piece_at(pieces, level)
        grid = _grid(level, top, step)
        marginal = _marginal(tier.fare_usd, _law(tier), pieces[-1], grid)
        pieces.append(_piece(level, before.base_usd + float(before.value(level)), grid, marginal))
        found.append(level)
    return ContinuousPlan(tiers=tiers, levels=tuple(found), units_max=top, pieces=tuple(pieces))


def _marginal(fare_usd: float, law: NormalLaw, below: Piece, grid: Array) -> Array:
    """V'_j on a grid from its level y on, from V'_j-1 there."""
    begin = grid[0]
    low = np.maximum(begin, grid - max(0.0, law.mean + REACH_SDS * law.sd))
    high = np.maximum(low, np.minimum(grid, grid - (law.mean - REACH_SDS * law.sd)))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = (high - low)[:, None] / 2.0
    at = low[:, None] + half * (nodes + 1.0)
    passed = (half * weights * law.density(grid[:, None] - at) * below.marginal(at)).sum(axis=1)
    no_demand = 1.0 - float(law.survival(0.0))
    return np.asarray(fare_usd * law.survival(grid - begin) + no_demand * below.marginal(grid) + passed)


def _level(pieces: Sequence[Piece], fare_usd: float, top: float) -> float:
    """Where the marginal value of what dearer tiers are kept falls to a fare."""
    last = pieces[-1]
    if float(last.marginal(last.begin)) <= fare_usd:
        return last.begin
    return float(brentq(lambda x: float(last.marginal(x)) - fare_usd, last.begin, top, xtol=1e-12))


def _piece(begin: float, base_usd: float, grid: Array, marginal: Array) -> Piece:
    spline = make_interp_spline(grid, marginal, k=5)
    return Piece(begin=begin, base_usd=base_usd, marginal=spline, value=spline.antiderivative())


def _piece_at(pieces: Sequence[Piece], units: float) -> Piece:
    return next(piece for piece in reversed(pieces) if piece.begin <= units)


def _grid(begin: float, end: float, step: float) -> Array:
    return np.linspace(begin, end, max(12, math.ceil((end - begin) / step) + 1))


def _law(tier: Tier) -> NormalLaw:
    assert isinstance(tier.law, NormalLaw)
    return tier.law


def _normal(tiers: Sequence[Tier]) -> tuple[Tier, ...]:
    if not all(isinstance(tier.law, NormalLaw) for tier in tiers):
        raise InputError("a tier's demand is not normal", fix="give NormalLaw, or plan in whole units")
    return check_tiers(tiers)
