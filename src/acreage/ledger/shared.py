"""One ledger for many threads: holds that are asked for while others are being written are written with the next.

A service that many people ask at once gets more out of one writer whose transactions carry many holds than
out of many writers who keep reading what the others wrote.
"""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from acreage.domain.hold import HoldAnswer, HoldRequest
from acreage.ledger.holds import place_holds
from acreage.ledger.ledger import Ledger


@dataclass(eq=False, slots=True)
class _Asked:
    """What one thread wants, and what came of it."""

    requests: Sequence[HoldRequest]
    together: bool
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
    _writing: Lock = field(default_factory=Lock)
    _queue: deque[_Asked] = field(default_factory=deque)

    def place_holds(self, requests: Sequence[HoldRequest], *, together: bool = False) -> tuple[HoldAnswer, ...]:
        """As `holds.place_holds`, safe to call from many threads; returns once the answers are durable."""
        asked = _Asked(requests, together)
        self._queue.append(asked)
        # Whoever writes takes everything that is queued along, so that most who wait here find it done.
        with self._writing:
            if not asked.done:
                self._answer([self._queue.popleft() for _ in range(len(self._queue))])
        if asked.error is not None:
            raise asked.error
        assert asked.answers is not None
        return asked.answers

    def _answer(self, queue: Sequence[_Asked]) -> None:
        """One transaction for all that may share it; what raises is asked again alone: each gets its own error."""
        try:
            self._answer_as_one([asked for asked in queue if not asked.together])
            for asked in queue:
                if not asked.done:
                    asked.answer(self.ledger)
        finally:
            # An interrupt reaches this thread alone: what the others asked for goes back into the queue.
            self._queue.extendleft(asked for asked in reversed(queue) if not asked.done)

    def _answer_as_one(self, queue: Sequence[_Asked]) -> None:
        with suppress(Exception):
            answers = iter(place_holds(self.ledger, [request for asked in queue for request in asked.requests]))
            for asked in queue:
                asked.answers = tuple(next(answers) for _ in asked.requests)
