"""The seam through which a venue plugs in: whoever keeps these promises can be traded on.

`tests/market/venues/contract.py` holds them: a venue of one's own inherits the suite and passes it.
"""

from typing import Protocol

from acreage.domain.order import Fill, Order, Quote, Rectangle, VenueEvent
from acreage.units.instants import Instant


class Venue(Protocol):
    """A place to buy and sell rectangles. Every call is made at an instant, which never goes back.

    Capacity enters by `deposit`; from then on it is somebody's, and no second of an accelerator is ever anybody
    else's too. Mistakes raise `InputError` and change nothing.
    """

    def deposit(self, owner: str, rectangle: Rectangle, /, *, now: Instant) -> None:
        """Bring capacity that `owner` holds elsewhere, so that it can be sold here."""
        ...

    def post(self, order: Order, /, *, now: Instant) -> tuple[VenueEvent, ...]:
        """Place an order and match what can be matched; returns what happened.

        Posting the same order again changes nothing and returns what happened the first time. Raises `InputError`
        for a rectangle of nothing or in the past, a price that is not positive, another order of the same id, or a
        sale of what the owner does not hold free.
        """
        ...

    def cancel(self, order: str, /, *, owner: str, now: Instant) -> tuple[VenueEvent, ...]:
        """Take what is left of an order off; raises `InputError` where there is no such standing order of the owner."""
        ...

    def quote(self, order: Order, /, *, now: Instant) -> Quote:
        """What `post` would match at once; nothing changes."""
        ...

    def settle(self, fill: str, /, *, now: Instant) -> tuple[VenueEvent, ...]:
        """Say that a fill was paid and handed over; a second time changes nothing. Raises `InputError` for no fill."""
        ...

    def events(self, after_seq: int = 0, /) -> tuple[VenueEvent, ...]:
        """Everything that happened after an event, in order."""
        ...

    def fills(self) -> tuple[Fill, ...]:
        """All fills, in order."""
        ...

    def held(self, owner: str, product: str, at: Instant, /) -> int:
        """Accelerators of a product that an owner has at an instant, those on sale included."""
        ...
