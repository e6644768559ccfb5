"""The embedded store: one SQLite file in WAL mode, every commit synchronous to disk."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from msgspec.structs import astuple

from acreage.ledger.facts import FOLLOW_UPS, GENESIS, Fact, FactKind, Head
from acreage.ledger.journal import COLUMNS, Snapshot, Taken
from acreage.ledger.journals import frames
from acreage.ledger.journals.migrations import SQLITE, VERSION, check_version, statements
from acreage.units.errors import InputError, Permanent, Place, Transient

BUSY_S = 30.0
_APPLICATION_ID = 0x41435245
"""'ACRE': marks the file as books of Acreage."""

_PAGE = 8_192
"""Bytes a page: facts are a few hundred bytes, and batches fill whole pages."""

_CHECKPOINT_PAGES = 4_000
"""Pages of the log that are copied into the file at once, 32 MB: a page that was written often is copied once."""

_IN_ROW = ", ".join(COLUMNS[1:])
_INSERT = f"INSERT INTO fact VALUES ({', '.join('?' * len(COLUMNS))})"
_OF_CHAIN = f"SELECT {_IN_ROW} FROM fact WHERE chain = ? AND seq > ? AND seq <= ? ORDER BY seq"
_HEAD = "SELECT seq, hash, recorded_at FROM fact WHERE chain = ? ORDER BY seq DESC LIMIT 1"
_FOLLOWS = f"kind <> '{FactKind.HOLD_PLACED}' AND kind IN ({', '.join(repr(kind.value) for kind in FOLLOW_UPS)})"
"""As the index on follow-ups has it, word for word."""

_SEQ_MAX = 2**62
_IDS_AT_ONCE = 500


class SqliteJournal:
    """See `Journal`; a file that does not exist yet is made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._transaction = 0
        with self._clear_errors():
            self._db = sqlite3.connect(
                path, timeout=BUSY_S, isolation_level=None, cached_statements=64, check_same_thread=False
            )
            self._open()

    def _open(self) -> None:
        db = self._db
        db.execute(f"PRAGMA page_size = {_PAGE}")
        if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] not in ("wal", "memory"):
            raise self._wrong("the books cannot be written", "make the file and its folder writable, on a local disk")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA cache_size = -65536")
        db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        application = db.execute("PRAGMA application_id").fetchone()[0]
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and application != _APPLICATION_ID:
            raise self._wrong("this is a database of something else", "name a file that Acreage made, or a new one")
        self._migrate()

    def _migrate(self) -> None:
        db = self._db
        version = db.execute("PRAGMA user_version").fetchone()[0]
        check_version(version, str(self._path))
        if version == VERSION:
            return
        db.execute("BEGIN IMMEDIATE")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for statement in statements(SQLITE, version):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")

    def append(self, facts: Sequence[Fact]) -> None:
        """Write all facts durably or none."""
        with self._clear_errors():
            if len(facts) == 1:
                self._db.execute(_INSERT, self._row(facts[0]))
                return
            rows = [self._row(fact) for fact in facts]
            if self._transaction:
                self._db.executemany(_INSERT, rows)
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(_INSERT, rows)
                self._db.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    @contextmanager
    def exclusive(self, chains: Iterable[str]) -> Iterator[None]:
        """SQLite has one writer at a time: the whole file is locked."""
        with self._clear_errors():
            for chain in chains:
                self._chain_id(chain)
            self._db.execute("BEGIN IMMEDIATE")
        self._transaction += 1
        try:
            yield
            with self._clear_errors():
                self._db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._transaction -= 1

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def head(self, chain: str) -> Head:
        """The newest place of a chain."""
        with self._clear_errors():
            row = self._db.execute(_HEAD, (self._known_id(chain),)).fetchone()
        return Head(*row) if row else GENESIS

    def chains(self, prefix: str = "") -> dict[str, Head]:
        """Chains and their heads by name."""
        with self._clear_errors():
            rows = self._db.execute("SELECT name FROM chain ORDER BY name").fetchall()
        heads = {name: self.head(name) for (name,) in rows if name.startswith(prefix)}
        return {name: head for name, head in heads.items() if head.seq}

    def read(self, chain: str, after_seq: int = 0, until_seq: int | None = None) -> Iterator[Fact]:
        """The facts of a chain in order."""
        last = _SEQ_MAX if until_seq is None else until_seq
        with self._clear_errors():
            cursor = self._db.execute(_OF_CHAIN, (self._known_id(chain), after_seq, last))
            while rows := cursor.fetchmany(5000):
                for row in rows:
                    yield Fact(chain, *row)

    def with_ids(self, ids: Sequence[str]) -> dict[str, Fact]:
        """Facts by id."""
        found = {}
        for piece in _pieces(ids):
            marks = ", ".join("?" * len(piece))
            for fact in self._facts(f"SELECT * FROM fact WHERE id IN ({marks})", piece):
                found[fact.id] = fact
        return found

    def follow_ups(self, hold_ids: Sequence[str]) -> list[Fact]:
        """What was recorded about holds."""
        found = []
        for piece in _pieces(hold_ids):
            marks = ", ".join("?" * len(piece))
            found += self._facts(f"SELECT * FROM fact WHERE subject IN ({marks}) AND {_FOLLOWS}", piece)
        return sorted(found, key=lambda fact: (fact.chain, fact.seq))

    def columns(
        self, columns: Sequence[str], chains: Iterable[str], *, kinds: Sequence[str] = (), after_seq: int = 0
    ) -> Iterator[pl.DataFrame]:
        """Columns of many facts, in pieces."""
        with self._clear_errors():
            for chain in chains:
                text = f"SELECT {', '.join(columns)} FROM fact WHERE chain = ? AND seq > ?"
                if kinds:
                    text += f" AND kind IN ({', '.join('?' * len(kinds))})"
                cursor = self._db.execute(f"{text} ORDER BY seq", (self._known_id(chain), after_seq, *kinds))
                while rows := cursor.fetchmany(frames.ROWS):
                    yield frames.of_rows(columns, rows, chain)

    def snapshot(self, chain: str, format_: str) -> Snapshot | None:
        """The kept snapshot of a chain."""
        with self._clear_errors():
            row = self._db.execute(
                "SELECT seq, hash, recorded_at, data FROM snapshot WHERE chain = ? AND format = ?",
                (self._known_id(chain), format_),
            ).fetchone()
        return Snapshot(head=Head(*row[:3]), format=format_, data=row[3]) if row else None

    def keep_snapshot(self, chain: str, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        head = snapshot.head
        with self._clear_errors():
            self._db.execute(
                "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?, ?)",
                (self._chain_id(chain), head.seq, head.hash, head.recorded_at, snapshot.format, snapshot.data),
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _facts(self, text: str, values: Sequence[str]) -> list[Fact]:
        with self._clear_errors():
            return [Fact(self._name(row[0]), *row[1:]) for row in self._db.execute(text, values)]

    def _row(self, fact: Fact) -> tuple[object, ...]:
        number = self._ids.get(fact.chain) or self._chain_id(fact.chain)
        return (number, *astuple(fact)[1:])

    def _chain_id(self, name: str) -> int:
        """The number of a chain, which is given one if it has none."""
        found = self._known_id(name)
        if found:
            return found
        self._db.execute("INSERT OR IGNORE INTO chain (name) VALUES (?)", (name,))
        return self._known_id(name)

    def _known_id(self, name: str) -> int:
        """The number of a chain, 0 if it has none."""
        found = self._ids.get(name)
        if found is None:
            row = self._db.execute("SELECT id FROM chain WHERE name = ?", (name,)).fetchone()
            if row is None:
                return 0
            found = int(row[0])
            if not self._transaction:
                self._ids[name], self._names[found] = found, name
        return found

    def _name(self, chain_id: int) -> str:
        name = self._names.get(chain_id)
        if name is None:
            name = str(self._db.execute("SELECT name FROM chain WHERE id = ?", (chain_id,)).fetchone()[0])
            self._names[chain_id] = name
        return name

    def _wrong(self, what: str, fix: str) -> InputError:
        return InputError(what, fix=fix, place=Place(file=str(self._path)))

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Turn what SQLite says into what the user can do."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE):
                raise Taken(by_id=error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_UNIQUE) from None
            raise
        except sqlite3.OperationalError as error:
            raise self._explained(error) from error
        except sqlite3.DatabaseError as error:
            raise self._wrong(f"this is no database of Acreage: {error}", "name a file that Acreage made") from error

    def _explained(self, error: sqlite3.OperationalError) -> Exception:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Transient(f"{self._path} has been locked by somebody else for {BUSY_S:.0f} s", retry_after_s=1.0)
        if code == sqlite3.SQLITE_FULL:
            return self._wrong("the disk is full; nothing was written", "free some space and repeat")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            return self._wrong("the books cannot be written", "make the file and its folder writable")
        if code == sqlite3.SQLITE_CANTOPEN:
            return self._wrong("cannot open the books", "name a file in a folder that exists and can be written")
        return Permanent(f"{self._path}: {error}")


def _pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[i : i + _IDS_AT_ONCE] for i in range(0, len(ids), _IDS_AT_ONCE))
