"""Seeded portfolios of any size for the benchmark of planning at scale: S, M, L and XL, the same from the same seed.

No draw depends on the number of futures or periods, so that one instance can be planned over more futures or on a
finer grid. Runs are elastic and the objective is the expected cost, which every peer can solve; `rules.py` puts in
the other rules. Speeds, prices and volatilities are of the order of the price lists of 2026; none is measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from acreage.demand.futures import sample_futures
from acreage.domain.accelerator import Accelerator
from acreage.domain.lease import Commitment, Delivery, Lease, Offer
from acreage.domain.portfolio import Period, Policy, Portfolio, Risk, ShareCap, ShareLevel, Uncertainty
from acreage.domain.price import Price, PriceBasis, PriceKind, Provenance
from acreage.domain.provider import DelayModel, MarketAccess, Pool, Provider
from acreage.domain.terms import Milestone, PriceTier, SpendCommitment, SpendKind, Terms, Tranche
from acreage.domain.workload import Capability, DemandPoint, LoadBlock, PortState, ServingFleet, TrainingRun
from acreage.flow.planning import base_demands
from acreage.plan.formulate.formulate import Formulation, formulate
from acreage.units.ids import AcceleratorName, CommitmentId, LeaseId, OfferId, PoolId, ProviderId, WorkloadId
from acreage.units.instants import Duration, add_days, add_months, instant
from acreage.units.money import micro_usd

DAY_ONE = instant("2027-01-01")
MONTHS = 36
DAYS = 1_092
"""The horizon is three years: 36 calendar months, or 156 weeks that any other number of periods divides."""

SPEED = (1.0, 1.9, 2.6, 3.6, 1.4)
"""Accelerators of the first chip that one of each chip is worth, before a workload's own taste."""
USD_PER_HOUR = (2.0, 3.1, 3.9, 4.9, 2.3)
REGIONS = 2
TOKENS_PER_SECOND = 1_000.0
"""What a fleet serves on one accelerator of the first chip."""
MADE_UP = Provenance(source="drawn for the benchmark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is of everything; there are `chips` x 2 pools, each of one provider."""

    offers: int
    workloads: int
    periods: int
    futures: int
    chips: int
    providers: int


SIZES: Mapping[str, Size] = {
    "S": Size(offers=10, workloads=8, periods=36, futures=10, chips=4, providers=3),
    "M": Size(offers=40, workloads=30, periods=36, futures=100, chips=4, providers=5),
    "L": Size(offers=120, workloads=80, periods=156, futures=200, chips=5, providers=8),
    "XL": Size(offers=120, workloads=80, periods=156, futures=1_000, chips=5, providers=8),
}


def instance(size: Size, seed: int, *, futures: int | None = None, periods: int | None = None) -> Portfolio:
    """The portfolio of a size and seed, perhaps over another number of futures or periods."""
    rng = np.random.default_rng(seed)
    pools = _pools(size)
    fleets = [_fleet(rng, size, number) for number in range((size.workloads + 1) // 2)]
    runs = [_run(rng, size, number) for number in range(size.workloads // 2)]
    wanted = sum(fleet.demand[0].rate * fleet.growth_per_year**1.5 for fleet in fleets) / TOKENS_PER_SECOND
    offers = tuple(_offer(rng, size, pools, number) for number in range(size.offers))
    return Portfolio(
        name=f"{size.offers} offers, seed {seed}",
        description="",
        as_of_at=DAY_ONE,
        periods=_periods(periods or size.periods),
        accelerators={_chip(c): _accelerator(c) for c in range(size.chips)},
        effective_tflops={_chip(c): 400.0 * SPEED[c] for c in range(size.chips)},
        providers={_provider(p): _lessor(rng, p) for p in range(size.providers)},
        pools={pool.id: replace(pool, on_demand=_by_the_hour(pool, wanted / len(pools))) for pool in pools},
        leases=tuple(_lease(rng, pool, wanted / len(pools)) for pool in pools),
        commitments=tuple(_commitment(rng, offers, p) for p in range(size.providers)),
        offers=offers,
        workloads=(*fleets, *runs),
        policy=Policy(
            discount_frac_per_year=0.08,
            risk=Risk(weight_frac=0.0, tail_frac=0.9),
            share_caps=(
                ShareCap(
                    level=ShareLevel.SUPPLIER,
                    share_max_frac=0.6 if size.providers <= 3 else 0.45,
                    from_at=add_months(DAY_ONE, 12),
                ),
            ),
            survive_loss_frac=None,
            budgets=(),
            resale_frac=0.9,
            gap_frac=0.01,
        ),
        uncertainty=Uncertainty(
            futures=futures or size.futures,
            seed=seed,
            demand_sd_frac_per_year=0.33,
            price_sd_frac_per_year=0.25,
            market_limit_sd_frac=0.5,
            tightness_weight_frac=0.5,
        ),
        stresses=(),
        places={},
    )


def formulated(portfolio: Portfolio) -> Formulation:
    """The problem that every side of the benchmark is given."""
    return formulate(portfolio, sample_futures(portfolio), base_demands(portfolio))


def _periods(count: int) -> tuple[Period, ...]:
    if count == MONTHS:
        edges = [add_months(DAY_ONE, month) for month in range(MONTHS + 1)]
    else:
        edges = [add_days(DAY_ONE, round(DAYS * i / count)) for i in range(count + 1)]
    return tuple(Period(from_at=a, until_at=b) for a, b in pairwise(edges))


def _chip(number: int) -> AcceleratorName:
    return AcceleratorName(f"chip{number}")


def _provider(number: int) -> ProviderId:
    return ProviderId(f"provider{number}")


def _accelerator(chip: int) -> Accelerator:
    return Accelerator(
        name=_chip(chip),
        vendor=f"vendor{chip % 2}",
        architecture="",
        peak_dense_fp16_tflops=None,
        peak_dense_bf16_tflops=1_000.0 * SPEED[chip],
        peak_dense_fp8_tflops=None,
        hbm_gib=None,
        memory_type="",
        hbm_tb_per_s=None,
        scale_up_link="",
        scale_up_gb_per_s=None,
        scale_up_domain_accelerators=None,
        tdp_w=None,
        source="made up",
        notes="",
    )


def _lessor(rng: np.random.Generator, number: int) -> Provider:
    late = float(rng.uniform(20.0, 60.0))
    return Provider(
        id=_provider(number),
        name=_provider(number),
        equity_group="",
        delay=DelayModel(on_time_frac=float(rng.uniform(0.35, 0.65)), median_days=late, p90_days=3.0 * late),
        outages_per_year=0.1,
        outage_days=30.0,
        outage_lost_frac=0.5,
        purchase_rules=(),
    )


def _pools(size: Size) -> tuple[Pool, ...]:
    return tuple(
        Pool(
            id=PoolId(f"chip{number // REGIONS}-region{number % REGIONS}"),
            provider=_provider(number % size.providers),
            region=f"region{number % REGIONS}",
            site=f"site{number}",
            accelerator=_chip(number // REGIONS),
            fabric="ib",
            fabric_accelerators_max=None,
            on_demand=None,
            spot=None,
        )
        for number in range(size.chips * REGIONS)
    )


def _list_price(pool: Pool) -> float:
    return USD_PER_HOUR[int(pool.accelerator.removeprefix("chip"))]


def _price(usd_per_hour: float, kind: PriceKind = PriceKind.CONTRACT) -> Price:
    amount = micro_usd(round(usd_per_hour, 4))
    return Price(basis=PriceBasis.ACCELERATOR_HOUR, amount_micro_usd=amount, kind=kind, provenance=MADE_UP)


def _by_the_hour(pool: Pool, share: float) -> MarketAccess:
    """Nearly twice the list price for half of a pool's even share of demand."""
    return MarketAccess(price=_price(1.9 * _list_price(pool), PriceKind.ON_DEMAND), accelerators_max=round(0.5 * share))


def _offer(rng: np.random.Generator, size: Size, pools: tuple[Pool, ...], number: int) -> Offer:
    """A fifth can start within two months, the others in two years; two in five on one of several days."""
    mine = [pool for pool in pools if pool.provider == _provider(number % size.providers)]
    pool = mine[int(rng.integers(len(mine)))]
    early = number < max(3, size.offers // 5)
    start_at = add_days(DAY_ONE, round(float(rng.uniform(0.0, 60.0 if early else 0.7 * DAYS))))
    months = int(rng.choice([12, 18, 24, 36], p=[0.3, 0.2, 0.3, 0.2]))
    block = int(rng.choice([256, 512, 1_024, 2_048, 4_096], p=[0.15, 0.25, 0.3, 0.2, 0.1]))
    most = max(2, round(float(rng.uniform(4_000.0, 16_000.0)) / block))
    asked = _list_price(pool) * (1.0 - 0.06 * (months / 12 - 1)) * float(rng.uniform(0.8, 1.15))
    whole = Tranche(share_frac=1.0, after=Duration(), grace_days=30, late_discount_frac=0.2)
    halves = (replace(whole, share_frac=0.5), replace(whole, share_frac=0.5, after=Duration(months=3)))
    return Offer(
        id=OfferId(f"offer{number:03d}"),
        provider=pool.provider,
        pool=pool.id,
        product="block",
        accelerators_per_block=block,
        blocks_min=max(1, most // 8),
        blocks_max=most,
        start_from_at=start_at,
        start_until_at=add_days(start_at, 45) if rng.random() < 0.4 else start_at,
        term=Duration(months=months),
        tranches=halves if rng.random() < 0.2 else (whole,),
        tiers=(PriceTier(blocks_min=most // 2 + 1, price_frac=0.93),) if rng.random() < 0.5 else (),
        terms=Terms(price=_price(asked), prepayment_frac=float(rng.choice([0.0, 0.1]))),
        commitment=None,
        excludes=(),
        requires=(),
        expires_at=None,
        provenance=MADE_UP,
    )


def _lease(rng: np.random.Generator, pool: Pool, share: float) -> Lease:
    """What is held beyond the horizon: a lease a pool, of the same power in each, a third of it still to come.

    Without it share caps would forbid whatever lease ends last.
    """
    accelerators = round(0.1 * share / SPEED[int(pool.accelerator.removeprefix("chip"))])
    signed_at, due_at = add_months(DAY_ONE, -6), add_days(DAY_ONE, int(rng.integers(20, 120)))
    return Lease(
        id=LeaseId(f"lease-{pool.id}"),
        provider=pool.provider,
        pool=pool.id,
        starts_at=signed_at,
        ends_at=add_months(DAY_ONE, 48),
        deliveries=(
            Delivery(accelerators=2 * accelerators, due_at=signed_at),
            Delivery(accelerators=accelerators, due_at=due_at),
        ),
        terms=Terms(price=_price(_list_price(pool))),
    )


def _commitment(rng: np.random.Generator, offers: tuple[Offer, ...], number: int) -> Commitment:
    """Money pledged by two milestones: up to 8 % of two years of all blocks that the provider offers."""
    provider = _provider(number)
    mine = [offer for offer in offers if offer.provider == provider]
    full = sum(o.terms.price.amount_micro_usd * o.blocks_max * o.accelerators_per_block * 17_520 for o in mine) / 1e6
    pledged = full * float(rng.uniform(0.0, 0.08))
    eligible = {SpendKind.LEASE, SpendKind.ON_DEMAND} if rng.random() < 0.5 else {SpendKind.LEASE}
    milestones = tuple(
        Milestone(due_at=add_months(DAY_ONE, months), cumulative_micro_usd=micro_usd(round(part * pledged)))
        for months, part in ((18, 0.4), (35, 1.0))
    )
    return Commitment(
        id=CommitmentId(f"pledge{number}"),
        spend=SpendCommitment(
            provider=provider,
            starts_at=DAY_ONE,
            milestones=milestones,
            drawn_micro_usd=micro_usd(0),
            eligible=frozenset(eligible),
        ),
    )


def _runs_on(rng: np.random.Generator, size: Size, rate: float) -> tuple[Capability, ...]:
    """At least two chips, each with the workload's own taste."""
    chosen = rng.choice(size.chips, size=int(rng.integers(2, size.chips + 1)), replace=False)
    return tuple(
        Capability(
            accelerator=_chip(int(chip)),
            rate_per_accelerator=rate * SPEED[chip] * float(np.exp(rng.normal(0.0, 0.25))),
            gang_min=1,
            gang_max=None,
            port_state=PortState.PORTED,
            port_cost_micro_usd=micro_usd(0),
            port_lead_days=0,
            source="made up",
        )
        for chip in sorted(chosen)
    )


def _where(rng: np.random.Generator, size: Size) -> tuple[PoolId, ...]:
    """The pools of one region or, half the time, of both (empty)."""
    region = int(rng.integers(0, 2 * REGIONS))
    return tuple(PoolId(f"chip{c}-region{region}") for c in range(size.chips)) if region < REGIONS else ()


def _fleet(rng: np.random.Generator, size: Size, number: int) -> ServingFleet:
    """A median of 5,000 accelerators of the first chip, which grows to 1.1 to 2 times that in a year."""
    unmet_usd_per_hour = float(rng.uniform(6.6, 13.2))
    accelerators = float(np.exp(rng.normal(np.log(5_000.0), 0.6)))
    return ServingFleet(
        id=WorkloadId(f"fleet{number:02d}"),
        rate_unit="tokens/s",
        demand=(DemandPoint(from_at=DAY_ONE, rate=accelerators * TOKENS_PER_SECOND),),
        until_at=None,
        growth_per_year=float(np.exp(rng.uniform(0.1, 0.7))),
        demand_sd_frac_per_year=0.33,
        family=f"family{number % 3}",
        load_blocks=(LoadBlock(name="all", hours_frac=1.0, level_frac=1.0),),
        unmet_micro_usd_per_million=micro_usd(round(unmet_usd_per_hour / (TOKENS_PER_SECOND * 3_600.0 / 1e6), 4)),
        n_minus_1_keep_frac=0.0,
        supplier_share_max_frac=1.0,
        must=False,
        capabilities=_runs_on(rng, size, TOKENS_PER_SECOND),
        pools=_where(rng, size),
    )


def _run(rng: np.random.Generator, size: Size, number: int) -> TrainingRun:
    """A median of 6,000 accelerators of the first chip at 1.6 times the pace that just meets the deadline."""
    accelerators = float(np.exp(rng.normal(np.log(6_000.0), 0.5)))
    release_at = add_days(DAY_ONE, round(float(rng.uniform(0.0, 0.75)) * DAYS))
    days = round(float(rng.uniform(0.08, 0.22)) * DAYS)
    hours = accelerators * days * 24.0
    runs_on = _runs_on(rng, size, 1.0)
    return TrainingRun(
        id=WorkloadId(f"run{number:02d}"),
        work=hours,
        work_unit="chip0-hour",
        release_at=release_at,
        deadline_at=min(add_days(release_at, days), add_days(DAY_ONE, DAYS - 60)),
        late_micro_usd_per_day=micro_usd(round(hours * float(rng.uniform(0.7, 2.2)) / 30.0, 2)),
        unfinished_micro_usd=micro_usd(round(hours * float(rng.uniform(6.6, 11.0)), 2)),
        work_sd_frac=0.15,
        must=False,
        capabilities=tuple(replace(c, gang_max=round(1.6 * accelerators / c.rate_per_accelerator)) for c in runs_on),
        pools=_where(rng, size),
    )
