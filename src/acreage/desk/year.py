"""A year at the desk in one pool, under several policies at once on the same arrivals.

Time goes by days. Each day the desk sees what the anchor has called for a further day ahead and recalls
what must give way, then answers the day's requests one by one. Tables are made anew every day.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from acreage.desk.anchor import AnchorLaw
from acreage.desk.arrivals import MadeYear
from acreage.desk.horizon import Counts, Numbers
from acreage.desk.prices.named import named_price
from acreage.desk.recalls import Recallable, give_way
from acreage.desk.tables import FIRM, HOURS, RECALLABLE, value_at
from acreage.domain.desk import TierTerms
from acreage.units.ids import LeaseId, PoolId
from acreage.units.instants import SECONDS_PER_DAY, Instant
from acreage.units.money import MICRO_PER_USD


class Policy(StrEnum):
    """Who decides: the desk's tables, or whoever comes first, with or without leasing the anchor's slack.

    Under the last two nobody bids: the desk names list prices, or best prices where a take-up curve is
    stated, and the price is paid by whoever would have bid as much.
    """

    DESK = "desk"
    FIRST_COME = "first-come"
    FIRST_COME_FULL = "first-come-full"
    LIST_PRICES = "list-prices"
    BEST_PRICES = "best-prices"


FIRST_COMERS = (Policy.FIRST_COME, Policy.FIRST_COME_FULL)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all policies share in one pool: arrays over the days simulated.

    `protected` (2, days), `full` (days,) the anchor's whole right; `revenue` (2, reach, points) is W by days
    ahead, `short` (days, points) is E[(need - headroom)+]; both on the grid of `step`. `measured` are the days
    whose revenue counts. `terms` are those of the tiers in `pool`, in the order of the arrivals' tiers; prices are
    multiples of `tick` micro-dollars; the first day begins at `from_at`.
    """

    pool: PoolId
    from_at: Instant
    terms: tuple[TierTerms, ...]
    tick: int
    law: AnchorLaw
    capacity: Counts
    protected: Counts
    full: Counts
    revenue: Numbers
    short: Numbers
    step: float
    penalties_usd: tuple[float, float]
    notice_days: int
    call_notice_days: int
    measured: slice


@dataclass(slots=True)
class Run:
    """One policy in one replication: the books by day, what it earned, what it turned away.

    `firm_at_call` is what was leased firm on a day when the anchor called for it: the promise it was given.
    """

    policy: Policy
    year: MadeYear
    firm: Counts
    recallable: Counts
    firm_at_call: Counts
    leases: dict[str, Recallable] = field(default_factory=dict)
    revenue_usd: float = 0.0
    asked_hours: float = 0.0
    spilled_hours: float = 0.0
    sold_hours: float = 0.0
    admitted: int = 0
    recalled: int = 0


def run_years(
    ground: Ground, years: list[MadeYear], policies: tuple[Policy, ...], arrival_days: int
) -> list[list[Run]]:
    """Every policy in every replication: a list a policy, of runs in the order of the replications."""
    days = len(ground.capacity)
    runs = [
        [Run(policy, year, _nothing(days), _nothing(days), _nothing(days)) for year in years] for policy in policies
    ]
    bounds = [np.searchsorted(year.arrivals.day, np.arange(arrival_days + 1)).tolist() for year in years]
    for day in range(arrival_days):
        values = day_values(ground, day)
        for of_policy in runs:
            for run, bound in zip(of_policy, bounds, strict=True):
                _recall_for_anchor(ground, run, day)
                for i in range(bound[day], bound[day + 1]):
                    _answer(ground, run, values, day, i)
    for day in range(arrival_days, days):
        for of_policy in runs:
            for run in of_policy:
                _recall_for_anchor(ground, run, day)
    return runs


def day_values(ground: Ground, day: int) -> Numbers:
    """V of `tables` for the days from `day` on, shape (2, reach, points)."""
    reach = min(ground.revenue.shape[1], len(ground.capacity) - day)
    grid = np.linspace(0.0, ground.step * (ground.revenue.shape[2] - 1), ground.revenue.shape[2])
    found = []
    for side in (FIRM, RECALLABLE):
        level: Numbers = grid[:, None] - ground.protected[side, day : day + reach][None].astype(np.float64)
        revenue = value_at(ground.revenue[side, :reach], ground.step, level).T
        found.append(HOURS * (revenue - ground.penalties_usd[side] * ground.short[day : day + reach]))
    return np.stack(found)


def shortfall(ground: Ground, run: Run) -> Numbers:
    """Accelerators the anchor is short of on each measured day."""
    days = ground.measured
    leased = run.firm[days] + run.recallable[days]
    return np.asarray(np.maximum(run.year.need[days] + leased - ground.capacity[days], 0.0))


def _answer(ground: Ground, run: Run, values: Numbers, day: int, i: int) -> None:
    asked = run.year.arrivals
    accelerators, first, end = int(asked.accelerators[i]), int(asked.first[i]), int(asked.end[i])
    side = FIRM if asked.firm[i] else RECALLABLE
    hours = HOURS * accelerators * _overlap(first, end, ground.measured)
    run.asked_hours += hours
    price_usd = _price_usd(ground, run, values, day, i)
    if price_usd is None:
        run.spilled_hours += hours
        return
    if side == FIRM:
        if not _make_room(ground, run, day, accelerators, first, end):
            run.spilled_hours += hours
            return
        run.firm[first:end] += accelerators
    else:
        run.recallable[first:end] += accelerators
        lease = LeaseId(str(i))
        run.leases[lease] = Recallable(
            lease=lease,
            accelerators=accelerators,
            first=first,
            end=end,
            notice_days=ground.notice_days,
            micro_usd=round(price_usd * 1e6),
        )
    run.admitted += 1
    run.sold_hours += hours
    run.revenue_usd += hours * price_usd


def _price_usd(ground: Ground, run: Run, values: Numbers, day: int, i: int) -> float | None:
    """What request i pays an accelerator-hour under the run's policy; None where it is turned away or turns away."""
    asked = run.year.arrivals
    accelerators, first, end = int(asked.accelerators[i]), int(asked.first[i]), int(asked.end[i])
    side, bid_usd = FIRM if asked.firm[i] else RECALLABLE, float(asked.bid_usd[i])
    displaced = _displaced_usd(ground, run, values, day, side, (accelerators, first, end))
    if displaced is None:
        return None
    hourly = displaced / (HOURS * accelerators * (end - first))
    if run.policy in (Policy.LIST_PRICES, Policy.BEST_PRICES):
        terms = ground.terms[int(asked.tier[i])]
        if run.policy is Policy.LIST_PRICES:
            terms = replace(terms, take_up=())
        window = (_at(ground, first), _at(ground, end))
        price = named_price(terms, ground.pool, accelerators, window, hourly, ground.tick) / MICRO_PER_USD
        return price if price <= bid_usd else None
    return bid_usd if bid_usd >= hourly else None


def _at(ground: Ground, day: int) -> Instant:
    return Instant(ground.from_at + day * SECONDS_PER_DAY)


def _displaced_usd(
    ground: Ground, run: Run, values: Numbers, day: int, side: int, asked: tuple[int, int, int]
) -> float | None:
    """What a request displaces in USD, nothing for who asks no tables; None where there is no room under the limits."""
    accelerators, first, end = asked
    window = slice(first, end)
    headroom = ground.capacity[window] - run.firm[window]
    if side == RECALLABLE:
        headroom = headroom - run.recallable[window]
    else:
        # Within the notice of a recall a recallable lease stands like a firm one.
        soon = min(max(day + ground.notice_days + 1 - first, 0), end - first)
        headroom[:soon] -= run.recallable[first : first + soon]
    kept = (ground.full if run.policy is Policy.FIRST_COME_FULL else ground.protected[side])[window].copy()
    called = min(max(day + ground.call_notice_days + 1 - first, 0), end - first)
    needed = run.year.need[first : first + called].astype(np.int64)
    kept[:called] = np.where(needed > 0, needed, kept[:called])
    if int((headroom - kept).min()) < accelerators:
        return None
    if run.policy in FIRST_COMERS:
        return 0.0
    rows = values[side, first - day : end - day]
    before = (headroom - kept + ground.protected[side][window]).astype(np.float64)
    displaced = value_at(rows, ground.step, before) - value_at(rows, ground.step, before - accelerators)
    return float(displaced.sum())


def _make_room(ground: Ground, run: Run, day: int, accelerators: int, first: int, end: int) -> bool:
    """Recall what stands where a firm lease is to be; False where it does not give way."""
    window = slice(first, end)
    over = run.firm[window] + run.recallable[window] + accelerators - ground.capacity[window]
    called = min(max(day + ground.call_notice_days + 1 - first, 0), end - first)
    over[:called] += run.year.need[first : first + called].astype(np.int64)
    if int(over.max()) <= 0:
        return True
    short = np.zeros(end - day, dtype=np.int64)
    short[first - day :] = np.maximum(over, 0)
    return _give_way(ground, run, day, short)


def _recall_for_anchor(ground: Ground, run: Run, day: int) -> None:
    """The anchor has called for one further day: recall what stands in its way."""
    called = day + ground.call_notice_days
    for at in range(called if day else day, min(called + 1, len(ground.capacity))):
        need = int(run.year.need[at])
        run.firm_at_call[at] = run.firm[at]
        over = int(run.firm[at] + run.recallable[at]) + need - int(ground.capacity[at])
        back = min(over, int(run.recallable[at]))
        if back > 0:
            short = np.zeros(at - day + 1, dtype=np.int64)
            short[at - day] = back
            _give_way(ground, run, day, short)


def _give_way(ground: Ground, run: Run, day: int, short: Counts) -> bool:
    """Recall the cheapest that clear what is short from `day` on; earnings after the recall become compensation."""
    here = [
        Recallable(
            lease=one.lease,
            accelerators=one.accelerators,
            first=max(one.first - day, 0),
            end=one.end - day,
            notice_days=one.notice_days,
            micro_usd=one.micro_usd,
        )
        for one in run.leases.values()
        if one.end > day
    ]
    found = give_way(short, here)
    if found is None:
        return False
    for lease, from_day in found:
        one = run.leases.pop(lease)
        run.recallable[day + from_day : one.end] -= one.accelerators
        hours = HOURS * one.accelerators * _overlap(day + from_day, one.end, ground.measured)
        run.revenue_usd -= hours * (one.micro_usd / 1e6 + ground.penalties_usd[RECALLABLE])
        run.sold_hours -= hours
        run.recalled += 1
    return True


def _nothing(days: int) -> Counts:
    return np.zeros(days, dtype=np.int64)


def _overlap(first: int, end: int, days: slice) -> int:
    return int(max(min(end, days.stop) - max(first, days.start), 0))
