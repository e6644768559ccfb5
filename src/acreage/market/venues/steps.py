"""A whole number over time that changes at instants: accelerators held, on sale, or still wanted."""

from bisect import bisect_right
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
        self._cut(from_at)
        self._cut(until_at)
        for i in range(self.times.index(from_at), self.times.index(until_at)):
            self.values[i] += change
        self._join()

    def least(self, from_at: Instant, until_at: Instant) -> int:
        """The least value within [from_at, until_at)."""
        inside = [v for t, v in zip(self.times, self.values, strict=True) if from_at < t < until_at]
        return min([self.at(from_at), *inside])

    def segments(self) -> list[Segment]:
        """Stretches where the value is not zero."""
        ends = zip(self.times, self.times[1:], self.values, strict=False)
        return [(start, end, value) for start, end, value in ends if value]

    def _cut(self, instant: Instant) -> None:
        i = bisect_right(self.times, instant)
        if i == 0 or self.times[i - 1] != instant:
            self.values.insert(i, self.values[i - 1] if i else 0)
            self.times.insert(i, instant)

    def _join(self) -> None:
        """Forget instants at which nothing changes."""
        times, values, last = [], [], 0
        for instant, value in zip(self.times, self.values, strict=True):
            if value != last:
                times.append(instant)
                values.append(value)
                last = value
        self.times, self.values = times, values
