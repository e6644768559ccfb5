"""What winners pay, from nothing but what every coalition of bidders could have had.

Money is the value an award has for all together, in integer micro-USD: bids and what the seller keeps in a forward
auction, minus costs in a reverse one. A winner's surplus is what it pays less than it bids, or gets more than it
asks; so one code serves both sides, and any winner determination that can say the best value without some bidders:
the auctions of this room, or a plan over offers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import floor
from typing import Protocol

from acreage.domain.auction import Direction
from acreage.market.auctions.polytope import SumCap, greatest_sum, nearest
from acreage.units.errors import InputError
from acreage.units.ids import BidderId

ENUMERATED_WINNERS_MAX = 12
"""Without a separation oracle all coalitions are asked for: 2**12 values at most."""


class ValueOf(Protocol):
    """The greatest value, in micro-USD, of an award without the excluded bidders; None where there is no award."""

    def __call__(self, excluded: frozenset[BidderId], /) -> int | None:
        """Answer for one set of excluded bidders; the empty set is the award itself."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocking:
    """Without these winners the others could have an award of this value: a limit on what the winners may keep."""

    excluded: frozenset[BidderId]
    value_micro_usd: int


class Separation(Protocol):
    """The coalition that gains most over an award that leaves its winners these surpluses, in micro-USD."""

    def __call__(self, surplus_micro_usd: Mapping[BidderId, Fraction], /) -> Blocking | None:
        """Answer for one vector of surpluses, one entry a winner; None where no other award exists."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What one winner pays (forward) or is paid (reverse), and why.

    `vcg_micro_usd` is its Vickrey-Clarke-Groves payment. An `irreplaceable` winner, without whom there is no award,
    has none: it is settled at its bid.
    """

    bidder: BidderId
    bid_micro_usd: int
    paid_micro_usd: int
    vcg_micro_usd: int
    irreplaceable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """Payments in the order of the winners; `blocking` are the coalitions that were asked, `binding` those that bind.

    `vcg_in_core` says whether the Vickrey-Clarke-Groves payments leave no coalition with a better deal; None where
    that was not asked.
    """

    payments: tuple[Payment, ...]
    blocking: tuple[Blocking, ...]
    binding: tuple[Blocking, ...]
    vcg_in_core: bool | None = None


def pay_as_bid(bids_micro_usd: Mapping[BidderId, int]) -> Payments:
    """Every winner settles at what it bid."""
    return Payments(
        payments=tuple(
            Payment(bidder=who, bid_micro_usd=bid, paid_micro_usd=bid, vcg_micro_usd=bid, irreplaceable=False)
            for who, bid in bids_micro_usd.items()
        ),
        blocking=(),
        binding=(),
    )


def vcg(value_of: ValueOf, bids_micro_usd: Mapping[BidderId, int], direction: Direction) -> Payments:
    """Vickrey-Clarke-Groves payments: a winner keeps as surplus what its presence adds to the value, exactly.

    `bids_micro_usd` is what each winner bids for what it wins. One value without each winner is asked for. Source:
    Ausubel and Milgrom 2006, "The lovely but lonely Vickrey auction", in Cramton, Shoham and Steinberg (eds.),
    Combinatorial Auctions, section 2.
    """
    blocking, surplus = _alone(value_of, bids_micro_usd)
    kept = {who: surplus.get(who, 0) for who in bids_micro_usd}
    return Payments(
        payments=_payments(bids_micro_usd, direction, kept, surplus),
        blocking=blocking,
        binding=tuple(one for one in blocking if len(one.excluded) == 1),
    )


def core_payments(
    value_of: ValueOf,
    bids_micro_usd: Mapping[BidderId, int],
    direction: Direction,
    separation: Separation | None = None,
) -> Payments:
    """The bidder-optimal core payments nearest to Vickrey-Clarke-Groves.

    In the core no coalition of bidders could offer more than is paid. Of the core, the points with the greatest sum
    of surpluses (least revenue, or most paid to suppliers), of these the one with the least sum of squared
    differences from the VCG payments: Day and Cramton 2012, "Quadratic core-selecting payment rules for combinatorial
    auctions", Operations Research 60(3). Coalitions are found one by one as they block: Day and
    Raghavan 2007, Management Science 53(9). Payments are then rounded to whole micro-USD in favour of whoever runs
    the auction, which keeps them in the core. Without `separation` every coalition is asked for.
    """
    winners = tuple(bids_micro_usd)
    blocking, vcg_surplus = _alone(value_of, bids_micro_usd)
    best = _value(value_of, frozenset())
    find = separation or _enumeration(value_of, best, winners)
    reference = {who: Fraction(vcg_surplus.get(who, 0)) for who in winners}
    surplus, in_core = reference, True
    while (found := _violated(find, best, surplus)) is not None:
        in_core = False
        blocking = (*blocking, found)
        surplus = _bidder_optimal(blocking, best, winners, reference)
    kept = {who: floor(value) for who, value in surplus.items()}
    tight = tuple(one for one in blocking if _kept(surplus, one) == best - one.value_micro_usd)
    return Payments(
        payments=_payments(bids_micro_usd, direction, kept, vcg_surplus),
        blocking=blocking,
        binding=tight,
        vcg_in_core=in_core,
    )


def _value(value_of: ValueOf, excluded: frozenset[BidderId]) -> int:
    value = value_of(excluded)
    assert value is not None, "payments are of an award"
    return value


def _alone(value_of: ValueOf, winners: Iterable[BidderId]) -> tuple[tuple[Blocking, ...], dict[BidderId, int]]:
    """What there is without each winner, and the surplus that leaves it; irreplaceable winners are in neither."""
    best = _value(value_of, frozenset())
    blocking, surplus = [], {}
    for who in winners:
        value = value_of(frozenset({who}))
        if value is not None:
            blocking.append(Blocking(excluded=frozenset({who}), value_micro_usd=value))
            surplus[who] = max(best - value, 0)
    return tuple(blocking), surplus


def _payments(
    bids: Mapping[BidderId, int],
    direction: Direction,
    kept: Mapping[BidderId, int],
    vcg_surplus: Mapping[BidderId, int],
) -> tuple[Payment, ...]:
    sign = -1 if direction is Direction.FORWARD else 1
    return tuple(
        Payment(
            bidder=who,
            bid_micro_usd=bid,
            paid_micro_usd=bid + sign * kept[who],
            vcg_micro_usd=bid + sign * vcg_surplus.get(who, 0),
            irreplaceable=who not in vcg_surplus,
        )
        for who, bid in bids.items()
    )


def _kept(surplus: Mapping[BidderId, Fraction], blocking: Blocking) -> Fraction:
    return sum((surplus[who] for who in blocking.excluded), Fraction(0))


def _violated(find: Separation, best: int, surplus: Mapping[BidderId, Fraction]) -> Blocking | None:
    """The coalition that could have more than it is left, if there is one."""
    found = find(surplus)
    if found is None or _kept(surplus, found) <= best - found.value_micro_usd:
        return None
    return found


def _bidder_optimal(
    blocking: tuple[Blocking, ...], best: int, winners: tuple[BidderId, ...], reference: Mapping[BidderId, Fraction]
) -> dict[BidderId, Fraction]:
    """The greatest total surplus under the coalitions known, nearest to the VCG surpluses."""
    place = {who: i for i, who in enumerate(winners)}
    caps = [
        SumCap(members=frozenset(place[who] for who in one.excluded), most=Fraction(best - one.value_micro_usd))
        for one in blocking
    ]
    bounded = frozenset[int]().union(*(cap.members for cap in caps if len(cap.members) == 1))
    # An irreplaceable winner has no VCG payment to be near to: it is settled at its bid.
    caps += [SumCap(members=frozenset({i}), most=Fraction(0)) for i in range(len(winners)) if i not in bounded]
    total = greatest_sum(len(winners), caps)
    point = nearest(tuple(reference[who] for who in winners), caps, total)
    return dict(zip(winners, point, strict=True))


def _enumeration(value_of: ValueOf, best: int, winners: tuple[BidderId, ...]) -> Separation:
    """All coalitions asked for once; then the most violated is picked from them."""
    if len(winners) > ENUMERATED_WINNERS_MAX:
        raise InputError(
            f"core payments among {len(winners)} winners need 2**{len(winners)} values",
            fix=f"at most {ENUMERATED_WINNERS_MAX} winners, or pay as bid or by VCG",
        )
    known = []
    for size in range(2, len(winners) + 1):
        for group in combinations(winners, size):
            value = value_of(frozenset(group))
            if value is not None:
                known.append(Blocking(excluded=frozenset(group), value_micro_usd=value))

    def worst(surplus_micro_usd: Mapping[BidderId, Fraction], /) -> Blocking | None:
        return max(known, key=lambda one: _kept(surplus_micro_usd, one) - best + one.value_micro_usd, default=None)

    return worst
