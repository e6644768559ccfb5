"""What the desk's own offers teach: how take-up falls with price in a tier and pool, and the price that earns most.

Only requests that asked for the price teach anything: who names a bid and is accepted at it has chosen the
price itself. Size, term and lead time stand beside the price, as whoever wants much, for long or at once may both
be asked more and be less free to refuse.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acreage.desk.prices.answers import Answers, Unidentified, Unknown, answers
from acreage.desk.prices.take_up import Interval, TakeUp, learn_best_price, learn_take_up
from acreage.domain.desk import Tier
from acreage.units.ids import PoolId

COVARIATES = ("doublings of accelerators", "doublings of days", "doublings of lead days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A price that was asked for and named, and whether it was taken; `displaced_usd` an accelerator-hour."""

    price_usd: float
    taken: bool
    accelerators: int
    days: float
    lead_days: float
    displaced_usd: float

    def covariates(self) -> tuple[float, ...]:
        """By `COVARIATES`; the lead time counts from half a day on."""
        return math.log2(self.accelerators), math.log2(self.days), math.log2(self.lead_days + 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What the offers of one tier in one pool teach, for a request like their mean.

    `curve` and `best` are findings where answers say nothing. `middle_usd`: half of all take it, None without a
    falling curve. `best` is the price that earns most over `displaced_usd`, the mean over the offered hours;
    `beside` names the covariates that were fitted, those that vary.
    """

    tier: Tier
    pool: PoolId
    offers: int
    taken: int
    displaced_usd: float
    beside: tuple[str, ...]
    curve: TakeUp | Unidentified
    middle_usd: float | None
    best: Interval | Unidentified


def learnt(tier: Tier, pool: PoolId, offered: Sequence[Offered], confidence_frac: float) -> Learnt:
    """Learn from offers; raises `InputError` for a confidence that is none."""
    seen, typical = _seen(offered)
    hours = np.array([one.accelerators * one.days for one in offered])
    displaced = float(hours @ [one.displaced_usd for one in offered] / hours.sum()) if offered else 0.0
    nothing = Unidentified(reason=Unknown.TOO_FEW, what="nobody has asked for the price")
    curve: TakeUp | Unidentified = nothing
    best: Interval | Unidentified = nothing
    if offered:
        curve = learn_take_up(seen, confidence_frac)
        best = learn_best_price(seen, displaced, typical, confidence_frac)
    falls = isinstance(curve, TakeUp) and curve.slope_per_usd.found > 0.0
    return Learnt(
        tier=tier,
        pool=pool,
        offers=len(offered),
        taken=sum(one.taken for one in offered),
        displaced_usd=displaced,
        beside=seen.names,
        curve=curve,
        middle_usd=curve.response(typical).middle_usd if falls and isinstance(curve, TakeUp) else None,
        best=best,
    )


def _seen(offered: Sequence[Offered]) -> tuple[Answers, tuple[float, ...]]:
    """Offers with the covariates that vary at all, and their means."""
    columns = np.array([one.covariates() for one in offered]).reshape(len(offered), len(COVARIATES))
    varies = [i for i in range(len(COVARIATES)) if len(offered) and np.ptp(columns[:, i]) > 1e-9]
    kept = columns[:, varies]
    seen = answers(
        [one.price_usd for one in offered],
        [one.taken for one in offered],
        kept.tolist(),
        tuple(COVARIATES[i] for i in varies),
    )
    return seen, tuple(kept.mean(axis=0).tolist()) if varies else ()
