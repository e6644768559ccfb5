"""What suppliers do in each future by themselves: deliver late, fail for a while, take back."""

import numpy as np

from acreage.demand.draws import Array
from acreage.demand.exposures import not_yet_made, recallable
from acreage.demand.laws import arrival_years, delay_days, hazard_passed
from acreage.demand.world import World
from acreage.domain.future import Outage
from acreage.domain.surprises import Factor
from acreage.units.instants import Instant


def delays_in(world: World) -> dict[tuple[str, int], Array]:
    """Whole days of delay (S,) of every delivery not yet made, by lease or offer and index."""
    found = {}
    weight = world.weight(Factor.DELAY)
    rest = np.sqrt((1.0 - weight) / 2.0)
    for delivery in not_yet_made(world.portfolio):
        due_years = max(world.years_until(delivery.due_at), 0.0)
        t = min(int(np.searchsorted(world.years, due_years)), len(world.years) - 1)
        common = world.factors[Factor.DELAY][:, t] / np.sqrt(world.years[t])
        site = world.draws.normal(f"deliveries:{delivery.provider}")[:, 0]
        own = world.draws.normal(f"delivery:{delivery.key}:{delivery.index}")[:, 0]
        latent = np.sqrt(weight) * common + rest * (site + own)
        found[delivery.key, delivery.index] = delay_days(delivery.law, latent)
    return found


def outages_in(world: World) -> list[list[Outage]]:
    """The outages of each future, provider by provider."""
    whole = range(world.draws.futures)
    found: dict[int, list[Outage]] = {s: [] for s in whole}
    for provider in world.portfolio.providers.values():
        if provider.outages_per_year <= 0.0:
            continue
        first = world.draws.whole().uniform(f"outage:{provider.id}")[:, 0]
        # One stream serves all futures in turn, so that a part of them has to pass by those before it.
        rng = world.draws.generator(f"outages after the first:{provider.id}")
        for s in whole:
            for years in arrival_years(first[s], provider.outages_per_year, world.end_years, rng):
                from_at = world.day_after(years)
                until_at = Instant(from_at + round(provider.outage_days * 86_400))
                lost_frac = provider.outage_lost_frac
                found[s].append(Outage(provider=provider.id, from_at=from_at, until_at=until_at, lost_frac=lost_frac))
    return [found[s] for s in world.draws.numbers]


def recalls_in(world: World) -> list[dict[str, Instant]]:
    """When the lessor gives notice in each future, by lease or offer; sooner where capacity is scarce."""
    found: list[dict[str, Instant]] = [{} for _ in world.draws.numbers]
    tension = world.tension(world.weight(Factor.SCARCITY))
    for lent in recallable(world.portfolio):
        from_years = max(world.years_until(lent.right.after.after(lent.starts_at)), 0.0)
        rank = world.draws.uniform(f"recall:{lent.key}")[:, 0]
        for s, recalls in enumerate(found):
            years = hazard_passed(world.edges, lent.right.recalls_per_year * tension[s], from_years, rank[s])
            if years is not None:
                recalls[lent.key] = world.day_after(years)
    return found
