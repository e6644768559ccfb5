"""What a tiny random portfolio is before any commercial rule is put in; `tests/plan/tiny.py` puts them in."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from acreage.domain.accelerator import Accelerator
from acreage.domain.future import Future
from acreage.domain.lease import Commitment, Delivery, Lease, Offer
from acreage.domain.portfolio import Period, Policy, Risk
from acreage.domain.provider import Pool, Provider
from acreage.domain.terms import (
    Terms,
    Tranche,
)
from acreage.domain.workload import (
    Capability,
    DemandPoint,
    LoadBlock,
    PortState,
    ServingFleet,
    Workload,
)
from acreage.plan.problem import Vector
from acreage.units.ids import AcceleratorName, LeaseId, OfferId, PoolId, ProviderId, WorkloadId
from acreage.units.instants import Duration, instant
from acreage.units.money import MicroUsd
from tests.plan.audit_case import CHIP, H100, price, provider

EDGES = tuple(instant(f"2027-{month:02d}-01") for month in range(1, 6))
START = EDGES[0]
TPU = AcceleratorName("TPU")
POWER = {H100: 400.0, TPU: 300.0}
CHAT, RUN, LAB = WorkloadId("chat"), WorkloadId("run"), WorkloadId("lab")


@dataclass(slots=True)
class Draft:
    """A portfolio being drawn: rules change it one after another."""

    rng: np.random.Generator
    periods: tuple[Period, ...]
    providers: dict[ProviderId, Provider]
    pools: dict[PoolId, Pool]
    offers: list[Offer]
    leases: list[Lease]
    workloads: dict[WorkloadId, Workload]
    futures: list[Future]
    policy: Policy
    commitments: list[Commitment] = field(default_factory=list)
    demand: dict[WorkloadId, Vector] = field(default_factory=dict)

    def offer(self, number: int, **changes: object) -> None:
        """Change an offer."""
        self.offers[number] = replace(self.offers[number], **changes)  # type: ignore[arg-type]

    def terms(self, number: int, **changes: object) -> None:
        """Change an offer's terms."""
        self.offer(number, terms=replace(self.offers[number].terms, **changes))  # type: ignore[arg-type]

    def held(self, **changes: object) -> None:
        """Change the held lease's terms."""
        lease = self.leases[0]
        self.leases[0] = replace(lease, terms=replace(lease.terms, **changes))  # type: ignore[arg-type]

    def future(self, number: int, **changes: object) -> None:
        """Change a future."""
        self.futures[number] = replace(self.futures[number], **changes)  # type: ignore[arg-type]


def tpu_chip() -> Accelerator:
    return replace(CHIP, name=TPU, vendor="Google")


def plain(rng: np.random.Generator) -> Draft:
    """Two or three pools, one lease held, two offers, a fleet, two or three futures; no rule yet."""
    edges = EDGES[: int(rng.integers(3, 6))]
    periods = tuple(Period(from_at=a, until_at=b) for a, b in pairwise(edges))
    names = [ProviderId(name) for name in ("old", "new")]
    pools = {PoolId(f"{name}-pool"): empty_pool(name) for name in names}
    draft = Draft(
        rng=rng,
        periods=periods,
        providers={name: replace(provider(name), equity_group=f"{name} group") for name in names},
        pools=pools,
        offers=[new_offer(rng, "deal", names[1]), new_offer(rng, "more", names[0])],
        leases=[_lease(rng)],
        workloads={},
        futures=[_future(rng, "base", 0.0, len(periods))],
        policy=Policy(
            discount_frac_per_year=float(rng.choice([0.0, 0.1])),
            risk=Risk(weight_frac=0.0, tail_frac=0.9),
            share_caps=(),
            survive_loss_frac=None,
            budgets=(),
            resale_frac=float(rng.choice([0.0, 0.3, 0.6])),
            gap_frac=1e-6,
        ),
    )
    count = int(rng.integers(1, 3))
    draft.futures[0] = replace(draft.futures[0], demand_factor={}, work_factor={})
    for number in range(count):
        draft.futures.append(_future(rng, f"f{number}", 1.0 / count, len(periods)))
    _fleet(draft)
    return draft


def empty_pool(name: ProviderId, chip: AcceleratorName = H100) -> Pool:
    return Pool(
        id=PoolId(f"{name}-pool"),
        provider=name,
        region="us",
        site=f"{name} site",
        accelerator=chip,
        fabric="ib",
        fabric_accelerators_max=None,
        on_demand=None,
        spot=None,
    )


def new_offer(rng: np.random.Generator, name: str, by: ProviderId) -> Offer:
    return Offer(
        id=OfferId(name),
        provider=by,
        pool=PoolId(f"{by}-pool"),
        product="block",
        accelerators_per_block=512,
        blocks_min=1,
        blocks_max=int(rng.integers(2, 4)),
        start_from_at=EDGES[0],
        start_until_at=EDGES[int(rng.integers(0, 2))],
        term=Duration(months=int(rng.integers(2, 9))),
        tranches=(Tranche(share_frac=1.0, after=Duration()),),
        tiers=(),
        terms=Terms(price=price(round(float(rng.uniform(1.2, 2.8)), 2))),
        commitment=None,
        excludes=(),
        requires=(),
        expires_at=None,
        provenance=price(1.0).provenance,
    )


def _lease(rng: np.random.Generator) -> Lease:
    return Lease(
        id=LeaseId("held"),
        provider=ProviderId("old"),
        pool=PoolId("old-pool"),
        starts_at=instant("2026-11-15"),
        ends_at=instant("2027-09-01"),
        deliveries=(Delivery(accelerators=int(rng.integers(300, 900)), due_at=instant("2026-11-15")),),
        terms=Terms(price=price(round(float(rng.uniform(1.5, 3.0)), 2))),
    )


def _future(rng: np.random.Generator, name: str, probability: float, periods: int) -> Future:
    return Future(
        name=name,
        probability=probability,
        demand_factor={
            CHAT: rng.uniform(0.6, 1.6, periods),
            LAB: rng.uniform(0.7, 1.4, periods),
        },
        work_factor={RUN: float(rng.uniform(0.8, 1.3))},
        delay_days={},
        price_factor={},
        limit_factor={},
        outages=(),
        recalled_at={},
    )


def runs_on(rate: float, chip: AcceleratorName = H100, **changes: object) -> Capability:
    """A capability on a chip."""
    plain = Capability(
        accelerator=chip,
        rate_per_accelerator=rate,
        gang_min=1,
        gang_max=None,
        port_state=PortState.PORTED,
        port_cost_micro_usd=MicroUsd(0),
        port_lead_days=0,
        source="made up",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def _fleet(draft: Draft) -> None:
    """A fleet whose peak is 500 to 2500 accelerators, worth 2 to 8 USD an accelerator-hour."""
    rng = draft.rng
    wanted = float(rng.uniform(500, 1_800)) * 10.0
    worth_usd = float(rng.uniform(2.0, 8.0))
    draft.workloads[CHAT] = ServingFleet(
        id=CHAT,
        rate_unit="tokens/s",
        demand=(DemandPoint(from_at=START, rate=wanted),),
        until_at=None,
        growth_per_year=1.0,
        demand_sd_frac_per_year=0.0,
        family="",
        load_blocks=(
            LoadBlock(name="peak", hours_frac=0.4, level_frac=1.3),
            LoadBlock(name="rest", hours_frac=0.6, level_frac=0.8),
        ),
        unmet_micro_usd_per_million=MicroUsd(round(worth_usd / (10.0 * 3600.0) * 1e12)),
        n_minus_1_keep_frac=0.0,
        supplier_share_max_frac=1.0,
        must=False,
        capabilities=(runs_on(10.0), runs_on(7.0, TPU)),
        pools=(),
    )
    draft.demand[CHAT] = np.full(len(draft.periods), wanted)
