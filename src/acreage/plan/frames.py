"""The frames of an outcome: who ran where, what was bought, served, paid and pledged in each future."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from acreage.domain.plan import SCHEMAS
from acreage.domain.workload import ResearchShare, ServingFleet, TrainingRun, Workload
from acreage.plan.formulate.capacity import usable
from acreage.plan.formulate.layout import Use, UseKind
from acreage.plan.formulate.recourse import (
    best_rate,
    demand_in,
    market_price_factor,
)
from acreage.plan.formulate.training import seconds_or_hours
from acreage.plan.play import Play, source_capacity, uses_of
from acreage.plan.problem import ACCELERATORS_PER_UNIT, USD_PER_UNIT, Vector
from acreage.pricing.present_value import discount_factor
from acreage.units.instants import SECONDS_PER_DAY, moment
from acreage.units.money import usd

EVERY_BLOCK = "all"


def frame(name: str, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> pl.DataFrame:
    """A frame of the declared schema."""
    return pl.DataFrame(columns, schema=dict(SCHEMAS[name]))


def stack(name: str, parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Parts of a frame below each other; an empty frame if there are none."""
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict(SCHEMAS[name]))


def names_of(play: Play) -> list[str]:
    """The futures' names."""
    return [f.name for f in play.formulation.futures[: len(play.second)]]


def dispatch_frame(play: Play) -> pl.DataFrame:
    """Accelerators of every workload in every pool."""
    blocks = np.array([*play.formulation.scene.blocks.names, EVERY_BLOCK])
    parts = []
    for use in uses_of(play.formulation, UseKind.RUN):
        for s, name in enumerate(names_of(play)):
            amount = play.second[s, use.start : use.stop]
            kept = np.flatnonzero(amount > 0.0)
            parts.append(
                frame(
                    "dispatch",
                    {
                        "future": [name] * len(kept),
                        "period": use.period[kept],
                        "block": blocks[use.block[kept]],
                        "workload": [use.subject] * len(kept),
                        "pool": [use.pool] * len(kept),
                        "accelerators": amount[kept],
                    },
                )
            )
    return stack("dispatch", parts)


def market_frame(play: Play) -> pl.DataFrame:
    """Accelerators bought by the hour, and leases used above take-or-pay, with what they cost then."""
    scene = play.formulation.scene
    blocks = np.array(scene.blocks.names)
    parts = []
    for use in uses_of(play.formulation, UseKind.BUY) + uses_of(play.formulation, UseKind.EXTRA):
        for s, name in enumerate(names_of(play)):
            amount = play.second[s, use.start : use.stop]
            kept = np.flatnonzero(amount > 0.0)
            price = use.rate[kept] * _price_factor(play, use, s)[use.period[kept]]
            hours = scene.block_hours(use.period[kept], use.block[kept])
            parts.append(
                frame(
                    "market",
                    {
                        "future": [name] * len(kept),
                        "period": use.period[kept],
                        "block": blocks[use.block[kept]],
                        "pool": [use.pool] * len(kept),
                        "kind": [use.subject] * len(kept),
                        "accelerators": amount[kept],
                        "usd": price * hours * amount[kept],
                    },
                )
            )
    return stack("market", parts)


def _price_factor(play: Play, use: Use, future: int) -> Vector:
    """What multiplies a market price in each period (T,) of a future; 1 for a lease's own price."""
    scene = play.formulation.scene
    if use.kind is UseKind.EXTRA:
        return np.ones(scene.periods)
    assert use.pool is not None
    pool = scene.portfolio.pools[use.pool]
    access = next(a for a in (pool.on_demand, pool.spot) if a is not None and a.price.kind == use.subject)
    return market_price_factor(scene.portfolio, pool, access, scene.futures[future], scene.periods)


def given_up_frame(play: Play) -> pl.DataFrame:
    """Shares of late parts given up."""
    names = names_of(play)
    rows = [(names[s], source, part, share) for (s, source, part), share in play.given_up.items()]
    return pl.DataFrame(rows, schema=dict(SCHEMAS["given_up"]), orient="row")


def capacity_frame(play: Play) -> pl.DataFrame:
    """Usable accelerators by source, all starts of an offer together, after what is given up."""
    scene = play.formulation.scene
    every = np.arange(scene.periods)
    parts = []
    for s, name in enumerate(names_of(play)):
        totals: dict[tuple[str, str], Vector] = {}
        for number, units in play.sources.items():
            source = play.formulation.choices.sources[number]
            series = units * source_capacity(play.formulation, source, s)
            for part in source.parts:
                share = play.given_up.get((s, source.key, part.index), 0.0)
                if share:
                    series = series - share * units * _part_capacity(play, number, part.index, s)
            key = (source.pool, source.key)
            totals[key] = totals.get(key, np.zeros(scene.periods)) + series
        for (pool, source_key), series in totals.items():
            parts.append(
                frame(
                    "capacity",
                    {
                        "future": [name] * len(every),
                        "period": every,
                        "pool": [pool] * len(every),
                        "source": [source_key] * len(every),
                        "accelerators": series,
                    },
                )
            )
    return stack("capacity", parts)


def _part_capacity(play: Play, number: int, part_index: int, future: int) -> Vector:
    from_source = play.formulation.choices.sources[number]
    part = from_source.parts[part_index]
    scene = play.formulation.scene
    return usable(scene.clock, from_source, part, scene.futures[future])


def service_frame(play: Play) -> pl.DataFrame:
    """Demand, served and unmet of every workload, with the penalty (undiscounted)."""
    parts = []
    for workload in play.formulation.portfolio.workloads:
        if isinstance(workload, TrainingRun):
            rows = _training_service(play, workload)
        else:
            rows = _steady_service(play, workload)
        for s, (demand, served, unmet, penalty) in enumerate(rows):
            count = len(demand)
            parts.append(
                frame(
                    "service",
                    {
                        "future": [names_of(play)[s]] * count,
                        "period": np.arange(count),
                        "workload": [workload.id] * count,
                        "demand": demand,
                        "served": served,
                        "unmet": unmet,
                        "unit": [_unit(workload)] * count,
                        "penalty_usd": penalty,
                    },
                )
            )
    return stack("service", parts)


def _unit(workload: ServingFleet | ResearchShare | TrainingRun) -> str:
    if isinstance(workload, ServingFleet):
        return workload.rate_unit
    return workload.work_unit if isinstance(workload, TrainingRun) else f"{workload.reference} accelerators"


def served_rate(play: Play, subject: str, future: int) -> Vector:
    """Mean rate (T,) that a workload's use yields, in its unit."""
    scene = play.formulation.scene
    total = np.zeros(scene.periods)
    for use in uses_of(play.formulation, UseKind.RUN, subject):
        share = np.where(use.block >= 0, scene.blocks.hours_frac[use.block], 1.0)
        np.add.at(total, use.period, play.second[future, use.start : use.stop] * use.rate * share)
    return total


def _steady_service(
    play: Play, workload: ServingFleet | ResearchShare
) -> Iterator[tuple[Vector, Vector, Vector, Vector]]:
    scene = play.formulation.scene
    wanted = demand_in(scene, workload)
    if isinstance(workload, ServingFleet):
        wanted = wanted * float(scene.blocks.level[workload.id] @ scene.blocks.hours_frac)
    for s in range(len(play.second)):
        served = np.minimum(served_rate(play, workload.id, s), wanted[s])
        unmet = wanted[s] - served
        unmet[unmet <= 1e-9 * wanted[s]] = 0.0
        if isinstance(workload, ServingFleet):
            penalty = unmet * 3_600.0 * scene.clock.hours / 1e6 * usd(workload.unmet_micro_usd_per_million)
        else:
            penalty = unmet * scene.clock.hours * usd(workload.unmet_micro_usd_per_accelerator_hour)
        yield wanted[s], wanted[s] - unmet, unmet, penalty


def _training_service(play: Play, run: TrainingRun) -> Iterator[tuple[Vector, Vector, Vector, Vector]]:
    """Work done in each period; unmet is what is undone at the end of periods past the deadline."""
    scene = play.formulation.scene
    edges = scene.clock.edges
    late_days = np.maximum(0.0, edges[1:] - np.maximum(edges[:-1], run.deadline_at)) / SECONDS_PER_DAY
    for s in range(len(play.second)):
        work = run.work * scene.futures[s].work_factor.get(run.id, 1.0)
        done = served_rate(play, run.id, s) * seconds_or_hours(run) * scene.clock.hours
        undone = np.maximum(0.0, work - np.cumsum(done))
        undone[undone <= 1e-9 * work] = 0.0
        penalty = undone / run.work * usd(run.late_micro_usd_per_day) * late_days
        if late_days[-1] > 0.0 or run.deadline_at >= edges[-1]:
            penalty[-1] += undone[-1] / run.work * usd(run.unfinished_micro_usd)
        yield np.full(len(done), work), done, np.where(late_days > 0.0, undone, 0.0), penalty


def end_factor(play: Play) -> float:
    """Discount factor of the horizon."""
    portfolio = play.formulation.portfolio
    frac = portfolio.policy.discount_frac_per_year
    return discount_factor(play.formulation.scene.clock.edges[-1], portfolio.as_of_at, frac)


def best_chip_hours(play: Play, workload: Workload, amount: float) -> float:
    """Accelerator-hours of the workload's best chip behind work, or behind a rate summed over hours."""
    rate = best_rate(play.formulation.scene, workload)
    per_hour = seconds_or_hours(workload) if isinstance(workload, TrainingRun) else 1.0
    return amount / (rate * per_hour)


def marginal_frame(play: Play, probability: Vector) -> pl.DataFrame:
    """Value of one more accelerator-hour in a pool and period at that time's money, expected over futures."""
    formulation = play.formulation
    scene = formulation.scene
    count = len(scene.blocks.names)
    parts = []
    for pool, start in formulation.pool_rows.items():
        duals = play.row_dual[:, start : start + scene.periods * count].reshape(-1, scene.periods, count)
        value = np.maximum(0.0, -(probability @ duals.sum(axis=2)))
        per_hour = value * USD_PER_UNIT / ACCELERATORS_PER_UNIT / scene.clock.hours / scene.factors
        parts.append(
            frame(
                "marginal",
                {
                    **period_columns(play),
                    "pool": [pool] * scene.periods,
                    "usd_per_accelerator_hour": per_hour,
                },
            )
        )
    return stack("marginal", parts)


def period_columns(play: Play) -> dict[str, Any]:
    """The period, from_at and until_at columns of the whole grid."""
    periods = play.formulation.portfolio.periods
    return {
        "period": np.arange(len(periods)),
        "from_at": [moment(p.from_at) for p in periods],
        "until_at": [moment(p.until_at) for p in periods],
    }
