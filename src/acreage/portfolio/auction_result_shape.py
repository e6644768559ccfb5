"""The shape of an auction's result document, which carries all that an audit needs; its JSON Schema is made from it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acreage.portfolio.auction_shape import AuctionShape
from acreage.portfolio.fields import Shape

SCHEMA_ID = "https://acreage.dev/schema/auction-result.schema.json"

Usd = Annotated[str, Meta(pattern=r"^-?\d+(\.\d+)?$", description="US dollars, an exact decimal.")]


class UnitsShape(Shape, kw_only=True, frozen=True):
    """Units of a bid or of a lot."""

    id: str
    units: int


class AcceptedShape(Shape, kw_only=True, frozen=True):
    """Units of a bid that are accepted, and what it bids for them."""

    bid: str
    bidder: str
    units: int
    amount_usd: Usd


class AwardShape(Shape, kw_only=True, frozen=True):
    """The accepted bids; what is had elsewhere; what all of it is worth, and the solver's bound on that."""

    accepted: list[AcceptedShape]
    elsewhere: list[UnitsShape] = msgspec.field(default_factory=list)
    value_usd: Usd = "0"
    bound_usd: Usd = "0"


class SwapShape(Shape, kw_only=True, frozen=True):
    """Another award as good: these units less, those more."""

    less: list[UnitsShape]
    more: list[UnitsShape]
    elsewhere: list[UnitsShape]


class TiesShape(Shape, kw_only=True, frozen=True):
    """Other awards as good; the seed decided if there are any."""

    swaps: list[SwapShape]
    more: bool


class PaymentShape(Shape, kw_only=True, frozen=True):
    """What a winner pays (forward) or is paid (reverse), and why."""

    bidder: str
    bid_usd: Usd
    paid_usd: Usd
    because: str
    vcg_usd: Usd | None = None
    irreplaceable: bool = False


class CoalitionShape(Shape, kw_only=True, frozen=True):
    """What there is without some winners, shown by an award; they may keep at most `keep_max_usd` together."""

    without: list[str]
    value_usd: Usd
    keep_max_usd: Usd
    binding: bool
    accepted: list[AcceptedShape]
    elsewhere: list[UnitsShape]


class PriceShape(Shape, kw_only=True, frozen=True):
    """The one price of a lot; the seed decided between `tied` bids."""

    lot: str
    units: int
    usd_per_unit: Usd
    because: str
    tied: list[str]


class ExitShape(Shape, kw_only=True, frozen=True):
    """Units given up on the way to the prices of a round."""

    lot: str
    bidder: str
    bid: str
    units: int
    usd_per_unit: Usd


class DemandShape(Shape, kw_only=True, frozen=True):
    """Units of a lot that a bidder holds after a round."""

    bidder: str
    lot: str
    units: int


class RoundShape(Shape, kw_only=True, frozen=True):
    """A round of the clock."""

    number: int
    prices_usd: dict[str, Usd]
    demand: list[DemandShape]
    exits: list[ExitShape]
    clipped: list[str]


class AuditShape(Shape, kw_only=True, frozen=True):
    """What the result rests on: the hash of the auction in it, the seed, the solver and its gap."""

    inputs_sha256: str
    seed: int
    solver: str
    gap_usd: Usd


class ResultShape(Shape, kw_only=True, frozen=True):
    """The result of an auction. `auction` is all that went in."""

    kind: Literal["acreage-auction-result"]
    auction: AuctionShape
    audit: AuditShape
    award: AwardShape
    payments: list[PaymentShape]
    paid_usd: Usd
    findings: list[str] = msgspec.field(default_factory=list)
    refused: dict[str, str] = msgspec.field(default_factory=dict)
    ties: TiesShape | None = None
    coalitions: list[CoalitionShape] = msgspec.field(default_factory=list)
    vcg_in_core: bool | None = None
    prices: list[PriceShape] = msgspec.field(default_factory=list)
    rounds: list[RoundShape] = msgspec.field(default_factory=list)


def auction_result_schema() -> dict[str, Any]:
    """The published JSON Schema of a result document."""
    (_,), parts = msgspec.json.schema_components([ResultShape], ref_template="#/$defs/{name}")
    root = parts.pop("ResultShape")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **root,
        "title": "Acreage auction result",
        "$defs": parts,
    }
