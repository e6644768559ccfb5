"""The stores: migrations keep data, and what is wrong with a file or server is one clear error."""

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

from acreage.ledger.facts import GENESIS, Draft, FactKind, head_of, recorded
from acreage.ledger.holds import place_holds
from acreage.ledger.journal import Journal, Taken
from acreage.ledger.journals import migrations
from acreage.ledger.journals.registry import open_journal
from acreage.ledger.journals.sqlite import SqliteJournal
from acreage.ledger.ledger import Ledger
from acreage.ledger.verify import verify
from acreage.units.errors import InputError
from tests.ledger.cases import DAY, POOL, START, asks, delivered
from tests.ledger.conftest import Books

DRAFT = Draft(chain="pool:p", id="a", kind=FactKind.OFFER_RECEIVED.value, subject="s", happened_at=1, body='é\n"x"')


def set_version(books: Books, version: int) -> None:
    """Write another schema version into the books."""
    if books.address.startswith("postgresql"):
        with psycopg.connect(books.address) as connection:
            connection.execute("UPDATE schema_version SET version = %s", (version,))
        return
    connection_ = sqlite3.connect(books.address, isolation_level=None)
    connection_.execute(f"PRAGMA user_version = {version}")
    connection_.close()


def test_a_fact_comes_back_as_it_was_written(books: Books) -> None:
    """Every field, whatever letters it has; an id or a place that is taken is refused and nothing is written."""
    journal = open_journal(books.address)
    fact = recorded(DRAFT, GENESIS, "me", 7)
    journal.append([fact])
    assert list(journal.read("pool:p")) == [fact]
    assert journal.with_ids(["a", "b"]) == {"a": fact}
    other = recorded(Draft(**{**_fields(), "id": "b"}), GENESIS, "me", 7)
    third = recorded(Draft(**{**_fields(), "chain": "pool:q", "id": "c"}), GENESIS, "me", 7)
    for batch in ([other], [third, other], [fact]):
        with pytest.raises(Taken):
            journal.append(batch)
    assert set(journal.chains()) == {"pool:p"}


def _fields() -> dict[str, Any]:
    return {name: getattr(DRAFT, name) for name in Draft.__struct_fields__}


def test_what_fails_inside_a_transaction_leaves_nothing(books: Books) -> None:
    """Appends within an exclusive block are written at its end or never."""
    journal = open_journal(books.address)
    with pytest.raises(ZeroDivisionError):
        _append_and_fail(journal)
    assert journal.head("pool:p") == GENESIS
    with journal.exclusive(["pool:p"]):
        journal.append([recorded(DRAFT, GENESIS, "me", 7)])
    assert open_journal(books.address).head("pool:p").seq == 1


def _append_and_fail(journal: Journal) -> None:
    with journal.exclusive(["pool:p"]):
        journal.append([recorded(DRAFT, GENESIS, "me", 7)])
        raise ZeroDivisionError


def test_books_of_the_first_version_are_brought_up_to_date_with_their_data(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer of today opens books made before snapshots existed, and goes on where they end."""
    with monkeypatch.context() as old:
        for module in (migrations, *_users()):
            old.setattr(module, "VERSION", 1)
        old.setattr(migrations, "STEPS", migrations.STEPS[:1])
        before = open_journal(books.address)
        window = {"from_at": START, "until_at": START + DAY}
        fields = {"chain": f"pool:{POOL}", "happened_at": START, **window}
        got = Draft(id="d", kind="delivered", subject="l", accelerators=100, **fields)
        held = Draft(id="a", kind="hold_placed", subject="j", accelerators=60, headroom=40, **fields)
        first = recorded(got, GENESIS, "me", START)
        before.append([first, recorded(held, head_of(first), "me", START)])
        before.close()
    after = books.ledger()
    (answer,) = place_holds(after, [asks("b", 60, START, START + DAY)])
    assert answer.largest == 40
    assert verify(after).flaws == ()
    after.journal.keep_snapshot(f"pool:{POOL}", after.pool(POOL).snapshot())


def _users() -> list[Any]:
    from acreage.ledger.journals import postgresql, sqlite

    return [postgresql, sqlite]


def test_books_of_a_newer_version_are_left_alone(books: Books) -> None:
    """The error names both versions; opening does not change the books."""
    delivered(books.ledger())
    set_version(books, 99)
    with pytest.raises(InputError, match=r"version 99.*up to"):
        open_journal(books.address)
    set_version(books, migrations.VERSION)
    assert verify(books.ledger()).flaws == ()


def test_a_snapshot_of_another_format_is_not_read(ledger: Ledger) -> None:
    """Snapshots may be thrown away; facts decide."""
    delivered(ledger)
    chain = "pool:basalt/us-east/h100"
    kept = ledger.pool(asks("x", 1, 0, 1).pool).snapshot()
    ledger.journal.keep_snapshot(chain, kept)
    assert ledger.journal.snapshot(chain, kept.format) == kept
    assert ledger.journal.snapshot(chain, "pool-0") is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("name: not a database\n" * 100), "no database of Acreage"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE t (a)"), "something else"),
        (lambda path: path.mkdir(), "cannot open"),
    ],
)
def test_a_file_that_is_no_books_is_one_clear_error(tmp_path: Path, make: Any, words: str) -> None:
    """The error names the file and what would be right."""
    path = tmp_path / "books.db"
    make(path)
    with pytest.raises(InputError, match=words) as error:
        open_journal(str(path))
    assert str(path) in str(error.value)


def test_a_place_without_a_folder_and_an_unknown_store_say_so(tmp_path: Path) -> None:
    """Nothing is made on the way."""
    with pytest.raises(InputError, match="cannot open"):
        open_journal(str(tmp_path / "no" / "books.db"))
    with pytest.raises(InputError, match="no store is called"):
        open_journal("oracle://here")
    with pytest.raises(InputError, match="no address"):
        open_journal("postgresql://host/books?nonsense=1")


@pytest.mark.parametrize(
    ("pragma", "words"),
    [("PRAGMA query_only = ON", "cannot be written"), ("PRAGMA max_page_count = 1", "disk is full")],
)
def test_a_full_disk_and_a_read_only_file_leave_the_books_as_they_were(tmp_path: Path, pragma: str, words: str) -> None:
    """One clear error with the file's name; nothing is written, and the books go on once there is room."""
    books = Books(address=str(tmp_path / "books.db"))
    ledger = books.ledger()
    delivered(ledger)
    facts = verify(ledger).facts
    assert isinstance(ledger.journal, SqliteJournal)
    connection = ledger.journal._db
    connection.execute(pragma)
    batch = [asks(f"h{i}", 1, START, START + DAY, holder="x" * 500) for i in range(40)]
    with pytest.raises(InputError, match=words):
        place_holds(ledger, batch)
    connection.execute("PRAGMA query_only = OFF")
    connection.execute("PRAGMA max_page_count = 1000000")
    assert verify(books.ledger()).facts == facts
    assert {answer.state.value for answer in place_holds(ledger, batch)} == {"posted"}
    books.close()


def test_postgresql_without_its_client_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("acreage.ledger.journals.registry.importlib.import_module", missing)
    with pytest.raises(InputError, match=r"acreage\[postgresql\]"):
        open_journal("postgresql://localhost/books")
