"""What every venue promises: inherit `VenueContract`, say how to make one, and pass."""

from dataclasses import replace

import pytest

from acreage.domain.order import EventKind, Order, OrderSide, Partial, Rectangle
from acreage.market.venues.venue import Venue
from acreage.units.errors import InputError
from acreage.units.instants import SECONDS_PER_HOUR, Instant

HOUR = SECONDS_PER_HOUR
NOW = Instant(0)


def rectangle(accelerators: int, start: int, end: int, product: str = "h100") -> Rectangle:
    """Accelerators over hours [start, end)."""
    return Rectangle(
        product=product, accelerators=accelerators, from_at=Instant(start * HOUR), until_at=Instant(end * HOUR)
    )


def order(
    name: str,
    side: str,
    size: tuple[int, int, int],
    limit: int,
    *,
    owner: str = "",
    partial: Partial = Partial.ANY,
    expires: int | None = None,
) -> Order:
    """An order of `size` (accelerators, first hour, last hour) at a limit of micro-USD an accelerator-hour."""
    return Order(
        id=name,
        owner=owner or f"owner of {name}",
        side=OrderSide(side),
        rectangle=rectangle(*size),
        limit_micro_usd_per_hour=limit,
        partial=partial,
        expires_at=None if expires is None else Instant(expires * HOUR),
    )


class VenueContract:
    """The promises, one test each."""

    def make(self) -> Venue:
        """A new, empty venue."""
        raise NotImplementedError

    def stocked(self, *sells: Order) -> Venue:
        """A venue on which these sales stand, their owners holding just what they sell."""
        venue = self.make()
        for sell in sells:
            venue.deposit(sell.owner, sell.rectangle, now=NOW)
            venue.post(sell, now=NOW)
        return venue

    def test_the_cheapest_goes_first_at_its_own_price(self) -> None:
        """Price, then time: the newcomer pays what stood on the book, in whole micro-USD."""
        venue = self.stocked(
            order("dear", "sell", (4, 1, 3), 9),
            order("cheap", "sell", (4, 1, 3), 5),
            order("late", "sell", (4, 1, 3), 5),
        )
        venue.post(order("want", "buy", (6, 1, 3), 9), now=NOW)
        assert [(f.sell, f.rectangle.accelerators, f.amount_micro_usd) for f in venue.fills()] == [
            ("cheap", 4, 40),
            ("late", 2, 20),
        ]

    def test_several_rectangles_fill_one(self) -> None:
        """A wanted rectangle is covered in time and in quantity by sales that are each too small."""
        venue = self.stocked(
            order("first", "sell", (8, 1, 3), 4),
            order("second", "sell", (5, 3, 6), 4),
            order("rest", "sell", (3, 3, 9), 6),
        )
        venue.post(order("want", "buy", (8, 1, 6), 6, partial=Partial.ALL_OR_NOTHING), now=NOW)
        assert {f.sell: f.rectangle for f in venue.fills()} == {
            "first": rectangle(8, 1, 3),
            "second": rectangle(5, 3, 6),
            "rest": rectangle(3, 3, 6),
        }

    def test_all_or_nothing_waits_until_all_is_there(self) -> None:
        """A wanted rectangle with a hole takes nothing; a later sale completes it, at the standing buyer's limit."""
        venue = self.stocked(order("part", "sell", (8, 1, 3), 4))
        venue.post(order("want", "buy", (8, 1, 6), 7, partial=Partial.ALL_OR_NOTHING), now=NOW)
        assert venue.fills() == ()
        more = order("more", "sell", (8, 3, 6), 5)
        venue.deposit(more.owner, more.rectangle, now=NOW)
        venue.post(more, now=NOW)
        assert [(f.sell, f.price_micro_usd_per_hour) for f in venue.fills()] == [("part", 4), ("more", 7)]

    def test_an_all_or_nothing_sale_is_not_split(self) -> None:
        """It goes whole or not at all, and is set aside where it would leave a hole."""
        block = order("block", "sell", (8, 1, 3), 4, partial=Partial.ALL_OR_NOTHING)
        venue = self.stocked(block, order("loose", "sell", (6, 1, 3), 5))
        venue.post(order("small", "buy", (6, 1, 3), 9, partial=Partial.ALL_OR_NOTHING), now=NOW)
        assert [f.sell for f in venue.fills()] == ["loose"]
        venue.post(order("large", "buy", (9, 1, 4), 9), now=NOW)
        assert venue.fills()[1].rectangle == block.rectangle

    def test_by_quantity_is_the_same_number_throughout(self) -> None:
        """A gang wants fewer accelerators rather than a window with holes."""
        venue = self.stocked(order("a", "sell", (8, 1, 3), 4), order("b", "sell", (5, 3, 6), 4))
        venue.post(order("gang", "buy", (7, 1, 6), 6, partial=Partial.QUANTITY), now=NOW)
        assert [f.rectangle for f in venue.fills()] == [rectangle(5, 1, 3), rectangle(5, 3, 6)]

    def test_a_part_of_what_was_bought_is_sold_again(self) -> None:
        """A part of its time and of its quantity; what is sold or on sale cannot be sold twice."""
        venue = self.stocked(order("all", "sell", (8, 1, 9), 4))
        venue.post(order("want", "buy", (8, 1, 9), 4, owner="lab"), now=NOW)
        venue.post(order("back", "sell", (3, 4, 6), 7, owner="lab"), now=NOW)
        venue.post(order("other", "buy", (2, 4, 5), 7, owner="rival"), now=NOW)
        assert [venue.held("lab", "h100", Instant(t * HOUR)) for t in (1, 4, 5, 8)] == [8, 6, 8, 8]
        assert venue.held("rival", "h100", Instant(4 * HOUR)) == 2
        with pytest.raises(InputError, match="has 5 of h100 free"):
            venue.post(order("twice", "sell", (6, 4, 5), 7, owner="lab"), now=NOW)
        with pytest.raises(InputError, match="has 0 of h100 free"):
            venue.post(order("gone", "sell", (1, 4, 5), 7, owner="owner of all"), now=NOW)

    def test_an_order_leaves_when_it_expires_or_its_window_starts(self) -> None:
        """Standing orders have an end; what they held back is free again."""
        venue = self.stocked(order("soon", "sell", (8, 5, 9), 4, owner="lab", expires=2))
        hour = Instant(2 * HOUR)
        assert venue.post(order("want", "buy", (1, 5, 9), 4), now=hour)[-1].kind is EventKind.POSTED
        assert [event.order for event in venue.events() if event.kind is EventKind.EXPIRED] == ["soon"]
        venue.post(order("again", "sell", (8, 5, 9), 4, owner="lab"), now=hour)
        assert len(venue.fills()) == 1
        with pytest.raises(InputError, match="past"):
            venue.post(order("late", "buy", (1, 5, 9), 4), now=Instant(6 * HOUR))

    def test_posting_again_changes_nothing(self) -> None:
        """The id is the key of the change: the same order again gets the first answer, another one an error."""
        venue = self.stocked(order("all", "sell", (8, 1, 9), 4))
        want = order("want", "buy", (8, 1, 9), 4)
        happened = venue.post(want, now=NOW)
        assert venue.post(want, now=NOW) == happened
        assert len(venue.fills()) == 1
        with pytest.raises(InputError, match="other content"):
            venue.post(replace(want, limit_micro_usd_per_hour=5), now=NOW)

    def test_a_quote_says_what_would_match_and_changes_nothing(self) -> None:
        """The fills quoted are the fills that come."""
        venue = self.stocked(order("a", "sell", (4, 1, 3), 4), order("b", "sell", (4, 1, 3), 6))
        want = order("want", "buy", (6, 1, 3), 6)
        quote = venue.quote(want, now=NOW)
        assert venue.fills() == ()
        assert (quote.accelerator_seconds, quote.amount_micro_usd) == (12 * HOUR, 4 * 2 * 4 + 2 * 2 * 6)
        venue.post(want, now=NOW)
        assert venue.fills() == quote.fills

    def test_only_the_owner_cancels(self) -> None:
        """A canceled order matches no more."""
        venue = self.stocked(order("all", "sell", (8, 1, 9), 4, owner="lab"))
        with pytest.raises(InputError, match="no standing order"):
            venue.cancel("all", owner="rival", now=NOW)
        assert [event.kind for event in venue.cancel("all", owner="lab", now=NOW)] == [EventKind.CANCELED]
        venue.post(order("want", "buy", (8, 1, 9), 4), now=NOW)
        assert venue.fills() == ()

    def test_nobody_trades_with_themselves(self) -> None:
        """The same owner's orders pass each other."""
        venue = self.stocked(order("all", "sell", (8, 1, 9), 4, owner="lab"))
        venue.post(order("want", "buy", (8, 1, 9), 4, owner="lab"), now=NOW)
        assert venue.fills() == ()

    def test_a_fill_settles_once(self) -> None:
        """Settling says so in an event, a second time in none."""
        venue = self.stocked(order("all", "sell", (8, 1, 9), 4))
        venue.post(order("want", "buy", (8, 1, 9), 4), now=NOW)
        (fill,) = venue.fills()
        assert [event.kind for event in venue.settle(fill.id, now=NOW)] == [EventKind.SETTLED]
        assert venue.settle(fill.id, now=NOW) == ()
        with pytest.raises(InputError, match="no fill"):
            venue.settle("fill-9", now=NOW)

    def test_events_count_up_and_can_be_asked_for_from_any_point(self) -> None:
        """Whoever missed some asks for what came after the last one seen."""
        venue = self.stocked(order("all", "sell", (8, 1, 9), 4))
        venue.post(order("want", "buy", (2, 1, 9), 4), now=NOW)
        found = venue.events()
        assert [event.seq for event in found] == list(range(1, len(found) + 1))
        assert venue.events(1) == found[1:]

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            (order("x", "buy", (0, 1, 2), 4), "0 accelerators"),
            (order("x", "buy", (1, 2, 2), 4), "not after its start"),
            (order("x", "buy", (1, 1, 2), 0), "zero or less"),
            (order("x", "sell", (1, 1, 2), 4), "has 0 of h100 free"),
            (order("x", "buy", (1, 3, 4), 4, expires=0), "which is past"),
            (order("x", "buy", (1, 0, 4), 4), "which is past"),
        ],
    )
    def test_nonsense_is_refused_and_changes_nothing(self, wrong: Order, told: str) -> None:
        """Nothing for nothing, in the past, for free, or of what one has not."""
        venue = self.make()
        with pytest.raises(InputError, match=told):
            venue.post(wrong, now=NOW)
        assert venue.events() == ()
