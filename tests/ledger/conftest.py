"""Books to test on: a SQLite file, and a real PostgreSQL server that the tests start themselves."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from acreage.ledger.journals.registry import open_journal
from acreage.ledger.ledger import Ledger
from acreage.units.instants import Instant, instant
from benchmarks.ledger.server import PostgresqlServer

NOW = instant("2027-01-01")
ENGINES = ("sqlite", "postgresql")


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: Instant = NOW

    def __call__(self) -> Instant:
        return self.now


@dataclass
class Books:
    """A place where books are kept, and ledgers on it."""

    address: str
    clock: Clock = field(default_factory=Clock)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _open: list[Ledger] = field(default_factory=list)

    def ledger(self, actor: str = "planner") -> Ledger:
        """Another writer on the same books."""
        opened = Ledger(journal=open_journal(self.address), actor=actor, clock=self.clock, new_id=self.new_id)
        self._open.append(opened)
        return opened

    def new_id(self) -> str:
        """An id that nobody has used on these books."""
        return f"id-{next(self._ids):06d}-{secrets.token_hex(4)}"

    def close(self) -> None:
        """Close every ledger that was opened."""
        for opened in self._open:
            opened.close()


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server of this test process's own."""
    with PostgresqlServer() as started:
        yield started


@pytest.fixture(params=ENGINES)
def new_books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Books]]:
    """Makes empty books, on each engine in turn."""
    made: list[Books] = []

    def make() -> Books:
        if request.param == "sqlite":
            address = str(tmp_path / f"books-{len(made)}.db")
        else:
            address = request.getfixturevalue("server").new_schema()
        made.append(Books(address=address))
        return made[-1]

    yield make
    for books in made:
        books.close()


@pytest.fixture
def books(new_books: Callable[[], Books]) -> Books:
    """Empty books, on each engine in turn."""
    return new_books()


@pytest.fixture
def ledger(books: Books) -> Ledger:
    """A writer on empty books, on each engine in turn."""
    return books.ledger()
