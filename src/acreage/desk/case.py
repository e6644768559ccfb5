"""One request in one pool, its variants as arrays, its terms and the reason of its answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acreage.desk.asks import SIDES, Asks, headrooms, kept, short_frac
from acreage.desk.batch import Requests
from acreage.desk.prices.named import named_price
from acreage.desk.tables import FIRM
from acreage.domain.desk import Because, Desk, LeaseRequest, Reason, Terms, TierTerms
from acreage.units.ids import PoolId
from acreage.units.instants import SECONDS_PER_HOUR, Instant
from acreage.units.money import MICRO_PER_USD, MicroUsd, usd

_ANY_PRICE = float("inf")

NO_ROOM = (Because.CAPACITY, Because.ANCHOR, Because.RECALL)
"""The rules that no price changes."""


@dataclass(frozen=True, slots=True)
class Case:
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
            side=np.array([SIDES[self.terms.firm]]),
            row=np.array([self.row]),
            accelerators=quantities.astype(np.int64),
            from_at=self.request.from_at + later.astype(np.int64),
            until_at=self.request.until_at + later.astype(np.int64),
            bid_usd=np.array([_ANY_PRICE if bid is None else bid / MICRO_PER_USD]),
            floor_usd=np.array([usd(self.terms.floor_micro_usd)]),
        )

    def signed(self, accelerators: int, shift_s: int, displaced_usd: float) -> Terms:
        """The terms of a variant that passes: at the bid, or at the price named to who names none."""
        bid = self.request.bid_micro_usd
        return Terms(
            pool=self.pool,
            accelerators=accelerators,
            from_at=Instant(self.request.from_at + shift_s),
            until_at=Instant(self.request.until_at + shift_s),
            micro_usd=self.named(accelerators, shift_s, displaced_usd) if bid is None else bid,
        )

    def named(self, accelerators: int, shift_s: int, displaced_usd: float) -> MicroUsd:
        """The price an accelerator-hour of a variant for who names no bid."""
        window = Instant(self.request.from_at + shift_s), Instant(self.request.until_at + shift_s)
        hourly = displaced_usd / self.hours(accelerators)
        return named_price(self.terms, self.pool, accelerators, window, hourly, self.desk.rules.tick_micro_usd)

    def hours(self, accelerators: int) -> float:
        """Accelerator-hours of so many over the request's window."""
        return accelerators * (self.request.until_at - self.request.from_at) / SECONDS_PER_HOUR


def reason_of(case: Case, free: int, displaced_usd: float, ask_usd: float) -> Reason:
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


def _because(case: Case, free: int, headroom: int, ask_usd: float) -> Because:
    request = case.request
    if headroom < request.accelerators:
        return Because.CAPACITY
    if free < request.accelerators:
        return Because.ANCHOR if case.terms.firm else Because.RECALL
    if request.bid_micro_usd is None or request.bid_micro_usd / MICRO_PER_USD >= ask_usd:
        return Because.NOTHING
    return Because.FLOOR if request.bid_micro_usd < case.terms.floor_micro_usd else Because.PRICE
