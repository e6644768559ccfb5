"""What the auditor stands on: grid, load blocks, frames as arrays, and how it doubts.

The auditor shares no code with the engine or with what builds its problem: it reads the domain values,
prices with the pricing rules and derives everything else anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from acreage.domain.finding import Finding, Severity
from acreage.domain.future import Future
from acreage.domain.plan import Outcome
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import ServingFleet
from acreage.pricing.present_value import discount_factor
from acreage.units.ids import PoolId, WorkloadId
from acreage.units.instants import SECONDS_PER_HOUR

Array = NDArray[np.float64]

MUST = "must"
"""Name of the future in which hard promises are shown to hold, where the frames hold one."""

EVERY_BLOCK = "all"
QUANTITY_TOLERANCE_FRAC = 1e-6
MONEY_TOLERANCE_FRAC = 1e-9
MONEY_TOLERANCE_USD = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The load blocks that all fleets share: names, shares of hours (B,), each fleet's level (B,)."""

    names: tuple[str, ...]
    hours_frac: Array
    level: Mapping[WorkloadId, Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The outcome under audit and the arrays that every check needs.

    S futures, T periods, B load blocks. `runs` holds the dispatch of each (workload, pool),
    `market` accelerators and USD of each (pool, kind), all (S, T, B); `given_up` shares by
    (future, source, tranche).
    """

    portfolio: Portfolio
    outcome: Outcome
    futures: tuple[Future, ...]
    split: Split
    begins: Array
    ends: Array
    hours: Array
    factors: Array
    runs: Mapping[tuple[WorkloadId, PoolId], Array]
    market: Mapping[tuple[str, str], Array]
    market_usd: Mapping[tuple[str, str], Array]
    given_up: Mapping[tuple[str, str, int], float]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(S, T, B)."""
        return len(self.futures), len(self.hours), len(self.split.names)

    @property
    def horizon_at(self) -> int:
        """End of the last period."""
        return self.portfolio.periods[-1].until_at

    @property
    def block_hours(self) -> Array:
        """Hours of each (T, B)."""
        return self.hours[:, None] * self.split.hours_frac[None, :]

    def overlap_frac(self, from_at: float, until_at: float) -> Array:
        """Share of each period (T,) within [from_at, until_at)."""
        seconds = np.minimum(self.ends, until_at) - np.maximum(self.begins, from_at)
        return np.asarray(np.maximum(seconds, 0.0) / (self.ends - self.begins))


def make_ground(portfolio: Portfolio, outcome: Outcome, futures: tuple[Future, ...]) -> Ground:
    """Read the outcome's frames onto the portfolio's grid."""
    frames = outcome.frames
    names = set(frames["dispatch"]["future"].to_list()) if "dispatch" in frames else set()
    played = futures
    if MUST in names and all(f.name != MUST for f in futures):
        played = (*futures, _as_must(futures[0]))
    begins = np.array([p.from_at for p in portfolio.periods], dtype=float)
    ends = np.array([p.until_at for p in portfolio.periods], dtype=float)
    frac = portfolio.policy.discount_frac_per_year
    middles = (begins + ends) / 2
    split = shared_split(portfolio)
    reader = _Reader(futures=played, periods=len(begins), split=split)
    return Ground(
        portfolio=portfolio,
        outcome=outcome,
        futures=played,
        split=split,
        begins=begins,
        ends=ends,
        hours=(ends - begins) / SECONDS_PER_HOUR,
        factors=np.array([discount_factor(at, portfolio.as_of_at, frac) for at in middles]),
        runs=reader.cube(frames["dispatch"], ("workload", "pool"), "accelerators"),  # type: ignore[arg-type]
        market=reader.cube(frames["market"], ("pool", "kind"), "accelerators"),
        market_usd=reader.cube(frames["market"], ("pool", "kind"), "usd", spread=True),
        given_up={
            (row["future"], row["source"], row["tranche"]): row["frac"]
            for row in frames["given_up"].iter_rows(named=True)
        },
    )


def _as_must(base: Future) -> Future:
    return Future(
        name=MUST,
        probability=0.0,
        demand_factor=base.demand_factor,
        work_factor=base.work_factor,
        delay_days=base.delay_days,
        price_factor=base.price_factor,
        limit_factor=base.limit_factor,
        outages=base.outages,
        recalled_at=base.recalled_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    futures: tuple[Future, ...]
    periods: int
    split: Split

    def cube(
        self, frame: pl.DataFrame, keys: tuple[str, str], value: str, *, spread: bool = False
    ) -> dict[tuple[str, str], Array]:
        """Sums of a frame's column by key, each (S, T, B); a row for every block stands in each.

        With `spread` such a row is divided over the blocks by their hours instead.
        """
        blocks = {name: b for b, name in enumerate(self.split.names)}
        numbers = {future.name: s for s, future in enumerate(self.futures)}
        shape = (len(self.futures), self.periods, len(blocks))
        found: dict[tuple[str, str], Array] = {}
        for (one, other, block), rows in frame.group_by([*keys, "block"], maintain_order=True):
            cube = found.setdefault((str(one), str(other)), np.zeros(shape))
            s = np.array([numbers[name] for name in rows["future"].to_list()], dtype=np.int64)
            t, amount = rows["period"].to_numpy(), rows[value].to_numpy()
            if block in blocks:
                np.add.at(cube[:, :, blocks[str(block)]], (s, t), amount)
            elif block == EVERY_BLOCK:
                share = self.split.hours_frac if spread else np.ones(len(blocks))
                np.add.at(cube, (s, t), amount[:, None] * share)
            else:
                raise KeyError(block)
        return found


def shared_split(portfolio: Portfolio) -> Split:
    """The coarsest split that every fleet's blocks can be cut from, all peaks at the same hours."""
    fleets = [w for w in portfolio.workloads if isinstance(w, ServingFleet)]
    stairs = {fleet.id: _stairs(fleet) for fleet in fleets}
    names: dict[float, str] = {}
    for steps in stairs.values():
        for until, _, name in steps:
            names.setdefault(until, name)
    edges = sorted({0.0, 1.0, *names})
    levels = {
        fleet: np.array([_step_level(steps, (a + b) / 2) for a, b in pairwise(edges)])
        for fleet, steps in stairs.items()
    }
    labels: list[str] = []
    seen: dict[str, int] = {}
    for edge in edges[1:]:
        name = names.get(edge, EVERY_BLOCK)
        seen[name] = seen.get(name, 0) + 1
        labels.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return Split(names=tuple(labels), hours_frac=np.diff(edges), level=levels)


def _stairs(fleet: ServingFleet) -> list[tuple[float, float, str]]:
    """(share of hours up to its end, level, name) of each block, highest level first."""
    until, steps = 0.0, []
    for block in sorted(fleet.load_blocks, key=lambda b: -b.level_frac):
        until = round(until + block.hours_frac, 9)
        steps.append((min(until, 1.0), block.level_frac, block.name))
    return steps


def _step_level(steps: list[tuple[float, float, str]], at: float) -> float:
    for until, level, _ in steps:
        if at < until:
            return level
    return steps[-1][1] if steps else 1.0


def doubt(rule: str, subject: str, message: str, row: str = "") -> Finding:
    """An error that the auditor found in a plan."""
    return Finding(severity=Severity.ERROR, rule=rule, source="plan", row=row, subject=subject, message=message)


def money_differs(stated_usd: float, derived_usd: float, scale_usd: float = 0.0) -> bool:
    """Beyond a cent and 1e-9 of the amount, or of `scale_usd`; what is not a number always differs.

    A difference of large amounts is only as exact as these: `scale_usd` is their size.
    """
    margin = max(MONEY_TOLERANCE_USD, MONEY_TOLERANCE_FRAC * max(abs(derived_usd), scale_usd))
    return not abs(stated_usd - derived_usd) <= margin


def over(value: Array, limit: Array) -> Array:
    """By how much values exceed their limits, zero where within 1e-6 of the limit or of one accelerator."""
    margin = QUANTITY_TOLERANCE_FRAC * np.maximum(np.abs(limit), 1.0)
    excess = np.asarray(value - limit)
    return np.where(np.isnan(excess), np.inf, np.where(excess > margin, excess, 0.0))


def worst(ground: Ground, excess: Array, rule: str, subject: str, what: str) -> Iterator[Finding]:
    """One finding for the worst of an array (S, T, ...) of excesses and their count; none if all are 0."""
    if not excess.any():
        return
    at = np.unravel_index(int(np.argmax(excess)), excess.shape)
    where = f"{ground.futures[at[0]].name}, period {at[1]}"
    if len(at) > 2:
        where += f", block {ground.split.names[at[2]]}"
    count = int((excess > 0).sum())
    yield doubt(rule, subject, f"{what} by {excess[at]:.9g}, the worst of {count} places", row=where)
