"""What is free in a pool at every second: delivered less held, as a grid of hours with exact edges inside.

For each hour it keeps what is free at its first second and the least that is free within it; changes
inside an hour are kept as sorted seconds. A hold over [from, until) is one addition to two slices and at
most two hours walked: the cost depends on the window asked for and never on how many holds there are.
Outside what was ever added nothing is delivered and nothing held, so zero is free.
"""

from bisect import bisect_left
from itertools import accumulate, chain

import numpy as np

from acreage.units.instants import SECONDS_PER_HOUR

HOUR = SECONDS_PER_HOUR
_SPARE_HOURS = 24 * 366
"""Room added beyond what is needed when the grid grows, so that it seldom does."""

FREE_MAX = 2**31 - 1
"""Hours are kept as 32-bit numbers; whoever adds sees to it that no instant has more free or short."""

Edges = tuple[list[int], list[int]]
"""Seconds of an hour at which the free capacity changes (1 to 3599, rising), and by how much."""


class CapacityGrid:
    """Free accelerators over time; instants are epoch seconds, windows half open."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._set_hours(0, np.zeros((0, 3), dtype=np.int32))
        self._edges: dict[int, Edges] = {}
        self._base_times = np.zeros(0, dtype=np.int64)
        self._base_deltas = np.zeros(0, dtype=np.int64)

    def _set_hours(self, origin: int, hours: np.ndarray) -> None:
        """Take a table of hours: what is free at the first second, the least and the most within.

        One hour's three numbers lie side by side, so that a window is one stretch of memory; `_cells` is
        the same memory as plain numbers, which is quicker for one at a time.
        """
        self._origin, self._end = origin, origin + len(hours)
        self._start, self._low, self._high = hours.T
        self._flat = hours.reshape(-1)
        self._cells = self._flat.data

    def add(self, accelerators: int, from_at: int, until_at: int) -> None:
        """Add `accelerators` (negative: take away) to what is free over [from_at, until_at)."""
        if accelerators == 0 or from_at >= until_at:
            return
        first, first_s = divmod(from_at, HOUR)
        last, last_s = divmod(until_at, HOUR)
        if first < self._origin or last >= self._end:
            self._cover(first, last + 1)
        whole_from = first + 1 if first_s else first
        end = 3 * (last - self._origin)
        if whole_from < last:
            self._flat[3 * (whole_from - self._origin) : end] += accelerators
        if last_s and whole_from <= last:
            self._cells[end] += accelerators
        if first_s:
            self._change(first, first_s, accelerators)
        if last_s:
            self._change(last, last_s, -accelerators)

    def free(self, from_at: int, until_at: int) -> int:
        """The least that is free at any second of [from_at, until_at)."""
        first, first_s = divmod(from_at, HOUR)
        last, last_s = divmod(until_at, HOUR)
        if first == last:
            return self._lowest_within(first, first_s, last_s)
        whole_from = first + 1 if first_s else first
        found = self._lowest_whole(whole_from, last) if whole_from < last else FREE_MAX
        # The hours at the ends are looked into only if they have less than all between them.
        if first_s and self._lowest_whole_hour(first) < found:
            found = min(found, self._lowest_within(first, first_s, HOUR))
        if last_s and self._lowest_whole_hour(last) < found:
            found = min(found, self._lowest_within(last, 0, last_s))
        return found

    def free_at(self, at: int) -> int:
        """What is free at one second."""
        return self.free(at, at + 1)

    def earliest(self, accelerators: int, from_at: int, duration_s: int) -> int | None:
        """The first instant at or after `from_at` from which `accelerators` are free for `duration_s`; None: never."""
        at = from_at
        horizon = (self._origin + len(self._start)) * HOUR
        while at < horizon:
            short = self._first(at, at + duration_s, accelerators, enough=False)
            if short is None:
                return at
            found = self._first(short, horizon, accelerators, enough=True)
            if found is None:
                return None
            at = found
        return None

    def short_windows(self, from_at: int, until_at: int) -> list[tuple[int, int]]:
        """The stretches of [from_at, until_at) in which more is held than delivered."""
        found = []
        at = from_at
        while (short := self._first(at, until_at, 0, enough=False)) is not None:
            end = self._first(short, until_at, 0, enough=True)
            found.append((short, until_at if end is None else end))
            if end is None:
                break
            at = end
        return found

    def next_change(self, at: int) -> int:
        """The first instant after `at` from which another number may be free; far ahead where none is."""
        hour, second = divmod(at, HOUR)
        if not 0 <= hour - self._origin < len(self._start):
            return self._origin * HOUR if hour < self._origin else at + HOUR * _SPARE_HOURS
        seconds = self._edges_of(hour)[0]
        i = bisect_left(seconds, second + 1)
        if i < len(seconds):
            return hour * HOUR + seconds[i]
        column = hour - self._origin
        level = self.free_at(at)
        moved = np.flatnonzero((self._low[column + 1 :] != level) | (self._high[column + 1 :] != level))
        if not len(moved):
            return (self._origin + len(self._start)) * HOUR
        found = hour + 1 + int(moved[0])
        if self._start[found - self._origin] != level:
            return found * HOUR
        return found * HOUR + self._edges_of(found)[0][0]

    def span(self) -> tuple[int, int]:
        """The instants between which anything changes; (0, 0) if nothing was ever added."""
        times, _ = self.changes()
        return (int(times[0]), int(times[-1])) if len(times) else (0, 0)

    def changes(self) -> tuple[np.ndarray, np.ndarray]:
        """Instants at which the free capacity changes (int64, rising) and by how much (int64)."""
        if not len(self._start):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        times, deltas = self._inner_changes()
        # What changes on the hour is the difference of two starts less what changed inside the hour before.
        starts = self._start.astype(np.int64)
        ends = starts.copy()
        np.add.at(ends, times // HOUR - self._origin, deltas)
        steps = np.append(starts, 0) - np.concatenate(([0], ends))
        on = np.flatnonzero(steps)
        all_times = np.concatenate(((on + self._origin) * HOUR, times))
        all_deltas = np.concatenate((steps[on], deltas))
        order = np.argsort(all_times, kind="stable")
        return all_times[order], all_deltas[order]

    def _inner_changes(self) -> tuple[np.ndarray, np.ndarray]:
        """The changes inside hours: of hours looked at from their lists, of all others as the grid was built."""
        hours = np.fromiter(self._edges, dtype=np.int64, count=len(self._edges))
        counts = np.fromiter((len(seconds) for seconds, _ in self._edges.values()), dtype=np.int64, count=len(hours))
        total = int(counts.sum())
        seconds = np.fromiter(chain.from_iterable(s for s, _ in self._edges.values()), dtype=np.int64, count=total)
        deltas = np.fromiter(chain.from_iterable(d for _, d in self._edges.values()), dtype=np.int64, count=total)
        same = ~np.isin(self._base_times // HOUR, hours)
        times = np.concatenate((self._base_times[same], np.repeat(hours, counts) * HOUR + seconds))
        return times, np.concatenate((self._base_deltas[same], deltas))

    def add_many(self, accelerators: np.ndarray, from_at: np.ndarray, until_at: np.ndarray) -> None:
        """The same as `add` for each of many windows, at once."""
        times, deltas = self.changes()
        keep = (from_at < until_at) & (accelerators != 0)
        accelerators, from_at, until_at = accelerators[keep], from_at[keep], until_at[keep]
        self._rebuild(np.concatenate((times, from_at, until_at)), np.concatenate((deltas, accelerators, -accelerators)))

    @classmethod
    def of_changes(cls, times: np.ndarray, deltas: np.ndarray) -> "CapacityGrid":
        """The grid whose `changes` these are."""
        grid = cls()
        grid._build(times, deltas)
        return grid

    def _rebuild(self, times: np.ndarray, deltas: np.ndarray) -> None:
        times, where = np.unique(times, return_inverse=True)
        sums = np.zeros(len(times), dtype=np.int64)
        np.add.at(sums, where, deltas)
        self._build(times[sums != 0], sums[sums != 0])

    def _build(self, times: np.ndarray, deltas: np.ndarray) -> None:
        """Start anew from instants that rise and how much changes at each."""
        self._clear()
        if not len(times):
            return
        after = np.cumsum(deltas)
        self._cover(int(times[0]) // HOUR, int(times[-1]) // HOUR + 1)
        hour_starts = (np.arange(len(self._start), dtype=np.int64) + self._origin) * HOUR
        index = np.searchsorted(times, hour_starts, side="right") - 1
        for row in (self._start, self._low, self._high):
            row[:] = np.where(index >= 0, after[np.maximum(index, 0)], 0)
        inside = np.flatnonzero(times % HOUR)
        self._base_times, self._base_deltas = times[inside], deltas[inside]
        columns, levels = self._base_times // HOUR - self._origin, after[inside]
        firsts = np.flatnonzero(np.diff(columns, prepend=-1))
        if len(firsts):
            hours = columns[firsts]
            self._low[hours] = np.minimum(self._low[hours], np.minimum.reduceat(levels, firsts))
            self._high[hours] = np.maximum(self._high[hours], np.maximum.reduceat(levels, firsts))

    def _cover(self, first: int, last: int) -> None:
        """Make room for the hours [first, last)."""
        origin, end = (self._origin, self._end) if self._end > self._origin else (first, first)
        before = origin - first + _SPARE_HOURS if first < origin else 0
        after = last - end + _SPARE_HOURS if last > end else 0
        hours = np.zeros((before + end - origin + after, 3), dtype=np.int32)
        hours[before : before + end - origin] = self._flat.reshape(-1, 3)
        self._set_hours(origin - before, hours)

    def _edges_of(self, hour: int) -> Edges:
        edges = self._edges.get(hour)
        if edges is None:
            edges = self._edges[hour] = self._base_edges(hour)
        return edges

    def _base_edges(self, hour: int) -> Edges:
        """The changes of an hour as they were when the grid was built."""
        if not len(self._base_times):
            return [], []
        low, high = self._base_times.searchsorted((hour * HOUR, hour * HOUR + HOUR)).tolist()
        return (self._base_times[low:high] - hour * HOUR).tolist(), self._base_deltas[low:high].tolist()

    def _change(self, hour: int, second: int, delta: int) -> None:
        """Note a change inside an hour, and measure the hour anew."""
        seconds, deltas = self._edges.get(hour) or self._edges_of(hour)
        cells, cell = self._cells, 3 * (hour - self._origin)
        if not seconds:
            seconds.append(second)
            deltas.append(delta)
            cells[cell + 1] = cells[cell] + min(delta, 0)
            cells[cell + 2] = cells[cell] + max(delta, 0)
            return
        i = bisect_left(seconds, second)
        if i < len(seconds) and seconds[i] == second:
            deltas[i] += delta
        else:
            seconds.insert(i, second)
            deltas.insert(i, delta)
        levels = tuple(accumulate(deltas, initial=cells[cell]))
        cells[cell + 1] = min(levels)
        cells[cell + 2] = max(levels)

    def _lowest_within(self, hour: int, from_s: int, until_s: int) -> int:
        """The least free in seconds [from_s, until_s) of an hour."""
        if not self._origin <= hour < self._end:
            return 0
        level = int(self._cells[3 * (hour - self._origin)])
        if hour not in self._edges and not len(self._base_times):
            return level
        seconds, deltas = self._edges_of(hour)
        first = bisect_left(seconds, from_s + 1) if from_s else 0
        if first:
            level += sum(deltas[:first])
        return min(accumulate(deltas[first : bisect_left(seconds, until_s)], initial=level))

    def _lowest_whole_hour(self, hour: int) -> int:
        inside = self._origin <= hour < self._end
        return int(self._cells[3 * (hour - self._origin) + 1]) if inside else 0

    def _lowest_whole(self, first: int, last: int) -> int:
        """The least free in hours [first, last)."""
        low, high = max(first - self._origin, 0), min(last - self._origin, len(self._low))
        if low >= high:
            return 0
        least = int(np.minimum.reduce(self._low[low:high]))
        return least if high - low == last - first else min(least, 0)

    def _first(self, from_at: int, until_at: int, accelerators: int, *, enough: bool) -> int | None:
        """The first second of [from_at, until_at) with at least (enough) or fewer than `accelerators` free."""
        at = from_at
        while at < until_at:
            hour, second = divmod(at, HOUR)
            i = hour - self._origin
            if not 0 <= i < len(self._start):
                if enough == (accelerators <= 0):
                    return at
                if i >= 0:
                    return None
                at = self._origin * HOUR
                continue
            found = self._first_in_hour(hour, second, accelerators, enough)
            if found is not None:
                return found if found < until_at else None
            at = (self._origin + self._next_hour(i + 1, accelerators, enough)) * HOUR
        return None

    def _next_hour(self, i: int, accelerators: int, enough: bool) -> int:
        """Index of the first hour from `i` on that has what is sought, or the end of the grid."""
        hit = self._high[i:] >= accelerators if enough else self._low[i:] < accelerators
        found = int(hit.argmax()) if len(hit) else 0
        return i + found if len(hit) and hit[found] else len(self._low)

    def _first_in_hour(self, hour: int, from_s: int, accelerators: int, enough: bool) -> int | None:
        seconds, deltas = self._edges_of(hour)
        first = bisect_left(seconds, from_s + 1)
        value = int(self._start[hour - self._origin]) + sum(deltas[:first])
        if (value >= accelerators) == enough:
            return hour * HOUR + from_s
        for second, delta in zip(seconds[first:], deltas[first:], strict=True):
            value += delta
            if (value >= accelerators) == enough:
                return hour * HOUR + second
        return None
