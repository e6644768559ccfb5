"""Training in the second stage: work done, what lateness costs without backlog rows, gangs and their gates."""

from collections.abc import Mapping

import numpy as np

from acreage.domain.workload import Capability, TrainingRun
from acreage.plan.formulate.first_stage import eligible_pools, is_gang
from acreage.plan.formulate.layout import RecourseBuilder, UseKind
from acreage.plan.formulate.recourse import (
    HARD_USD_PER_HOUR,
    Limit,
    Scene,
    best_rate,
    capacity_row,
    gate_row,
    ported_share,
    spread_use,
)
from acreage.plan.problem import ACCELERATORS_PER_UNIT, USD_PER_UNIT, Vector
from acreage.pricing.present_value import discount_factor
from acreage.units.ids import PoolId
from acreage.units.instants import SECONDS_PER_DAY
from acreage.units.money import usd


def lateness_value(scene: Scene, run: TrainingRun) -> tuple[Vector, float]:
    """Value (T,) of doing all the work in a period rather than never, and the cost of never doing it.

    c_t is what a period costs while all work is undone; v_t = sum of c_t' from t on, plus the
    last sum for a run that is never finished (docs/why/the-model.md).
    """
    clock = scene.clock
    late_days = np.maximum(0.0, clock.edges[1:] - np.maximum(clock.edges[:-1], run.deadline_at)) / SECONDS_PER_DAY
    cost = usd(run.late_micro_usd_per_day) * late_days * scene.factors / USD_PER_UNIT
    frac = scene.portfolio.policy.discount_frac_per_year
    end = discount_factor(clock.edges[-1], scene.portfolio.as_of_at, frac)
    last = usd(run.unfinished_micro_usd) * end / USD_PER_UNIT
    return np.cumsum(cost[::-1])[::-1] + last, float(cost.sum() + last)


def hard_value(scene: Scene, run: TrainingRun) -> tuple[Vector, float]:
    """The same for a hard promise: all the work, whole periods up to the deadline, at a price that never pays."""
    if not run.must:
        return np.zeros(scene.periods), 0.0
    hours_of_best = work_hours(scene, run)
    price = hours_of_best * HARD_USD_PER_HOUR / USD_PER_UNIT
    in_time = scene.clock.share(scene.clock.edges[0], run.deadline_at)
    return price * (in_time > 1.0 - 1e-9).astype(np.float64), price


def seconds_or_hours(run: TrainingRun) -> float:
    """Units of work that rate 1 does in an hour: 3600 FLOP at 1 FLOP/s, 1 reference accelerator-hour."""
    return 3_600.0 if run.work_unit == "FLOP" else 1.0


def work_hours(scene: Scene, run: TrainingRun) -> float:
    """Accelerator-hours that the run's work takes on its best chip."""
    return run.work / (best_rate(scene, run) * seconds_or_hours(run))


def define_training(
    builder: RecourseBuilder,
    scene: Scene,
    pool_rows: Mapping[PoolId, int],
    run: TrainingRun,
) -> Vector:
    """Work done never exceeds the work; done early enough it saves the lateness it would cost.

    Returns the constants (S,): the cost of never doing any of it.
    """
    factor = np.array([[f.work_factor.get(run.id, 1.0)] for f in scene.futures])
    row = builder.add_rows(1, upper=factor)
    value, never = lateness_value(scene, run)
    hard, hard_never = hard_value(scene, run)
    constant = never * factor[:, 0]
    if scene.hard >= 0:
        constant[scene.hard] = hard_never
    open_share = scene.clock.share(run.release_at, scene.clock.edges[-1])
    for pool, capability in eligible_pools(scene.portfolio, run):
        usable = open_share * ported_share(scene, capability)
        if is_gang(run):
            _define_gang(builder, scene, pool_rows, run, pool, capability, usable, (value, hard), row)
        else:
            _define_elastic(builder, scene, pool_rows, run, pool, capability, usable, (value, hard), row)
    return np.asarray(constant)


def _work_per_unit(scene: Scene, run: TrainingRun, capability: Capability, hours: Vector) -> Vector:
    """Share of the run's base work that a thousand accelerators do in some hours."""
    return capability.rate_per_accelerator * seconds_or_hours(run) * ACCELERATORS_PER_UNIT * hours / run.work


def gang_width(scene: Scene, pool: PoolId, capability: Capability) -> float:
    """Most accelerators a run can use at once in a pool: its scale limit or the fabric's; inf if neither."""
    fabric = scene.portfolio.pools[pool].fabric_accelerators_max
    return min(float(capability.gang_max or np.inf), float(fabric or np.inf))


def _define_gang(
    builder: RecourseBuilder,
    scene: Scene,
    pool_rows: Mapping[PoolId, int],
    run: TrainingRun,
    pool: PoolId,
    capability: Capability,
    open_share: Vector,
    values: tuple[Vector, Vector],
    row: int,
) -> None:
    """A rigid gang runs flat over a period's blocks, in its home, where promised capacity holds it."""
    if gang_width(scene, pool, capability) < capability.gang_min:
        return
    period = np.flatnonzero(open_share > 0.0)
    done = _work_per_unit(scene, run, capability, scene.clock.hours[period])
    most_work = max(f.work_factor.get(run.id, 1.0) for f in scene.futures)
    width = np.minimum(gang_width(scene, pool, capability) / ACCELERATORS_PER_UNIT, most_work / done)
    use = builder.add(
        UseKind.RUN,
        run.id,
        pool,
        period=period,
        block=np.full(len(period), -1),
        cost=-values[0][period] * done,
        hard_cost=-values[1][period] * done,
        rate=capability.rate_per_accelerator,
    )
    columns = np.arange(use.start, use.stop)
    builder.put(row, columns, done)
    for block in range(len(scene.blocks.names)):
        builder.put(
            capacity_row(scene, pool_rows, pool, period, np.full(len(period), block)),
            columns,
            1.0,
        )
    home = scene.choices.homes[run.id, pool]
    builder.gate(columns, gate_row(scene, pool, period), capability.gang_min / ACCELERATORS_PER_UNIT)
    switches = np.array([scene.choices.gangs.get((run.id, pool, int(t)), home) for t in period])
    builder.couple_upper(columns, switches, width * open_share[period])


def _define_elastic(
    builder: RecourseBuilder,
    scene: Scene,
    pool_rows: Mapping[PoolId, int],
    run: TrainingRun,
    pool: PoolId,
    capability: Capability,
    open_share: Vector,
    values: tuple[Vector, Vector],
    row: int,
) -> None:
    """A run without a gang may use several pools and follow the blocks."""
    period, block = scene.grid
    done = _work_per_unit(scene, run, capability, scene.block_hours(period, block))
    most_work = max(f.work_factor.get(run.id, 1.0) for f in scene.futures)
    width = np.minimum(gang_width(scene, pool, capability) / ACCELERATORS_PER_UNIT, most_work / done)
    use = spread_use(
        builder,
        scene,
        pool_rows,
        run,
        pool,
        capability,
        Limit(values=width * open_share[period]),
        -values[0][period] * done,
        -values[1][period] * done,
    )
    builder.put(row, np.arange(use.start, use.stop), done)
