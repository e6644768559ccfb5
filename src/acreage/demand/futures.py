"""The futures of a portfolio: the base, the sampled ones and the named stresses.

What makes futures worth planning over is that bad news comes together. What the whole market has in common are
four random walks of variance 1 a year: its demand, its prices, its scarcity and its delays. Where the portfolio
states no correlation they are one walk Z, the tightness of the market: it lifts demand, raises the prices by the hour,
thins what the market has to sell, makes deliveries later and recalls more frequent. The weight w of a factor
(`tightness_weight_frac`, or its own) is the share of every variance that it explains:

- demand factor of a workload: exp(sd (sqrt(w) Z + sqrt((1-w)/2) family + sqrt((1-w)/2) own) - drift),
  each a random walk; the drift makes its mean 1, the sd after a year is the stated one.
- market price factor of a pool: the same, with the chip in the place of the family.
- market limit factor: log-normal of mean 1, sd as stated from a year on; scarcity enters with a minus.
- delay: a Gaussian copula. sqrt(w) Z / sqrt(t) at the due date t, the provider and the
  tranche itself make up a standard normal draw, of which the delay is the quantile.
- recall: hazard recalls_per_year x exp(sqrt(w) Z / sqrt(max(t, 1)) - drift) from the right's first date.
- outages: a Poisson process a provider; work of a run: log-normal of mean 1.

On these act the regimes of the market (regimes.py), then the events at suppliers (events.py).
"""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from acreage.demand.deliveries import delays_in, outages_in, recalls_in
from acreage.demand.draws import Array, Draws
from acreage.demand.events import Strikes, strike
from acreage.demand.laws import log_sd, mean_one
from acreage.demand.regimes import hold, spells_of
from acreage.demand.stresses import stress_future
from acreage.demand.world import World, probabilities, world_of
from acreage.domain.future import Future, Series
from acreage.domain.portfolio import Portfolio
from acreage.domain.surprises import Factor
from acreage.domain.workload import ServingFleet, TrainingRun
from acreage.units.ids import PoolId, WorkloadId

BASE = "base"

Key = TypeVar("Key")


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


def sampled_part(portfolio: Portfolio, numbers: range) -> tuple[Future, ...]:
    """Those of `sample_futures` that were sampled and have these numbers, from 0 in steps of 1: the same, bit for bit.

    So that each of many processes can draw its own share. Raises `ValueError` for numbers that no sampled future has.
    """
    futures = portfolio.uncertainty.futures
    if numbers.step != 1 or numbers.start < 0 or numbers.stop > futures:
        raise ValueError(f"{numbers} is no part of {futures} futures")
    return _sampled(portfolio, Draws(seed=portfolio.uncertainty.seed, futures=futures, part=numbers))


def _left(portfolio: Portfolio) -> float:
    """The probability that the stresses leave to the sampled futures."""
    return 1.0 - sum(stress.probability_frac for stress in portfolio.stresses)


def _drawn(portfolio: Portfolio, draws: Draws) -> tuple[Future, ...]:
    sampled = _sampled(portfolio, draws) if draws.futures else ()
    base = base_future(0.0 if draws.futures else _left(portfolio))
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


def _sampled(portfolio: Portfolio, draws: Draws) -> tuple[Future, ...]:
    world = world_of(portfolio, draws)
    spells = spells_of(world)
    demand, prices, limits = _demand(world), _prices(world), _limits(world)
    delays, work = delays_in(world), _work(world)
    hold(world, spells, demand, prices, limits, delays)
    outages, recalls = outages_in(world), recalls_in(world)
    strike(world, Strikes(delays=delays, outages=outages, recalls=recalls))
    probability = probabilities(portfolio, draws, _left(portfolio))
    return tuple(
        Future(
            name=f"future-{number + 1:02d}",
            probability=float(probability[s]),
            demand_factor=_row(demand, s),
            work_factor={run: float(factor[s]) for run, factor in work.items()},
            delay_days={key: int(days[s]) for key, days in delays.items()},
            price_factor=_row(prices, s),
            limit_factor=_row(limits, s),
            outages=tuple(outages[s]),
            recalled_at=recalls[s],
        )
        for s, number in enumerate(draws.numbers)
    )


def _row(paths: Mapping[Key, Array], future: int) -> dict[Key, Series]:
    return {key: path[future] for key, path in paths.items()}


def _mixed_walk(world: World, factor: Factor, group: str, own: str) -> Array:
    """Unit-variance walk (S, T) of one thing: its common factor, its group (may be empty) and its own."""
    weight = world.weight(factor)
    rest = 1.0 - weight
    walk = np.sqrt(weight) * world.factors[factor]
    if not group:
        return np.asarray(walk + np.sqrt(rest) * world.draws.walk(own, world.years))
    both = world.draws.walk(group, world.years) + world.draws.walk(own, world.years)
    return np.asarray(walk + np.sqrt(rest / 2.0) * both)


def _demand(world: World) -> dict[WorkloadId, Array]:
    found = {}
    for workload in world.portfolio.workloads:
        if isinstance(workload, TrainingRun):
            continue
        if isinstance(workload, ServingFleet):
            sd = log_sd(workload.demand_sd_frac_per_year)
            family = workload.family
        else:
            sd, family = log_sd(world.portfolio.uncertainty.demand_sd_frac_per_year), ""
        group = f"family:{family}" if family else ""
        walk = _mixed_walk(world, Factor.DEMAND, group, f"demand:{workload.id}")
        found[workload.id] = mean_one(sd * walk, sd * sd * world.years)
    return found


def _work(world: World) -> dict[WorkloadId, Array]:
    found = {}
    for run in world.portfolio.workloads:
        if isinstance(run, TrainingRun):
            sd = log_sd(run.work_sd_frac)
            found[run.id] = mean_one(sd * world.draws.normal(f"work:{run.id}")[:, 0], np.array(sd * sd))
    return found


def _prices(world: World) -> dict[PoolId, Array]:
    sd = log_sd(world.portfolio.uncertainty.price_sd_frac_per_year)
    return {
        pool.id: mean_one(
            sd * _mixed_walk(world, Factor.PRICE, f"chip:{pool.accelerator}", f"price:{pool.id}"),
            sd * sd * world.years,
        )
        for pool in world.portfolio.pools.values()
    }


def _limits(world: World) -> dict[PoolId, Array]:
    sd = log_sd(world.portfolio.uncertainty.market_limit_sd_frac)
    weight = world.weight(Factor.SCARCITY)
    common = np.sqrt(weight) * world.factors[Factor.SCARCITY] / np.sqrt(np.maximum(world.years, 1.0))
    grown = np.minimum(world.years, 1.0)
    found = {}
    for pool in world.portfolio.pools:
        own = np.sqrt((1.0 - weight) * grown) * world.draws.normal(f"limit:{pool}")
        found[pool] = mean_one(-sd * (common + own), sd * sd * grown)
    return found
