"""Walk-away prices are those that plain bisection by re-solving finds, and the decision flips there."""

from dataclasses import replace

import numpy as np
import pytest

from acreage.domain.plan import OfferVerdict
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import LoadBlock, ServingFleet
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.session import Session, Solved, with_price
from acreage.plan.verdicts import verdict_of
from acreage.units.instants import Duration
from acreage.units.money import MicroUsd
from tests.plan.audit_case import price
from tests.plan.tiny import Tiny, tiny
from tests.plan.tiny_draft import CHAT, EDGES, START

HALVINGS = 14


def session_of(case: Tiny, portfolio: Portfolio | None = None) -> Session:
    """A session with the reference engine at a fine gap."""
    return Session(
        portfolio=portfolio or case.portfolio,
        futures=case.futures,
        demand=case.demand,
        engine=WholeEngine(),
        gap_frac=1e-7,
    )


def solved(case: Tiny, number: int, factor: float) -> Solved:
    """The best plan at a factor of an offer's asked price."""
    offer = case.portfolio.offers[number]
    return session_of(case, with_price(case.portfolio, offer.id, factor)).solve()


def bisected(case: Tiny, number: int) -> float | None:
    """The factor of the asked price at which the offer leaves the plan, None if it is beyond 0.02 to 8."""
    offer = case.portfolio.offers[number].id
    low, high = 0.02, 8.0
    if not solved(case, number, low).blocks_of(offer) or solved(case, number, high).blocks_of(offer):
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if solved(case, number, middle).blocks_of(offer):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def verdicts(case: Tiny) -> list[tuple[int, OfferVerdict]]:
    """The verdict on every offer that is not barred, by number."""
    session = session_of(case)
    best = session.solve()
    return [
        (i, verdict_of(session, best, offer))
        for i, offer in enumerate(case.portfolio.offers)
        if offer.id not in session.base.choices.barred
    ]


CLOSE = 2e-3
"""Bisection's own step, as a share of the asked price, and the gaps of both sides."""


@pytest.mark.parametrize("seed", [0, 1, 2, 9, 10, 14, 17, 22, 24, 26])
def test_walk_away_prices_are_those_of_plain_bisection(seed: int) -> None:
    """The price at which the offer leaves the plan lies in the stated range."""
    case = tiny(seed)
    checked = 0
    for number, verdict in verdicts(case):
        plain = bisected(case, number)
        there = verdict.walk_away_usd_per_accelerator_hour
        if plain is None or there is None or verdict.others_kept:
            continue
        low, high = (price / verdict.asked_usd_per_accelerator_hour for price in (there.low, there.high))
        assert low - CLOSE <= plain <= high + CLOSE, f"seed {seed} {verdict}"
        assert there.low <= there.found <= there.high
        checked += 1
    assert checked > 0


@pytest.mark.parametrize("seed", [2, 9, 17, 29])
def test_what_an_offer_is_worth_is_what_the_plan_without_it_costs_more(seed: int) -> None:
    """The worth of a signed offer is a difference of two best costs, inside the stated range."""
    case = tiny(seed)
    session = session_of(case)
    best = session.solve()
    for _, verdict in verdicts(case):
        if not verdict.signed or verdict.worth_usd is None:
            continue
        offers = tuple(o for o in case.portfolio.offers if o.id != verdict.offer)
        offers = tuple(replace(o, requires=(), excludes=()) for o in offers)
        if any(o.requires or o.excludes for o in case.portfolio.offers):
            continue
        without = session_of(case, replace(case.portfolio, offers=offers)).solve()
        extra = without.range_usd.found - best.range_usd.found
        assert verdict.worth_usd.found == pytest.approx(extra, abs=10.0, rel=1e-3)


def newsvendor(quantiles: int, price_usd: float, worth_usd: float) -> Tiny:
    """One offer for one month, demand equally likely to be 1 to `quantiles` blocks of 100 accelerators."""
    case = tiny(0, only=True)
    base = case.portfolio
    period = base.periods[:1]
    fleet = base.workloads[0]
    assert isinstance(fleet, ServingFleet)
    fleet = replace(
        fleet,
        load_blocks=(LoadBlock(name="all", hours_frac=1.0, level_frac=1.0),),
        unmet_micro_usd_per_million=MicroUsd(round(worth_usd / (10.0 * 3600.0) * 1e12)),
        capabilities=fleet.capabilities[:1],
    )
    offer = replace(
        base.offers[0],
        accelerators_per_block=100,
        blocks_max=quantiles,
        start_until_at=START,
        term=Duration(days=int((EDGES[1] - EDGES[0]) / 86_400)),
        tiers=(),
        terms=replace(base.offers[0].terms, price=price(price_usd)),
    )
    portfolio = replace(
        base,
        periods=period,
        leases=(),
        offers=(offer,),
        workloads=(fleet,),
        policy=replace(base.policy, discount_frac_per_year=0.0, resale_frac=0.0),
    )
    plain = replace(case.futures[0], demand_factor={})
    futures = [plain]
    for k in range(quantiles):
        factor = {CHAT: np.array([float(k + 1)])}
        futures.append(replace(plain, name=f"d{k}", probability=1.0 / quantiles, demand_factor=factor))
    demand = {CHAT: np.array([1_000.0])}
    return replace(case, portfolio=portfolio, futures=tuple(futures), demand=demand)


@pytest.mark.parametrize("price_usd", [0.3, 1.1, 2.5, 3.7])
def test_newsvendor(price_usd: float) -> None:
    """One more block pays while the chance that it is needed is above price over worth (Arrow et al., 1951)."""
    quantiles, worth_usd = 10, 4.0
    case = newsvendor(quantiles, price_usd, worth_usd)
    best = session_of(case).solve()
    # P(demand > q) = 1 - q / n; block q + 1 pays while that exceeds price / worth.
    quantity = sum((1.0 - q / quantiles) * worth_usd > price_usd for q in range(quantiles))
    assert best.blocks_of(case.portfolio.offers[0].id) == quantity


def test_break_even_of_a_commitment_against_by_the_hour() -> None:
    """Where demand is there u of the time, a lease at a price pays while price < u x the price by the hour."""
    for used, asked in ((0.5, 1.4), (0.5, 1.7), (0.8, 2.4), (0.8, 2.6)):
        case = newsvendor(1, asked, 50.0)
        fleet = case.portfolio.workloads[0]
        assert isinstance(fleet, ServingFleet)
        blocks = (
            LoadBlock(name="on", hours_frac=used, level_frac=1.0),
            LoadBlock(name="off", hours_frac=1.0 - used, level_frac=0.0),
        )
        pools = dict(case.portfolio.pools)
        home = case.portfolio.offers[0].pool
        market = tiny(0, "on_demand", only=True).portfolio.pools[home].on_demand
        assert market is not None
        pools[home] = replace(pools[home], on_demand=replace(market, price=price(3.1)))
        portfolio = replace(case.portfolio, pools=pools, workloads=(replace(fleet, load_blocks=blocks),))
        best = session_of(case, portfolio).solve()
        assert best.blocks_of(portfolio.offers[0].id) == (1 if asked < used * 3.1 else 0)
