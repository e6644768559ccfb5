"""Admissions of requests of several parts at the desk: all leases or none, whoever races, on each engine."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from acreage.domain.desk import Desk, LeaseRequest, Part, Tier, Verdict, most_at_once
from acreage.flow.desk import Room, Viewer, opening
from acreage.flow.desk_admit import Admission, admit, leases_of
from acreage.flow.desk_quotes import quoted
from acreage.ledger.contracts import lease_with_id
from acreage.ledger.desk_log import Logged, QuoteState, quote_with_id
from acreage.ledger.facts import pool_chain
from acreage.ledger.verify import verify
from acreage.units.ids import LesseeName
from acreage.units.money import micro_usd
from tests.desk.cases import OTHER, POOL, day, desk
from tests.ledger.conftest import Books

DESK = desk(pools=2)
AS_DESK = Viewer("desk")


def parts(accelerators: int, *, turned: bool = False) -> tuple[Part, ...]:
    """So many in both pools for two weeks, and as many in the first one later."""
    found = (
        Part(pool=POOL, accelerators=accelerators, from_at=day(10), until_at=day(24)),
        Part(pool=OTHER, accelerators=accelerators, from_at=day(12), until_at=day(26)),
        Part(pool=POOL, accelerators=accelerators, from_at=day(24), until_at=day(30)),
    )
    return found[::-1] if turned else found


def spanning(asked: tuple[Part, ...], *, tier: Tier = Tier.RESERVED, bid: str | None = "30") -> LeaseRequest:
    """A request of these parts."""
    return LeaseRequest(
        lessee=LesseeName("Birch"),
        tier=tier,
        pools=tuple(dict.fromkeys(part.pool for part in asked)),
        accelerators=most_at_once(asked),
        from_at=min(part.from_at for part in asked),
        until_at=max(part.until_at for part in asked),
        bid_micro_usd=None if bid is None else micro_usd(bid),
        parts=asked,
    )


def opened(books: Books, made: Desk = DESK) -> Room:
    """The desk at books that hold its capacity."""
    room = Room(made, books.ledger())
    for work in opening(room):
        work()
    return room


def logged_of(room: Room, asked: tuple[Part, ...], **more: object) -> Logged:
    """A quote for these parts."""
    return quoted(room, spanning(asked, **more), AS_DESK, None, write=True)  # type: ignore[arg-type]


def test_every_part_becomes_a_lease_with_its_capacity(books: Books) -> None:
    """Three leases at one price, and nothing is free twice; the same key returns them again."""
    room = opened(books)
    logged = logged_of(room, parts(100))
    assert logged.quote.answer.verdict is Verdict.ACCEPT
    done = admit(room, logged, 0, "k")
    assert done.leases == leases_of(logged)
    assert len(set(done.leases)) == 3
    for lease, part in zip(done.leases, parts(100), strict=True):
        view = lease_with_id(room.ledger, lease)
        assert view is not None
        one = view.contract.lease
        assert (one.pool, one.starts_at, one.ends_at) == (part.pool, part.from_at, part.until_at)
        assert one.terms.price.amount_micro_usd == micro_usd("30")
    asks = room.asks_of((POOL, OTHER))
    assert [asks.book.firm[i, 12] for i in (0, 1)] == [100, 100]
    assert [asks.book.firm[i, 27] for i in (0, 1)] == [100, 0]
    assert admit(room, logged, 0, "k").leases == done.leases
    again = quote_with_id(room.ledger, logged.quote.id)
    assert again is not None
    assert (again.state, again.leases) == (QuoteState.ADMITTED, done.leases)
    assert verify(room.ledger).flaws == ()


def test_admissions_at_once_for_the_last_block_of_two_pools_let_one_whole_or_nothing(books: Books) -> None:
    """Four desks hold quotes for more than half of what is free, in either order: one wins all of its parts."""
    first = opened(books)
    room = int((first.asks_of((POOL, OTHER)).free[0, :, 0, 10:30]).min())
    quotes = [logged_of(first, parts(room // 2 + 1, turned=bool(i % 2))) for i in range(4)]
    assert {one.quote.answer.verdict for one in quotes} == {Verdict.ACCEPT}

    def work(i: int) -> Admission:
        return admit(Room(DESK, books.ledger(f"desk-{i}")), quotes[i], 0, f"k{i}")

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(work, range(4)))
    assert sorted(len(one.leases) for one in done) == [0, 0, 0, 3]
    after = books.ledger("reader")
    for one, logged in zip(done, quotes, strict=True):
        there = {lease_with_id(after, lease) is not None for lease in leases_of(logged)}
        assert there == {bool(one.leases)}
        now = quote_with_id(after, logged.quote.id)
        assert now is not None
        assert now.state is (QuoteState.ADMITTED if one.leases else QuoteState.LOST)
    after.refresh([pool_chain(pool) for pool in (POOL, OTHER)])
    assert verify(after).flaws == ()


@pytest.mark.parametrize("turned", [False, True])
def test_firm_parts_recall_what_stands_in_either_pool_in_the_same_record(
    new_books: Callable[[], Books], turned: bool
) -> None:
    """Spot fills what the rules leave in one pool; the firm parts take their place from its first day on."""
    books = new_books()
    room = opened(books)
    asks = room.asks_of((POOL, OTHER))
    spot_room, firm_room = int(asks.free[1, 1, 0, 8:40].min()), int(asks.free[0, :, 0, 10:30].min())
    spot = logged_of(
        room, (Part(pool=OTHER, accelerators=spot_room, from_at=day(8), until_at=day(40)),), tier=Tier.SPOT
    )
    (recalled,) = admit(room, spot, 0, "s").leases
    firm = logged_of(room, parts(firm_room, turned=turned), bid="90")
    done = admit(room, firm, 0, "f")
    assert len(done.leases) == 3
    view = lease_with_id(room.ledger, recalled)
    assert view is not None
    assert spot_room + firm_room > 1_000
    assert view.ends_at == day(12)
    assert verify(room.ledger).flaws == ()
