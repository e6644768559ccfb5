"""Cheapest first: offers in the order of their price per accelerator-hour until mean demand is covered.

No solver, no future, no risk: what a careful purchaser does on one sheet. Demand and capacity are put
side by side in effective FLOP/s, as share caps do, and what is promised counts as delivered.
"""

from dataclasses import replace

import numpy as np

from acreage.domain.lease import Offer
from acreage.domain.plan import Decision
from acreage.domain.workload import PortState, ServingFleet, TrainingRun, Workload
from acreage.plan.audit_decision import check_decision
from acreage.plan.audit_supply import holdings_of
from acreage.plan.decide import decision_of
from acreage.plan.formulate.capacity import firm
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import Column, ColumnKind
from acreage.plan.formulate.recourse import demand_in
from acreage.plan.formulate.training import seconds_or_hours
from acreage.plan.formulate.variants import Ending
from acreage.plan.problem import Vector
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.instants import SECONDS_PER_HOUR


def cheapest_first(formulation: Formulation, future: int) -> Decision:
    """The signings by price until the demand of a future (by number) is covered, each from its first day for its term.

    Of each offer so many blocks as cover what is missing on average while it runs, to the nearest; none if that is
    below its minimum. An offer that a rule on contracts forbids beside those already taken is passed over.
    """
    missing = needed(formulation, future) - held(formulation)
    waiting = sorted(
        formulation.portfolio.offers, key=lambda offer: (usd_per_accelerator_hour(offer.terms.price), offer.id)
    )
    found = Decision(signings=(), releases=(), homes=(), ports=())
    while True:
        for offer in waiting:
            taken = _taken(formulation, offer, missing)
            if taken is None:
                continue
            column, blocks = taken
            signings = decision_of(formulation, _alone(formulation, column, blocks)).signings
            tried = replace(found, signings=(*found.signings, *signings))
            if not any(check_decision(formulation.portfolio, tried, holdings_of(formulation.portfolio, tried))):
                break
        else:
            return found
        found, missing = tried, missing - blocks * _power(formulation, column)
        waiting.remove(offer)


def needed(formulation: Formulation, future: int) -> Vector:
    """Effective TFLOP/s (T,) that all work needs in a future, averaged over the chips it is ported to."""
    scene = formulation.scene
    need = np.zeros(scene.periods)
    for workload in formulation.portfolio.workloads:
        need += _tflops_per_rate(formulation, workload) * _wanted(formulation, workload, future)
    return need


def _wanted(formulation: Formulation, workload: Workload, future: int) -> Vector:
    """Mean rate (T,) wanted; the work of a run spread evenly from its release to its deadline."""
    scene = formulation.scene
    if isinstance(workload, TrainingRun):
        seconds = workload.deadline_at - workload.release_at
        work = workload.work * scene.futures[future].work_factor.get(workload.id, 1.0)
        rate = work / seconds_or_hours(workload) / (seconds / SECONDS_PER_HOUR)
        return np.asarray(rate * scene.clock.share(workload.release_at, workload.deadline_at))
    level = 1.0
    if isinstance(workload, ServingFleet):
        level = float(scene.blocks.level[workload.id] @ scene.blocks.hours_frac)
    return np.asarray(level * demand_in(scene, workload)[future])


def _tflops_per_rate(formulation: Formulation, workload: Workload) -> float:
    portfolio = formulation.portfolio
    chips = {pool.accelerator for pool in portfolio.pools.values()}
    each = [
        portfolio.effective_tflops[c.accelerator] / c.rate_per_accelerator
        for c in workload.capabilities
        if c.port_state is PortState.PORTED and c.accelerator in chips
    ]
    return sum(each) / len(each) if each else 0.0


def held(formulation: Formulation) -> Vector:
    """Firm effective TFLOP/s (T,) of what is held."""
    columns = formulation.choices.builder.columns
    given = [i for i, column in enumerate(columns) if column.kind is ColumnKind.HELD]
    return np.asarray(sum((_power(formulation, i) for i in given), np.zeros(formulation.scene.periods)))


def _power(formulation: Formulation, column: int) -> Vector:
    """Firm effective TFLOP/s (T,) of one unit of a column's source."""
    source, portfolio = formulation.choices.sources[column], formulation.portfolio
    tflops = portfolio.effective_tflops[portfolio.pools[source.pool].accelerator]
    return firm(formulation.scene.clock, source) * tflops


def _taken(formulation: Formulation, offer: Offer, missing: Vector) -> tuple[int, int] | None:
    """The column and the number of blocks to take of an offer; None if nothing of it helps."""
    ways = [(i, c) for i, c in enumerate(formulation.choices.builder.columns) if _is_plain(c, offer)]
    if not ways:
        return None
    first_at = min(c.variant.starts_at for _, c in ways if c.variant is not None)
    power = _power(formulation, next(i for i, c in ways if c.variant is not None and c.variant.starts_at == first_at))
    running, hours = power > 0.0, formulation.scene.clock.hours
    each = float(power @ hours)
    if each <= 0.0:
        return None
    blocks = min(round(float(missing[running] @ hours[running]) / each), offer.blocks_max)
    for i, column in ways:
        variant = column.variant
        assert variant is not None
        if variant.starts_at == first_at and variant.blocks_min <= blocks <= variant.blocks_max:
            return i, blocks
    return None


def _is_plain(column: Column, offer: Offer) -> bool:
    """Whether a column signs an offer for its term, not extended and not cut short."""
    return column.kind is ColumnKind.BLOCKS and column.subject == offer.id and column.detail == Ending.FULL


def _alone(formulation: Formulation, column: int, blocks: int) -> Vector:
    first = np.zeros(len(formulation.choices.builder.columns))
    first[column] = blocks
    return first
