"""A small plan worked out by hand: two months, a lease held, an offer signed, a fleet, a run, three futures."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from acreage.domain.accelerator import Accelerator
from acreage.domain.future import Future
from acreage.domain.lease import Commitment, Delivery, Lease, Offer
from acreage.domain.plan import SCHEMAS, Decision, Figures, Home, Outcome, Signing
from acreage.domain.portfolio import (
    Period,
    Policy,
    Portfolio,
    Risk,
    Uncertainty,
)
from acreage.domain.price import Price, PriceBasis, PriceKind, Provenance
from acreage.domain.provider import DelayModel, MarketAccess, Pool, Provider
from acreage.domain.terms import (
    Milestone,
    SpendCommitment,
    SpendKind,
    Terms,
    Tranche,
)
from acreage.domain.workload import (
    Capability,
    DemandPoint,
    LoadBlock,
    PortState,
    ServingFleet,
    TrainingRun,
)
from acreage.units.ids import AcceleratorName, CommitmentId, LeaseId, OfferId, PoolId, ProviderId, WorkloadId
from acreage.units.instants import Duration, instant, moment
from acreage.units.money import MicroUsd

JAN, FEB, MAR = instant("2027-01-01"), instant("2027-02-01"), instant("2027-03-01")
H100 = AcceleratorName("H100")
OLD, NEW = ProviderId("old"), ProviderId("new")
USD = 1_000_000


def price(usd: float, kind: PriceKind = PriceKind.CONTRACT) -> Price:
    return Price(
        basis=PriceBasis.ACCELERATOR_HOUR,
        amount_micro_usd=MicroUsd(round(usd * USD)),
        kind=kind,
        provenance=Provenance(source="made up"),
    )


def provider(name: ProviderId) -> Provider:
    return Provider(
        id=name,
        name=name,
        equity_group="",
        delay=DelayModel(on_time_frac=1.0, median_days=0.0, p90_days=0.0),
        outages_per_year=0.0,
        outage_days=0.0,
        outage_lost_frac=0.0,
        purchase_rules=(),
    )


def pool(name: str, of: ProviderId, on_demand: MarketAccess | None = None) -> Pool:
    return Pool(
        id=PoolId(name),
        provider=of,
        region="us",
        site="",
        accelerator=H100,
        fabric="ib",
        fabric_accelerators_max=None,
        on_demand=on_demand,
        spot=None,
    )


def capability(rate: float, gang_min: int = 1, gang_max: int | None = None) -> Capability:
    return Capability(
        accelerator=H100,
        rate_per_accelerator=rate,
        gang_min=gang_min,
        gang_max=gang_max,
        port_state=PortState.PORTED,
        port_cost_micro_usd=MicroUsd(5 * USD),
        port_lead_days=40,
        source="made up",
    )


HELD = Lease(
    id=LeaseId("held"),
    provider=OLD,
    pool=PoolId("old-pool"),
    starts_at=JAN,
    ends_at=instant("2028-01-01"),
    deliveries=(Delivery(accelerators=100, due_at=JAN),),
    terms=Terms(price=price(2.0)),
)
DEAL = Offer(
    id=OfferId("deal"),
    provider=NEW,
    pool=PoolId("new-pool"),
    product="block",
    accelerators_per_block=8,
    blocks_min=2,
    blocks_max=10,
    start_from_at=JAN,
    start_until_at=FEB,
    term=Duration(months=12),
    tranches=(Tranche(share_frac=1.0, after=Duration(), terminable_after_days=5),),
    tiers=(),
    terms=Terms(price=price(1.0)),
    commitment=None,
    excludes=(),
    requires=(),
    expires_at=None,
    provenance=Provenance(source="made up"),
)
CHAT = ServingFleet(
    id=WorkloadId("chat"),
    rate_unit="tokens/s",
    demand=(DemandPoint(from_at=JAN, rate=1000.0),),
    until_at=None,
    growth_per_year=1.0,
    demand_sd_frac_per_year=0.3,
    family="",
    load_blocks=(LoadBlock(name="all", hours_frac=1.0, level_frac=1.0),),
    unmet_micro_usd_per_million=MicroUsd(USD),
    n_minus_1_keep_frac=0.0,
    supplier_share_max_frac=1.0,
    must=True,
    capabilities=(capability(10.0),),
    pools=(),
)
RUN = TrainingRun(
    id=WorkloadId("run"),
    work=64.0 * 672,
    work_unit="H100-hour",
    release_at=JAN,
    deadline_at=MAR,
    late_micro_usd_per_day=MicroUsd(10 * USD),
    unfinished_micro_usd=MicroUsd(1000 * USD),
    work_sd_frac=0.0,
    must=False,
    capabilities=(capability(1.0, gang_min=32, gang_max=64),),
    pools=(),
)
PLEDGE = SpendCommitment(
    provider=OLD,
    starts_at=JAN,
    milestones=(Milestone(due_at=instant("2027-02-15"), cumulative_micro_usd=MicroUsd(200_000 * USD)),),
    drawn_micro_usd=MicroUsd(1_200 * USD),
    eligible=frozenset({SpendKind.LEASE}),
)
CHIP = Accelerator(
    name=H100,
    vendor="NVIDIA",
    architecture="Hopper",
    peak_dense_fp16_tflops=989.0,
    peak_dense_bf16_tflops=989.0,
    peak_dense_fp8_tflops=1979.0,
    hbm_gib=80.0,
    memory_type="HBM3",
    hbm_tb_per_s=3.35,
    scale_up_link="NVLink",
    scale_up_gb_per_s=900.0,
    scale_up_domain_accelerators=8,
    tdp_w=700.0,
    source="datasheet",
    notes="",
)
PORTFOLIO = Portfolio(
    name="two months",
    description="",
    as_of_at=JAN,
    periods=(Period(from_at=JAN, until_at=FEB), Period(from_at=FEB, until_at=MAR)),
    accelerators={H100: CHIP},
    effective_tflops={H100: 400.0},
    providers={OLD: provider(OLD), NEW: provider(NEW)},
    pools={
        PoolId("old-pool"): pool(
            "old-pool", OLD, MarketAccess(price=price(3.0, PriceKind.ON_DEMAND), accelerators_max=50)
        ),
        PoolId("new-pool"): pool("new-pool", NEW),
    },
    leases=(HELD,),
    commitments=(Commitment(id=CommitmentId("pledge"), spend=PLEDGE),),
    offers=(DEAL,),
    workloads=(CHAT, RUN),
    policy=Policy(
        discount_frac_per_year=0.0,
        risk=Risk(weight_frac=0.5, tail_frac=0.9),
        share_caps=(),
        survive_loss_frac=None,
        budgets=(),
        resale_frac=0.5,
        gap_frac=0.01,
    ),
    uncertainty=Uncertainty(
        futures=2,
        seed=1,
        demand_sd_frac_per_year=0.0,
        price_sd_frac_per_year=0.0,
        market_limit_sd_frac=0.0,
        tightness_weight_frac=0.0,
    ),
    stresses=(),
    places={},
)


def future(name: str, probability: float, demand: float, **changes: Any) -> Future:
    plain = Future(
        name=name,
        probability=probability,
        demand_factor={CHAT.id: np.full(2, demand)},
        work_factor={},
        delay_days={},
        price_factor={},
        limit_factor={},
        outages=(),
        recalled_at={},
    )
    return replace(plain, **changes)


FUTURES = (
    future("base", 0.0, 1.0),
    future("up", 0.5, 1.2, delay_days={("deal", 0): 7}),
    future("down", 0.5, 0.5),
)
SIGNING = Signing(
    offer=DEAL.id,
    blocks=8,
    accelerators=64,
    starts_at=FEB,
    ends_at=instant("2028-02-01"),
    extended=False,
    ends_early=False,
    price_frac=1.0,
)


def frame(name: str, rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(SCHEMAS[name]), orient="row")


def _frames() -> dict[str, pl.DataFrame]:
    """Every figure here is worked out by hand.

    Held: 100 x 2 USD x 365 days = 1,752,000 USD, half of 306 days resold: 734,400. Deal: 64 x 1 USD x
    365 days = 560,640 USD (7 days late: 549,888), half of 337 days resold: 258,816. Up: 20
    accelerators on demand at 3 USD; Feb 8 to 28 gives 48 of 64, so a quarter of the run is undone.
    Pledge: 148,800 USD invoiced on February 1 and 1,200 before, so 50,000 short of 200,000.
    """
    names = ("base", "up", "down")
    chat, width = {"base": 100.0, "up": 120.0, "down": 50.0}, {"base": 64.0, "up": 48.0, "down": 64.0}
    lease = {"base": 2_312_640.0, "up": 2_301_888.0, "down": 2_312_640.0}
    weight = {"base": 0.0, "up": 0.5, "down": 0.5}
    due_at = moment(instant("2027-02-15"))
    months = [(0, moment(JAN), moment(FEB)), (1, moment(FEB), moment(MAR))]
    old_share = 40 / 65.6
    hhi = old_share**2 + (1 - old_share) ** 2
    return {
        "dispatch": frame(
            "dispatch",
            [(f, t, "all", "chat", "old-pool", chat[f]) for f in names for t in (0, 1)]
            + [(f, 1, "all", "run", "new-pool", width[f]) for f in names],
        ),
        "market": frame(
            "market",
            [
                ("up", 0, "all", "old-pool", "on_demand", 20.0, 44_640.0),
                ("up", 1, "all", "old-pool", "on_demand", 20.0, 40_320.0),
            ],
        ),
        "given_up": frame("given_up", []),
        "capacity": frame(
            "capacity",
            [(f, t, "old-pool", "held", 100.0) for f in names for t in (0, 1)]
            + [(f, 1, "new-pool", "deal", width[f]) for f in names],
        ),
        "service": frame(
            "service",
            [(f, t, "chat", 10 * chat[f], 10 * chat[f], 0.0, "tokens/s", 0.0) for f in names for t in (0, 1)]
            + [(f, 1, "run", 43_008.0, 672 * width[f], 0.0, "H100-hour", 0.0) for f in names],
        ),
        "cost": frame(
            "cost",
            [(f, weight[f], "lease", lease[f]) for f in names]
            + [(f, weight[f], "salvage", -993_216.0) for f in names]
            + [(f, weight[f], "shortfall", 50_000.0) for f in names]
            + [("up", 0.5, "market", 84_960.0), ("up", 0.5, "unfinished", 250.0)],
        ),
        "cash": frame(
            "cash",
            [(f, 1, "lease", "held", 148_800.0) for f in names]
            + [(f, 1, "shortfall", "pledge", 50_000.0) for f in names]
            + [("up", 0, "market", "old-pool", 44_640.0), ("up", 1, "market", "old-pool", 40_320.0)],
        ),
        "drawdown": frame("drawdown", [(f, "pledge", due_at, 150_000.0, 200_000.0, 50_000.0) for f in names]),
        "shares": frame(
            "shares",
            [
                (*months[0], "supplier", "old", 40.0, 1.0, 1.0),
                (*months[1], "supplier", "old", 40.0, old_share, hhi),
                (*months[1], "supplier", "new", 25.6, 1 - old_share, hhi),
            ]
            + [
                (*month, level, member, power, 1.0, 1.0)
                for month, power in zip(months, (40.0, 65.6), strict=True)
                for level, member in (("chip_vendor", "NVIDIA"), ("site", ""), ("equity_group", ""))
            ],
        ),
    }


OUTCOME = Outcome(
    decision=Decision(
        signings=(SIGNING,),
        releases=(),
        homes=(Home(workload=RUN.id, pool=PoolId("new-pool")),),
        ports=(),
    ),
    figures=Figures(
        objective_usd=1_425_267.5,
        bound_usd=1_424_267.5,
        gap_frac=1000 / 1_425_267.5,
        base_usd=1_369_424.0,
        expected_usd=1_406_653.0,
        cvar_usd=1_443_882.0,
        unmet_frac=0.0,
        late_frac=0.125,
    ),
    frames=_frames(),
)
