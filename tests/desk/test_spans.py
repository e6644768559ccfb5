"""Requests of several parts: every part's rules, one price for all, and the answers to the parts one by one beside."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.desk.asks import Asks
from acreage.desk.quote import answer
from acreage.desk.reasons import in_full, terms_text
from acreage.domain.desk import Because, LeaseRequest, Part, Verdict, most_at_once
from acreage.units.errors import InputError
from acreage.units.ids import PoolId
from acreage.units.money import micro_usd
from tests.desk.cases import DAY, NOW, OTHER, POOL, asks_of, day, desk, open_book, request

MADE = desk(pools=2)


def part(accelerators: int, first: int, days: int, pool: PoolId = POOL) -> Part:
    """So many from one day on."""
    return Part(pool=pool, accelerators=accelerators, from_at=day(first), until_at=day(first + days))


def spanning(*parts: Part, bid: str | None = "4.00") -> LeaseRequest:
    """A firm request of parts."""
    return replace(
        request(bid=bid),
        pools=tuple(dict.fromkeys(one.pool for one in parts)),
        accelerators=most_at_once(parts),
        from_at=min(one.from_at for one in parts),
        until_at=max(one.until_at for one in parts),
        parts=parts,
    )


def filled(firm: int, row: int, first: int = 0, days: int = 200) -> Asks:
    """Asks on books with so many leased firm in one pool."""
    book = open_book(MADE)
    book.add(row, firm, day(first), day(first + days), firm=True)
    return asks_of(MADE, book)


def alone(asks: Asks, one: Part, bid: str | None) -> float:
    """What a part displaces by itself."""
    single = request(one.accelerators, bid=bid, pools=(one.pool,), from_at=one.from_at, until_at=one.until_at)
    return answer(MADE, asks, single, NOW).reason.displacement_usd


@settings(max_examples=40, deadline=None)
@given(
    leased=st.tuples(st.integers(0, 450), st.integers(0, 450)),
    sizes=st.tuples(st.integers(1, 200), st.integers(1, 200), st.integers(1, 200)),
    cents=st.integers(150, 900),
)
def test_parts_are_accepted_exactly_if_all_fit_and_the_sum_of_their_bids_covers_the_sum_of_what_they_displace(
    leased: tuple[int, int], sizes: tuple[int, int, int], cents: int
) -> None:
    """Against answers to the parts one by one; the counter-offer of a price is accepted when asked for again."""
    book = open_book(MADE)
    for row, firm in enumerate(leased):
        book.add(row, firm, day(0), day(200), firm=True)
    asks = asks_of(MADE, book)
    parts = (part(sizes[0], 10, 14), part(sizes[1], 12, 20, OTHER), part(sizes[2], 24, 30))
    bid = f"{cents / 100:.2f}"
    whole = spanning(*parts, bid=bid)
    got = answer(MADE, asks, whole, NOW)
    singles = [
        answer(
            MADE, asks, request(p.accelerators, bid=None, pools=(p.pool,), from_at=p.from_at, until_at=p.until_at), NOW
        )
        for p in parts
    ]
    displaced = sum(alone(asks, one, None) for one in parts)
    assert got.reason.displacement_usd == pytest.approx(displaced, rel=1e-9, abs=1e-6)
    brought = sum(one.accelerator_seconds for one in parts) / 3_600 * cents / 100
    fits = all(one.verdict is Verdict.ACCEPT for one in singles)
    covers = cents >= 200 and brought >= displaced
    assert (got.verdict is Verdict.ACCEPT) == (fits and covers)
    if fits and not covers:
        price = got.counters[0].micro_usd
        again = answer(MADE, asks, replace(whole, bid_micro_usd=price), NOW)
        assert again.verdict is Verdict.ACCEPT
        assert got.reason.because in (Because.PRICE, Because.FLOOR)


def test_a_dear_part_is_carried_by_a_cheap_one_and_not_by_itself() -> None:
    """In a nearly full pool the bid does not cover the part alone; together with one in an empty pool it does."""
    asks = filled(440, 0)
    dear, cheap = part(16, 20, 14), part(200, 20, 14, OTHER)
    bid = "3.50"
    single = request(16, 20, bid=bid)
    assert answer(MADE, asks, single, NOW).reason.because is Because.PRICE
    got = answer(MADE, asks, spanning(dear, cheap, bid=bid), NOW)
    assert got.verdict is Verdict.ACCEPT
    assert got.offer is not None
    assert got.offer.parts == (dear, cheap)
    assert "16 accelerators in north/gb300" in terms_text(got.offer)
    assert " and 200 accelerators in south/gb300" in terms_text(got.offer)


def test_one_part_without_room_refuses_all_and_says_which() -> None:
    """The reason is that of the part in the way, with its own quantity; all of it is offered later if it fits then."""
    asks = filled(480, 1, 0, 30)
    whole = spanning(part(60, 10, 14), part(120, 12, 14, OTHER), bid="9.00")
    got = answer(MADE, asks, whole, NOW)
    assert got.offer is None
    assert (got.reason.pool, got.reason.because) == (OTHER, Because.ANCHOR)
    assert "Leasing 120 would" in in_full(whole, got)
    later = got.counters[-1]
    shift = later.from_at - whole.from_at
    assert shift % DAY == 0
    assert [(one.accelerators, one.pool, one.from_at - shift) for one in later.parts] == [
        (one.accelerators, one.pool, one.from_at) for one in whole.parts
    ]
    assert later.parts[1].from_at >= day(30)
    moved = replace(whole, from_at=later.from_at, until_at=later.until_at, parts=later.parts)
    assert answer(MADE, asks, moved, NOW).verdict is Verdict.ACCEPT


def test_who_names_no_bid_is_told_the_mean_of_the_prices_named_for_each_part() -> None:
    """The list price in the empty pool, what it displaces in the full one, weighted by hours, to the micro-dollar."""
    asks = filled(440, 0)
    parts = (part(8, 20, 14), part(24, 20, 7, OTHER))
    got = answer(MADE, asks, spanning(*parts, bid=None), NOW)
    assert got.offer is not None
    each = []
    for one in parts:
        single = request(one.accelerators, bid=None, pools=(one.pool,), from_at=one.from_at, until_at=one.until_at)
        offer = answer(MADE, asks, single, NOW).offer
        assert offer is not None
        each.append(offer.micro_usd)
    assert got.offer.micro_usd == -(-(each[0] * 8 * 14 + each[1] * 24 * 7) // (8 * 14 + 24 * 7))
    assert each[0] > each[1] == micro_usd("4.00")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((part(10, 10, 5), part(10, 12, 5)), "two parts overlap in north/gb300"),
        ((part(10, 10, 5), part(0, 12, 5, OTHER)), "0 accelerators"),
        ((part(10, 10, 5), part(10, 12, 0, OTHER)), "not after its start"),
        ((part(10, 10, 5), part(10, -1, 5, OTHER)), "in the past"),
        ((part(10, 10, 5), part(10, 190, 20, OTHER)), "beyond what the desk quotes"),
        ((part(10, 10, 5), part(10, 12, 5, PoolId("nowhere"))), "unknown pool"),
    ],
)
def test_every_part_must_make_sense(parts: tuple[Part, ...], words: str) -> None:
    """One that does not is an error that says so, whatever the others are."""
    with pytest.raises(InputError, match=words):
        answer(MADE, asks_of(MADE), spanning(*parts), NOW)


def test_the_most_at_once_counts_what_runs_together() -> None:
    """Of parts one after the other the larger, of parts in two pools at one time their sum."""
    assert most_at_once((part(64, 0, 10), part(128, 10, 10))) == 128
    assert most_at_once((part(64, 0, 10), part(128, 5, 10, OTHER), part(100, 10, 5))) == 228
