"""The sealed second-price auction and its form for many units: all winners of a lot pay the best bid that lost.

For one unit it is Vickrey's auction (Vickrey 1961, "Counterspeculation, auctions, and competitive sealed tenders",
Journal of Finance 16); for k units the (k+1)-th price, at which a bidder of one unit bids truthfully but one of many
may shade its later units. Reverse: all suppliers of a lot get the best ask that lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from acreage.domain.auction import Accepted, Auction, Bid, Direction, Lot, LotPrice, UnitAward
from acreage.units.ids import BidderId, BidId
from acreage.units.money import usd_text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """How many units of a bid are accepted, and how many are not."""

    bid: Bid
    accepted: int
    rejected: int


def second_price(auction: Auction) -> UnitAward:
    """Sell or buy each lot at one price; a unit that finds no bid within the reserve price stays.

    Bids are for one lot each, of up to `units_max` single units. Equal prices: the seed decides.
    """
    order = tie_order(auction)
    accepted: dict[BidId, int] = {}
    prices = []
    for lot in auction.lots:
        parts = _filled(auction, lot, order)
        accepted |= {part.bid.id: part.accepted for part in parts if part.accepted}
        prices.append(_price(auction.direction, lot, parts))
    return UnitAward(accepted=accepted_of(auction, accepted), prices=tuple(prices))


def tie_order(auction: Auction) -> dict[BidId, int]:
    """The place of every bid among bids of equal price, drawn by the seed from their names."""
    names = sorted(bid.id for bid in auction.bids)
    Random(auction.seed).shuffle(names)
    return {name: place for place, name in enumerate(names)}


def accepted_of(auction: Auction, units: Mapping[BidId, int]) -> tuple[Accepted, ...]:
    """Accepted bids in the order of the auction, each with what it bid for its units."""
    return tuple(
        Accepted(bid=bid.id, bidder=bid.bidder, units=units[bid.id], amount_micro_usd=units[bid.id] * price_of(bid))
        for bid in auction.bids
        if units.get(bid.id, 0)
    )


def paid_at(award: UnitAward, auction: Auction) -> dict[BidderId, int]:
    """What each winner pays or is paid, in micro-USD."""
    prices = {price.lot: price.micro_usd_per_unit for price in award.prices}
    lots = {bid.id: bid.bundle[0][0] for bid in auction.bids}
    total: dict[BidderId, int] = {}
    for one in award.accepted:
        total[one.bidder] = total.get(one.bidder, 0) + one.units * prices[lots[one.bid]]
    return total


def price_of(bid: Bid) -> int:
    """The price of a unit of a bid that has one price, in micro-USD."""
    return bid.tiers[0].micro_usd_per_unit


def bids_on(auction: Auction, lot: Lot) -> list[Bid]:
    """The bids for a lot that its reserve price admits."""
    reserve = lot.reserve_micro_usd
    found = [bid for bid in auction.bids if bid.bundle[0][0] == lot.id]
    if reserve is None:
        return found
    if auction.direction is Direction.FORWARD:
        return [bid for bid in found if price_of(bid) >= reserve]
    return [bid for bid in found if price_of(bid) <= reserve]


def _filled(auction: Auction, lot: Lot, order: Mapping[BidId, int]) -> list[_Part]:
    """The bids on a lot, the best first, with what is left of the lot for each."""
    sign = -1 if auction.direction is Direction.FORWARD else 1
    left, parts = lot.quantity, []
    for bid in sorted(bids_on(auction, lot), key=lambda one: (sign * price_of(one), order[one.id])):
        units = min(left, bid.units_max)
        left -= units
        parts.append(_Part(bid=bid, accepted=units, rejected=bid.units_max - units))
    return parts


def _price(direction: Direction, lot: Lot, parts: list[_Part]) -> LotPrice:
    units = sum(part.accepted for part in parts)
    lost = next((part.bid for part in parts if part.rejected), None)
    price, because = _setter(direction, lot, parts, lost)
    margin = [part.bid.id for part in parts if lost is not None and price_of(part.bid) == price_of(lost)]
    won = any(part.accepted for part in parts if part.bid.id in margin)
    tied = tuple(margin) if won and len(margin) > 1 else ()
    return LotPrice(lot=lot.id, units=units, micro_usd_per_unit=price, because=because, tied=tied)


def _setter(direction: Direction, lot: Lot, parts: list[_Part], lost: Bid | None) -> tuple[int, str]:
    """The price of a unit and what sets it."""
    if lost is not None:
        return price_of(lost), f"{lost.id} is the best bid that lost"
    if lot.reserve_micro_usd is not None:
        return lot.reserve_micro_usd, f"no bid lost: the reserve price of {usd_text(lot.reserve_micro_usd)} USD"
    if direction is Direction.FORWARD:
        return 0, "no bid lost and there is no reserve price"
    won = [part.bid for part in parts if part.accepted]
    if not won:
        return 0, "there is no bid"
    return price_of(won[-1]), f"no bid lost and there is no reserve price: {won[-1].id} is the highest that won"
