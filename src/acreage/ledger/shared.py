"""One ledger for many threads: holds that are asked for while others are being written are written with the next.

A service that many people ask at once gets more out of one writer whose transactions carry many holds than
out of many writers who keep reading what the others wrote.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from acreage.domain.hold import HoldAnswer, HoldRequest
from acreage.ledger.holds import place_holds
from acreage.ledger.ledger import Ledger


def _taken() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Asked:
    """What one thread wants, what came of it, and the lock on which it waits for that or for its turn to write."""

    requests: Sequence[HoldRequest]
    together: bool
    turn: Lock = field(default_factory=_taken)
    answers: tuple[HoldAnswer, ...] | None = None
    error: Exception | None = None

    @property
    def done(self) -> bool:
        """Whether it was answered, one way or the other."""
        return self.answers is not None or self.error is not None

    def answer(self, ledger: Ledger) -> None:
        """Ask for this alone."""
        try:
            self.answers = place_holds(ledger, self.requests, together=self.together)
        except Exception as error:
            self.error = error


@dataclass(eq=False, slots=True)
class SharedLedger:
    """Places holds for any number of threads through one ledger, which nobody else may use meanwhile."""

    ledger: Ledger
    _lock: Lock = field(default_factory=Lock)
    _queue: list[_Asked] = field(default_factory=list)
    _writing: bool = False

    def place_holds(self, requests: Sequence[HoldRequest], *, together: bool = False) -> tuple[HoldAnswer, ...]:
        """As `holds.place_holds`, safe to call from many threads; returns once the answers are durable."""
        asked = _Asked(requests, together)
        with self._lock:
            self._queue.append(asked)
            others = self._writing
            self._writing = True
        if others:
            asked.turn.acquire()
        if not asked.done:
            self._write(asked)
        if asked.error is not None:
            raise asked.error
        assert asked.answers is not None
        return asked.answers

    def _write(self, mine: _Asked) -> None:
        """Answer everybody who is waiting, then leave the writing to whoever came meanwhile."""
        with self._lock:
            queue, self._queue = self._queue, []
        try:
            self._answer_as_one([asked for asked in queue if not asked.together])
            for asked in queue:
                if not asked.done:
                    asked.answer(self.ledger)
        finally:
            # An interrupt reaches this thread alone: what the others asked for goes back into the queue.
            with self._lock:
                self._queue[:0] = [asked for asked in queue if not asked.done and asked is not mine]
                self._writing = bool(self._queue)
                following = self._queue[:1]
            for asked in queue:
                if asked.done and asked is not mine:
                    asked.turn.release()
            for asked in following:
                asked.turn.release()

    def _answer_as_one(self, queue: Sequence[_Asked]) -> None:
        """One transaction for all that may share it; what raises is asked again alone: each gets its own error."""
        with suppress(Exception):
            answers = iter(place_holds(self.ledger, [request for asked in queue for request in asked.requests]))
            for asked in queue:
                asked.answers = tuple(next(answers) for _ in asked.requests)
