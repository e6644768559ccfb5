"""An order book in memory: the first venue, and the reference for others.

Orders are matched as they come, by price and then by time: a wanted rectangle takes the cheapest offers first, older
before newer, in the ways of `cover`; when an offer comes, the wanted rectangles that stand are tried, the highest limit
first, older before newer, with everything on offer, so that the newcomer may complete what older offers could not. A
fill trades at the limit of the one of its two orders that stood first. Nobody trades with themselves. What was bought
can be sold again, all of it or a part of its time or quantity.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from acreage.domain.order import (
    EventKind,
    Fill,
    Order,
    OrderSide,
    Quote,
    Rectangle,
    VenueEvent,
    amount_of,
)
from acreage.market.venues.cover import Offered, Taken, cover
from acreage.market.venues.steps import Steps
from acreage.units.errors import InputError
from acreage.units.instants import Instant, iso

_LONG_AGO = Instant(0)

ACCELERATORS_MAX = 1_000_000_000
LIMIT_MAX = 10**15
AMOUNT_MAX = 10**17
"""More accelerators than any pool has, 1e9 USD an accelerator-hour, 1e11 USD an order: beyond, somebody mistyped."""


@dataclass(slots=True, kw_only=True)
class _Standing:
    """An order on the book, what is left of it, and its place in the order of time."""

    order: Order
    place: int
    left: Steps

    def ends_at(self) -> Instant:
        start = self.order.rectangle.from_at
        return start if self.order.expires_at is None else min(start, self.order.expires_at)


@dataclass(slots=True)
class OrderBook:
    """A `Venue` whose state is this object; whoever wants it to last writes its events down."""

    now: Instant = _LONG_AGO
    standing: dict[str, _Standing] = field(default_factory=dict)
    posted: dict[str, tuple[Order, tuple[VenueEvent, ...]]] = field(default_factory=dict)
    holdings: dict[tuple[str, str], Steps] = field(default_factory=dict)
    on_sale: dict[tuple[str, str], Steps] = field(default_factory=dict)
    log: list[VenueEvent] = field(default_factory=list)
    trades: dict[str, Fill] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    place: int = 0

    def deposit(self, owner: str, rectangle: Rectangle, /, *, now: Instant) -> None:
        """Bring capacity, to be sold here."""
        self._check_rectangle(rectangle, now)
        self.pass_time(now)
        _add(self.holdings, owner, rectangle, rectangle.accelerators)

    def post(self, order: Order, /, *, now: Instant) -> tuple[VenueEvent, ...]:
        """Place an order and match what can be matched."""
        if order.id in self.posted:
            known, happened = self.posted[order.id]
            if known == order:
                return happened
            raise InputError(f"order {order.id} is on record with other content", fix="give the new one another id")
        return self._post(order, now, lambda: self._match(order))

    def post_again(self, order: Order, fills: Sequence[Fill], /, *, now: Instant) -> None:
        """Place an order that was matched with these fills before: nothing is matched anew.

        Raises `InputError` where they cannot be: an order that does not stand, or more than is left of one.
        """

        def fill_all() -> None:
            for fill in fills:
                self._check_fill(fill)
                self._trade(fill)
                for id_ in (fill.buy, fill.sell):
                    if not self.standing[id_].left.segments():
                        del self.standing[id_]

        self._post(order, now, fill_all)

    def cancel(self, order: str, /, *, owner: str, now: Instant) -> tuple[VenueEvent, ...]:
        """Take what is left of an order off."""
        self._check_time(now)
        self.pass_time(now)
        found = self.standing.get(order)
        if found is None or found.order.owner != owner:
            raise InputError(f"{owner} has no standing order {order}", fix="it may be filled, canceled or expired")
        self._remove(found)
        return (self._say(EventKind.CANCELED, order),)

    def quote(self, order: Order, /, *, now: Instant) -> Quote:
        """What posting would match at once, tried on a copy."""
        fills = tuple(fill for fill in self.fills_of(order, now=now) if order.id in (fill.buy, fill.sell))
        sizes = (f.rectangle.accelerators * (f.rectangle.until_at - f.rectangle.from_at) for f in fills)
        return Quote(
            fills=fills,
            accelerator_seconds=sum(sizes),
            amount_micro_usd=sum(fill.amount_micro_usd for fill in fills),
        )

    def fills_of(self, order: Order, /, *, now: Instant) -> tuple[Fill, ...]:
        """Every fill that posting would lead to at once, those between other orders too; nothing changes."""
        return tuple(event.fill for event in self._copy().post(order, now=now) if event.fill is not None)

    def settle(self, fill: str, /, *, now: Instant) -> tuple[VenueEvent, ...]:
        """Say that a fill was paid and handed over."""
        self._check_time(now)
        found = self.trades.get(fill)
        if found is None:
            raise InputError(f"there is no fill {fill}", fix="fills are in the events of kind matched")
        self.pass_time(now)
        if fill in self.settled:
            return ()
        self.settled.add(fill)
        return (self._say(EventKind.SETTLED, found.buy, found),)

    def events(self, after_seq: int = 0, /) -> tuple[VenueEvent, ...]:
        """Everything that happened after an event."""
        return tuple(self.log[after_seq:])

    def fills(self) -> tuple[Fill, ...]:
        """All fills, in order."""
        return tuple(self.trades.values())

    def held(self, owner: str, product: str, at: Instant, /) -> int:
        """Accelerators that an owner has at an instant."""
        return self.holdings.get((owner, product), Steps()).at(at)

    def pass_time(self, now: Instant) -> None:
        """Let time pass: orders whose last instant has come leave, the oldest first."""
        self.now = now
        for one in [each for each in self.standing.values() if each.ends_at() <= now]:
            self._remove(one)
            self._say(EventKind.EXPIRED, one.order.id)

    def _copy(self) -> "OrderBook":
        """A book to try things on; orders, events and fills never change, so they need no copies."""
        return replace(
            self,
            standing={name: replace(one, left=copy.deepcopy(one.left)) for name, one in self.standing.items()},
            posted=dict(self.posted),
            holdings=copy.deepcopy(self.holdings),
            on_sale=copy.deepcopy(self.on_sale),
            log=list(self.log),
            trades=dict(self.trades),
            settled=set(self.settled),
        )

    def _post(self, order: Order, now: Instant, match: Callable[[], None]) -> tuple[VenueEvent, ...]:
        self._check(order, now)
        self.pass_time(now)
        self._check_holding(order)
        before = len(self.log)
        rectangle, left = order.rectangle, Steps()
        left.add(rectangle.from_at, rectangle.until_at, rectangle.accelerators)
        self.place += 1
        self.standing[order.id] = _Standing(order=order, place=self.place, left=left)
        self._say(EventKind.POSTED, order.id)
        if order.side is OrderSide.SELL:
            _add(self.on_sale, order.owner, rectangle, rectangle.accelerators)
        match()
        happened = tuple(self.log[before:])
        self.posted[order.id] = (order, happened)
        return happened

    def _check_fill(self, fill: Fill) -> None:
        window = fill.rectangle
        for id_ in (fill.buy, fill.sell):
            one = self.standing.get(id_)
            if one is None or one.left.least(window.from_at, window.until_at) < window.accelerators:
                raise InputError(
                    f"{fill.id} takes more of order {id_} than is left of it", fix="the record was altered"
                )

    def _check(self, order: Order, now: Instant) -> None:
        self._check_rectangle(order.rectangle, now)
        if order.limit_micro_usd_per_hour <= 0:
            raise InputError(f"order {order.id} has a limit of zero or less", fix="write a price above 0")
        limit = order.limit_micro_usd_per_hour
        if limit > LIMIT_MAX or amount_of(order.rectangle, limit) > AMOUNT_MAX:
            what = f"order {order.id} comes to more than {AMOUNT_MAX // 10**6:,} USD"
            raise InputError(what, fix="write its limit in USD an accelerator-hour")
        if order.expires_at is not None and order.expires_at <= now:
            raise InputError(
                f"order {order.id} expires {iso(order.expires_at)}, which is past", fix="write a later one"
            )

    def _check_rectangle(self, rectangle: Rectangle, now: Instant) -> None:
        self._check_time(now)
        if rectangle.accelerators <= 0:
            raise InputError(f"a rectangle of {rectangle.accelerators} accelerators", fix="write 1 or more")
        if rectangle.accelerators > ACCELERATORS_MAX:
            raise InputError(f"more than {ACCELERATORS_MAX:,} accelerators", fix="write how many there are")
        if rectangle.until_at <= rectangle.from_at:
            raise InputError(f"a window that ends {iso(rectangle.until_at)}, not after its start", fix="end it later")
        if rectangle.from_at <= now:
            fix = "start it later: a window that runs is no longer traded"
            raise InputError(f"a window that starts {iso(rectangle.from_at)}, which is past", fix=fix)

    def _check_time(self, now: Instant) -> None:
        if now < self.now:
            raise InputError(f"it is {iso(self.now)} here, and not {iso(now)}", fix="time does not go back")

    def _check_holding(self, order: Order) -> None:
        if order.side is OrderSide.BUY:
            return
        rectangle, whose = order.rectangle, (order.owner, order.rectangle.product)
        held, on_sale = self.holdings.get(whose, Steps()), self.on_sale.get(whose, Steps())
        window = (rectangle.from_at, rectangle.until_at)
        moments = (rectangle.from_at, *held.within(*window), *on_sale.within(*window))
        most = min(held.at(moment) - on_sale.at(moment) for moment in moments)
        if most < rectangle.accelerators:
            what = f"{order.owner} has {most} of {rectangle.product} free over that window"
            raise InputError(what, fix="sell what is held and not on sale; deposit what is held elsewhere")

    def _remove(self, one: _Standing) -> None:
        del self.standing[one.order.id]
        if one.order.side is OrderSide.SELL:
            for start, end, n in one.left.segments():
                self.on_sale[one.order.owner, one.order.rectangle.product].add(start, end, -n)

    def _say(self, kind: EventKind, order: str, fill: Fill | None = None) -> VenueEvent:
        event = VenueEvent(seq=len(self.log) + 1, kind=kind, at=self.now, order=order, fill=fill)
        self.log.append(event)
        return event

    def _match(self, order: Order) -> None:
        if order.side is OrderSide.BUY:
            self._fill(self.standing[order.id])
            return
        buys = [one for one in self.standing.values() if _could_trade(one.order, order)]
        for buy in sorted(buys, key=lambda one: (-one.order.limit_micro_usd_per_hour, one.place)):
            self._fill(buy)

    def _fill(self, buy: _Standing) -> None:
        """Fill a wanted rectangle as far as the offers on the book and both sides' conditions let it."""
        sells = [one for one in self.standing.values() if _could_trade(buy.order, one.order)]
        sells.sort(key=lambda one: (one.order.limit_micro_usd_per_hour, one.place))
        offers = [
            Offered(id=one.order.id, partial=one.order.partial, segments=tuple(one.left.segments())) for one in sells
        ]
        for taken in cover(buy.left.segments(), buy.order.partial, offers) if offers else ():
            self._trade(self._fill_of(buy, self.standing[taken.offer], taken))
        for one in (buy, *sells):
            if not one.left.segments():
                del self.standing[one.order.id]

    def _fill_of(self, buy: _Standing, sell: _Standing, taken: Taken) -> Fill:
        price = min(buy, sell, key=lambda one: one.place).order.limit_micro_usd_per_hour
        part = Rectangle(
            product=buy.order.rectangle.product,
            accelerators=taken.accelerators,
            from_at=taken.from_at,
            until_at=taken.until_at,
        )
        return Fill(
            id=f"fill-{len(self.trades) + 1}",
            buy=buy.order.id,
            sell=sell.order.id,
            buyer=buy.order.owner,
            seller=sell.order.owner,
            rectangle=part,
            price_micro_usd_per_hour=price,
            amount_micro_usd=amount_of(part, price),
        )

    def _trade(self, fill: Fill) -> None:
        """Let a fill happen."""
        part, orders = fill.rectangle, (self.standing[fill.buy], self.standing[fill.sell])
        _add(self.on_sale, fill.seller, part, -part.accelerators)
        _add(self.holdings, fill.seller, part, -part.accelerators)
        _add(self.holdings, fill.buyer, part, part.accelerators)
        for one in orders:
            one.left.add(part.from_at, part.until_at, -part.accelerators)
        self.trades[fill.id] = fill
        self._say(EventKind.MATCHED, min(orders, key=lambda one: one.place).order.id, fill)


def _could_trade(buy: Order, sell: Order) -> bool:
    """Whether price, product, owners and windows let two orders meet."""
    return (
        buy.side is OrderSide.BUY
        and sell.side is OrderSide.SELL
        and buy.rectangle.product == sell.rectangle.product
        and buy.owner != sell.owner
        and sell.limit_micro_usd_per_hour <= buy.limit_micro_usd_per_hour
        and sell.rectangle.from_at < buy.rectangle.until_at
        and buy.rectangle.from_at < sell.rectangle.until_at
    )


def _add(book: dict[tuple[str, str], Steps], owner: str, rectangle: Rectangle, change: int) -> None:
    book.setdefault((owner, rectangle.product), Steps()).add(rectangle.from_at, rectangle.until_at, change)
