"""A small desk that the tests start from: one pool of 1,000 with an anchor that ramps from 500 to 700."""

from dataclasses import replace
from typing import Any

import numpy as np

from acreage.desk.asks import Asks, laid_out
from acreage.desk.book import Book
from acreage.desk.horizon import Horizon
from acreage.desk.tables import build_tables
from acreage.domain.desk import (
    Anchor,
    AnchorContract,
    AnchorOption,
    Bursts,
    Desk,
    DeskPool,
    DeskRules,
    ForecastPoint,
    LeaseRequest,
    Spread,
    Step,
    Tier,
    TierDemand,
    TierTerms,
)
from acreage.units.ids import AcceleratorName, LesseeName, PoolId
from acreage.units.instants import SECONDS_PER_DAY, Instant, instant
from acreage.units.money import micro_usd

NOW = instant("2027-01-01")
DAY = SECONDS_PER_DAY
POOL, OTHER = PoolId("north/gb300"), PoolId("south/gb300")


def day(number: int) -> Instant:
    """The midnight so many days after the first."""
    return Instant(NOW + number * DAY)


def demand(pool: PoolId = POOL, *, a_day: float = 1.0, bid: float = 4.0, days: float = 20.0) -> TierDemand:
    """Requests for about 40 accelerators."""
    return TierDemand(
        pool=pool,
        requests_per_day=a_day,
        accelerators=Spread(median=40.0, p90=120.0),
        days=Spread(median=days, p90=3 * days),
        lead_days=Spread(median=10.0, p90=30.0),
        bid_usd_per_accelerator_hour=Spread(median=bid, p90=1.5 * bid),
    )


def tier(name: Tier, *, notice: int | None, floor: str, price: str, wanted: tuple[TierDemand, ...]) -> TierTerms:
    """How a tier is sold."""
    return TierTerms(
        tier=name,
        recall_notice_days=notice,
        floor_micro_usd=micro_usd(floor),
        list_micro_usd=micro_usd(price),
        demand=wanted,
    )


def anchor_contract(pool: PoolId = POOL) -> AnchorContract:
    """A ramp from 500 to 700 of which about 400 to 500 are called, and an option on 100 more."""
    return AnchorContract(
        pool=pool,
        ramp=(Step(from_at=NOW, accelerators=500), Step(from_at=day(60), accelerators=700)),
        options=(AnchorOption(from_at=day(90), accelerators=100, probability_frac=0.3),),
        forecast=(
            ForecastPoint(at=NOW, mean=400.0, deviation=30.0),
            ForecastPoint(at=day(120), mean=500.0, deviation=60.0),
        ),
    )


RULES = DeskRules(
    anchor_short_max_frac=0.01,
    overbooking_max_frac=0.5,
    recall_max_frac=0.3,
    recall_compensation_micro_usd=micro_usd("0.50"),
    quote_valid_s=3_600,
    tick_micro_usd=micro_usd("0.01"),
    block_accelerators=8,
    counter_days_max=30,
)


def desk(*, pools: int = 1, **changes: Any) -> Desk:
    """The desk, or what is asked for instead."""
    ids = (POOL, OTHER)[:pools]
    wanted = tuple(demand(pool) for pool in ids)
    cheap = tuple(demand(pool, bid=1.5, days=7.0) for pool in ids)
    made = Desk(
        name="north",
        lessor="Northwind",
        horizon_days=200,
        pools=tuple(
            DeskPool(
                id=pool,
                accelerator=AcceleratorName("GB300"),
                region="north",
                capacity=(Step(from_at=NOW, accelerators=1_000),),
            )
            for pool in ids
        ),
        anchor=Anchor(
            name="Anchor Labs",
            call_notice_days=7,
            damages_micro_usd=micro_usd("20"),
            persistence_days=30.0,
            contracts=tuple(anchor_contract(pool) for pool in ids),
        ),
        tiers=(
            tier(Tier.RESERVED, notice=None, floor="2.00", price="4.00", wanted=wanted),
            tier(Tier.SPOT, notice=3, floor="0.50", price="1.50", wanted=cheap),
        ),
        rules=RULES,
        bursts=Bursts(per_year=6.0, factor=3.0, days=10.0),
        lessees=(LesseeName("Birch"), LesseeName("Cedar")),
        digest="test",
    )
    return replace(made, **changes)


def horizon_of(made: Desk) -> Horizon:
    """The desk's days."""
    return Horizon(NOW, made.horizon_days)


def open_book(made: Desk) -> Book:
    """Nothing leased."""
    horizon = horizon_of(made)
    capacity = np.stack([horizon.levels(pool.capacity, least=True) for pool in made.pools])
    return Book.empty([pool.id for pool in made.pools], horizon, capacity)


def asks_of(made: Desk, book: Book | None = None) -> Asks:
    """A book on the desk's tables."""
    return laid_out(book or open_book(made), build_tables(made, horizon_of(made)))


def request(
    accelerators: int = 64, first: int = 10, days: int = 14, bid: str | None = "4.00", **changes: Any
) -> LeaseRequest:
    """A firm request of Birch, or what is asked for instead."""
    asked = LeaseRequest(
        lessee=LesseeName("Birch"),
        tier=Tier.RESERVED,
        pools=(POOL,),
        accelerators=accelerators,
        from_at=day(first),
        until_at=day(first + days),
        bid_micro_usd=None if bid is None else micro_usd(bid),
    )
    return replace(asked, **changes)
