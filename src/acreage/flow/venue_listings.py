"""Listings of a venue: its standing orders, who holds what, trades, and what an order would get at once."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from acreage.domain.order import Fill, Order, OrderSide
from acreage.domain.venue import Opening
from acreage.flow.books_columns import Listing, Row
from acreage.flow.venue import acts_of, book_at
from acreage.ledger.ledger import Ledger
from acreage.ledger.statements import AsOf, present
from acreage.ledger.venues import venue_acts, venue_names
from acreage.market.venues.steps import Steps
from acreage.units.instants import SECONDS_PER_HOUR, Instant, iso
from acreage.units.money import scaled, usd_text

ORDERS_SHOWN = ("id", "owner", "side", "product", "accelerators", "from_at", "until_at", "limit_usd", "partial")


def venues(ledger: Ledger, when: AsOf | None = None) -> Listing:
    """Every venue and how it stands, or stood."""
    when = when or present(ledger)
    there = [name for name in venue_names(ledger) if venue_acts(ledger, name, when.at, when.known_at)]
    return Listing(kind="venues", rows=[_venue(ledger, name, when) for name in there])


def book(ledger: Ledger, venue: str, when: AsOf | None = None, product: str | None = None) -> tuple[Listing, ...]:
    """Standing orders, sales first, the best price on top, and who holds what."""
    now = book_at(ledger, venue, when)
    standing = sorted(now.standing.values(), key=lambda one: (_priority(one.order), one.place))
    orders = [
        row for one in standing if product in (None, one.order.rectangle.product) for row in _order(one.order, one.left)
    ]
    holdings = [
        row
        for (owner, what), held in sorted(now.holdings.items())
        if product in (None, what)
        for row in _holding(owner, what, held, now.on_sale.get((owner, what), Steps()), now.now)
    ]
    return (
        Listing(kind="venue_orders", rows=orders, shown=ORDERS_SHOWN),
        Listing(kind="venue_holdings", rows=holdings),
    )


def trades(ledger: Ledger, venue: str, when: AsOf | None = None, owner: str | None = None) -> Listing:
    """Fills in order, all or those of one owner."""
    now = book_at(ledger, venue, when)
    rows: list[Row] = [
        {**_fill(fill), "settled": fill.id in now.settled}
        for fill in now.fills()
        if owner is None or owner in (fill.buyer, fill.seller)
    ]
    return Listing(kind="venue_trades", rows=rows)


def posted(ledger: Ledger, venue: str, order: Order) -> tuple[Listing, ...]:
    """After an order was posted: its fills so far, and the book."""
    now = book_at(ledger, venue)
    mine = [fill for fill in now.fills() if order.id in (fill.buy, fill.sell)]
    return Listing(kind="venue_fills", rows=[_fill(fill) for fill in mine]), *book(ledger, venue)


def quote(ledger: Ledger, venue: str, order: Order, when: AsOf) -> tuple[Listing, ...]:
    """What an order would get at once, and from whom."""
    now = book_at(ledger, venue, when)
    got, asked = now.quote(order, now=now.now), order.rectangle
    hours = asked.accelerators * (asked.until_at - asked.from_at) / SECONDS_PER_HOUR
    mean = scaled(got.amount_micro_usd, SECONDS_PER_HOUR, got.accelerator_seconds) if got.accelerator_seconds else None
    row: Row = {
        "accelerator_hours": got.accelerator_seconds / SECONDS_PER_HOUR,
        "asked_hours": hours,
        "amount_usd": usd_text(got.amount_micro_usd),
        "mean_price_usd": None if mean is None else usd_text(mean),
    }
    return Listing(kind="venue_quotes", rows=[row]), fills(got.fills)


def fills(found: Iterable[Fill]) -> Listing:
    """Fills by themselves."""
    return Listing(kind="venue_fills", rows=[_fill(fill) for fill in found])


def _venue(ledger: Ledger, name: str, when: AsOf) -> Row:
    first, now = acts_of(ledger, name, when)[0], book_at(ledger, name, when)
    return {
        "name": name,
        "description": first.act.description if isinstance(first.act, Opening) else "",
        "opened_at": iso(first.at),
        "orders": len(now.standing),
        "trades": len(now.trades),
        "traded_usd": usd_text(sum(fill.amount_micro_usd for fill in now.fills())),
    }


def _priority(order: Order) -> tuple[str, bool, int]:
    sells = order.side is OrderSide.SELL
    price = order.limit_micro_usd_per_hour
    return order.rectangle.product, not sells, price if sells else -price


def _order(order: Order, left: Steps) -> Iterator[Row]:
    for from_at, until_at, accelerators in left.segments():
        yield {
            "id": order.id,
            "owner": order.owner,
            "side": order.side.value,
            "product": order.rectangle.product,
            "accelerators": accelerators,
            "from_at": iso(from_at),
            "until_at": iso(until_at),
            "limit_usd": usd_text(order.limit_micro_usd_per_hour),
            "partial": order.partial.value,
            "expires_at": iso(order.expires_at or order.rectangle.from_at),
        }


def _holding(owner: str, product: str, held: Steps, on_sale: Steps, now: Instant) -> Iterator[Row]:
    """What an owner has from now on, cut where the number held or on sale changes."""
    times = sorted({*held.times, *on_sale.times})
    for from_at, until_at in pairwise(times):
        if held.at(from_at) and until_at > now:
            yield {
                "owner": owner,
                "product": product,
                "accelerators": held.at(from_at),
                "on_sale": on_sale.at(from_at),
                "from_at": iso(from_at),
                "until_at": iso(until_at),
            }


def _fill(fill: Fill) -> Row:
    window = fill.rectangle
    return {
        "id": fill.id,
        "buyer": fill.buyer,
        "seller": fill.seller,
        "product": window.product,
        "accelerators": window.accelerators,
        "from_at": iso(window.from_at),
        "until_at": iso(window.until_at),
        "price_usd": usd_text(fill.price_micro_usd_per_hour),
        "amount_usd": usd_text(fill.amount_micro_usd),
    }
