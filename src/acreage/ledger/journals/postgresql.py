"""The shared store: PostgreSQL 15 or newer, one connection a journal.

Chains are locked with transaction-level advisory locks, taken in sorted order; a lone append needs no
lock at all, because the unique place of a fact already decides between two writers. Statements that find
a few rows by key are planned each time: plans cached while the tables were empty would scan them later.
"""

import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl
import psycopg
from msgspec.structs import astuple
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row
from psycopg.types.numeric import Int8BinaryDumper

from acreage.ledger.facts import FOLLOW_UPS, GENESIS, Fact, FactKind, Head
from acreage.ledger.journal import COLUMNS, Snapshot, Taken
from acreage.ledger.journals import frames
from acreage.ledger.journals.migrations import POSTGRESQL, VERSION, check_version, statements
from acreage.units.errors import InputError, Permanent, Place, Transient

VERSION_MIN = 150_000
RETRY_AFTER_S = 0.5
_LOCK = 0x41435245 << 31
"""Advisory locks: this for a migration, this plus its number for a chain."""

_COPY_FROM = 20
"""From this many facts on, COPY is faster than INSERT."""

_COLUMNS = ", ".join(COLUMNS)
_IN_ROW = ", ".join(COLUMNS[1:])
_COPY = f"COPY fact ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
_TYPES = (
    *("int8", "int8", "text", "text", "text", "text", "int8", "int8", "text"),
    *("int8", "int8", "int8", "int8", "int8", "int8", "int8", "text", "bytea", "bytea"),
)
_INSERT = f"INSERT INTO fact VALUES ({', '.join(f'%b::{t}' for t in _TYPES)}) ON CONFLICT (chain, seq) DO NOTHING"
"""A place that is taken is no error, which would cost the connection its prepared statements; a taken id is one."""

_PLACE = "fact_pkey"
_OF_CHAIN = f"SELECT {_IN_ROW} FROM fact WHERE chain = %s AND seq > %s AND seq <= %s ORDER BY seq"
_FEW = 1_000
"""Facts that are read in one go; more come through a server-side cursor."""

_FIRST_OF_CHAIN = f"{_OF_CHAIN} LIMIT {_FEW}"
_HEAD = "SELECT seq, hash, recorded_at FROM fact WHERE chain = %s ORDER BY seq DESC LIMIT 1"
_FOLLOWS = f"kind <> '{FactKind.HOLD_PLACED}' AND kind IN ({', '.join(repr(kind.value) for kind in FOLLOW_UPS)})"
"""As the index on follow-ups has it, word for word."""

_SEQ_MAX = 2**62


class PostgresqlJournal:
    """See `Journal`; `url` is a libpq address such as postgresql://user@host/database."""

    def __init__(self, url: str) -> None:
        self._where = _without_password(url)
        self._names: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._transaction = 0
        with self._clear_errors():
            self._db = psycopg.connect(url, autocommit=True, row_factory=tuple_row, application_name="acreage")
            if self._db.info.server_version < VERSION_MIN:
                raise InputError(
                    f"the server has PostgreSQL {self._db.info.server_version // 10_000}",
                    fix="PostgreSQL 15 or newer is needed",
                    place=Place(file=self._where),
                )
            self._db.adapters.register_dumper(int, Int8BinaryDumper)
            self._db.execute("SET plan_cache_mode = force_custom_plan")
            self._migrate()

    def _migrate(self) -> None:
        if self._version() == VERSION:
            return
        check_version(self._version(), self._where)
        with self._db.transaction():
            self._db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            self._db.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
            version = self._version()
            check_version(version, self._where)
            for statement in statements(POSTGRESQL, version):
                self._db.execute(statement.encode())
            self._db.execute("DELETE FROM schema_version")
            self._db.execute("INSERT INTO schema_version VALUES (%s)", (VERSION,))

    def _version(self) -> int:
        if self._one("SELECT to_regclass('schema_version') IS NULL") == (True,):
            return 0
        found = self._one("SELECT max(version) FROM schema_version")
        return int(found[0]) if found and found[0] else 0

    def append(self, facts: Sequence[Fact]) -> None:
        """Write all facts durably or none: one statement, or part of the open transaction."""
        with self._clear_errors():
            if len(facts) < _COPY_FROM and (len(facts) == 1 or self._transaction):
                for fact in facts:
                    if not self._db.execute(_INSERT, self._row(fact), prepare=True).rowcount:
                        raise Taken(by_id=False)
                return
            rows = [self._row(fact) for fact in facts]
            with self._db.cursor() as cursor, cursor.copy(_COPY) as copy:
                copy.set_types(_TYPES)
                for row in rows:
                    copy.write_row(row)

    @contextmanager
    def exclusive(self, chains: Iterable[str]) -> Iterator[None]:
        """Lock chains against everybody who locks them, to the end of the transaction."""
        with self._clear_errors():
            numbers = sorted({self._chain_id(chain) for chain in chains})
            locks = "".join(f"; SELECT pg_advisory_xact_lock({_LOCK + number})" for number in numbers)
            self._db.execute(f"BEGIN{locks}".encode())
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
        if not self._db.closed and self._db.info.transaction_status != TransactionStatus.IDLE:
            self._db.execute("ROLLBACK")

    def head(self, chain: str) -> Head:
        """The newest place of a chain."""
        row = self._one(_HEAD, (self._known_id(chain),))
        return Head(*row) if row else GENESIS

    def chains(self, prefix: str = "") -> dict[str, Head]:
        """Chains and their heads by name."""
        text = """SELECT c.name, f.seq, f.hash, f.recorded_at FROM chain c, LATERAL (
            SELECT seq, hash, recorded_at FROM fact WHERE chain = c.id ORDER BY seq DESC LIMIT 1) f
            WHERE starts_with(c.name, %s) ORDER BY c.name COLLATE "C" """
        return {row[0]: Head(*row[1:]) for row in self._all(text, (prefix,))}

    def read(self, chain: str, after_seq: int = 0, until_seq: int | None = None) -> Iterator[Fact]:
        """The facts of a chain in order."""
        last = _SEQ_MAX if until_seq is None else until_seq
        values = (self._known_id(chain), after_seq, last)
        with self._clear_errors():
            rows = self._db.execute(_FIRST_OF_CHAIN, values, binary=True, prepare=True).fetchall()
        yield from (Fact(chain, *row) for row in rows)
        if len(rows) == _FEW:
            for piece in self._pieces(_OF_CHAIN, (values[0], rows[-1][0], last)):
                yield from (Fact(chain, *row) for row in piece)

    def with_ids(self, ids: Sequence[str]) -> dict[str, Fact]:
        """Facts by id."""
        found = self._facts(f"SELECT {_COLUMNS} FROM fact WHERE id = ANY(%s)", ids)
        return {fact.id: fact for fact in found}

    def follow_ups(self, hold_ids: Sequence[str]) -> list[Fact]:
        """What was recorded about holds."""
        return self._facts(
            f"SELECT {_COLUMNS} FROM fact WHERE subject = ANY(%s) AND {_FOLLOWS} ORDER BY chain, seq", hold_ids
        )

    def columns(
        self, columns: Sequence[str], chains: Iterable[str], *, kinds: Sequence[str] = (), after_seq: int = 0
    ) -> Iterator[pl.DataFrame]:
        """Columns of many facts, in pieces."""
        for chain in chains:
            text = f"SELECT {', '.join(columns)} FROM fact WHERE chain = %s AND seq > %s"
            values: tuple[Any, ...] = (self._known_id(chain), after_seq)
            if kinds:
                text, values = f"{text} AND kind = ANY(%s)", (*values, list(kinds))
            for rows in self._pieces(f"{text} ORDER BY seq", values):
                yield frames.of_rows(columns, rows, chain)

    def snapshot(self, chain: str, format_: str) -> Snapshot | None:
        """The kept snapshot of a chain."""
        row = self._one(
            "SELECT seq, hash, recorded_at, data FROM snapshot WHERE chain = %s AND format = %s",
            (self._known_id(chain), format_),
        )
        return Snapshot(head=Head(*row[:3]), format=format_, data=row[3]) if row else None

    def keep_snapshot(self, chain: str, snapshot: Snapshot) -> None:
        """Keep a snapshot."""
        head = snapshot.head
        with self._clear_errors():
            self._db.execute(
                "INSERT INTO snapshot VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (chain) DO UPDATE SET "
                "seq = excluded.seq, hash = excluded.hash, recorded_at = excluded.recorded_at, "
                "format = excluded.format, data = excluded.data",
                (self._chain_id(chain), head.seq, head.hash, head.recorded_at, snapshot.format, snapshot.data),
            )

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _one(self, text: str, values: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        with self._clear_errors():
            return self._db.execute(text.encode(), values, binary=True).fetchone()

    def _all(self, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._clear_errors():
            return self._db.execute(text.encode(), values, binary=True).fetchall()

    def _pieces(self, text: str, values: Sequence[Any]) -> Iterator[list[tuple[Any, ...]]]:
        """Rows through a server-side cursor, so that millions of them need no memory."""
        name = f"pieces_{uuid.uuid4().hex}"
        with self._clear_errors(), self._db.transaction(), self._db.cursor(name=name, binary=True) as cursor:
            cursor.execute(text.encode(), values)
            while rows := cursor.fetchmany(frames.ROWS):
                yield rows

    def _facts(self, text: str, ids: Sequence[str]) -> list[Fact]:
        return [Fact(self._name(row[0]), *row[1:]) for row in self._all(text, (list(ids),))]

    def _row(self, fact: Fact) -> tuple[object, ...]:
        number = self._ids.get(fact.chain) or self._chain_id(fact.chain)
        return (number, *astuple(fact)[1:])

    def _chain_id(self, name: str) -> int:
        """The number of a chain: where it has none, one is made from its name, or the next that is free."""
        found = self._known_id(name)
        number = zlib.crc32(name.encode()) >> 1 or 1
        while not found:
            self._all("INSERT INTO chain VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING id", (number, name))
            found = self._known_id(name)
            number = number % (2**31 - 1) + 1
        return found

    def _known_id(self, name: str) -> int:
        """The number of a chain, 0 if it has none."""
        found = self._ids.get(name)
        if found is None:
            row = self._one("SELECT id FROM chain WHERE name = %s", (name,))
            if row is None:
                return 0
            found = int(row[0])
            if not self._transaction:
                self._ids[name], self._names[found] = found, name
        return found

    def _name(self, chain_id: int) -> str:
        name = self._names.get(chain_id)
        if name is None:
            row = self._one("SELECT name FROM chain WHERE id = %s", (chain_id,))
            assert row is not None, chain_id
            name = self._names[chain_id] = str(row[0])
        return name

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Turn what PostgreSQL says into what the user can do; what may pass is `Transient`."""
        try:
            yield
        except errors.UniqueViolation as error:
            raise Taken(by_id=error.diag.constraint_name != _PLACE) from None
        except (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable) as error:
            raise Transient(f"{self._where}: {_line(error)}", retry_after_s=RETRY_AFTER_S) from error
        except (errors.DiskFull, errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege) as error:
            what = f"the books cannot be written: {_line(error)}"
            raise InputError(what, fix="nothing was written", place=Place(file=self._where)) from error
        except psycopg.OperationalError as error:
            raise Permanent(f"{self._where}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _without_password(url: str) -> str:
    """What errors call the store; raises `InputError` where the address is none."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise InputError(
            f"this is no address of a PostgreSQL server: {_line(error)}", fix="write postgresql://user@host/database"
        ) from None
    return f"postgresql://{parts.get('host', '')}/{parts.get('dbname', '')}"
