"""Regimes: the whole market is in another state for a while, such as a shortage of chips or a glut.

A regime is a Markov chain of two states in continuous time: entered at `entries_per_year` (times what scarcity
makes of it, `World.tension`) while outside, left after an exponential stay. All begin outside. Entered at a constant
rate l and left at a rate m = 1 / mean stay, the chance of being inside t years on is l / (l + m) (1 - exp(-(l + m) t))
(Ross, Introduction to Probability Models, 12th edition, example 6.11). That a market switches between states
of different means is Hamilton's model (Econometrica 57, 1989).

With h the share of a period that lies inside, demand, price and limit factors of the period are multiplied by
1 + (f - 1) h, which is the mean of the factor over the period; regimes multiply each other. Means are no longer 1: a
regime is what the base does not hold. A delivery promised for a day inside comes later by the stated time, on top of
its own delay.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acreage.demand.arrivals import Arrivals, overlap, spells
from acreage.demand.draws import Array
from acreage.demand.exposures import not_yet_made
from acreage.demand.world import World
from acreage.domain.surprises import Regime
from acreage.units.ids import PoolId, WorkloadId
from acreage.units.instants import DAYS_PER_YEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Spells:
    """When a regime holds: in each future, stretches [from, until) in years from the planning day."""

    regime: Regime
    stretches: tuple[list[tuple[float, float]], ...]


def spells_of(world: World) -> tuple[Spells, ...]:
    """The stretches of every regime of the portfolio."""
    found = []
    for regime in world.portfolio.uncertainty.regimes:
        arrivals = Arrivals(world, f"regime:{regime.name}", regime.entries_per_year, regime.tightness_sd)
        stays = [spells(arrivals, s, regime.mean_days / DAYS_PER_YEAR) for s in range(len(world.draws.numbers))]
        found.append(Spells(regime=regime, stretches=tuple(stays)))
    return tuple(found)


def hold(
    world: World,
    every: tuple[Spells, ...],
    demand: Mapping[WorkloadId, Array],
    prices: Mapping[PoolId, Array],
    limits: Mapping[PoolId, Array],
    delays: Mapping[tuple[str, int], Array],
) -> None:
    """Change the factors (S, T) and days of delay (S,) by the regimes, in place."""
    for one in every:
        inside = np.array([overlap(stretches, world.edges) for stretches in one.stretches])
        inside = inside.reshape(len(one.stretches), len(world.years))
        regime = one.regime
        for paths, factor in (
            (demand, regime.demand_factor),
            (prices, regime.market_price_factor),
            (limits, regime.market_limit_factor),
        ):
            for path in paths.values():
                path *= 1.0 + (factor - 1.0) * inside
        if regime.late_days:
            _put_off(world, one, delays)


def _put_off(world: World, one: Spells, delays: Mapping[tuple[str, int], Array]) -> None:
    for delivery in not_yet_made(world.portfolio):
        due = world.years_until(delivery.due_at)
        hit = np.array([any(b <= due < e for b, e in stretches) for stretches in one.stretches], dtype=bool)
        delays[delivery.key, delivery.index][hit] += one.regime.late_days
