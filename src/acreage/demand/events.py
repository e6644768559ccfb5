"""Events at suppliers: a site fails, a chip comes late, a lessor takes back, an owner of several lessors defaults.

An event of probability p within a year comes at the rate -ln(1 - p) a year, times what scarcity makes of it
(`World.tension`, of mean 1). What it does, it does in all its pools on the same day:

- capacity lost over a stretch: an outage of the provider, or of the pools hit where others of the provider stand;
- deliveries promised for a later day are late by the stated time, or by their own delay if that is more (a
  delivery waits for the last thing it lacks), or never come;
- what the lessor may take back, he takes back at the event, or earlier if he did so anyway.

One default that hits all lessors of a group at once is what planning supplier by supplier does not see: defaults that
share a cause are not independent (Vasicek, Loan portfolio value, Risk, December 2002, for one common factor).
"""

from dataclasses import dataclass

import numpy as np

from acreage.demand.arrivals import Arrivals, yearly_rate
from acreage.demand.draws import Array
from acreage.demand.exposures import Exposure, Recallable, not_yet_made, recallable
from acreage.demand.world import World
from acreage.domain.future import Outage
from acreage.domain.portfolio import Portfolio
from acreage.domain.surprises import EventKind, SupplierEvent
from acreage.units.instants import SECONDS_PER_DAY, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Strikes:
    """What events act on: days of delay (S,) by delivery, outages and recalls of each future."""

    delays: dict[tuple[str, int], Array]
    outages: list[list[Outage]]
    recalls: list[dict[str, Instant]]


def strike(world: World, on: Strikes) -> None:
    """Let the events of the portfolio happen, in place."""
    for event in world.portfolio.uncertainty.events:
        rate = yearly_rate(event.probability_frac_per_year)
        arrivals = Arrivals(world, f"event:{event.name}", rate, event.tightness_sd)
        deliveries = [one for one in not_yet_made(world.portfolio) if one.pool in event.pools]
        lent = [one for one in recallable(world.portfolio) if one.pool in event.pools]
        for s in range(len(world.draws.numbers)):
            for years in arrivals.times(s, again=event.kind is EventKind.SITE_FAILURE):
                at = world.day_after(years)
                if event.lost_days:
                    on.outages[s].extend(_outages(world.portfolio, event, at))
                if event.late_days != 0:
                    _put_off(event, at, s, deliveries, on.delays)
                if event.kind is EventKind.RECALL:
                    _take_back(at, lent, on.recalls[s])


def _outages(portfolio: Portfolio, event: SupplierEvent, from_at: Instant) -> list[Outage]:
    """One outage for each provider all of whose pools are hit, else one a pool."""
    until_at = Instant(from_at + event.lost_days * SECONDS_PER_DAY)
    found: dict[object, Outage] = {}
    for pool_id in event.pools:
        provider = portfolio.pools[pool_id].provider
        whole = all(pool.id in event.pools for pool in portfolio.pools.values() if pool.provider == provider)
        found[provider if whole else pool_id] = Outage(
            provider=provider,
            pool=None if whole else pool_id,
            from_at=from_at,
            until_at=until_at,
            lost_frac=event.lost_frac,
        )
    return list(found.values())


def _put_off(
    event: SupplierEvent, at: Instant, future: int, deliveries: list[Exposure], delays: dict[tuple[str, int], Array]
) -> None:
    for delivery in deliveries:
        if delivery.due_at > at:
            late = delivery.never_days if event.late_days is None else event.late_days
            days = delays[delivery.key, delivery.index]
            days[future] = np.maximum(days[future], late)


def _take_back(at: Instant, lent: list[Recallable], recalls: dict[str, Instant]) -> None:
    for one in lent:
        recalls[one.key] = min(recalls.get(one.key, at), at)
