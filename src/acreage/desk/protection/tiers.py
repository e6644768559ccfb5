"""Tiers of demand from the dearest to the cheapest, and the bounds that hold whatever the rule."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from acreage.desk.protection.discrete_laws import sum_of
from acreage.desk.protection.laws import Law
from acreage.units.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Demand `law`, in units, at `fare_usd` a unit (over whatever period the units are leased for)."""

    fare_usd: float
    law: Law

    def __post_init__(self) -> None:
        if not 0.0 < self.fare_usd < math.inf:
            raise InputError(f"a tier's fare is {self.fare_usd} USD", fix="give a positive amount")


def check_tiers(tiers: Sequence[Tier]) -> tuple[Tier, ...]:
    """The tiers as a tuple; raises `InputError` unless there is one and none is dearer than the one before it."""
    if not tiers:
        raise InputError("there are no tiers", fix="give at least one")
    for place, (above, below) in enumerate(pairwise(tiers), start=2):
        if below.fare_usd > above.fare_usd:
            what = f"tier {place} at {below.fare_usd} USD is dearer than the one before it at {above.fare_usd}"
            raise InputError(what, fix="order tiers from the dearest to the cheapest")
    return tuple(tiers)


def clairvoyant_usd(tiers: Sequence[Tier], units: float) -> float:
    """Expected revenue of who knows all demand beforehand: no policy earns more.

    With S_j the demand of the j dearest tiers, sum over j of (p_j - p_j+1) E min(S_j, units), p_n+1 = 0: the
    dearest are served first (Gallego and Topaloglu, Revenue Management and Pricing Analytics, 2019, section 1.5).
    """
    steps = _fare_steps(check_tiers(tiers))
    laws = [tier.law for tier in tiers]
    sold = [float(sum_of(laws[: j + 1]).expected_min(units)) for j in range(len(steps))]
    return float(np.dot(steps, sold))


def fluid_usd(tiers: Sequence[Tier], units: float) -> float:
    """Revenue if every demand were its mean: sum of (p_j - p_j+1) min(E S_j, units).

    Never below the clairvoyant's, by Jensen's inequality (same source).
    """
    steps = _fare_steps(check_tiers(tiers))
    means = np.cumsum([tier.law.mean for tier in tiers])
    return float(np.dot(steps, np.minimum(means, units)))


def _fare_steps(tiers: Sequence[Tier]) -> np.ndarray:
    return -np.diff([tier.fare_usd for tier in tiers], append=0.0)
