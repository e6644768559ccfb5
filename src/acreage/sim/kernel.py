"""The kernel: tick by tick, chips come, labs use and call what they have, trade what is idle, and lease for later.

A run is a pure function of the world, a seed and the number of the replication. It returns its events and, as it
went along, the balances of all and what each lab was short of; the audit works these out again from the events.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from acreage.domain.market_world import MILLI, MarketLab, World, may_lease
from acreage.sim.builds import order_builds
from acreage.sim.cloud import Pool, admit, move_price, offer, open_desk, open_pool
from acreage.sim.draws import Draws, drawn
from acreage.sim.events import Called, Delivered, Event, Needed, Signed, Where
from acreage.sim.lab import Buyer, chosen, use_leases, wanted
from acreage.sim.venue import trade
from acreage.units.ids import LeaseId, LesseeName

BEFORE = -1
"""The tick in which leases were signed that run when the story begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One replication: what happened, what everybody has in the end (micro-USD), who was short when."""

    seed: int
    replication: int
    events: tuple[Event, ...]
    balances: dict[str, int]
    short_milli: dict[tuple[int, LesseeName], int]


@dataclass(slots=True, kw_only=True)
class _Market:
    world: World
    draws: Draws
    pools: dict[Where, Pool]
    buyers: dict[LesseeName, Buyer]
    events: list[Event] = field(default_factory=list)
    balances: dict[str, int] = field(default_factory=dict)
    short_milli: dict[tuple[int, LesseeName], int] = field(default_factory=dict)
    promised: dict[tuple[str, int], int] = field(default_factory=dict)
    signed: int = 0

    def pay(self, payer: str, payee: str, micro_usd: int) -> None:
        """Move money."""
        self.balances[payer] = self.balances.get(payer, 0) - micro_usd
        self.balances[payee] = self.balances.get(payee, 0) + micro_usd


def run(world: World, seed: int, replication: int) -> Run:
    """One replication of a world."""
    market = _opened(world, drawn(world, seed, replication))
    for tick in range(world.ticks):
        _deliver(market, tick)
        _use_and_call(market, tick)
        _trade(market, tick)
        _charge(market, tick)
        _lease(market, tick)
        _move(market, tick)
    return Run(
        seed=seed,
        replication=replication,
        events=tuple(market.events),
        balances=dict(sorted(market.balances.items())),
        short_milli=market.short_milli,
    )


def _opened(world: World, draws: Draws) -> _Market:
    reach = max(lab.term for lab in world.labs) + 2
    market = _Market(
        world=world,
        draws=draws,
        pools={
            (cloud.id, terms.chip): open_pool(cloud, terms, world.chip(terms.chip), world.ticks, reach)
            for cloud in world.clouds
            for terms in cloud.pools
        },
        buyers={lab.name: Buyer(terms=lab) for lab in world.labs},
    )
    for lab in world.labs:
        for held in lab.leases:
            where = held.cloud, held.chip
            market.pools[where].firm[: held.until] += held.accelerators
            _sign(market, BEFORE, where, lab.name, held.accelerators, (0, held.until), held.price_micro_usd)
    return market


def _sign(
    market: _Market, tick: int, where: Where, lab: LesseeName, accelerators: int, span: tuple[int, int], micro_usd: int
) -> None:
    market.signed += 1
    lease = Signed(
        tick=tick,
        lease=LeaseId(f"lease-{market.signed}"),
        where=where,
        lab=lab,
        accelerators=accelerators,
        from_tick=span[0],
        until_tick=span[1],
        micro_usd=micro_usd,
    )
    market.buyers[lab].leases.append(lease)
    market.events.append(lease)


def _deliver(market: _Market, tick: int) -> None:
    for where, pool in market.pools.items():
        if pool.comes[tick]:
            market.events.append(Delivered(tick=tick, where=where, accelerators=int(pool.comes[tick])))
        pool.called = pool.sold_now = 0


def _use_and_call(market: _Market, tick: int) -> None:
    """Labs use their leases and call the rest of what they need from the clouds whose anchor they are."""
    for name, buyer in market.buyers.items():
        need = market.draws.need[name][tick]
        market.events.append(Needed(tick=tick, lab=name, need=need))
        use_leases(buyer, market.pools, need * MILLI, tick)
        for pool in _anchored(market, buyer.terms):
            right, speed = pool.right_at(tick), pool.chip.speed_milli
            called = min(right, -(-max(buyer.short_milli, 0) // speed))
            pool.called = min(called, pool.capacity(tick) - int(pool.firm[tick]))
            buyer.short_milli -= pool.called * speed
            pool.anchor.see(called)
            market.events.append(
                Called(tick=tick, where=pool.where, lab=name, right=right, called=called, delivered=pool.called)
            )


def _anchored(market: _Market, lab: MarketLab) -> Iterator[Pool]:
    """Pools of which a lab is the anchor, the cheapest compute first."""
    found = [
        (pool.right.price_micro_usd / pool.chip.speed_milli, pool.where, pool)
        for pool in market.pools.values()
        if pool.right is not None and pool.cloud.anchor is not None and pool.cloud.anchor.lab == lab.name
    ]
    yield from (pool for _, _, pool in sorted(found, key=lambda one: one[:2]))


def _trade(market: _Market, tick: int) -> None:
    for sale in trade(market.pools, market.buyers, market.world.venue_floor_micro_usd, tick):
        market.events.append(sale)
        payee = f"cloud {sale.where[0]}" if sale.seller is None else f"lab {sale.seller}"
        market.pay(f"lab {sale.lab}", payee, sale.accelerators * market.world.hours * sale.micro_usd)
    for name, buyer in market.buyers.items():
        market.short_milli[tick, name] = max(buyer.short_milli, 0)


def _charge(market: _Market, tick: int) -> None:
    """What is due for running leases and for calls: take or pay, and damages for what was called and not there."""
    hours = market.world.hours
    for name, buyer in market.buyers.items():
        for lease in buyer.running(tick):
            market.pay(f"lab {name}", f"cloud {lease.where[0]}", lease.accelerators * hours * lease.micro_usd)
    for pool in market.pools.values():
        anchor, right = pool.cloud.anchor, pool.right
        if anchor is None or right is None:
            continue
        paid, short = anchor_due(pool.right_at(tick), right.take_or_pay_milli, pool.anchor.level, pool.called)
        lab, cloud = f"lab {anchor.lab}", f"cloud {pool.cloud.id}"
        market.pay(lab, cloud, paid * hours * right.price_micro_usd)
        market.pay(cloud, lab, short * hours * anchor.damages_micro_usd)


def anchor_due(right: int, take_or_pay_milli: int, called: float, delivered: int) -> tuple[int, int]:
    """Accelerators an anchor pays for and those it is short of; who is failed pays for what it got only."""
    short = int(called) - delivered
    return (delivered if short else max(delivered, right * take_or_pay_milli // MILLI)), short


def _lease(market: _Market, tick: int) -> None:
    """Labs lease from the next tick on, one after the other in the order drawn."""
    asked: dict[Where, list[tuple[float, int]]] = {where: [] for where in market.pools}
    for pool in market.pools.values():
        if pool.capacity(tick + 1):
            open_desk(pool, tick)
    for name in market.draws.turns[tick]:
        _procure(market, market.buyers[name], tick, asked)
    for where, pool in market.pools.items():
        pool.demand.see(asked[where])


def _procure(market: _Market, buyer: Buyer, tick: int, asked: dict[Where, list[tuple[float, int]]]) -> None:
    lab, world = buyer.terms, market.world
    want = wanted(buyer, market.pools, market.draws.need[lab.name][tick], tick, world.block)
    if want is None:
        return
    span = tick + 1, tick + 1 + lab.term
    there = [pool for pool in market.pools.values() if pool.capacity(tick + 1)]
    vendors = [pool for pool in there if may_lease(lab, pool.cloud, pool.chip.name)]
    for pool in vendors:
        # Each vendor takes its part of what is asked of all of them for what is asked of it.
        asked[pool.where].append((want.units * want.size(pool) / len(vendors), lab.term))
    sheets = [(pool, offer(pool, want.size(pool), want.units, *span)) for pool in vendors]
    offers = [(pool, found) for pool, found in sheets if found is not None]
    for pool, accelerators, price in chosen(buyer, want, offers, tick) if offers else ():
        admit(pool, lab.name, accelerators, span, price, tick)
        _sign(market, tick, pool.where, lab.name, accelerators, span, price)


def _move(market: _Market, tick: int) -> None:
    """Clouds move their list prices and order what they will need."""
    pools = list(market.pools.values())
    market.events += order_builds(pools, tick, market.world.ticks, market.promised)
    for pool in pools:
        move_price(pool, tick)
