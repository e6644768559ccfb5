"""An order book in the books: what its commands do, and how it stands at any time.

`book_at` is where a notebook starts: the order book as it stood, with all that `market.venues` can do.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from acreage.catalog.accelerators import load_accelerators
from acreage.domain.contract import Contract
from acreage.domain.lease import Delivery, Lease
from acreage.domain.order import Fill, Order, OrderSide, Partial, Rectangle
from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.domain.terms import Terms
from acreage.domain.venue import Acted, Deposit, Opening, Removal, Settlement, VenueAct
from acreage.flow.books import Work
from acreage.flow.books_columns import Listing, Row
from acreage.ledger.contracts import propose_lease
from acreage.ledger.ledger import Ledger
from acreage.ledger.statements import AsOf
from acreage.ledger.venues import record_act, venue_acts, venue_names
from acreage.market.venues.order_book import OrderBook
from acreage.market.venues.replay import apply, differences, replayed
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, LeaseId, PoolId, ProviderId, VenueName
from acreage.units.instants import Instant, instant, iso
from acreage.units.money import MicroUsd, micro_usd

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def book_at(ledger: Ledger, venue: str, when: AsOf | None = None) -> OrderBook:
    """The order book of a venue, now or as it stood; raises `InputError` where there was none."""
    acts = acts_of(ledger, venue, when)
    book = replayed(acts)
    book.pass_time(max(ledger.clock() if when is None else when.at, book.now))
    return book


def audit(ledger: Ledger, venue: str, when: AsOf | None = None) -> Listing:
    """The orders whose fills are not those that the rules of matching lead to."""
    wrong = differences(acts_of(ledger, venue, when))
    orders = [(acted, acted.act) for acted in wrong if isinstance(acted.act, Order)]
    rows: list[Row] = [{"at": iso(one.at), "order": order.id, "actor": one.actor} for one, order in orders]
    return Listing(kind="venue_differences", rows=rows)


def acts_of(ledger: Ledger, venue: str, when: AsOf | None = None) -> tuple[Acted, ...]:
    """What was done at a venue; raises `InputError` where there was none."""
    known = (when.at, when.known_at) if when is not None else (None, None)
    acts = venue_acts(ledger, VenueName(venue), *known)
    if not acts:
        there = ", ".join(venue_names(ledger))
        fix = f"there are {there}" if there else "open one with `acreage venue open`"
        raise InputError(f"no venue {venue!r} is in the books then" if when else f"no venue {venue!r}", fix=fix)
    return acts


def opening(ledger: Ledger, venue: str, description: str, key: str) -> Work:
    """The work of opening a venue."""
    if not _NAME.fullmatch(venue):
        raise InputError(f"{venue!r} is no name of a venue", fix="letters, digits, dots, dashes and underscores")
    return _work(ledger, venue, Opening(description=description), key)


def deposit(ledger: Ledger, venue: str, options: Mapping[str, Any], key: str) -> Work:
    """The work of bringing capacity."""
    return _work(ledger, venue, Deposit(owner=_owner(options), rectangle=_rectangle(options)), key)


def post(ledger: Ledger, venue: str, order: Order, key: str) -> Work:
    """The work of posting an order."""
    return _work(ledger, venue, order, key)


def cancel(ledger: Ledger, venue: str, order: str, owner: str, key: str) -> Work:
    """The work of taking an order off."""
    return _work(ledger, venue, Removal(order=order, owner=owner), key)


def settle(ledger: Ledger, venue: str, fill: str, key: str) -> Work:
    """The work of settling a fill."""
    return _work(ledger, venue, Settlement(fill=fill), key)


def order_of(options: Mapping[str, Any], id_: str) -> Order:
    """The order that the options describe; raises `InputError`."""
    return Order(
        id=options["order_id"] or id_,
        owner=_owner(options),
        side=OrderSide(options["side"]),
        rectangle=_rectangle(options),
        limit_micro_usd_per_hour=micro_usd(options["limit_usd"]),
        partial=Partial(options["partial"].replace("-", "_")),
        expires_at=instant(options["expires"]) if options["expires"] else None,
    )


def lease_of_fill(ledger: Ledger, venue: str, fill_id: str, accelerator: str | None, key: str) -> tuple[Work, LeaseId]:
    """The work of proposing a fill as a lease in the buyer's books, and the lease's id; raises `InputError`."""
    fill = next((fill for fill in book_at(ledger, venue).fills() if fill.id == fill_id), None)
    if fill is None:
        raise InputError(f"there is no fill {fill_id}", fix=f"see `acreage venue trades {venue}`")
    name = accelerator or fill.rectangle.product
    if name not in load_accelerators():
        fix = "name the chip with --accelerator" if accelerator is None else "see `acreage prices`"
        raise InputError(f"{name!r} is no accelerator of the catalog", fix=fix)
    lease = LeaseId(f"{venue}-{fill.id}")
    contract = _contract(ledger, venue, fill, lease, AcceleratorName(name))
    return partial(propose_lease, ledger, contract, key=f"{key}/lease"), lease


def _work(ledger: Ledger, venue: str, act: VenueAct, key: str) -> Work:
    def decide(before: tuple[Acted, ...], now: Instant) -> tuple[Fill, ...] | None:
        if isinstance(act, Opening) == bool(before):
            what = f"venue {venue} is open already" if before else f"no venue {venue!r} is in the books"
            raise InputError(what, fix="see `acreage venue list`" if before else "open it with `acreage venue open`")
        return apply(replayed(before), act, now)

    return partial(record_act, ledger, VenueName(venue), act, decide, key=key)


def _owner(options: Mapping[str, Any]) -> str:
    owner = str(options["owner"]).strip()
    if not owner:
        raise InputError("the owner has no name", fix="name whose it is with --owner")
    return owner


def _rectangle(options: Mapping[str, Any]) -> Rectangle:
    return Rectangle(
        product=options["product"],
        accelerators=options["accelerators"],
        from_at=instant(options["from_"]),
        until_at=instant(options["until"]),
    )


def _contract(ledger: Ledger, venue: str, fill: Fill, lease: LeaseId, accelerator: AcceleratorName) -> Contract:
    window = fill.rectangle
    source = Provenance(source=f"{fill.id} of venue {venue}", as_of_at=ledger.clock())
    price = Price(
        basis=PriceBasis.ACCELERATOR_HOUR, amount_micro_usd=MicroUsd(fill.price_micro_usd_per_hour), provenance=source
    )
    return Contract(
        lease=Lease(
            id=lease,
            provider=ProviderId(fill.seller),
            pool=PoolId(window.product),
            starts_at=window.from_at,
            ends_at=window.until_at,
            deliveries=(Delivery(accelerators=window.accelerators, due_at=window.from_at),),
            terms=Terms(price=price),
        ),
        counterparty=fill.seller,
        accelerator=accelerator,
    )
