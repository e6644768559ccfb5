"""The plan model once more, written in linopy and handed whole to HiGHS: the peer of the benchmark.

It covers offers with start dates and tranches, late deliveries, outages, hours on demand, serving fleets,
research shares and CVaR: what `plain` leaves of a portfolio. Gangs, commitments and clauses are left out on both sides.
"""

from dataclasses import dataclass, replace

import highspy
import linopy
import numpy as np
import xarray as xr

from acreage.domain.portfolio import Portfolio
from acreage.domain.terms import Terms
from acreage.domain.workload import ResearchShare, ServingFleet
from acreage.plan.formulate.capacity import brought
from acreage.plan.formulate.first_stage import eligible_pools
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import ColumnKind
from acreage.plan.formulate.recourse import demand_in, market_limit, market_price_factor
from acreage.plan.problem import ACCELERATORS_PER_UNIT, USD_PER_UNIT
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.money import usd


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerResult:
    """What the peer found: objective and bound in USD; None where it had no answer in time."""

    objective_usd: float | None
    bound_usd: float | None
    columns: int


def plain(portfolio: Portfolio, *, offers: int, workloads: int, months: int) -> Portfolio:
    """The portfolio without what the peer leaves out, cut to a size."""
    kept = tuple(
        replace(
            offer,
            commitment=None,
            requires=(),
            excludes=(),
            tranches=tuple(replace(t, terminable_after_days=None) for t in offer.tranches),
            terms=_plain(offer.terms),
        )
        for offer in portfolio.offers[:offers]
    )
    leases = tuple(
        replace(
            lease,
            deliveries=tuple(replace(d, terminable_after_days=None) for d in lease.deliveries),
            terms=_plain(lease.terms),
        )
        for lease in portfolio.leases
    )
    wanted = [w for w in portfolio.workloads if isinstance(w, ServingFleet | ResearchShare)]
    simple = tuple(
        replace(
            w,
            must=False,
            capabilities=tuple(c for c in w.capabilities if c.port_state == "ported"),
            **({"n_minus_1_keep_frac": 0.0, "supplier_share_max_frac": 1.0} if isinstance(w, ServingFleet) else {}),
        )
        for w in wanted[:workloads]
    )
    policy = replace(portfolio.policy, share_caps=(), survive_loss_frac=None, budgets=())
    return replace(
        portfolio,
        offers=kept,
        leases=leases,
        commitments=(),
        workloads=simple,
        policy=policy,
        periods=portfolio.periods[:months],
    )


def _plain(terms: Terms) -> Terms:
    return replace(
        terms,
        take_or_pay_frac=1.0,
        exclusivity=None,
        first_refusal=None,
        most_favoured=False,
        termination=None,
        extension=None,
    )


def build(formulation: Formulation) -> tuple[linopy.Model, float]:
    """The linopy model (millions of dollars, thousands of accelerators) and the constant of its objective."""
    scene, problem, portfolio = formulation.scene, formulation.problem, formulation.portfolio
    futures = [f.name for f, p in zip(formulation.futures, problem.probability, strict=True) if p > 0]
    numbers = [i for i, p in enumerate(problem.probability) if p > 0]
    chance = xr.DataArray(problem.probability[numbers], coords={"s": futures})
    periods, blocks = np.arange(scene.periods), scene.blocks.names
    pools = list(portfolio.pools)
    hours = xr.DataArray(
        np.outer(scene.clock.hours, scene.blocks.hours_frac), coords={"t": periods, "b": list(blocks)}, dims=("t", "b")
    )
    factors = xr.DataArray(scene.factors, coords={"t": periods})
    model = linopy.Model()
    columns = formulation.choices.builder.columns
    chosen = [i for i, c in enumerate(columns) if c.kind is ColumnKind.BLOCKS]
    modes = [i for i, c in enumerate(columns) if c.kind is ColumnKind.MODE]
    fixed = [i for i, c in enumerate(columns) if c.kind is ColumnKind.HELD]
    upper = xr.DataArray(problem.first.upper[chosen], coords={"n": chosen})
    n = model.add_variables(0, upper, name="n", integer=True)
    m = model.add_variables(coords=[modes], dims=["m"], name="m", binary=True)
    _first_stage_rows(model, formulation, n, m, chosen, modes)
    capacity, held = _capacities(formulation, numbers, futures, chosen, fixed, pools, periods)
    limit, price = _markets(formulation, numbers, futures, pools, periods)
    buy = model.add_variables(0, limit.expand_dims(b=list(blocks)).transpose("s", "t", "b", "p"), name="buy")
    cost = (buy * (price * hours * factors)).sum(["t", "b", "p"])
    used = None
    for w in portfolio.workloads:
        assert isinstance(w, ServingFleet | ResearchShare)
        mine = dict(eligible_pools(portfolio, w))
        rates = [mine[p].rate_per_accelerator if p in mine else 0.0 for p in pools]
        rate = xr.DataArray(rates, coords={"p": pools})
        level = scene.blocks.level[w.id] if isinstance(w, ServingFleet) else np.ones(len(blocks))
        demand = xr.DataArray(demand_in(scene, w)[numbers], coords={"s": futures, "t": periods}, dims=("s", "t"))
        levels = xr.DataArray(level, coords={"b": list(blocks)})
        best = float(rate.max())
        unit = best * ACCELERATORS_PER_UNIT
        most = xr.DataArray(np.where(np.array(rates) > 0.0, np.inf, 0.0), coords={"p": pools})
        upper = most.expand_dims(s=futures, t=periods, b=list(blocks))
        x = model.add_variables(0, upper, name=f"x-{w.id}")
        served = (x * (rate / best)).sum("p")
        if isinstance(w, ServingFleet):
            u = model.add_variables(0, demand * levels / unit, name=f"u-{w.id}")
            model.add_constraints(served + u == demand * levels / unit)
            penalty = usd(w.unmet_micro_usd_per_million) * unit * 3_600.0 / 1e6 * hours * factors / USD_PER_UNIT
            cost = cost + (u * penalty).sum(["t", "b"])
        else:
            share = xr.DataArray(scene.blocks.hours_frac, coords={"b": list(blocks)})
            u = model.add_variables(0, demand / unit, name=f"u-{w.id}")
            model.add_constraints((served * share).sum("b") + u == demand / unit)
            each = usd(w.unmet_micro_usd_per_accelerator_hour) * unit / USD_PER_UNIT
            cost = cost + (u * (xr.DataArray(scene.clock.hours, coords={"t": periods}) * factors * each)).sum("t")
        used = 1.0 * x if used is None else used + x
    assert used is not None
    model.add_constraints(used - buy - (n * capacity).sum("n") <= held.expand_dims(b=list(blocks)))
    return _objective(model, formulation, cost, n, chance, numbers, futures, chosen, fixed)


def _first_stage_rows(model, formulation, n, m, chosen, modes) -> None:  # type: ignore[no-untyped-def]
    """The rows of the first stage that say something of offers."""
    first = formulation.problem.first
    rows = np.flatnonzero(abs(first.matrix[:, chosen + modes]).sum(axis=1))
    of_blocks, of_modes = (
        xr.DataArray(first.matrix[rows][:, columns].toarray(), coords={"r": rows, dim: columns}, dims=("r", dim))
        for columns, dim in ((chosen, "n"), (modes, "m"))
    )
    given = np.where(first.lower == first.upper, first.lower, 0.0)
    given[chosen + modes] = 0.0
    there = first.matrix[rows] @ given
    total = (n * of_blocks).sum("n") + (m * of_modes).sum("m")
    for bound, sign in ((first.row_lower[rows] - there, ">="), (first.row_upper[rows] - there, "<=")):
        stated = rows[np.isfinite(bound)]
        if len(stated):
            side = xr.DataArray(bound[np.isfinite(bound)], coords={"r": stated})
            model.add_constraints(total.sel(r=stated), sign, side)


def _capacities(formulation, numbers, futures, chosen, fixed, pools, periods):  # type: ignore[no-untyped-def]
    """Capacity of a unit of each choice (s, t, p, n), and what is held (s, t, p), in thousands."""
    scene, sources = formulation.scene, formulation.choices.sources
    shape = (len(futures), len(periods), len(pools))
    capacity, held = np.zeros((*shape, len(chosen))), np.zeros(shape)
    for k, s in enumerate(numbers):
        for j, i in enumerate(chosen):
            mean = brought(scene.clock, sources[i], scene.futures[s])[0]
            capacity[k, :, pools.index(sources[i].pool), j] = mean / ACCELERATORS_PER_UNIT
        for i in fixed:
            mean = brought(scene.clock, sources[i], scene.futures[s])[0]
            held[k, :, pools.index(sources[i].pool)] += mean / ACCELERATORS_PER_UNIT
    coords = {"s": futures, "t": periods, "p": pools}
    return (
        xr.DataArray(capacity, coords={**coords, "n": chosen}, dims=("s", "t", "p", "n")),
        xr.DataArray(held, coords=coords, dims=("s", "t", "p")),
    )


def _markets(formulation, numbers, futures, pools, periods):  # type: ignore[no-untyped-def]
    """By-the-hour limit and price (s, t, p); a pool's cheaper access is the only one the benchmark keeps."""
    scene, portfolio = formulation.scene, formulation.portfolio
    shape = (len(futures), len(periods), len(pools))
    limit, price = np.zeros(shape), np.zeros(shape)
    for j, pool in enumerate(portfolio.pools.values()):
        access = pool.on_demand
        if access is None:
            continue
        for k, s in enumerate(numbers):
            future = scene.futures[s]
            limit[k, :, j] = market_limit(scene, pool, access, future) / ACCELERATORS_PER_UNIT
            factor = market_price_factor(portfolio, pool, access, future, scene.periods)
            price[k, :, j] = usd_per_accelerator_hour(access.price) * factor * ACCELERATORS_PER_UNIT / USD_PER_UNIT
    coords = {"s": futures, "t": periods, "p": pools}
    return tuple(xr.DataArray(v, coords=coords, dims=("s", "t", "p")) for v in (limit, price))


def _objective(model, formulation, cost, n, chance, numbers, futures, chosen, fixed):  # type: ignore[no-untyped-def]
    """(1 - weight) expected + weight CVaR; returns the model and the constant of held leases."""
    problem = formulation.problem
    per_unit = xr.DataArray(
        problem.first.cost[np.ix_(numbers, chosen)], coords={"s": futures, "n": chosen}, dims=("s", "n")
    )
    constant = problem.first.cost[np.ix_(numbers, fixed)].sum(axis=1) + problem.recourse.constant[numbers]
    total = cost + (n * per_unit).sum("n")
    a = model.add_variables(name="a")
    z = model.add_variables(0, coords=[futures], dims=["s"], name="z")
    model.add_constraints(z + a - total >= xr.DataArray(constant, coords={"s": futures}))
    weight, tail = problem.risk_weight, problem.risk_tail
    model.add_objective((1 - weight) * (total * chance).sum() + weight * a + weight / (1 - tail) * (z * chance).sum())
    return model, float((1 - weight) * (constant @ problem.probability[numbers]))


def solve(model: linopy.Model, constant: float, *, gap_frac: float, seconds_max: float) -> PeerResult:
    """Hand the model to HiGHS, with both cores: its scheduler is started anew before and after."""
    columns = int(model.nvars)
    highspy.Highs.resetGlobalScheduler(True)
    status, _ = model.solve(
        "highs", io_api="direct", mip_rel_gap=gap_frac, time_limit=seconds_max, output_flag=False, threads=2
    )
    highspy.Highs.resetGlobalScheduler(True)
    if status != "ok" or not np.isfinite(model.objective.value or np.nan):
        return PeerResult(objective_usd=None, bound_usd=None, columns=columns)
    bound = float(model.solver_model.getInfo().mip_dual_bound)
    return PeerResult(
        objective_usd=(float(model.objective.value) + constant) * USD_PER_UNIT,
        bound_usd=(bound + constant) * USD_PER_UNIT,
        columns=columns,
    )
