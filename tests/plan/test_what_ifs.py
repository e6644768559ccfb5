"""What a supplier, a rule or a term is worth lies in the stated range; where no plan keeps the rules, that is said."""

from dataclasses import replace

import pytest

from acreage.domain.plan import WhatIf
from acreage.domain.portfolio import ShareCap
from acreage.domain.workload import ServingFleet
from acreage.plan.engines.decomposition import DecompositionEngine
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.problem import Infeasible
from acreage.plan.session import Change, Session, Solved
from acreage.plan.what_ifs import answer, questions, without_supplier
from acreage.units.ids import ProviderId
from tests.plan.tiny import Tiny, tiny

SEEDS = sorted({*range(24)} - {5, 12, 18})
"""Tiny portfolios for which there is a plan."""
TOLERANCE = 1e-6


def fine(case: Tiny) -> Session:
    """A session with the reference engine at a fine gap."""
    return Session(
        portfolio=case.portfolio, futures=case.futures, demand=case.demand, engine=WholeEngine(), gap_frac=1e-7
    )


def plain(session: Session, lost: ProviderId) -> float | None:
    """The best objective without a supplier, None if no plan keeps rules and promises."""
    try:
        solved: Solved = session.solve(Change(lost=frozenset({lost})))
    except Infeasible:
        return None
    return solved.range_usd.found if solved.broken_usd <= 1.0 else None


@pytest.mark.parametrize("seed", SEEDS)
def test_the_loss_of_a_supplier_lies_in_its_range(seed: int) -> None:
    """The decomposition's quick re-solve encloses what the reference engine finds."""
    case = tiny(seed)
    session = replace(fine(case), engine=DecompositionEngine(), gap_frac=1e-4)
    best, exact = session.solve(), fine(case)
    now = exact.solve().range_usd.found
    for provider in {pool.provider for pool in case.portfolio.pools.values()}:
        said = answer(session, best, without_supplier(provider))
        then = plain(exact, provider)
        if then is None:
            assert said is None or "set aside" in said.description
            continue
        assert said is not None
        assert "set aside" not in said.description
        slack = TOLERANCE * abs(now) + 1.0
        assert said.extra_usd.low - slack <= then - now <= said.extra_usd.high + slack


@pytest.mark.parametrize("seed", [3, 6, 11])
def test_lifting_a_rule_or_bettering_a_term_is_never_said_to_cost_a_rule_more(seed: int) -> None:
    """A rule lifted leaves the plan as it is at worst."""
    case = tiny(seed)
    session = replace(fine(case), engine=DecompositionEngine(), gap_frac=1e-4)
    best = session.solve()
    found = [answer(session, best, q) for q in questions(session, best) if q.kind == "rule"]
    worths: list[WhatIf] = [w for w in found if w is not None]
    assert all(w.extra_usd.found <= 1.0 for w in worths)


def test_a_promise_that_needs_a_supplier_is_set_aside_in_words() -> None:
    """Without a supplier that a promised fleet needs, its loss is stated all the same."""
    case = next(c for c in map(promised, SEEDS) if needed(c))
    session = fine(case)
    best = session.solve()
    assert best.broken_usd <= 1.0
    said = answer(session, best, without_supplier(needed(case)[0]))
    assert said is not None
    assert "set aside" in said.description


def promised(seed: int) -> Tiny:
    """A tiny portfolio whose fleets are promises."""
    case = tiny(seed)
    workloads = tuple(replace(w, must=True) if isinstance(w, ServingFleet) else w for w in case.portfolio.workloads)
    return replace(case, portfolio=replace(case.portfolio, workloads=workloads))


def needed(case: Tiny) -> list[ProviderId]:
    """The suppliers without whom promises cannot be kept that are kept with them."""
    session = fine(case)
    try:
        if session.solve().broken_usd > 1.0:
            return []
    except Infeasible:
        return []
    providers = sorted({pool.provider for pool in case.portfolio.pools.values()})
    return [provider for provider in providers if plain(session, provider) is None]


def test_share_caps_are_lifted_one_at_a_time() -> None:
    """Each cap is a question of its own."""
    case = tiny(0)
    caps = (
        ShareCap(level="supplier", share_max_frac=0.9, from_at=case.portfolio.as_of_at),
        ShareCap(level="supplier", share_max_frac=0.8, from_at=case.portfolio.as_of_at),
    )
    portfolio = replace(case.portfolio, policy=replace(case.portfolio.policy, share_caps=caps))
    session = replace(fine(case), portfolio=portfolio)
    asked = [q for q in questions(session, fine(case).solve()) if q.subject.startswith("share cap")]
    assert [len(q.portfolio.policy.share_caps) for q in asked if q.portfolio] == [1, 1]
