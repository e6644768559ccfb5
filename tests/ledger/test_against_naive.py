"""The ledger, through several writers and snapshots, against a model that is obviously right."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from acreage.domain.hold import HoldState
from acreage.ledger.deliveries import record_delivery
from acreage.ledger.holds import expire_holds, hold_with_id, place_holds, post_hold, release_hold, void_hold
from acreage.ledger.ledger import Ledger
from acreage.ledger.pool_book import PoolBook
from acreage.ledger.verify import verify
from acreage.units.errors import InputError
from acreage.units.instants import Instant
from tests.ledger.cases import END, HOUR, POOL, START, asks, signed
from tests.ledger.conftest import Books
from tests.ledger.naive import NaivePool

SPAN = 40
moments = st.integers(0, SPAN).map(lambda i: START + i * 1_201)
"""Instants a third of an hour and a second apart: windows begin and end inside hours, and on the same seconds."""

small = st.integers(1, 12)


class LedgerMachine(RuleBasedStateMachine):
    """Anything writers may do, in any order; `new_books` is set by the test that runs it."""

    new_books: Callable[[], Books]

    @initialize()
    def begin(self) -> None:
        """Three writers on the same books, a lease of 20 signed."""
        self.books = type(self).new_books()
        self.writers = [self.books.ledger(f"w{i}") for i in range(3)]
        self.lease = signed(self.writers[0])
        self.naive = NaivePool()
        self.count = 0
        self.level = 0

    @property
    def now(self) -> Instant:
        """The books' time."""
        return self.books.clock.now

    def writer(self, which: int) -> Ledger:
        """One of the writers."""
        return self.writers[which % 3]

    def new_id(self) -> str:
        """The next id."""
        self.count += 1
        return f"f{self.count}"

    @rule(which=small, n=st.integers(-10, 20), at=moments)
    def deliver(self, which: int, n: int, at: Instant) -> None:
        """Hand over or take back; what the ledger refuses changes nothing."""
        try:
            record_delivery(self.writer(which), self.lease, n, at=at, key=self.new_id())
        except InputError:
            return
        self.naive.delivered.append((n, at, END))

    @rule(which=small, n=small, a=moments, b=moments, timeout_s=st.sampled_from([None, 100, 4_000]))
    def place(self, which: int, n: int, a: Instant, b: Instant, timeout_s: int | None) -> None:
        """Place a hold: accepted exactly where the naive model has room, with the same number left."""
        from_at, until_at = max(min(a, b), self.now), max(a, b)
        if from_at >= until_at:
            return
        id_ = self.new_id()
        (answer,) = place_holds(self.writer(which), [asks(id_, n, from_at, until_at, timeout_s=timeout_s)])
        fits = self.naive.place(id_, n, from_at, until_at, self.now, timeout_s)
        assert (answer.state is not HoldState.REFUSED) == fits
        left = max(self.naive.free(from_at, until_at), 0)
        assert (answer.headroom if fits else answer.largest) == left
        if not fits and answer.earliest_at is not None:
            assert self.naive.free(answer.earliest_at, answer.earliest_at + until_at - from_at) >= n

    @rule(which=small, sizes=st.lists(small, min_size=2, max_size=4), a=moments, together=st.booleans())
    def batch(self, which: int, sizes: list[int], a: Instant, together: bool) -> None:
        """Several holds at once: all or nothing, or each on its own."""
        from_at = max(a, self.now)
        requests = [asks(self.new_id(), n, from_at, from_at + HOUR + i) for i, n in enumerate(sizes)]
        answers = place_holds(self.writer(which), requests, together=together)
        placed = [self.naive.place(r.id, r.accelerators, r.from_at, r.until_at, self.now, None) for r in requests]
        if together and not all(placed):
            for request in requests:
                self.naive.holds.pop(request.id, None)
            placed = [False] * len(placed)
        assert [answer.state is HoldState.POSTED for answer in answers] == placed

    @rule(which=small, pick=st.integers(0, 30), how=st.sampled_from(["post", "part", "void", "release"]))
    def settle(self, which: int, pick: int, how: str) -> None:
        """Settle any hold in any way; the ledger and the model agree on whether that is possible."""
        if not self.naive.holds:
            return
        id_ = sorted(self.naive.holds)[pick % len(self.naive.holds)]
        hold, key = self.naive.holds[id_], self.new_id()
        lapsed = hold.expires_at is not None and hold.expires_at <= self.now
        before = hold.accelerators
        if how in ("post", "part") and hold.state == "pending" and not lapsed:
            part = max(before // 2, 1) if how == "part" else before
            hold.state, hold.accelerators = "posted", part
            post_hold(self.writer(which), id_, key=key, accelerators=part)
        elif how == "void" and hold.state == "pending":
            hold.state = "voided"
            void_hold(self.writer(which), id_, key=key)
        elif how == "release" and hold.state == "posted" and self.now < hold.until_at:
            hold.state, hold.until_at = "released", max(self.now, hold.from_at)
            release_hold(self.writer(which), id_, key=key)
        else:
            settle = {"void": void_hold, "release": release_hold}.get(how, post_hold)
            with pytest.raises(InputError):
                settle(self.writer(which), id_, key=key)

    @rule(which=small)
    def sweep(self, which: int) -> None:
        """Expire what is overdue."""
        assert set(expire_holds(self.writer(which), POOL)) == self.naive.expire(self.now)

    @rule(seconds=st.sampled_from([1, 99, 1_201, 5_000]))
    def pass_time(self, seconds: int) -> None:
        """Time goes by."""
        self.books.clock.now = Instant(self.now + seconds)

    @rule(which=small)
    def restart(self, which: int) -> None:
        """A writer comes back from a snapshot, or from nothing."""
        writer = self.writer(which)
        book = writer.pool(POOL)
        writer.refresh([f"pool:{POOL}"])
        writer.journal.keep_snapshot(f"pool:{POOL}", book.snapshot())
        self.writers[which % 3] = self.books.ledger("again")

    @invariant()
    def agree(self) -> None:
        """At every instant every writer sees what the model sees."""
        if not hasattr(self, "books"):
            return
        writer = self.writers[self.count % 3]
        writer.refresh([f"pool:{POOL}"])
        book: PoolBook = writer.pool(POOL)
        for i in range(0, SPAN + 2, 3):
            at = START + i * 1_201
            assert book.free.free_at(at) == self.naive.free_at(at)
        assert {i for i, h in self.naive.holds.items() if h.state == "pending"} == set(book.pending)

    def teardown(self) -> None:
        """In the end the chains verify and every hold is where the model has it."""
        if not hasattr(self, "books"):
            return
        assert verify(self.writers[0]).flaws == ()
        for id_, hold in self.naive.holds.items():
            told = hold_with_id(self.writers[0], id_)
            assert (told.state.value, told.accelerators) == (hold.state, hold.accelerators) or hold.state in (
                "voided",
                "expired",
            )
            assert told.state.value == hold.state
        self.books.close()


def test_the_ledger_agrees_with_a_naive_model(new_books: Callable[[], Books]) -> None:
    """Any sequence of writes by any of three writers leaves the books as plain lists would be."""

    class Machine(LedgerMachine):
        pass

    Machine.new_books = staticmethod(new_books)  # type: ignore[assignment]
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=False,
            print_blob=True,
        ),
    )
