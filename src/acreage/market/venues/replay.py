"""An order book that lasts: made again from what was done at it, with the fills that came of it then.

Nothing is matched anew, so that a long history is read quickly and stays what it was whatever becomes of the rules;
`differences` matches all of it again and says where the rules of today lead elsewhere.
"""

from collections.abc import Iterable

from acreage.domain.order import Fill, Order
from acreage.domain.venue import Acted, Deposit, Opening, Removal, Settlement, VenueAct
from acreage.market.venues.order_book import OrderBook
from acreage.units.instants import Instant


def replayed(acts: Iterable[Acted]) -> OrderBook:
    """The book that these acts and their fills lead to, in order.

    Raises `InputError` where they cannot be: more sold than is held, or filled than is left.
    """
    book = OrderBook()
    for acted in acts:
        if isinstance(acted.act, Order):
            book.post_again(acted.act, acted.fills, now=acted.at)
        else:
            apply(book, acted.act, acted.at)
    return book


def differences(acts: Iterable[Acted]) -> tuple[Acted, ...]:
    """The acts that led to other fills than the rules of today do, given all that was recorded before each."""
    book, found = OrderBook(), []
    for acted in acts:
        if isinstance(acted.act, Order):
            if book.fills_of(acted.act, now=acted.at) != acted.fills:
                found.append(acted)
            book.post_again(acted.act, acted.fills, now=acted.at)
        else:
            apply(book, acted.act, acted.at)
    return tuple(found)


def apply(book: OrderBook, act: VenueAct, now: Instant) -> tuple[Fill, ...] | None:
    """Do an act at an instant; returns the fills that come of it at once, None where it was done before.

    Raises `InputError` for an act that may not be, and changes nothing then.
    """
    match act:
        case Opening():
            return ()
        case Deposit():
            book.deposit(act.owner, act.rectangle, now=now)
            return ()
        case Removal():
            book.cancel(act.order, owner=act.owner, now=now)
            return ()
        case Settlement():
            return () if book.settle(act.fill, now=now) else None
        case Order():
            before = act.id in book.posted
            events = book.post(act, now=now)
            return None if before else tuple(event.fill for event in events if event.fill is not None)
