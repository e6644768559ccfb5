"""What is done at a venue: it is opened, capacity is brought, orders are posted and canceled, fills are settled."""

from dataclasses import dataclass

from acreage.domain.order import Fill, Order, Rectangle
from acreage.units.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A venue begins; `description` is for people."""

    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Capacity that `owner` holds elsewhere is brought to the venue, to be sold there."""

    owner: str
    rectangle: Rectangle


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What is left of an order is taken off by its owner."""

    order: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A fill was paid and handed over."""

    fill: str


VenueAct = Opening | Deposit | Order | Removal | Settlement
"""Whatever changes a venue; an order is posted by being one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """An act as it stands in the books: when, by whom, and the fills that came of it at once."""

    at: Instant
    actor: str
    act: VenueAct
    fills: tuple[Fill, ...]
