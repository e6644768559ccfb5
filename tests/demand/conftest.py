"""A small portfolio whose uncertain parts can be replaced one by one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from acreage.domain.lease import Delivery, Lease, Offer
from acreage.domain.portfolio import Period, Policy, Portfolio, Risk, Stress, Uncertainty
from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.domain.provider import DelayModel, Pool, Provider
from acreage.domain.terms import RecallRight, Terms, Tranche
from acreage.domain.workload import DemandPoint, ResearchShare, ServingFleet, TrainingRun
from acreage.units.ids import AcceleratorName, LeaseId, OfferId, PoolId, ProviderId, WorkloadId
from acreage.units.instants import Duration, Instant, add_months, instant
from acreage.units.money import MicroUsd

AS_OF = instant("2027-01-01")
H100 = AcceleratorName("H100")


def months(count: int) -> tuple[Period, ...]:
    return tuple(Period(from_at=add_months(AS_OF, i), until_at=add_months(AS_OF, i + 1)) for i in range(count))


def provider(name: str, **changes: Any) -> Provider:
    plain = Provider(
        id=ProviderId(name),
        name=name,
        equity_group="",
        delay=DelayModel(on_time_frac=0.2, median_days=60.0, p90_days=180.0),
        outages_per_year=0.5,
        outage_days=20.0,
        outage_lost_frac=0.6,
        purchase_rules=(),
    )
    return replace(plain, **changes)


def pool(name: str, of: str) -> Pool:
    return Pool(
        id=PoolId(name),
        provider=ProviderId(of),
        region="us",
        site="",
        accelerator=H100,
        fabric="ib",
        fabric_accelerators_max=None,
        on_demand=None,
        spot=None,
    )


def terms(recall: RecallRight | None = None) -> Terms:
    price = Price(
        basis=PriceBasis.ACCELERATOR_HOUR,
        amount_micro_usd=MicroUsd(2_000_000),
        provenance=Provenance(source="made up"),
    )
    return Terms(price=price, recall=recall)


def offer(name: str, of: str, in_pool: str, recall: RecallRight | None = None) -> Offer:
    return Offer(
        id=OfferId(name),
        provider=ProviderId(of),
        pool=PoolId(in_pool),
        product="",
        accelerators_per_block=8,
        blocks_min=1,
        blocks_max=10,
        start_from_at=instant("2027-04-01"),
        start_until_at=instant("2027-08-01"),
        term=Duration(months=24),
        tranches=(
            Tranche(share_frac=0.5, after=Duration()),
            Tranche(share_frac=0.5, after=Duration(months=6)),
        ),
        tiers=(),
        terms=terms(recall),
        commitment=None,
        excludes=(),
        requires=(),
        expires_at=None,
        provenance=Provenance(source="made up"),
    )


def fleet(name: str, family: str, sd: float = 0.4) -> ServingFleet:
    return ServingFleet(
        id=WorkloadId(name),
        rate_unit="tokens/s",
        demand=(DemandPoint(from_at=AS_OF, rate=1000.0),),
        until_at=None,
        growth_per_year=3.0,
        demand_sd_frac_per_year=sd,
        family=family,
        load_blocks=(),
        unmet_micro_usd_per_million=MicroUsd(1),
        n_minus_1_keep_frac=0.0,
        supplier_share_max_frac=1.0,
        must=False,
        capabilities=(),
        pools=(),
    )


def training(name: str) -> TrainingRun:
    return TrainingRun(
        id=WorkloadId(name),
        work=1e24,
        work_unit="FLOP",
        release_at=AS_OF,
        deadline_at=instant("2028-01-01"),
        late_micro_usd_per_day=MicroUsd(1),
        unfinished_micro_usd=MicroUsd(1),
        work_sd_frac=0.3,
        must=False,
        capabilities=(),
        pools=(),
    )


def research(name: str) -> ResearchShare:
    return ResearchShare(
        id=WorkloadId(name),
        accelerators=100.0,
        reference=H100,
        from_at=instant("2027-03-01"),
        until_at=instant("2028-01-01"),
        growth_per_year=1.0,
        unmet_micro_usd_per_accelerator_hour=MicroUsd(1),
        must=False,
        capabilities=(),
        pools=(),
    )


def _portfolio(**changes: Any) -> Portfolio:
    recall = RecallRight(after=Duration(months=3), notice_days=90, recalls_per_year=0.7)
    held = Lease(
        id=LeaseId("held"),
        provider=ProviderId("old-cloud"),
        pool=PoolId("old-pool"),
        starts_at=instant("2026-01-01"),
        ends_at=instant("2029-01-01"),
        deliveries=(
            Delivery(accelerators=100, due_at=instant("2026-01-01")),
            Delivery(accelerators=50, due_at=instant("2027-06-01")),
            Delivery(accelerators=-30, due_at=instant("2028-01-01")),
        ),
        terms=terms(),
    )
    plain = Portfolio(
        name="small",
        description="",
        as_of_at=AS_OF,
        periods=months(24),
        accelerators={},
        effective_tflops={},
        providers={ProviderId(n): provider(n) for n in ("old-cloud", "neocloud")},
        pools={
            PoolId("old-pool"): pool("old-pool", "old-cloud"),
            PoolId("new-pool"): pool("new-pool", "neocloud"),
        },
        leases=(held,),
        commitments=(),
        offers=(offer("recallable", "neocloud", "new-pool", recall),),
        workloads=(
            fleet("chat", "text"),
            fleet("code", "text"),
            fleet("video", "film"),
            training("run"),
            research("lab"),
        ),
        policy=Policy(
            discount_frac_per_year=0.1,
            risk=Risk(weight_frac=0.3, tail_frac=0.9),
            share_caps=(),
            survive_loss_frac=None,
            budgets=(),
            resale_frac=0.4,
            gap_frac=0.01,
        ),
        uncertainty=Uncertainty(
            futures=400,
            seed=7,
            demand_sd_frac_per_year=0.3,
            price_sd_frac_per_year=0.25,
            market_limit_sd_frac=0.4,
            tightness_weight_frac=0.5,
        ),
        stresses=(
            Stress(
                name="demand doubles and neocloud falls",
                probability_frac=0.05,
                demand_factor=2.0,
                late_days={ProviderId("old-cloud"): 90},
                lost_from_at={ProviderId("neocloud"): instant("2027-07-01")},
                market_price_factor=1.5,
                market_limit_factor=0.5,
            ),
        ),
        places={},
    )
    return replace(plain, **changes)


@pytest.fixture(scope="session")
def make_portfolio() -> Callable[..., Portfolio]:
    """A factory: the small portfolio with some fields replaced."""
    return _portfolio


@pytest.fixture
def make_offer() -> Callable[..., Offer]:
    """A factory of offers: name, provider, pool."""
    return offer


@pytest.fixture
def as_of_at() -> Instant:
    """The planning day of the small portfolio."""
    return AS_OF
