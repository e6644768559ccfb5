"""Where a lessee stands on a planning day along a path: what it holds and did, and the portfolio it then plans with.

The standing is kept in the terms of the first planning day; `rolled_forward` makes of it the portfolio of a later one.
A run's true work is known once it has begun; a gang that has begun stays in its home.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.backtest import Seen
from acreage.domain.future import Future, Series
from acreage.domain.lease import Commitment, Delivery, Lease, Offer
from acreage.domain.portfolio import Portfolio, Stress
from acreage.domain.workload import Capability, PortState, ResearchShare, ServingFleet, TrainingRun, Workload
from acreage.plan.formulate.first_stage import is_gang
from acreage.plan.problem import Vector
from acreage.units.ids import AcceleratorName, CommitmentId, LeaseId, PoolId, WorkloadId
from acreage.units.instants import SECONDS_PER_DAY, Instant, add_days
from acreage.units.money import MicroUsd

DONE_FRAC = 1e-9
"""Less than this share of a run's work is rounding: the run is finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is held and done before the decision of the period number `period` of the first grid.

    `origins` names the offer that a lease was signed from; the path knows its deliveries by the offer. `done` is each
    run's work so far, in its unit; `ready_at` is when a port that was made can be used. `drawn` and `spent_by_budget`
    are micro-dollars.
    """

    period: int
    leases: tuple[Lease, ...]
    origins: Mapping[LeaseId, str]
    offers: tuple[Offer, ...]
    commitments: tuple[Commitment, ...]
    drawn: Mapping[CommitmentId, MicroUsd]
    spent_by_budget: tuple[int, ...]
    ready_at: Mapping[tuple[WorkloadId, AcceleratorName], Instant]
    homes: Mapping[WorkloadId, PoolId]
    done: Mapping[WorkloadId, float]


def first_standing(portfolio: Portfolio) -> Standing:
    """Where a portfolio begins."""
    return Standing(
        period=0,
        leases=portfolio.leases,
        origins={},
        offers=portfolio.offers,
        commitments=portfolio.commitments,
        drawn={c.id: c.spend.drawn_micro_usd for c in portfolio.commitments},
        spent_by_budget=(0,) * len(portfolio.policy.budgets),
        ready_at={},
        homes={},
        done={},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A planning day along a path: the portfolio to plan with, its base demand (T,), what was seen, what really comes.

    `comes` is the rest of the path in the terms of `portfolio`.
    """

    portfolio: Portfolio
    demand: Mapping[WorkloadId, Vector]
    seen: Seen
    comes: Future


def scene_at(first: Portfolio, demand: Mapping[WorkloadId, Vector], path: Future, standing: Standing) -> Scene:
    """The scene of a standing; `first` and `demand` are those of the first planning day, `path` too."""
    t = standing.period
    levels = {w: seen_level(path.demand_factor.get(w), t) for w in demand}
    portfolio = rolled_forward(first, path, standing)
    return Scene(
        portfolio=portfolio,
        demand={w: series[t:] * levels[w] for w, series in demand.items()},
        seen=_seen(portfolio, path, standing),
        comes=rest_of(first, path, standing, levels),
    )


def seen_level(factor: Series | None, period: int) -> float:
    """The factor seen last before a period; one that was 0 says nothing of what comes, then the one before it."""
    seen = np.ones(0) if factor is None else np.asarray(factor)[:period]
    seen = seen[seen > 0.0]
    return float(seen[-1]) if len(seen) else 1.0


def rolled_forward(first: Portfolio, path: Future, standing: Standing) -> Portfolio:
    """The portfolio of a later planning day: periods past are gone, what was signed is held, windows have shrunk."""
    periods = first.periods[standing.period :]
    today = periods[0].from_at
    policy, budgets = first.policy, zip(first.policy.budgets, standing.spent_by_budget, strict=True)
    left = tuple(
        replace(budget, limit_micro_usd=MicroUsd(max(0, budget.limit_micro_usd - spent)))
        for budget, spent in budgets
        if budget.until_at > today
    )
    workloads = (_workload(workload, path, standing, today) for workload in first.workloads)
    return replace(
        first,
        as_of_at=today,
        periods=periods,
        leases=tuple(_with_made(lease, path, standing, today) for lease in standing.leases if lease.ends_at >= today),
        commitments=tuple(
            replace(c, spend=replace(c.spend, drawn_micro_usd=standing.drawn[c.id])) for c in standing.commitments
        ),
        offers=tuple(offer for offer in standing.offers if _open(offer, today)),
        workloads=tuple(workload for workload in workloads if workload is not None),
        policy=replace(policy, budgets=left),
        stresses=tuple(_stress(stress, today) for stress in first.stresses),
    )


def _open(offer: Offer, today: Instant) -> bool:
    return offer.start_until_at >= today and (offer.expires_at is None or offer.expires_at >= today)


def _stress(stress: Stress, today: Instant) -> Stress:
    """A loss that was feared and has not come can still come, from today on."""
    later = {provider: Instant(max(at, today)) for provider, at in stress.lost_from_at.items()}
    return replace(stress, lost_from_at=later)


def delay_in(path: Future, standing: Standing, lease: Lease, index: int) -> int:
    """Days of delay of a lease's delivery along a path; its origin's, if it was signed from an offer."""
    return path.delay_days.get((standing.origins.get(lease.id, lease.id), index), 0)


def _with_made(lease: Lease, path: Future, standing: Standing, today: Instant) -> Lease:
    """The lease; what has been delivered can no longer be given up for lateness."""

    def made(index: int, delivery: Delivery) -> Delivery:
        if add_days(delivery.due_at, delay_in(path, standing, lease, index)) > today:
            return delivery
        return replace(delivery, terminable_after_days=None)

    return replace(lease, deliveries=tuple(made(i, delivery) for i, delivery in enumerate(lease.deliveries)))


def _workload(workload: Workload, path: Future, standing: Standing, today: Instant) -> Workload | None:
    """The workload as it is today: ports made, a run's rest; None for a run that is finished."""
    capabilities = tuple(_ported(workload.id, c, standing, today) for c in workload.capabilities)
    if not isinstance(workload, TrainingRun):
        level = seen_level(path.demand_factor.get(workload.id), standing.period)
        return _levelled(replace(workload, capabilities=capabilities), level)
    run = replace(workload, capabilities=capabilities, must=workload.must and workload.deadline_at > today)
    if not is_known(run, standing, today):
        return run
    left = work_left(run, path, standing)
    if left <= 0.0:
        return None
    part = left / run.work
    home = standing.homes.get(run.id)
    return replace(
        run,
        work=left,
        work_sd_frac=0.0,
        late_micro_usd_per_day=MicroUsd(round(run.late_micro_usd_per_day * part)),
        unfinished_micro_usd=MicroUsd(round(run.unfinished_micro_usd * part)),
        pools=(home,) if home is not None and is_gang(run) and standing.done.get(run.id, 0.0) > 0.0 else run.pools,
    )


def _levelled(workload: ServingFleet | ResearchShare, level: float) -> ServingFleet | ResearchShare:
    """The workload as it is expected today: what was seen last carries on."""
    if isinstance(workload, ResearchShare):
        return replace(workload, accelerators=workload.accelerators * level)
    return replace(workload, demand=tuple(replace(point, rate=point.rate * level) for point in workload.demand))


def is_known(run: TrainingRun, standing: Standing, today: Instant) -> bool:
    """Whether a run has begun along the path, and so its true work is known; on the first day only its estimate is."""
    return standing.period > 0 and run.release_at < today


def work_left(run: TrainingRun, path: Future, standing: Standing) -> float:
    """What a run that has begun still needs, in its unit."""
    whole = run.work * path.work_factor.get(run.id, 1.0)
    left = whole - standing.done.get(run.id, 0.0)
    return left if left > DONE_FRAC * whole else 0.0


def _ported(workload: WorkloadId, capability: Capability, standing: Standing, today: Instant) -> Capability:
    ready_at = standing.ready_at.get((workload, capability.accelerator))
    if ready_at is None:
        return capability
    if ready_at <= today:
        return replace(capability, port_state=PortState.PORTED)
    days = -((today - ready_at) // SECONDS_PER_DAY)
    return replace(capability, port_cost_micro_usd=MicroUsd(0), port_lead_days=days)


def _seen(portfolio: Portfolio, path: Future, standing: Standing) -> Seen:
    today = portfolio.as_of_at
    made: dict[tuple[str, int], int] = {}
    waited: dict[tuple[str, int], int] = {}
    for lease in portfolio.leases:
        for i, delivery in enumerate(lease.deliveries):
            days = delay_in(path, standing, lease, i)
            if delivery.due_at > today:
                continue
            if add_days(delivery.due_at, days) <= today:
                made[lease.id, i] = days
            else:
                waited[lease.id, i] = (today - delivery.due_at) // SECONDS_PER_DAY
    return Seen(
        delay_days=made,
        waited_days=waited,
        outages=tuple(outage for outage in path.outages if outage.from_at < today),
        recalled_at=_notified(portfolio, path, standing),
        price_level={pool: seen_level(f, standing.period) for pool, f in path.price_factor.items()},
        limit_level={pool: seen_level(f, standing.period) for pool, f in path.limit_factor.items()},
    )


def _notified(portfolio: Portfolio, path: Future, standing: Standing) -> dict[str, Instant]:
    """Recalls of held leases whose notice has been given; one before the right begins waits for it."""
    found = {}
    for lease in portfolio.leases:
        at = path.recalled_at.get(standing.origins.get(lease.id, lease.id))
        if at is None or lease.terms.recall is None:
            continue
        if max(at, lease.terms.recall.after.after(lease.starts_at)) <= portfolio.as_of_at:
            found[str(lease.id)] = at
    return found


def rest_of(first: Portfolio, path: Future, standing: Standing, levels: Mapping[WorkloadId, float]) -> Future:
    """The rest of a path in the terms of a standing: its leases by their ids, demand relative to the levels seen."""
    t = standing.period
    today = first.periods[t].from_at
    begun = {w.id for w in first.workloads if isinstance(w, TrainingRun) and is_known(w, standing, today)}
    delays, recalls = dict(path.delay_days), dict(path.recalled_at)
    for lease in standing.leases:
        origin = standing.origins.get(lease.id)
        if origin is None:
            continue
        for i in range(len(lease.deliveries)):
            delays[lease.id, i] = path.delay_days.get((origin, i), 0)
        if origin in path.recalled_at:
            recalls[lease.id] = path.recalled_at[origin]
    return replace(
        path,
        probability=1.0,
        demand_factor={w: np.asarray(f)[t:] / levels.get(w, 1.0) for w, f in path.demand_factor.items()},
        work_factor={run: factor for run, factor in path.work_factor.items() if run not in begun},
        delay_days=delays,
        price_factor={pool: np.asarray(f)[t:] for pool, f in path.price_factor.items()},
        limit_factor={pool: np.asarray(f)[t:] for pool, f in path.limit_factor.items()},
        recalled_at=recalls,
    )
