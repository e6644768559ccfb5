"""Auctions solved by trying every combination of accepted units: nothing to understand, nothing to get wrong."""

from itertools import combinations, product
from math import ceil, floor

import numpy as np
from scipy.optimize import linprog

from acreage.domain.auction import Auction, Bid, Direction
from acreage.units.ids import BidderId, BidId

Units = dict[BidId, int]


def choices(auction: Auction, bid: Bid) -> list[int]:
    """What can be accepted of one bid: nothing, or a number of units whose price the reserve allows."""
    reserves = {lot.id: lot.reserve_micro_usd for lot in auction.lots}
    found = [0]
    for units in range(bid.units_min, bid.units_max + 1):
        price = price_of(bid, units)
        limits = [reserves[lot] for lot, _ in bid.bundle]
        limit = sum((reserves[lot] or 0) * quantity for lot, quantity in bid.bundle)
        if auction.direction is Direction.FORWARD and price < limit:
            continue
        if auction.direction is Direction.REVERSE and None not in limits and price > limit:
            continue
        found.append(units)
    return found


def price_of(bid: Bid, units: int) -> int:
    """The price of a unit where so many are accepted."""
    price = 0
    for tier in bid.tiers:
        if units >= tier.units_min:
            price = tier.micro_usd_per_unit
    return price


def value(auction: Auction, units: Units) -> int | None:
    """The value of accepting these units, the cheapest cover from elsewhere included; None if a rule is broken."""
    rules, forward = auction.rules, auction.direction is Direction.FORWARD
    chosen = [bid for bid in auction.bids if units[bid.id]]
    groups = [(bid.bidder, bid.either_or) for bid in chosen if bid.either_or]
    if len(groups) != len(set(groups)):
        return None
    winners = sorted({bid.bidder for bid in chosen})
    if winners and len(winners) < rules.winners_min:
        return None
    if rules.winners_max is not None and len(winners) > rules.winners_max:
        return None

    def got(lot: str, who: str | None = None) -> int:
        return sum(
            quantity * units[bid.id]
            for bid in chosen
            for name, quantity in bid.bundle
            if name == lot and who in (None, bid.bidder)
        )

    spent = {who: sum(units[b.id] * price_of(b, units[b.id]) for b in chosen if b.bidder == who) for who in winners}
    for bidder in auction.bidders:
        if bidder.id not in winners:
            continue
        if bidder.units_max is not None and sum(got(lot.id, bidder.id) for lot in auction.lots) > bidder.units_max:
            return None
        if bidder.budget_micro_usd is not None and spent[bidder.id] > bidder.budget_micro_usd:
            return None
    for cap in rules.share_caps:
        lots = [lot for lot in auction.lots if not cap.lots or lot.id in cap.lots]
        most = floor(cap.share_max_frac * sum(lot.quantity for lot in lots))
        for who in winners:
            if cap.bidder in (None, who) and sum(got(lot.id, who) for lot in lots) > most:
                return None
    total = sum(spent.values())
    if rules.budget_micro_usd is not None and total > rules.budget_micro_usd:
        return None
    kept = 0
    for lot in auction.lots:
        here = got(lot.id)
        if forward:
            if here > lot.quantity:
                return None
            kept += (lot.reserve_micro_usd or 0) * (lot.quantity - here)
            continue
        short = max(0, lot.quantity - here)
        if rules.survive_frac:
            need = ceil(rules.survive_frac * lot.quantity)
            short = max([short] + [need - (here - got(lot.id, who)) for who in winners])
        if short and lot.reserve_micro_usd is None:
            return None
        kept -= (lot.reserve_micro_usd or 0) * short
    return total + kept if forward else kept - total


class Everything:
    """All awards of an auction that keep the rules, and what each set of bidders can have."""

    def __init__(self, auction: Auction) -> None:
        self.auction = auction
        self.awards: list[tuple[int, Units]] = []
        self.by_winners: dict[frozenset[BidderId], int] = {}
        options = [choices(auction, bid) for bid in auction.bids]
        for combination in product(*options):
            units = {bid.id: n for bid, n in zip(auction.bids, combination, strict=True)}
            worth = value(auction, units)
            if worth is not None:
                self.awards.append((worth, units))
                winners = frozenset(bid.bidder for bid in auction.bids if units[bid.id])
                self.by_winners[winners] = max(worth, self.by_winners.get(winners, worth))

    def best(self, excluded: frozenset[BidderId] = frozenset()) -> int | None:
        """The best value without some bidders."""
        return max((worth for winners, worth in self.by_winners.items() if not winners & excluded), default=None)

    def optima(self) -> list[Units]:
        """All awards of the best value."""
        best = self.best()
        return [units for worth, units in self.awards if worth == best]

    def vcg_surplus(self, winners: tuple[BidderId, ...]) -> dict[BidderId, int | None]:
        """What each winner adds; None where there is no award without it."""
        best = self.best()
        assert best is not None
        found = {}
        for who in winners:
            other = self.best(frozenset({who}))
            found[who] = None if other is None else best - other
        return found

    def core(self, winners: tuple[BidderId, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Every constraint of the core on surpluses, as rows and limits; irreplaceable winners keep nothing."""
        best = self.best()
        assert best is not None
        rows, limits = [], []
        for size in range(1, len(winners) + 1):
            for group in combinations(range(len(winners)), size):
                other = self.best(frozenset(winners[i] for i in group))
                row = [1.0 if i in group else 0.0 for i in range(len(winners))]
                if other is not None:
                    rows.append(row)
                    limits.append(best - other)
                elif size == 1:
                    rows.append(row)
                    limits.append(0)
        return np.array(rows, dtype=float), np.array(limits, dtype=float)


def check_bidder_optimal(rows: np.ndarray, limits: np.ndarray, target: np.ndarray, surplus: np.ndarray) -> None:
    """The surpluses are in the core, have the greatest sum, and no other point of that face is nearer to the target.

    A point x of a convex set is nearest to t exactly if (x - t) (y - x) >= 0 for all y of the set. All in USD;
    surpluses were rounded to micro-USD.
    """
    count = len(surplus)
    assert (surplus >= 0).all()
    assert (rows @ surplus <= limits + 1e-9).all()
    most = linprog(-np.ones(count), A_ub=rows, b_ub=limits, bounds=(0, None))
    assert most.status == 0
    assert abs(surplus.sum() + most.fun) <= 1e-4
    step = linprog(
        surplus - target,
        A_ub=np.vstack([rows, -np.ones(count)]),
        b_ub=np.append(limits, most.fun + 1e-6),
        bounds=(0, None),
    )
    assert step.status == 0
    assert (surplus - target) @ surplus <= step.fun + 1e-3
