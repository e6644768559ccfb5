"""Values of coalitions and changed terms in the plan, against trying every way of signing a tiny portfolio."""

from itertools import combinations

import pytest

from acreage.domain.auction import Direction
from acreage.flow.rfq_awarding import Values
from acreage.market.auctions.payments import core_payments, vcg
from acreage.plan.concessions import entered, nearest_with
from acreage.plan.engines import ENGINES
from acreage.plan.formulate.formulate import formulate
from acreage.plan.problem import USD_PER_UNIT, Infeasible
from acreage.plan.session import Session, with_price
from acreage.units.ids import BidderId, OfferId, ProviderId
from tests.plan.brute_force import BruteForce, Tried
from tests.plan.tiny import Tiny, tiny

SEEDS = range(24)


def session_on(case: Tiny) -> Session:
    """A session that solves to the end."""
    return Session(
        portfolio=case.portfolio, futures=case.futures, demand=case.demand, engine=ENGINES["whole"](), gap_frac=1e-9
    )


def best_without(tried: list[Tried], gone: frozenset[str]) -> float | None:
    """The best of all decisions that sign none of some offers, in USD."""
    costs = [t.objective for t in tried if not gone & {str(s.offer) for s in t.decision.signings}]
    return min(costs) * USD_PER_UNIT if costs else None


@pytest.mark.parametrize("seed", SEEDS)
def test_values_and_payments_are_those_of_every_way_of_signing(seed: int) -> None:
    """Every coalition's value, and from them every payment: each offer is a vendor here."""
    case = tiny(seed)
    session = session_on(case)
    try:
        best = session.solve()
    except Infeasible:
        return  # no plan keeps every rule
    tried = list(BruteForce(case=case, formulation=formulate(case.portfolio, case.futures, case.demand)).every())
    offers = [o.id for o in case.portfolio.offers]
    values = Values(
        session=session, best=best, offers={ProviderId(o): frozenset({o}) for o in offers}, tell=lambda step: None
    )
    for size in range(len(offers) + 1):
        for group in combinations(offers, size):
            gone = frozenset(map(str, group))
            value, expected = values.value_of(frozenset(map(BidderId, group))), best_without(tried, gone)
            assert (value is None) == (expected is None), gone
            if value is not None and expected is not None:
                assert -value / 1e6 == pytest.approx(expected, rel=1e-6, abs=1e-3), gone
    bids = {BidderId(o): 1_000_000_000 for o in offers if best.blocks_of(o)}
    for rule in (vcg, core_payments):
        for payment in rule(values.value_of, bids, Direction.REVERSE).payments:
            assert payment.paid_micro_usd >= payment.bid_micro_usd
    for payment in vcg(values.value_of, bids, Direction.REVERSE).payments:
        without = best_without(tried, frozenset({str(payment.bidder)}))
        if without is not None:
            surplus = without - min(t.objective for t in tried) * USD_PER_UNIT
            assert (payment.paid_micro_usd - payment.bid_micro_usd) / 1e6 == pytest.approx(surplus, abs=1e-2)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_of_terms_gains_what_trying_everything_finds(seed: int) -> None:
    """An offer at half its price: the gain of the best plan that has it."""
    case = tiny(seed)
    session = session_on(case)
    try:
        best = session.solve()
    except Infeasible:
        return  # no plan keeps every rule
    offer: OfferId = case.portfolio.offers[0].id
    changed = with_price(case.portfolio, offer, 0.5)
    start = nearest_with(session, best, offer)
    if start is None:
        return  # no plan can have the offer
    found = entered(session, best, start, changed, offer, large=True)
    force = BruteForce(case=case, formulation=formulate(changed, case.futures, case.demand))
    having = [t.objective for t in force.every() if offer in {s.offer for s in t.decision.signings}]
    if found is None or not having:
        return  # no plan that keeps its promises has it
    gain = best.range_usd.found - min(having) * USD_PER_UNIT
    assert found.gain_usd.found <= gain + 1e-3 * abs(best.range_usd.found)
    assert found.gain_usd.low <= gain + 1e-3
    assert found.gain_usd.high >= gain - 1e-3
