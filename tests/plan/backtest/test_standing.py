"""What a later day knows and plans with: runs begun, deliveries owed, ports made, money spent."""

from dataclasses import replace

import numpy as np

from acreage.domain.lease import Delivery
from acreage.domain.portfolio import Budget, Stress
from acreage.domain.terms import RecallRight
from acreage.domain.workload import PortState, TrainingRun
from acreage.plan.backtest.standing import first_standing, rolled_forward, scene_at, seen_level, work_left
from acreage.units.ids import LeaseId, ProviderId
from acreage.units.instants import Duration, add_days
from acreage.units.money import MicroUsd
from tests.plan.tiny import tiny
from tests.plan.tiny_draft import CHAT, EDGES, RUN, TPU


def test_a_run_that_has_begun_needs_its_true_work_less_what_is_done() -> None:
    """Its rest is late at the same cost a day and share; once done it is gone; before it begins it is an estimate."""
    case = tiny(0, "loose_run", only=True)
    run = next(w for w in case.portfolio.workloads if isinstance(w, TrainingRun))
    path = replace(case.futures[1], work_factor={RUN: 1.5})
    start = first_standing(case.portfolio)
    later = replace(start, period=1, done={RUN: 0.25 * run.work})
    assert np.isclose(work_left(run, path, later), 1.25 * run.work)
    rest = _run(rolled_forward(case.portfolio, path, later).workloads)
    assert rest is not None
    assert np.isclose(rest.work, 1.25 * run.work)
    assert np.isclose(rest.late_micro_usd_per_day, run.late_micro_usd_per_day * 1.25, atol=1.0)
    assert _run(rolled_forward(case.portfolio, path, start).workloads) == run
    assert _run(rolled_forward(case.portfolio, path, replace(later, done={RUN: 1.5 * run.work})).workloads) is None
    scene = scene_at(case.portfolio, case.demand, path, later)
    assert RUN not in scene.comes.work_factor


def _run(workloads: tuple[object, ...]) -> TrainingRun | None:
    return next((w for w in workloads if isinstance(w, TrainingRun)), None)


def test_a_gang_that_has_begun_stays_at_home() -> None:
    """Work done binds it to the pool; a home that was only planned does not."""
    case = tiny(0, "gang", only=True)
    pool = next(iter(case.portfolio.pools))
    path = case.futures[1]
    begun = replace(first_standing(case.portfolio), period=1, done={RUN: 1.0}, homes={RUN: pool})
    planned = replace(begun, done={})
    found = _run(rolled_forward(case.portfolio, path, begun).workloads)
    free = _run(rolled_forward(case.portfolio, path, planned).workloads)
    assert found is not None
    assert free is not None
    assert found.pools == (pool,)
    assert free.pools == ()


def test_deliveries_are_made_owed_or_to_come() -> None:
    """What came is known to the day, of what is owed only how long it has been waited for."""
    case = tiny(0, only=True)
    lease = case.portfolio.leases[0]
    due = [add_days(EDGES[0], days) for days in (3, 5, 40)]
    lease = replace(
        lease,
        id=LeaseId("new@x"),
        deliveries=tuple(Delivery(accelerators=10, due_at=at, terminable_after_days=9) for at in due),
    )
    path = replace(case.futures[1], delay_days={("new", 0): 4, ("new", 1): 60, ("new", 2): 7})
    standing = replace(first_standing(case.portfolio), period=1, leases=(lease,), origins={lease.id: "new"}, offers=())
    scene = scene_at(case.portfolio, case.demand, path, standing)
    assert scene.seen.delay_days == {(lease.id, 0): 4}
    assert scene.seen.waited_days == {(lease.id, 1): 26}
    assert [scene.comes.delay_days[lease.id, i] for i in range(3)] == [4, 60, 7]
    held = scene.portfolio.leases[0].deliveries
    assert [d.terminable_after_days for d in held] == [None, 9, 9]


def test_recalls_and_outages_are_known_once_they_are_there() -> None:
    """Notice given is known, one still to come is not; an outage is known from its first day."""
    case = tiny(0, "outage", only=True)
    lease = case.portfolio.leases[0]
    right = RecallRight(after=Duration(), notice_days=20, recalls_per_year=1.0)
    lease = replace(lease, terms=replace(lease.terms, recall=right))
    path = replace(case.futures[1], recalled_at={str(lease.id): add_days(EDGES[1], 2)})
    portfolio = replace(case.portfolio, leases=(lease,))
    start = first_standing(portfolio)
    early = scene_at(portfolio, case.demand, path, start).seen
    late = scene_at(portfolio, case.demand, path, replace(start, period=len(portfolio.periods) - 1)).seen
    assert early.recalled_at == {}
    assert early.outages == ()
    assert late.recalled_at == path.recalled_at if portfolio.periods[-1].from_at > EDGES[1] else {}
    assert late.outages == path.outages


def test_a_port_made_is_paid_and_then_there() -> None:
    """Until it is ready it costs nothing more and takes the rest of its lead; then the chip runs it."""
    case = tiny(0, "port", only=True)
    start = first_standing(case.portfolio)
    key = (CHAT, TPU)
    waiting = replace(start, period=1, ready_at={key: add_days(EDGES[1], 4)})
    ready = replace(start, period=1, ready_at={key: EDGES[1]})
    capability = _capability(rolled_forward(case.portfolio, case.futures[1], waiting))
    assert (capability.port_state, capability.port_cost_micro_usd, capability.port_lead_days) == (
        PortState.PORTABLE,
        0,
        4,
    )
    assert _capability(rolled_forward(case.portfolio, case.futures[1], ready)).port_state is PortState.PORTED


def _capability(portfolio):  # type: ignore[no-untyped-def]
    fleet = next(w for w in portfolio.workloads if w.id == CHAT)
    return next(c for c in fleet.capabilities if c.accelerator == TPU)


def test_budgets_shrink_offers_lapse_and_fears_stay() -> None:
    """Cash promised leaves less of a budget, a window passed closes, and a loss that has not come may still come."""
    case = tiny(0, only=True)
    budgets = (
        Budget(from_at=EDGES[0], until_at=EDGES[1], limit_micro_usd=MicroUsd(5)),
        Budget(from_at=EDGES[0], until_at=EDGES[2], limit_micro_usd=MicroUsd(100)),
    )
    stress = Stress(
        name="gone",
        probability_frac=0.1,
        demand_factor=1.0,
        late_days={},
        lost_from_at={ProviderId("gone"): EDGES[0]},
        market_price_factor=1.0,
        market_limit_factor=1.0,
    )
    portfolio = replace(case.portfolio, policy=replace(case.portfolio.policy, budgets=budgets), stresses=(stress,))
    offers = tuple(replace(o, start_until_at=at) for o, at in zip(portfolio.offers, EDGES, strict=False))
    portfolio = replace(portfolio, offers=offers)
    standing = replace(first_standing(portfolio), period=1, spent_by_budget=(5, 30))
    rolled = rolled_forward(portfolio, case.futures[1], standing)
    assert [b.limit_micro_usd for b in rolled.policy.budgets] == [70]
    assert dict(rolled.stresses[0].lost_from_at) == {ProviderId("gone"): EDGES[1]}
    assert [o.id for o in rolled.offers] == [portfolio.offers[1].id]
    assert rolled.as_of_at == EDGES[1]
    assert rolled.periods == portfolio.periods[1:]


def test_the_level_seen_is_the_last_that_says_anything() -> None:
    """Nothing seen is the base; a month without demand says nothing of the next."""
    assert seen_level(None, 3) == 1.0
    assert seen_level(np.array([2.0, 3.0, 4.0]), 0) == 1.0
    assert seen_level(np.array([2.0, 3.0, 4.0]), 2) == 3.0
    assert seen_level(np.array([2.0, 0.0, 4.0]), 2) == 2.0
