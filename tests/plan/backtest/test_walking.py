"""Whole lives of tiny portfolios under every commercial rule: sums, identities, and what an interrupt leaves."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from acreage.domain.finding import Finding
from acreage.domain.plan import Range
from acreage.plan.backtest.auditing import audit_walk, lived_of
from acreage.plan.backtest.hindsight import Valued, best_from, known_best, lost
from acreage.plan.backtest.walking import plan_on, summed_up, walk
from acreage.plan.formulate.money import handovers_in, losses_in
from acreage.plan.problem import USD_PER_UNIT
from acreage.pricing.invoice import charges
from acreage.pricing.present_value import discount_factor
from tests.plan.backtest.lived import SEEDS, Life, course_of, life, opening_of, quiet
from tests.plan.brute_force import brute_force
from tests.plan.tiny import tiny


@pytest.mark.parametrize("seed", SEEDS)
def test_hindsight_costs_add_up_to_the_regret(seed: int) -> None:
    """The telescoping identity: regrets sum to what re-planning cost more than foresight, none below zero."""
    told = life(seed).told
    regrets = [step.regret_usd for step in told.steps if step.regret_usd is not None]
    assert len(regrets) == len(told.steps)
    assert told.regret_usd is not None
    assert told.rolling_usd is not None
    assert told.foresight_usd is not None
    assert math.isclose(sum(r.found for r in regrets), told.regret_usd.found, abs_tol=1e-3)
    assert math.isclose(told.rolling_usd - told.foresight_usd.found, told.regret_usd.found, abs_tol=1e-3)
    for regret in (*regrets, told.regret_usd):
        assert -1e-3 <= regret.low <= regret.found + 1e-3
        assert regret.found <= regret.high + 1e-3
    # What is open in the months is open by the gaps of two solves each, and the whole lies within.
    assert sum(r.low for r in regrets) <= told.regret_usd.high + 1e-3
    assert told.regret_usd.low <= sum(r.high for r in regrets) + 1e-3


@pytest.mark.parametrize("seed", SEEDS)
def test_money_capacity_and_work_add_up_over_the_months(seed: int) -> None:
    """Neither the auditor of a month nor that of the life has a doubt, and kinds of cost add up to the cost."""
    one = life(seed)
    assert one.told.findings == ()
    total = math.fsum(lived_of(one.course, one.walked).cost_usd.values())
    assert one.told.rolling_usd is not None
    assert math.isclose(total, one.told.rolling_usd, rel_tol=1e-9, abs_tol=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_month_pays_what_is_invoiced_in_it(seed: int) -> None:
    """Where nothing is signed, left or given up, a month's leases cost the invoices of the month."""
    one = life(seed)
    for walked in one.walked:
        month = walked.month
        if month is None or walked.done.signed or walked.done.released or any(c.kept for c in month.contracts.values()):
            continue
        portfolio = walked.scene.portfolio
        until = one.course.portfolio.periods[month.after.period].from_at
        frac = portfolio.policy.discount_frac_per_year
        posted = [
            charge
            for contract in month.contracts.values()
            for charge in charges(
                contract.agreement,
                handovers_in(contract.source, walked.scene.comes, kept=contract.kept),
                losses_in(contract.source, walked.scene.comes),
            )
            if portfolio.as_of_at <= charge.posted_at < until
        ]
        due = math.fsum(c.micro_usd / 1e6 * discount_factor(c.posted_at, portfolio.as_of_at, frac) for c in posted)
        assert math.isclose(month.cost_usd["lease"], due, rel_tol=1e-9, abs_tol=0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_signed_is_held_from_then_on(seed: int) -> None:
    """Every signing becomes one lease of the next month; its offer is gone, and those it excludes."""
    one = life(seed)
    for before, after in zip(one.walked, one.walked[1:], strict=False):
        held = {lease.id for lease in after.standing.leases} - {lease.id for lease in before.standing.leases}
        assert len(held) == len(before.done.signed)
        signed = {signing.offer for signing in before.done.signed}
        open_offers = {offer.id for offer in after.scene.portfolio.offers}
        assert not signed & open_offers
        assert not {o for offer in one.course.portfolio.offers if offer.id in signed for o in offer.excludes} & (
            open_offers - signed
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_later_day_sees_the_path_as_it_is(seed: int) -> None:
    """Base demand of a day times what comes is the path's demand, and the first day's portfolio is the user's own."""
    one = life(seed)
    for walked in one.walked:
        t = walked.standing.period
        for workload, base in one.course.demand.items():
            comes = walked.scene.demand[workload] * walked.scene.comes.demand_factor[workload]
            assert np.allclose(comes, base[t:] * one.path.demand_factor[workload][t:], rtol=1e-12)
    first = opening_of(one.course, one.path).portfolio
    assert replace(first, leases=one.course.portfolio.leases) == one.course.portfolio


@pytest.mark.parametrize("seed", SEEDS[:12])
def test_hindsight_is_the_best_of_all_decisions(seed: int) -> None:
    """On the first day it is what trying every decision on the path finds, to the solver's gap."""
    case = tiny(seed)
    path = replace(case.futures[1], probability=1.0)
    base = replace(case.futures[0], probability=0.0)
    rules = (rule for p in case.portfolio.providers.values() for rule in p.purchase_rules)
    best = brute_force(replace(case, futures=(base, path))).best()
    if best is None or any(w.must for w in case.portfolio.workloads) or any(rule.lead_time_max for rule in rules):
        return
    course = replace(course_of(case), portfolio=case.portfolio)
    found = best_from(opening_of(course, path), base)
    cost_usd = best.objective * USD_PER_UNIT
    assert found.low <= cost_usd + 1.0
    assert math.isclose(found.found, cost_usd, rel_tol=6e-4, abs_tol=1.0)


def test_a_cut_walk_keeps_what_is_known() -> None:
    """Of a path cut short the months are told, their regrets but for the last, and nothing of the whole."""
    one = _longest()
    cut = summed_up(one.course, "cut", list(one.walked[:2]), {}, ())
    assert [step.at for step in cut.steps] == [step.at for step in one.told.steps[:2]]
    assert cut.rolling_usd is None
    assert cut.foresight_usd is None
    assert cut.steps[0].regret_usd is not None
    assert cut.steps[1].regret_usd is None
    assert summed_up(one.course, "cut", [], {}, ()).steps == ()


def _longest() -> Life:
    return max((life(seed) for seed in SEEDS[:8]), key=lambda one: len(one.walked))


def test_the_same_path_is_walked_the_same_way() -> None:
    """Nothing depends on when or how often it is run."""
    one = _longest()
    case = one.case
    course, path = course_of(case), one.path
    opening = plan_on(course, opening_of(course, path), quiet)
    again = summed_up(course, path.name, list(walk(course, path, opening, quiet)), {}, ())
    assert again.steps == one.told.steps


def test_the_auditor_of_a_life_sees_what_is_wrong() -> None:
    """A month told twice over, a lease counted wrongly and work done twice are each found."""
    seed = next(seed for seed in SEEDS if any(w.done.signed and w.month for w in life(seed).walked))
    one = life(seed)
    number = next(i for i, w in enumerate(one.walked) if w.done.signed and w.month)
    month = one.walked[number].month
    assert month is not None
    dearer = replace(month, cost_usd={**month.cost_usd, "lease": month.cost_usd["lease"] + 1e5})
    assert {f.rule for f in _tampered(one, number, month=dearer)} == {"lease"}
    twice = one.walked[number].done
    last = len(one.walked) - 1
    assert "signed_twice" in {f.rule for f in _tampered(one, last, done=twice)}
    starved = replace(month, rows={**month.rows, "service": month.rows["service"].with_columns(served=pl.lit(0.0))})
    assert "service" in {f.rule for f in _tampered(one, number, month=starved)}


def _tampered(one: Life, number: int, **changes: object) -> tuple[Finding, ...]:
    walked = list(one.walked)
    walked[number] = replace(walked[number], **changes)  # type: ignore[arg-type]
    return audit_walk(one.course, one.path, walked)


def test_a_better_continuation_counts_as_hindsight() -> None:
    """Where what was really done is cheaper than what a day's program found, it is the best known."""
    day = Range(low=90.0, found=100.0, high=100.0)
    valued = Valued(factor=1.0, best_usd=day, paid_usd=20.0)
    assert known_best([valued], Range(low=60.0, found=70.0, high=70.0)) == [Range(low=90.0, found=90.0, high=90.0)]
    assert known_best([valued], None) == [day]
    assert lost(Range(low=90.0, found=90.0, high=90.0), 20.0, Range(low=60.0, found=70.0, high=70.0)) == Range(
        low=0.0, found=0.0, high=0.0
    )
