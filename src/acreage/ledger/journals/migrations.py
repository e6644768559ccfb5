"""The schema of the books, as the steps that lead to it; a step is never changed once it has been released.

Both engines take the same statements but for the words in `Dialect`.
"""

from dataclasses import dataclass

from acreage.units.errors import InputError, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What the engines call things: column types, the end of a table and the trigger that forbids changes."""

    integer: str
    bytes: str
    table_end: str
    facts_end: str
    forbid_changes: tuple[str, ...]


SQLITE = Dialect(
    integer="INTEGER",
    bytes="BLOB",
    table_end="STRICT",
    facts_end="STRICT, WITHOUT ROWID",
    forbid_changes=tuple(
        f"CREATE TRIGGER fact_no_{verb.lower()} BEFORE {verb} ON fact BEGIN "
        "SELECT RAISE(ABORT, 'facts are appended, never changed'); END"
        for verb in ("UPDATE", "DELETE")
    ),
)
POSTGRESQL = Dialect(
    integer="BIGINT",
    bytes="BYTEA",
    table_end="",
    facts_end="",
    forbid_changes=(
        "CREATE FUNCTION fact_forbid_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'facts are appended, never changed'; END $$",
        "CREATE TRIGGER fact_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON fact "
        "FOR EACH STATEMENT EXECUTE FUNCTION fact_forbid_change()",
    ),
)


def _first(d: Dialect) -> tuple[str, ...]:
    """Chains and their facts."""
    return (
        f"CREATE TABLE chain (id {d.integer} PRIMARY KEY, name TEXT NOT NULL UNIQUE) {d.table_end}",
        f"""CREATE TABLE fact (
            chain {d.integer} NOT NULL REFERENCES chain (id),
            seq {d.integer} NOT NULL CHECK (seq > 0),
            id TEXT NOT NULL UNIQUE CHECK (id <> ''),
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            actor TEXT NOT NULL,
            happened_at {d.integer} NOT NULL,
            recorded_at {d.integer} NOT NULL,
            corrects TEXT NOT NULL,
            from_at {d.integer},
            until_at {d.integer},
            accelerators {d.integer},
            accelerator_seconds {d.integer},
            micro_usd {d.integer},
            headroom {d.integer},
            expires_at {d.integer},
            body TEXT NOT NULL,
            prev_hash {d.bytes} NOT NULL CHECK (length(prev_hash) = 32),
            hash {d.bytes} NOT NULL CHECK (length(hash) = 32),
            PRIMARY KEY (chain, seq),
            CHECK (until_at IS NULL OR from_at IS NULL OR from_at < until_at),
            CHECK (kind <> 'hold_placed' OR (accelerators > 0 AND headroom >= 0
                AND from_at IS NOT NULL AND until_at IS NOT NULL))
        ) {d.facts_end}""",
        *d.forbid_changes,
    )


def _second(d: Dialect) -> tuple[str, ...]:
    """Snapshots, and the way from a hold to what was recorded about it later."""
    return (
        f"""CREATE TABLE snapshot (
            chain {d.integer} PRIMARY KEY REFERENCES chain (id),
            seq {d.integer} NOT NULL,
            hash {d.bytes} NOT NULL,
            recorded_at {d.integer} NOT NULL,
            format TEXT NOT NULL,
            data {d.bytes} NOT NULL
        ) {d.table_end}""",
        "CREATE INDEX fact_follow_up ON fact (subject) WHERE kind IN "
        "('hold_posted', 'hold_voided', 'hold_expired', 'hold_released', 'hold_breached')",
    )


def _third(d: Dialect) -> tuple[str, ...]:
    """The same way, told apart from placed holds by one comparison: they are by far the most."""
    return (
        "DROP INDEX fact_follow_up",
        "CREATE INDEX fact_follow_up ON fact (subject) WHERE kind <> 'hold_placed' AND kind IN "
        "('hold_posted', 'hold_voided', 'hold_expired', 'hold_released', 'hold_breached')",
    )


STEPS = (_first, _second, _third)
VERSION = len(STEPS)
"""The version of the schema this code reads and writes."""


def statements(dialect: Dialect, from_version: int) -> tuple[str, ...]:
    """What leads from a version to the present one."""
    return tuple(statement for step in STEPS[from_version:] for statement in step(dialect))


def check_version(version: int, where: str) -> None:
    """Refuse books of a newer version; raises `InputError`."""
    if version > VERSION:
        raise InputError(
            f"these books have schema version {version}, this Acreage knows versions up to {VERSION}",
            fix="use a newer Acreage; nothing was changed",
            place=Place(file=where),
        )
