"""Holds never exceed what is delivered, are answered once, and are settled in two phases."""

from collections.abc import Callable

import pytest

from acreage.domain.hold import HoldState
from acreage.ledger.deliveries import record_delivery
from acreage.ledger.holds import expire_holds, hold_with_id, place_holds, post_hold, release_hold, void_hold
from acreage.ledger.ledger import Ledger
from acreage.units.errors import InputError
from acreage.units.ids import PoolId
from tests.ledger.cases import DAY, HOUR, POOL, START, asks, contract, delivered, signed
from tests.ledger.conftest import Books


def test_a_hold_is_placed_where_enough_is_free_and_says_what_stays_free(ledger: Ledger) -> None:
    """Headroom is what stays free at the tightest instant of the window."""
    delivered(ledger)
    place_holds(ledger, [asks("a", 60, START + DAY, START + 2 * DAY)])
    (answer,) = place_holds(ledger, [asks("b", 30, START, START + 3 * DAY)])
    assert (answer.state, answer.headroom) == (HoldState.POSTED, 10)


def test_a_refused_hold_says_what_is_free_instead(ledger: Ledger) -> None:
    """The largest quantity in the window, and the earliest window that fits, exact to the second."""
    delivered(ledger)
    place_holds(ledger, [asks("a", 60, START + 7, START + DAY + 13)])
    (answer,) = place_holds(ledger, [asks("b", 50, START, START + HOUR)])
    assert (answer.state, answer.largest, answer.because) == (HoldState.REFUSED, 40, "capacity")
    assert answer.earliest_at == START + DAY + 13
    (fits,) = place_holds(ledger, [asks("c", 50, START + DAY + 13, START + 2 * DAY)])
    assert fits.state is HoldState.POSTED
    (touches,) = place_holds(ledger, [asks("d", 50, START, START + 7)])
    assert touches.state is HoldState.POSTED


def test_nothing_can_be_held_before_it_is_delivered_or_after_the_lease_ends(ledger: Ledger) -> None:
    """Holds are claims on delivered capacity, over the whole window."""
    lease = signed(ledger)
    assert place_holds(ledger, [asks("a", 1, START, START + DAY)])[0].state is HoldState.REFUSED
    record_delivery(ledger, lease, 100, at=START, key="d")
    end = contract().lease.ends_at
    late, fits = place_holds(ledger, [asks("b", 1, end - DAY, end + 1), asks("c", 100, end - DAY, end)])
    assert late.state is HoldState.REFUSED
    assert late.earliest_at is None
    assert fits.state is HoldState.POSTED


def test_a_pending_hold_claims_capacity_until_it_is_posted_in_part_and_the_rest_is_given_back(ledger: Ledger) -> None:
    """Two phases: pending with a time-out, then posted; a part-post gives the rest back."""
    delivered(ledger)
    (answer,) = place_holds(ledger, [asks("a", 80, START, START + DAY, timeout_s=600)])
    assert (answer.state, answer.expires_at) == (HoldState.PENDING, START + 600)
    assert place_holds(ledger, [asks("b", 30, START, START + DAY)])[0].state is HoldState.REFUSED
    posted = post_hold(ledger, "a", accelerators=50, key="post-a")
    assert (posted.state, posted.accelerators, posted.asked) == (HoldState.POSTED, 50, 80)
    assert place_holds(ledger, [asks("c", 50, START, START + DAY)])[0].state is HoldState.POSTED


def test_a_pending_hold_lapses_and_makes_room_without_anybody_sweeping(books: Books, ledger: Ledger) -> None:
    """After its time-out it cannot be posted, and its capacity goes to who asks next."""
    delivered(ledger)
    place_holds(ledger, [asks("a", 80, START + HOUR, START + DAY, timeout_s=600)])
    books.clock.now = START + 600
    with pytest.raises(InputError, match="lapsed"):
        post_hold(ledger, "a", key="post-a")
    assert place_holds(ledger, [asks("b", 90, START + HOUR, START + DAY)])[0].state is HoldState.POSTED
    assert hold_with_id(ledger, "a").state is HoldState.EXPIRED


def test_sweeping_expires_what_is_overdue_and_nothing_else(books: Books, ledger: Ledger) -> None:
    """Only pending holds whose time is over are given back, once."""
    delivered(ledger)
    place_holds(
        ledger, [asks("a", 10, START, START + DAY, timeout_s=60), asks("b", 10, START, START + DAY, timeout_s=90)]
    )
    books.clock.now = START + 60
    assert expire_holds(ledger, POOL) == ("a",)
    assert expire_holds(ledger, POOL) == ()
    assert hold_with_id(ledger, "b").state is HoldState.PENDING


def test_voided_and_released_capacity_is_free_again(books: Books, ledger: Ledger) -> None:
    """A pending hold is voided whole, a posted one released from an instant on."""
    delivered(ledger)
    place_holds(ledger, [asks("a", 100, START, START + DAY, timeout_s=60)])
    assert void_hold(ledger, "a", key="void-a").state is HoldState.VOIDED
    place_holds(ledger, [asks("b", 100, START, START + DAY)])
    books.clock.now = START + HOUR
    released = release_hold(ledger, "b", key="release-b", at=START + 2 * HOUR)
    assert (released.state, released.until_at) == (HoldState.RELEASED, START + 2 * HOUR)
    early, late = place_holds(
        ledger, [asks("c", 1, START + HOUR, START + 3 * HOUR), asks("d", 100, START + 2 * HOUR, START + DAY)]
    )
    assert (early.state, late.state) == (HoldState.REFUSED, HoldState.POSTED)


@pytest.mark.parametrize("settle", [post_hold, void_hold, release_hold])
def test_a_hold_is_settled_once(ledger: Ledger, settle: Callable[..., object]) -> None:
    """What is not in the right state cannot be settled, and a hold that is unknown says so."""
    delivered(ledger)
    place_holds(ledger, [asks("a", 10, START, START + DAY, timeout_s=60)])
    void_hold(ledger, "a", key="void-a")
    with pytest.raises(InputError, match="voided"):
        settle(ledger, "a", key="again")
    with pytest.raises(InputError, match="no hold"):
        settle(ledger, "nobody", key="again")


def test_a_batch_is_all_or_nothing_when_asked_across_pools(ledger: Ledger) -> None:
    """One request that does not fit refuses the whole batch and leaves every pool as it was."""
    other = PoolId("basalt/us-west/h100")
    delivered(ledger)
    delivered(ledger, 10, other, "basalt-2")
    batch = [asks("a", 60, START, START + DAY), asks("b", 60, START, START + DAY, pool=other)]
    first, second = place_holds(ledger, batch, together=True)
    assert (first.state, first.because) == (HoldState.REFUSED, "batch")
    assert (second.state, second.because, second.largest) == (HoldState.REFUSED, "capacity", 10)
    assert place_holds(ledger, [asks("c", 100, START, START + DAY)])[0].state is HoldState.POSTED


def test_a_batch_each_on_its_own_sees_what_its_earlier_requests_took(ledger: Ledger) -> None:
    """Requests are answered in order within one batch."""
    delivered(ledger)
    batch = [asks(f"h{i}", 30, START, START + DAY) for i in range(4)]
    states = [answer.state for answer in place_holds(ledger, batch)]
    assert states == [HoldState.POSTED] * 3 + [HoldState.REFUSED]


def test_a_repeated_request_gets_its_first_answer_even_if_it_was_a_refusal(books: Books, ledger: Ledger) -> None:
    """The key decides: by another writer, after more was delivered, in single or batch."""
    lease = signed(ledger, contract(accelerators=100))
    record_delivery(ledger, lease, 50, at=START, key="d1")
    requests = [asks("a", 40, START, START + DAY, timeout_s=60), asks("b", 20, START, START + DAY)]
    first = place_holds(ledger, requests)
    record_delivery(ledger, lease, 50, at=START, key="d2")
    books.clock.now = START + 5
    assert place_holds(books.ledger(), [asks("a", 40, START + 5, START + DAY)][:0]) == ()
    books.clock.now = START
    assert place_holds(books.ledger("somebody else"), requests) == first
    assert place_holds(ledger, requests[:1]) == first[:1]


def test_a_key_used_for_something_else_is_an_error_and_changes_nothing(ledger: Ledger) -> None:
    """Other content under the same key is refused loudly, also within a batch and across kinds of facts."""
    lease = delivered(ledger)
    place_holds(ledger, [asks("a", 10, START, START + DAY)])
    for request in (asks("a", 11, START, START + DAY), asks(f"deliver-{lease}", 1, START, START + DAY)):
        with pytest.raises(InputError, match="something else"):
            place_holds(ledger, [asks("new", 5, START, START + DAY), request])
    with pytest.raises(InputError, match="same key"):
        place_holds(ledger, [asks("b", 1, START, START + DAY)] * 2)
    assert place_holds(ledger, [asks("c", 90, START, START + DAY)])[0].state is HoldState.POSTED


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (asks("a", 0, START, START + DAY), "accelerators is 0"),
        (asks("a", -5, START, START + DAY), "accelerators is -5"),
        (asks("a", 5, START - 1, START + DAY), "in the past"),
        (asks("a", 5, START + DAY, START + DAY), "not after its start"),
        (asks("a", 5, START, 5_000_000_000), "ends"),
        (asks("", 5, START, START + DAY), "key"),
        (asks("a", 5, START, START + DAY, timeout_s=0), "time-out"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_clear_error(ledger: Ledger, request_: object, words: str) -> None:
    """Nothing is recorded, not even a refusal."""
    delivered(ledger)
    with pytest.raises(InputError, match=words):
        place_holds(ledger, [asks("good", 5, START, START + DAY), request_])  # type: ignore[list-item]
    assert not ledger.journal.with_ids(["good", "a"])


def test_writers_that_take_turns_see_each_other(books: Books) -> None:
    """Each decides on what all others have written, whoever wrote last."""
    writers = [books.ledger(f"w{i}") for i in range(3)]
    delivered(writers[0], 30)
    answers = [place_holds(writers[i % 3], [asks(f"h{i}", 2, START, START + DAY)])[0] for i in range(20)]
    assert [a.state for a in answers] == [HoldState.POSTED] * 15 + [HoldState.REFUSED] * 5
