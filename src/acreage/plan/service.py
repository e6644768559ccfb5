"""What workloads want and get in an act's futures: arrays of demand, service and what the lack of it costs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from acreage.domain.workload import ResearchShare, ServingFleet, TrainingRun, Workload
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import UseKind
from acreage.plan.formulate.recourse import best_rate
from acreage.plan.formulate.training import seconds_or_hours
from acreage.plan.play import Act, uses_of
from acreage.plan.problem import Vector
from acreage.pricing.present_value import discount_factor
from acreage.units.instants import SECONDS_PER_DAY
from acreage.units.money import usd

NEGLIGIBLE_FRAC = 1e-9
"""A smaller share of demand or work missing is solver tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A workload in F futures and T periods: all (F, T), in its own unit, the penalty in undiscounted USD.

    Of a training run `demand` is all its work in every period, `served` what is done in it, `unmet` what is undone
    at the end of periods past the deadline; `undone_frac` is what is undone at each period's end, 0 for others.
    """

    workload: Workload
    demand: Vector
    served: Vector
    unmet: Vector
    penalty_usd: Vector
    undone_frac: Vector


def services_of(act: Act) -> tuple[Service, ...]:
    """Every workload's service."""
    return tuple(
        _trained(act, workload) if isinstance(workload, TrainingRun) else _steady(act, workload)
        for workload in act.formulation.portfolio.workloads
    )


def served_rate(act: Act, subject: str) -> Vector:
    """Mean rate (F, T) that a workload's use yields, in its unit."""
    scene = act.formulation.scene
    total = np.zeros((scene.periods, len(act.numbers)))
    for use in uses_of(act.formulation, UseKind.RUN, subject):
        share = np.where(use.block >= 0, scene.blocks.hours_frac[use.block], 1.0)
        np.add.at(total, use.period, (act.second[:, use.start : use.stop] * use.rate * share).T)
    return np.ascontiguousarray(total.T)


def _steady(act: Act, workload: ServingFleet | ResearchShare) -> Service:
    scene = act.formulation.scene
    base = scene.demand[workload.id]
    wanted = np.array([base * np.asarray(f.demand_factor.get(workload.id, 1.0)) for f in act.futures])
    if isinstance(workload, ServingFleet):
        wanted = wanted * float(scene.blocks.level[workload.id] @ scene.blocks.hours_frac)
    unmet = wanted - np.minimum(served_rate(act, workload.id), wanted)
    unmet[unmet <= NEGLIGIBLE_FRAC * wanted] = 0.0
    if isinstance(workload, ServingFleet):
        penalty = unmet * 3_600.0 * scene.clock.hours / 1e6 * usd(workload.unmet_micro_usd_per_million)
    else:
        penalty = unmet * scene.clock.hours * usd(workload.unmet_micro_usd_per_accelerator_hour)
    return Service(
        workload=workload,
        demand=wanted,
        served=wanted - unmet,
        unmet=unmet,
        penalty_usd=penalty,
        undone_frac=np.zeros_like(wanted),
    )


def _trained(act: Act, run: TrainingRun) -> Service:
    scene = act.formulation.scene
    days = late_days(act.formulation, run)
    work = run.work * np.array([f.work_factor.get(run.id, 1.0) for f in act.futures])[:, None]
    done = served_rate(act, run.id) * seconds_or_hours(run) * scene.clock.hours
    undone = np.maximum(0.0, work - np.cumsum(done, axis=1))
    undone[undone <= NEGLIGIBLE_FRAC * work] = 0.0
    penalty = undone / run.work * usd(run.late_micro_usd_per_day) * days
    if days[-1] > 0.0 or run.deadline_at >= scene.clock.edges[-1]:
        penalty[:, -1] += undone[:, -1] / run.work * usd(run.unfinished_micro_usd)
    return Service(
        workload=run,
        demand=np.repeat(work, len(days), axis=1),
        served=done,
        unmet=np.where(days > 0.0, undone, 0.0),
        penalty_usd=penalty,
        undone_frac=undone / run.work,
    )


def late_days(formulation: Formulation, run: TrainingRun) -> Vector:
    """Days (T,) of each period that lie past a run's deadline."""
    edges = formulation.scene.clock.edges
    return np.asarray(np.maximum(0.0, edges[1:] - np.maximum(edges[:-1], run.deadline_at)) / SECONDS_PER_DAY)


def penalties_usd(act: Act, services: Sequence[Service]) -> dict[str, Vector]:
    """Discounted costs (F,) of unmet demand, of lateness and of work never done."""
    formulation = act.formulation
    factors = formulation.scene.factors
    portfolio, edges = formulation.portfolio, formulation.scene.clock.edges
    last = discount_factor(edges[-1], portfolio.as_of_at, portfolio.policy.discount_frac_per_year)
    found = {kind: np.zeros(len(act.numbers)) for kind in ("unmet", "late", "unfinished")}
    for service in services:
        run = service.workload
        if isinstance(run, TrainingRun):
            days = late_days(formulation, run)
            found["late"] += service.undone_frac @ (days * factors) * usd(run.late_micro_usd_per_day)
            found["unfinished"] += service.undone_frac[:, -1] * usd(run.unfinished_micro_usd) * last
        else:
            found["unmet"] += service.penalty_usd @ factors
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacks:
    """What is wanted and lacking in each future (S,), in accelerator-hours of each workload's best chip.

    `wanted_hours` and `unmet_hours` are of serving and research, `work_hours` and `late_hours` of training.
    """

    wanted_hours: Vector
    unmet_hours: Vector
    work_hours: Vector
    late_hours: Vector


def lacks_of(act: Act, services: Sequence[Service]) -> Lacks:
    """Demand unmet and training work late in each of an act's futures."""
    wanted, unmet, work, late = (np.zeros(len(act.numbers)) for _ in range(4))
    hours = act.formulation.scene.clock.hours
    for service in services:
        workload = service.workload
        each = 1.0 / best_rate(act.formulation.scene, workload)
        if isinstance(workload, TrainingRun):
            in_time = late_days(act.formulation, workload) <= 0.0
            run_hours = service.demand[:, 0] * each / seconds_or_hours(workload)
            done = service.served[:, in_time].sum(axis=1)
            work += run_hours
            late += run_hours * np.maximum(0.0, 1.0 - done / service.demand[:, 0])
        else:
            wanted += service.demand @ hours * each
            unmet += service.unmet @ hours * each
    return Lacks(wanted_hours=wanted, unmet_hours=unmet, work_hours=work, late_hours=late)


def all_lacks(parts: Sequence[Lacks]) -> Lacks:
    """The lacks of one act after another."""
    return Lacks(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Lacks)})


def share(part: float, whole: float) -> float:
    """A part of a whole; 0 where there is nothing."""
    return part / whole if whole else 0.0
