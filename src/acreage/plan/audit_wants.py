"""What workloads want in each future, derived anew: demand of fleets and shares, lateness of runs."""

import math

import numpy as np

from acreage.domain.workload import Capability, PortState, ResearchShare, ServingFleet, TrainingRun, Workload
from acreage.plan.audit_ground import Array, Ground
from acreage.pricing.present_value import discount_factor
from acreage.units.ids import PoolId
from acreage.units.instants import DAYS_PER_YEAR, SECONDS_PER_DAY, SECONDS_PER_HOUR, add_days
from acreage.units.money import usd

SECONDS_PER_YEAR = DAYS_PER_YEAR * SECONDS_PER_DAY


def wanted(ground: Ground, workload: ServingFleet | ResearchShare) -> Array:
    """Mean demand (S, T) in the workload's unit: the base's exact mean times the future's factor."""
    base = mean_demand(ground, workload)
    return np.array([base * np.asarray(f.demand_factor.get(workload.id, 1.0)) for f in ground.futures])


def mean_demand(ground: Ground, workload: ServingFleet | ResearchShare) -> Array:
    """Mean (T,) of a demand that grows by a yearly factor from each of its points."""
    if isinstance(workload, ResearchShare):
        points = [(float(workload.from_at), workload.accelerators)]
    else:
        points = sorted((float(p.from_at), p.rate) for p in workload.demand)
    stop_at = math.inf if workload.until_at is None else float(workload.until_at)
    growth = math.log(workload.growth_per_year) / SECONDS_PER_YEAR
    total = np.zeros(len(ground.hours))
    for i, (from_at, rate) in enumerate(points):
        until_at = min(points[i + 1][0] if i + 1 < len(points) else math.inf, stop_at)
        begin = np.clip(ground.begins, from_at, max(until_at, from_at))
        end = np.clip(ground.ends, from_at, max(until_at, from_at))
        if growth == 0.0:
            total += rate * (end - begin)
        else:
            # The antiderivative's difference, written so that it does not cancel for short periods.
            total += rate * np.exp(growth * (begin - from_at)) * np.expm1(growth * (end - begin)) / growth
    return np.asarray(total / (ground.ends - ground.begins))


def capability_in(ground: Ground, workload: Workload, pool: PoolId) -> Capability | None:
    """How a workload runs in a pool; None where it may not or cannot."""
    if pool not in ground.portfolio.pools or (workload.pools and pool not in workload.pools):
        return None
    chip = ground.portfolio.pools[pool].accelerator
    found = next((c for c in workload.capabilities if c.accelerator == chip), None)
    return None if found is None or found.port_state is PortState.NO else found


def open_frac(ground: Ground, workload: Workload, capability: Capability) -> Array:
    """Share of each period (T,) in which a workload may run on a chip: released, and ported if need be."""
    from_at = float(ground.begins[0])
    if capability.port_state is PortState.PORTABLE:
        made = {(p.workload, p.accelerator) for p in ground.outcome.decision.ports}
        if (workload.id, capability.accelerator) not in made:
            return np.zeros(len(ground.hours))
        from_at = max(from_at, add_days(ground.portfolio.as_of_at, capability.port_lead_days))
    ready = ground.overlap_frac(from_at, ground.horizon_at)
    if isinstance(workload, TrainingRun):
        # Release and port each bound the share, which is then no more than their product.
        ready = ready * ground.overlap_frac(workload.release_at, ground.horizon_at)
    return ready


def work_per_hour(run: TrainingRun, capability: Capability) -> float:
    """Work, in the run's unit, that one accelerator does in an hour."""
    return capability.rate_per_accelerator * (SECONDS_PER_HOUR if run.work_unit == "FLOP" else 1.0)


def done(ground: Ground, run: TrainingRun) -> Array:
    """Work done (S, T), in the run's unit."""
    total = np.zeros(ground.shape[:2])
    for (workload, pool), used in ground.runs.items():
        capability = capability_in(ground, run, pool) if workload == run.id else None
        if capability is not None:
            total += (used * ground.block_hours).sum(axis=2) * work_per_hour(run, capability)
    return total


def served(ground: Ground, workload: Workload) -> Array:
    """Rate served (S, T, B), in the workload's unit."""
    total = np.zeros(ground.shape)
    for (name, pool), used in ground.runs.items():
        capability = capability_in(ground, workload, pool) if name == workload.id else None
        if capability is not None:
            total += used * capability.rate_per_accelerator
    return total


def lateness_usd(ground: Ground, run: TrainingRun) -> tuple[Array, Array]:
    """Discounted cost (S,) of work late, and of work never done.

    In each period after the deadline the share still undone at its end costs the days late;
    at the horizon what is left costs its share of the last sum. Shares are of the base work.
    """
    frac, today = ground.portfolio.policy.discount_frac_per_year, ground.portfolio.as_of_at
    total = np.array([f.work_factor.get(run.id, 1.0) for f in ground.futures])
    undone = total[:, None] - np.cumsum(done(ground, run), axis=1) / run.work
    days = np.maximum(ground.ends - np.maximum(ground.begins, run.deadline_at), 0.0) / SECONDS_PER_DAY
    late = undone @ (usd(run.late_micro_usd_per_day) * days * ground.factors)
    last = usd(run.unfinished_micro_usd) * discount_factor(ground.horizon_at, today, frac)
    return late, undone[:, -1] * last


def unmet_usd(ground: Ground, workload: ServingFleet | ResearchShare) -> Array:
    """Undiscounted penalty (S, T) of what is not served."""
    if isinstance(workload, ServingFleet):
        level = ground.split.level[workload.id]
        unmet = wanted(ground, workload)[:, :, None] * level - served(ground, workload)
        millions = (unmet * ground.block_hours).sum(axis=2) * SECONDS_PER_HOUR / 1e6
        return np.asarray(usd(workload.unmet_micro_usd_per_million) * millions)
    short = (wanted(ground, workload) - served(ground, workload) @ ground.split.hours_frac) * ground.hours
    return np.asarray(usd(workload.unmet_micro_usd_per_accelerator_hour) * short)
