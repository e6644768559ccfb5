"""How the deliveries of leases and offers turn out: each distinct way once, and which future goes which way.

Many futures share a delay, an outage or none of either; what follows from them is computed once a way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from acreage.domain.future import Future, Outage
from acreage.plan.tables import Index, Vector
from acreage.units.ids import ProviderId


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Stretches [from_at, until_at) that do not overlap, and the share lost in each: (K, J), padded with empty ones."""

    from_at: Vector
    until_at: Vector
    lost_frac: Vector

    def of(self, ways: Index) -> "Losses":
        """Those of some ways, in their order."""
        return Losses(from_at=self.from_at[ways], until_at=self.until_at[ways], lost_frac=self.lost_frac[ways])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fates:
    """The K ways in which one lease or offer turns out, `of_future` (S,) the way of each future.

    `delay_days` (K, P) of its parts, `recalled_at` (K,) when notice is given (inf: never), `losses` its
    provider's outages.
    """

    of_future: Index
    delay_days: Index
    recalled_at: Vector
    losses: Losses


@dataclass(slots=True)
class FateBook:
    """The fates of every lease and offer over the same futures."""

    futures: tuple[Future, ...]
    _known: dict[tuple[str, ProviderId, int], Fates] = field(default_factory=dict)
    _outages: dict[ProviderId, tuple[Index, Losses]] = field(default_factory=dict)

    def fates(self, key: str, provider: ProviderId, parts: int) -> Fates:
        """The fates of a lease or offer by its id and its number of parts."""
        mark = (key, provider, parts)
        if mark not in self._known:
            self._known[mark] = self._fates(key, provider, parts)
        return self._known[mark]

    def outages(self, provider: ProviderId) -> tuple[Index, Losses]:
        """Which of a provider's distinct sets of outages each future (S,) has, and what they take."""
        if provider not in self._outages:
            found: dict[tuple[Outage, ...], int] = {(): 0}
            numbers = [
                found.setdefault(tuple(o for o in future.outages if o.provider == provider), len(found))
                for future in self.futures
            ]
            self._outages[provider] = (np.array(numbers), losses_of(list(found)))
        return self._outages[provider]

    def _fates(self, key: str, provider: ProviderId, parts: int) -> Fates:
        places = [(key, i) for i in range(parts)]
        outages, losses = self.outages(provider)
        found: dict[tuple[object, ...], int] = {}
        numbers = []
        for future, outage in zip(self.futures, outages.tolist(), strict=True):
            delays = future.delay_days
            way = (*[delays.get(place, 0) for place in places], future.recalled_at.get(key, np.inf), outage)
            numbers.append(found.setdefault(way, len(found)))
        ways = np.array(list(found), dtype=float).reshape(len(found), parts + 2)
        return Fates(
            of_future=np.array(numbers),
            delay_days=ways[:, :parts].astype(np.int64),
            recalled_at=ways[:, parts],
            losses=losses.of(ways[:, parts + 1].astype(np.int64)),
        )


def losses_of(sets: Sequence[tuple[Outage, ...]]) -> Losses:
    """What each set of outages takes: where several overlap, what is left is the product of what each leaves."""
    stretches = [_stretches(outages) for outages in sets]
    most = max((len(found) for found in stretches), default=0)
    table = np.zeros((3, len(sets), most))
    for i, found in enumerate(stretches):
        for j, stretch in enumerate(found):
            table[:, i, j] = stretch
    return Losses(from_at=table[0], until_at=table[1], lost_frac=table[2])


def _stretches(outages: tuple[Outage, ...]) -> list[tuple[float, float, float]]:
    knots = sorted({at for outage in outages for at in (outage.from_at, outage.until_at)})
    found = []
    for from_at, until_at in pairwise(knots):
        left = 1.0
        for outage in outages:
            if outage.from_at <= from_at < outage.until_at:
                left *= 1.0 - outage.lost_frac
        if left < 1.0:
            found.append((float(from_at), float(until_at), 1.0 - left))
    return found
