"""Who wins: the best allocation that keeps every rule, whether another is as good, and what every coalition could have.

The solver proposes and whole numbers decide: an allocation is reckoned exactly, and the search for another one that
is as good also finds any that is better, so that the solver's tolerance cannot decide an award.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from acreage.domain.auction import Allocation, Auction, Award, Direction, NoAward, Swap
from acreage.market.auctions.arithmetic import broken_rules
from acreage.market.auctions.engines.highs import maximise
from acreage.market.auctions.formulate import NO_CHARGES, Formulation, allocation_at, formulate, gain_of
from acreage.market.auctions.program import Program
from acreage.units.ids import BidderId, BidId, LotId
from acreage.units.money import MICRO_PER_USD, usd_text

SWAPS_MAX = 3
"""So many other awards that are as good are looked for and told; one is enough to know of a tie."""

_TIE_WEIGHT_MAX = 1_000_000


def determine(auction: Auction, *, swaps_max: int = SWAPS_MAX) -> Award | NoAward:
    """The best award; between equally good ones the auction's seed decides, whatever the order of the bids.

    Forward auctions always have one, which may accept nothing.
    """
    form = formulate(auction)
    solved = maximise(form.program)
    if solved is None:
        return NoAward(because=_shortage(auction), reliefs=_reliefs(auction))
    best = _checked(auction, allocation_at(form, solved.point))
    while (other := _next(form, best.value_micro_usd, (best,))) is not None:
        if other.value_micro_usd == best.value_micro_usd:
            best = _drawn(form, best)
            break
        best = other
    swaps = _swaps(form, best, swaps_max)
    bound = max(form.idle_micro_usd + round(solved.bound) * form.grain_micro_usd, best.value_micro_usd)
    return Award(allocation=best, bound_micro_usd=bound, swaps=swaps, more_swaps=0 < len(swaps) == swaps_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coalition:
    """What bidders could have had without some: the best allocation of everybody but `excluded`."""

    excluded: frozenset[BidderId]
    allocation: Allocation


def without(auction: Auction, excluded: frozenset[BidderId]) -> Coalition | None:
    """The best allocation without some bidders; None where there is none that keeps the rules."""
    return _best(auction, excluded, NO_CHARGES)


def most_blocking(auction: Auction, surplus_micro_usd: Mapping[BidderId, Fraction]) -> Coalition | None:
    """The coalition that gains most over an award that leaves its winners these surpluses.

    Each winner that takes part has to be given its surplus, so it is a charge on its winning anything: the
    separation problem of Day and Raghavan 2007, "Fair payments for efficient allocations in public sector
    combinatorial auctions", Management Science 53(9), section 4. Its winners that are left out are `excluded`.
    """
    found = _best(auction, frozenset(), surplus_micro_usd)
    if found is None:
        return None
    members = {one.bidder for one in found.allocation.accepted}
    return replace(found, excluded=frozenset(surplus_micro_usd) - members)


def _best(auction: Auction, excluded: frozenset[BidderId], charges: Mapping[BidderId, Fraction]) -> Coalition | None:
    form = formulate(auction, excluded=excluded, charges=charges)
    solved = maximise(form.program)
    if solved is None:
        return None
    return Coalition(excluded=excluded, allocation=_checked(auction, allocation_at(form, solved.point)))


def _checked(auction: Auction, allocation: Allocation) -> Allocation:
    broken = broken_rules(auction, allocation)
    assert not broken, broken
    return allocation


def _swaps(form: Formulation, best: Allocation, count: int) -> tuple[Swap, ...]:
    known = [best]
    while len(known) <= count and (other := _next(form, best.value_micro_usd, tuple(known))) is not None:
        known.append(other)
    return tuple(_swap(best, other) for other in known[1:])


def _swap(best: Allocation, other: Allocation) -> Swap:
    ours, theirs = ({one.bid: one.units for one in each.accepted} for each in (best, other))
    change = {bid: theirs.get(bid, 0) - ours.get(bid, 0) for bid in ours | theirs}
    return Swap(
        less=tuple((bid, -n) for bid, n in change.items() if n < 0),
        more=tuple((bid, n) for bid, n in change.items() if n > 0),
    )


def _next(form: Formulation, floor_micro_usd: int, known: tuple[Allocation, ...]) -> Allocation | None:
    """An allocation of at least this value that accepts other units of some bid than each of the known ones."""
    program = _floored(form, floor_micro_usd)
    for allocation in known:
        _differ(form, program, allocation)
    solved = maximise(program)
    if solved is None:
        return None
    found = allocation_at(form, solved.point)
    # A floor within the solver's tolerance of the value may let through what is worth a little less.
    if found.value_micro_usd < floor_micro_usd or broken_rules(form.auction, found):
        return None
    return found


def _drawn(form: Formulation, best: Allocation) -> Allocation:
    """One of the equally good allocations, by weights that the seed gives each bid by its name."""
    program = _floored(form, best.value_micro_usd)
    weights = _tie_weights(form.auction)
    columns = [replace(column, gain=Fraction(0)) for column in program.columns]
    for level in form.levels:
        for column in level.units:
            columns[column] = replace(columns[column], gain=columns[column].gain + weights[level.bid.id])
    solved = maximise(Program(columns=columns, rows=program.rows))
    found = None if solved is None else allocation_at(form, solved.point)
    if found is None or found.value_micro_usd < best.value_micro_usd or broken_rules(form.auction, found):
        return best
    return found


def _tie_weights(auction: Auction) -> dict[BidId, int]:
    names = sorted(bid.id for bid in auction.bids)
    draw = Random(auction.seed)
    return {name: draw.randrange(1, _TIE_WEIGHT_MAX) for name in names}


def _floored(form: Formulation, floor_micro_usd: int) -> Program:
    """A copy of the program that admits no value below the floor, half a grain of doubt given."""
    program = Program(columns=list(form.program.columns), rows=list(form.program.rows))
    grains = (floor_micro_usd - form.idle_micro_usd) // form.grain_micro_usd
    program.row(gain_of(form), lower=grains - 0.5)
    return program


def _differ(form: Formulation, program: Program, known: Allocation) -> None:
    """Some bid has more or fewer accepted units than in a known allocation."""
    had = {one.bid: one.units for one in known.accepted}
    changes = []
    for bid in dict.fromkeys(level.bid for level in form.levels):
        units, n, most = form.units_of(bid.id), had.get(bid.id, 0), bid.units_max
        if n < most:
            more = program.column(1)
            program.row(units | {more: -(n + 1)}, lower=0)
            changes.append(more)
        if n > 0:
            fewer = program.column(1)
            program.row(units | {fewer: most - n + 1}, upper=most)
            changes.append(fewer)
    program.row(dict.fromkeys(changes, 1), lower=1)


def _shortage(auction: Auction) -> str:
    """Which lots the bids cannot cover, all of them taken together."""
    offered: dict[LotId, int] = {}
    for bid in auction.bids:
        for lot, quantity in bid.bundle:
            offered[lot] = offered.get(lot, 0) + quantity * bid.units_max
    short = [
        f"lot {lot.id}: at most {offered.get(lot.id, 0)} of {lot.quantity} are bid for"
        for lot in auction.lots
        if lot.reserve_micro_usd is None and offered.get(lot.id, 0) < lot.quantity
    ]
    return "; ".join(short) or "the bids cover every lot, but not together under all rules"


def _reliefs(auction: Auction) -> tuple[str, ...]:
    """The single changes that make an award possible."""
    found = []
    for name, eased in _eased(auction):
        solved = without(eased, frozenset())
        if solved is not None:
            cost = -solved.allocation.value_micro_usd
            found.append(f"{name}: then there is an award at {usd_text(cost)} USD")
    return tuple(found)


def _eased(auction: Auction) -> Iterator[tuple[str, Auction]]:
    rules = auction.rules
    for name, eased in (
        ("winners_min", replace(rules, winners_min=0)),
        ("winners_max", replace(rules, winners_max=None)),
        ("share_caps", replace(rules, share_caps=())),
        ("survive_frac", replace(rules, survive_frac=Fraction(0))),
        ("budget", replace(rules, budget_micro_usd=None)),
    ):
        if eased != rules:
            yield f"without the rule {name}", replace(auction, rules=eased)
    if any(bidder.units_max is not None for bidder in auction.bidders):
        bidders = tuple(replace(bidder, units_max=None) for bidder in auction.bidders)
        yield "without limits on what a bidder takes", replace(auction, bidders=bidders)
    if any(bid.either_or for bid in auction.bids):
        yield (
            "if either-or bids could win together",
            replace(auction, bids=tuple(replace(bid, either_or="") for bid in auction.bids)),
        )
    for lot in auction.lots:
        if auction.direction is Direction.REVERSE and lot.reserve_micro_usd is None:
            price = max((t.micro_usd_per_unit for bid in auction.bids for t in bid.tiers), default=MICRO_PER_USD)
            lots = tuple(replace(one, reserve_micro_usd=price) if one.id == lot.id else one for one in auction.lots)
            yield f"if lot {lot.id} could be had elsewhere at {usd_text(price)} USD", replace(auction, lots=lots)
