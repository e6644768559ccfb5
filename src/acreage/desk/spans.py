"""Requests of several parts, in several pools or at several times, taken as a whole or not at all.

Every part must have room under its own pool's rules on each of its days. What the parts displace is added up,
as in network bid prices (Talluri and van Ryzin 2004, section 3.2: a product is accepted where its fare covers the
displacement of all resources it takes), and held against one price for all.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from acreage.desk.asks import Asks
from acreage.desk.batch import answers
from acreage.desk.case import NO_ROOM, Case, reason_of
from acreage.desk.horizon import Counts, Numbers
from acreage.desk.prices.named import ticked
from acreage.domain.desk import Answer, Desk, LeaseRequest, Part, Reason, Terms, TierTerms, Verdict
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, Instant
from acreage.units.money import MICRO_PER_USD, MicroUsd, usd


def answer_spanning(desk: Desk, asks: Asks, request: LeaseRequest, terms: TierTerms) -> Answer:
    """Decide on a request of parts: as asked, else at the desk's price, else all of it so many days later."""
    span = _spanned(desk, asks, request, terms)
    reason = _reason(span)
    if span.accepted[0]:
        return Answer(verdict=Verdict.ACCEPT, offer=_signed(span, 0), counters=(), reason=reason)
    counters = []
    if span.fits[0]:
        least = ticked(float(span.ask_usd[0]), desk.rules.tick_micro_usd)
        counters.append(replace(_signed(span, 0), micro_usd=least))
    later = np.flatnonzero(span.accepted)
    if len(later):
        counters.append(_signed(span, int(later[0])))
    verdict = Verdict.COUNTER if counters else Verdict.REFUSE
    return Answer(verdict=verdict, offer=None, counters=tuple(counters), reason=reason)


@dataclass(frozen=True, slots=True)
class _Span:
    """A request's parts as cases of their own, and the figures of all its shifts by 0, 1, 2, … days.

    `free` and `displaced_usd` are of shape (parts, shifts); `fits`, `ask_usd` and `accepted` (shifts,) of the whole.
    """

    request: LeaseRequest
    cases: list[Case]
    free: Counts
    displaced_usd: Numbers
    fits: NDArray[np.bool_]
    ask_usd: Numbers
    accepted: NDArray[np.bool_]


def _spanned(desk: Desk, asks: Asks, request: LeaseRequest, terms: TierTerms) -> _Span:
    cases = [_case(desk, asks, request, terms, part) for part in request.parts]
    room_s = asks.book.horizon.until_at - request.until_at
    days = max(min(desk.rules.counter_days_max, room_s // SECONDS_PER_DAY), 0)
    shifts = (np.arange(days + 1) * SECONDS_PER_DAY).tolist()
    found = [answers(asks, case.batch(case.request.accelerators, shifts)) for case in cases]
    free = np.stack([one.free for one in found])
    displaced = np.stack([one.displaced_usd for one in found])
    hours = request.accelerator_seconds / SECONDS_PER_HOUR
    ask = np.maximum(usd(terms.floor_micro_usd), displaced.sum(axis=0) / hours)
    fits = np.all(free >= np.array([part.accelerators for part in request.parts])[:, None], axis=0)
    bid = request.bid_micro_usd
    return _Span(request, cases, free, displaced, fits, ask, fits & (bid is None or bid / MICRO_PER_USD >= ask))


def _case(desk: Desk, asks: Asks, request: LeaseRequest, terms: TierTerms, part: Part) -> Case:
    row = asks.book.index(part.pool)
    asks.refresh(row)
    one = replace(
        request,
        parts=(),
        pools=(part.pool,),
        accelerators=part.accelerators,
        from_at=part.from_at,
        until_at=part.until_at,
    )
    return Case(desk, asks, one, terms, part.pool, row)


def _signed(span: _Span, shift: int) -> Terms:
    """The terms of all parts, so many days later, at the bid or at the mean of the prices named for each part."""
    request, later = span.request, shift * SECONDS_PER_DAY
    parts = tuple(
        replace(part, from_at=Instant(part.from_at + later), until_at=Instant(part.until_at + later))
        for part in request.parts
    )
    bid = request.bid_micro_usd
    if bid is None:
        amount = sum(
            case.named(part.accelerators, later, float(displaced)) * part.accelerator_seconds
            for case, part, displaced in zip(span.cases, request.parts, span.displaced_usd[:, shift], strict=True)
        )
        bid = MicroUsd(-(-amount // request.accelerator_seconds))
    return Terms(
        pool=parts[0].pool,
        accelerators=request.accelerators,
        from_at=Instant(request.from_at + later),
        until_at=Instant(request.until_at + later),
        micro_usd=bid,
        parts=parts,
    )


def _reason(span: _Span) -> Reason:
    """The reason of the part that is most in the way, with the money of all and the worst of their probabilities."""
    ask = float(span.ask_usd[0])
    found = [
        reason_of(case, int(free), float(displaced), ask)
        for case, free, displaced in zip(span.cases, span.free[:, 0], span.displaced_usd[:, 0], strict=True)
    ]
    left = [one.free - part.accelerators for one, part in zip(found, span.request.parts, strict=True)]
    worst = min(range(len(found)), key=lambda i: (found[i].because not in NO_ROOM, left[i]))
    return replace(
        found[worst],
        short_before_frac=max(one.short_before_frac for one in found),
        short_after_frac=max(one.short_after_frac for one in found),
        recall_frac=max(one.recall_frac for one in found),
        displacement_usd=float(span.displaced_usd[:, 0].sum()),
        revenue_usd=sum(one.revenue_usd for one in found),
    )
