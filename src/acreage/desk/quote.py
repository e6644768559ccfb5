"""The decision on one request: a pure function of the request, the books and the tables, with its reason.

As asked it is accepted where the rules leave enough free on every day and its bid covers what it
displaces. Else the desk looks for what it could sign instead: the same at its price, fewer, or later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from acreage.desk.asks import SIDES, Asks, headrooms, kept, short_frac
from acreage.desk.batch import Requests, answers
from acreage.desk.prices.named import named_price, ticked
from acreage.desk.tables import FIRM
from acreage.domain.desk import Answer, Because, Desk, LeaseRequest, Reason, Terms, TierTerms, Verdict
from acreage.units.errors import InputError
from acreage.units.ids import PoolId
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, Instant, iso
from acreage.units.money import MICRO_PER_USD, usd

ACCELERATORS_MAX = 100_000_000
_FEWER = 32
_ANY_PRICE = float("inf")


def answer(desk: Desk, asks: Asks, request: LeaseRequest, now: Instant) -> Answer:
    """Decide on a request. Raises `InputError` for one that makes no sense to the desk.

    Of several pools the first that accepts is taken, else the counter-offers and the reason are those of the
    pool that comes nearest: one that has room before one that has none, then the cheapest.
    """
    check(desk, asks, request, now)
    terms = tier_terms(desk, request)
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
    if not 1 <= request.accelerators <= ACCELERATORS_MAX:
        raise InputError(
            f"{request.accelerators} accelerators", fix=f"ask for a whole number from 1 to {ACCELERATORS_MAX:,}"
        )
    if request.until_at <= request.from_at:
        raise InputError(f"it ends {iso(request.until_at)}, not after its start {iso(request.from_at)}")
    if request.from_at < now:
        raise InputError(f"it starts {iso(request.from_at)}, which is in the past", fix=f"now is {iso(now)}")
    if request.until_at > asks.book.horizon.until_at:
        fix = f"end by {iso(asks.book.horizon.until_at)}"
        raise InputError(f"it ends {iso(request.until_at)}, beyond what the desk quotes", fix=fix)
    if request.bid_micro_usd is not None and request.bid_micro_usd <= 0:
        raise InputError("a bid of nothing", fix="leave the bid out to be told the price")
    if not request.pools:
        raise InputError("it names no pool", fix="name a pool, or an accelerator the desk has")
    if desk.lessees and request.lessee not in desk.lessees:
        raise InputError(f"unknown lessee {request.lessee!r}", fix="the desk's document lists whom it leases to")
    for pool in request.pools:
        asks.book.index(pool)


def _distance(found: Answer) -> tuple[bool, float]:
    reason = found.reason
    return reason.because in (Because.CAPACITY, Because.ANCHOR, Because.RECALL), reason.displacement_usd


@dataclass(frozen=True, slots=True)
class _Case:
    """One request in one pool, in the desk's own terms."""

    desk: Desk
    asks: Asks
    request: LeaseRequest
    terms: TierTerms
    pool: PoolId
    row: int

    def batch(self, accelerators: Sequence[int] | int, shifts_s: Sequence[int] | int) -> Requests:
        """Variants of the request: other quantities, later starts."""
        quantities, later = np.broadcast_arrays(np.atleast_1d(accelerators), np.atleast_1d(shifts_s))
        bid = self.request.bid_micro_usd
        return Requests(
            side=np.full(len(quantities), SIDES[self.terms.firm]),
            row=np.full(len(quantities), self.row),
            accelerators=quantities.astype(np.int64),
            from_at=self.request.from_at + later.astype(np.int64),
            until_at=self.request.until_at + later.astype(np.int64),
            bid_usd=np.full(len(quantities), _ANY_PRICE if bid is None else bid / MICRO_PER_USD),
            floor_usd=np.full(len(quantities), usd(self.terms.floor_micro_usd)),
        )

    def signed(self, accelerators: int, shift_s: int, displaced_usd: float) -> Terms:
        """The terms of a variant that passes: at the bid, or at the price named to who names none."""
        request, bid = self.request, self.request.bid_micro_usd
        window = Instant(request.from_at + shift_s), Instant(request.until_at + shift_s)
        if bid is None:
            hourly = displaced_usd / self.hours(accelerators)
            bid = named_price(self.terms, self.pool, accelerators, window, hourly, self.desk.rules.tick_micro_usd)
        return Terms(pool=self.pool, accelerators=accelerators, from_at=window[0], until_at=window[1], micro_usd=bid)

    def hours(self, accelerators: int) -> float:
        """Accelerator-hours of so many over the request's window."""
        return accelerators * (self.request.until_at - self.request.from_at) / SECONDS_PER_HOUR


def _in_pool(desk: Desk, asks: Asks, request: LeaseRequest, terms: TierTerms, pool: PoolId) -> Answer:
    row = asks.book.index(pool)
    asks.refresh(row)
    case = _Case(desk, asks, request, terms, pool, row)
    got = answers(asks, case.batch(request.accelerators, 0))
    free, ask, displaced = int(got.free[0]), float(got.ask_usd[0]), float(got.displaced_usd[0])
    reason = _reason(case, free, displaced, ask)
    if got.accepted[0]:
        offer = case.signed(request.accelerators, 0, displaced)
        return Answer(verdict=Verdict.ACCEPT, offer=offer, counters=(), reason=reason)
    counters = _counters(case, free, ask)
    verdict = Verdict.COUNTER if counters else Verdict.REFUSE
    return Answer(verdict=verdict, offer=None, counters=counters, reason=reason)


def _counters(case: _Case, free: int, ask_usd: float) -> tuple[Terms, ...]:
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


def _reason(case: _Case, free: int, displaced_usd: float, ask_usd: float) -> Reason:
    """The figures of the tightest day of the window, and the first rule that is in the way."""
    book, request = case.asks.book, case.request
    first = book.horizon.first_day(request.from_at)
    days = slice(first, book.horizon.end_day(request.until_at))
    side = SIDES[case.terms.firm]
    free_days = case.asks.free[side, case.row, 0, days]
    tight = first + int(np.argmin(free_days))
    law = case.asks.tables.laws[case.row]
    left = (book.capacity[case.row, days] - book.firm[case.row, days]).astype(np.float64)
    taken = float(request.accelerators) if case.terms.firm else 0.0
    recalled_from = left - book.recallable[case.row, days] - request.accelerators
    hours = case.hours(request.accelerators)
    headroom = int(headrooms(book, case.asks.tables, case.row)[side][tight])
    return Reason(
        because=_because(case, free, headroom, ask_usd),
        pool=case.pool,
        tightest_at=book.horizon.day_at(tight),
        free=free,
        capacity=int(book.capacity[case.row, tight]),
        firm=int(book.firm[case.row, tight]),
        recallable=int(book.recallable[case.row, tight]),
        protected=int(kept(book, case.asks.tables, side, case.row)[tight]),
        contracted=int(law.right[tight]),
        short_before_frac=float(short_frac(book, case.asks.tables, case.row, left, days).max()),
        short_after_frac=float(short_frac(book, case.asks.tables, case.row, left - taken, days).max()),
        short_max_frac=case.desk.rules.anchor_short_max_frac,
        recall_frac=0.0
        if side == FIRM
        else float(short_frac(book, case.asks.tables, case.row, recalled_from, days).max()),
        displacement_usd=displaced_usd,
        revenue_usd=hours * (request.bid_micro_usd or 0) / MICRO_PER_USD,
        floor_micro_usd=case.terms.floor_micro_usd,
    )


def _because(case: _Case, free: int, headroom: int, ask_usd: float) -> Because:
    request = case.request
    if headroom < request.accelerators:
        return Because.CAPACITY
    if free < request.accelerators:
        return Because.ANCHOR if case.terms.firm else Because.RECALL
    if request.bid_micro_usd is None or request.bid_micro_usd / MICRO_PER_USD >= ask_usd:
        return Because.NOTHING
    return Because.FLOOR if request.bid_micro_usd < case.terms.floor_micro_usd else Because.PRICE
