"""Lettings: lease and capacity in one record, exactly one winner, recalls within their terms, on each engine."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from acreage.domain.contract import Contract, LeaseState
from acreage.domain.hold import HoldState
from acreage.ledger.contracts import lease_with_id
from acreage.ledger.facts import DESK_QUOTES, pool_chain
from acreage.ledger.holds import hold_with_id
from acreage.ledger.ledger import Ledger, Rehearsed
from acreage.ledger.lettings import LetAnswer, Moved, Recall, hold_of_let, recall_lease
from acreage.ledger.verify import verify
from acreage.units.errors import InputError
from acreage.units.ids import LeaseId, PoolId
from acreage.units.instants import Instant
from tests.ledger.cases import DAY, OTHER, POOL, START, delivered, let, letting, seen, together
from tests.ledger.conftest import Books


def pair(name: str, accelerators: int, pools: tuple[PoolId, ...] = (POOL, OTHER)) -> tuple[Contract, ...]:
    """A lease in each of two pools."""
    return tuple(let(f"{name}-{i}", accelerators, pool=pool) for i, pool in enumerate(pools, 1))


def both_delivered(ledger: Ledger, other: int = 100) -> None:
    """A hundred in one pool, so many in the other."""
    delivered(ledger)
    delivered(ledger, other, OTHER, "basalt-2")


def test_leases_of_several_pools_are_let_in_one_record(ledger: Ledger) -> None:
    """All are signed with their capacity, the books verify, and the same key says so again."""
    both_delivered(ledger)
    assert together(ledger, pair("let-a", 60), "k").done
    facts = sum(head.seq for head in ledger.journal.chains().values())
    assert together(ledger, pair("let-a", 60), "k").done
    assert sum(head.seq for head in ledger.journal.chains().values()) == facts
    for name in ("let-a-1", "let-a-2"):
        view = lease_with_id(ledger, LeaseId(name))
        assert view is not None
        assert view.state is LeaseState.PENDING
        assert hold_with_id(ledger, hold_of_let(LeaseId(name))).accelerators == 60
    assert verify(ledger).flaws == ()


def test_if_one_of_several_does_not_fit_none_is_let_and_no_other_is_recalled(ledger: Ledger) -> None:
    """The second pool is too small: the first lease, which would fit, leaves no trace, nor does the recall for it."""
    both_delivered(ledger, other=40)
    assert letting(ledger, let("spot-1", 80, 8, 10, notice=3), "a").done
    recall = (Recall(lease=LeaseId("spot-1"), at=Instant(START + 10 * DAY)),)
    assert together(ledger, pair("let-a", 60), "k", recalls=recall) == LetAnswer(done=False, largest=40)
    assert lease_with_id(ledger, LeaseId("let-a-1")) is None
    assert ledger.pool(OTHER).free.free(START, START + 90 * DAY) == 40
    stands = lease_with_id(ledger, LeaseId("spot-1"))
    assert stands is not None
    assert stands.ending is None
    assert together(ledger, pair("let-b", 40), "m", recalls=recall).done
    assert verify(ledger).flaws == ()


def test_leases_at_several_times_in_one_pool_stand_beside_each_other(ledger: Ledger) -> None:
    """Different quantities one after the other; where they overlap they count together."""
    both_delivered(ledger)
    assert together(ledger, (let("let-1", 60, 10, 5), let("let-2", 100, 15, 5)), "a").done
    overlapping = (let("let-3", 60, 30, 5), let("let-4", 60, 32, 5))
    assert together(ledger, overlapping, "b") == LetAnswer(done=False, largest=40)


def test_of_two_that_race_for_two_pools_in_opposite_order_exactly_one_is_written(books: Books) -> None:
    """Both looked before either wrote, also where only one of the two pools is disputed."""
    one, two = books.ledger("one"), books.ledger("two")
    both_delivered(one)
    first, second = seen(one), seen(two)
    assert together(one, pair("let-a", 60), "a", seqs=first).done
    with pytest.raises(Moved):
        together(two, pair("let-b", 60, (OTHER, POOL)), "b", seqs=second)
    with pytest.raises(Moved):
        together(two, pair("let-b", 60, (OTHER, POOL)), "b", seqs=second | {OTHER: seen(two)[OTHER]})
    assert together(two, pair("let-b", 60, (OTHER, POOL)), "b") == LetAnswer(done=False, largest=40)
    assert [lease_with_id(two, LeaseId(f"let-b-{i}")) for i in (1, 2)] == [None, None]
    assert verify(two).flaws == ()


def test_writers_at_once_let_both_pools_or_neither(books: Books) -> None:
    """Six writers at the same time, half of them in the opposite order: one is done, five are told what is left."""
    both_delivered(books.ledger())

    def work(number: int) -> LetAnswer:
        ledger = books.ledger(f"writer-{number}")
        pools = (POOL, OTHER) if number % 2 else (OTHER, POOL)
        while True:
            try:
                return together(ledger, pair(f"let-{number}", 60, pools), f"k{number}")
            except Moved:
                continue

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(work, range(6)))
    assert sorted(answer.done for answer in answers) == [False] * 5 + [True]
    assert {answer.largest for answer in answers if not answer.done} == {40}
    after = books.ledger("reader")
    won = next(i for i, answer in enumerate(answers) if answer.done)
    assert {bool(lease_with_id(after, LeaseId(f"let-{won}-{i}"))) for i in (1, 2)} == {True}
    for pool in (POOL, OTHER):
        after.refresh([pool_chain(pool)])
        assert after.pool(pool).free.free(START + 10 * DAY, START + 15 * DAY) == 40
    assert verify(after).flaws == ()


def test_a_letting_signs_the_lease_and_holds_its_capacity(ledger: Ledger) -> None:
    """Afterwards both stand, and the books verify."""
    delivered(ledger)
    assert letting(ledger, let("let-1", 60), "k").done
    view = lease_with_id(ledger, LeaseId("let-1"))
    assert view is not None
    assert view.state is LeaseState.PENDING
    hold = hold_with_id(ledger, hold_of_let(LeaseId("let-1")))
    assert (hold.state, hold.accelerators, hold.holder) == (HoldState.POSTED, 60, "let-1")
    assert verify(ledger).flaws == ()


def test_of_two_that_race_for_the_last_accelerators_exactly_one_is_written(books: Books) -> None:
    """Both writers looked before either wrote; the second must look again and leaves no lease behind."""
    one, two = books.ledger("one"), books.ledger("two")
    delivered(one)
    seqs = [ledger.pool(let("x", 1).lease.pool).head.seq for ledger in (one, two)]
    assert letting(one, let("let-1", 60), "a", seq=seqs[0]).done
    with pytest.raises(Moved):
        letting(two, let("let-2", 60), "b", seq=seqs[1])
    lost = letting(two, let("let-2", 60), "b")
    assert lost == LetAnswer(done=False, largest=40)
    assert lease_with_id(two, LeaseId("let-2")) is None
    assert [fact.kind for fact in two.journal.read(DESK_QUOTES)] == ["quote_admitted", "quote_lost"]


def test_what_is_kept_stays_free(ledger: Ledger) -> None:
    """A letting that would leave less than is kept is not written."""
    delivered(ledger)
    assert letting(ledger, let("let-1", 61), "a", kept=40) == LetAnswer(done=False, largest=60)
    assert letting(ledger, let("let-2", 60), "b", kept=40).done


def test_the_same_key_returns_the_first_answer(ledger: Ledger) -> None:
    """Done stays done, lost stays lost, and nothing is written twice; another lease under the key is an error."""
    delivered(ledger)
    for made, key in ((let("let-1", 60), "a"), (let("let-2", 60), "b")):
        first = letting(ledger, made, key)
        facts = sum(head.seq for head in ledger.journal.chains().values())
        assert letting(ledger, made, key) == first
        assert sum(head.seq for head in ledger.journal.chains().values()) == facts
    with pytest.raises(InputError, match="used for something else"):
        letting(ledger, let("let-3", 1), "a")


def test_rehearsing_writes_nothing(ledger: Ledger) -> None:
    """A dry run decides and leaves the books as they were."""
    delivered(ledger)
    ledger.rehearsing = True
    with pytest.raises(Rehearsed):
        letting(ledger, let("let-1", 60), "a")
    ledger.rehearsing = False
    assert lease_with_id(ledger, LeaseId("let-1")) is None
    assert letting(ledger, let("let-1", 100), "a").done


def test_recallable_leases_give_way_in_the_same_record(ledger: Ledger) -> None:
    """The recalled lease ends on the day, its capacity goes to the new one, and both stand or neither."""
    delivered(ledger)
    assert letting(ledger, let("spot-1", 80, 8, 10, notice=3), "a").done
    recall = (Recall(lease=LeaseId("spot-1"), at=Instant(START + 10 * DAY)),)
    assert letting(ledger, let("let-1", 100, 10, 20), "b", kept=1, recalls=recall) == LetAnswer(done=False, largest=99)
    stands = lease_with_id(ledger, LeaseId("spot-1"))
    assert stands is not None
    assert stands.ending is None
    assert letting(ledger, let("let-1", 100, 10, 20), "c", recalls=recall).done
    ended = lease_with_id(ledger, LeaseId("spot-1"))
    assert ended is not None
    assert ended.ends_at == START + 10 * DAY
    assert verify(ledger).flaws == ()


@pytest.mark.parametrize(("notice", "at", "words"), [(None, 10, "is firm"), (12, 10, "its notice is 12 days")])
def test_a_recall_keeps_to_the_contract(
    new_books: Callable[[], Books], notice: int | None, at: int, words: str
) -> None:
    """Firm leases are never recalled, recallable ones not before their notice has run."""
    ledger = new_books().ledger()
    delivered(ledger)
    letting(ledger, let("spot-1", 80, 8, 10, notice=notice), "a")
    with pytest.raises(InputError, match=words):
        recall_lease(ledger, LeaseId("spot-1"), at=Instant(START + at * DAY), key="r")


def test_a_recall_alone_frees_the_capacity_once(ledger: Ledger) -> None:
    """Repeating it changes nothing."""
    delivered(ledger)
    letting(ledger, let("spot-1", 80, 8, 10, notice=3), "a")
    for _ in range(2):
        recall_lease(ledger, LeaseId("spot-1"), at=Instant(START + 9 * DAY), key="r")
    assert letting(ledger, let("let-1", 100, 9, 5), "b").done


def test_a_lease_in_the_past_is_not_let(books: Books, ledger: Ledger) -> None:
    """By the clock of the books, whenever the quote was made."""
    delivered(ledger)
    books.clock.now = Instant(START + 11 * DAY)
    with pytest.raises(InputError, match="in the past"):
        letting(ledger, let("let-1", 60), "a")
