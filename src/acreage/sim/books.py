"""The books of a run, worked out again from its events by plain arithmetic, without the code that made them.

Everything a market's outcome says comes from here; the audit holds the same books against what the kernel kept.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from acreage.domain.market_world import MILLI, World
from acreage.sim.events import Called, Delivered, Event, Needed, Signed, Sold, Where
from acreage.units.ids import LesseeName

Slot = tuple[int, Where]
"""A tick and a pool."""
Seat = tuple[int, LesseeName, Where]
"""A tick, a lab and a pool."""


@dataclass(slots=True, kw_only=True)
class Books:
    """Accelerators by tick: what was there, leased firm, called and delivered to anchors, and sold for the tick.

    `bought` and `resold` are what labs got and let go at the venue; `need` and `supplied_milli` are of labs, in
    reference accelerators and thousandths of them; `paid` what each party got on balance in a tick, in micro-USD.
    """

    capacity: Counter[Slot] = field(default_factory=Counter)
    leased: Counter[Seat] = field(default_factory=Counter)
    delivered: Counter[Seat] = field(default_factory=Counter)
    bought: Counter[Seat] = field(default_factory=Counter)
    resold: Counter[Seat] = field(default_factory=Counter)
    spot: Counter[Slot] = field(default_factory=Counter)
    need: dict[tuple[int, LesseeName], int] = field(default_factory=dict)
    supplied_milli: Counter[tuple[int, LesseeName]] = field(default_factory=Counter)
    paid: Counter[tuple[int, str]] = field(default_factory=Counter)
    calls: list[Called] = field(default_factory=list)
    leases: list[Signed] = field(default_factory=list)
    sales: list[Sold] = field(default_factory=list)

    def balances(self) -> Counter[str]:
        """What each party has got on balance in the end, in micro-USD."""
        found: Counter[str] = Counter()
        for (_, name), micro_usd in self.paid.items():
            found[name] += micro_usd
        return found

    def taken(self, world: World) -> Counter[Slot]:
        """Accelerators of a pool that somebody has, each counted once; what a lab resells is leased already."""
        found = Counter(self.spot)
        for seats in (self.leased, self.delivered):
            for (tick, _, where), accelerators in seats.items():
                if tick < world.ticks:
                    found[tick, where] += accelerators
        return found


def books_of(world: World, events: Iterable[Event]) -> Books:
    """The books that some events amount to."""
    books = Books()
    for event in events:
        match event:
            case Delivered():
                for tick in range(event.tick, world.ticks):
                    books.capacity[tick, event.where] += event.accelerators
            case Needed():
                books.need[event.tick, event.lab] = event.need
            case Signed():
                _lease(world, books, event)
            case Called():
                _call(world, books, event)
            case Sold():
                _sale(world, books, event)
    speed = {chip.name: chip.speed_milli for chip in world.chips}
    for seats, sign in ((books.leased, 1), (books.delivered, 1), (books.bought, 1), (books.resold, -1)):
        for (tick, lab, where), accelerators in seats.items():
            books.supplied_milli[tick, lab] += sign * accelerators * speed[where[1]]
    return books


def _pay(books: Books, tick: int, payer: str, payee: str, micro_usd: int) -> None:
    books.paid[tick, payer] -= micro_usd
    books.paid[tick, payee] += micro_usd


def _lease(world: World, books: Books, lease: Signed) -> None:
    books.leases.append(lease)
    for tick in range(lease.from_tick, min(lease.until_tick, world.ticks)):
        books.leased[tick, lease.lab, lease.where] += lease.accelerators
        amount = lease.accelerators * world.hours * lease.micro_usd
        _pay(books, tick, f"lab {lease.lab}", f"cloud {lease.where[0]}", amount)


def _call(world: World, books: Books, call: Called) -> None:
    """An anchor pays for what it got, and for its minimum where it was not failed; it is paid damages where it was."""
    books.calls.append(call)
    books.delivered[call.tick, call.lab, call.where] += call.delivered
    anchor = world.cloud(call.where[0]).anchor
    assert anchor is not None, call
    right = next(right for right in anchor.rights if right.chip == call.where[1])
    minimum = call.right * right.take_or_pay_milli // MILLI if call.delivered == call.called else 0
    lab, cloud = f"lab {call.lab}", f"cloud {call.where[0]}"
    _pay(books, call.tick, lab, cloud, max(call.delivered, minimum) * world.hours * right.price_micro_usd)
    _pay(books, call.tick, cloud, lab, (call.called - call.delivered) * world.hours * anchor.damages_micro_usd)


def _sale(world: World, books: Books, sale: Sold) -> None:
    books.sales.append(sale)
    books.bought[sale.tick, sale.lab, sale.where] += sale.accelerators
    amount = sale.accelerators * world.hours * sale.micro_usd
    if sale.seller is None:
        books.spot[sale.tick, sale.where] += sale.accelerators
        _pay(books, sale.tick, f"lab {sale.lab}", f"cloud {sale.where[0]}", amount)
    else:
        books.resold[sale.tick, sale.seller, sale.where] += sale.accelerators
        _pay(books, sale.tick, f"lab {sale.lab}", f"lab {sale.seller}", amount)
