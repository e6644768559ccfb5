"""Deliveries give capacity, losses leave the oldest promises standing, and nothing beyond the lease is delivered."""

import pytest

from acreage.domain.lease import Delivery
from acreage.ledger.contracts import amend_lease, cancel_lease
from acreage.ledger.deliveries import breaches_by, record_delivery, retract_delivery
from acreage.ledger.holds import hold_with_id, place_holds
from acreage.ledger.ledger import Ledger
from acreage.ledger.verify import verify
from acreage.units.errors import InputError
from acreage.units.instants import Instant, add_months
from tests.ledger.cases import DAY, END, POOL, START, asks, contract, delivered, signed
from tests.ledger.conftest import Books


def test_a_delivery_that_slips_leaves_holds_in_breach_oldest_promise_first(ledger: Ledger) -> None:
    """The oldest promises are kept; those that cannot be are named, with how many are short and when."""
    lease = signed(ledger, contract(accelerators=100))
    record_delivery(ledger, lease, 60, at=START, key="first")
    record_delivery(ledger, lease, 40, at=Instant(START + 10 * DAY), key="second")
    window = (START + 10 * DAY, START + 30 * DAY)
    for id_, n in (("old", 50), ("middle", 30), ("young", 20)):
        place_holds(ledger, [asks(id_, n, *window)])
    slipped = record_delivery(ledger, lease, 40, at=Instant(START + 20 * DAY), key="slip", corrects="second")
    assert [(id_, b.short, b.from_at, b.until_at) for id_, b in slipped.breaches] == [
        ("middle", 20, START + 10 * DAY, START + 20 * DAY),
        ("young", 20, START + 10 * DAY, START + 20 * DAY),
    ]
    assert hold_with_id(ledger, "middle").breaches[0].cause == "slip"
    assert hold_with_id(ledger, "old").breaches == ()
    assert verify(ledger).flaws == ()


def test_the_same_breach_is_recorded_once(ledger: Ledger) -> None:
    """A second loss names only what is new; a repeated call names what the first did."""
    lease = delivered(ledger)
    place_holds(ledger, [asks("a", 50, START, START + DAY), asks("b", 50, START, START + DAY)])
    first = record_delivery(ledger, lease, -30, at=START, key="loss")
    assert [id_ for id_, _ in first.breaches] == ["b"]
    assert record_delivery(ledger, lease, -30, at=START, key="loss") == first
    second = record_delivery(ledger, lease, -10, at=Instant(START + 2 * DAY), key="later")
    assert second.breaches == ()


def test_after_a_loss_what_is_still_free_elsewhere_can_be_held(ledger: Ledger) -> None:
    """A shortage in one window does not stop holds in another."""
    lease = delivered(ledger)
    place_holds(ledger, [asks("a", 100, START, START + DAY)])
    record_delivery(ledger, lease, -50, at=START, key="loss")
    inside, outside = place_holds(
        ledger, [asks("b", 1, START, START + DAY), asks("c", 50, START + DAY, START + 2 * DAY)]
    )
    assert (inside.state.value, inside.largest, outside.state.value) == ("refused", 0, "posted")
    assert verify(ledger).flaws == ()


def test_no_more_is_delivered_than_leased_and_no_more_taken_back_than_delivered(ledger: Ledger) -> None:
    """Each error names the number that would be right, and the books stay as they were."""
    lease = signed(ledger, contract(accelerators=100))
    with pytest.raises(InputError, match="101 would be delivered where 100 are leased"):
        record_delivery(ledger, lease, 101, at=START, key="a")
    record_delivery(ledger, lease, 100, at=START, key="a")
    with pytest.raises(InputError, match="at most 0 more"):
        record_delivery(ledger, lease, 1, at=Instant(START + DAY), key="b")
    with pytest.raises(InputError, match="100 are delivered"):
        record_delivery(ledger, lease, -101, at=START, key="c")
    with pytest.raises(InputError, match="not 0"):
        record_delivery(ledger, lease, 0, at=START, key="d")
    with pytest.raises(InputError, match="outside"):
        record_delivery(ledger, lease, 1, at=END, key="e")
    assert not ledger.journal.with_ids(["b", "c", "d", "e"])


def test_only_a_signed_lease_delivers(books: Books, ledger: Ledger) -> None:
    """A lease that is unknown, not signed or over has nothing to hand over."""
    lease = signed(ledger)
    with pytest.raises(InputError, match="no lease"):
        record_delivery(ledger, contract("other").lease.id, 1, at=START, key="a")
    books.clock.now = END
    with pytest.raises(InputError, match="Expired"):
        record_delivery(ledger, lease, 1, at=START, key="b")


def test_a_retracted_delivery_never_was(ledger: Ledger) -> None:
    """Its capacity is gone over its whole window, once; a second time is an error."""
    delivered(ledger)
    retract_delivery(ledger, "deliver-basalt-1", key="no")
    assert place_holds(ledger, [asks("a", 1, START, START + DAY)])[0].largest == 0
    assert retract_delivery(ledger, "deliver-basalt-1", key="no").breaches == ()
    with pytest.raises(InputError, match="no delivery"):
        retract_delivery(ledger, "deliver-basalt-1", key="no-2")


def test_canceling_takes_capacity_back_and_names_the_holds_beyond(ledger: Ledger) -> None:
    """From the day it ends nothing of the lease can be held any more."""
    lease = delivered(ledger)
    place_holds(ledger, [asks("a", 10, START, START + 30 * DAY), asks("b", 10, START, START + DAY)])
    cancel_lease(ledger, lease, at=Instant(START + 10 * DAY), key="cancel")
    assert [id_ for id_, _ in breaches_by(ledger, POOL, "cancel")] == ["a"]
    before, after = place_holds(
        ledger, [asks("c", 80, START, START + 10 * DAY), asks("d", 1, START + 10 * DAY, START + 11 * DAY)]
    )
    assert (before.state.value, after.state.value) == ("posted", "refused")


def test_an_amendment_that_extends_or_shortens_a_lease_moves_the_end_of_what_was_delivered(ledger: Ledger) -> None:
    """Deliveries reach to the new end: later, then earlier than first agreed, then later again."""
    lease = signed(ledger, contract(accelerators=100))
    record_delivery(ledger, lease, 70, at=START, key="d1")
    record_delivery(ledger, lease, 30, at=Instant(START + 400 * DAY), key="d2")
    for i, months in enumerate((30, 6, 27)):
        end = add_months(START, months)
        effective_at = Instant(START + (i + 1) * DAY)
        amend_lease(ledger, contract(accelerators=100, ends_at=end), effective_at=effective_at, key=f"amend-{i}")
        level = 70 if months == 6 else 100
        expected = {30: 100, 6: 70, 27: 70}[months]
        book = ledger.pool(POOL)
        assert book.delivered.free_at(end - 1) == expected, (months, level)
        assert book.delivered.free_at(end) == 0
    assert verify(ledger).flaws == ()


def test_an_amendment_that_raises_the_quantity_lets_more_be_delivered(ledger: Ledger) -> None:
    """What may be delivered follows the contract as amended."""
    lease = delivered(ledger)
    more = (Delivery(accelerators=100, due_at=START), Delivery(accelerators=50, due_at=Instant(START + 30 * DAY)))
    amend_lease(ledger, contract(deliveries=more), effective_at=Instant(START + DAY), key="more")
    record_delivery(ledger, lease, 50, at=Instant(START + 30 * DAY), key="d2")
    assert ledger.pool(POOL).delivered.free_at(START + 31 * DAY) == 150
