"""Where no plan exists, the smallest set of demands and rules is named, and every relief named works."""

import re
from dataclasses import replace

import numpy as np
import pytest

from acreage.domain.conflict import Clash, Conflict
from acreage.domain.plan import Plan
from acreage.domain.portfolio import Budget, Portfolio, ShareCap, ShareLevel
from acreage.domain.workload import DemandPoint, ServingFleet
from acreage.plan.conflict import Element, elements_of, find_conflict, keep_promises
from acreage.plan.engines.responses import Responder
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.planner import Wishes, make_plan
from acreage.plan.play import play
from acreage.plan.problem import USD_PER_UNIT
from acreage.plan.session import BROKEN_USD, Session
from acreage.units.instants import Duration
from acreage.units.money import MicroUsd
from tests.plan.brute_force import brute_force
from tests.plan.tiny import Tiny, tiny
from tests.plan.tiny_draft import CHAT, EDGES


def session_of(case: Tiny) -> Session:
    """A session on a tiny portfolio."""
    return Session(
        portfolio=case.portfolio, futures=case.futures, demand=case.demand, engine=WholeEngine(), gap_frac=1e-6
    )


def can_be_kept(case: Tiny, portfolio: Portfolio) -> bool:
    """Whether, of all ways of signing, one keeps every rule and promise."""
    force = brute_force(replace(case, portfolio=portfolio))
    problem, hard = force.formulation.problem, force.formulation.scene.hard
    responder = Responder(problem.recourse)
    for tried in force.every():
        if hard < 0:
            return True
        for first in force.firsts(tried.decision):
            broken = responder.respond(first, [hard], gated=True)[0].cost + problem.recourse.constant[hard]
            if broken * USD_PER_UNIT < BROKEN_USD:
                return True
    return False


def promised(case: Tiny, rate: float, **policy: object) -> Tiny:
    """The fleet made a hard promise of a size, under other rules."""
    fleet = case.portfolio.workloads[0]
    assert isinstance(fleet, ServingFleet)
    hard = replace(fleet, must=True, demand=(DemandPoint(from_at=EDGES[0], rate=rate),))
    rules = replace(case.portfolio.policy, **policy)  # type: ignore[arg-type]
    portfolio = replace(case.portfolio, workloads=(hard, *case.portfolio.workloads[1:]), policy=rules)
    return replace(case, portfolio=portfolio, demand={**case.demand, CHAT: np.full(len(portfolio.periods), rate)})


CAP = ShareCap(level=ShareLevel.SUPPLIER, share_max_frac=0.3, from_at=EDGES[0])
BUDGET = Budget(from_at=EDGES[0], until_at=EDGES[2], limit_micro_usd=MicroUsd(200_000_000_000))
CONFLICTS = {
    "a promise that nothing can keep": promised(tiny(1), 1e6),
    "a promise that a clause and a budget forbid": promised(
        tiny(2, "exclusivity_held", "most_favored", only=True), 12_000.0, budgets=(BUDGET,)
    ),
    "a promise that a budget forbids": promised(tiny(3, only=True), 12_000.0, budgets=(BUDGET,)),
    "a cap that what is held breaks": replace(
        tiny(4, only=True),
        portfolio=replace(
            tiny(4, only=True).portfolio, policy=replace(tiny(4, only=True).portfolio.policy, share_caps=(CAP,))
        ),
    ),
    "survival without suppliers": promised(tiny(5, "survive_loss", only=True), 20_000.0, survive_loss_frac=0.9),
}


def drop(portfolio: Portfolio, elements: list[Element], names: set[str]) -> Portfolio:
    """The portfolio without some elements."""
    for element in elements:
        if element.name in names:
            portfolio = element.drop(portfolio)
    return portfolio


@pytest.mark.parametrize("name", CONFLICTS)
def test_the_conflict_is_real_and_smallest(name: str) -> None:
    """Together its members cannot hold; without any one of them, trying everything finds a plan."""
    case = CONFLICTS[name]
    found = find_conflict(session_of(case))
    assert found is not None
    named = {clash.name for clash in found.clashes}
    elements = list(elements_of(case.portfolio))
    others = {element.name for element in elements} - named
    core = drop(case.portfolio, elements, others)
    assert not can_be_kept(case, core)
    for clash in found.clashes:
        assert can_be_kept(case, drop(core, elements, {clash.name})), f"{clash.name} is not needed"


@pytest.mark.parametrize("name", CONFLICTS)
def test_every_relief_named_works(name: str) -> None:
    """Relaxing one member as its words say leaves a set that can hold."""
    case = CONFLICTS[name]
    found = find_conflict(session_of(case))
    assert found is not None
    named = {clash.name for clash in found.clashes}
    elements = list(elements_of(case.portfolio))
    core = drop(case.portfolio, elements, {element.name for element in elements} - named)
    for clash in found.clashes:
        promise = re.search(r"promise at most (\d+)%", clash.relief)
        if promise is not None:
            share = float(promise[1]) / 100.0
            less = replace(case, demand={name: series * share for name, series in case.demand.items()})
            element = next(e for e in elements if e.name == clash.name)
            assert element.relax is not None
            assert can_be_kept(less, element.relax(core, 1.0 - share)), clash
        else:
            assert can_be_kept(case, relaxed(core, elements, clash)), clash


def relaxed(core: Portfolio, elements: list[Element], clash: Clash) -> Portfolio:
    """The core with one member relaxed by the figure in its words, or dropped if they say so."""
    element = next(e for e in elements if e.name == clash.name)
    figure = re.search(r"([\d.]+)(%|[KMB]?) ?", clash.relief)
    if element.relax is None or "lift" in clash.relief or figure is None:
        return element.drop(core)
    value = float(figure[1]) * {"%": 0.01, "": 1.0, "K": 1e3, "M": 1e6, "B": 1e9}[figure[2].upper()]
    policy = core.policy
    if "share cap" in clash.name:
        policy = replace(policy, share_caps=tuple(replace(c, share_max_frac=value) for c in policy.share_caps))
    elif "budget" in clash.name:
        limit = MicroUsd(round(value * 1e6))
        policy = replace(policy, budgets=tuple(replace(b, limit_micro_usd=limit) for b in policy.budgets))
    else:
        policy = replace(policy, survive_loss_frac=value)
    return replace(core, policy=policy)


def test_no_conflict_where_there_is_a_plan() -> None:
    """Portfolios that brute force can sign have no conflict, and others have one."""
    for seed in range(0, 80, 2):
        case = tiny(seed)
        found = find_conflict(session_of(case))
        assert (found is None) == can_be_kept(case, case.portfolio), f"seed {seed}"


def test_a_promise_whose_last_accelerator_needs_a_whole_block_is_kept() -> None:
    """Where a broken promise would be cheaper than one more block, the block is signed all the same."""
    case = a_little_short()
    session = session_of(case)
    best = session.solve()
    assert play(session.base, best.solution.first).broken * USD_PER_UNIT > BROKEN_USD
    kept = keep_promises(session)
    assert not isinstance(kept, Conflict)
    assert play(session.base, kept.solution.first).broken * USD_PER_UNIT <= BROKEN_USD


def a_little_short() -> Tiny:
    """What is held serves all of the promise but for a hundredth of an accelerator."""
    case = tiny(3, only=True)
    offers = tuple(replace(o, term=Duration(months=8), start_until_at=EDGES[0]) for o in case.portfolio.offers)
    case = replace(case, portfolio=replace(case.portfolio, offers=offers))
    fleet = case.portfolio.workloads[0]
    assert isinstance(fleet, ServingFleet)
    peak = max(block.level_frac for block in fleet.load_blocks)
    held = case.portfolio.leases[0].deliveries[0].accelerators
    return promised(case, (held + 0.01) * 10.0 / peak)


@pytest.mark.parametrize("name", [*CONFLICTS, "a little short"])
def test_a_promise_never_ends_in_an_assertion(name: str) -> None:
    """Planning answers with a plan or a conflict, whatever is promised."""
    case = CONFLICTS.get(name) or a_little_short()
    made = make_plan(
        case.portfolio, case.futures, case.demand, Wishes(engine="whole", explain=False), lambda step: None
    )
    assert isinstance(made, Plan if name == "a little short" else Conflict)
