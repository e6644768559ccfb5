"""What the ledger asks of a store: chains of facts that only grow, locks, and snapshots that may be lost.

The unique place (chain, seq) of a fact is what keeps concurrent writers apart, in every engine and at
every isolation level: who decided on an old state finds the next place taken, looks again and repeats.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from acreage.ledger.facts import Fact, Head


class Taken(Exception):
    """The next place of a chain, or with `by_id` the id of a fact, is taken already: nothing was written."""

    def __init__(self, *, by_id: bool) -> None:
        self.by_id = by_id
        super().__init__("its id is taken" if by_id else "its place is taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """State derived from a chain up to `head`; `format` names the code that understands `data`."""

    head: Head
    format: str
    data: bytes


class Journal(Protocol):
    """A store of facts. One journal serves one thread at a time; any number of processes may share the store."""

    def append(self, facts: Sequence[Fact]) -> None:
        """Write all facts durably or none; raises `Taken`, `Transient`, `Permanent` or `InputError`."""

    def exclusive(self, chains: Iterable[str]) -> AbstractContextManager[None]:
        """A transaction that holds the chains for itself: what is appended inside is written at its end, or never."""

    def head(self, chain: str) -> Head:
        """The newest place of a chain, `GENESIS` where it is empty."""

    def chains(self, prefix: str = "") -> dict[str, Head]:
        """The chains whose names begin with `prefix` and their heads, by name."""

    def read(self, chain: str, after_seq: int = 0, until_seq: int | None = None) -> Iterator[Fact]:
        """The facts of a chain in order, those after `after_seq` up to and with `until_seq`."""

    def with_ids(self, ids: Sequence[str]) -> dict[str, Fact]:
        """The facts that have one of these ids, by id."""

    def follow_ups(self, hold_ids: Sequence[str]) -> list[Fact]:
        """What was recorded about these holds after they were placed, in order."""

    def columns(
        self, columns: Sequence[str], chains: Iterable[str], *, kinds: Sequence[str] = (), after_seq: int = 0
    ) -> Iterator[pl.DataFrame]:
        """These columns of the facts of chains after `after_seq` and of these kinds (none: all), in large pieces."""

    def snapshot(self, chain: str, format_: str) -> Snapshot | None:
        """The kept snapshot of a chain, if there is one of this format."""

    def keep_snapshot(self, chain: str, snapshot: Snapshot) -> None:
        """Keep a snapshot in place of an older one."""

    def close(self) -> None:
        """Let go of the store."""


COLUMNS = (
    "chain",
    "seq",
    "id",
    "kind",
    "subject",
    "actor",
    "happened_at",
    "recorded_at",
    "corrects",
    "from_at",
    "until_at",
    "accelerators",
    "accelerator_seconds",
    "micro_usd",
    "headroom",
    "expires_at",
    "body",
    "prev_hash",
    "hash",
)
"""The columns of a fact, in the order of `Fact`."""
