"""Second-stage columns and rows: who runs where in each future; one `define_…` function a family."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from acreage.domain.future import Future
from acreage.domain.portfolio import Portfolio
from acreage.domain.price import PriceKind
from acreage.domain.provider import MarketAccess, Pool
from acreage.domain.terms import SpendKind
from acreage.domain.workload import (
    Capability,
    PortState,
    ResearchShare,
    ServingFleet,
    Workload,
)
from acreage.plan.formulate.blocks import Blocks
from acreage.plan.formulate.capacity import Clock, outages_of
from acreage.plan.formulate.fates import FateBook, Fates
from acreage.plan.formulate.first_stage import Choices, eligible_pools
from acreage.plan.formulate.layout import RecourseBuilder, Use, UseKind
from acreage.plan.problem import ACCELERATORS_PER_UNIT, USD_PER_UNIT, Vector
from acreage.plan.tables import Index
from acreage.pricing.present_value import discount_factor
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.ids import PoolId, WorkloadId
from acreage.units.instants import add_days
from acreage.units.money import usd

HARD_FUTURE = "must"
"""Name of the added future in which only broken promises cost anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What every family of the second stage needs to know.

    `hard` is the number of the future that carries only the penalties of broken promises
    (-1: there are none); `factors` (T,) discount a charge in the middle of each period.
    """

    portfolio: Portfolio
    futures: tuple[Future, ...]
    fates: FateBook
    clock: Clock
    blocks: Blocks
    choices: Choices
    demand: Mapping[WorkloadId, Vector]
    factors: Vector
    hard: int

    def fates_of(self, number: int) -> Fates:
        """How the source of a first-stage column turns out."""
        source = self.choices.sources[number]
        return self.fates.fates(source.key, source.provider, len(source.parts))

    @property
    def periods(self) -> int:
        """Number of periods T."""
        return len(self.clock.hours)

    @property
    def grid(self) -> tuple[Index, Index]:
        """Period and block numbers of a full (T x L) grid, flattened."""
        count = len(self.blocks.names)
        return np.repeat(np.arange(self.periods), count), np.tile(np.arange(count), self.periods)

    def block_hours(self, period: Index, block: Index) -> Vector:
        """Hours of each (period, block)."""
        return self.clock.hours[period] * self.blocks.hours_frac[block]


def make_scene(
    portfolio: Portfolio,
    fates: FateBook,
    clock: Clock,
    choices: Choices,
    blocks: Blocks,
    demand: Mapping[WorkloadId, Vector],
    hard: int,
) -> Scene:
    """The scene of a portfolio and its futures, those of `fates`."""
    frac = portfolio.policy.discount_frac_per_year
    factors = np.array([discount_factor(at, portfolio.as_of_at, frac) for at in clock.middles])
    return Scene(
        portfolio=portfolio,
        futures=fates.futures,
        fates=fates,
        clock=clock,
        blocks=blocks,
        choices=choices,
        demand=demand,
        factors=factors,
        hard=hard,
    )


def capacity_row(
    scene: Scene,
    pool_rows: Mapping[PoolId, int],
    pool: PoolId,
    period: Index,
    block: Index,
) -> Index:
    """The capacity row of a pool in each (period, block)."""
    return pool_rows[pool] + period * len(scene.blocks.names) + block


def gate_row(scene: Scene, pool: PoolId, period: Index) -> Index:
    """The gate row of a pool in each period: the most that is there at one time."""
    return list(scene.portfolio.pools).index(pool) * scene.periods + period


def define_capacity(builder: RecourseBuilder, scene: Scene) -> dict[PoolId, int]:
    """One row a pool, period and block: what runs there fits in what is there."""
    period, _ = scene.grid
    builder.add_gate_rows(len(scene.portfolio.pools) * scene.periods)
    return {pool: builder.add_rows(len(period), upper=0.0) for pool in scene.portfolio.pools}


def define_market(builder: RecourseBuilder, scene: Scene, pool_rows: Mapping[PoolId, int]) -> None:
    """Accelerators bought by the hour, up to the pool's limit in that future."""
    period, block = scene.grid
    for pool in scene.portfolio.pools.values():
        for access in (pool.on_demand, pool.spot):
            if access is None:
                continue
            rate = usd_per_accelerator_hour(access.price)
            hours = scene.block_hours(period, block)
            each = rate * hours * scene.factors[period] * ACCELERATORS_PER_UNIT / USD_PER_UNIT
            use = builder.add(
                UseKind.BUY,
                access.price.kind,
                pool.id,
                period=period,
                block=block,
                cost=_price_factors(scene, pool, access)[:, period] * each,
                rate=rate,
            )
            columns = np.arange(use.start, use.stop)
            builder.put(capacity_row(scene, pool_rows, pool.id, period, block), columns, -1.0)
            limit = market_limits(scene, pool, access) / ACCELERATORS_PER_UNIT
            builder.couple_upper(columns, scene.choices.markets[pool.id], limit[:, period])
        _bring_markets(builder, scene, pool)


def _bring_markets(builder: RecourseBuilder, scene: Scene, pool: Pool) -> None:
    """A gang may run on what can be bought by the hour."""
    limits = [market_limits(scene, pool, access) for access in (pool.on_demand, pool.spot) if access is not None]
    if limits:
        there = gate_row(scene, pool.id, np.arange(scene.periods))
        builder.gate_bring(there, scene.choices.markets[pool.id], sum(limits) / ACCELERATORS_PER_UNIT)


def price_is_fixed(portfolio: Portfolio, pool: Pool, access: MarketAccess) -> bool:
    """On-demand prices of a provider with a commitment that counts them do not move with the market."""
    if access.price.kind is PriceKind.SPOT:
        return False
    pledges = [c.spend for c in portfolio.commitments] + [o.commitment for o in portfolio.offers if o.commitment]
    return any(p.provider == pool.provider and SpendKind.ON_DEMAND in p.eligible for p in pledges)


def market_price_factor(portfolio: Portfolio, pool: Pool, access: MarketAccess, future: Future, periods: int) -> Vector:
    """What multiplies a pool's by-the-hour price in each period (T,) of a future."""
    if price_is_fixed(portfolio, pool, access) or pool.id not in future.price_factor:
        return np.ones(periods)
    return np.asarray(future.price_factor[pool.id])


def _price_factors(scene: Scene, pool: Pool, access: MarketAccess) -> Vector:
    """What multiplies a pool's by-the-hour price in every future: (S, T), or (1, T) where it is fixed."""
    ones = np.ones(scene.periods)
    if price_is_fixed(scene.portfolio, pool, access):
        return ones[None, :]
    return np.array([future.price_factor.get(pool.id, ones) for future in scene.futures])


def market_limits(scene: Scene, pool: Pool, access: MarketAccess) -> Vector:
    """Accelerators that can be bought by the hour in every future and period (S, T)."""
    ones, clock = np.ones(scene.periods), scene.clock
    factor = np.array([future.limit_factor.get(pool.id, ones) for future in scene.futures])
    numbers, losses = scene.fates.outages(pool.provider)
    count = len(losses.lost_frac)
    up = clock.shares(np.full(count, clock.edges[0]), np.full(count, clock.edges[-1]), losses)
    return np.asarray(access.accelerators_max * factor * up[numbers])


def market_limit(scene: Scene, pool: Pool, access: MarketAccess, future: Future) -> Vector:
    """Accelerators that can be bought by the hour in each period (T,) of a future."""
    clock = scene.clock
    factor = np.asarray(future.limit_factor.get(pool.id, np.ones(scene.periods)))
    up = clock.share(clock.edges[0], clock.edges[-1], outages_of(future, pool.provider))
    return access.accelerators_max * factor * up


def best_rate(scene: Scene, workload: Workload) -> float:
    """Rate of the chip that serves a workload best among its pools: the row's unit is a thousand of those."""
    return max(c.rate_per_accelerator for _, c in eligible_pools(scene.portfolio, workload))


def demand_in(scene: Scene, workload: ServingFleet | ResearchShare) -> Vector:
    """Mean demand (S, T) in the workload's unit."""
    base = scene.demand[workload.id]
    return np.array([base * np.asarray(f.demand_factor.get(workload.id, 1.0)) for f in scene.futures])


def ported_share(scene: Scene, capability: Capability) -> Vector:
    """Share of each period (T,) in which a chip can be used: all of it, or from the end of a port's lead."""
    if capability.port_state is PortState.PORTED:
        return np.ones(scene.periods)
    ready_at = add_days(scene.portfolio.as_of_at, capability.port_lead_days)
    return scene.clock.share(ready_at, scene.clock.edges[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most that columns (n,) may be: `factor` times `values`, (n,) or (S, n).

    `rows` (n,) are the rows whose upper bounds the values are, if they are any's.
    """

    values: Vector
    factor: float | Vector = 1.0
    rows: Index | None = None


def spread_use(
    builder: RecourseBuilder,
    scene: Scene,
    pool_rows: Mapping[PoolId, int],
    workload: Workload,
    pool: PoolId,
    capability: Capability,
    limit: Limit,
    cost: ArrayLike = 0.0,
    hard_cost: ArrayLike = 0.0,
) -> Use:
    """Columns of a workload that may follow the load blocks in one pool, (T*L,), with what limits them."""
    period, block = scene.grid
    share = ported_share(scene, capability)[period]
    ported = capability.port_state is PortState.PORTED
    use = builder.add(
        UseKind.RUN,
        workload.id,
        pool,
        period=period,
        block=block,
        cost=cost,
        hard_cost=hard_cost,
        upper=limit.values * limit.factor * share if ported and limit.rows is None else 0.0,
        rate=capability.rate_per_accelerator,
    )
    columns = np.arange(use.start, use.stop)
    if not ported:
        # The limit hangs on the port's column.
        port = scene.choices.ports[workload.id, capability.accelerator]
        builder.couple_upper(columns, port, limit.values * (limit.factor * share))
    elif limit.rows is not None:
        builder.bound_by_rows(columns, limit.rows, limit.factor * share)
    builder.put(capacity_row(scene, pool_rows, pool, period, block), columns, 1.0)
    return use


def define_serving(
    builder: RecourseBuilder,
    scene: Scene,
    pool_rows: Mapping[PoolId, int],
    fleet: ServingFleet,
) -> None:
    """What is served and what is not is the demand, in every block; no one provider carries too much."""
    period, block = scene.grid
    best = best_rate(scene, fleet)
    level = scene.blocks.level[fleet.id]
    wanted = demand_in(scene, fleet)[:, period] * level[block] / (best * ACCELERATORS_PER_UNIT)
    rows = builder.add_rows(len(period), lower=wanted, upper=wanted)
    every = rows + np.arange(len(period))
    uses = []
    for pool, capability in eligible_pools(scene.portfolio, fleet):
        relative = capability.rate_per_accelerator / best
        limit = Limit(values=wanted, factor=1.0 / relative, rows=every)
        use = spread_use(builder, scene, pool_rows, fleet, pool, capability, limit)
        builder.put(every, np.arange(use.start, use.stop), relative)
        uses.append((pool, use, relative))
    units_per_unit = best * ACCELERATORS_PER_UNIT * 3_600.0 * scene.block_hours(period, block) / 1e6
    penalty = usd(fleet.unmet_micro_usd_per_million) * units_per_unit * scene.factors[period] / USD_PER_UNIT
    hard = _hard_penalty(fleet, scene.block_hours(period, block))
    _define_unmet(builder, fleet.id, every, penalty, hard, best, period, block)
    _define_spread(builder, scene, fleet, uses)


def _define_unmet(
    builder: RecourseBuilder,
    workload: WorkloadId,
    rows: Index,
    penalty: Vector,
    hard: Vector,
    best: float,
    period: Index,
    block: Index,
) -> None:
    """What is wanted and not served, at its penalty; all of it at most."""
    use = builder.add(
        UseKind.UNMET, workload, None, period=period, block=block, cost=penalty, hard_cost=hard, rate=best
    )
    columns = np.arange(use.start, use.stop)
    builder.bound_by_rows(columns, rows, 1.0)
    builder.put(rows, columns, 1.0)


def _hard_penalty(workload: Workload, hours: Vector) -> Vector:
    """A price far above any accelerator's for what a hard promise leaves unserved; 0 for soft ones."""
    return hours * (HARD_USD_PER_HOUR * ACCELERATORS_PER_UNIT / USD_PER_UNIT if workload.must else 0.0)


HARD_USD_PER_HOUR = 300.0
"""Thirty times the dearest accelerator-hour of any price list of 2026: breaking a promise never pays."""


def _define_spread(
    builder: RecourseBuilder,
    scene: Scene,
    fleet: ServingFleet,
    uses: list[tuple[PoolId, Use, float]],
) -> None:
    """Without any one provider, the stated share of what is served remains."""
    keep = max(fleet.n_minus_1_keep_frac, 1.0 - fleet.supplier_share_max_frac)
    if keep <= 0.0:
        return
    providers = {pool: scene.portfolio.pools[pool].provider for pool, _, _ in uses}
    for lost in sorted(set(providers.values())):
        count = uses[0][1].stop - uses[0][1].start
        rows = builder.add_rows(count, upper=0.0)
        for pool, use, relative in uses:
            left = 0.0 if providers[pool] == lost else 1.0
            builder.put(
                rows + np.arange(count),
                np.arange(use.start, use.stop),
                (keep - left) * relative,
            )


def define_research(
    builder: RecourseBuilder,
    scene: Scene,
    pool_rows: Mapping[PoolId, int],
    share: ResearchShare,
) -> None:
    """A research share is met on average over a period's blocks, so it fills the night."""
    period, block = scene.grid
    best = best_rate(scene, share)
    every = np.arange(scene.periods)
    wanted = demand_in(scene, share) / (best * ACCELERATORS_PER_UNIT)
    rows = builder.add_rows(scene.periods, lower=wanted, upper=wanted)
    hours_frac = scene.blocks.hours_frac[block]
    for pool, capability in eligible_pools(scene.portfolio, share):
        relative = capability.rate_per_accelerator / best
        limit = Limit(values=wanted[:, period], factor=1.0 / relative / hours_frac, rows=rows + period)
        use = spread_use(builder, scene, pool_rows, share, pool, capability, limit)
        builder.put(rows + period, np.arange(use.start, use.stop), relative * hours_frac)
    penalty = usd(share.unmet_micro_usd_per_accelerator_hour) * best * ACCELERATORS_PER_UNIT * scene.clock.hours
    hard = _hard_penalty(share, scene.clock.hours)
    cost = penalty * scene.factors / USD_PER_UNIT
    _define_unmet(builder, share.id, rows + every, cost, hard, best, every, np.full(scene.periods, -1))
