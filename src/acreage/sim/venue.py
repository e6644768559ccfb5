"""The venue: what is idle in a tick goes to whoever is short of it, at one price, for that tick alone.

Clouds sell what nobody has leased or called, labs what they have leased and do not use. All that the same labs may
use is one lot of a sealed auction for many units (`acreage.market.auctions.second_price`); the winners of a lot pay
the best bid that lost. Lots are sold one after the other, those that the fewest may use first, and a lab bids its
walk-away price for all it is still short of: prices of earlier lots can be above those of later ones.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from acreage.domain.auction import Auction, Bid, Direction, Lot, Mechanism, PriceTier
from acreage.domain.market_world import MILLI, may_lease
from acreage.market.auctions.second_price import second_price
from acreage.sim.cloud import Pool
from acreage.sim.events import Sold, Where
from acreage.sim.lab import Buyer
from acreage.units.ids import BidderId, BidId, LesseeName, LotId

_LOT = LotId("idle")


@dataclass(slots=True, kw_only=True)
class _Stock:
    """Idle accelerators of one seller in one pool; None is the cloud itself."""

    pool: Pool
    seller: LesseeName | None
    accelerators: int

    @property
    def reference(self) -> int:
        """Whole reference accelerators that they are worth."""
        return self.accelerators * self.pool.chip.speed_milli // MILLI


def trade(
    pools: Mapping[Where, Pool], buyers: Mapping[LesseeName, Buyer], floor_micro_usd: int, tick: int
) -> list[Sold]:
    """Sell what is idle in a tick; buyers' shortages, sellers' spares and pools' sales follow."""
    groups: dict[tuple[LesseeName, ...], list[_Stock]] = {}
    for stock in _stocks(pools, buyers, tick):
        labs = tuple(sorted(name for name, buyer in buyers.items() if _may_buy(buyer, stock)))
        if labs:
            groups.setdefault(labs, []).append(stock)
    found = []
    for labs in sorted(groups, key=lambda one: (len(one), one)):
        found += _sell(groups[labs], [buyers[lab] for lab in labs], floor_micro_usd, tick)
    for sale in found:
        if sale.seller is None:
            pools[sale.where].sold_now += sale.accelerators
        else:
            buyers[sale.seller].spare[sale.where] -= sale.accelerators
    return found


def _stocks(pools: Mapping[Where, Pool], buyers: Mapping[LesseeName, Buyer], tick: int) -> list[_Stock]:
    """All that is idle, in an order that favours nobody over the years."""
    found = [_Stock(pool=pool, seller=None, accelerators=pool.idle(tick)) for pool in pools.values()]
    for name, buyer in buyers.items():
        if buyer.terms.resells:
            found += [_Stock(pool=pools[at], seller=name, accelerators=n) for at, n in buyer.spare.items()]
    there = [stock for stock in found if stock.reference > 0]
    return sorted(there, key=lambda one: zlib.crc32(f"{tick} {one.pool.where} {one.seller}".encode()))


def _may_buy(buyer: Buyer, stock: _Stock) -> bool:
    return (
        buyer.short_milli >= MILLI
        and buyer.terms.name != stock.seller
        and may_lease(buyer.terms, stock.pool.cloud, stock.pool.chip.name)
    )


def _sell(stocks: list[_Stock], buyers: list[Buyer], floor_micro_usd: int, tick: int) -> list[Sold]:
    """One lot of reference accelerators; winners get theirs from one stock after the other."""
    wants = {buyer.terms.name: buyer for buyer in buyers if buyer.short_milli >= MILLI}
    auction = Auction(
        id=str(tick),
        direction=Direction.FORWARD,
        lots=(Lot(id=_LOT, quantity=sum(s.reference for s in stocks), reserve_micro_usd=floor_micro_usd),),
        bids=tuple(_bid(buyer) for buyer in wants.values()),
        mechanism=Mechanism.SECOND_PRICE,
        seed=tick,
    )
    award = second_price(auction)
    price = award.prices[0].micro_usd_per_unit
    found = []
    for one in award.accepted:
        left = one.units
        for stock in stocks:
            speed = stock.pool.chip.speed_milli
            # A last unit may need more than there is of a slow chip: then the next stock has the rest.
            chips = min(stock.accelerators, -(-left * MILLI // speed))
            if left <= 0 or chips == 0:
                continue
            buyer = wants[LesseeName(one.bidder)]
            stock.accelerators -= chips
            left -= chips * speed // MILLI
            buyer.short_milli -= chips * speed
            found.append(
                Sold(
                    tick=tick,
                    where=stock.pool.where,
                    seller=stock.seller,
                    lab=buyer.terms.name,
                    accelerators=chips,
                    micro_usd=price * speed // MILLI,
                )
            )
    return found


def _bid(buyer: Buyer) -> Bid:
    name = buyer.terms.name
    return Bid(
        id=BidId(name),
        bidder=BidderId(name),
        bundle=((_LOT, 1),),
        tiers=(PriceTier(units_min=1, micro_usd_per_unit=buyer.terms.value_micro_usd),),
        units_min=1,
        units_max=buyer.short_milli // MILLI,
    )
