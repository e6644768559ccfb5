"""What a source of capacity (a lease or an offer's variant) gives a pool in a future.

Usable accelerators are means over each period's hours. Availability under outages is
integrated exactly: G(t), the integral of availability, is piecewise linear, so the mean over
any stretch is a difference of two interpolated values.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.domain.future import Future, Outage
from acreage.domain.lease import Delivery, Lease
from acreage.domain.portfolio import Period, Portfolio
from acreage.domain.provider import DelayModel
from acreage.domain.terms import RecallRight, Tranche
from acreage.plan.formulate.fates import Fates, Losses
from acreage.plan.formulate.variants import Variant
from acreage.plan.problem import Vector
from acreage.units.ids import PoolId, ProviderId
from acreage.units.instants import SECONDS_PER_DAY, Instant, add_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One tranche or delivery of a source: `accelerators` leased, from `due_at` as promised.

    For an offer the accelerators are those of one block. Negative: taken back.
    """

    index: int
    accelerators: float
    due_at: Instant
    grace_days: int
    late_discount_frac: float
    terminable_after_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A lease held or a variant of an offer: where its capacity goes and until when."""

    key: str
    provider: ProviderId
    pool: PoolId
    starts_at: Instant
    ends_at: Instant
    sparing_frac: float
    recall: RecallRight | None
    parts: tuple[Part, ...]


def source_of_lease(lease: Lease, ends_at: Instant | None = None) -> Source:
    """A held lease as a source, perhaps released early at `ends_at`."""
    return Source(
        key=lease.id,
        provider=lease.provider,
        pool=lease.pool,
        starts_at=lease.starts_at,
        ends_at=ends_at if ends_at is not None else lease.ends_at,
        sparing_frac=lease.terms.sparing_frac,
        recall=lease.terms.recall,
        parts=tuple(_part(i, d.accelerators, d.due_at, d) for i, d in enumerate(lease.deliveries)),
    )


def source_of_variant(variant: Variant) -> Source:
    """One block of an offer's variant as a source."""
    offer = variant.offer
    per_block = offer.accelerators_per_block
    return Source(
        key=offer.id,
        provider=offer.provider,
        pool=offer.pool,
        starts_at=variant.starts_at,
        ends_at=variant.ends_at,
        sparing_frac=offer.terms.sparing_frac,
        recall=offer.terms.recall,
        parts=tuple(
            _part(i, per_block * t.share_frac, t.after.after(variant.starts_at), t)
            for i, t in enumerate(offer.tranches)
        ),
    )


def _part(index: int, accelerators: float, due_at: Instant, clause: Tranche | Delivery) -> Part:
    return Part(
        index=index,
        accelerators=accelerators,
        due_at=due_at,
        grace_days=clause.grace_days,
        late_discount_frac=clause.late_discount_frac,
        terminable_after_days=clause.terminable_after_days,
    )


def delay_model(portfolio: Portfolio, provider: ProviderId, clause: Tranche | Delivery) -> DelayModel:
    """The delay law of a tranche or delivery: its own, or its provider's."""
    return clause.delay if clause.delay is not None else portfolio.providers[provider].delay


def handed_over(source: Source, part: Part, future: Future) -> tuple[Instant, Instant]:
    """When a part is really held in a future: [from, until), empty if until <= from."""
    days = future.delay_days.get((source.key, part.index), 0)
    until_at = source.ends_at
    recalled_at = future.recalled_at.get(source.key)
    if recalled_at is not None and source.recall is not None:
        # A recall before the right begins waits for it.
        notice_at = max(recalled_at, source.recall.after.after(source.starts_at))
        until_at = min(until_at, add_days(notice_at, source.recall.notice_days))
    return add_days(part.due_at, days), until_at


def may_give_up(fates: Fates, part: Part) -> NDArray[np.bool_]:
    """Whether the part is late enough for the lessee to end it, each way (K,) that it turns out."""
    if part.terminable_after_days is None:
        return np.zeros(len(fates.recalled_at), dtype=bool)
    return np.asarray(fates.delay_days[:, part.index] > part.terminable_after_days)


def held_over(source: Source, fates: Fates) -> tuple[Vector, Vector]:
    """When parts are really held, each way (K,) that they turn out: from (K, P), until (K,); see `handed_over`."""
    due = np.array([part.due_at for part in source.parts], dtype=float)
    until = np.full(len(fates.recalled_at), float(source.ends_at))
    if source.recall is not None:
        right_from_at = float(source.recall.after.after(source.starts_at))
        notice = np.maximum(fates.recalled_at, right_from_at)
        until = np.minimum(until, notice + source.recall.notice_days * SECONDS_PER_DAY)
    return due + fates.delay_days * float(SECONDS_PER_DAY), until


class Clock:
    """The grid as arrays, and availability of providers integrated over it."""

    def __init__(self, periods: tuple[Period, ...]) -> None:
        self.edges = np.array([p.from_at for p in periods] + [periods[-1].until_at], dtype=float)
        self.lengths = np.diff(self.edges)
        self.hours = self.lengths / 3_600.0
        self.middles = (self.edges[:-1] + self.edges[1:]) / 2
        self.known: dict[object, tuple[Vector, Vector]] = {}

    def share(self, from_at: float, until_at: float, outages: Iterable[Outage] = ()) -> Vector:
        """Share of each period (T,) within [from_at, until_at), less what outages take."""
        clipped = np.clip(self.edges, from_at, max(from_at, until_at))
        return np.diff(self._integral(clipped, tuple(outages))) / self.lengths

    def shares(self, from_at: Vector, until_at: Vector, losses: Losses) -> Vector:
        """The same for many stretches (K,) at once, each with its own losses: (K, T)."""
        until_at = np.maximum(from_at, until_at)
        found = np.diff(np.clip(self.edges, from_at[:, None], until_at[:, None])) / self.lengths
        for j in range(losses.lost_frac.shape[1]):
            begins = np.maximum(from_at, losses.from_at[:, j])
            ends = np.minimum(until_at, losses.until_at[:, j])
            hit = np.flatnonzero(begins < ends)
            inside = np.diff(np.clip(self.edges, begins[hit, None], ends[hit, None])) / self.lengths
            found[hit] -= losses.lost_frac[hit, j, None] * inside
        return found

    def _integral(self, at: Vector, outages: tuple[Outage, ...]) -> Vector:
        if not outages:
            return at
        knots = np.unique(
            [
                self.edges[0],
                self.edges[-1],
                *(t for o in outages for t in (o.from_at, o.until_at)),
            ]
        )
        knots = np.concatenate([knots, [knots[-1] + SECONDS_PER_DAY * 36_500.0]])
        up = np.ones(len(knots) - 1)
        for outage in outages:
            inside = (knots[:-1] >= outage.from_at) & (knots[:-1] < outage.until_at)
            up[inside] *= 1.0 - outage.lost_frac
        total = np.concatenate([[0.0], np.cumsum(up * np.diff(knots))])
        below = np.minimum(at - knots[0], 0.0)
        return np.asarray(np.interp(at, knots, total) + below)


def outages_of(future: Future, provider: ProviderId) -> tuple[Outage, ...]:
    """The outages of one provider in a future."""
    return tuple(o for o in future.outages if o.provider == provider)


def usable(clock: Clock, source: Source, part: Part, future: Future) -> Vector:
    """Usable accelerators of a part in each period (T,) of a future."""
    from_at, until_at = handed_over(source, part, future)
    share = clock.share(from_at, until_at, outages_of(future, source.provider))
    return part.accelerators * (1.0 - source.sparing_frac) * share


def brought(clock: Clock, source: Source, future: Future) -> tuple[Vector, Vector]:
    """Mean and peak usable accelerators (T,) of one unit of a source in a future; kept by the clock."""
    spans = tuple((part.accelerators, *handed_over(source, part, future)) for part in source.parts)
    key = (source.sparing_frac, spans, outages_of(future, source.provider))
    if key not in clock.known:
        mean = np.sum([usable(clock, source, part, future) for part in source.parts], axis=0)
        clock.known[key] = (mean, peak(clock, source, source.parts, future))
    return clock.known[key]


def peak(clock: Clock, source: Source, parts: tuple[Part, ...], future: Future | None = None) -> Vector:
    """Most usable accelerators (T,) that parts of a source offer at one time in each period.

    In a future, or as promised. Outages are left out: they interrupt a gang, they do not shrink it.
    """
    spans = [(p.due_at, source.ends_at) if future is None else handed_over(source, p, future) for p in parts]
    begins = np.array([span[0] for span in spans], dtype=float)
    ends = np.array([span[1] for span in spans], dtype=float)
    amounts = np.array([p.accelerators for p in parts]) * (1.0 - source.sparing_frac)
    instants = np.unique(np.concatenate([clock.edges[:-1], begins]))
    instants = instants[(instants >= clock.edges[0]) & (instants < clock.edges[-1])]
    there = (begins[None, :] <= instants[:, None]) & (instants[:, None] < ends[None, :])
    found = np.zeros(len(clock.hours))
    np.maximum.at(found, np.searchsorted(clock.edges, instants, side="right") - 1, there @ amounts)
    return found


def usable_in(clock: Clock, source: Source, fates: Fates, part: Part) -> Vector:
    """Usable accelerators (K, T) of a part, each way that it turns out; see `usable`."""
    begins, until = held_over(source, fates)
    mine = begins[:, part.index]
    return part.accelerators * (1.0 - source.sparing_frac) * clock.shares(mine, until, fates.losses)


def means_in(clock: Clock, source: Source, fates: Fates) -> Vector:
    """Mean usable accelerators (K, T) of one unit of a source; see `brought`."""
    return np.asarray(sum(usable_in(clock, source, fates, part) for part in source.parts))


def peaks_in(clock: Clock, source: Source, fates: Fates, parts: tuple[Part, ...]) -> Vector:
    """Most usable accelerators (K, T) at one time of parts of a source, each way they turn out; see `peak`."""
    every, until = held_over(source, fates)
    begins = every[:, [part.index for part in parts]]
    amounts = [part.accelerators * (1.0 - source.sparing_frac) for part in parts]
    starts = clock.edges[:-1]
    found = np.zeros((len(until), len(starts)))
    for begin, amount in zip(begins.T, amounts, strict=True):
        found += amount * ((begin[:, None] <= starts) & (starts < until[:, None]))
    np.maximum(found, 0.0, out=found)
    for at in begins.T:
        inside = np.flatnonzero((at >= clock.edges[0]) & (at < clock.edges[-1]))
        there = np.zeros(len(inside))
        for begin, amount in zip(begins.T, amounts, strict=True):
            there += amount * ((begin[inside] <= at[inside]) & (at[inside] < until[inside]))
        period = np.searchsorted(clock.edges, at[inside], side="right") - 1
        found[inside, period] = np.maximum(found[inside, period], there)
    return found


def firm(clock: Clock, source: Source) -> Vector:
    """Usable accelerators as promised (T,): no delay, no outage, recallable only until its first recall."""
    until_at = source.ends_at
    if source.recall is not None:
        first_notice_at = source.recall.after.after(source.starts_at)
        until_at = min(
            until_at,
            add_days(max(first_notice_at, int(clock.edges[0])), source.recall.notice_days),
        )
    total = np.zeros(len(clock.hours))
    for part in source.parts:
        total += part.accelerators * (1.0 - source.sparing_frac) * clock.share(part.due_at, until_at)
    return total
