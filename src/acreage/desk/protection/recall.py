"""What the right to recall leased units is worth to the lessor (callable products).

A recallable lease gives the lessee the unit now and the lessor the right to take it back for a recall price when
dearer demand comes (G. Gallego, S. Kou and R. Phillips, Revenue management of callable products, Management Science
54, 2008). The notice cuts time in two: demand that comes before the cut, tiers from the cheapest to the dearest, can
be served by a recall; at the cut units may be recalled ahead of what may still come; from then on only free units
serve. With x free and k recallable units, recall price r, and L(x) the best value of x units after the cut:

    C(x, k) = max over i <= k of L(x + i) - i r
    U_d+1(x, k) = max(U_d(x, k), p + U_d(x - 1, k), p - r + U_d(x, k - 1)),    W_j(x, k) = E U_D(x, k)

with U_0 the W of the next tier, C after the last, D units of demand at fare p: refuse, use a free unit, or recall one.
Knowing D beforehand would not help, as marginal values fall with stock. For one tier, all before the cut,
W(x, k) - W(x, 0) = (p - r) E min((D - x)+, k).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acreage.desk.protection.discrete_laws import probabilities
from acreage.desk.protection.laws import Array, PoissonLaw
from acreage.desk.protection.nested import optimal_plan
from acreage.desk.protection.rules import littlewood
from acreage.desk.protection.tiers import Tier, check_tiers
from acreage.units.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """Demand still to come, dearest first: before the notice cut (`in_time` for a recall) and after it (`late`)."""

    in_time: tuple[Tier, ...]
    late: tuple[Tier, ...] = ()

    def __post_init__(self) -> None:
        for part in (self.in_time, self.late):
            if part:
                check_tiers(part)
        if not (self.in_time or self.late):
            raise InputError("there is no demand to come", fix="give at least one tier")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecallTable:
    """`value_usd` (free + 1, recallable + 1): what stock and recall rights earn from the demand to come."""

    recall_usd: float
    value_usd: Array

    def right_usd(self, free: int, recallable: int) -> float:
        """What the right to recall that many units is worth, all together, beside that many free ones."""
        return float(self.value_usd[free, recallable] - self.value_usd[free, 0])

    def fair_discount_usd(self, free: int, recallable: int) -> float:
        """The discount a unit at which the lessor is indifferent between recallable and firm leases of these units.

        Any smaller discount leaves the recallable lease better for the lessor, any larger one the firm lease.
        """
        if recallable < 1:
            raise InputError(f"{recallable} recallable units", fix="give at least 1")
        return self.right_usd(free, recallable) / recallable


def recall_table(coming: Coming, recall_usd: float, free: int, recallable: int) -> RecallTable:
    """The value of every stock up to `free` with up to `recallable` units leased out that can be taken back.

    `recall_usd` is all that a recall costs: the compensation and the rest of the rent. Demand is in whole units.
    """
    if recall_usd < 0.0 or free < 0 or recallable < 0:
        what = f"{free} free and {recallable} recallable units at a recall price of {recall_usd} USD"
        raise InputError(what, fix="give zero or more of each")
    value = _at_cut(coming.late, recall_usd, free, recallable)
    for tier in coming.in_time:
        value = _with_tier(tier, recall_usd, value)
    return RecallTable(recall_usd=recall_usd, value_usd=value)


def split_by_notice(tiers: Sequence[Tier], in_time_frac: Sequence[float]) -> Coming:
    """Poisson tiers split at the notice cut: each request comes in time with its tier's probability.

    The two streams of a split Poisson process are independent; other laws' are not, and are refused.
    """
    if not all(isinstance(tier.law, PoissonLaw) for tier in tiers):
        raise InputError("only Poisson demand splits into independent parts", fix="state both parts yourself")
    if len(in_time_frac) != len(tiers) or not all(0.0 <= share <= 1.0 for share in in_time_frac):
        raise InputError("shares of demand in time", fix="give a number from 0 to 1 for each tier")

    def part(shares: Sequence[float]) -> tuple[Tier, ...]:
        pairs = zip(tiers, shares, strict=True)
        return tuple(Tier(fare_usd=t.fare_usd, law=PoissonLaw(mean=t.law.mean * s)) for t, s in pairs)

    return Coming(in_time=part(in_time_frac), late=part([1.0 - share for share in in_time_frac]))


def recallable_protection(dear: Tier, cheap_usd: float, recall_usd: float) -> float:
    """The units to keep for a dear tier when every cheap unit can be recalled for it.

    A cheap unit that turns out to be needed costs the recall price, not the dear fare: Littlewood's rule with the
    recall price in the fare's place, P(D > y) <= cheap / recall; none if the recall costs no more than the cheap
    fare brings (Gallego, Kou and Phillips, 2008, with every low fare callable and in time).
    """
    if not 0.0 <= recall_usd <= dear.fare_usd:
        raise InputError(f"a recall price of {recall_usd} USD", fix=f"give one from 0 to the fare, {dear.fare_usd}")
    return littlewood(Tier(fare_usd=recall_usd, law=dear.law), cheap_usd) if recall_usd > cheap_usd else 0.0


def _at_cut(late: tuple[Tier, ...], recall_usd: float, free: int, recallable: int) -> Array:
    """C(x, k): recall ahead while the unit is worth more than its recall price to what comes late."""
    value = np.zeros((free + 1, recallable + 1))
    if late:
        alone = optimal_plan(late, free + recallable).value_usd[-1]
        ahead = np.arange(recallable + 1)
        net = alone[np.arange(free + 1)[:, None] + ahead] - recall_usd * ahead
        value = np.maximum.accumulate(net, axis=1)
    return value


def _with_tier(tier: Tier, recall_usd: float, after: Array) -> Array:
    """W_j from W_j-1; no more units can be served than there are."""
    most = after.shape[0] + after.shape[1] - 2
    mass = probabilities(tier.law, most + 1)
    served, value = after, mass[0] * after
    for demand in range(1, most + 1):
        best = served.copy()
        best[1:] = np.maximum(best[1:], tier.fare_usd + served[:-1])
        best[:, 1:] = np.maximum(best[:, 1:], tier.fare_usd - recall_usd + served[:, :-1])
        served = best
        value += mass[demand] * served
    return np.asarray(value + max(0.0, 1.0 - float(mass.sum())) * served)
