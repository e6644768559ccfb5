"""Made-up years for one pool: requests with bursts, and the anchor's need, drawn from the laws the desk plans with.

Every draw comes from a seed, a pool and a replication alone, so that all policies meet the same year.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from acreage.desk.anchor import AnchorLaw
from acreage.desk.horizon import Counts, Numbers
from acreage.desk.wanted import sigma
from acreage.domain.desk import Bursts, Spread, TierDemand, TierTerms
from acreage.units.instants import DAYS_PER_YEAR
from acreage.units.money import usd


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Requests in the order they come, all arrays of one length.

    `day` on which it is made, `tier` its place among the pool's tiers, `accelerators`, days from `first` to before
    `end`, `bid_usd` an accelerator-hour. Bids below the floor of their tier are left out: no policy takes them.
    """

    day: Counts
    tier: Counts
    firm: NDArray[np.bool_]
    accelerators: Counts
    first: Counts
    end: Counts
    bid_usd: Numbers


@dataclass(frozen=True, slots=True)
class MadeYear:
    """One replication in one pool: what is asked, and what the anchor needs on each day."""

    arrivals: Arrivals
    need: Numbers


def made_year(
    tiers: tuple[tuple[TierTerms, TierDemand], ...],
    bursts: Bursts | None,
    law: AnchorLaw,
    persistence_days: float,
    arrival_days: int,
    reach_days: int,
    seed: np.random.SeedSequence,
) -> MadeYear:
    """Requests made in `arrival_days` days, none that ends more than `reach_days` later, and the needs of all days."""
    requests, anchor = (np.random.default_rng(child) for child in seed.spawn(2))
    return MadeYear(_arrivals(requests, tiers, bursts, arrival_days, reach_days), _needs(anchor, law, persistence_days))


def _needs(rng: np.random.Generator, law: AnchorLaw, persistence_days: float) -> Numbers:
    """A path of needs: the forecast's deviation as a stationary AR(1) with this memory, options called once for all.

    Each day's law is that of `law`, whatever the memory.
    """
    keep = math.exp(-1.0 / persistence_days)
    shocks = rng.standard_normal(len(law.mean)) * math.sqrt(1.0 - keep * keep)
    shocks[0] = rng.standard_normal()
    latent = lfilter([1.0], [1.0, -keep], shocks)
    called = law.offsets[rng.choice(len(law.weights), p=law.weights)]
    return law.drawn(np.asarray(latent), called)


def _arrivals(
    rng: np.random.Generator,
    tiers: tuple[tuple[TierTerms, TierDemand], ...],
    bursts: Bursts | None,
    arrival_days: int,
    reach_days: int,
) -> Arrivals:
    rate = _burst_rate(rng, bursts, arrival_days)
    parts = [_of_tier(rng, i, terms, demand, rate) for i, (terms, demand) in enumerate(tiers)]
    columns = [np.concatenate([part[i] for part in parts]) for i in range(7)]
    order = rng.permutation(len(columns[0]))
    order = order[np.argsort(columns[0][order], kind="stable")]
    day, tier, firm, accelerators, first, end, bid = (column[order] for column in columns)
    within = end - day <= reach_days
    return Arrivals(
        day[within], tier[within], firm[within], accelerators[within], first[within], end[within], bid[within]
    )


def _burst_rate(rng: np.random.Generator, bursts: Bursts | None, days: int) -> Numbers:
    """How many times the plain rate requests come on each day."""
    rate = np.ones(days)
    if bursts is None:
        return rate
    span = days + bursts.days
    for start in rng.uniform(-bursts.days, days, rng.poisson(bursts.per_year / DAYS_PER_YEAR * span)):
        at = np.arange(days)
        covered = np.minimum(at + 1.0, start + bursts.days) - np.maximum(at, start)
        rate += (bursts.factor - 1.0) * np.clip(covered, 0.0, 1.0)
    return rate


def _of_tier(
    rng: np.random.Generator, place: int, terms: TierTerms, demand: TierDemand, rate: Numbers
) -> tuple[NDArray[np.generic], ...]:
    day = np.repeat(np.arange(len(rate)), rng.poisson(demand.requests_per_day * rate))
    count = len(day)
    size = np.maximum(np.rint(_drawn(rng, demand.accelerators, count)), 1.0).astype(np.int64)
    first = day + 1 + np.floor(_drawn(rng, demand.lead_days, count)).astype(np.int64)
    length = np.maximum(np.ceil(_drawn(rng, demand.days, count)), 1.0).astype(np.int64)
    bid = _drawn(rng, demand.bid_usd_per_accelerator_hour, count)
    kept = bid >= usd(terms.floor_micro_usd)
    columns = (day, np.full(count, place), np.full(count, terms.firm), size, first, first + length, bid)
    return tuple(column[kept] for column in columns)


def _drawn(rng: np.random.Generator, spread: Spread, count: int) -> Numbers:
    return np.asarray(spread.median * np.exp(sigma(spread) * rng.standard_normal(count)))
