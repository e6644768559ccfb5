"""A lab buys: it asks every vendor it deals with, and the market room's winner determination decides whom it takes.

The full planner is stochastic and takes seconds a plan; here every lab buys every tick, in every replication and
under every change. So a lab states its need as one lot of a reverse auction (`acreage.market.auctions`), with its
walk-away price as the reserve, what it may take from one supplier as a cap, and the vendors' offers as bids.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from acreage.domain.auction import Auction, Award, Bid, Bidder, Direction, Lot, PriceTier
from acreage.domain.market_world import MILLI, MarketLab
from acreage.market.auctions.award import determine
from acreage.sim.cloud import Offer, Pool
from acreage.sim.events import Signed, Where
from acreage.units.ids import BidderId, BidId, LotId, ProviderId

UNITS = 16
"""A need is cut into at most so many units, which keeps the award's integer program small."""

_LOT = LotId("need")


@dataclass(slots=True, kw_only=True)
class Buyer:
    """A lab through a run: leases that are signed, what it has and what it is short of in this tick."""

    terms: MarketLab
    leases: list[Signed] = field(default_factory=list)
    short_milli: int = 0
    spare: dict[Where, int] = field(default_factory=dict)

    def running(self, tick: int) -> list[Signed]:
        """Leases of this tick."""
        return [lease for lease in self.leases if lease.from_tick <= tick < lease.until_tick]


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What a lab asks for: `units` of `unit_milli`, of which some suppliers may have no more than `limits`."""

    units: int
    unit_milli: int
    limits: Mapping[ProviderId, int]

    def size(self, pool: Pool) -> int:
        """Accelerators of a pool that make a unit."""
        return -(-self.unit_milli // pool.chip.speed_milli)


def use_leases(buyer: Buyer, pools: Mapping[Where, Pool], need_milli: int, tick: int) -> None:
    """Use what is leased, the fastest first: `short_milli` is what is missing, `spare` what is not used."""
    buyer.short_milli, buyer.spare = need_milli, {}
    held: dict[Where, int] = {}
    for lease in buyer.running(tick):
        held[lease.where] = held.get(lease.where, 0) + lease.accelerators
    for where in sorted(held, key=lambda one: (-pools[one].chip.speed_milli, one)):
        speed = pools[where].chip.speed_milli
        used = min(held[where], -(-max(buyer.short_milli, 0) // speed))
        buyer.short_milli -= used * speed
        if held[where] > used:
            buyer.spare[where] = held[where] - used


def wanted(buyer: Buyer, pools: Mapping[Where, Pool], need: int, tick: int, block: int) -> Want | None:
    """What a lab wants to lease from the next tick on, after what it has then; None where that is enough."""
    lab = buyer.terms
    target = int(lab.cover_frac * need * lab.growth * MILLI)
    held: dict[ProviderId, int] = {}
    for where, pool in pools.items():
        anchor = pool.cloud.anchor
        if anchor is not None and anchor.lab == lab.name:
            held[where[0]] = held.get(where[0], 0) + pool.right_at(tick + 1) * pool.chip.speed_milli
    for lease in buyer.running(tick + 1):
        speed = pools[lease.where].chip.speed_milli
        held[lease.where[0]] = held.get(lease.where[0], 0) + lease.accelerators * speed
    gap = target - sum(held.values())
    unit = max(block * MILLI, -(-max(gap, 0) // UNITS))
    if gap < unit:
        return None
    clouds = dict.fromkeys(where[0] for where in pools) if lab.supplier_max_frac < 1.0 else {}
    most = int(lab.supplier_max_frac * target)
    limits = {cloud: max(most - held.get(cloud, 0), 0) // unit for cloud in clouds}
    return Want(units=gap // unit, unit_milli=unit, limits=limits)


def chosen(buyer: Buyer, want: Want, offers: Sequence[tuple[Pool, Offer]], seed: int) -> list[tuple[Pool, int, int]]:
    """The pools to lease from, with accelerators and price of each: the award of the lab's procurement."""
    named = {BidId("/".join(pool.where)): (pool, found) for pool, found in offers}
    auction = Auction(
        id=buyer.terms.name,
        direction=Direction.REVERSE,
        lots=(Lot(id=_LOT, quantity=want.units, reserve_micro_usd=_worth(buyer.terms, want)),),
        bids=tuple(_bid(name, want, *one) for name, one in named.items()),
        bidders=tuple(Bidder(id=BidderId(cloud), units_max=most) for cloud, most in want.limits.items()),
        seed=seed,
    )
    found = determine(auction, swaps_max=0)
    assert isinstance(found, Award), found
    return [
        (named[one.bid][0], one.units * want.size(named[one.bid][0]), named[one.bid][1].micro_usd)
        for one in found.allocation.accepted
    ]


def _worth(lab: MarketLab, want: Want) -> int:
    """The walk-away price of an hour of a unit, in whole cents, so that the program's numbers stay small."""
    return lab.value_micro_usd * want.unit_milli // MILLI // 10_000 * 10_000


def _bid(name: BidId, want: Want, pool: Pool, found: Offer) -> Bid:
    tier = PriceTier(units_min=1, micro_usd_per_unit=found.micro_usd * want.size(pool))
    return Bid(
        id=name, bidder=BidderId(pool.cloud.id), bundle=((_LOT, 1),), tiers=(tier,), units_min=1, units_max=found.units
    )
