"""The life of a lease in FOCUS's words, as of any moment, by legal moves only."""

import pytest

from acreage.domain.contract import LeaseState, SpendContract
from acreage.domain.lease import Delivery
from acreage.domain.terms import Milestone, SpendCommitment, SpendKind
from acreage.ledger.contracts import (
    amend_lease,
    cancel_lease,
    commitments,
    lease_with_id,
    leases,
    propose_lease,
    sign_commitment,
    sign_lease,
    supersede_lease,
)
from acreage.ledger.ledger import Ledger
from acreage.units.errors import InputError
from acreage.units.ids import CommitmentId, LeaseId, ProviderId
from acreage.units.instants import Instant, instant
from acreage.units.money import micro_usd
from tests.ledger.cases import DAY, END, START, contract, signed, terms
from tests.ledger.conftest import Books

LATER = contract("later", starts_at=Instant(START + 30 * DAY))


def state(ledger: Ledger, lease: LeaseId, at: int | None = None) -> LeaseState:
    """Where a lease stands."""
    view = lease_with_id(ledger, lease, at)
    assert view is not None
    return view.state


def test_a_lease_goes_from_proposed_to_expired_as_time_passes(books: Books, ledger: Ledger) -> None:
    """Proposed until signed, Pending until its start, Active until its end."""
    propose_lease(ledger, LATER, key="p")
    assert state(ledger, LATER.lease.id) is LeaseState.PROPOSED
    sign_lease(ledger, LATER.lease.id, key="s")
    assert state(ledger, LATER.lease.id) is LeaseState.PENDING
    assert state(ledger, LATER.lease.id, START + 30 * DAY) is LeaseState.ACTIVE
    assert state(ledger, LATER.lease.id, END) is LeaseState.EXPIRED
    books.clock.now = END
    with pytest.raises(InputError, match="Expired and cannot be canceled"):
        cancel_lease(ledger, LATER.lease.id, key="c")


def test_only_legal_moves_happen(ledger: Ledger) -> None:
    """Each illegal move is named with what would be legal."""
    with pytest.raises(InputError, match="no lease"):
        sign_lease(ledger, LeaseId("nobody"), key="x")
    lease = signed(ledger)
    with pytest.raises(InputError, match="Active and cannot be signed"):
        sign_lease(ledger, lease, key="again")
    with pytest.raises(InputError, match="in the books already"):
        propose_lease(ledger, contract(), key="again")
    cancel_lease(ledger, lease, key="c", at=Instant(START + DAY))
    assert state(ledger, lease) is LeaseState.ACTIVE
    assert state(ledger, lease, START + DAY) is LeaseState.CANCELED
    with pytest.raises(InputError, match="ends 2027-01-02"):
        cancel_lease(ledger, lease, key="c2")


def test_a_superseded_lease_names_its_successor(ledger: Ledger) -> None:
    """The successor must be in the books."""
    lease = signed(ledger)
    with pytest.raises(InputError, match="to take the place"):
        supersede_lease(ledger, lease, LATER.lease.id, key="s")
    propose_lease(ledger, LATER, key="p")
    view = supersede_lease(ledger, lease, LATER.lease.id, key="s", at=Instant(START + 30 * DAY))
    assert view.ending is not None
    assert view.ending.successor == "later"
    assert state(ledger, lease, START + 30 * DAY) is LeaseState.SUPERSEDED


def test_overlapping_amendments_are_refused(ledger: Ledger) -> None:
    """An amendment takes effect after the last one; its price holds from then on."""
    lease = signed(ledger)
    cheaper = contract(lease_terms=terms("3.00"))
    amend_lease(ledger, cheaper, effective_at=Instant(START + 100 * DAY), key="a")
    with pytest.raises(InputError, match="overlaps"):
        amend_lease(ledger, contract(), effective_at=Instant(START + 50 * DAY), key="b")
    view = lease_with_id(ledger, lease)
    assert view is not None
    assert view.contract_at(START + 99 * DAY).lease.terms.price.amount_micro_usd == micro_usd("4.00")
    assert view.contract_at(START + 100 * DAY).lease.terms.price.amount_micro_usd == micro_usd("3.00")


def test_every_step_is_idempotent_by_its_key(ledger: Ledger) -> None:
    """Repeating is harmless, another content under the same key is an error."""
    for _ in range(2):
        propose_lease(ledger, contract(), key="p")
        sign_lease(ledger, contract().lease.id, key="s")
        amend_lease(ledger, contract(ends_at=Instant(END + DAY)), effective_at=Instant(START + DAY), key="a")
        cancel_lease(ledger, contract().lease.id, at=Instant(START + 9 * DAY), key="c")
    chain = list(ledger.journal.read("lease:basalt-1"))
    assert [fact.kind for fact in chain] == ["lease_proposed", "lease_signed", "lease_amended", "lease_canceled"]
    with pytest.raises(InputError, match="something else"):
        propose_lease(ledger, contract("other"), key="p")
    with pytest.raises(InputError, match="something else"):
        sign_lease(ledger, contract().lease.id, key="c")


def test_books_tell_both_times(books: Books, ledger: Ledger) -> None:
    """What was true at a moment, as it was known at another: a signature recorded late."""
    propose_lease(ledger, contract(), key="p")
    books.clock.now = Instant(START + 10 * DAY)
    sign_lease(ledger, contract().lease.id, at=Instant(START + 2 * DAY), key="s")
    told = {
        (at, known): leases(ledger, START + at * DAY, START + known * DAY)[0].state
        for at, known in ((1, 10), (3, 5), (3, 10), (10, 9))
    }
    assert told == {
        (1, 10): LeaseState.PROPOSED,
        (3, 5): LeaseState.PROPOSED,
        (3, 10): LeaseState.ACTIVE,
        (10, 9): LeaseState.PROPOSED,
    }


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (contract(ends_at=START), "not after its start"),
        (contract(deliveries=(Delivery(accelerators=-5, due_at=START),)), "more is taken back"),
        (contract(deliveries=(Delivery(accelerators=5, due_at=END),)), "a delivery is due"),
        (contract(deliveries=(Delivery(accelerators=0, due_at=START),)), "no accelerators"),
    ],
)
def test_a_contract_that_makes_no_sense_never_enters_the_books(ledger: Ledger, wrong: object, words: str) -> None:
    """Checked whoever made it."""
    with pytest.raises(InputError, match=words):
        propose_lease(ledger, wrong, key="p")  # type: ignore[arg-type]
    assert leases(ledger) == ()


def test_a_commitment_is_kept_and_cannot_be_signed_twice(ledger: Ledger) -> None:
    """Milestones rise and nothing expires before the last one."""
    pledge = _pledge(("2028-01-01", "10"), ("2029-01-01", "25"))
    for _ in range(2):
        sign_commitment(ledger, pledge, key="k")
    assert commitments(ledger) == {pledge.id: pledge}
    with pytest.raises(InputError, match="in the books already"):
        sign_commitment(ledger, pledge, key="k2")
    with pytest.raises(InputError, match="do not rise"):
        sign_commitment(ledger, _pledge(("2028-01-01", "10"), ("2029-01-01", "9")), key="k3")


def _pledge(*milestones: tuple[str, str]) -> SpendContract:
    spend = SpendCommitment(
        provider=ProviderId("basalt"),
        starts_at=START,
        milestones=tuple(Milestone(due_at=instant(d), cumulative_micro_usd=micro_usd(a)) for d, a in milestones),
        drawn_micro_usd=micro_usd(0),
        eligible=frozenset({SpendKind.LEASE, SpendKind.ON_DEMAND}),
    )
    return SpendContract(id=CommitmentId("basalt-5y"), spend=spend, expires_at=instant("2030-01-01"))
