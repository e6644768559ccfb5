"""The order book keeps the contract of venues, and its books balance whatever is posted."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.domain.order import EventKind, Fill, Order, OrderSide, Partial
from acreage.market.venues.cover import Offered, Taken, cover
from acreage.market.venues.order_book import OrderBook
from acreage.market.venues.steps import Steps
from acreage.market.venues.venue import Venue
from acreage.units.errors import InputError
from acreage.units.instants import Instant
from tests.market.venues.contract import HOUR, NOW, VenueContract, order, rectangle

HOURS = range(1, 7)
OWNERS = ("a", "b", "c")


class TestOrderBook(VenueContract):
    """The in-memory order book is the first venue."""

    def make(self) -> Venue:
        """An empty one."""
        return OrderBook()


@st.composite
def orders(draw: st.DrawFn, partials: tuple[Partial, ...] = tuple(Partial)) -> list[Order]:
    """Up to a dozen orders of three owners over six hours; sales often of what is held."""
    found = []
    for i in range(draw(st.integers(1, 12))):
        start = draw(st.integers(1, 5))
        found.append(
            order(
                f"o{i}",
                draw(st.sampled_from(("buy", "sell"))),
                (draw(st.integers(1, 5)), start, draw(st.integers(start + 1, 6))),
                draw(st.integers(1, 6)),
                owner=draw(st.sampled_from(OWNERS)),
                partial=draw(st.sampled_from(partials)),
            )
        )
    return found


def opened() -> OrderBook:
    """A book on which two owners hold four accelerators over all hours, and the third none."""
    book = OrderBook()
    for owner in OWNERS[:2]:
        book.deposit(owner, rectangle(4, 1, 7), now=NOW)
    return book


def posted(book: OrderBook, found: list[Order]) -> list[Order]:
    """Post what is not refused."""
    taken = []
    for one in found:
        try:
            book.post(one, now=NOW)
        except InputError:
            continue
        taken.append(one)
    return taken


def hours_of(fill: Fill) -> range:
    """The hours that a fill lasts."""
    return range(fill.rectangle.from_at // HOUR, fill.rectangle.until_at // HOUR)


@given(orders())
@settings(max_examples=300)
def test_nothing_is_sold_twice_and_no_money_is_lost(found: list[Order]) -> None:
    """Replayed fill by fill on a plain table of hours, sellers always have what they sell, and totals never change."""
    book = opened()
    taken = {one.id: one for one in posted(book, found)}
    table = Counter({(owner, hour): 4 for owner in OWNERS[:2] for hour in HOURS})
    for fill in book.fills():
        buy, sell, n = taken[fill.buy], taken[fill.sell], fill.rectangle.accelerators
        assert (fill.buyer, fill.seller) == (buy.owner, sell.owner)
        assert sell.limit_micro_usd_per_hour <= fill.price_micro_usd_per_hour <= buy.limit_micro_usd_per_hour
        assert fill.amount_micro_usd == fill.price_micro_usd_per_hour * n * len(hours_of(fill))
        for hour in hours_of(fill):
            table[fill.seller, hour] -= n
            table[fill.buyer, hour] += n
            assert table[fill.seller, hour] >= 0
    for hour in HOURS:
        assert sum(table[owner, hour] for owner in OWNERS) == 8
        for owner in OWNERS:
            assert book.held(owner, "h100", Instant(hour * HOUR)) == table[owner, hour]


@given(orders())
@settings(max_examples=300)
def test_every_order_is_filled_only_as_it_allows(found: list[Order]) -> None:
    """Never beyond its rectangle; whole or not at all, or the same number at every hour, where it says so."""
    book = opened()
    for one in posted(book, found):
        start, end = one.rectangle.from_at // HOUR, one.rectangle.until_at // HOUR
        got = Counter(
            {
                hour: n
                for hour in range(0, 9)
                if (
                    n := sum(
                        fill.rectangle.accelerators
                        for fill in book.fills()
                        if one.id in (fill.buy, fill.sell) and hour in hours_of(fill)
                    )
                )
            }
        )
        assert set(got) <= set(range(start, end))
        levels = {got[hour] for hour in range(start, end)}
        assert max(levels) <= one.rectangle.accelerators
        if one.partial is not Partial.ANY:
            assert len(levels) == 1
        if one.partial is Partial.ALL_OR_NOTHING:
            assert levels <= {0, one.rectangle.accelerators}
        standing = one.id in book.standing
        filled = all(got[hour] == one.rectangle.accelerators for hour in range(start, end))
        assert standing != filled


@dataclass(slots=True)
class NaiveSlot:
    """One accelerator for one hour, wanted or on offer."""

    order: Order
    place: int
    hour: int


def naive_fills(found: list[Order]) -> Counter[tuple[str, str, int, int]]:
    """Matching where any part may go: each hour by itself, slot by slot, price before time."""
    free = Counter({(owner, hour): 4 for owner in OWNERS[:2] for hour in HOURS})
    slots: list[NaiveSlot] = []
    fills: Counter[tuple[str, str, int, int]] = Counter()
    for place, one in enumerate(found):
        hours = range(one.rectangle.from_at // HOUR, one.rectangle.until_at // HOUR)
        if one.side is OrderSide.SELL:
            if any(free[one.owner, hour] < one.rectangle.accelerators for hour in hours):
                continue
            for hour in hours:
                free[one.owner, hour] -= one.rectangle.accelerators
        slots += [NaiveSlot(one, place, hour) for hour in hours for _ in range(one.rectangle.accelerators)]
        buys = [s for s in slots if s.order.side is OrderSide.BUY]
        for buy in sorted(buys, key=lambda s: (-s.order.limit_micro_usd_per_hour, s.place)):
            sells = [
                s
                for s in slots
                if s.order.side is OrderSide.SELL
                and s.hour == buy.hour
                and s.order.owner != buy.order.owner
                and s.order.limit_micro_usd_per_hour <= buy.order.limit_micro_usd_per_hour
            ]
            if sells:
                sell = min(sells, key=lambda s: (s.order.limit_micro_usd_per_hour, s.place))
                first = buy if buy.place < sell.place else sell
                fills[buy.order.id, sell.order.id, buy.hour, first.order.limit_micro_usd_per_hour] += 1
                slots.remove(buy)
                slots.remove(sell)
                free[buy.order.owner, buy.hour] += 1
    return fills


@given(orders(partials=(Partial.ANY,)))
@settings(max_examples=300)
def test_price_time_priority_equals_matching_slot_by_slot(found: list[Order]) -> None:
    """Where any part may go, rectangles trade as single accelerator-hours would."""
    book = opened()
    posted(book, found)
    ours: Counter[tuple[str, str, int, int]] = Counter()
    for fill in book.fills():
        for hour in hours_of(fill):
            ours[fill.buy, fill.sell, hour, fill.price_micro_usd_per_hour] += fill.rectangle.accelerators
    assert ours == naive_fills(found)


@given(orders())
def test_the_log_says_all_that_happened(found: list[Order]) -> None:
    """Each accepted order is posted once, and every fill is between orders that were."""
    book = opened()
    taken = posted(book, found)
    said = [event.order for event in book.events() if event.kind is EventKind.POSTED]
    assert said == [one.id for one in taken]
    assert all({fill.buy, fill.sell} <= set(said) for fill in book.fills())


def test_inflexible_offers_are_set_aside_the_fewest_and_dearest_first() -> None:
    """Wanted: 5 whole. A block of 4 and one of 3 cannot both go; with the block of 4 first, one loose one completes."""
    window = (Instant(1), Instant(2))
    offers = [
        Offered(id="three", partial=Partial.ALL_OR_NOTHING, segments=((*window, 3),)),
        Offered(id="loose", partial=Partial.ANY, segments=((*window, 1),)),
        Offered(id="four", partial=Partial.ALL_OR_NOTHING, segments=((*window, 4),)),
    ]
    taken = cover(((*window, 5),), Partial.ALL_OR_NOTHING, offers)
    assert taken == (
        Taken(offer="loose", accelerators=1, from_at=window[0], until_at=window[1]),
        Taken(offer="four", accelerators=4, from_at=window[0], until_at=window[1]),
    )


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5), st.integers(-3, 3)), max_size=8))
def test_steps_add_up(changes: list[tuple[int, int, int]]) -> None:
    """A step function equals its sum at every instant, and its least value is the least of them."""
    steps, table = Steps(), Counter[int]()
    for start, length, change in changes:
        steps.add(Instant(start), Instant(start + length), change)
        for t in range(start, start + length):
            table[t] += change
    assert [steps.at(Instant(t)) for t in range(16)] == [table[t] for t in range(16)]
    assert steps.least(Instant(2), Instant(7)) == min(table[t] for t in range(2, 7))
    assert all(n for _, _, n in steps.segments())
