"""The decision on one request: a pure function of the request, the books and the tables, with its reason.

As asked it is accepted where the rules leave enough free on every day and its bid covers what it
displaces. Else the desk looks for what it could sign instead: the same at its price, fewer, or later.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np

from acreage.desk.asks import Asks
from acreage.desk.batch import answers
from acreage.desk.case import NO_ROOM, Case, reason_of
from acreage.desk.prices.named import ticked
from acreage.desk.spans import answer_spanning
from acreage.domain.desk import Answer, Desk, LeaseRequest, Part, Terms, TierTerms, Verdict
from acreage.units.errors import InputError
from acreage.units.ids import PoolId
from acreage.units.instants import SECONDS_PER_DAY, Instant, iso

ACCELERATORS_MAX = 100_000_000
_FEWER = 32


def answer(desk: Desk, asks: Asks, request: LeaseRequest, now: Instant) -> Answer:
    """Decide on a request. Raises `InputError` for one that makes no sense to the desk.

    Of several pools the first that accepts is taken, else the counter-offers and the reason are those of the
    pool that comes nearest: one that has room before one that has none, then the cheapest. A request of several
    parts is taken as a whole or not at all (`spans`).
    """
    check(desk, asks, request, now)
    terms = tier_terms(desk, request)
    if request.parts:
        return answer_spanning(desk, asks, request, terms)
    found = [_in_pool(desk, asks, request, terms, pool) for pool in request.pools]
    for one in found:
        if one.verdict is Verdict.ACCEPT:
            return one
    best = min(found, key=_distance)
    counters = tuple(counter for one in sorted(found, key=_distance) for counter in one.counters)
    verdict = Verdict.COUNTER if counters else Verdict.REFUSE
    return replace(best, verdict=verdict, counters=counters)


def tier_terms(desk: Desk, request: LeaseRequest) -> TierTerms:
    """How the request's tier is sold; raises `InputError` where the desk does not sell it."""
    for terms in desk.tiers:
        if terms.tier is request.tier:
            return terms
    raise InputError(f"this desk does not sell {request.tier}", fix=f"it sells {', '.join(t.tier for t in desk.tiers)}")


def check(desk: Desk, asks: Asks, request: LeaseRequest, now: Instant) -> None:
    """Raise `InputError` for a request that makes no sense."""
    for part in request.parts or (request,):
        _check_extent(asks, part, now)
    if request.bid_micro_usd is not None and request.bid_micro_usd <= 0:
        raise InputError("a bid of nothing", fix="leave the bid out to be told the price")
    if not request.pools:
        raise InputError("it names no pool", fix="name a pool, or an accelerator the desk has")
    if desk.lessees and request.lessee not in desk.lessees:
        raise InputError(f"unknown lessee {request.lessee!r}", fix="the desk's document lists whom it leases to")
    for pool in request.pools:
        asks.book.index(pool)
    for one, other in combinations(request.parts, 2):
        if one.pool == other.pool and one.from_at < other.until_at and other.from_at < one.until_at:
            raise InputError(f"two parts overlap in {one.pool}", fix="cut them at each other's dates and add them up")


def _check_extent(asks: Asks, part: Part | LeaseRequest, now: Instant) -> None:
    """Quantity and dates of a request, or of one of its parts."""
    if not 1 <= part.accelerators <= ACCELERATORS_MAX:
        raise InputError(
            f"{part.accelerators} accelerators", fix=f"ask for a whole number from 1 to {ACCELERATORS_MAX:,}"
        )
    if part.until_at <= part.from_at:
        raise InputError(f"it ends {iso(part.until_at)}, not after its start {iso(part.from_at)}")
    if part.from_at < now:
        raise InputError(f"it starts {iso(part.from_at)}, which is in the past", fix=f"now is {iso(now)}")
    if part.until_at > asks.book.horizon.until_at:
        fix = f"end by {iso(asks.book.horizon.until_at)}"
        raise InputError(f"it ends {iso(part.until_at)}, beyond what the desk quotes", fix=fix)


def _distance(found: Answer) -> tuple[bool, float]:
    reason = found.reason
    return reason.because in NO_ROOM, reason.displacement_usd


def _in_pool(desk: Desk, asks: Asks, request: LeaseRequest, terms: TierTerms, pool: PoolId) -> Answer:
    row = asks.book.index(pool)
    asks.refresh(row)
    case = Case(desk, asks, request, terms, pool, row)
    got = answers(asks, case.batch(request.accelerators, 0))
    free, ask, displaced = int(got.free[0]), float(got.ask_usd[0]), float(got.displaced_usd[0])
    reason = reason_of(case, free, displaced, ask)
    if got.accepted[0]:
        offer = case.signed(request.accelerators, 0, displaced)
        return Answer(verdict=Verdict.ACCEPT, offer=offer, counters=(), reason=reason)
    counters = _counters(case, free, ask)
    verdict = Verdict.COUNTER if counters else Verdict.REFUSE
    return Answer(verdict=verdict, offer=None, counters=counters, reason=reason)


def _counters(case: Case, free: int, ask_usd: float) -> tuple[Terms, ...]:
    """What the desk would sign instead: as asked at its price, the most that passes, the earliest that passes."""
    found = []
    if free >= case.request.accelerators:
        least = ticked(ask_usd, case.desk.rules.tick_micro_usd)
        found.append(replace(case.signed(case.request.accelerators, 0, 0.0), micro_usd=least))
    block = case.desk.rules.block_accelerators
    blocks = (min(case.request.accelerators - 1, max(free, 0))) // block
    if blocks >= 1:
        fewer = np.unique(np.linspace(1, blocks, min(blocks, _FEWER)).astype(np.int64)) * block
        got = answers(case.asks, case.batch(fewer.tolist(), 0))
        if got.accepted.any():
            best = int(np.flatnonzero(got.accepted)[-1])
            found.append(case.signed(int(fewer[best]), 0, float(got.displaced_usd[best])))
    room_s = case.asks.book.horizon.until_at - case.request.until_at
    days = min(case.desk.rules.counter_days_max, room_s // SECONDS_PER_DAY)
    if days >= 1:
        later = (np.arange(1, days + 1) * SECONDS_PER_DAY).tolist()
        got = answers(case.asks, case.batch(case.request.accelerators, later))
        if got.accepted.any():
            first = int(np.flatnonzero(got.accepted)[0])
            found.append(case.signed(case.request.accelerators, later[first], float(got.displaced_usd[first])))
    return tuple(found)
