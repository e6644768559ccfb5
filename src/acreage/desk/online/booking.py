"""Selling a stock without a forecast: booking limits that keep a known share of the clairvoyant's revenue.

M. Ball and M. Queyranne, Toward robust revenue management: competitive analysis of online booking, Operations
Research 57, 2009. Against any requests in any order, no deterministic or randomized policy is sure of more.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from acreage.units.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustLimits:
    """`ratio` of the clairvoyant's revenue is sure; `limits_frac` (n,) is how far into the stock each fare may go.

    A request at fare j is accepted while less than limits_frac[j] of the stock is taken, by whatever fares. The
    ratio is exact for a stock that can be divided finely.
    """

    ratio: float
    limits_frac: tuple[float, ...]

    @property
    def protections_frac(self) -> tuple[float, ...]:
        """The share of the stock kept for fares 1 .. j against cheaper ones, j = 1 .. n - 1."""
        return tuple(1.0 - limit for limit in self.limits_frac[1:])


def robust_limits(fares_usd: Sequence[float]) -> RobustLimits:
    """Limits for fares from the dearest to the cheapest, with c = 1 / (n - sum of f_j+1 / f_j) sure.

    The cheapest fare may take c of the stock, each dearer one c (1 - f_j+1 / f_j) more (with two fares
    of ratio r, c = 1 / (2 - r)): however many fares have come, c of what was missed is earned. Raises `InputError`.
    """
    falls = all(above >= below for above, below in pairwise(fares_usd))
    if not fares_usd or not falls or not all(0.0 < fare < math.inf for fare in fares_usd):
        raise InputError(f"fares {tuple(fares_usd)}", fix="give positive fares from the dearest to the cheapest")
    steps = [1.0 - below / above for above, below in pairwise(fares_usd)]
    ratio = 1.0 / (1.0 + math.fsum(steps))
    limits = [1.0 - ratio * math.fsum(steps[:j]) for j in range(len(fares_usd))]
    return RobustLimits(ratio=ratio, limits_frac=tuple(limits))


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustThreshold:
    """The same where prices may be any between two bounds: `ratio` = 1 / (1 + ln(high / low)) is sure."""

    low_usd: float
    high_usd: float

    def __post_init__(self) -> None:
        if not 0.0 < self.low_usd <= self.high_usd < math.inf:
            what = f"prices from {self.low_usd} to {self.high_usd} USD"
            raise InputError(what, fix="give positive bounds in order")

    @property
    def ratio(self) -> float:
        """The limit of `robust_limits` for ever finer fares between the bounds."""
        return 1.0 / (1.0 + math.log(self.high_usd / self.low_usd))

    def least_usd(self, taken_frac: float) -> float:
        """The lowest price accepted when that share of the stock is taken; infinite when all of it is.

        `low` up to the ratio c, then low exp(z / c - 1), which is `high` at z = 1.
        """
        if taken_frac >= 1.0:
            return math.inf
        return self.low_usd * math.exp(max(0.0, taken_frac / self.ratio - 1.0))
