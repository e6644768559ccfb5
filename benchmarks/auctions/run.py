"""How long awards, payments and the order book take.

Run with `python benchmarks/auctions/run.py [SEED]`. Auctions sell multi-unit lots to bidders with four either-or bids
each (hard for a solver: several knapsacks at once); the order book takes random orders of 20 owners over 90 days. Every
figure is one run in this process, on one thread.
"""

import platform
import sys
import time
from dataclasses import replace
from random import Random

from acreage.domain.auction import Auction, Bid, Direction, Lot, NoAward, PaymentRule, PriceTier
from acreage.domain.order import Order, OrderSide, Partial, Rectangle
from acreage.market.auctions.award import determine
from acreage.market.auctions.settle import settle
from acreage.market.venues.order_book import OrderBook
from acreage.units.errors import InputError
from acreage.units.ids import BidderId, BidId, LotId
from acreage.units.instants import SECONDS_PER_DAY, Instant
from acreage.units.money import MICRO_PER_USD

SIZES = ((4, 6), (6, 10), (8, 14))
"""Lots and bidders."""
ORDERS = 2_000


def bundle_auction(lots: int, bidders: int, seed: int) -> Auction:
    """Lots of 50 to 200 units; a bidder's bundles take up to half of up to three lots, at 0.8 to 1.3 USD a unit."""
    draw = Random(seed)
    stock = tuple(Lot(id=LotId(f"lot-{i}"), quantity=draw.randint(50, 200)) for i in range(lots))
    bids = []
    for who in range(bidders):
        for k in range(4):
            bundle = tuple(
                (lot.id, draw.randint(10, lot.quantity // 2)) for lot in draw.sample(stock, draw.randint(1, 3))
            )
            cents = round(sum(quantity for _, quantity in bundle) * draw.uniform(80, 130))
            tier = PriceTier(units_min=1, micro_usd_per_unit=cents * MICRO_PER_USD // 100)
            name, bidder = BidId(f"bid-{who}-{k}"), BidderId(f"bidder-{who}")
            bids.append(Bid(id=name, bidder=bidder, bundle=bundle, tiers=(tier,), either_or="one"))
    return Auction(id="bench", direction=Direction.FORWARD, lots=stock, bids=tuple(bids), seed=seed)


def time_auction(auction: Auction) -> str:
    """Seconds for the award with its ties, and for the outcome under each payment rule."""
    started = time.perf_counter()
    determine(auction)
    found = [f"award {time.perf_counter() - started:6.2f} s"]
    for rule in (PaymentRule.VCG, PaymentRule.CORE):
        started = time.perf_counter()
        outcome = settle(replace(auction, payments=rule))
        assert not isinstance(outcome, NoAward)
        winners, asked = len(outcome.payments.payments), len(outcome.payments.blocking)
        found.append(f"with {rule} {time.perf_counter() - started:6.2f} s ({winners} winners, {asked} coalitions)")
    return ", ".join(found)


def time_book(seed: int) -> str:
    """Orders a second, and quotes a second on the book that they leave."""
    draw, book, now = Random(seed), OrderBook(), Instant(0)
    owners = [f"owner-{i}" for i in range(20)]
    whole = Rectangle(product="h100", accelerators=512, from_at=Instant(1), until_at=Instant(90 * SECONDS_PER_DAY))
    for owner in owners[:10]:
        book.deposit(owner, whole, now=now)
    found = [_order(draw, i, owners) for i in range(ORDERS)]
    refused = 0
    started = time.perf_counter()
    for one in found:
        try:
            book.post(one, now=now)
        except InputError:
            refused += 1
    posted = time.perf_counter() - started
    started = time.perf_counter()
    for i in range(100):
        book.quote(replace(_order(draw, i, owners), id=f"asked-{i}", side=OrderSide.BUY), now=now)
    quoted = time.perf_counter() - started
    return (
        f"{ORDERS / posted:,.0f} orders a second ({len(book.fills()):,} fills, {len(book.standing):,} standing, "
        f"{refused:,} refused for want of capacity), {100 / quoted:,.0f} quotes a second"
    )


def _order(draw: Random, i: int, owners: list[str]) -> Order:
    start = draw.randint(1, 80)
    return Order(
        id=f"order-{i}",
        owner=draw.choice(owners),
        side=draw.choice(tuple(OrderSide)),
        rectangle=Rectangle(
            product="h100",
            accelerators=draw.randint(1, 64),
            from_at=Instant(start * SECONDS_PER_DAY),
            until_at=Instant((start + draw.randint(1, 9)) * SECONDS_PER_DAY),
        ),
        limit_micro_usd_per_hour=draw.randint(150, 300) * MICRO_PER_USD // 100,
        partial=draw.choice(tuple(Partial)),
    )


def main() -> None:
    """Print the machine and every figure."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(f"{platform.platform()}, {platform.processor() or platform.machine()}, Python {platform.python_version()}")
    for lots, bidders in SIZES:
        print(
            f"{lots} lots, {bidders} bidders, {4 * bidders} bids: {time_auction(bundle_auction(lots, bidders, seed))}"
        )
    print(f"order book: {time_book(seed)}")


if __name__ == "__main__":
    main()
