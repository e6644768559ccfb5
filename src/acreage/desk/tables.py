"""The desk's tables: what headroom is worth on each day, how much is kept for the anchor, and their version.

Headroom h of a pool on a day is its capacity less what is leased. For firm leases its value is
V(h) = 24 W(h - a) - 24 d E[(need - h)+]: a is the level protected for the anchor, d the damages an hour,
W the revenue expected from h - a free accelerators an hour. W' is the bid price: the least bid p that is
accepted when, as in EMSR-b (Belobaba 1992; Talluri and van Ryzin 2004, section 2.2.4.2), the classes j that
bid more than p are taken together at their mean fare f_j and p >= f_j P(D_1..j > x) for each. For
recallable leases the level is that of the recall limit, d the compensation, and only recallable classes
and firm requests too late for a recall bring revenue, after all earlier firm demand is met. An answer costs
what it takes from V on each of its days.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from acreage.desk.anchor import AnchorLaw, anchor_law
from acreage.desk.horizon import Counts, Horizon, Numbers
from acreage.desk.wanted import FareClass, fare_classes
from acreage.domain.desk import AnchorContract, Desk, DeskPool
from acreage.units.ids import PoolId
from acreage.units.instants import Instant
from acreage.units.money import usd

POINTS = 129
"""Points of the grid of headroom; between them values are linear."""

FIRM, RECALLABLE = 0, 1
"""The two sides of the tables, the first axis of their arrays."""

HOURS = 24.0

_KEPT_MIN = 0.001
"""Below this probability of being kept, a recallable lease is as good as recalled."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables of all pools.

    `protected` (2, pools, days) is kept from each side; `value_usd` (2, pools, days, POINTS) is V at headroom
    0, step, 2 step, … with `step` (pools,) in accelerators; `bid_usd` (2, pools, days, POINTS) is W' an
    accelerator-hour at so much free. `notice_days` is the longest notice of a recall,
    `call_notice_days` that of the anchor's calls.
    """

    version: str
    horizon: Horizon
    pools: tuple[PoolId, ...]
    laws: tuple[AnchorLaw, ...]
    protected: Counts
    step: Numbers
    value_usd: Numbers
    bid_usd: Numbers
    notice_days: int
    call_notice_days: int


def notice_of(desk: Desk) -> int:
    """The longest notice of a recall that the desk sells with."""
    return max((tier.recall_notice_days or 0 for tier in desk.tiers), default=0)


def version_of(desk: Desk, from_at: Instant) -> str:
    """What names the tables of a desk's document on a day: another document or day gives another name."""
    return hashlib.sha256(f"{desk.digest} {from_at}".encode()).hexdigest()[:12]


def build_tables(desk: Desk, horizon: Horizon, pools: Sequence[PoolId] | None = None) -> Tables:
    """The tables of some pools (None: all) from `horizon.from_at` on; milliseconds a pool."""
    chosen = [pool for pool in desk.pools if pools is None or pool.id in pools]
    parts = [_pool_tables(desk, horizon, pool) for pool in chosen]
    return Tables(
        version=version_of(desk, horizon.from_at),
        horizon=horizon,
        pools=tuple(pool.id for pool in chosen),
        laws=tuple(part.law for part in parts),
        protected=np.stack([part.protected for part in parts], axis=1),
        step=np.array([part.step for part in parts]),
        value_usd=np.stack([part.value for part in parts], axis=1),
        bid_usd=np.stack([part.bid for part in parts], axis=1),
        notice_days=notice_of(desk),
        call_notice_days=desk.anchor.call_notice_days,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    law: AnchorLaw
    protected: Counts
    step: float
    value: Numbers
    bid: Numbers


def _pool_tables(desk: Desk, horizon: Horizon, pool: DeskPool) -> _Part:
    most = max(step.accelerators for step in pool.capacity)
    law = anchor_law(contract_in(desk, pool.id), horizon)
    protected = protected_levels(desk, law)
    grid = np.linspace(0.0, float(most), POINTS)
    owed = usd(desk.rules.recall_compensation_micro_usd)
    bid = bid_prices(classes_of(desk, pool.id, horizon.days, most), grid, notice_of(desk), owed)
    bid = np.broadcast_to(bid, (2, horizon.days, POINTS))
    penalties = (usd(desk.anchor.damages_micro_usd), usd(desk.rules.recall_compensation_micro_usd))
    value = np.stack([headroom_value(law, protected[i], grid, bid[i], penalties[i]) for i in (FIRM, RECALLABLE)])
    return _Part(law, protected, float(grid[1]), value, bid)


def contract_in(desk: Desk, pool: PoolId) -> AnchorContract | None:
    """The anchor's contract in a pool, None where it has none."""
    return next((contract for contract in desk.anchor.contracts if contract.pool == pool), None)


def protected_levels(desk: Desk, law: AnchorLaw) -> Counts:
    """Accelerators kept for the anchor from firm and from recallable leases, shape (2, days).

    From firm ones, what its limit asks for and no less than its right less the overbooking allowed.
    """
    least = np.ceil(law.right * (1.0 - desk.rules.overbooking_max_frac)).astype(np.int64)
    firm = np.maximum(law.protected(desk.rules.anchor_short_max_frac), least)
    return np.stack([firm, np.minimum(law.protected(desk.rules.recall_max_frac), firm)])


def classes_of(desk: Desk, pool: PoolId, days: int, most: int) -> list[FareClass]:
    """The fare classes wanted in a pool, the highest fare first."""
    found = [
        fare
        for terms in desk.tiers
        for demand in terms.demand
        if demand.pool == pool
        for fare in fare_classes(terms, demand, desk.bursts, days, most)
    ]
    return sorted(found, key=lambda fare: -fare.fare_usd)


def bid_prices(classes: Sequence[FareClass], grid: Numbers, notice_days: int, compensation_usd: float = 0.0) -> Numbers:
    """W' of both sides at so many free accelerators, shape (2, days, points), in USD an accelerator-hour.

    A recallable lease gives way to firm requests that come earlier than its notice before their day, and
    displaces those that come later.
    """
    if not classes:
        return np.zeros((2, 1, len(grid)))
    firm = [fare for fare in classes if fare.firm]
    parts = [fare.parted(notice_days) for fare in firm]
    late = [fare for fare in classes if not fare.firm] + [late for _, late in parts]
    late.sort(key=lambda fare: -fare.fare_usd)
    before = [early for early, _ in parts]
    return np.stack([_accepted_from((), classes, grid, 0.0), _accepted_from(before, late, grid, compensation_usd)])


def _accepted_from(
    before: Sequence[FareClass], classes: Sequence[FareClass], grid: Numbers, owed_usd: float
) -> Numbers:
    """The least bid accepted: min over m of max(f_(m+1), max over j <= m of F_j P(D_1..j > x)), where below f_m.

    `before` are classes that recall: with probability P(B > x) the x-th is taken by them and owes `owed_usd` an
    hour, so that what it earns and displaces is conditional on P(B <= x). Without them this is EMSR-b.
    """
    days = len(classes[0].mean)
    mean, variance, surge = (
        sum((getattr(fare, name) for fare in before), np.zeros(days)) for name in ("mean", "variance", "surge")
    )
    gone = exceeding(mean, variance + surge**2, grid) if before else np.zeros((days, len(grid)))
    kept = np.maximum(1.0 - gone, _KEPT_MIN)
    earned, wanted = np.zeros(days), np.zeros(days)
    least = np.full((days, len(grid)), classes[0].fare_usd)
    highest = np.zeros_like(least)
    for m, fare in enumerate(classes):
        mean, variance, surge = mean + fare.mean, variance + fare.variance, surge + fare.surge
        earned, wanted = earned + fare.fare_usd * fare.mean, wanted + fare.mean
        average = earned / np.maximum(wanted, 1e-12)
        wanted_more = (exceeding(mean, variance + surge**2, grid) - gone) / kept
        highest = np.maximum(highest, average[:, None] * np.maximum(wanted_more, 0.0) + owed_usd * gone / kept)
        below = classes[m + 1].fare_usd if m + 1 < len(classes) else 0.0
        candidate = np.maximum(highest, below)
        least = np.where(candidate < fare.fare_usd, np.minimum(least, candidate), least)
    return least


def exceeding(mean: Numbers, variance: Numbers, grid: Numbers) -> Numbers:
    """P(D > x) for gamma D of these means and variances (days,), at the grid: shape (days, points).

    By the cube-root normal approximation of Wilson and Hilferty (1931), which needs no incomplete gamma.
    """
    there = mean > 1e-9
    shape = np.where(there, mean**2 / np.maximum(variance, 1e-12), 1.0)[:, None]
    root = np.cbrt(grid[None] / np.where(there, mean, 1.0)[:, None])
    tail = ndtr((1.0 - 1.0 / (9.0 * shape) - root) * 3.0 * np.sqrt(shape))
    return np.where(there[:, None], tail, 0.0)


def headroom_value(law: AnchorLaw, protected: Counts, grid: Numbers, bid: Numbers, penalty_usd: float) -> Numbers:
    """V on the grid of headroom for each day, shape (days, points), in USD a day."""
    step = grid[1] - grid[0]
    revenue = np.concatenate(
        [np.zeros((len(bid), 1)), np.cumsum((bid[:, 1:] + bid[:, :-1]) / 2 * step, axis=1)], axis=1
    )
    shifted = value_at(revenue, float(step), grid[:, None] - protected[None]).T
    if penalty_usd == 0.0:
        return np.asarray(HOURS * shifted)
    short = np.stack([law.excess(np.full(len(protected), level)) for level in grid], axis=1)
    return HOURS * (shifted - penalty_usd * short)


def value_at(rows: Numbers, step: float, level: Numbers) -> Numbers:
    """Rows of values (days, points) read at levels (…, days), linear between points and flat beyond the ends."""
    at = np.clip(level / step, 0.0, rows.shape[1] - 1.0)
    low = np.minimum(at.astype(np.int64), rows.shape[1] - 2)
    part = at - low
    flat = rows.reshape(-1)
    low += np.arange(rows.shape[0]) * rows.shape[1]
    return np.asarray(flat[low] * (1.0 - part) + flat[low + 1] * part)
