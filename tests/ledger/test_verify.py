"""The books prove themselves: any alteration is found, at the first fact that was altered."""

import sqlite3

import psycopg
import pytest

from acreage.ledger.facts import FactKind
from acreage.ledger.holds import place_holds
from acreage.ledger.ledger import Ledger
from acreage.ledger.verify import anchor, verify
from tests.ledger.cases import DAY, HOUR, START, asks, delivered
from tests.ledger.conftest import Books


def tamper(books: Books, statement: str) -> None:
    """Change facts behind the ledger's back, as a database administrator could, triggers off."""
    if books.address.startswith("postgresql"):
        with psycopg.connect(books.address, autocommit=True) as connection:
            connection.execute("ALTER TABLE fact DISABLE TRIGGER USER")
            connection.execute(statement.encode())
        return
    connection_ = sqlite3.connect(books.address)
    for name in ("fact_no_update", "fact_no_delete"):
        connection_.execute(f"DROP TRIGGER {name}")
    connection_.execute(statement)
    connection_.commit()
    connection_.close()


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """A lease, ten holds and an anchor."""
    delivered(ledger)
    for i in range(10):
        place_holds(ledger, [asks(f"h{i}", 5, START + i * HOUR, START + DAY)])
    assert anchor(ledger) == 2
    assert anchor(ledger) == 0
    return ledger


def test_honest_books_verify(filled: Ledger) -> None:
    """Every chain, every fact and every anchor is walked."""
    verdict = verify(filled)
    assert (verdict.flaws, verdict.chains, verdict.facts, verdict.anchors) == ((), 3, 14, 1)


POOL_FACT = "chain = (SELECT id FROM chain WHERE name LIKE 'pool:%')"


@pytest.mark.parametrize(
    ("statement", "seq", "what"),
    [
        (f"UPDATE fact SET accelerators = 4 WHERE {POOL_FACT} AND seq = 5", 5, "altered"),
        (f"UPDATE fact SET actor = 'somebody else' WHERE {POOL_FACT} AND seq = 7", 7, "altered"),
        (f"UPDATE fact SET body = body || ' ' WHERE {POOL_FACT} AND seq = 3", 3, "altered"),
        (f"UPDATE fact SET recorded_at = recorded_at + 1 WHERE {POOL_FACT} AND seq = 4", 4, "altered"),
        (f"UPDATE fact SET hash = prev_hash WHERE {POOL_FACT} AND seq = 6", 6, "altered"),
        (f"DELETE FROM fact WHERE {POOL_FACT} AND seq = 8", 9, "fact 8 is missing"),
        (f"DELETE FROM fact WHERE {POOL_FACT} AND seq > 9", 11, "the chain ends at 9"),
        (f"DELETE FROM fact WHERE {POOL_FACT}", 11, "the chain ends at 0"),
    ],
)
def test_an_alteration_is_found_at_the_first_fact_altered(
    books: Books, filled: Ledger, statement: str, seq: int, what: str
) -> None:
    """Changed, removed and cut-off facts are named; cutting the end off is found through the anchor."""
    tamper(books, statement)
    (flaw,) = verify(books.ledger()).flaws
    assert (flaw.seq, flaw.chain) == (seq, "pool:basalt/us-east/h100")
    assert what in flaw.what


def test_a_chain_that_was_rewritten_consistently_is_found_through_its_anchor(books: Books, filled: Ledger) -> None:
    """Somebody who recomputes every hash still cannot agree with the anchor."""
    fact = list(filled.journal.read("pool:basalt/us-east/h100"))[-1]
    tamper(books, f"DELETE FROM fact WHERE id = '{fact.id}'")
    forger = books.ledger("forger")
    place_holds(forger, [asks("forged", 1, START, START + DAY)])
    (flaw,) = verify(forger).flaws
    assert (flaw.seq, flaw.id) == (11, "forged")
    assert "anchor" in flaw.what


def test_the_store_itself_refuses_to_change_or_remove_facts(books: Books, filled: Ledger) -> None:
    """Triggers stand in the way of an honest mistake."""
    for statement in ("UPDATE fact SET accelerators = 1", "DELETE FROM fact"):
        if books.address.startswith("postgresql"):
            with psycopg.connect(books.address) as connection, pytest.raises(psycopg.errors.RaiseException):
                connection.execute(statement.encode())
        else:
            connection_ = sqlite3.connect(books.address, isolation_level=None)
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                connection_.execute(statement)
            connection_.close()


def test_a_hold_slipped_in_beyond_capacity_is_found_by_the_sweep(books: Books, filled: Ledger) -> None:
    """Hashes alone cannot tell; the windows of the facts are added up independently of the grid."""
    book = filled.pool(asks("x", 1, 0, 1).pool)
    book.free.add(500, START, START + DAY)
    place_holds(filled, [asks("greedy", 400, START, START + DAY)])
    (flaw,) = verify(books.ledger()).flaws
    assert flaw.id == "greedy"
    assert "more held than delivered" in flaw.what


def test_facts_say_who_and_when(books: Books, filled: Ledger) -> None:
    """Each fact carries its actor and both times."""
    fact = next(iter(filled.journal.read("pool:basalt/us-east/h100", 1)))
    assert (fact.kind, fact.actor, fact.happened_at, fact.recorded_at) == (
        FactKind.HOLD_PLACED,
        "planner",
        START,
        START,
    )
