"""Trying every way of signing finds what the engines find, on hundreds of tiny portfolios with every rule."""

import numpy as np
import pytest

from acreage.plan.audit import audit
from acreage.plan.engines.decomposition import DecompositionEngine
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.evaluate import evaluate
from acreage.plan.play import play
from acreage.plan.problem import USD_PER_UNIT, Aim, Infeasible, Solution
from tests.plan.brute_force import BruteForce, Tried, allowed_decisions, brute_force, every_decision
from tests.plan.tiny import RULES, Tiny, tiny

CASES = 210
CHUNK = 15
GAP_FRAC = 1e-6
CLOSE = 3e-6
"""Twice the gap, and solver tolerance."""


def solved(force: BruteForce, engine: DecompositionEngine | WholeEngine) -> Solution | None:
    """The engine's answer; None if it says that there is none."""
    try:
        return engine.solve(force.formulation.problem, Aim(gap_frac=GAP_FRAC))
    except Infeasible:
        return None


@pytest.mark.parametrize("start", range(0, CASES, CHUNK))
def test_no_way_of_signing_is_better_than_the_engine_s(start: int) -> None:
    """The best of all allowed decisions costs what the engines' does, and the auditor agrees to the cent."""
    for seed in range(start, start + CHUNK):
        case = tiny(seed)
        force = brute_force(case)
        tried = list(force.every())
        best = min(tried, key=lambda found: found.objective, default=None)
        answer = solved(force, WholeEngine())
        assert (best is None) == (answer is None), f"seed {seed}: one of them finds no plan at all"
        if best is None or answer is None:
            continue
        near = pytest.approx(best.objective, rel=CLOSE, abs=CLOSE)
        assert answer.objective == near, f"seed {seed} {sorted(case.rules)}"
        assert answer.bound <= best.objective + CLOSE * abs(best.objective)
        assert np.isfinite(answer.bound)
        agrees_to_the_cent(case, force, best)
        agrees_to_the_cent(case, force, tried[seed % len(tried)])


def agrees_to_the_cent(case: Tiny, force: BruteForce, tried: Tried) -> None:
    """The auditor derives the same costs from the domain values alone, and doubts nothing."""
    played = play(force.formulation, tried.first)
    outcome = evaluate(played, -np.inf if played.broken > 0 else tried.objective * USD_PER_UNIT)
    doubts = [f for f in audit(case.portfolio, outcome, case.futures) if not _is_broken_promise(f.rule, played.broken)]
    assert doubts == [], f"{case.portfolio.name}: {doubts}"
    if played.broken == 0.0:
        assert outcome.figures.objective_usd == pytest.approx(tried.objective * USD_PER_UNIT, rel=1e-7, abs=0.5)


def _is_broken_promise(rule: str, broken: float) -> bool:
    """A decision taken at random may break a promise, which the auditor rightly doubts."""
    return broken > 0.0 and rule in ("must", "figures")


@pytest.mark.parametrize("start", range(0, 62, 31))
def test_engine_and_auditor_allow_the_same_decisions(start: int) -> None:
    """The first stage has a point for a decision just when the auditor finds no rule broken."""
    for seed in range(start, start + 31):
        case = tiny(seed)
        force = brute_force(case)
        allowed = list(allowed_decisions(case))
        for decision in every_decision(case.portfolio):
            assert bool(force.firsts(decision)) == (decision in allowed), f"seed {seed}: {decision}"


def test_every_commercial_rule_is_covered() -> None:
    """Each rule is in at least three of the portfolios tried."""
    cases = [tiny(seed).rules for seed in range(CASES)]
    assert {name: sum(name in rules for rules in cases) >= 3 for name in RULES} == dict.fromkeys(RULES, True)


LIMITS = (
    ("share_cap", ""),
    ("budget", ""),
    ("exclusivity_held", ""),
    ("first_refusal", ""),
    ("requires", ""),
    ("excludes", ""),
    ("survive_loss", "promise"),
    ("suppliers_min", ""),
    ("purchase_rule", ""),
    ("pledge_held", ""),
    ("recall", ""),
    ("outage", ""),
    ("gang", "loose_run"),
)
"""Rules that limit, each with what stands in its place where it does not."""


@pytest.mark.parametrize(("rule", "instead"), LIMITS)
def test_rules_that_limit_make_some_plan_dearer(rule: str, instead: str) -> None:
    """A rule that never changed a plan would not be tested by the brute force."""
    for seed in range(1000, 1030):
        case, free = tiny(seed, rule, only=True), tiny(seed, *filter(None, [instead]), only=True)
        with_rule, without = (solved(brute_force(c), WholeEngine()) for c in (case, free))
        assert without is not None
        if with_rule is None or with_rule.objective > without.objective * (1 + 1e-5):
            return
    pytest.fail(f"{rule} never matters")
