"""The books as one writer sees them: a journal, a clock, a name, and replicas of the pools it touches.

`record` is the one way a fact is written: decide on the state at hand, append, and if somebody else was
faster look again under a lock and repeat. Decisions are pure functions of the books and may run twice.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from acreage.ledger.facts import POOL, Draft, Fact, Head, head_of, pool_chain, recorded
from acreage.ledger.journal import Journal, Taken
from acreage.ledger.pool_book import FORMAT, PoolBook
from acreage.units.errors import InputError, Transient
from acreage.units.ids import PoolId
from acreage.units.instants import Instant

ATTEMPTS_MAX = 100
TRANSIENT_MAX = 3
UNLOCKED_MAX = 2
"""A decision that was overtaken this often is made under a lock."""

RIVALS = 3
"""After meeting this many rivals on a chain, a writer locks it before it looks."""

SNAPSHOT_AFTER = 20_000
"""A pool's snapshot is renewed after this many facts, and no sooner than after 10 % of its chain."""

SNAPSHOT_SHARE = 10

SNAPSHOT_IF_READ = 2_000
"""A process that had to read more facts than this to know a pool spares the next one the same."""

Answer = TypeVar("Answer")


@dataclass
class Draw:
    """What a decision writes, chain by chain, while it is being made.

    `repeated` tells that an id was taken, or that it is not known what became of an earlier try: then ids
    must be looked up before they are used.
    """

    ledger: "Ledger"
    now: Instant
    repeated: bool
    facts: list[Fact] = field(default_factory=list)
    _last: dict[str, Fact] = field(default_factory=dict)

    def add(self, draft: Draft) -> Fact:
        """Record a draft as the next fact of its chain, and change the pool's book at once."""
        last = self._last.get(draft.chain)
        head = head_of(last) if last is not None else self.ledger.head(draft.chain)
        fact = recorded(draft, head, self.ledger.actor, self.now)
        self.facts.append(fact)
        self._last[fact.chain] = fact
        book = self.ledger.books.get(draft.chain)
        if book is not None:
            book.change(fact, 1)
        return fact

    def take_back(self, count: int) -> None:
        """Forget all but the first `count` facts, as if they had never been decided on."""
        while len(self.facts) > count:
            fact = self.facts.pop()
            book = self.ledger.books.get(fact.chain)
            if book is not None:
                book.change(fact, -1)
        self._last = {fact.chain: fact for fact in self.facts}


class Rehearsed(Exception):
    """What a ledger that only rehearses would have written; nothing was."""

    def __init__(self, facts: tuple[Fact, ...]) -> None:
        self.facts = facts
        super().__init__(f"{len(facts)} facts")


@dataclass
class Ledger:
    """One writer's books. Not for use by several threads at once; each opens its own.

    `clock` gives the instant now, `new_id` an id that nobody has used. While it is `rehearsing`, every
    write is decided and checked as it would be and ends in `Rehearsed` instead of being appended.
    """

    journal: Journal
    actor: str
    clock: Callable[[], Instant]
    new_id: Callable[[], str]
    rehearsing: bool = False
    books: dict[str, PoolBook] = field(default_factory=dict)
    _shared: set[str] = field(default_factory=set)
    _rivals: dict[str, int] = field(default_factory=dict)

    def pool(self, pool: PoolId) -> PoolBook:
        """The book of a pool as this writer knows it; `refresh` brings it up to date."""
        chain = pool_chain(pool)
        if chain not in self.books:
            self.refresh([chain])
        return self.books[chain]

    def head(self, chain: str) -> Head:
        """Where the next fact of a chain goes."""
        book = self.books.get(chain)
        return book.head if book is not None else self.journal.head(chain)

    def refresh(self, chains: Iterable[str]) -> None:
        """Bring the books of pool chains up to date; other chains have none."""
        for chain in chains:
            if not chain.startswith(POOL):
                continue
            book = self.books.get(chain)
            if book is None:
                kept = self.journal.snapshot(chain, FORMAT)
                book = self.books[chain] = PoolBook.of_snapshot(kept) if kept else PoolBook()
                book.catch_up(self.journal.read(chain, book.head.seq))
                if book.head.seq - book.kept_seq > SNAPSHOT_IF_READ and not self.rehearsing:
                    # Whoever may only read must do without.
                    with suppress(InputError, Transient):
                        self._keep(chain, book)
                continue
            before = book.head.seq
            book.catch_up(self.journal.read(chain, before))
            if book.head.seq > before:
                self._shared.add(chain)

    def record(
        self, chains: Sequence[str], decide: Callable[[Draw], Answer], *, optimistic: bool = False
    ) -> tuple[Answer, tuple[Fact, ...]]:
        """Decide and write, all or nothing; returns the answer and what was written.

        `chains` are those that the decision reads or writes. An optimistic decision depends on
        nothing but the chains it writes to; it is first tried without a lock. Raises `Transient`
        where others keep coming first or the store is out of reach for a while.
        """
        chains = sorted(set(chains))
        locked = not optimistic or any(self._rivals.get(chain, 0) >= RIVALS for chain in chains)
        repeated = False
        for attempt in range(ATTEMPTS_MAX):
            try:
                done = self._try(chains, decide, locked=locked or attempt >= UNLOCKED_MAX, repeated=repeated)
            except Taken as taken:
                repeated |= taken.by_id
                self._shared.update(chains)
                self._meet_rivals(chains, 1)
            except Transient:
                repeated = True
                if attempt >= TRANSIENT_MAX:
                    raise
            else:
                self._meet_rivals(chains, 0 if attempt else -1)
                return done
        raise Transient("others keep writing to the same chains", retry_after_s=1.0)

    def _meet_rivals(self, chains: Sequence[str], change: int) -> None:
        for chain in chains:
            if change > 0 or chain in self._rivals:
                self._rivals[chain] = min(max(self._rivals.get(chain, 0) + change, 0), 2 * RIVALS)

    def _try(
        self, chains: Sequence[str], decide: Callable[[Draw], Answer], *, locked: bool, repeated: bool
    ) -> tuple[Answer, tuple[Fact, ...]]:
        draw = Draw(ledger=self, now=self.clock(), repeated=repeated)
        try:
            with self.journal.exclusive(chains) if locked else nullcontext():
                self.refresh(chain for chain in chains if locked or chain in self._shared or chain not in self.books)
                answer = decide(draw)
                if self.rehearsing:
                    raise Rehearsed(tuple(draw.facts))
                if draw.facts:
                    self.journal.append(draw.facts)
        except BaseException:
            draw.take_back(0)
            raise
        self._advance(draw.facts)
        return answer, tuple(draw.facts)

    def _advance(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            book = self.books.get(fact.chain)
            if book is not None:
                book.advance(fact)
        for chain in {fact.chain for fact in facts}:
            book = self.books.get(chain)
            if book is not None and book.head.seq - book.kept_seq > max(
                SNAPSHOT_AFTER, book.head.seq // SNAPSHOT_SHARE
            ):
                self._keep(chain, book)

    def _keep(self, chain: str, book: PoolBook) -> None:
        self.journal.keep_snapshot(chain, book.snapshot())
        book.kept_seq = book.head.seq

    def close(self) -> None:
        """Let go of the store."""
        self.journal.close()


def repeated_with_other_content(id_: str) -> InputError:
    """The error for an idempotency key that has been used for something else."""
    return InputError(
        f"the key {id_!r} has been used for something else", fix="repeat the first request exactly, or use a new key"
    )
