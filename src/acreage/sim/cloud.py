"""A cloud at its desk: one pool is one desk, which answers with the code that `acreage desk` answers with.

Every tick a cloud writes its desk's document anew, from what it believes it will have, what its anchor may call
and what it has learnt; tables, protection, displacement cost and the answer itself are those of `acreage.desk`.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from acreage.desk.asks import Asks, laid_out
from acreage.desk.batch import Requests, answers
from acreage.desk.book import Book
from acreage.desk.horizon import Counts
from acreage.desk.quote import answer
from acreage.desk.tables import FIRM, build_tables
from acreage.domain.desk import (
    Anchor,
    AnchorContract,
    Desk,
    DeskPool,
    DeskRules,
    LeaseRequest,
    Step,
    Tier,
    TierTerms,
    Verdict,
)
from acreage.domain.market_world import AnchorRight, Level, MarketChip, MarketCloud, MarketPool
from acreage.sim.clock import day_at, horizon
from acreage.sim.events import Where
from acreage.sim.forecasts import AnchorSight, DemandSight
from acreage.units.ids import LesseeName, PoolId
from acreage.units.money import MICRO_PER_USD, MicroUsd, usd

TICK_MICRO_USD = MicroUsd(10_000)
"""Prices are whole cents."""
_ANY_PRICE = float("inf")


@dataclass(slots=True, kw_only=True)
class Pool:
    """One cloud's accelerators of one chip, through a run; arrays are by tick, beyond the end by `reach`.

    `due` and `comes` are deliveries as announced and as they come, `firm` what is leased to others than the anchor.
    """

    cloud: MarketCloud
    terms: MarketPool
    chip: MarketChip
    right: AnchorRight | None
    due: Counts
    comes: Counts
    firm: Counts
    reach: int
    list_micro_usd: int
    anchor: AnchorSight = field(default_factory=AnchorSight)
    demand: DemandSight = field(default_factory=DemandSight)
    called: int = 0
    sold_now: int = 0
    desk: Desk | None = None
    asks: Asks | None = None

    @property
    def where(self) -> Where:
        """Its cloud and chip."""
        return self.cloud.id, self.chip.name

    def capacity(self, tick: int) -> int:
        """Accelerators that are there."""
        return int(self.comes[: tick + 1].sum())

    def right_at(self, tick: int) -> int:
        """What its anchor may call."""
        return level_at(self.right.ramp, tick) if self.right is not None else 0

    def idle(self, tick: int) -> int:
        """Accelerators that nobody has in this tick."""
        return self.capacity(tick) - int(self.firm[tick]) - self.called - self.sold_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Up to so many units at a price an accelerator-hour."""

    units: int
    micro_usd: int


def open_pool(cloud: MarketCloud, terms: MarketPool, chip: MarketChip, ticks: int, reach: int) -> Pool:
    """A pool before the first tick."""
    due, comes = (np.zeros(ticks + reach, dtype=np.int64) for _ in range(2))
    for build in terms.builds:
        late = 0 if build.at == 0 else chip.late
        due[min(build.at, ticks + reach - 1)] += build.accelerators
        comes[min(build.at + late, ticks + reach - 1)] += build.accelerators
    rights = cloud.anchor.rights if cloud.anchor is not None else ()
    return Pool(
        cloud=cloud,
        terms=terms,
        chip=chip,
        right=next((right for right in rights if right.chip == chip.name), None),
        due=due,
        comes=comes,
        firm=np.zeros(ticks + reach, dtype=np.int64),
        reach=reach,
        list_micro_usd=terms.list_micro_usd,
    )


def level_at(levels: tuple[Level, ...], tick: int) -> int:
    """The last of some levels that has begun, 0 before the first."""
    return next((level.accelerators for level in reversed(levels) if level.at <= tick), 0)


def is_lateness_known(chip: MarketChip, tick: int) -> bool:
    """From the tick before the first delivery on, everybody knows when a chip really comes."""
    return tick >= chip.arrives - 1


def believed(pool: Pool, tick: int) -> Counts:
    """The capacity that the cloud counts on in each tick of its horizon, shape (reach,)."""
    arrivals = pool.comes if is_lateness_known(pool.chip, tick) else pool.due
    return np.cumsum(arrivals)[tick : tick + pool.reach]


def open_desk(pool: Pool, tick: int) -> None:
    """Write the desk's document for this tick and lay its books on fresh tables."""
    days, capacity = horizon(tick, pool.reach), believed(pool, tick)
    pool.desk = _desk(pool, tick, capacity)
    book = Book.empty([_id(pool)], days, capacity[None])
    book.firm[0] = pool.firm[tick : tick + pool.reach]
    book.anchor[0, 0] = pool.called
    pool.asks = laid_out(book, build_tables(pool.desk, days))


def offer(pool: Pool, size: int, units: int, from_tick: int, until_tick: int) -> Offer | None:
    """The most of `units` of `size` accelerators that the desk would lease over a window, and its price for them.

    Its price is the list price, or what the desk asks for displaced business where that is more.
    """
    assert pool.asks is not None
    count = np.arange(1, units + 1, dtype=np.int64)
    full = np.ones(units, dtype=np.int64)
    got = answers(
        pool.asks,
        Requests(
            side=full * FIRM,
            row=full * 0,
            accelerators=count * size,
            from_at=full * day_at(from_tick),
            until_at=full * day_at(until_tick),
            bid_usd=np.full(units, _ANY_PRICE),
            floor_usd=np.full(units, usd(pool.terms.floor_micro_usd)),
        ),
    )
    most = int(np.count_nonzero(got.free >= count * size))
    if most == 0:
        return None
    # The desk reads displacement between two quantities a little high, so fewer units may be asked more each.
    ask = math.ceil(float(got.ask_usd[:most].max()) * MICRO_PER_USD / TICK_MICRO_USD - 1e-9) * TICK_MICRO_USD
    return Offer(units=most, micro_usd=max(ask, pool.list_micro_usd))


def admit(pool: Pool, lab: LesseeName, accelerators: int, span: tuple[int, int], micro_usd: int, tick: int) -> None:
    """Have the desk answer a request at the price of its offer, every rule checked, and write it into the books."""
    assert pool.desk is not None
    assert pool.asks is not None
    from_tick, until_tick = span
    request = LeaseRequest(
        lessee=lab,
        tier=Tier.CONTRACTED,
        pools=(_id(pool),),
        accelerators=accelerators,
        from_at=day_at(from_tick),
        until_at=day_at(until_tick),
        bid_micro_usd=MicroUsd(micro_usd),
    )
    found = answer(pool.desk, pool.asks, request, day_at(tick))
    assert found.verdict is Verdict.ACCEPT, (pool.where, request, found.reason)
    pool.asks.book.add(0, accelerators, request.from_at, request.until_at, firm=True)
    pool.asks.refresh(0)
    pool.firm[from_tick:until_tick] += accelerators


def move_price(pool: Pool, tick: int) -> None:
    """Raise the list price where more than the target is sold, lower it where less; never below the floor."""
    capacity, temper = pool.capacity(tick), pool.cloud.temper
    if capacity == 0:
        return
    sold_frac = 1.0 - pool.idle(tick) / capacity
    moved = pool.list_micro_usd * math.exp(temper.price_speed * (sold_frac - temper.sold_target_frac))
    cents = round(moved / TICK_MICRO_USD) * TICK_MICRO_USD
    pool.list_micro_usd = max(cents, pool.terms.floor_micro_usd)


def _id(pool: Pool) -> PoolId:
    return PoolId("/".join(pool.where))


def _desk(pool: Pool, tick: int, capacity: Counts) -> Desk:
    anchor = pool.cloud.anchor
    steps = tuple(Step(from_at=day_at(tick + i), accelerators=int(n)) for i, n in enumerate(capacity))
    tier = TierTerms(
        tier=Tier.CONTRACTED,
        recall_notice_days=None,
        floor_micro_usd=pool.terms.floor_micro_usd,
        list_micro_usd=MicroUsd(pool.list_micro_usd),
        demand=pool.demand.demand(_id(pool), usd(pool.list_micro_usd)),
    )
    return Desk(
        name=pool.cloud.id,
        lessor=pool.cloud.id,
        horizon_days=pool.reach,
        pools=(DeskPool(id=_id(pool), accelerator=pool.chip.name, region="", capacity=steps),),
        anchor=Anchor(
            name=anchor.lab if anchor is not None else "",
            call_notice_days=0,
            damages_micro_usd=anchor.damages_micro_usd if anchor is not None else MicroUsd(0),
            persistence_days=1.0,
            contracts=_contracts(pool, tick),
        ),
        tiers=(tier,),
        rules=DeskRules(
            anchor_short_max_frac=anchor.short_max_frac if anchor is not None else 0.5,
            overbooking_max_frac=anchor.overbooking_max_frac if anchor is not None else 0.0,
            recall_max_frac=0.5,
            recall_compensation_micro_usd=MicroUsd(0),
            quote_valid_s=0,
            tick_micro_usd=TICK_MICRO_USD,
            block_accelerators=1,
            counter_days_max=0,
        ),
        bursts=None,
        lessees=(),
        digest=f"{pool.where} {tick}",
    )


def _contracts(pool: Pool, tick: int) -> tuple[AnchorContract, ...]:
    if pool.right is None:
        return ()
    ramp = tuple(Step(from_at=day_at(level.at), accelerators=level.accelerators) for level in pool.right.ramp)
    return (AnchorContract(pool=_id(pool), ramp=ramp, forecast=pool.anchor.forecast(tick, pool.reach)),)
