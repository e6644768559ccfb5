"""A whole number over time that changes at instants: accelerators held, on sale, or still wanted."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from acreage.units.instants import Instant

Segment = tuple[Instant, Instant, int]


@dataclass(slots=True)
class Steps:
    """Zero before the first time; from `times[i]` on it is `values[i]`."""

    times: list[Instant] = field(default_factory=list)
    values: list[int] = field(default_factory=list)

    def at(self, instant: Instant) -> int:
        """The value at an instant."""
        i = bisect_right(self.times, instant) - 1
        return self.values[i] if i >= 0 else 0

    def add(self, from_at: Instant, until_at: Instant, change: int) -> None:
        """Add a number over [from_at, until_at)."""
        first, end = self._cut(from_at), self._cut(until_at)
        for i in range(first, end):
            self.values[i] += change
        # The steps within have kept their heights; only at the edges may there be none any more.
        for i in (end, first):
            if self.values[i] == (self.values[i - 1] if i else 0):
                del self.times[i], self.values[i]

    def least(self, from_at: Instant, until_at: Instant) -> int:
        """The least value within [from_at, until_at)."""
        return min(self.at(t) for t in (from_at, *self.within(from_at, until_at)))

    def within(self, from_at: Instant, until_at: Instant) -> list[Instant]:
        """The instants after `from_at` and before `until_at` at which the value changes."""
        return self.times[bisect_right(self.times, from_at) : bisect_left(self.times, until_at)]

    def segments(self) -> list[Segment]:
        """Stretches where the value is not zero."""
        ends = zip(self.times, self.times[1:], self.values, strict=False)
        return [(start, end, value) for start, end, value in ends if value]

    def _cut(self, instant: Instant) -> int:
        """Make an instant one of `times`, and return its place."""
        i = bisect_right(self.times, instant)
        if i and self.times[i - 1] == instant:
            return i - 1
        self.values.insert(i, self.values[i - 1] if i else 0)
        self.times.insert(i, instant)
        return i
