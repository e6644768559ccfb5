"""Threads that share one ledger get the answers they would have got alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from acreage.domain.hold import HoldAnswer, HoldState
from acreage.ledger.ledger import Ledger
from acreage.ledger.shared import SharedLedger
from acreage.ledger.verify import verify
from acreage.units.errors import InputError
from acreage.units.instants import Instant
from tests.ledger.cases import DAY, POOL, START, asks, delivered
from tests.ledger.conftest import Books


def test_threads_never_hold_more_than_is_delivered(ledger: Ledger) -> None:
    """Of 160 holds of 2 by sixteen threads on a pool of 100 fifty are placed, and each thread knows its own."""
    delivered(ledger)
    shared = SharedLedger(ledger)

    def work(thread: int) -> list[HoldAnswer]:
        asked = [asks(f"{thread}-{i}", 2, START + i, START + DAY) for i in range(10)]
        return [shared.place_holds([one])[0] for one in asked]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(work, range(16)))
    assert [[a.id for a in mine] for mine in answers] == [[f"{t}-{i}" for i in range(10)] for t in range(16)]
    assert sum(a.state is HoldState.POSTED for mine in answers for a in mine) == 50
    assert ledger.pool(POOL).free.free(START, START + DAY) == 0
    assert verify(ledger).flaws == ()


def test_one_threads_mistake_is_its_own(ledger: Ledger) -> None:
    """A request that makes no sense raises for whoever made it; the others are answered, whole batches too."""
    delivered(ledger)
    shared = SharedLedger(ledger)
    bad = asks("bad", -1, START, START + DAY)

    def work(thread: int) -> str:
        if thread % 3 == 0:
            with pytest.raises(InputError, match="accelerators is -1"):
                shared.place_holds([bad])
            return "refused"
        batch = [asks(f"{thread}-a", 60, START, START + DAY), asks(f"{thread}-b", 60, START, START + DAY)]
        answers = shared.place_holds(batch, together=True)
        return ",".join(a.state.value for a in answers)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(work, range(12)))
    assert answers == ["refused" if thread % 3 == 0 else "refused,refused" for thread in range(12)]


def test_a_repeated_key_gets_its_first_answer_from_any_thread(ledger: Ledger) -> None:
    """Sixteen threads ask for the very same hold: it is placed once, and all are told so."""
    delivered(ledger)
    shared = SharedLedger(ledger)
    with ThreadPoolExecutor(16) as pool:
        tasks = [pool.submit(shared.place_holds, [asks("same", 70, START, START + DAY)]) for _ in range(16)]
        answers = {task.result()[0] for task in tasks}
    assert {a.state for a in answers} == {HoldState.POSTED}
    assert len(answers) == 1
    assert ledger.pool(POOL).free.free(START, START + DAY) == 30


def test_an_interrupt_reaches_one_thread_alone(books: Books, ledger: Ledger) -> None:
    """Whoever is interrupted while writing for all raises; what the others asked for is written by the next."""
    delivered(ledger)
    interrupts = iter([True])

    def clock() -> Instant:
        if next(interrupts, False):
            raise KeyboardInterrupt
        return books.clock()

    shared = SharedLedger(books.ledger())
    shared.ledger.clock = clock
    with ThreadPoolExecutor(8) as pool:
        tasks = [pool.submit(shared.place_holds, [asks(f"h{i}", 1, START, START + DAY)]) for i in range(8)]
    ends = [task.exception() for task in tasks]
    assert sum(isinstance(end, KeyboardInterrupt) for end in ends) == 1
    assert sum(end is None for end in ends) == 7
