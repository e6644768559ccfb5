"""Whether an auction makes sense: faults with the path of the field, in the words of the auction file."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from acreage.domain.auction import Auction, AwardRules, Bid, Bidder, Direction, Mechanism
from acreage.market.auctions.arithmetic import price_at
from acreage.market.auctions.ascending import ROUNDS_MAX
from acreage.units.errors import InputError
from acreage.units.instants import iso
from acreage.units.money import usd_text

At = tuple[str | int, ...]

VALUE_MAX_MICRO_USD = 2**53
"""Whole numbers up to here are exact in a solver's floats: nine billion dollars of bids in one auction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong at a path such as ("bids", 3, "bundle", "a"), and what would be right."""

    at: At
    what: str
    fix: str


def check_auction(auction: Auction) -> None:
    """Raise `InputError` for the first fault."""
    for fault in faults(auction):
        raise InputError(f"{'.'.join(map(str, fault.at))}: {fault.what}", fix=fault.fix)


def faults(auction: Auction) -> Iterator[Fault]:
    """Every fault, lots first."""
    yield from _lots(auction)
    yield from _names(auction)
    for i, bid in enumerate(auction.bids):
        yield from _bid(auction, bid, ("bids", i))
    yield from _contradictions(auction)
    yield from _rules(auction)
    if auction.mechanism is not Mechanism.COMBINATORIAL:
        yield from _single_lots(auction)
    total = sum(bid.units_max * max(t.micro_usd_per_unit for t in bid.tiers) for bid in auction.bids if bid.tiers)
    if total > VALUE_MAX_MICRO_USD:
        yield Fault(
            at=("bids",),
            what=f"the bids add up to {usd_text(total)} USD",
            fix=f"at most {usd_text(VALUE_MAX_MICRO_USD)} USD can be told apart to the last micro-dollar",
        )


def _lots(auction: Auction) -> Iterator[Fault]:
    if not auction.lots:
        yield Fault(at=("lots",), what="there is no lot", fix="list what is for sale or wanted")
    for i, lot in enumerate(auction.lots):
        if lot.quantity <= 0:
            yield Fault(at=("lots", i, "quantity"), what=f"a lot of {lot.quantity}", fix="a lot has 1 unit or more")
        if lot.reserve_micro_usd is not None and lot.reserve_micro_usd < 0:
            yield Fault(at=("lots", i, "reserve"), what="a reserve price below zero", fix="leave it out")
        if lot.from_at is not None and lot.until_at is not None and lot.until_at <= lot.from_at:
            yield Fault(at=("lots", i, "until"), what="the lot ends before it starts", fix="write a later day")


def _names(auction: Auction) -> Iterator[Fault]:
    for section, ids in (
        ("lots", [lot.id for lot in auction.lots]),
        ("bidders", [bidder.id for bidder in auction.bidders]),
        ("bids", [bid.id for bid in auction.bids]),
    ):
        seen: set[str] = set()
        for i, name in enumerate(ids):
            if name in seen:
                yield Fault(at=(section, i, "id"), what=f"{name!r} stands twice in {section}", fix="rename one")
            seen.add(name)


def _bid(auction: Auction, bid: Bid, at: At) -> Iterator[Fault]:
    stock = {lot.id: lot.quantity for lot in auction.lots}
    if not bid.bundle:
        yield Fault(at=(*at, "bundle"), what=f"bid {bid.id} is for nothing", fix="name lots and quantities")
    for lot, count in Counter(lot for lot, _ in bid.bundle).items():
        if count > 1:
            yield Fault(at=(*at, "bundle", lot), what=f"lot {lot!r} stands twice", fix="add its quantities up")
    for lot, quantity in bid.bundle:
        here = (*at, "bundle", lot)
        if lot not in stock:
            yield Fault(at=here, what=f"there is no lot {lot!r}", fix=f"the lots are {', '.join(stock)}")
        elif quantity <= 0:
            yield Fault(at=here, what=f"a quantity of {quantity}", fix="write 1 or more, or leave the lot out")
        elif auction.direction is Direction.FORWARD and quantity * bid.units_min > stock[lot]:
            what = f"{quantity * bid.units_min} of lot {lot!r} where there are {stock[lot]}: it can never win"
            yield Fault(at=here, what=what, fix=f"bid for at most {stock[lot]}")
    yield from _prices(bid, at)
    if auction.closes_at is not None and bid.received_at is not None and bid.received_at > auction.closes_at:
        what = f"bid {bid.id} came {iso(bid.received_at)}, after the close {iso(auction.closes_at)}"
        yield Fault(at=(*at, "received"), what=what, fix="leave it out: late bids do not take part")


def _prices(bid: Bid, at: At) -> Iterator[Fault]:
    if not 1 <= bid.units_min <= bid.units_max:
        what = f"{bid.units_min} to {bid.units_max} units"
        yield Fault(at=(*at, "units_max"), what=what, fix="write 1 <= units_min <= units_max")
    starts = [tier.units_min for tier in bid.tiers]
    if not starts or starts[0] > bid.units_min or starts != sorted(set(starts)) or starts[-1] > bid.units_max:
        what = f"price tiers from {', '.join(map(str, starts)) or 'nothing'} on"
        fix = f"tiers ascend and lie between {bid.units_min} and {bid.units_max} units"
        yield Fault(at=(*at, "tiers"), what=what, fix=fix)
    if any(tier.micro_usd_per_unit <= 0 for tier in bid.tiers):
        yield Fault(at=(*at, "price"), what=f"bid {bid.id} has a price of zero or less", fix="write a price above 0")


def _contradictions(auction: Auction) -> Iterator[Fault]:
    """Either-or bids for the same thing at different prices: nobody can say which one is meant."""
    seen: dict[tuple[object, ...], Bid] = {}
    for i, bid in enumerate(auction.bids):
        if not bid.either_or:
            continue
        key = (bid.bidder, bid.either_or, frozenset(bid.bundle), bid.units_min, bid.units_max)
        other = seen.setdefault(key, bid)
        if other is not bid:
            what = f"{bid.id} and {other.id} are either-or bids of {bid.bidder} for the same bundle"
            yield Fault(at=("bids", i, "bundle"), what=what, fix="keep the one that is meant")


def _rules(auction: Auction) -> Iterator[Fault]:
    rules, reverse = auction.rules, auction.direction is Direction.REVERSE
    known = {bidder.id for bidder in auction.bidders} | {bid.bidder for bid in auction.bids}
    if rules.winners_max is not None and rules.winners_min > rules.winners_max:
        what = f"at least {rules.winners_min} and at most {rules.winners_max} winners"
        yield Fault(at=("rules", "winners_max"), what=what, fix="winners_min <= winners_max")
    if rules.survive_frac and not reverse:
        what = "a forward auction buys nothing that could fail"
        yield Fault(at=("rules", "survive_frac"), what=what, fix="leave it out")
    if rules.budget_micro_usd is not None and not reverse:
        fix = "limit bidders with bidders[].budget"
        yield Fault(at=("rules", "budget"), what="a forward auction spends nothing", fix=fix)
    if not 0 <= rules.survive_frac <= 1:
        yield Fault(at=("rules", "survive_frac"), what="a share outside 0 to 1", fix="write for example 0.5")
    lots = [lot.id for lot in auction.lots]
    for i, cap in enumerate(rules.share_caps):
        at: At = ("rules", "shares", i)
        if not 0 < cap.share_max_frac <= 1:
            yield Fault(at=(*at, "share_max_frac"), what="a share outside 0 to 1", fix="write for example 0.5")
        if cap.bidder is not None and cap.bidder not in known:
            yield Fault(at=(*at, "bidder"), what=f"there is no bidder {cap.bidder!r}", fix="name one that bids")
        for lot in cap.lots:
            if lot not in lots:
                yield Fault(at=(*at, "lots"), what=f"there is no lot {lot!r}", fix=f"the lots are {', '.join(lots)}")


def _single_lots(auction: Auction) -> Iterator[Fault]:
    """What the auctions with one price a lot cannot do."""
    name = auction.mechanism.value
    for i, bid in enumerate(auction.bids):
        if [quantity for _, quantity in bid.bundle] != [1] or len(bid.tiers) != 1 or bid.either_or or bid.units_min > 1:
            what = f"bid {bid.id} is no plain bid for 1 to {bid.units_max} units of one lot"
            fix = f"{name} takes {{bundle: {{lot: 1}}, units_max: n, price: ...}}; use mechanism: combinatorial"
            yield Fault(at=("bids", i, "bundle"), what=what, fix=fix)
    if auction.rules != AwardRules() or any(one != Bidder(id=one.id) for one in auction.bidders):
        yield Fault(at=("rules",), what=f"{name} auctions keep no such rules", fix="use mechanism: combinatorial")
    if auction.mechanism is Mechanism.ASCENDING:
        yield from _clock(auction)


def _clock(auction: Auction) -> Iterator[Fault]:
    if auction.direction is Direction.REVERSE:
        fix = "use mechanism: second-price or combinatorial"
        yield Fault(at=("direction",), what="the clock sells: it only rises", fix=fix)
    step = auction.increment_micro_usd
    if step is None or step <= 0:
        yield Fault(at=("increment",), what="a clock needs an increment", fix="write for example increment: 10 USD")
        return
    top = max((price_at(bid, bid.units_max) for bid in auction.bids if bid.tiers), default=0)
    if top // step > ROUNDS_MAX:
        what = f"an increment of {usd_text(step)} USD takes {top // step:,} rounds to {usd_text(top)} USD"
        yield Fault(at=("increment",), what=what, fix=f"at most {ROUNDS_MAX:,} rounds are held")
