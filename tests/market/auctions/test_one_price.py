"""Auctions with one price a lot: sealed and by clock, against plain sorting and against each other."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acreage.domain.auction import Auction, Bid, Direction, Lot, Mechanism, PriceTier
from acreage.market.auctions.ascending import ascending, proxies
from acreage.market.auctions.second_price import paid_at, second_price
from acreage.units.errors import InputError
from acreage.units.ids import BidderId, BidId, LotId

A = LotId("a")


def unit_bid(name: str, bidder: str, price: int, units: int = 1, lot: LotId = A) -> Bid:
    """A bid of 1 to `units` units of one lot at a price of some micro-USD."""
    return Bid(
        id=BidId(name),
        bidder=BidderId(bidder),
        bundle=((lot, 1),),
        tiers=(PriceTier(units_min=1, micro_usd_per_unit=price),),
        units_max=units,
    )


def sale(*bids: Bid, quantity: int, reserve: int | None = None, direction: Direction = Direction.FORWARD) -> Auction:
    """An auction of one lot."""
    return Auction(
        id="sale",
        direction=direction,
        lots=(Lot(id=A, quantity=quantity, reserve_micro_usd=reserve),),
        bids=bids,
        mechanism=Mechanism.SECOND_PRICE,
        increment_micro_usd=3,
    )


@st.composite
def sales(draw: st.DrawFn) -> Auction:
    """Auctions of one lot with up to eight bids, prices close enough for ties."""
    count = draw(st.integers(0, 8))
    bids = tuple(
        unit_bid(f"b{i}", f"w{draw(st.integers(0, 4))}", draw(st.integers(1, 12)), draw(st.integers(1, 4)))
        for i in range(count)
    )
    reserve = draw(st.none() | st.integers(1, 8))
    return replace(sale(*bids, quantity=draw(st.integers(1, 6)), reserve=reserve), seed=draw(st.integers(0, 3)))


def unit_prices(auction: Auction) -> list[int]:
    """The price of every single unit bid for, the best first."""
    prices = [bid.tiers[0].micro_usd_per_unit for bid in auction.bids for _ in range(bid.units_max)]
    return sorted(prices, reverse=auction.direction is Direction.FORWARD)


def test_one_unit_goes_to_the_highest_bid_at_the_second_highest() -> None:
    """Vickrey 1961."""
    award = second_price(sale(unit_bid("x", "1", 7), unit_bid("y", "2", 10), unit_bid("z", "3", 4), quantity=1))
    assert [one.bidder for one in award.accepted] == ["2"]
    assert award.prices[0].micro_usd_per_unit == 7
    assert "x" in award.prices[0].because


@given(sales())
def test_k_units_go_to_the_k_best_at_the_next_price(auction: Auction) -> None:
    """Units sold, their bids and the price are those of the sorted list of units."""
    (lot,), award = auction.lots, second_price(auction)
    admitted = [price for price in unit_prices(auction) if price >= (lot.reserve_micro_usd or 0)]
    won = admitted[: lot.quantity]
    assert sum(one.units for one in award.accepted) == award.prices[0].units == len(won)
    assert sum(one.amount_micro_usd for one in award.accepted) == sum(won)
    lost = admitted[lot.quantity :]
    assert award.prices[0].micro_usd_per_unit == (lost[0] if lost else lot.reserve_micro_usd or 0)
    assert all(paid <= bid for paid, bid in _paid_and_bid(auction))


def _paid_and_bid(auction: Auction) -> list[tuple[int, int]]:
    award = second_price(auction)
    bids: dict[BidderId, int] = {}
    for one in award.accepted:
        bids[one.bidder] = bids.get(one.bidder, 0) + one.amount_micro_usd
    return [(paid, bids[who]) for who, paid in paid_at(award, auction).items()]


@given(sales())
def test_the_clock_ends_where_the_sealed_auction_does(auction: Auction) -> None:
    """With proxies that hold the sealed bids, the clock's price and the units of every bid are the sealed ones.

    Only where no bid loses may prices differ in their reason; both are then the reserve price.
    """
    sealed, clock = second_price(auction), ascending(auction)
    assert clock.prices[0].micro_usd_per_unit == sealed.prices[0].micro_usd_per_unit
    assert clock.accepted == sealed.accepted
    assert sum(units for _, _, units in clock.rounds[-1].demand) == clock.prices[0].units


@given(sales())
def test_a_tie_is_told_and_only_the_seed_decides_it(auction: Auction) -> None:
    """Bids in another order give the same award; where seeds give different awards, the tie is reported."""
    sealed = second_price(auction)
    turned = second_price(replace(auction, bids=auction.bids[::-1]))
    assert set(turned.accepted) == set(sealed.accepted)
    others = {second_price(replace(auction, seed=seed)).accepted for seed in range(12)}
    assert len(others) == 1 or len(sealed.prices[0].tied) > 1


def test_suppliers_get_the_best_ask_that_lost() -> None:
    """Reverse: two units wanted, asks 5, 6 and 9: both suppliers get 9; a reserve of 8 keeps the third out."""
    asks = (unit_bid("x", "1", 5), unit_bid("y", "2", 6), unit_bid("z", "3", 9))
    award = second_price(sale(*asks, quantity=2, direction=Direction.REVERSE))
    assert [one.bidder for one in award.accepted] == ["1", "2"]
    assert award.prices[0].micro_usd_per_unit == 9
    capped = second_price(sale(*asks, quantity=2, reserve=8, direction=Direction.REVERSE))
    assert capped.prices[0].micro_usd_per_unit == 8


def test_every_round_is_reported() -> None:
    """Prices rise by the increment while more is wanted than there is; what is given up is told with its price."""
    award = ascending(sale(unit_bid("x", "1", 10, 2), unit_bid("y", "2", 7, 2), quantity=2, reserve=1))
    assert [dict(each.prices)[A] for each in award.rounds] == [1, 4, 7, 10]
    assert award.rounds[0].demand == (("1", A, 2), ("2", A, 2))
    assert [(one.bid, one.units, one.micro_usd_per_unit) for one in award.rounds[-1].exits] == [("y", 2, 7)]
    assert award.prices[0].micro_usd_per_unit == 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Grower:
    """A bidder that wants more as the price rises, which activity rules exist for."""

    bid: BidId

    def wants(self, prices: Mapping[LotId, int], /) -> Mapping[BidId, int]:
        """One unit at first, three from a price of 4 on, none above 9."""
        price = prices[A]
        return {self.bid: 0 if price > 9 else 3 if price >= 4 else 1}

    def gives_up_at(self, bid: BidId, /) -> int:
        """Nine."""
        return 9


def test_nobody_may_want_more_than_in_the_round_before() -> None:
    """The activity rule clips the growth and says whom it clipped."""
    case = sale(unit_bid("x", "1", 10, 2), unit_bid("g", "2", 9, 3), quantity=2, reserve=1)
    bidders = proxies(case) | {BidderId("2"): Grower(bid=BidId("g"))}
    award = ascending(case, bidders)
    assert award.rounds[1].clipped == ("2",)
    assert max(n for each in award.rounds for who, _, n in each.demand if who == "2") == 1
    assert {one.bidder: one.units for one in award.accepted} == {"1": 2}
    assert award.prices[0].micro_usd_per_unit == 9


def test_a_clock_that_does_not_stop_is_refused() -> None:
    """An increment far below the prices would take forever: said, not done."""
    with pytest.raises(InputError, match="increment"):
        ascending(sale(unit_bid("x", "1", 10**6), unit_bid("y", "2", 10**6), quantity=1))
