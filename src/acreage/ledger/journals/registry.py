"""Which store an address means: a file is SQLite, postgresql:// is PostgreSQL."""

import importlib
from pathlib import Path

from acreage.ledger.journal import Journal
from acreage.ledger.journals.sqlite import SqliteJournal
from acreage.units.errors import InputError

_POSTGRESQL = ("postgresql://", "postgres://")


def open_journal(address: str) -> Journal:
    """Open books by address; a SQLite file is made if there is none.

    Raises `InputError` for what cannot be opened, and where the PostgreSQL client is not installed.
    """
    if address.startswith(_POSTGRESQL):
        return _postgresql(address)
    if "://" in address:
        raise InputError(f"no store is called {address.split('://')[0]!r}", fix="name a file or postgresql://...")
    return SqliteJournal(Path(address))


def _postgresql(address: str) -> Journal:
    try:
        module = importlib.import_module("acreage.ledger.journals.postgresql")
    except ImportError:
        raise InputError(
            "the PostgreSQL client is not installed", fix="run pip install 'acreage[postgresql]'"
        ) from None
    journal: Journal = module.PostgresqlJournal(address)
    return journal
