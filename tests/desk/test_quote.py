"""Quotes: what is asked, when it is refused and why, and that one by one and in batch are the same rule."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.desk.asks import headrooms
from acreage.desk.batch import Requests, answers
from acreage.desk.quote import answer
from acreage.desk.tables import FIRM, RECALLABLE, value_at
from acreage.domain.desk import Because, Tier, Verdict
from acreage.units.errors import InputError
from acreage.units.ids import LesseeName, PoolId
from acreage.units.money import MICRO_PER_USD, micro_usd
from tests.desk.cases import DAY, NOW, OTHER, POOL, asks_of, day, desk, open_book, request

MADE = desk()


def full_of(firm: int, first: int = 0, days: int = 200, *, recallable: int = 0):
    """Asks on a book with so many leased over some days."""
    book = open_book(MADE)
    book.add(0, firm, day(first), day(first + days), firm=True)
    book.add(0, recallable, day(first), day(first + days), firm=False)
    return asks_of(MADE, book)


def test_what_is_accepted_covers_what_it_displaces_and_names_the_bid() -> None:
    """A good bid on an empty book is accepted at the bid; the figures of the reason add up."""
    got = answer(MADE, asks_of(MADE), request(), NOW)
    assert got.verdict is Verdict.ACCEPT
    assert got.offer is not None
    assert (got.offer.accelerators, got.offer.micro_usd) == (64, micro_usd("4.00"))
    assert got.reason.because is Because.NOTHING
    assert 0 < got.reason.displacement_usd <= got.reason.revenue_usd == pytest.approx(4.0 * 64 * 14 * 24)
    assert got.reason.short_before_frac <= got.reason.short_after_frac <= got.reason.short_max_frac


def test_who_names_no_bid_is_told_the_list_price_or_what_it_displaces_if_that_is_more() -> None:
    """On an empty book the list price; on a nearly full one the displacement, in whole cents."""
    easy = answer(MADE, asks_of(MADE), request(8, bid=None), NOW)
    assert easy.offer is not None
    assert easy.offer.micro_usd == micro_usd("4.00")
    tight = answer(MADE, full_of(440), request(8, 20, bid=None), NOW)
    assert tight.offer is not None
    assert tight.offer.micro_usd > micro_usd("4.00")
    assert tight.offer.micro_usd % micro_usd("0.01") == 0


def test_a_low_bid_is_countered_with_the_price_and_that_price_is_accepted() -> None:
    """The counter-offer is the least price in whole ticks: asked again at it, the desk accepts; a tick less, not."""
    asks = full_of(430)
    low = answer(MADE, asks, request(16, 20, bid="2.05"), NOW)
    assert low.verdict is Verdict.COUNTER
    assert low.reason.because is Because.PRICE
    price = low.counters[0].micro_usd
    again = request(16, 20)
    assert answer(MADE, asks, replace(again, bid_micro_usd=price), NOW).verdict is Verdict.ACCEPT
    less = answer(MADE, asks, replace(again, bid_micro_usd=price - 10_000), NOW)
    assert less.verdict is not Verdict.ACCEPT


def test_below_the_floor_is_said_to_be_below_the_floor() -> None:
    """However empty the book, nothing goes below the floor of its tier."""
    got = answer(MADE, asks_of(MADE), request(8, 0, 2, bid="1.99"), NOW)
    assert got.reason.because is Because.FLOOR
    assert got.counters[0].micro_usd == micro_usd("2.00")


def test_what_the_anchor_may_need_is_not_leased_though_it_stands_free() -> None:
    """Between capacity and the protected level the reason is the anchor, and the limit would be broken."""
    law = asks_of(MADE).tables.laws[0]
    room = int(1_000 - asks_of(MADE).tables.protected[FIRM, 0, 10:24].max())
    got = answer(MADE, asks_of(MADE), request(room + 1, 10, bid="99"), NOW)
    assert got.reason.because is Because.ANCHOR
    assert got.reason.free == room
    assert answer(MADE, asks_of(MADE), request(room, 10, bid="99"), NOW).verdict is Verdict.ACCEPT
    without_floor = replace(MADE, rules=replace(MADE.rules, overbooking_max_frac=1.0))
    asks = asks_of(without_floor)
    room = int(1_000 - asks.tables.protected[FIRM, 0, 10:24].max())
    over = answer(without_floor, asks, request(room + 1, 10, bid="99"), NOW).reason
    assert over.short_after_frac > over.short_max_frac >= over.short_before_frac
    assert law.above(np.full(200, 1_000.0 - room))[10:24].max() <= 0.01


def test_what_is_leased_is_refused_for_capacity_and_countered_with_less_or_later() -> None:
    """Until day 20 all but 100 are leased: fewer are offered now, as many from day 20."""
    got = answer(MADE, full_of(950, 0, 20), request(200, 10, 7, bid="9.00"), NOW)
    assert got.verdict is Verdict.COUNTER
    assert got.reason.because is Because.CAPACITY
    later = [counter for counter in got.counters if counter.from_at > day(10)]
    assert [counter.from_at for counter in later] == [day(20)]
    assert answer(MADE, full_of(400, 0, 20), request(200, 10, 7, bid="9.00"), NOW).counters[0].accelerators < 200


def test_every_counter_offer_would_be_accepted() -> None:
    """Asked again with the terms of any counter-offer, the desk accepts."""
    for firm in (0, 300, 430, 480):
        asks = full_of(firm, 5, 40)
        for asked in (request(120, 10, 30, bid="2.50"), request(300, 3, 10, bid="5.00"), request(40, 20, 5, bid="2.0")):
            got = answer(MADE, asks, asked, NOW)
            for c in got.counters:
                again = replace(
                    asked,
                    accelerators=c.accelerators,
                    from_at=c.from_at,
                    until_at=c.until_at,
                    bid_micro_usd=c.micro_usd,
                )
                assert answer(MADE, asks, again, NOW).verdict is Verdict.ACCEPT, (firm, asked, c)


def test_a_firm_lease_may_take_the_place_of_recallable_ones_beyond_their_notice_only() -> None:
    """Recallable leases stand within their notice of three days and give way later."""
    asks = full_of(0, recallable=560)
    soon = answer(MADE, asks, request(64, 1, 3, bid="9"), NOW)
    late = answer(MADE, asks, request(64, 10, 3, bid="9"), NOW)
    assert (soon.reason.because, late.verdict) == (Because.ANCHOR, Verdict.ACCEPT)
    headroom = headrooms(asks.book, asks.tables, 0)
    assert headroom[FIRM][[3, 4]].tolist() == [440, 1_000]
    assert headroom[RECALLABLE][[3, 4]].tolist() == [440, 440]


def test_recallable_leases_may_use_what_the_anchor_seldom_needs() -> None:
    """More can be leased recallable than firm, and the quote says how often it will be recalled."""
    asks = asks_of(MADE)
    spot = answer(MADE, asks, request(8, 10, 7, bid="9", tier=Tier.SPOT), NOW)
    firm = answer(MADE, asks, request(8, 10, 7, bid="9"), NOW)
    assert spot.reason.free > firm.reason.free
    assert spot.reason.displacement_usd < firm.reason.displacement_usd
    most = answer(MADE, asks, request(spot.reason.free, 10, 7, bid="99", tier=Tier.SPOT), NOW)
    assert most.verdict is Verdict.ACCEPT
    assert 0 < most.reason.recall_frac <= MADE.rules.recall_max_frac


def test_the_anchors_own_holds_count_where_they_exceed_its_protected_level() -> None:
    """What the anchor holds already is known, not forecast."""
    book = open_book(MADE)
    book.anchor[0, 10:12] = 700
    got = answer(MADE, asks_of(MADE, book), request(301, 10, 2, bid="99"), NOW)
    assert (got.reason.because, got.reason.free, got.reason.protected) == (Because.ANCHOR, 300, 700)


def test_the_pool_that_accepts_is_taken_whichever_is_named_first() -> None:
    """Alternatives are tried in order, and one that accepts ends the search."""
    two = desk(pools=2)
    book = open_book(two)
    book.add(0, 990, day(0), day(200), firm=True)
    got = answer(two, asks_of(two, book), request(pools=(POOL, OTHER)), NOW)
    assert got.offer is not None
    assert got.offer.pool == OTHER


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accelerators": 0}, "0 accelerators"),
        ({"accelerators": -8}, "-8 accelerators"),
        ({"until_at": day(10)}, "not after its start"),
        ({"from_at": day(-1)}, "in the past"),
        ({"until_at": day(201)}, "beyond what the desk quotes"),
        ({"bid_micro_usd": 0}, "a bid of nothing"),
        ({"pools": ()}, "names no pool"),
        ({"pools": (PoolId("west/gb300"),)}, "unknown pool"),
        ({"tier": Tier.CONTRACTED}, "does not sell contracted"),
        ({"lessee": LesseeName("Nobody")}, "unknown lessee"),
    ],
)
def test_what_makes_no_sense_is_said_to_make_none(changes: dict[str, object], words: str) -> None:
    """Each mistake is an `InputError` that names it."""
    with pytest.raises(InputError, match=words):
        answer(MADE, asks_of(MADE), replace(request(), **changes), NOW)


@settings(max_examples=60, deadline=None)
@given(
    leases=st.lists(st.tuples(st.integers(1, 200), st.integers(0, 150), st.integers(1, 49), st.booleans()), max_size=8),
    quantity=st.integers(1, 600),
    first_s=st.integers(0, 190 * DAY),
    length_s=st.integers(3_600, 60 * DAY),
    firm=st.booleans(),
)
def test_a_quote_is_what_plain_sums_over_the_days_say(
    leases: list[tuple[int, int, int, bool]], quantity: int, first_s: int, length_s: int, firm: bool
) -> None:
    """Free is the least over the days touched; displacement is V before less V after, never less than the exact sum.

    Never less but for the bends of V between two points of its grid: a hundred-thousandth.
    """
    book = open_book(MADE)
    for accelerators, first, days, is_firm in leases:
        book.add(0, accelerators, day(first), day(first + days), firm=is_firm)
    asks = asks_of(MADE, book)
    from_at, until_at = NOW + first_s, min(NOW + first_s + length_s, day(200))
    side = FIRM if firm else RECALLABLE
    one = np.array([0])
    got = answers(
        asks,
        Requests(one + side, one, one + quantity, one + from_at, one + until_at, one + 5.0, one + 1.0),
    )
    free, exact = 10**9, 0.0
    rows, step = asks.tables.value_usd[side, 0], float(asks.tables.step[0])
    for d in range(200):
        part = (min(until_at, day(d + 1)) - max(from_at, day(d))) / DAY
        if part <= 0:
            continue
        headroom = headrooms(book, asks.tables, 0)[side]
        free = min(free, int(headroom[d] - asks.tables.protected[side, 0, d]))
        change = value_at(rows, step, headroom.astype(float)) - value_at(rows, step, headroom - float(quantity))
        exact += part * float(change[d])
    assert got.free[0] == free
    assert got.displaced_usd[0] >= exact - 1e-5 * abs(exact) - 1e-6 or free < quantity
    if quantity in asks.quantities[0]:
        assert got.displaced_usd[0] == pytest.approx(exact, rel=1e-9, abs=1e-6)


def test_a_batch_gives_each_request_the_answer_it_gets_alone() -> None:
    """Thousands at once over two pools, both sides: the same as one at a time."""
    two = desk(pools=2)
    rng = np.random.default_rng(3)
    book = open_book(two)
    for _ in range(20):
        first = int(rng.integers(0, 150))
        book.add(
            int(rng.integers(2)), int(rng.integers(1, 60)), day(first), day(first + 30), firm=bool(rng.integers(2))
        )
    asks = asks_of(two, book)
    count = 500
    first = rng.integers(0, 150 * DAY, count)
    length = rng.integers(3_600, 50 * DAY, count)
    firm = rng.integers(2, size=count)
    batch = Requests(
        1 - firm,
        rng.integers(2, size=count),
        rng.integers(1, 300, count),
        NOW + first,
        NOW + first + length,
        np.round(rng.uniform(1, 8, count), 2),
        np.where(firm == 1, 2.0, 0.5),
    )
    got = answers(asks, batch)
    for i in range(count):
        asked = request(
            int(batch.accelerators[i]),
            pools=((POOL, OTHER)[int(batch.row[i])],),
            tier=Tier.RESERVED if firm[i] else Tier.SPOT,
            from_at=int(batch.from_at[i]),
            until_at=int(batch.until_at[i]),
            bid_micro_usd=round(float(batch.bid_usd[i]) * MICRO_PER_USD),
        )
        alone = answer(two, asks, asked, NOW)
        assert (alone.verdict is Verdict.ACCEPT) == got.accepted[i]
        assert alone.reason.free == got.free[i]
        assert alone.reason.displacement_usd == got.displaced_usd[i]
    assert 50 < got.accepted.sum() < 450
