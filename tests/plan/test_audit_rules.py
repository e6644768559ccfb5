"""The auditor passes a small plan computed by hand and doubts every way of corrupting it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from acreage.domain.future import Future, Outage
from acreage.domain.plan import SCHEMAS, Home, Outcome, Port, Release
from acreage.domain.portfolio import Budget, Portfolio, ShareCap, ShareLevel
from acreage.domain.provider import PurchaseRule
from acreage.domain.terms import Exclusivity, FirstRefusal, PriceTier, Terms
from acreage.domain.workload import DemandPoint, PortState, ResearchShare
from acreage.plan.audit import audit, audit_report
from acreage.units.ids import OfferId, PoolId, WorkloadId
from acreage.units.instants import Duration, instant
from acreage.units.money import MicroUsd
from tests.plan.audit_case import (
    CHAT,
    DEAL,
    FEB,
    FUTURES,
    H100,
    HELD,
    JAN,
    MAR,
    NEW,
    OLD,
    OUTCOME,
    PORTFOLIO,
    RUN,
    SIGNING,
    USD,
    capability,
    frame,
    future,
    price,
)


def test_the_plan_worked_out_by_hand_passes() -> None:
    """No finding, and the totals are the hand-computed ones."""
    report = audit_report(PORTFOLIO, OUTCOME, FUTURES)
    assert report.findings == ()
    assert report.totals is not None
    assert report.totals.cost_usd.tolist() == [1_369_424.0, 1_443_882.0, 1_369_424.0]
    assert report.totals.objective_usd == 1_425_267.5


def rules(portfolio: Portfolio, outcome: Outcome, futures: tuple[Future, ...] = FUTURES) -> set[str]:
    return {finding.rule for finding in audit(portfolio, outcome, futures)}


def with_frame(name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Outcome:
    frames = dict(OUTCOME.frames)
    frames[name] = change(frames[name]).cast(dict(SCHEMAS[name]))  # type: ignore[arg-type]
    return replace(OUTCOME, frames=frames)


def with_value(name: str, column: str, row: int, value: Any) -> Outcome:
    def change(table: pl.DataFrame) -> pl.DataFrame:
        values = table[column].to_list()
        values[row] = value
        return table.with_columns(pl.Series(column, values, dtype=SCHEMAS[name][column]))

    return with_frame(name, change)


def with_row(name: str, *row: Any) -> Outcome:
    return with_frame(name, lambda table: pl.concat([table, frame(name, [row])]))


def decided(**changes: Any) -> Outcome:
    return replace(OUTCOME, decision=replace(OUTCOME.decision, **changes))


def signed(**changes: Any) -> Outcome:
    return decided(signings=(replace(SIGNING, **changes),))


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ("capacity", with_value("capacity", "accelerators", 0, 101.0)),
        ("capacity", with_value("capacity", "source", 0, "deal")),
        ("capacity", with_value("dispatch", "accelerators", 0, 100.1)),
        ("dispatch", with_value("dispatch", "accelerators", 0, -1.0)),
        ("dispatch", with_value("dispatch", "accelerators", 0, float("nan"))),
        ("dispatch", with_value("dispatch", "workload", 0, "nobody")),
        ("serving", with_value("dispatch", "accelerators", 4, 51.0)),
        ("service", with_value("dispatch", "accelerators", 4, 49.0)),
        ("service", with_value("service", "demand", 0, 999.0)),
        ("service", with_value("service", "unmet", 0, 1.0)),
        ("service", with_frame("service", lambda table: table.slice(1))),
        ("market", with_value("market", "accelerators", 0, 51.0)),
        ("market", with_value("market", "kind", 0, "spot")),
        ("market_price", with_value("market", "usd", 0, 44_639.9)),
        ("given_up", with_row("given_up", "down", "deal", 0, 0.5)),
        ("given_up", with_row("given_up", "up", "deal", 0, 1.5)),
        ("given_up", with_row("given_up", "up", "held", 3, 0.5)),
        ("cost", with_value("cost", "usd", 0, 2_312_640.02)),
        ("cost", with_value("cost", "probability", 1, 0.4)),
        ("cost", with_value("cost", "kind", 0, "bribe")),
        ("cost", with_row("cost", "down", 0.5, "mfc_credit", -1.0)),
        ("money", with_value("cash", "usd", 0, 148_800.02)),
        ("money", with_value("drawdown", "drawn_usd", 0, 150_001.0)),
        ("money", with_value("drawdown", "shortfall_usd", 0, 0.0)),
        ("drawdown", with_frame("drawdown", lambda table: table.head(2))),
        ("shares", with_value("shares", "share_frac", 1, 0.5)),
        ("shares", with_value("shares", "hhi", 1, 0.5)),
        ("shares", with_frame("shares", lambda table: table.slice(1))),
        ("frames", with_value("dispatch", "future", 0, "elsewhere")),
        ("frames", with_value("dispatch", "period", 0, 2)),
        ("frames", with_value("dispatch", "block", 0, "night")),
        ("frames", with_value("dispatch", "pool", 0, "nowhere")),
        ("home", decided(homes=())),
        ("home", decided(homes=(*OUTCOME.decision.homes, Home(workload=RUN.id, pool=PoolId("old-pool"))))),
        ("gang", with_value("dispatch", "period", 6, 0)),
        ("gang", with_value("dispatch", "accelerators", 6, 65.0)),
        ("work", with_value("dispatch", "accelerators", 6, 65.0)),
        ("must", with_value("dispatch", "accelerators", 0, 99.0)),
        ("signing", signed(offer=OfferId("unheard of"))),
        ("start_window", signed(starts_at=instant("2027-02-02"))),
        ("ending", signed(ends_at=instant("2028-01-31"))),
        ("ending", signed(ends_early=True)),
        ("ending", signed(extended=True)),
        ("quantity", signed(accelerators=60)),
        ("quantity", signed(blocks=1, accelerators=8)),
        ("quantity", signed(blocks=11, accelerators=88)),
        ("tier", signed(price_frac=0.9)),
        ("release", decided(releases=(Release(lease="held", ends_at=FEB),))),
        ("port", decided(ports=(Port(workload=CHAT.id, accelerator="H100", cost_usd=5.0),))),
        ("figures", replace(OUTCOME, figures=replace(OUTCOME.figures, cvar_usd=1_443_882.02))),
        ("figures", replace(OUTCOME, figures=replace(OUTCOME.figures, objective_usd=1_425_267.0))),
        ("figures", replace(OUTCOME, figures=replace(OUTCOME.figures, bound_usd=1_425_268.0))),
        ("figures", replace(OUTCOME, figures=replace(OUTCOME.figures, gap_frac=0.0))),
        ("figures", replace(OUTCOME, figures=replace(OUTCOME.figures, late_frac=1.5))),
    ],
)
def test_a_corrupted_plan_is_doubted(rule: str, outcome: Outcome) -> None:
    """Whatever is changed in the decision, a frame or a figure is found under its rule."""
    assert rule in rules(PORTFOLIO, outcome)


def with_policy(**changes: Any) -> Portfolio:
    return replace(PORTFOLIO, policy=replace(PORTFOLIO.policy, **changes))


def with_deal(**changes: Any) -> Portfolio:
    return replace(PORTFOLIO, offers=(replace(DEAL, **changes),))


def with_rule(**changes: Any) -> Portfolio:
    free = PurchaseRule(
        product="block",
        lead_time_min=None,
        lead_time_max=None,
        term_min=None,
        term_max=None,
        accelerators_max=None,
        cancellable=True,
        source="made up",
    )
    seller = replace(PORTFOLIO.providers[NEW], purchase_rules=(replace(free, **changes),))
    return replace(PORTFOLIO, providers={**PORTFOLIO.providers, NEW: seller})


def with_held(**terms: Any) -> Portfolio:
    return replace(PORTFOLIO, leases=(replace(HELD, terms=replace(HELD.terms, **terms)),))


def with_fleet(**changes: Any) -> Portfolio:
    return replace(PORTFOLIO, workloads=(replace(CHAT, **changes), RUN))


def with_run(**changes: Any) -> Portfolio:
    return replace(PORTFOLIO, workloads=(CHAT, replace(RUN, **changes)))


PORTABLE = replace(capability(10.0), port_state=PortState.PORTABLE)


@pytest.mark.parametrize(
    ("rule", "portfolio"),
    [
        (
            "share_cap",
            with_policy(share_caps=(ShareCap(level=ShareLevel.SUPPLIER, share_max_frac=0.6, from_at=FEB),)),
        ),
        ("survive_loss", with_policy(survive_loss_frac=0.7)),
        (
            "budget",
            with_policy(
                budgets=(Budget(from_at=FEB, until_at=instant("2027-04-01"), limit_micro_usd=MicroUsd(40_000 * USD)),)
            ),
        ),
        ("expired", with_deal(expires_at=instant("2026-12-01"))),
        ("excludes", with_deal(excludes=(DEAL.id,))),
        ("requires", with_deal(requires=(OfferId("other"),))),
        ("tier", with_deal(tiers=(PriceTier(blocks_min=8, price_frac=0.9),))),
        ("cost", with_deal(terms=Terms(price=price(1.01)))),
        ("lead_time", with_rule(lead_time_min=Duration(days=40))),
        ("lead_time", with_rule(lead_time_max=Duration(days=20))),
        ("term", with_rule(term_min=Duration(months=13))),
        ("term", with_rule(term_max=Duration(months=11))),
        ("quantity", with_rule(accelerators_max=63)),
        ("exclusivity", with_held(exclusivity=Exclusivity(until_at=instant("2027-02-02")))),
        ("first_refusal", with_held(first_refusal=FirstRefusal(until_at=MAR, response_days=32))),
        ("take_or_pay", replace(with_held(take_or_pay_frac=0.5))),
        ("n_minus_1", with_fleet(n_minus_1_keep_frac=0.1)),
        ("n_minus_1", with_fleet(supplier_share_max_frac=0.9)),
        ("place", with_fleet(pools=(PoolId("new-pool"),))),
        ("place", with_fleet(capabilities=(PORTABLE,))),
        ("cost", with_fleet(demand=(DemandPoint(from_at=JAN, rate=1001.0),))),
        ("gang", with_run(capabilities=(capability(1.0, gang_min=65, gang_max=64),))),
        ("gang", with_run(capabilities=(capability(1.0, gang_min=65, gang_max=None),))),
        ("place", with_run(release_at=MAR)),
        ("must", with_run(work=64.0 * 700, must=True)),
        ("cost", with_run(unfinished_micro_usd=MicroUsd(1001 * USD))),
    ],
)
def test_a_plan_that_breaks_a_rule_is_doubted(rule: str, portfolio: Portfolio) -> None:
    """The same plan under one more rule, or other terms, than it was made for."""
    outcome = OUTCOME
    if rule == "take_or_pay":
        outcome = with_row("market", "base", 0, "all", "old-pool", "held", 60.0, 89_280.0)
    assert rule in rules(portfolio, outcome)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("capacity", future("up", 0.5, 1.2, delay_days={("deal", 0): 8})),
        (
            "capacity",
            future("up", 0.5, 1.2, outages=(Outage(provider=OLD, from_at=JAN, until_at=FEB, lost_frac=0.1),)),
        ),
        ("market", future("up", 0.5, 1.2, limit_factor={PoolId("old-pool"): np.full(2, 0.3)})),
        ("market_price", future("up", 0.5, 1.2, price_factor={PoolId("old-pool"): np.full(2, 1.1)})),
        ("work", future("up", 0.5, 1.2, work_factor={RUN.id: 0.7})),
        ("service", future("up", 0.5, 1.3)),
    ],
)
def test_a_plan_played_in_another_future_is_doubted(rule: str, changed: Future) -> None:
    """Delays, outages, prices, limits, work and demand are those of the futures given."""
    assert rule in rules(PORTFOLIO, OUTCOME, (FUTURES[0], changed, FUTURES[2]))


def test_a_missing_frame_is_doubted_not_raised() -> None:
    """An outcome read from a file may lack one."""
    frames = {name: table for name, table in OUTCOME.frames.items() if name != "cash"}
    report = audit_report(PORTFOLIO, replace(OUTCOME, frames=frames), FUTURES)
    assert [finding.subject for finding in report.findings] == ["cash"]
    assert report.totals is None


OTHER = replace(DEAL, id=OfferId("other"), provider=OLD, pool=PoolId("old-pool"), terms=Terms(price=price(1.5)))


def test_an_exclusive_offer_forbids_the_other_one() -> None:
    """Signed together although one of them comes with exclusivity until after the other's start."""
    exclusive = replace(OTHER, terms=replace(OTHER.terms, exclusivity=Exclusivity(until_at=MAR)))
    both = decided(signings=(SIGNING, replace(SIGNING, offer=OTHER.id)))
    assert "exclusivity" in rules(replace(PORTFOLIO, offers=(DEAL, exclusive)), both)
    assert "exclusivity" not in rules(replace(PORTFOLIO, offers=(DEAL, OTHER)), both)


def test_the_most_favored_credit_is_a_quarter_of_the_fees_to_come() -> None:
    """1.50 against 2 USD from February on: a quarter of 334 days' fees, less half of 306 days' resale."""
    favored = replace(with_held(most_favoured=True), offers=(DEAL, OTHER))
    report = audit_report(favored, decided(signings=(SIGNING, replace(SIGNING, offer=OTHER.id))), FUTURES)
    assert report.totals is not None
    assert report.totals.by_kind["mfc_credit"].tolist() == [-4800 * (334 - 306 / 2) / 4] * 3


def test_a_research_share_may_not_get_more_than_it_wants() -> None:
    """Ten accelerators wanted, eleven given; of nine, only that the service frame leaves them out is doubted."""
    lab = ResearchShare(
        id=WorkloadId("lab"),
        accelerators=10.0,
        reference=H100,
        from_at=JAN,
        until_at=None,
        growth_per_year=1.0,
        unmet_micro_usd_per_accelerator_hour=MicroUsd(0),
        must=False,
        capabilities=(capability(1.0),),
        pools=(),
    )
    portfolio = replace(PORTFOLIO, workloads=(*PORTFOLIO.workloads, lab))
    assert "research" in rules(portfolio, with_row("dispatch", "down", 0, "all", "lab", "old-pool", 11.0))
    assert rules(portfolio, with_row("dispatch", "down", 0, "all", "lab", "old-pool", 9.0)) == {"service"}


def test_nothing_runs_on_a_chip_before_its_port_is_ready() -> None:
    """Ported for 5 USD and ready on February 10: all of January and a third of February are too early."""
    portfolio = with_fleet(capabilities=(PORTABLE,))
    found = rules(portfolio, decided(ports=(Port(workload=CHAT.id, accelerator="H100", cost_usd=5.0),)))
    assert {"place", "port", "cost"} <= found


def test_what_is_given_up_is_neither_capacity_nor_charged() -> None:
    """Seven days late, which allows leaving after five: all of the deal is given up in one future."""
    table = with_row("given_up", "up", "deal", 0, 1.0)
    report = audit_report(PORTFOLIO, table, FUTURES)
    assert "given_up" not in {finding.rule for finding in report.findings}
    assert {finding.row.split(",")[0] for finding in report.findings if finding.rule == "capacity"} == {"up"}
    assert report.totals is not None
    assert report.totals.by_kind["lease"][1] == 1_752_000.0
