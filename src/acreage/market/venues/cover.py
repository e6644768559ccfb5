"""Filling one wanted rectangle from several offered ones, in their order of priority.

Rules, in this order:
1. Offers give in turn, the first in priority first: one of which any part may go gives, at every moment, what is
   still wanted then; one that goes by quantity gives the same number over its whole window; one that is all or nothing
   gives all of itself. The latter two, the inflexible ones, must lie within the window wanted.
2. If what is wanted is all or nothing and a hole is left, inflexible offers go first; if there still is a hole, they
   are set aside, as few as possible, the last in priority first (up to `INFLEXIBLE_MAX` of them are tried in all ways).
3. If it is wanted by quantity, the greatest number for which rules 1 and 2 leave no hole, looked for at what all offers
   add up to, and at what flexible ones do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from acreage.domain.order import Partial
from acreage.market.venues.steps import Segment
from acreage.units.instants import Instant

INFLEXIBLE_MAX = 8
"""2**8 ways to set offers aside are tried at most; beyond, only all kept and all set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What is left of an offer, as segments, and how it may be taken apart."""

    id: str
    partial: Partial
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """`accelerators` over [from_at, until_at) of one offer."""

    offer: str
    accelerators: int
    from_at: Instant
    until_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """An offer on the grid of moments: how many in each, and whether it lies within the window."""

    id: str
    partial: Partial
    free: tuple[int, ...]
    inside: bool


def cover(wanted: Sequence[Segment], partial: Partial, offers: Sequence[Offered]) -> tuple[Taken, ...]:
    """What to take of which offer (given in priority) to fill what is wanted; empty where nothing may be taken."""
    grid = _grid(wanted, offers)
    need = _on_grid(grid, wanted)
    placed = [_placed(grid, need, one) for one in offers]
    usable = [one for one in placed if one.partial is Partial.ANY or one.inside]
    if not usable:
        return ()
    if partial is Partial.ANY:
        takes = _pass(need, usable)
    elif partial is Partial.ALL_OR_NOTHING:
        takes = _whole(need, usable)
    else:
        takes = _by_quantity(need, usable)
    return tuple(taken for one, take in zip(usable, takes, strict=True) for taken in _joined(grid, one.id, take))


def _grid(wanted: Sequence[Segment], offers: Sequence[Offered]) -> list[Instant]:
    first, last = min(start for start, _, _ in wanted), max(end for _, end, _ in wanted)
    cuts = {t for one in offers for start, end, _ in one.segments for t in (start, end) if first < t < last}
    return sorted(cuts | {t for start, end, _ in wanted for t in (start, end)})


def _on_grid(grid: list[Instant], segments: Sequence[Segment]) -> tuple[int, ...]:
    return tuple(sum(n for start, end, n in segments if start <= t < end) for t in grid[:-1])


def _placed(grid: list[Instant], need: tuple[int, ...], one: Offered) -> _Offer:
    within = all(grid[0] <= start and end <= grid[-1] for start, end, _ in one.segments)
    return _Offer(id=one.id, partial=one.partial, free=_on_grid(grid, one.segments), inside=within)


def _pass(need: Sequence[int], offers: Sequence[_Offer]) -> list[tuple[int, ...]]:
    """What each offer gives when all are asked in turn."""
    left, takes = list(need), []
    for one in offers:
        take = _gives(left, one)
        left = [n - t for n, t in zip(left, take, strict=True)]
        takes.append(take)
    return takes


def _gives(left: Sequence[int], one: _Offer) -> tuple[int, ...]:
    if one.partial is Partial.ANY:
        return tuple(min(n, free) for n, free in zip(left, one.free, strict=True))
    most = min((min(n, free) for n, free in zip(left, one.free, strict=True) if free), default=0)
    if one.partial is Partial.ALL_OR_NOTHING and most < max(one.free, default=0):
        most = 0
    return tuple(most if free else 0 for free in one.free)


def _whole(need: Sequence[int], offers: Sequence[_Offer]) -> list[tuple[int, ...]]:
    """A cover without a hole, or nothing of anything."""
    for kept in _subsets([one.id for one in offers if one.partial is not Partial.ANY]):
        for order in (offers, sorted(offers, key=lambda one: one.partial is Partial.ANY)):
            asked = [one if one.partial is Partial.ANY or one.id in kept else _nothing(one) for one in order]
            takes = _pass(need, asked)
            if all(sum(column) == n for n, column in zip(need, zip(*takes, strict=True), strict=True)):
                by_id = {one.id: take for one, take in zip(asked, takes, strict=True)}
                return [by_id[one.id] for one in offers]
    return [(0,) * len(need) for _ in offers]


def _nothing(one: _Offer) -> _Offer:
    return replace(one, free=(0,) * len(one.free))


def _subsets(ids: Sequence[str]) -> Iterator[frozenset[str]]:
    """Which inflexible offers to keep: all first, then without as few as possible, the last in priority first."""
    yield frozenset(ids)
    if len(ids) > INFLEXIBLE_MAX:
        yield frozenset()
        return
    for aside in range(1, len(ids) + 1):
        for gone in combinations(reversed(ids), aside):
            yield frozenset(ids) - frozenset(gone)


def _by_quantity(need: Sequence[int], offers: Sequence[_Offer]) -> list[tuple[int, ...]]:
    """The same number at every moment wanted, as large as rule 3 finds."""
    flexible = [one for one in offers if one.partial is Partial.ANY]
    for supply in (offers, flexible):
        most = min(min(n, sum(one.free[i] for one in supply)) for i, n in enumerate(need) if n)
        takes = _whole([min(n, most) for n in need], offers) if most else []
        if any(any(take) for take in takes):
            return takes
    return [(0,) * len(need) for _ in offers]


def _joined(grid: list[Instant], offer: str, take: Sequence[int]) -> Iterator[Taken]:
    """Neighbouring moments with the same number are one part."""
    start = 0
    for i in range(1, len(take) + 1):
        if i == len(take) or take[i] != take[start]:
            if take[start]:
                yield Taken(offer=offer, accelerators=take[start], from_at=grid[start], until_at=grid[i])
            start = i
