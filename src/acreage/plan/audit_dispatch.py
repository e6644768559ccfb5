"""Whether what runs where in each future is possible: capacity, markets, gangs, serving, promises."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from acreage.domain.finding import Finding
from acreage.domain.price import PriceKind
from acreage.domain.provider import MarketAccess, Pool
from acreage.domain.workload import Capability, PortState, ResearchShare, ServingFleet, TrainingRun, Workload
from acreage.plan.audit_ground import MUST, Array, Ground, doubt, over, worst
from acreage.plan.audit_supply import Holding, peak_of, up_frac
from acreage.plan.audit_wants import capability_in, done, open_frac, served, wanted
from acreage.units.ids import PoolId

MARKET_KINDS = frozenset({PriceKind.ON_DEMAND.value, PriceKind.SPOT.value})


def check_dispatch(ground: Ground, holdings: tuple[Holding, ...], usable: Mapping[str, Array]) -> Iterator[Finding]:
    """All rules on the second stage, in every future."""
    for key, used in ground.runs.items():
        yield from worst(ground, over(-used, np.zeros_like(used)), "dispatch", key[0], "use is below zero")
    yield from check_pools(ground, holdings, usable)
    yield from check_market(ground)
    for workload in ground.portfolio.workloads:
        yield from check_places(ground, workload)
        if isinstance(workload, ServingFleet):
            yield from check_fleet(ground, workload)
        elif isinstance(workload, ResearchShare):
            yield from check_research(ground, workload)
        else:
            yield from check_run(ground, workload, holdings, usable)
    known = {str(w.id) for w in ground.portfolio.workloads}
    for workload_id, pool in ground.runs:
        if workload_id not in known or pool not in ground.portfolio.pools:
            yield doubt("dispatch", workload_id, f"no such workload or pool ({pool})")


def check_pools(ground: Ground, holdings: tuple[Holding, ...], usable: Mapping[str, Array]) -> Iterator[Finding]:
    """In every pool and block: use within the fixed shares, what is used above them and what is bought."""
    fixed_frac = {h.key: h.terms.take_or_pay_frac for h in holdings}
    for pool in ground.portfolio.pools:
        room = np.zeros(ground.shape)
        for key in {h.key for h in holdings if h.pool == pool}:
            room += (fixed_frac[key] * usable[key])[:, :, None]
            above = ground.market.get((pool, key), np.zeros(ground.shape))
            limit = np.broadcast_to(((1.0 - fixed_frac[key]) * usable[key])[:, :, None], ground.shape)
            yield from worst(ground, over(above, limit), "take_or_pay", key, "use above the fixed share exceeds it")
        room += sum((used for (name, _), used in ground.market.items() if name == pool), np.zeros(ground.shape))
        used = sum((u for (_, name), u in ground.runs.items() if name == pool), np.zeros(ground.shape))
        yield from worst(ground, over(used, room), "capacity", pool, "use exceeds what is there")


def check_market(ground: Ground) -> Iterator[Finding]:
    """Nothing is bought below zero, above the market's limit, or where no market is."""
    for (pool_id, kind), bought in ground.market.items():
        yield from worst(
            ground, over(-bought, np.zeros_like(bought)), "market", pool_id, "what is bought is below zero"
        )
        pool = ground.portfolio.pools.get(PoolId(pool_id))
        if pool is None:
            yield doubt("market", pool_id, "no such pool")
        elif kind in MARKET_KINDS:
            access = access_of(pool, kind)
            limit = np.zeros(ground.shape[:2]) if access is None else market_limit(ground, pool, access)
            allowed = np.broadcast_to(limit[:, :, None], ground.shape)
            yield from worst(ground, over(bought, allowed), "market", pool_id, f"{kind} exceeds the market's limit")
        elif not any(kind == source for source in _sources_in(ground, pool.id)):
            yield doubt("market", pool_id, f"{kind} is neither a market nor a lease of this pool")


def access_of(pool: Pool, kind: str) -> MarketAccess | None:
    """The pool's market of a kind."""
    return next((a for a in (pool.on_demand, pool.spot) if a is not None and a.price.kind == kind), None)


def _sources_in(ground: Ground, pool: PoolId) -> set[str]:
    held = {str(lease.id) for lease in ground.portfolio.leases if lease.pool == pool}
    return held | {str(offer.id) for offer in ground.portfolio.offers if offer.pool == pool}


def market_limit(ground: Ground, pool: Pool, access: MarketAccess) -> Array:
    """Accelerators (S, T) that can be bought by the hour."""
    rows = []
    for future in ground.futures:
        up = up_frac(ground, pool.provider, future, ground.begins[0], ground.horizon_at)
        rows.append(access.accelerators_max * np.asarray(future.limit_factor.get(pool.id, 1.0)) * up)
    return np.array(rows)


def limits_of(ground: Ground, pool: PoolId) -> Array:
    """By-the-hour limit (S, T) of all markets of a pool."""
    found = ground.portfolio.pools[pool]
    total = np.zeros(ground.shape[:2])
    for access in (found.on_demand, found.spot):
        if access is not None:
            total = total + market_limit(ground, found, access)
    return total


def check_places(ground: Ground, workload: Workload) -> Iterator[Finding]:
    """A workload runs only where it may and can, and not before its release or port."""
    for (name, pool), used in ground.runs.items():
        if name != workload.id or not used.any():
            continue
        capability = capability_in(ground, workload, pool)
        if capability is None:
            yield doubt("place", workload.id, f"cannot run in {pool}")
            continue
        ready = np.broadcast_to(open_frac(ground, workload, capability)[None, :, None], ground.shape)
        if capability.port_state is PortState.PORTABLE and not isinstance(workload, TrainingRun):
            ceiling = port_ceiling(ground, workload, capability) * ready
            yield from worst(ground, over(used, ceiling), "port", workload.id, f"runs before its port in {pool}")
        too_early = np.where(ready > 0.0, 0.0, used)
        yield from worst(
            ground, over(too_early, np.zeros_like(used)), "place", workload.id, f"runs too early in {pool}"
        )


def port_ceiling(ground: Ground, workload: ServingFleet | ResearchShare, capability: Capability) -> Array:
    """Accelerators (S, T, B) of one chip that could carry all the demand by themselves."""
    demand = wanted(ground, workload)[:, :, None] / capability.rate_per_accelerator
    if isinstance(workload, ServingFleet):
        return np.asarray(demand * ground.split.level[workload.id])
    return np.asarray(demand / ground.split.hours_frac)


def check_fleet(ground: Ground, fleet: ServingFleet) -> Iterator[Finding]:
    """No more is served than is wanted, and the stated share remains whichever provider is removed."""
    demand = wanted(ground, fleet)[:, :, None] * ground.split.level[fleet.id]
    total = served(ground, fleet)
    yield from worst(ground, _rate_over(total, demand), "serving", fleet.id, "more is served than is wanted")
    keep = max(fleet.n_minus_1_keep_frac, 1.0 - fleet.supplier_share_max_frac)
    if keep <= 0.0:
        return
    by_provider: dict[str, Array] = {}
    for (name, pool), used in ground.runs.items():
        capability = capability_in(ground, fleet, pool) if name == fleet.id else None
        if capability is not None:
            provider = str(ground.portfolio.pools[pool].provider)
            before = by_provider.get(provider, np.zeros(ground.shape))
            by_provider[provider] = before + used * capability.rate_per_accelerator
    for lost, rate in by_provider.items():
        excess = _rate_over(keep * total, total - rate)
        yield from worst(ground, excess, "n_minus_1", fleet.id, f"too little is left without {lost}")


def _rate_over(value: Array, limit: Array) -> Array:
    """Excess of one rate over another, with a tolerance relative to the largest rate there is."""
    scale = float(np.max(np.abs(limit), initial=0.0)) or 1.0
    return over(value / scale, limit / scale) * scale


def check_research(ground: Ground, share: ResearchShare) -> Iterator[Finding]:
    """No more is given than is wanted on average over the period."""
    given = served(ground, share) @ ground.split.hours_frac
    yield from worst(ground, _rate_over(given, wanted(ground, share)), "research", share.id, "more than wanted")


def check_run(
    ground: Ground, run: TrainingRun, holdings: tuple[Holding, ...], usable: Mapping[str, Array]
) -> Iterator[Finding]:
    """Work done is within the work; gangs run at home, flat, within their width and where they fit."""
    factor = np.array([f.work_factor.get(run.id, 1.0) for f in ground.futures])
    share = done(ground, run).sum(axis=1) / run.work
    for s, (made, most) in enumerate(zip(share, factor, strict=True)):
        if not made <= most * (1 + 1e-6) + 1e-9:
            yield doubt("work", run.id, f"{made:.9g} of the work is done, {most:.9g} is all", ground.futures[s].name)
    for (name, pool), used in ground.runs.items():
        capability = capability_in(ground, run, pool) if name == run.id else None
        if capability is None or not used.any():
            continue
        width = gang_width(ground, pool, capability)
        if math.isfinite(width):
            ready = open_frac(ground, run, capability)[None, :, None] * width
            yield from worst(
                ground,
                over(used, np.broadcast_to(ready, ground.shape)),
                "gang",
                run.id,
                f"too wide in {pool}",
            )
        if any(c.gang_min > 1 for c in run.capabilities):
            yield from check_gang(ground, run, pool, capability, used, holdings, usable)


def gang_width(ground: Ground, pool: PoolId, capability: Capability) -> float:
    """Most accelerators that run in concert in a pool."""
    fabric = ground.portfolio.pools[pool].fabric_accelerators_max
    limits = [float(limit) for limit in (capability.gang_max, fabric) if limit is not None]
    return min(limits, default=math.inf)


def check_gang(
    ground: Ground,
    run: TrainingRun,
    pool: PoolId,
    capability: Capability,
    used: Array,
    holdings: tuple[Holding, ...],
    usable: Mapping[str, Array],
) -> Iterator[Finding]:
    """A gang stays in its home, runs flat over blocks, and only where its minimum is promised and there."""
    if not any(h.workload == run.id and h.pool == pool for h in ground.outcome.decision.homes):
        yield doubt("home", run.id, f"runs in {pool}, which is not its home")
    if gang_width(ground, pool, capability) < capability.gang_min:
        yield doubt("gang", run.id, f"{pool} cannot hold {capability.gang_min} in concert")
    swing = used.max(axis=2) - used.min(axis=2)
    yield from worst(ground, over(swing, np.zeros_like(swing)), "gang", run.id, f"does not run flat in {pool}")
    runs = used.max(axis=2) > 1e-6 * capability.gang_min
    least = capability.gang_min * (1.0 - 1e-6)
    markets = ground.portfolio.pools[pool]
    limit = sum(a.accelerators_max for a in (markets.on_demand, markets.spot) if a is not None)
    mine = [h for h in holdings if h.pool == pool]
    promised = limit + sum((peak_of(ground, h) for h in mine), np.zeros(len(ground.hours)))
    short = np.where(runs & (promised < least), capability.gang_min - promised, 0.0)
    yield from worst(ground, short, "gang", run.id, f"runs in {pool} where too little is promised")
    there = limits_of(ground, pool)
    for holding in mine:
        there = there + np.array([peak_of(ground, holding, future) for future in ground.futures])
    missing = np.where(runs & (there < least), capability.gang_min - there, 0.0)
    yield from worst(ground, missing, "gang", run.id, f"runs in {pool} where too little is there")


def check_promises(ground: Ground) -> Iterator[Finding]:
    """Workloads marked must are served in full, and finished in time, without a surprise."""
    names = [future.name for future in ground.futures]
    s = names.index(MUST) if MUST in names else 0
    for workload in ground.portfolio.workloads:
        if not workload.must:
            continue
        if isinstance(workload, TrainingRun):
            in_time = ground.ends <= workload.deadline_at
            share = float(done(ground, workload)[s, in_time].sum() / workload.work)
            needed = ground.futures[s].work_factor.get(workload.id, 1.0)
            if not share >= needed * (1 - 1e-6):
                yield doubt("must", workload.id, f"only {share:.6f} of its work is done in time", names[s])
            continue
        demand = wanted(ground, workload)
        if isinstance(workload, ServingFleet):
            short = _rate_over(demand[:, :, None] * ground.split.level[workload.id], served(ground, workload))[s]
        else:
            short = _rate_over(demand, served(ground, workload) @ ground.split.hours_frac)[s]
        if short.any():
            yield doubt("must", workload.id, f"up to {short.max():.9g} of it is not served", names[s])
