"""Winner determination as an integer program: a binary a bid and price tier, a whole number where units vary.

The model is the set packing (forward) or covering (reverse) problem of Lehmann, Mueller and Sandholm, "The winner
determination problem", in Cramton, Shoham and Steinberg (eds.), Combinatorial Auctions, 2006, chapter 12, with
quantities, price tiers and side constraints added as rows.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from acreage.domain.auction import Allocation, Auction, Bid, Direction
from acreage.market.auctions.arithmetic import allocation_of, keeps_reserve, share_limit, survive_units
from acreage.market.auctions.program import Program, Terms, added, times
from acreage.units.ids import BidderId, BidId, LotId

NO_CHARGES: Mapping[BidderId, Fraction] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One price tier of a bid: `chosen` is its binary, `units` the units accepted in it as a linear expression."""

    bid: Bid
    chosen: int
    units: Terms
    micro_usd_per_unit: int


@dataclass(slots=True, kw_only=True)
class Formulation:
    """The program of an auction, what its columns stand for, and the value of accepting nothing.

    Gains are counted in `grain_micro_usd`, the greatest common divisor of all prices, so that the numbers the
    solver sees are as small as they can be.
    """

    auction: Auction
    program: Program = field(default_factory=Program)
    levels: list[Level] = field(default_factory=list)
    elsewhere: dict[LotId, int] = field(default_factory=dict)
    wins: dict[BidderId, int] = field(default_factory=dict)
    grain_micro_usd: int = 1
    idle_micro_usd: int = 0

    def bids_of(self, bidder: BidderId) -> list[Level]:
        """The levels of one bidder."""
        return [level for level in self.levels if level.bid.bidder == bidder]

    def bidders(self) -> list[BidderId]:
        """Bidders that can win, in the order of the auction."""
        return list(dict.fromkeys(level.bid.bidder for level in self.levels))

    def units_of(self, bid: BidId) -> Terms:
        """The accepted units of a bid."""
        return added(*(level.units for level in self.levels if level.bid.id == bid))

    def taken(self, lot: LotId, levels: list[Level]) -> Terms:
        """The units of a lot that these levels take."""
        return added(*(times(level.units, q) for level in levels for name, q in level.bid.bundle if name == lot))


def formulate(
    auction: Auction,
    *,
    excluded: frozenset[BidderId] = frozenset(),
    charges: Mapping[BidderId, Fraction] = NO_CHARGES,
) -> Formulation:
    """The program without the bids of `excluded`; a bidder in `charges` costs so many micro-USD if it wins anything."""
    form = Formulation(auction=auction)
    form.grain_micro_usd = _grain(auction)
    _add_levels(form, excluded)
    _add_elsewhere(form)
    _cover_lots(form)
    _survive(form)
    _choose_one(form)
    _count_winners(form, charges)
    _limit_bidders(form)
    _limit_shares(form)
    _limit_budget(form)
    return form


def allocation_at(form: Formulation, point: tuple[int, ...]) -> Allocation:
    """The allocation that a point of the program stands for, reckoned exactly."""
    units: dict[BidId, int] = {}
    for level in form.levels:
        n = sum(coefficient * point[column] for column, coefficient in level.units.items())
        units[level.bid.id] = units.get(level.bid.id, 0) + n
    return allocation_of(form.auction, units, {lot: point[column] for lot, column in form.elsewhere.items()})


def gain_of(form: Formulation) -> Terms:
    """The objective without charges, in grains: what a floor under the value bounds."""
    sign = 1 if form.auction.direction is Direction.FORWARD else -1
    lots = {lot.id: lot for lot in form.auction.lots}
    parts = [times(level.units, _gain(form, level.bid, level.micro_usd_per_unit)) for level in form.levels]
    parts += [
        {column: sign * (lots[lot].reserve_micro_usd or 0) // form.grain_micro_usd}
        for lot, column in form.elsewhere.items()
    ]
    return added(*parts)


def _grain(auction: Auction) -> int:
    prices = [tier.micro_usd_per_unit for bid in auction.bids for tier in bid.tiers]
    return math.gcd(*prices, *(lot.reserve_micro_usd or 0 for lot in auction.lots)) or 1


def _gain(form: Formulation, bid: Bid, price_micro_usd: int) -> int:
    """What accepting one unit at a price adds to the value, in grains."""
    if form.auction.direction is Direction.REVERSE:
        return -price_micro_usd // form.grain_micro_usd
    reserves = {lot.id: lot.reserve_micro_usd or 0 for lot in form.auction.lots}
    return (price_micro_usd - sum(reserves[lot] * q for lot, q in bid.bundle)) // form.grain_micro_usd


def _ranges(auction: Auction, bid: Bid) -> Iterator[tuple[int, int, int]]:
    """The least and most units of each tier that can be accepted, with its price."""
    stock = {lot.id: lot.quantity for lot in auction.lots}
    most = bid.units_max
    if auction.direction is Direction.FORWARD:
        most = min(most, *(stock[lot] // q for lot, q in bid.bundle))
    ends = [tier.units_min - 1 for tier in bid.tiers[1:]] + [most]
    for tier, end in zip(bid.tiers, ends, strict=True):
        low, high = max(tier.units_min, bid.units_min), min(end, most)
        if low <= high:
            yield low, high, tier.micro_usd_per_unit


def _add_levels(form: Formulation, excluded: frozenset[BidderId]) -> None:
    lots = {lot.id: lot for lot in form.auction.lots}
    for bid in form.auction.bids:
        if bid.bidder in excluded:
            continue
        for low, high, price in _ranges(form.auction, bid):
            if keeps_reserve(bid, price, lots, form.auction.direction):
                form.levels.append(_level(form, bid, low, high, price))


def _level(form: Formulation, bid: Bid, low: int, high: int, price: int) -> Level:
    gain, program = _gain(form, bid, price), form.program
    if low == high:
        chosen = program.column(1, gain * low)
        return Level(bid=bid, chosen=chosen, units={chosen: low}, micro_usd_per_unit=price)
    # The least units come with the binary, so that the column beside it only counts what is beyond them.
    chosen, beyond = program.column(1, gain * low), program.column(high - low, gain)
    program.row({beyond: 1, chosen: low - high}, upper=0)
    return Level(bid=bid, chosen=chosen, units={chosen: low, beyond: 1}, micro_usd_per_unit=price)


def _add_elsewhere(form: Formulation) -> None:
    """What a reverse auction may have elsewhere, and what forward auctions have if nothing is sold."""
    if form.auction.direction is Direction.FORWARD:
        form.idle_micro_usd = sum((lot.reserve_micro_usd or 0) * lot.quantity for lot in form.auction.lots)
        return
    for lot in form.auction.lots:
        if lot.reserve_micro_usd is not None:
            gain = -lot.reserve_micro_usd // form.grain_micro_usd
            form.elsewhere[lot.id] = form.program.column(lot.quantity, gain)


def _cover_lots(form: Formulation) -> None:
    for lot in form.auction.lots:
        sold = form.taken(lot.id, form.levels)
        if form.auction.direction is Direction.FORWARD:
            form.program.row(sold, upper=lot.quantity)
        else:
            form.program.row(added(sold, _elsewhere(form, lot.id)), lower=lot.quantity)


def _elsewhere(form: Formulation, lot: LotId) -> Terms:
    return {form.elsewhere[lot]: 1} if lot in form.elsewhere else {}


def _survive(form: Formulation) -> None:
    """Without any one supplier that can win, the stated share of each lot is still covered."""
    if not form.auction.rules.survive_frac:
        return
    for lot in form.auction.lots:
        need = survive_units(lot, form.auction.rules.survive_frac)
        for bidder in form.bidders():
            others = [level for level in form.levels if level.bid.bidder != bidder]
            form.program.row(added(form.taken(lot.id, others), _elsewhere(form, lot.id)), lower=need)


def _choose_one(form: Formulation) -> None:
    """At most one tier of a bid, and one bid of an either-or group."""
    groups: dict[tuple[str, ...], Terms] = {}
    for level in form.levels:
        bid = level.bid
        key = (bid.bidder, "group", bid.either_or) if bid.either_or else (bid.bidder, "bid", bid.id)
        groups.setdefault(key, {})[level.chosen] = 1
    for terms in groups.values():
        if len(terms) > 1:
            form.program.row(terms, upper=1)


def _count_winners(form: Formulation, charges: Mapping[BidderId, Fraction]) -> None:
    rules, program = form.auction.rules, form.program
    counts = rules.winners_min > 1 or rules.winners_max is not None
    for bidder in form.bidders():
        if counts or bidder in charges:
            form.wins[bidder] = program.column(1, -charges.get(bidder, Fraction(0)) / form.grain_micro_usd)
            levels = form.bids_of(bidder)
            for level in levels:
                program.row({level.chosen: 1, form.wins[bidder]: -1}, upper=0)
            program.row({form.wins[bidder]: -1} | {level.chosen: 1 for level in levels}, lower=0)
    everyone = {form.wins[bidder]: 1 for bidder in form.wins}
    if rules.winners_max is not None:
        program.row(everyone, upper=rules.winners_max)
    if rules.winners_min > 1:
        anybody = program.column(1)
        for column in everyone:
            program.row({column: 1, anybody: -1}, upper=0)
        program.row(everyone | {anybody: -rules.winners_min}, lower=0)


def _limit_bidders(form: Formulation) -> None:
    for bidder in form.auction.bidders:
        levels = form.bids_of(bidder.id)
        if bidder.units_max is not None:
            form.program.row(_all_units(levels, ()), upper=bidder.units_max)
        if bidder.budget_micro_usd is not None:
            _limit_amount(form, levels, bidder.budget_micro_usd)


def _limit_shares(form: Formulation) -> None:
    for cap in form.auction.rules.share_caps:
        for bidder in form.bidders() if cap.bidder is None else (cap.bidder,):
            form.program.row(_all_units(form.bids_of(bidder), cap.lots), upper=share_limit(form.auction, cap))


def _limit_budget(form: Formulation) -> None:
    if form.auction.rules.budget_micro_usd is not None:
        _limit_amount(form, form.levels, form.auction.rules.budget_micro_usd)


def _limit_amount(form: Formulation, levels: list[Level], most_micro_usd: int) -> None:
    grain = form.grain_micro_usd
    terms = added(*(times(level.units, level.micro_usd_per_unit // grain) for level in levels))
    form.program.row(terms, upper=most_micro_usd // grain)


def _all_units(levels: list[Level], scope: tuple[LotId, ...]) -> Terms:
    sizes = ((level, sum(q for lot, q in level.bid.bundle if not scope or lot in scope)) for level in levels)
    return added(*(times(level.units, size) for level, size in sizes if size))
