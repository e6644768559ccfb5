"""Futures from a later planning day on, knowing what has come about: levels seen, deliveries made, late or owed.

Demand and prices are exponential walks of mean 1 (see futures.py), martingales, so that what was seen last is the
conditional mean of what comes; limits are treated alike. A delivery that is late already follows its law of
delay given that it is longer than what has been waited.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr, ndtri

from acreage.demand.draws import Array, Draws
from acreage.demand.futures import sample_futures
from acreage.demand.laws import P90_Z, delay_days
from acreage.domain.backtest import Seen
from acreage.domain.future import Future, Series
from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import DelayModel
from acreage.units.ids import PoolId

SOURCE = "overdue/"
"""Source of the draws of what is owed, apart from those of the futures."""


def futures_knowing(portfolio: Portfolio, seen: Seen) -> tuple[Future, ...]:
    """The futures of a portfolio on a later planning day, the base first; what was seen holds in each of them."""
    futures = sample_futures(portfolio)
    owed = _owed(portfolio, seen, len(futures))
    return tuple(
        replace(
            future,
            delay_days={
                **future.delay_days,
                **seen.delay_days,
                **{key: int(days[s]) for key, days in owed.items()},
            },
            price_factor=_levelled(portfolio, future.price_factor, seen.price_level),
            limit_factor=_levelled(portfolio, future.limit_factor, seen.limit_level),
            outages=(*seen.outages, *future.outages),
            recalled_at={**future.recalled_at, **seen.recalled_at},
        )
        for s, future in enumerate(futures)
    )


def _levelled(
    portfolio: Portfolio, factors: Mapping[PoolId, Series], level: Mapping[PoolId, float]
) -> dict[PoolId, Series]:
    ones = np.ones(len(portfolio.periods))
    pools = dict.fromkeys((*factors, *level))
    return {pool: factors.get(pool, ones) * level.get(pool, 1.0) for pool in pools}


def _owed(portfolio: Portfolio, seen: Seen, futures: int) -> dict[tuple[str, int], Array]:
    """Days of delay (S,) of each delivery that is late and still owed; the base future has the median."""
    leases = {str(lease.id): lease for lease in portfolio.leases}
    draws = Draws(seed=portfolio.uncertainty.seed, futures=futures, source=SOURCE)
    found = {}
    for (key, index), waited in seen.waited_days.items():
        lease = leases[key]
        law = lease.deliveries[index].delay or portfolio.providers[lease.provider].delay
        ranks = draws.uniform(f"{key}:{index}")[:, 0]
        ranks[0] = 0.5
        found[key, index] = overdue_days(law, waited, ranks)
    return found


def overdue_days(law: DelayModel, waited_days: int, ranks: Array | Sequence[float]) -> Array:
    """Whole days of delay at ranks in (0, 1) of the law given that the delay is longer than `waited_days`.

    Where the law does not allow for so long a delay, one day more.
    """
    passed = _passed_frac(law, waited_days + 0.5)
    latent = ndtri(np.clip(passed + np.asarray(ranks) * (1.0 - passed), 1e-12, 1.0 - 1e-12))
    return np.maximum(delay_days(law, latent), waited_days + 1.0)


def _passed_frac(law: DelayModel, days: float) -> float:
    """Probability of a delay of at most so many days, as in `delay_days`."""
    if law.median_days <= 0.0:
        return 1.0
    spread = max(math.log(law.p90_days / law.median_days), 0.0) / P90_Z if law.p90_days > 0.0 else 0.0
    if spread == 0.0:
        return 1.0 if days >= law.median_days else law.on_time_frac
    later = float(ndtr(math.log(days / law.median_days) / spread))
    return law.on_time_frac + (1.0 - law.on_time_frac) * later
