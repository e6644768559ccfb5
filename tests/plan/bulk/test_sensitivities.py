"""What a moved price, date, demand or market changes is what an exact solve of the moved portfolio says."""

from dataclasses import replace

import numpy as np
import pytest

from acreage.domain.bulk import Lever, Sensitivity
from acreage.domain.plan import Decision, Port, Release, Signing
from acreage.plan.bulk.asked import Pending
from acreage.plan.bulk.differences import LINES_MAX, decision_changes
from acreage.plan.bulk.sensitivities import (
    delivery_sensitivities,
    demand_sensitivities,
    families,
    market_sensitivities,
    price_sensitivities,
    slipping_providers,
)
from acreage.plan.session import with_price
from acreage.plan.verdicts import verdict_of
from acreage.units.ids import OfferId, WorkloadId
from tests.plan.bulk.cases import CLOSE, inquiry_of, session_of
from tests.plan.tiny import Tiny, tiny

SEEDS = (1, 2, 6)


def case_of(seed: int) -> Tiny:
    """A tiny case with a market, a tail and no promises."""
    return tiny(seed, "tail_risk", "on_demand", "research", only=True)


def extra_of(case: Tiny, moved: Tiny) -> float:
    """How much more the moved case costs at best."""
    return session_of(moved).solve().range_usd.found - session_of(case).solve().range_usd.found


def agrees(found: Sensitivity, extra_usd: float, size_usd: float) -> None:
    """The answer is exact, and its range encloses the truth."""
    slack = CLOSE * abs(size_usd) + 1.0
    assert found.extra_usd is not None
    assert found.extra_usd.found == pytest.approx(extra_usd, abs=slack)
    assert found.extra_usd.low - slack <= extra_usd <= found.extra_usd.high + slack


@pytest.mark.parametrize("seed", SEEDS)
def test_prices(seed: int) -> None:
    """Each step of a price; without a verdict nothing is taken for granted."""
    case, inquiry = case_of(seed), inquiry_of(case_of(seed))
    for offer in case.portfolio.offers:
        steps = price_sensitivities(inquiry, offer, None)
        assert len(steps) == (4 if inquiry.best.blocks_of(offer.id) else 2)
        for found in steps:
            moved = replace(case, portfolio=with_price(case.portfolio, offer.id, 1.0 + found.step))
            agrees(found, extra_of(case, moved), inquiry.best.range_usd.found)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_offer_known_to_stay_out_is_not_solved(seed: int) -> None:
    """Where the walk-away price lies below the moved one, nothing changes; an exact solve agrees."""
    case, inquiry = case_of(seed), inquiry_of(case_of(seed))
    for offer in case.portfolio.offers:
        verdict = verdict_of(inquiry.session, inquiry.best, offer)
        before = inquiry.session.solves
        steps = price_sensitivities(inquiry, offer, verdict)
        assert inquiry.session.solves - before == sum("enters the plan" not in found.note for found in steps)
        for found in steps:
            moved = replace(case, portfolio=with_price(case.portfolio, offer.id, 1.0 + found.step))
            if "enters the plan" in found.note:
                assert extra_of(case, moved) >= -CLOSE * inquiry.best.range_usd.found - 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_demand(seed: int) -> None:
    """Every family by itself; less is never dearer."""
    case, inquiry = case_of(seed), inquiry_of(case_of(seed))
    assert set(families(case.portfolio)) == {"chat", "lab"}
    for family in families(case.portfolio):
        for found in demand_sensitivities(inquiry, family):
            demand = {k: s * (1.0 + found.step * (k == family)) for k, s in case.demand.items()}
            agrees(found, extra_of(case, replace(case, demand=demand)), inquiry.best.range_usd.found)
            assert found.extra_usd is not None
            assert found.extra_usd.found * found.step >= -1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_the_market(seed: int) -> None:
    """Prices and limits by the hour in every future."""
    case, inquiry = case_of(seed), inquiry_of(case_of(seed))
    ones = np.ones(len(case.portfolio.periods))
    for lever, name in ((Lever.MARKET_PRICE, "price_factor"), (Lever.MARKET_LIMIT, "limit_factor")):
        for found in market_sensitivities(inquiry, lever):
            futures = tuple(
                replace(
                    f, **{name: {pool: getattr(f, name).get(pool, ones) * found.step for pool in case.portfolio.pools}}
                )
                for f in case.futures
            )
            agrees(found, extra_of(case, replace(case, futures=futures)), inquiry.best.range_usd.found)


@pytest.mark.parametrize("also", [(), ("late_delivery",)])
def test_later_deliveries(also: tuple[str, ...]) -> None:
    """Every delivery of a provider, with and without a right to give late parts up."""
    for seed in SEEDS:
        case = tiny(seed, "tail_risk", *also, only=True)
        inquiry = inquiry_of(case)
        pending = tuple(
            Pending(source=o.id, provider=o.provider, index=i, due_at=o.start_from_at)
            for o in case.portfolio.offers
            for i in range(len(o.tranches))
        )
        for provider in slipping_providers(case.portfolio, inquiry.best, pending):
            keys = [(p.source, p.index) for p in pending if p.provider == provider]
            for found in delivery_sensitivities(inquiry, provider, pending):
                futures = tuple(
                    replace(
                        f, delay_days={**f.delay_days, **{k: f.delay_days.get(k, 0) + int(found.step) for k in keys}}
                    )
                    for f in case.futures
                )
                agrees(found, extra_of(case, replace(case, futures=futures)), inquiry.best.range_usd.found)


def signing(offer: str, blocks: int, start: int = 0) -> Signing:
    """A signing of so many blocks."""
    return Signing(
        offer=OfferId(offer),
        blocks=blocks,
        accelerators=8 * blocks,
        starts_at=start,
        ends_at=start + 1,
        extended=False,
        ends_early=False,
        price_frac=1.0,
    )


def test_decisions_differ_in_words() -> None:
    """What is signed, left, moved, released and ported; long lists are cut and counted."""
    port = Port(workload=WorkloadId("chat"), accelerator="TPU", cost_usd=1.0)
    before = Decision(
        signings=(signing("a", 1), signing("b", 2), signing("c", 1)), releases=(), homes=(), ports=(port,)
    )
    after = Decision(
        signings=(signing("b", 3), signing("c", 1, 86_400), signing("d", 1)),
        releases=(Release(lease="held", ends_at=0),),
        homes=(),
        ports=(),
    )
    assert decision_changes(before, after) == (
        "do not sign a",
        "sign 24 of b instead of 16",
        "sign c from 1970-01-02 to 1970-01-02 instead of 1970-01-01 to 1970-01-01",
        "sign 8 of d",
        "leave lease held on 1970-01-01",
        "do not port chat to TPU",
    )
    assert decision_changes(before, before) == ()
    many = Decision(signings=tuple(signing(f"o{i}", 1) for i in range(9)), releases=(), homes=(), ports=())
    none = Decision(signings=(), releases=(), homes=(), ports=())
    assert len(decision_changes(none, many)) == LINES_MAX
    assert decision_changes(none, many)[-1] == "and 4 more"
