"""What an allocation is worth and whether it keeps the rules, in whole numbers and without a solver.

Everything that is shown, paid or audited comes from here; the solver only proposes which bids to accept.
"""

import math
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

from acreage.domain.auction import Accepted, Allocation, Auction, Bid, Direction, Lot, ShareCap
from acreage.units.ids import BidderId, BidId, LotId
from acreage.units.money import usd_text


def price_at(bid: Bid, units: int) -> int:
    """The price of a unit, in micro-USD, where `units` of the bid are accepted: that of the last tier reached."""
    return next(tier.micro_usd_per_unit for tier in reversed(bid.tiers) if tier.units_min <= units)


def reserve_of(bid: Bid, lots: Mapping[LotId, Lot], direction: Direction) -> int | None:
    """The reserve price of one unit of a bid; None where it has no limit.

    Forward, a lot without a reserve counts 0; reverse, a bundle with a lot that can only be had here has no limit.
    """
    found = [(lots[lot].reserve_micro_usd, quantity) for lot, quantity in bid.bundle]
    if direction is Direction.REVERSE and any(reserve is None for reserve, _ in found):
        return None
    return sum((reserve or 0) * quantity for reserve, quantity in found)


def keeps_reserve(bid: Bid, price_micro_usd: int, lots: Mapping[LotId, Lot], direction: Direction) -> bool:
    """Whether a price of a unit of a bid is within the reserve price."""
    reserve = reserve_of(bid, lots, direction)
    if reserve is None:
        return True
    return price_micro_usd >= reserve if direction is Direction.FORWARD else price_micro_usd <= reserve


def share_limit(auction: Auction, cap: ShareCap) -> int:
    """The most units a bidder may get under a share cap: the share of what is offered or asked, rounded down."""
    scope = set(cap.lots)
    return math.floor(cap.share_max_frac * sum(lot.quantity for lot in auction.lots if not scope or lot.id in scope))


def survive_units(lot: Lot, survive_frac: Fraction) -> int:
    """The units of a lot that any one failure must leave: the share of what is asked, rounded up."""
    return math.ceil(survive_frac * lot.quantity)


def allocation_of(
    auction: Auction, units: Mapping[BidId, int], elsewhere: Mapping[LotId, int] | None = None
) -> Allocation:
    """The allocation that accepts these units of bids; what is not accepted may be left out."""
    accepted = tuple(
        Accepted(bid=bid.id, bidder=bid.bidder, units=n, amount_micro_usd=n * price_at(bid, n))
        for bid in auction.bids
        if (n := units.get(bid.id, 0))
    )
    bought = tuple((lot.id, n) for lot in auction.lots if (n := (elsewhere or {}).get(lot.id, 0)))
    return Allocation(
        accepted=accepted, elsewhere=bought, value_micro_usd=_value(auction, accepted, dict(bought), units)
    )


def _value(
    auction: Auction, accepted: tuple[Accepted, ...], elsewhere: Mapping[LotId, int], units: Mapping[BidId, int]
) -> int:
    bids = sum(one.amount_micro_usd for one in accepted)
    if auction.direction is Direction.REVERSE:
        return -bids - sum((lot.reserve_micro_usd or 0) * elsewhere.get(lot.id, 0) for lot in auction.lots)
    gone = taken(auction, units)
    return bids + sum((lot.reserve_micro_usd or 0) * (lot.quantity - gone[lot.id]) for lot in auction.lots)


def taken(auction: Auction, units: Mapping[BidId, int], *, bidder: BidderId | None = None) -> Counter[LotId]:
    """The units of every lot that accepted bids take, of all bidders or of one."""
    total: Counter[LotId] = Counter()
    for bid in auction.bids:
        if bidder is None or bid.bidder == bidder:
            for lot, quantity in bid.bundle:
                total[lot] += quantity * units.get(bid.id, 0)
    return total


def broken_rules(auction: Auction, allocation: Allocation) -> tuple[str, ...]:
    """Every rule that an allocation breaks, in words; empty where it keeps them all."""
    units = {one.bid: one.units for one in allocation.accepted}
    elsewhere = dict(allocation.elsewhere)
    found = _broken_bids(auction, units)
    found += _broken_lots(auction, units, elsewhere)
    found += _broken_bidders(auction, allocation, units)
    found += _broken_shares(auction, units)
    spent = sum(one.amount_micro_usd for one in allocation.accepted)
    budget = auction.rules.budget_micro_usd
    if budget is not None and spent > budget:
        found.append(f"the bids ask {usd_text(spent)} USD and the budget is {usd_text(budget)} USD")
    again = allocation_of(auction, units, elsewhere)
    if again != allocation:
        found.append("amounts or value are not what the bids say")
    return tuple(found)


def _broken_bids(auction: Auction, units: Mapping[BidId, int]) -> list[str]:
    lots = {lot.id: lot for lot in auction.lots}
    found, taken_groups = [], set()
    known = {bid.id for bid in auction.bids}
    found += [f"there is no bid {bid}" for bid in units if bid not in known]
    for bid in auction.bids:
        n = units.get(bid.id, 0)
        if n == 0:
            continue
        if not bid.units_min <= n <= bid.units_max:
            found.append(f"bid {bid.id}: {n} units where {bid.units_min} to {bid.units_max} are bid for")
        elif not keeps_reserve(bid, price_at(bid, n), lots, auction.direction):
            found.append(f"bid {bid.id}: its price is beyond the reserve price")
        if bid.either_or and (bid.bidder, bid.either_or) in taken_groups:
            found.append(f"bid {bid.id}: another one of {bid.either_or!r} is accepted too")
        taken_groups.add((bid.bidder, bid.either_or))
    return found


def _broken_lots(auction: Auction, units: Mapping[BidId, int], elsewhere: Mapping[LotId, int]) -> list[str]:
    gone, found = taken(auction, units), []
    for lot in auction.lots:
        n, more = gone[lot.id], elsewhere.get(lot.id, 0)
        if auction.direction is Direction.FORWARD and (n > lot.quantity or more):
            found.append(f"lot {lot.id}: {n} of {lot.quantity} are sold")
        if auction.direction is Direction.REVERSE and n + more < lot.quantity:
            found.append(f"lot {lot.id}: {n + more} of {lot.quantity} are covered")
        if more and lot.reserve_micro_usd is None:
            found.append(f"lot {lot.id}: it cannot be had elsewhere")
    need = auction.rules.survive_frac
    for bidder in sorted({bid.bidder for bid in auction.bids if units.get(bid.id, 0)}) if need else ():
        own = taken(auction, units, bidder=bidder)
        for lot in auction.lots:
            left = gone[lot.id] - own[lot.id] + elsewhere.get(lot.id, 0)
            if left < survive_units(lot, need):
                found.append(f"lot {lot.id}: without {bidder} {left} are left, {survive_units(lot, need)} have to be")
    return found


def _broken_bidders(auction: Auction, allocation: Allocation, units: Mapping[BidId, int]) -> list[str]:
    found = []
    winners = {one.bidder for one in allocation.accepted}
    low, high = auction.rules.winners_min, auction.rules.winners_max
    if winners and not low <= len(winners) <= (len(winners) if high is None else high):
        found.append(f"{len(winners)} bidders win, not {low} to {'any number' if high is None else high}")
    for bidder in auction.bidders:
        got = sum(taken(auction, units, bidder=bidder.id).values())
        spent = sum(one.amount_micro_usd for one in allocation.accepted if one.bidder == bidder.id)
        if bidder.units_max is not None and got > bidder.units_max:
            found.append(f"{bidder.id} gets {got} units and takes at most {bidder.units_max}")
        if bidder.budget_micro_usd is not None and spent > bidder.budget_micro_usd:
            found.append(f"{bidder.id} bids {usd_text(spent)} USD and has {usd_text(bidder.budget_micro_usd)} USD")
    return found


def _broken_shares(auction: Auction, units: Mapping[BidId, int]) -> list[str]:
    found = []
    for cap in auction.rules.share_caps:
        most, scope = share_limit(auction, cap), set(cap.lots)
        for bidder in sorted({bid.bidder for bid in auction.bids if units.get(bid.id, 0)}):
            own = taken(auction, units, bidder=bidder)
            got = sum(n for lot, n in own.items() if not scope or lot in scope)
            if cap.bidder in (None, bidder) and got > most:
                found.append(f"{bidder} gets {got} units where its share is at most {most}")
    return found
