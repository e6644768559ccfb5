"""The desk's calendar: whole UTC days from today on, and where an instant falls among them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.domain.desk import Step
from acreage.units.instants import SECONDS_PER_DAY, Instant

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Horizon:
    """`days` whole days from `from_at`, which is a midnight."""

    from_at: Instant
    days: int

    @property
    def until_at(self) -> Instant:
        """The end of the last day."""
        return Instant(self.from_at + self.days * SECONDS_PER_DAY)

    def first_day(self, at: int) -> int:
        """The day within which an instant lies."""
        return (at - self.from_at) // SECONDS_PER_DAY

    def end_day(self, at: int) -> int:
        """The first day that is not touched before an instant."""
        return -((self.from_at - at) // SECONDS_PER_DAY)

    def day_at(self, day: int) -> Instant:
        """The first instant of a day."""
        return Instant(self.from_at + day * SECONDS_PER_DAY)

    def starts(self) -> Counts:
        """The first instants of all days, shape (days,)."""
        return self.from_at + np.arange(self.days, dtype=np.int64) * SECONDS_PER_DAY

    def levels(self, steps: tuple[Step, ...], *, least: bool) -> Counts:
        """What steps come to on each day, shape (days,): the least or the most within the day, 0 before the first."""
        times = np.array([step.from_at for step in steps], dtype=np.int64)
        values = np.array([0, *(step.accelerators for step in steps)], dtype=np.int64)
        starts = self.starts()
        first = np.searchsorted(times, starts, side="right")
        last = np.searchsorted(times, starts + SECONDS_PER_DAY - 1, side="right")
        found = values[first].copy()
        for day in np.flatnonzero(last > first):
            within = values[first[day] : last[day] + 1]
            found[day] = within.min() if least else within.max()
        return found


def day_of(at: int) -> Instant:
    """The midnight before or at an instant."""
    return Instant(at - at % SECONDS_PER_DAY)
