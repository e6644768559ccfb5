"""Small random auctions, forward and reverse, with any of the side constraints; in whole dollars, for ties."""

from fractions import Fraction
from random import Random

from acreage.domain.auction import Auction, AwardRules, Bid, Bidder, Direction, Lot, PriceTier, ShareCap
from acreage.units.ids import BidderId, BidId, LotId
from acreage.units.money import MICRO_PER_USD

CHOICES_MAX = 700
"""Combinations that brute force has to try at most."""


def dollars(amount: int) -> int:
    """Whole dollars in micro-USD."""
    return amount * MICRO_PER_USD


def random_auction(seed: int) -> Auction:
    """One auction; the seed says everything."""
    draw = Random(seed)
    direction = draw.choice(tuple(Direction))
    forward = direction is Direction.FORWARD
    lots = tuple(
        Lot(
            id=LotId(name),
            quantity=draw.randint(1, 4),
            reserve_micro_usd=dollars(draw.randint(1, 6) if forward else draw.randint(8, 20)) if draw.random() < 0.4
            else None,
        )
        for name in "abc"[: draw.randint(1, 3)]
    )  # fmt: skip
    names = [BidderId(f"w{i}") for i in range(draw.randint(2, 5))]
    bids: list[Bid] = []
    combinations = 1
    for i in range(draw.randint(3, 8)):
        bid = _bid(draw, i, names, lots)
        if combinations * (bid.units_max - bid.units_min + 2) <= CHOICES_MAX:
            combinations *= bid.units_max - bid.units_min + 2
            bids.append(bid)
    return Auction(
        id=f"random-{seed}",
        direction=direction,
        lots=lots,
        bids=tuple(bids),
        bidders=tuple(_bidder(draw, name) for name in names),
        rules=_rules(draw, names, lots, forward),
        seed=seed,
    )


def _bid(draw: Random, i: int, names: list[BidderId], lots: tuple[Lot, ...]) -> Bid:
    chosen = draw.sample(lots, draw.randint(1, len(lots)))
    group = draw.choice(("", "", "x", "y"))
    bidder = draw.choice(names)
    if draw.random() < 0.3:
        most = draw.randint(2, 4)
        least = draw.randint(1, most)
        price = draw.randint(3, 14)
        tiers = [PriceTier(units_min=least, micro_usd_per_unit=dollars(price))]
        if least < most and draw.random() < 0.6:
            cheaper = PriceTier(units_min=draw.randint(least + 1, most), micro_usd_per_unit=dollars(price - 2))
            tiers.append(cheaper)
        bundle = ((chosen[0].id, 1),)
    else:
        least = most = 1
        bundle = tuple((lot.id, draw.randint(1, lot.quantity)) for lot in chosen)
        size = sum(quantity for _, quantity in bundle)
        tiers = [PriceTier(units_min=1, micro_usd_per_unit=dollars(draw.randint(2, 12) * size))]
    return Bid(
        id=BidId(f"b{i}"),
        bidder=bidder,
        bundle=bundle,
        tiers=tuple(tiers),
        units_min=least,
        units_max=most,
        either_or=group,
    )


def _bidder(draw: Random, name: BidderId) -> Bidder:
    return Bidder(
        id=name,
        units_max=draw.randint(2, 6) if draw.random() < 0.15 else None,
        budget_micro_usd=dollars(draw.randint(15, 50)) if draw.random() < 0.15 else None,
    )


def _rules(draw: Random, names: list[BidderId], lots: tuple[Lot, ...], forward: bool) -> AwardRules:
    caps = []
    if draw.random() < 0.25:
        caps.append(
            ShareCap(
                share_max_frac=Fraction(draw.randint(4, 9), 10),
                bidder=draw.choice((None, draw.choice(names))),
                lots=draw.choice(((), (lots[0].id,))),
            )
        )
    return AwardRules(
        winners_min=draw.choice((0, 0, 0, 0, 2, 3)),
        winners_max=draw.choice((None, None, None, 1, 2)),
        share_caps=tuple(caps),
        survive_frac=Fraction(0)
        if forward
        else draw.choice((Fraction(0), Fraction(0), Fraction(1, 3), Fraction(1, 2))),
        budget_micro_usd=None if forward or draw.random() < 0.8 else dollars(draw.randint(20, 80)),
    )
