"""Auctions written shortly, in whole dollars: single-minded bidders on bundles of single items."""

from acreage.domain.auction import Auction, Bid, Direction, Lot, PaymentRule, PriceTier
from acreage.units.ids import BidderId, BidId, LotId
from acreage.units.money import MICRO_PER_USD


def bid(bidder: str, bundle: str, usd: int, *, name: str = "", either_or: str = "") -> Bid:
    """A bid of a bidder for a bundle such as "AB" of one unit each, in dollars."""
    return Bid(
        id=BidId(name or f"{bidder}-{bundle}"),
        bidder=BidderId(bidder),
        bundle=tuple((LotId(letter), bundle.count(letter)) for letter in sorted(set(bundle))),
        tiers=(PriceTier(units_min=1, micro_usd_per_unit=usd * MICRO_PER_USD),),
        either_or=either_or,
    )


def auction(
    *bids: Bid,
    payments: PaymentRule = PaymentRule.CORE,
    direction: Direction = Direction.FORWARD,
    quantity: int = 1,
    reserve_usd: int | None = None,
    seed: int = 0,
) -> Auction:
    """An auction of the items that the bids name, `quantity` of each."""
    names = sorted({lot for one in bids for lot, _ in one.bundle})
    reserve = None if reserve_usd is None else reserve_usd * MICRO_PER_USD
    return Auction(
        id="case",
        direction=direction,
        lots=tuple(Lot(id=name, quantity=quantity, reserve_micro_usd=reserve) for name in names),
        bids=bids,
        payments=payments,
        seed=seed,
    )
