"""The crew of this process: threads. Solvers and compiled loops release the interpreter lock, so all cores work."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from acreage.crew.crew import Item, Kept, Result, T, Tell


def cores() -> int:
    """How many threads may be kept busy in this process: one a core, or fewer where OMP_NUM_THREADS says so.

    Ray sets that in its workers, each of which has a share of its machine.
    """
    most = os.environ.get("OMP_NUM_THREADS", "")
    every = os.cpu_count() or 1
    return max(1, min(every, int(most))) if most.isdecimal() else every


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCrew:
    """As many threads as may be kept busy, unless told otherwise, for as long as something is mapped."""

    workers: int = field(default_factory=cores)

    def keep(self, thing: T) -> Kept[T]:
        """Everybody sees the same memory."""
        return Kept(thing)

    def map(
        self, work: Callable[[T, Item], Result], kept: Kept[T], items: Sequence[Item], *, tell: Tell | None = None
    ) -> Iterator[Result]:
        """See `Crew`. Left early, it waits for what is under way and not for all the rest."""
        pool = ThreadPoolExecutor(max_workers=self.workers)
        try:
            for done, result in enumerate(pool.map(lambda item: work(kept.thing, item), items), start=1):
                if tell is not None:
                    tell(done, len(items))
                yield result
        finally:
            pool.shutdown(cancel_futures=True)

    def close(self) -> None:
        """Nobody is kept waiting."""


HERE = LocalCrew()
"""The crew of whoever names none."""
