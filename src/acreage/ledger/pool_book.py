"""What a pool's chain adds up to: its free capacity, its pending holds, and the place the next fact takes.

A book is a replica: whoever writes keeps one in memory, and catches up by reading what others appended.
It can be kept as a snapshot and thrown away at any time.
"""

from collections.abc import Iterator
from itertools import chain, islice

import msgspec
import numpy as np

from acreage.ledger.facts import CAPACITY_SIGN, GENESIS, Fact, FactKind, Head, head_of, window_of
from acreage.ledger.grid import CapacityGrid
from acreage.ledger.journal import Snapshot

FORMAT = "pool-2"
"""Changes whenever what a snapshot holds or means changes: then old ones are read no more."""

BULK = 2_000
"""From this many facts on, they are added to the grid together instead of one by one."""

_PIECE = 100_000
_SETTLED = (FactKind.HOLD_POSTED, FactKind.HOLD_VOIDED, FactKind.HOLD_EXPIRED)
_DELIVERIES = (FactKind.DELIVERED, FactKind.DELIVERY_RETRACTED)


class Pending(msgspec.Struct, frozen=True):
    """A hold that waits to be posted: it lapses at `expires_at`."""

    accelerators: int
    from_at: int
    until_at: int
    expires_at: int


class _Changes(msgspec.Struct):
    """Instants as seconds since the one before (unsigned 32 bits), and what changes at each (32 bits)."""

    gaps: bytes
    deltas: bytes

    @classmethod
    def of(cls, grid: CapacityGrid) -> "_Changes":
        times, deltas = grid.changes()
        return cls(np.diff(times, prepend=0).astype(np.uint32).tobytes(), deltas.astype(np.int32).tobytes())

    def grid(self) -> CapacityGrid:
        times = np.cumsum(np.frombuffer(self.gaps, dtype=np.uint32), dtype=np.int64)
        return CapacityGrid.of_changes(times, np.frombuffer(self.deltas, dtype=np.int32).astype(np.int64))


class _Kept(msgspec.Struct):
    free: _Changes
    delivered: _Changes
    pending: dict[str, Pending]


class PoolBook:
    """The state of one pool after the facts up to `head`; `free` is delivered less held."""

    def __init__(self) -> None:
        self.head: Head = GENESIS
        self.kept_seq = 0
        self.free = CapacityGrid()
        self.delivered = CapacityGrid()
        self.pending: dict[str, Pending] = {}

    def apply(self, fact: Fact) -> None:
        """Take in the next fact of the chain."""
        self.change(fact, 1)
        self.advance(fact)

    def change(self, fact: Fact, times: int) -> None:
        """Add (1) or take back (-1) what a fact does to the capacity, and nothing else."""
        sign = CAPACITY_SIGN.get(fact.kind)  # type: ignore[call-overload]
        if sign is None:
            return
        accelerators, from_at, until_at = window_of(fact)
        self.free.add(times * sign * accelerators, from_at, until_at)
        if fact.kind in _DELIVERIES:
            self.delivered.add(times * accelerators, from_at, until_at)

    def advance(self, fact: Fact) -> None:
        """Take in a fact whose capacity has been added by `change` already."""
        if fact.kind == FactKind.HOLD_PLACED:
            if fact.expires_at is not None:
                self.pending[fact.id] = Pending(*window_of(fact), fact.expires_at)
        elif fact.kind in _SETTLED:
            self.pending.pop(fact.subject, None)
        self.head = head_of(fact)

    def catch_up(self, facts: Iterator[Fact]) -> None:
        """Take in what others appended, however much it is."""
        for first in facts:
            piece = [first, *islice(facts, _PIECE - 1)]
            if len(piece) < BULK:
                for fact in piece:
                    self.apply(fact)
            else:
                self._apply_together(piece)

    def overdue(self, now: int) -> list[str]:
        """Pending holds whose time is over, the first to lapse first."""
        late = [(hold.expires_at, id_) for id_, hold in self.pending.items() if hold.expires_at <= now]
        return [id_ for _, id_ in sorted(late)]

    def snapshot(self) -> Snapshot:
        """The book as bytes; reading it back gives an equal one."""
        kept = _Kept(_Changes.of(self.free), _Changes.of(self.delivered), self.pending)
        return Snapshot(head=self.head, format=FORMAT, data=msgspec.msgpack.encode(kept))

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> "PoolBook":
        """The book a snapshot was made of."""
        kept = msgspec.msgpack.decode(snapshot.data, type=_Kept)
        book = cls()
        book.head, book.kept_seq, book.pending = snapshot.head, snapshot.head.seq, dict(kept.pending)
        book.free, book.delivered = kept.free.grid(), kept.delivered.grid()
        return book

    def _apply_together(self, facts: list[Fact]) -> None:
        free = [f for f in facts if f.kind in CAPACITY_SIGN]
        self.free.add_many(*_windows(free, [CAPACITY_SIGN[FactKind(f.kind)] for f in free]))
        delivered = [f for f in free if f.kind in _DELIVERIES]
        self.delivered.add_many(*_windows(delivered, [1] * len(delivered)))
        for fact in facts:
            self.advance(fact)


def _windows(facts: list[Fact], signs: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    flat = chain.from_iterable((f.accelerators, f.from_at, f.until_at) for f in facts)
    table = np.array(list(flat), dtype=np.int64).reshape(-1, 3)
    return table[:, 0] * np.array(signs, dtype=np.int64), table[:, 1], table[:, 2]
