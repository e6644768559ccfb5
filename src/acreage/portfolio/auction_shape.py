"""The shape of an auction document: lots, bidders, rules and bids; its JSON Schema is made from it.

Every amount carries its currency, because bids come from many hands: 28 USD, not 28.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acreage.portfolio.fields import Count, Frac, Name, Shape

SCHEMA_ID = "https://acreage.dev/schema/auction.schema.json"

Money = Annotated[str, Meta(min_length=1, max_length=60, description="An amount with its currency: 1_200.50 USD.")]
Moment = Annotated[
    str, Meta(min_length=1, description="A day (its midnight UTC) or an ISO date-time: 2027-01-15T12:00:00Z.")
]
Whole = Annotated[int, Meta(ge=-(10**12), le=10**12)]


class LotShape(Shape, kw_only=True, frozen=True):
    """Units of one kind: accelerators of a pool from a day until another."""

    id: Name
    quantity: Whole
    reserve: Annotated[
        Money | None, Meta(description="Of one unit. Forward: sold for no less. Reverse: had elsewhere at this price.")
    ] = None
    pool: str = ""
    accelerator: str = ""
    from_: Annotated[Moment | None, Meta(description="The first day.")] = msgspec.field(default=None, name="from")
    until: Annotated[Moment | None, Meta(description="The first day that is not part of it.")] = None


class BidderShape(Shape, kw_only=True, frozen=True):
    """What binds a bidder over all of its bids; one without limits need not be listed."""

    id: Name
    units_max: Annotated[Count | None, Meta(description="Units of all lots together.")] = None
    budget: Annotated[Money | None, Meta(description="The most that its accepted bids come to.")] = None


class ShareShape(Shape, kw_only=True, frozen=True):
    """No bidder gets more than this share of the units offered or asked for."""

    share_max_frac: Frac
    bidder: Annotated[str, Meta(description="Only this one; default: every bidder.")] = ""
    lots: Annotated[list[Name], Meta(description="Of these lots; default: of all lots together.")] = msgspec.field(
        default_factory=list
    )


class RulesShape(Shape, kw_only=True, frozen=True):
    """What an award must keep besides the lots."""

    winners_min: Annotated[int, Meta(ge=0, description="If anything is awarded at all.")] = 0
    winners_max: Count | None = None
    shares: list[ShareShape] = msgspec.field(default_factory=list)
    survive_frac: Annotated[
        Frac, Meta(description="Reverse: the share of each lot still covered if any one supplier fails (N-1).")
    ] = 0.0
    budget: Annotated[Money | None, Meta(description="Reverse: the most that the accepted bids ask together.")] = None


class TierShape(Shape, kw_only=True, frozen=True):
    """From this many units on, every unit has this price."""

    from_: Count = msgspec.field(name="from")
    price: Money


class BidShape(Shape, kw_only=True, frozen=True):
    """A bid: all or nothing for an amount, or 1 to `units_max` times its bundle at a price each."""

    id: Name
    bidder: Name
    bundle: Annotated[dict[str, Whole], Meta(description="Lots and quantities.")]
    amount: Annotated[Money | None, Meta(description="For the whole bundle, all or nothing.")] = None
    price: Annotated[Money | None, Meta(description="For one time the bundle, if it may be had several times.")] = None
    units_min: Annotated[Whole, Meta(description="Accepted at least so many times, or not at all.")] = 1
    units_max: Whole = 1
    tiers: Annotated[list[TierShape], Meta(description="Quantity discounts beyond `price`.")] = msgspec.field(
        default_factory=list
    )
    either_or: Annotated[str, Meta(description="At most one bid of a bidder with the same word here wins.")] = ""
    received: Annotated[Moment | None, Meta(description="When it came; not after the auction closes.")] = None


class AuctionShape(Shape, kw_only=True, frozen=True):
    """An auction of one's own lots."""

    auction: Annotated[Name, Meta(description="Its name.")]
    direction: Annotated[Literal["forward", "reverse"], Meta(description="forward: you sell; reverse: you buy.")]
    mechanism: Literal["combinatorial", "second-price", "ascending"] = "combinatorial"
    payments: Annotated[
        Literal["pay-as-bid", "vcg", "core"], Meta(description="What winners of a combinatorial auction pay.")
    ] = "pay-as-bid"
    closes: Moment | None = None
    seed: Annotated[int, Meta(ge=0, description="Decides between awards that are equally good.")] = 0
    increment: Annotated[Money | None, Meta(description="Ascending: how much the price rises a round.")] = None
    lots: list[LotShape]
    bidders: list[BidderShape] = msgspec.field(default_factory=list)
    rules: RulesShape = RulesShape()
    bids: list[BidShape]


def auction_schema() -> dict[str, Any]:
    """The published JSON Schema of an auction document."""
    (_,), parts = msgspec.json.schema_components([AuctionShape], ref_template="#/$defs/{name}")
    root = parts.pop("AuctionShape")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **root,
        "title": "Acreage auction",
        "$defs": parts,
    }
