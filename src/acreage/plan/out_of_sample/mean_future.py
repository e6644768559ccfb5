"""The mean of a plan's futures as one future: what planning on averages plans on."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from acreage.domain.future import Future, Outage, Series
from acreage.domain.portfolio import Portfolio
from acreage.units.ids import PoolId, ProviderId
from acreage.units.instants import Instant

Key = TypeVar("Key")


def mean_future(futures: tuple[Future, ...], portfolio: Portfolio) -> Future:
    """Factors and delays at their means; capacity lost to outages at its mean, all the time.

    A lessor takes back what it takes back in at least half of the probability, on the mean of those days.
    `futures` have probabilities that sum to 1.
    """
    likely = [f for f in futures if f.probability > 0.0]
    periods = len(portfolio.periods)
    return Future(
        name="mean",
        probability=1.0,
        demand_factor=_series(likely, periods, lambda f: f.demand_factor),
        work_factor=_means(likely, lambda f: f.work_factor, 1.0),
        delay_days={key: round(days) for key, days in _means(likely, lambda f: f.delay_days, 0.0).items()},
        price_factor=_series(likely, periods, lambda f: f.price_factor),
        limit_factor=_series(likely, periods, lambda f: f.limit_factor),
        outages=_outages(likely, portfolio),
        recalled_at=_recalls(likely),
    )


def _series(futures: list[Future], periods: int, of: Callable[[Future], Mapping[Key, Series]]) -> dict[Key, Series]:
    keys = dict.fromkeys(key for future in futures for key in of(future))
    ones = np.ones(periods)
    return {key: np.asarray(sum(f.probability * of(f).get(key, ones) for f in futures)) for key in keys}


def _means(futures: list[Future], of: Callable[[Future], Mapping[Key, float]], neutral: float) -> dict[Key, float]:
    keys = dict.fromkeys(key for future in futures for key in of(future))
    return {key: float(sum(f.probability * of(f).get(key, neutral) for f in futures)) for key in keys}


def _outages(futures: list[Future], portfolio: Portfolio) -> tuple[Outage, ...]:
    """One outage a provider (or pool, where one alone was hit), over the whole horizon, of the mean loss."""
    from_at, until_at = portfolio.periods[0].from_at, portfolio.periods[-1].until_at
    lost: dict[tuple[ProviderId, PoolId | None], float] = {}
    for future in futures:
        for outage in future.outages:
            seconds = max(0, min(outage.until_at, until_at) - max(outage.from_at, from_at))
            part = future.probability * outage.lost_frac * seconds / (until_at - from_at)
            key = outage.provider, outage.pool
            lost[key] = lost.get(key, 0.0) + part
    return tuple(
        Outage(provider=provider, pool=pool, from_at=from_at, until_at=until_at, lost_frac=min(1.0, frac))
        for (provider, pool), frac in lost.items()
        if frac > 0.0
    )


def _recalls(futures: list[Future]) -> dict[str, Instant]:
    found = {}
    for key in dict.fromkeys(key for future in futures for key in future.recalled_at):
        taken = [(f.probability, f.recalled_at[key]) for f in futures if key in f.recalled_at]
        mass = sum(probability for probability, _ in taken)
        if mass >= 0.5:
            found[key] = Instant(round(sum(probability * at for probability, at in taken) / mass))
    return found
