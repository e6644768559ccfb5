"""The ascending clock auction of many units: the price of a lot rises until no more is wanted than there is.

Each lot has a clock. In every round bidders say how many units they want at the prices called, and at which price on
the way they give units up. The activity rule (Milgrom, Putting Auction Theory to Work, 2004, chapter 7): nobody may
want more units in all than in the round before. A lot closes where the exits bring what is wanted down to what there
is, at the price of the last exit that takes; units whose exits come later are won. So with bidders that want units of
falling value, the price is that of the sealed auction, the best bid that lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from acreage.domain.auction import Auction, Bid, ClockRound, Exit, Lot, LotPrice, UnitAward
from acreage.market.auctions.second_price import accepted_of, bids_on, price_of, tie_order
from acreage.units.errors import InputError
from acreage.units.ids import BidderId, BidId, LotId

ROUNDS_MAX = 20_000
"""A clock that takes more rounds has too small an increment."""


class ClockBidder(Protocol):
    """Whoever bids in a clock auction, a program or a person behind a screen."""

    def wants(self, prices: Mapping[LotId, int], /) -> Mapping[BidId, int]:
        """Units wanted at these prices (micro-USD a unit), by bid."""
        ...

    def gives_up_at(self, bid: BidId, /) -> int:
        """The price on the way at which units of a bid are given up that are no longer wanted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Bids for one bidder as its sealed bids say: wants a unit as long as the clock is not above its price."""

    bids: tuple[Bid, ...]

    def wants(self, prices: Mapping[LotId, int], /) -> Mapping[BidId, int]:
        """All units of the bids that the prices do not exceed."""
        return {bid.id: bid.units_max for bid in self.bids if prices[bid.bundle[0][0]] <= price_of(bid)}

    def gives_up_at(self, bid: BidId, /) -> int:
        """The price of the bid."""
        return next(price_of(one) for one in self.bids if one.id == bid)


def proxies(auction: Auction) -> dict[BidderId, ClockBidder]:
    """A proxy for every bidder, which holds its bids that the reserve prices admit."""
    admitted = {bid.id for lot in auction.lots for bid in bids_on(auction, lot)}
    found: dict[BidderId, ClockBidder] = {}
    for who in dict.fromkeys(bid.bidder for bid in auction.bids):
        found[who] = Proxy(bids=tuple(bid for bid in auction.bids if bid.bidder == who and bid.id in admitted))
    return found


def ascending(auction: Auction, bidders: Mapping[BidderId, ClockBidder] | None = None) -> UnitAward:
    """Run the clocks from the reserve prices (0 without), each round up by the auction's increment.

    Raises `InputError` where that takes more than `ROUNDS_MAX` rounds.
    """
    lots = {bid.id: bid.bundle[0][0] for bid in auction.bids}
    clock = _Clock(auction=auction, bidders=proxies(auction) if bidders is None else bidders, lots=lots)
    while clock.step():
        if len(clock.rounds) > ROUNDS_MAX:
            raise InputError(f"the clock has not stopped after {ROUNDS_MAX:,} rounds", fix="use a larger increment")
    units = {bid: n for bids in clock.held.values() for bid, n in bids.items()}
    prices = tuple(clock.closed[lot.id] for lot in auction.lots)
    return UnitAward(accepted=accepted_of(auction, units), prices=prices, rounds=tuple(clock.rounds))


@dataclass(slots=True, kw_only=True)
class _Clock:
    """Prices called, units held at them, and lots that are closed."""

    auction: Auction
    bidders: Mapping[BidderId, ClockBidder]
    lots: Mapping[BidId, LotId]
    prices: dict[LotId, int] = field(default_factory=dict)
    held: dict[BidderId, dict[BidId, int]] = field(default_factory=dict)
    closed: dict[LotId, LotPrice] = field(default_factory=dict)
    rounds: list[ClockRound] = field(default_factory=list)

    def step(self) -> bool:
        """Call one round; False once all lots are closed."""
        open_lots = [lot for lot in self.auction.lots if lot.id not in self.closed]
        if not open_lots:
            return False
        first = not self.rounds
        for lot in open_lots:
            self.prices[lot.id] = (lot.reserve_micro_usd or 0) if first else self.prices[lot.id] + self._increment()
        exits, clipped = self._answers(first)
        called = tuple(self.prices.items())
        for lot in open_lots:
            self._close_or_go_on(lot, [one for one in exits if one.lot == lot.id], first)
        self._record(called, exits, clipped)
        return True

    def _increment(self) -> int:
        assert self.auction.increment_micro_usd is not None, "a clock auction has an increment"
        return self.auction.increment_micro_usd

    def _answers(self, first: bool) -> tuple[list[Exit], tuple[BidderId, ...]]:
        """What bidders now want, within the activity rule, goes to `held`; returns exits and who was clipped."""
        exits, clipped = [], []
        for who, bidder in self.bidders.items():
            before = self.held.get(who, {})
            wanted = {bid: n for bid, n in bidder.wants(self.prices).items() if n and not self._is_closed(bid)}
            kept = {bid: n for bid, n in before.items() if self._is_closed(bid)}
            room = sum(before.values()) - sum(kept.values())
            if not first and sum(wanted.values()) > room:
                clipped.append(who)
                wanted = _clip(wanted, before, room)
            for bid, n in before.items():
                if not self._is_closed(bid) and n > wanted.get(bid, 0):
                    exits.append(self._exit(who, bid, n - wanted.get(bid, 0)))
            self.held[who] = kept | wanted
        return exits, tuple(clipped)

    def _exit(self, who: BidderId, bid: BidId, units: int) -> Exit:
        """Units given up, at the price the bidder says, which lies between the price before and the price now."""
        lot = self.lots[bid]
        at = min(max(self.bidders[who].gives_up_at(bid), self.prices[lot] - self._increment()), self.prices[lot])
        return Exit(lot=lot, bidder=who, bid=bid, units=units, micro_usd_per_unit=at)

    def _close_or_go_on(self, lot: Lot, exits: list[Exit], first: bool) -> None:
        """Close a lot at which no more is wanted than there is, giving back what the last exits need not give up."""
        wanted = self._wanted(lot.id)
        if wanted > lot.quantity:
            return
        start = self.prices[lot.id] if first else self.prices[lot.id] - self._increment()
        price, because = start, "no more was wanted at the price called first"
        tied: tuple[BidId, ...] = ()
        order = tie_order(self.auction)
        queue = sorted(exits, key=lambda one: (one.micro_usd_per_unit, -order[one.bid]))
        excess = wanted + sum(one.units for one in queue) - lot.quantity
        for one in queue:
            taken = min(one.units, max(excess, 0))
            if taken:
                price, because = one.micro_usd_per_unit, f"{one.bid} is the last that gave up"
                tied = _tied(queue, one, taken)
            excess -= taken
            if taken < one.units:
                self.held[one.bidder][one.bid] = self.held[one.bidder].get(one.bid, 0) + one.units - taken
        self.closed[lot.id] = LotPrice(
            lot=lot.id, units=self._wanted(lot.id), micro_usd_per_unit=price, because=because, tied=tied
        )

    def _wanted(self, lot: LotId) -> int:
        return sum(n for bids in self.held.values() for bid, n in bids.items() if self.lots[bid] == lot)

    def _is_closed(self, bid: BidId) -> bool:
        return self.lots[bid] in self.closed

    def _record(
        self, called: tuple[tuple[LotId, int], ...], exits: Sequence[Exit], clipped: tuple[BidderId, ...]
    ) -> None:
        demand: dict[tuple[BidderId, LotId], int] = {}
        for who, bids in self.held.items():
            for bid, n in bids.items():
                key = (who, self.lots[bid])
                demand[key] = demand.get(key, 0) + n
        self.rounds.append(
            ClockRound(
                number=len(self.rounds) + 1,
                prices=called,
                demand=tuple((who, lot, n) for (who, lot), n in demand.items() if n),
                exits=tuple(exits),
                clipped=clipped,
            )
        )


def _clip(wanted: Mapping[BidId, int], before: Mapping[BidId, int], room: int) -> dict[BidId, int]:
    """As much as activity allows: first what was wanted before, then the rest in the order given."""
    kept: dict[BidId, int] = {}
    for bid, n in wanted.items():
        kept[bid] = min(n, before.get(bid, 0), room)
        room -= kept[bid]
    for bid, n in wanted.items():
        more = min(n - kept[bid], room)
        kept[bid] += more
        room -= more
    return {bid: n for bid, n in kept.items() if n}


def _tied(queue: Sequence[Exit], last: Exit, taken: int) -> tuple[BidId, ...]:
    """Bids that gave up at the same price, of which not all had to go."""
    same = [one.bid for one in queue if one.micro_usd_per_unit == last.micro_usd_per_unit]
    split = taken < last.units or same[-1] != last.bid
    return tuple(same) if split and len(same) > 1 else ()
