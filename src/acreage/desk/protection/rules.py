"""The classical rules of protection: Littlewood's, EMSR-a and EMSR-b.

A protection level y_j is how many units are kept for tiers 1 .. j, the dearer ones, against all cheaper ones.
Levels are returned for j = 1 .. n - 1, never negative and never decreasing: what is kept for dearer tiers is
part of what is kept for them and the next. They do not depend on the stock.
"""

import math
from collections.abc import Sequence

import numpy as np

from acreage.desk.protection.discrete_laws import sum_of
from acreage.desk.protection.tiers import Tier, check_tiers
from acreage.units.errors import InputError


def littlewood(dear: Tier, cheap_usd: float) -> float:
    """The units to keep for one dear tier against cheaper demand that comes first.

    The smallest y with P(D > y) <= cheap / dear (K. Littlewood, Forecasting and control of passenger bookings,
    AGIFORS Symposium Proceedings 12, 1972). Whole for discrete demand.
    """
    if not 0.0 < cheap_usd <= dear.fare_usd:
        raise InputError(f"the cheaper fare is {cheap_usd} USD", fix=f"give one above 0 and up to {dear.fare_usd}")
    return dear.law.inverse_survival(cheap_usd / dear.fare_usd)


def emsr_a(tiers: Sequence[Tier]) -> tuple[float, ...]:
    """Expected marginal seat revenue, version a: Littlewood's levels of each dearer tier, added up.

    y_j = sum over k <= j of the x_k with P(D_k > x_k) = p_j+1 / p_k (P. Belobaba, Operations Research 37, 1989;
    Talluri and van Ryzin, The Theory and Practice of Revenue Management, 2004, section 2.2.4.1).
    """
    tiers = check_tiers(tiers)
    levels = [math.fsum(littlewood(dear, tiers[j].fare_usd) for dear in tiers[:j]) for j in range(1, len(tiers))]
    return _nested(levels)


def emsr_b(tiers: Sequence[Tier]) -> tuple[float, ...]:
    """Expected marginal seat revenue, version b: Littlewood's rule against the dearer tiers taken as one.

    y_j: P(S_j > y_j) = p_j+1 / p, with S_j = D_1 + .. + D_j and p the mean fare of the j tiers weighted by mean
    demand (P. Belobaba and L. Weatherford, Decision Sciences 27, 1996; Talluri and van Ryzin 2004, section 2.2.4.2).
    """
    tiers = check_tiers(tiers)
    levels = []
    for j in range(1, len(tiers)):
        above = tiers[:j]
        demand = math.fsum(tier.law.mean for tier in above)
        if demand <= 0.0:
            levels.append(0.0)
            continue
        fare = math.fsum(tier.fare_usd * tier.law.mean for tier in above) / demand
        pooled = Tier(fare_usd=max(fare, tiers[j].fare_usd), law=sum_of([tier.law for tier in above]))
        levels.append(littlewood(pooled, tiers[j].fare_usd))
    return _nested(levels)


def whole_levels(levels: Sequence[float]) -> tuple[int, ...]:
    """Levels in whole units, each rounded to the nearest, half up."""
    return tuple(math.floor(level + 0.5) for level in levels)


def booking_limits(units: int, levels: Sequence[float]) -> tuple[int, ...]:
    """How many of `units` each tier, with all cheaper ones, may take: all for the first, the rest after protection."""
    if units < 0:
        raise InputError(f"a stock of {units} units", fix="give zero or more")
    return (units, *(max(0, units - level) for level in whole_levels(levels)))


def _nested(levels: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(level) for level in np.maximum.accumulate(np.maximum(levels, 0.0)))
