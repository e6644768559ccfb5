"""A pool's books that are obviously right: plain lists, every second looked at, nothing clever."""

from dataclasses import dataclass, field

Window = tuple[int, int, int]
"""Accelerators, from, until."""


@dataclass
class NaiveHold:
    """A hold as a row of a list."""

    accelerators: int
    from_at: int
    until_at: int
    state: str
    expires_at: int | None


@dataclass
class NaivePool:
    """Deliveries and holds of one pool."""

    delivered: list[Window] = field(default_factory=list)
    holds: dict[str, NaiveHold] = field(default_factory=dict)

    def free_at(self, at: int) -> int:
        """Delivered less claimed at one second."""
        got = sum(n for n, from_at, until_at in self.delivered if from_at <= at < until_at)
        claims = [h for h in self.holds.values() if h.state in ("pending", "posted", "released")]
        return got - sum(h.accelerators for h in claims if h.from_at <= at < h.until_at)

    def free(self, from_at: int, until_at: int) -> int:
        """The least free in a window: looked at wherever anything can change, and at its start."""
        ends = [at for _, a, b in self.delivered for at in (a, b)]
        ends += [at for h in self.holds.values() for at in (h.from_at, h.until_at)]
        return min(self.free_at(at) for at in {from_at, *(at for at in ends if from_at <= at < until_at)})

    def expire(self, now: int) -> set[str]:
        """Lapse what is overdue."""
        late = {
            id_
            for id_, h in self.holds.items()
            if h.state == "pending" and h.expires_at is not None and h.expires_at <= now
        }
        for id_ in late:
            self.holds[id_].state = "expired"
        return late

    def place(self, id_: str, n: int, from_at: int, until_at: int, now: int, timeout_s: int | None) -> bool:
        """Place a hold if it fits, after lapsing what is overdue if it does not."""
        if self.free(from_at, until_at) < n:
            self.expire(now)
        if self.free(from_at, until_at) < n:
            return False
        expires_at = None if timeout_s is None else now + timeout_s
        self.holds[id_] = NaiveHold(n, from_at, until_at, "posted" if timeout_s is None else "pending", expires_at)
        return True
