"""The futures of a portfolio: the base, the sampled ones and the named stresses.

What makes futures worth planning over is that bad news comes together. One common factor, the
tightness of the market, is a random walk Z of variance 1 a year. It lifts demand, raises
the prices by the hour, thins what the market has to sell, makes deliveries later and
recalls more frequent. `tightness_weight_frac` w is the share of every variance that it explains:

- demand factor of a workload: exp(sd (sqrt(w) Z + sqrt((1-w)/2) family + sqrt((1-w)/2) own) - drift),
  each a random walk; the drift makes its mean 1, the sd after a year is the stated one.
- market price factor of a pool: the same, with the chip in the place of the family.
- market limit factor: log-normal of mean 1, sd as stated from a year on; Z enters with a minus.
- delay: a Gaussian copula. sqrt(w) Z / sqrt(t) at the due date t, the provider and the
  tranche itself make up a standard normal draw, of which the delay is the quantile.
- recall: hazard recalls_per_year x exp(sqrt(w) Z / sqrt(max(t, 1)) - drift) from the right's first date.
- outages: a Poisson process a provider; work of a run: log-normal of mean 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from acreage.demand.draws import Array, Draws
from acreage.demand.exposures import not_yet_made, recallable
from acreage.demand.laws import arrival_years, delay_days, hazard_passed, log_sd, mean_one
from acreage.demand.levels import SECONDS_PER_YEAR
from acreage.demand.stresses import stress_future
from acreage.domain.future import Future, Outage, Series
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import ServingFleet, TrainingRun
from acreage.units.ids import PoolId, WorkloadId
from acreage.units.instants import Instant, add_days

BASE = "base"

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What all draws share: `years` (T,) until each period's middle, the tightness paths Z (S, T)."""

    portfolio: Portfolio
    draws: Draws
    years: Array
    tightness: Array

    @property
    def weight(self) -> float:
        return self.portfolio.uncertainty.tightness_weight_frac

    @property
    def end_years(self) -> float:
        return (self.portfolio.periods[-1].until_at - self.portfolio.as_of_at) / SECONDS_PER_YEAR


def sample_futures(portfolio: Portfolio) -> tuple[Future, ...]:
    """The base future (probability 0), the sampled ones ("future-01" ...) and the stresses by name.

    Sampled futures share the probability that the stresses leave; where none is sampled
    the base future takes it.
    """
    return _drawn(portfolio, Draws(seed=portfolio.uncertainty.seed, futures=portfolio.uncertainty.futures))


def fresh_futures(portfolio: Portfolio, *, futures: int, seed: int, source: str) -> tuple[Future, ...]:
    """Futures that no plan was made on: the base, `futures` independent draws and the stresses.

    They follow the same law as those of `sample_futures` but share no draw with them, whatever the
    seeds, as `source` (not empty) is another one. Independent draws are what intervals are made for.
    """
    assert source, "an empty source is the one that plans are made on"
    return _drawn(portfolio, Draws(seed=seed, futures=futures, source=source, stratified=False))


def sample_again(portfolio: Portfolio, *, seed: int, source: str) -> tuple[Future, ...]:
    """The sample that `sample_futures` could as well have drawn: as many futures, stratified, of another source."""
    assert source, "an empty source is the one that plans are made on"
    return _drawn(portfolio, Draws(seed=seed, futures=portfolio.uncertainty.futures, source=source))


def _drawn(portfolio: Portfolio, draws: Draws) -> tuple[Future, ...]:
    left = 1.0 - sum(stress.probability_frac for stress in portfolio.stresses)
    sampled = _sampled(portfolio, draws, left / draws.futures) if draws.futures else ()
    base = base_future(0.0 if draws.futures else left)
    return (base, *sampled, *(stress_future(portfolio, stress) for stress in portfolio.stresses))


def base_future(probability: float = 0.0) -> Future:
    """The future without a surprise."""
    return Future(
        name=BASE,
        probability=probability,
        demand_factor={},
        work_factor={},
        delay_days={},
        price_factor={},
        limit_factor={},
        outages=(),
        recalled_at={},
    )


def _sampled(portfolio: Portfolio, draws: Draws, probability: float) -> tuple[Future, ...]:
    middles = np.array([(p.from_at + p.until_at) / 2 for p in portfolio.periods])
    years = np.maximum((middles - portfolio.as_of_at) / SECONDS_PER_YEAR, 1e-9)
    world = _World(portfolio=portfolio, draws=draws, years=years, tightness=draws.walk("tightness", years))
    demand, work, prices, limits = _demand(world), _work(world), _prices(world), _limits(world)
    delays, outages, recalls = _delays(world), _outages(world), _recalls(world)
    return tuple(
        Future(
            name=f"future-{s + 1:02d}",
            probability=probability,
            demand_factor=_row(demand, s),
            work_factor={run: float(factor[s]) for run, factor in work.items()},
            delay_days={key: int(days[s]) for key, days in delays.items()},
            price_factor=_row(prices, s),
            limit_factor=_row(limits, s),
            outages=tuple(outages[s]),
            recalled_at=recalls[s],
        )
        for s in range(draws.futures)
    )


def _row(paths: Mapping[Key, Array], future: int) -> dict[Key, Series]:
    return {key: path[future] for key, path in paths.items()}


def _mixed_walk(world: _World, group: str, own: str) -> Array:
    """Unit-variance walk (S, T) of one thing: tightness, its group (may be empty) and its own."""
    rest = 1.0 - world.weight
    walk = np.sqrt(world.weight) * world.tightness
    if not group:
        return np.asarray(walk + np.sqrt(rest) * world.draws.walk(own, world.years))
    both = world.draws.walk(group, world.years) + world.draws.walk(own, world.years)
    return np.asarray(walk + np.sqrt(rest / 2.0) * both)


def _demand(world: _World) -> dict[WorkloadId, Array]:
    found = {}
    for workload in world.portfolio.workloads:
        if isinstance(workload, TrainingRun):
            continue
        if isinstance(workload, ServingFleet):
            sd = log_sd(workload.demand_sd_frac_per_year)
            family = workload.family
        else:
            sd, family = log_sd(world.portfolio.uncertainty.demand_sd_frac_per_year), ""
        walk = _mixed_walk(world, f"family:{family}" if family else "", f"demand:{workload.id}")
        found[workload.id] = mean_one(sd * walk, sd * sd * world.years)
    return found


def _work(world: _World) -> dict[WorkloadId, Array]:
    found = {}
    for run in world.portfolio.workloads:
        if isinstance(run, TrainingRun):
            sd = log_sd(run.work_sd_frac)
            found[run.id] = mean_one(sd * world.draws.normal(f"work:{run.id}")[:, 0], np.array(sd * sd))
    return found


def _prices(world: _World) -> dict[PoolId, Array]:
    sd = log_sd(world.portfolio.uncertainty.price_sd_frac_per_year)
    return {
        pool.id: mean_one(
            sd * _mixed_walk(world, f"chip:{pool.accelerator}", f"price:{pool.id}"), sd * sd * world.years
        )
        for pool in world.portfolio.pools.values()
    }


def _limits(world: _World) -> dict[PoolId, Array]:
    sd = log_sd(world.portfolio.uncertainty.market_limit_sd_frac)
    common = np.sqrt(world.weight) * world.tightness / np.sqrt(np.maximum(world.years, 1.0))
    grown = np.minimum(world.years, 1.0)
    found = {}
    for pool in world.portfolio.pools:
        own = np.sqrt((1.0 - world.weight) * grown) * world.draws.normal(f"limit:{pool}")
        found[pool] = mean_one(-sd * (common + own), sd * sd * grown)
    return found


def _delays(world: _World) -> dict[tuple[str, int], Array]:
    found = {}
    rest = np.sqrt((1.0 - world.weight) / 2.0)
    for key, provider, index, model, due_at in not_yet_made(world.portfolio):
        due_years = max((due_at - world.portfolio.as_of_at) / SECONDS_PER_YEAR, 0.0)
        t = min(int(np.searchsorted(world.years, due_years)), len(world.years) - 1)
        common = world.tightness[:, t] / np.sqrt(world.years[t])
        site = world.draws.normal(f"deliveries:{provider}")[:, 0]
        own = world.draws.normal(f"delivery:{key}:{index}")[:, 0]
        found[key, index] = delay_days(model, np.sqrt(world.weight) * common + rest * (site + own))
    return found


def _outages(world: _World) -> list[list[Outage]]:
    found: list[list[Outage]] = [[] for _ in range(world.draws.futures)]
    for provider in world.portfolio.providers.values():
        first = world.draws.uniform(f"outage:{provider.id}")[:, 0]
        rng = world.draws.generator(f"outages after the first:{provider.id}")
        for s in range(world.draws.futures):
            for years in arrival_years(first[s], provider.outages_per_year, world.end_years, rng):
                from_at = add_days(world.portfolio.as_of_at, int(years * SECONDS_PER_YEAR // 86_400))
                until_at = Instant(from_at + round(provider.outage_days * 86_400))
                found[s].append(
                    Outage(
                        provider=provider.id,
                        from_at=from_at,
                        until_at=until_at,
                        lost_frac=provider.outage_lost_frac,
                    )
                )
    return found


def _recalls(world: _World) -> list[dict[str, Instant]]:
    portfolio = world.portfolio
    found: list[dict[str, Instant]] = [{} for _ in range(world.draws.futures)]
    edges = np.array([portfolio.periods[0].from_at, *(p.until_at for p in portfolio.periods)], dtype=float)
    edges = (edges - portfolio.as_of_at) / SECONDS_PER_YEAR
    shifted = np.sqrt(world.weight) * world.tightness / np.sqrt(np.maximum(world.years, 1.0))
    tension = mean_one(shifted, world.weight * np.minimum(world.years, 1.0))
    for key, right, starts_at in recallable(portfolio):
        from_years = (right.after.after(starts_at) - portfolio.as_of_at) / SECONDS_PER_YEAR
        rank = world.draws.uniform(f"recall:{key}")[:, 0]
        for s in range(world.draws.futures):
            years = hazard_passed(edges, right.recalls_per_year * tension[s], max(from_years, 0.0), rank[s])
            if years is not None:
                found[s][key] = add_days(portfolio.as_of_at, int(years * SECONDS_PER_YEAR // 86_400))
    return found
