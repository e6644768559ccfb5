"""Many requests at once: the same rule as one by one, in arrays. Nothing is promised between two of a batch.

A request passes where enough is free on its tightest day and its bid reaches the ask: the floor, or what it
displaces an accelerator-hour if that is more.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.desk.asks import Asks
from acreage.desk.horizon import Counts, Numbers
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of one pool each, all arrays of one length, or of lengths that broadcast.

    `side` and `row` as in `Tables`; windows [from_at, until_at) lie within the horizon and are not empty;
    `bid_usd` and `floor_usd` an accelerator-hour, an infinite bid for who takes any price.
    """

    side: Counts
    row: Counts
    accelerators: Counts
    from_at: Counts
    until_at: Counts
    bid_usd: Numbers
    floor_usd: Numbers


@dataclass(frozen=True, slots=True)
class Answers:
    """For each request: what is free on its tightest day, what it displaces in USD, the least price, the verdict."""

    free: Counts
    displaced_usd: Numbers
    ask_usd: Numbers
    accepted: NDArray[np.bool_]


def answers(asks: Asks, requests: Requests) -> Answers:
    """Answer every request on the books as they stand; pools must have been refreshed."""
    horizon = asks.book.horizon
    first_s, until_s = requests.from_at - horizon.from_at, requests.until_at - horizon.from_at
    first, end = first_s // SECONDS_PER_DAY, -(-until_s // SECONDS_PER_DAY)
    free = _least(asks, requests, first, end)
    displaced = _displaced(asks, requests, first_s / SECONDS_PER_DAY, until_s / SECONDS_PER_DAY)
    hours = requests.accelerators * ((until_s - first_s) / SECONDS_PER_HOUR)
    ask = np.maximum(requests.floor_usd, displaced / hours)
    accepted = (free >= requests.accelerators) & (requests.bid_usd >= ask)
    return Answers(free, displaced, ask, accepted)


def _least(asks: Asks, requests: Requests, first: Counts, end: Counts) -> Counts:
    """The least free over days [first, end): the lower of two overlapping stretches of a power of two."""
    level = np.frexp((end - first).astype(np.float64))[1].astype(np.int64) - 1
    _, pools, levels, days = asks.free.shape
    flat = asks.free.reshape(-1)
    base = ((requests.side * pools + requests.row) * levels + level) * days
    return np.asarray(np.minimum(flat[base + first], flat[base + end - (1 << level)]))


def _displaced(asks: Asks, requests: Requests, first: Numbers, end: Numbers) -> Numbers:
    """USD displaced over the days from `first` to `end`, parts of days in proportion."""
    _, pools, count, width = asks.displaced_usd.shape
    upper = _grid_place(asks.quantities, requests.row, requests.accelerators)
    flat_quantities = asks.quantities.reshape(-1)
    place = requests.row * count + upper
    above, below = flat_quantities[place], flat_quantities[place - 1]
    part = np.minimum((requests.accelerators - below) / (above - below), 1.0)
    base = ((requests.side * pools + requests.row) * count + upper) * width
    flat = asks.displaced_usd.reshape(-1)
    ends = [_between(flat, base - width * lower, first, end, width) for lower in (1, 0)]
    return np.asarray(ends[0] * (1.0 - part) + ends[1] * part)


def _between(flat: Numbers, base: Counts, first: Numbers, end: Numbers, width: int) -> Numbers:
    return _read(flat, base, end, width) - _read(flat, base, first, width)


def _read(flat: Numbers, base: Counts, at: Numbers, width: int) -> Numbers:
    """A running sum read between two days."""
    day = np.minimum(at.astype(np.int64), width - 2)
    part = at - day
    low = flat[base + day]
    return np.asarray(low + (flat[base + day + 1] - low) * part)


def _grid_place(grids: Numbers, row: Counts, accelerators: Counts) -> Counts:
    """The first place of each request's grid whose quantity is not below it, at least 1."""
    if len(grids) == 1 or np.size(row) == 1:
        grid = grids[int(np.reshape(row, -1)[0])]
        return np.asarray(np.minimum(np.maximum(np.searchsorted(grid, accelerators), 1), len(grid) - 1))
    found = np.empty(np.broadcast(row, accelerators).shape, dtype=np.int64)
    wide = np.broadcast_to(accelerators, found.shape)
    for one in np.unique(row):
        here = np.broadcast_to(row == one, found.shape)
        found[here] = np.searchsorted(grids[one], wide[here])
    return np.asarray(np.minimum(np.maximum(found, 1), grids.shape[1] - 1))
