"""Finds a smallest set of demands and rules that cannot hold together, by leaving out one after another.

A set is checked as a small integer program: the first stage, and the base future in which
only broken promises cost anything. What would relax each member is found by bisection on it.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.conflict import Clash, Conflict
from acreage.domain.lease import Lease
from acreage.domain.portfolio import Budget, Portfolio, ShareCap
from acreage.domain.workload import ServingFleet, TrainingRun, Workload
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.formulate.formulate import formulate
from acreage.plan.play import play
from acreage.plan.problem import USD_PER_UNIT, Aim, FirstStage, Infeasible, Vector
from acreage.plan.session import BROKEN_USD, Session, Solved
from acreage.plan.tables import common_table
from acreage.units.ids import WorkloadId
from acreage.units.instants import iso_date
from acreage.units.money import MicroUsd, usd, usd_short

STEPS = 7
"""Bisection steps for what would relax a rule: within 1 % of the range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A demand or rule that could be part of a conflict: how to drop it, how to relax it by 0..1.

    `relax` makes the portfolio with the element relaxed by a share of its range, None if it
    can only be dropped; `relief` says in words what a share means.
    """

    name: str
    description: str
    place_key: str
    drop: Callable[[Portfolio], Portfolio]
    relax: Callable[[Portfolio, float], Portfolio] | None
    relief: Callable[[float], str]


def find_conflict(session: Session) -> Conflict | None:
    """A smallest conflicting set of the session's portfolio; None if a plan exists."""
    portfolio = session.portfolio
    elements = list(elements_of(portfolio))
    if _holds(session, portfolio):
        return None
    kept = list(elements)
    for element in elements:
        rest = [e for e in kept if e is not element]
        if not _holds(session, _without(portfolio, elements, rest)):
            kept = rest
    return Conflict(clashes=tuple(_clash(session, portfolio, elements, kept, e) for e in kept))


def _without(portfolio: Portfolio, elements: Iterable[Element], kept: list[Element]) -> Portfolio:
    """The portfolio with only the kept elements."""
    for element in elements:
        if element not in kept:
            portfolio = element.drop(portfolio)
    return portfolio


def keep_promises(session: Session) -> Solved | Conflict:
    """The best plan that keeps every promise, or the conflict that forbids one.

    For when the best plan found breaks a promise: perhaps none can keep it; else keeping it costs
    more than the penalty, as when a last accelerator needs a whole block, and the penalty is raised
    until keeping it pays, for every later solve of the session too.
    """
    found = find_conflict(session)
    if found is not None:
        return found
    base = session.base
    start = _keeping(session, session.portfolio)
    for times in HARDER:
        session.promise_weight = times
        solved = session.solve(aim=Aim(gap_frac=session.gap_frac, start=start))
        if play(base, solved.solution.first).broken * USD_PER_UNIT <= BROKEN_USD:
            break
    return solved


HARDER = (1e2, 1e4, 1e6)
"""How much dearer a broken promise is made, one after another, where breaking it would pay."""


def _holds(session: Session, portfolio: Portfolio) -> bool:
    """Whether some plan satisfies every rule and keeps every promise in the base future."""
    return _keeping(session, portfolio) is not None


def _keeping(session: Session, portfolio: Portfolio) -> Vector | None:
    """A first stage that satisfies every rule and keeps every promise in the base future, if there is one."""
    formulation = formulate(portfolio, session.futures[:1], _demand_of(session, portfolio))
    problem = formulation.problem
    only_promises = replace(
        problem,
        probability=np.zeros(len(problem.probability)),
        first=_without_costs(problem.first),
        risk_weight=0.0,
    )
    if formulation.scene.hard < 0:
        nothing = common_table(np.zeros(problem.recourse.matrix.shape[1]), futures=1)
        only_promises = replace(
            only_promises,
            anchor_weight=np.ones(1),
            recourse=replace(problem.recourse, cost=nothing, constant=np.zeros(1)),
        )
    try:
        solution = WholeEngine().solve(only_promises, Aim(gap_frac=1e-9))
    except Infeasible:
        return None
    return solution.first if solution.objective * USD_PER_UNIT < BROKEN_USD else None


def _demand_of(session: Session, portfolio: Portfolio) -> Mapping[WorkloadId, Vector]:
    """Base demand where promises are relaxed: the session's, by the share that is left of each claim."""
    asked = {w.id: _size_of(w) for w in session.portfolio.workloads}
    left = {w.id: _size_of(w) / asked[w.id] if asked[w.id] else 1.0 for w in portfolio.workloads}
    return {name: series * left.get(name, 1.0) for name, series in session.demand.items()}


def _size_of(workload: Workload) -> float:
    if isinstance(workload, TrainingRun):
        return workload.work
    if isinstance(workload, ServingFleet):
        return sum(point.rate for point in workload.demand)
    return workload.accelerators


def _without_costs(first: FirstStage) -> FirstStage:
    return replace(first, cost=np.zeros_like(first.cost))


def _clash(
    session: Session, portfolio: Portfolio, elements: list[Element], kept: list[Element], element: Element
) -> Clash:
    """One member with the least relaxation that lets the other members hold."""
    place = portfolio.places.get(element.place_key)
    core = _without(portfolio, elements, kept)
    if element.relax is None:
        relief = element.relief(1.0)
    elif not _holds(session, element.relax(core, 1.0)):
        relief = "no amount of it is enough: lift it"
    else:
        low, high = 0.0, 1.0
        for _ in range(STEPS):
            middle = (low + high) / 2
            if _holds(session, element.relax(core, middle)):
                high = middle
            else:
                low = middle
        relief = element.relief(high)
    return Clash(name=element.name, description=element.description, relief=relief, place=place)


def elements_of(portfolio: Portfolio) -> Iterable[Element]:
    """Every hard demand and every rule of a portfolio."""
    yield from (_promise(w) for w in portfolio.workloads if w.must)
    yield from _policy_elements(portfolio)
    yield from _offer_elements(portfolio)


def _promise(workload: Workload) -> Element:
    def drop(portfolio: Portfolio) -> Portfolio:
        return _with_workload(portfolio, replace(workload, must=False))

    def relax(portfolio: Portfolio, share: float) -> Portfolio:
        return _with_workload(portfolio, _smaller(workload, _kept(share)))

    if isinstance(workload, TrainingRun):
        what = f"all its work done by {iso_date(workload.deadline_at)}"
    else:
        what = "all its demand met in the base future"
    return Element(
        name=f"workload {workload.id}",
        description=f"must have {what}",
        place_key=workload.id,
        drop=drop,
        relax=relax,
        relief=lambda share: f"promise at most {_kept(share):.0%} of it",
    )


def _kept(share: float) -> float:
    """What a promise relaxed by a share keeps of it, in the whole percents that are shown."""
    return math.floor(100.0 * (1.0 - share) + 1e-9) / 100.0


def _smaller(workload: Workload, share: float) -> Workload:
    if isinstance(workload, TrainingRun):
        return replace(workload, work=max(workload.work * share, workload.work * 1e-6))
    if isinstance(workload, ServingFleet):
        return replace(workload, demand=tuple(replace(p, rate=p.rate * share) for p in workload.demand))
    return replace(workload, accelerators=workload.accelerators * share)


def _with_workload(portfolio: Portfolio, changed: Workload) -> Portfolio:
    workloads = tuple(changed if w.id == changed.id else w for w in portfolio.workloads)
    return replace(portfolio, workloads=workloads)


def _policy_elements(portfolio: Portfolio) -> Iterable[Element]:
    yield from (_cap_element(cap) for cap in portfolio.policy.share_caps)
    yield from (_budget_element(budget) for budget in portfolio.policy.budgets)
    survive = portfolio.policy.survive_loss_frac
    if survive is not None:
        yield Element(
            name="survive loss",
            description=f"{survive:.0%} of must-serve demand after the loss of any supplier",
            place_key="policy",
            drop=lambda p: replace(p, policy=replace(p.policy, survive_loss_frac=None)),
            relax=lambda p, x: replace(p, policy=replace(p.policy, survive_loss_frac=_lower(survive, x))),
            relief=lambda x: f"lower it to {_lower(survive, x):.1%}",
        )


def _cap_element(cap: ShareCap) -> Element:
    who = cap.member or f"each {cap.level.replace('_', ' ')}"
    return Element(
        name=f"share cap on {who}",
        description=f"at most {cap.share_max_frac:.0%} of firm capacity from {iso_date(cap.from_at)}",
        place_key="policy",
        drop=lambda p: _with_caps(p, cap, None),
        relax=lambda p, x: _with_caps(p, cap, _wider(cap, x)),
        relief=lambda x: f"raise it to {_wider(cap, x):.1%}",
    )


def _budget_element(budget: Budget) -> Element:
    return Element(
        name=f"budget from {iso_date(budget.from_at)}",
        description=f"at most {usd_short(usd(budget.limit_micro_usd))} until {iso_date(budget.until_at)}",
        place_key="policy",
        drop=lambda p: _with_budgets(p, budget, None),
        relax=lambda p, x: _with_budgets(p, budget, _raised(budget.limit_micro_usd, x)),
        relief=lambda x: f"raise it to {usd_short(usd(_raised(budget.limit_micro_usd, x)))}",
    )


def _wider(cap: ShareCap, share: float) -> float:
    """A cap relaxed by a share, in the tenths of a percent that are shown."""
    return math.ceil(1000.0 * (cap.share_max_frac + share * (1.0 - cap.share_max_frac)) - 1e-9) / 1000.0


def _lower(survive: float, share: float) -> float:
    """What must survive relaxed by a share, in the tenths of a percent that are shown."""
    return math.floor(1000.0 * survive * (1.0 - share) + 1e-9) / 1000.0


def _raised(limit: int, share: float) -> int:
    """A budget relaxed by a share: up to a hundredfold, finely at first, in the three digits that are shown."""
    raised = float(limit * 100.0**share)
    if raised <= 0.0:
        return limit
    step = 10.0 ** (math.floor(math.log10(raised)) - 2)
    return round(math.ceil(raised / step - 1e-9) * step)


def _with_caps(portfolio: Portfolio, cap: ShareCap, share: float | None) -> Portfolio:
    caps = []
    for found in portfolio.policy.share_caps:
        if found != cap:
            caps.append(found)
        elif share is not None:
            caps.append(replace(found, share_max_frac=share))
    return replace(portfolio, policy=replace(portfolio.policy, share_caps=tuple(caps)))


def _with_budgets(portfolio: Portfolio, budget: Budget, limit: int | None) -> Portfolio:
    budgets = []
    for found in portfolio.policy.budgets:
        if found != budget:
            budgets.append(found)
        elif limit is not None:
            budgets.append(replace(found, limit_micro_usd=MicroUsd(limit)))
    return replace(portfolio, policy=replace(portfolio.policy, budgets=tuple(budgets)))


def _offer_elements(portfolio: Portfolio) -> Iterable[Element]:
    """Clauses that forbid offers: exclusivity and first refusal held."""
    for lease in portfolio.leases:
        exclusive, refusal = lease.terms.exclusivity, lease.terms.first_refusal
        if exclusive is None and refusal is None:
            continue
        yield _clauses_element(lease)


def _clauses_element(lease: Lease) -> Element:
    free = replace(lease, terms=replace(lease.terms, exclusivity=None, first_refusal=None))
    return Element(
        name=f"clauses of lease {lease.id}",
        description="its exclusivity or first refusal keeps other offers from starting in time",
        place_key=lease.id,
        drop=lambda p: replace(p, leases=tuple(free if found.id == free.id else found for found in p.leases)),
        relax=None,
        relief=lambda _: "have it waived",
    )
