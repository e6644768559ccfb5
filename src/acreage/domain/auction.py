"""An auction's nouns: lots, bids, the rules of an award, an award, and what is paid.

In a forward auction the lots are sold and bids are what bidders would pay; in a reverse auction the lots are
wanted and bids are what suppliers ask. Quantities are whole units of a lot, amounts integer micro-USD.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from acreage.units.ids import AcceleratorName, BidderId, BidId, LotId, PoolId
from acreage.units.instants import Instant


class Direction(StrEnum):
    """Whether whoever runs the auction sells its lots (forward) or buys them (reverse)."""

    FORWARD = "forward"
    REVERSE = "reverse"


class PaymentRule(StrEnum):
    """What winners pay: their bids, Vickrey-Clarke-Groves, or the core point nearest to it at the best total."""

    PAY_AS_BID = "pay-as-bid"
    VCG = "vcg"
    CORE = "core"


class Mechanism(StrEnum):
    """How the auction is held: sealed on bundles, sealed at one price a lot, or by a rising clock a lot."""

    COMBINATORIAL = "combinatorial"
    SECOND_PRICE = "second-price"
    ASCENDING = "ascending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """`quantity` units of one kind, such as accelerators of a pool over [from_at, until_at).

    `reserve_micro_usd` is what a unit is worth to whoever runs the auction: sold for no less, or, in a
    reverse auction, had elsewhere at that price. None: units are sold at any price, or must be bought here.
    """

    id: LotId
    quantity: int
    reserve_micro_usd: int | None = None
    pool: PoolId | None = None
    accelerator: AcceleratorName | None = None
    from_at: Instant | None = None
    until_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTier:
    """From `units_min` accepted units on, every unit of the bid costs `micro_usd_per_unit`, the first ones too."""

    units_min: int
    micro_usd_per_unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """A wish for 0, or for `units_min` to `units_max` times `bundle`, a pair of lot and quantity each.

    An all-or-nothing bid has `units_min == units_max == 1`. `tiers` start at `units_min` and ascend. Of the bids
    of one bidder with the same non-empty `either_or`, at most one is accepted; all others may be together.
    """

    id: BidId
    bidder: BidderId
    bundle: tuple[tuple[LotId, int], ...]
    tiers: tuple[PriceTier, ...]
    units_min: int = 1
    units_max: int = 1
    either_or: str = ""
    received_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bidder:
    """What binds a bidder over all its bids: `units_max` units of lots at most, and `budget_micro_usd` at most."""

    id: BidderId
    units_max: int | None = None
    budget_micro_usd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCap:
    """No bidder (None), or this one, gets more than a share of the units of `lots` (empty: of all lots)."""

    share_max_frac: Fraction
    bidder: BidderId | None = None
    lots: tuple[LotId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardRules:
    """What an award must keep besides the lots.

    If anything is awarded, `winners_min` to `winners_max` bidders win. `survive_frac`, of reverse auctions: the
    share of each lot that is still covered if any one supplier fails. `budget_micro_usd`, of reverse auctions:
    the most that the accepted bids ask together.
    """

    winners_min: int = 0
    winners_max: int | None = None
    share_caps: tuple[ShareCap, ...] = ()
    survive_frac: Fraction = Fraction(0)
    budget_micro_usd: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Auction:
    """Everything an award depends on; `seed` decides between awards that are equally good."""

    id: str
    direction: Direction
    lots: tuple[Lot, ...]
    bids: tuple[Bid, ...]
    bidders: tuple[Bidder, ...] = ()
    rules: AwardRules = AwardRules()
    mechanism: Mechanism = Mechanism.COMBINATORIAL
    payments: PaymentRule = PaymentRule.PAY_AS_BID
    closes_at: Instant | None = None
    increment_micro_usd: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """`units` of a bid that are accepted, and what it bids for them."""

    bid: BidId
    bidder: BidderId
    units: int
    amount_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Accepted bids in the order of the auction, and units had elsewhere at the reserve price (reverse).

    `value_micro_usd` is what is maximised: forward, bids plus the reserve price of what is kept; reverse, minus
    bids minus the reserve price of what is had elsewhere.
    """

    accepted: tuple[Accepted, ...]
    elsewhere: tuple[tuple[LotId, int], ...]
    value_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Another award as good: these units of bids less, those more."""

    less: tuple[tuple[BidId, int], ...]
    more: tuple[tuple[BidId, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """The best allocation with the solver's proof, and others as good; `more_swaps`: there may be further ones."""

    allocation: Allocation
    bound_micro_usd: int
    swaps: tuple[Swap, ...]
    more_swaps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAward:
    """No allocation keeps every rule; `reliefs` are single changes each of which would allow one."""

    because: str
    reliefs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LotPrice:
    """One price for every unit of a lot: `units` of it are awarded, `tied` are bids that the seed decided between.

    `because` says which bid, or the reserve, sets the price.
    """

    lot: LotId
    units: int
    micro_usd_per_unit: int
    because: str
    tied: tuple[BidId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """`units` of a bid that are given up where the clock of a lot passes a price."""

    lot: LotId
    bidder: BidderId
    bid: BidId
    units: int
    micro_usd_per_unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRound:
    """One round of a clock auction: prices called, units wanted at them, and what was given up on the way.

    `clipped` are bidders that wanted more units than in the round before, which the activity rule does not allow.
    """

    number: int
    prices: tuple[tuple[LotId, int], ...]
    demand: tuple[tuple[BidderId, LotId, int], ...]
    exits: tuple[Exit, ...]
    clipped: tuple[BidderId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitAward:
    """Winners of auctions with one price a lot; what each pays is its units times their lots' prices."""

    accepted: tuple[Accepted, ...]
    prices: tuple[LotPrice, ...]
    rounds: tuple[ClockRound, ...] = ()
