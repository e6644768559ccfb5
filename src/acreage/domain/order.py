"""An order's nouns: rectangles of accelerators x time, bought and sold at a limit, and what comes of them.

A rectangle is a number of accelerators over [from_at, until_at) of one product: a pool, or an accelerator type where
any pool will do. Prices are integer micro-USD an accelerator-hour.
"""

from dataclasses import dataclass
from enum import StrEnum

from acreage.units.instants import SECONDS_PER_HOUR, Instant
from acreage.units.money import MicroUsd, scaled


class OrderSide(StrEnum):
    """Whether the owner of an order wants capacity or gives it."""

    BUY = "buy"
    SELL = "sell"


class Partial(StrEnum):
    """What may be filled of a rectangle: all or nothing; fewer accelerators over the whole window; any part of it."""

    ALL_OR_NOTHING = "all_or_nothing"
    QUANTITY = "quantity"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle:
    """`accelerators` of `product` over [from_at, until_at)."""

    product: str
    accelerators: int
    from_at: Instant
    until_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A standing wish: it stays until it is filled, canceled, or `expires_at`, which is its window's start at last."""

    id: str
    owner: str
    side: OrderSide
    rectangle: Rectangle
    limit_micro_usd_per_hour: int
    partial: Partial = Partial.ANY
    expires_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A part of a rectangle that goes from a seller to a buyer, at one price, for `amount_micro_usd` in all."""

    id: str
    buy: str
    sell: str
    buyer: str
    seller: str
    rectangle: Rectangle
    price_micro_usd_per_hour: int
    amount_micro_usd: MicroUsd


class EventKind(StrEnum):
    """What a venue says happened."""

    POSTED = "posted"
    MATCHED = "matched"
    CANCELED = "canceled"
    EXPIRED = "expired"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueEvent:
    """The `seq`-th thing that happened at a venue: to an order, or with a fill."""

    seq: int
    kind: EventKind
    at: Instant
    order: str
    fill: Fill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an order would get at once: `accelerator_seconds` of its rectangle, by these fills, for this amount."""

    fills: tuple[Fill, ...]
    accelerator_seconds: int
    amount_micro_usd: int


def amount_of(rectangle: Rectangle, price_micro_usd_per_hour: int) -> MicroUsd:
    """The price of a rectangle in whole micro-USD, half rounded away from zero."""
    seconds = rectangle.accelerators * (rectangle.until_at - rectangle.from_at)
    return scaled(price_micro_usd_per_hour, seconds, SECONDS_PER_HOUR)
