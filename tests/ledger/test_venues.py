"""Venues in the books: what is done at them lasts; of two who post at once exactly one is matched; on each engine."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from acreage.domain.order import Order, OrderSide, Partial, Rectangle
from acreage.domain.venue import Deposit, Removal, VenueAct
from acreage.flow.venue import audit, book_at, cancel, opening, post, settle
from acreage.ledger.facts import venue_chain
from acreage.ledger.ledger import Ledger
from acreage.ledger.statements import AsOf
from acreage.ledger.venues import record_act, venue_acts
from acreage.ledger.verify import verify
from acreage.market.venues.order_book import OrderBook
from acreage.market.venues.replay import apply, differences, replayed
from acreage.units.errors import InputError
from acreage.units.ids import VenueName
from acreage.units.instants import Instant
from tests.ledger.cases import DAY, START
from tests.ledger.conftest import Books

NAME = VenueName("spring")


def block(accelerators: int, first: int = 10, days: int = 5) -> Rectangle:
    """Accelerators over some days."""
    start = START + first * DAY
    return Rectangle(
        product="H100", accelerators=accelerators, from_at=Instant(start), until_at=Instant(start + days * DAY)
    )


def order(
    id_: str, owner: str, side: OrderSide, rectangle: Rectangle, usd: int = 2, partial: Partial = Partial.ANY
) -> Order:
    """An order at whole dollars an hour."""
    return Order(
        id=id_,
        owner=owner,
        side=side,
        rectangle=rectangle,
        limit_micro_usd_per_hour=usd * 1_000_000,
        partial=partial,
    )


def opened(ledger: Ledger, accelerators: int = 64) -> None:
    """A venue at which Atlas has capacity on sale."""
    opening(ledger, NAME, "", "open")()
    lay(ledger, Deposit(owner="atlas", rectangle=block(accelerators)), "deposit")
    post(ledger, NAME, order("ask", "atlas", OrderSide.SELL, block(accelerators)), "ask")()


def lay(ledger: Ledger, act: VenueAct, key: str) -> None:
    """Record an act as the commands do."""
    record_act(ledger, NAME, act, lambda before, now: apply(replayed(before), act, now), key=key)


def test_a_venue_lasts(books: Books) -> None:
    """Another writer finds the same standing orders, holdings, fills and settlements."""
    one, two = books.ledger("one"), books.ledger("two")
    opened(one)
    post(two, NAME, order("bid", "cobalt", OrderSide.BUY, block(48)), "bid")()
    settle(one, NAME, "fill-1", "s")()
    for ledger in (one, two, books.ledger("three")):
        book = book_at(ledger, NAME)
        assert [(fill.buyer, fill.seller, fill.rectangle) for fill in book.fills()] == [("cobalt", "atlas", block(48))]
        assert book.settled == {"fill-1"}
        assert book.held("cobalt", "H100", block(1).from_at) == 48
        assert list(book.standing) == ["ask"]
    assert verify(one).flaws == ()


def test_of_two_who_post_at_once_exactly_one_is_matched(books: Books) -> None:
    """Ten times over: both want all that is left, one gets it, the other's order stands."""
    opened(books.ledger(), accelerators=10)
    start = threading.Barrier(2)

    def bids(owner: str) -> list[int]:
        ledger, got = books.ledger(owner), []
        for i in range(10):
            start.wait()
            bid = order(f"{owner}-{i}", owner, OrderSide.BUY, block(1), partial=Partial.ALL_OR_NOTHING)
            got.append(len(post(ledger, NAME, bid, f"{owner}-{i}")()))
        return got

    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(bids, ("birch", "cobalt")))
    assert sum(map(sum, got)) == 10
    book = book_at(books.ledger(), NAME)
    assert len(book.fills()) == 10
    assert sum(book.held(owner, "H100", block(1).from_at) for owner in ("birch", "cobalt")) == 10
    assert len(book.standing) == 10
    assert {one.order.side for one in book.standing.values()} == {OrderSide.BUY}


def test_the_same_key_returns_the_first_answer(ledger: Ledger) -> None:
    """The same order under its key again changes nothing, under another key too; another order is an error."""
    opened(ledger)
    bid = order("bid", "cobalt", OrderSide.BUY, block(48))
    first = post(ledger, NAME, bid, "k")()
    facts = ledger.journal.head(venue_chain(NAME)).seq
    assert post(ledger, NAME, bid, "k")() == first
    post(ledger, NAME, bid, "another")()
    assert ledger.journal.head(venue_chain(NAME)).seq == facts
    with pytest.raises(InputError, match="used for something else"):
        post(ledger, NAME, replace(bid, id="other"), "k")()
    with pytest.raises(InputError, match="other content"):
        post(ledger, NAME, replace(bid, partial=Partial.QUANTITY), "third")()


def test_a_book_is_seen_as_it_stood(books: Books) -> None:
    """Before an order, after it, and when its window has started: then it has left the book."""
    ledger = books.ledger()
    opened(ledger)
    books.clock.now = Instant(START + DAY)
    cancel(ledger, NAME, "ask", "atlas", "c")()
    before = Instant(START + DAY - 1)
    assert list(book_at(ledger, NAME, AsOf(at=before, known_at=before)).standing) == ["ask"]
    assert list(book_at(ledger, NAME).standing) == []
    post(ledger, NAME, order("again", "atlas", OrderSide.SELL, block(64)), "a")()
    later = block(1).from_at
    assert list(book_at(ledger, NAME, AsOf(at=later, known_at=later)).standing) == []
    with pytest.raises(InputError, match="no venue"):
        book_at(ledger, NAME, AsOf(at=Instant(START - 1), known_at=before))


def test_time_never_goes_back(books: Books) -> None:
    """A writer whose clock is behind acts at the instant of the last act."""
    ledger = books.ledger()
    opened(ledger)
    books.clock.now = Instant(START - 1000)
    post(ledger, NAME, order("bid", "cobalt", OrderSide.BUY, block(48)), "bid")()
    times = [acted.at for acted in venue_acts(ledger, NAME)]
    assert times == sorted(times)


@pytest.mark.parametrize("seed", range(4))
def test_the_kept_book_is_the_one_in_memory(ledger: Ledger, seed: int) -> None:
    """Whatever is done in whatever order: events, holdings and fills are those of an order book that never left."""
    rng, live = random.Random(seed), OrderBook()
    opening(ledger, NAME, "", "open")()
    for i in range(60):
        owner, rectangle = rng.choice("abc"), block(rng.randint(1, 9), rng.randint(5, 12), rng.randint(1, 6))
        act: VenueAct
        if i < 6:
            act = Deposit(owner=owner, rectangle=block(20, 5, 15))
        elif rng.random() < 0.15:
            act = Removal(order=f"o{rng.randrange(i)}", owner=owner)
        else:
            side, partial = rng.choice(tuple(OrderSide)), rng.choice(tuple(Partial))
            act = order(f"o{i}", owner, side, rectangle, rng.randint(1, 4), partial)
        try:
            apply(live, act, ledger.clock())
        except InputError:
            with pytest.raises(InputError):
                lay(ledger, act, f"k{i}")
        else:
            lay(ledger, act, f"k{i}")
    kept = book_at(ledger, NAME)
    assert kept.events() == live.events()
    assert differences(venue_acts(ledger, NAME)) == ()
    assert kept.fills()
    assert (kept.holdings, kept.on_sale) == (live.holdings, live.on_sale)


def test_an_audit_finds_what_the_rules_would_not_have_done(ledger: Ledger) -> None:
    """An order that was not matched though it could have been is named; the book stays as it was recorded."""
    opened(ledger)
    bid = order("bid", "cobalt", OrderSide.BUY, block(48))
    assert differences(venue_acts(ledger, NAME)) == ()
    record_act(ledger, NAME, bid, lambda _before, _now: (), key="wrong")
    assert [acted.act for acted in differences(venue_acts(ledger, NAME))] == [bid]
    assert [row["order"] for row in audit(ledger, NAME).rows] == ["bid"]
    assert book_at(ledger, NAME).fills() == ()


def test_a_fill_of_what_is_not_there_is_refused(ledger: Ledger) -> None:
    """A record that sells the same accelerators twice is no book."""
    opened(ledger)
    post(ledger, NAME, order("bid", "cobalt", OrderSide.BUY, block(48)), "bid")()
    (fill,) = book_at(ledger, NAME).fills()
    twice = order("twice", "birch", OrderSide.BUY, block(48))
    sold = replace(fill, id="fill-2", buy="twice", buyer="birch")
    record_act(ledger, NAME, twice, lambda _before, _now: (sold,), key="wrong")
    with pytest.raises(InputError, match="takes more of order ask than is left"):
        book_at(ledger, NAME)
