"""What the desk costs: quotes in batch and one by one, new tables, an admission; and what a simulated year brings.

    python benchmarks/desk/quotes.py                 all of it: 50 pools x 365 days, 100,000 leases on the books
    python benchmarks/desk/quotes.py --only year --replications 40 --seed 7

Times are of the processor, one core. Load: leases of 1 to 64 accelerators over 1 to 120 days, requests alike at bids
from 1 to 8 USD; a third of them recallable. The year is that of examples/desk.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from acreage.catalog.accelerators import load_accelerators
from acreage.desk.asks import Asks, laid_out
from acreage.desk.batch import Requests, answers
from acreage.desk.book import Book, daily
from acreage.desk.horizon import Horizon
from acreage.desk.outcome import simulate
from acreage.desk.quote import answer
from acreage.desk.tables import build_tables
from acreage.domain.desk import Desk, LeaseRequest, Step, Tier
from acreage.portfolio.desk_file import read_desk
from acreage.units.ids import LesseeName, PoolId
from acreage.units.instants import SECONDS_PER_DAY, Instant, instant
from acreage.units.money import micro_usd

ROOT = Path(__file__).parents[2]
T = TypeVar("T")
NOW = instant("2031-01-01")
POOLS, DAYS, LEASES = 50, 365, 100_000
BATCH, SINGLES, ROUNDS = 1_000_000, 4_000, 5


def main() -> None:
    """Run what was asked for and print every figure beside its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("quotes", "year"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replications", type=int, default=20)
    asked = parser.parse_args()
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if asked.only in (None, "quotes"):
        quotes(asked.seed)
    if asked.only in (None, "year"):
        year(asked.seed, asked.replications)


def quotes(seed: int) -> None:
    """Throughput on 50 pools with 100,000 leases."""
    rng = np.random.default_rng(seed)
    desk = wide_desk()
    horizon = Horizon(NOW, DAYS)
    seconds, tables = timed(lambda: build_tables(desk, horizon), 3)
    say("new tables of all pools", seconds, "s", "seconds", bar=10.0, most=True)
    book = filled(desk, horizon, rng)
    seconds, asks = timed(lambda: laid_out(book, tables), 3)
    say("books laid out on the tables, all pools", seconds, "s", "")
    say("one pool after a change", timed(lambda: changed(asks), 20)[0] / 2 * 1e3, "ms", "")
    batch = requests(rng, horizon, BATCH)
    seconds, found = timed(lambda: answers(asks, batch), ROUNDS)
    say("quotes in batch", BATCH / seconds, "a second", f"{found.accepted.mean():.0%} accepted", bar=200_000)
    singles = [single(desk, batch, i) for i in range(SINGLES)]
    seconds = timed(lambda: [answer(desk, asks, one, NOW) for one in singles], 3)[0]
    say("one by one, with counter-offers and reasons in full", SINGLES / seconds, "a second", "", bar=2_000)
    changing = timed(lambda: one_by_one(desk, asks, singles[:500]), 3)[0]
    say("one by one, the pool's books changing before each", 500 / changing, "a second", "", bar=2_000)


def year(seed: int, replications: int) -> None:
    """A simulated year with bursts: the promise to the anchor, and revenue beside other policies."""
    desk = read_desk(ROOT / "examples" / "desk" / "desk.yaml", accelerators=load_accelerators())
    seconds, found = timed(
        lambda: simulate(desk, Horizon(NOW, DAYS), seed=seed, replications=replications, warm_days=90), 1
    )
    print(f"\na year of {found.requests:,.0f} requests, {replications} replications, seed {seed}: {seconds:.1f} s")
    for one in found.policies:
        r, m = one.revenue_usd, one.short_met
        print(
            f"  {one.policy:16} {r.mean / 1e6:8.1f} million USD ({r.low / 1e6:.1f} to {r.high / 1e6:.1f}), "
            f"{one.usd_per_accelerator_hour:.2f} USD/h, used {one.utilisation_frac:.1%}, spill {one.spill_frac:.1%}; "
            f"anchor short: promised {one.short_promised_frac:.4%}, met {m.mean:.4%} ({m.low:.4%} to {m.high:.4%})"
        )
    b = found.clairvoyant_usd
    print(f"  {'clairvoyant':16} {b.mean / 1e6:8.1f} million USD ({b.low / 1e6:.1f} to {b.high / 1e6:.1f})")
    for margin in found.margins:
        f = margin.frac
        print(f"  {margin.policy} against {margin.against}: {f.mean:+.2%} ({f.low:+.2%} to {f.high:+.2%})")


def wide_desk() -> Desk:
    """The example's first pool and its anchor, fifty times."""
    one = read_desk(ROOT / "examples" / "desk" / "desk.yaml", accelerators=load_accelerators())
    names = [PoolId(f"pool-{i:02}") for i in range(POOLS)]
    pool, contract = one.pools[0], one.anchor.contracts[0]
    return replace(
        one,
        pools=tuple(replace(pool, id=name, capacity=(Step(from_at=NOW, accelerators=30_000),)) for name in names),
        anchor=replace(one.anchor, contracts=tuple(replace(contract, pool=name) for name in names)),
        tiers=tuple(
            replace(tier, demand=tuple(replace(tier.demand[0], pool=name) for name in names)) for tier in one.tiers
        ),
    )


def filled(desk: Desk, horizon: Horizon, rng: np.random.Generator) -> Book:
    """Books with 100,000 leases."""
    capacity = np.stack([horizon.levels(pool.capacity, least=True) for pool in desk.pools])
    book = Book.empty([pool.id for pool in desk.pools], horizon, capacity)
    row, side = rng.integers(POOLS, size=LEASES), rng.random(LEASES) < 1 / 3
    size = rng.integers(1, 65, LEASES)
    first = rng.integers(0, DAYS - 1, LEASES)
    end = np.minimum(first + rng.integers(1, 121, LEASES), DAYS)
    for pool in range(POOLS):
        for array, chosen in ((book.firm, ~side), (book.recallable, side)):
            mine = (row == pool) & chosen
            at = [NOW + days[mine] * SECONDS_PER_DAY for days in (first, end)]
            array[pool] = daily(horizon, size[mine], *at)
    return book


def requests(rng: np.random.Generator, horizon: Horizon, count: int) -> Requests:
    """Requests for any pool and window."""
    length = rng.integers(3_600, 120 * SECONDS_PER_DAY, count)
    from_at = NOW + (rng.random(count) * (DAYS * SECONDS_PER_DAY - length)).astype(np.int64)
    side = (rng.random(count) < 1 / 3).astype(np.int64)
    return Requests(
        side,
        rng.integers(POOLS, size=count),
        rng.integers(1, 2_000, count),
        from_at,
        from_at + length,
        np.round(rng.uniform(1.0, 8.0, count), 2),
        np.where(side == 1, 0.6, 1.8),
    )


def single(desk: Desk, batch: Requests, i: int) -> LeaseRequest:
    """One of the batch as a request."""
    return LeaseRequest(
        lessee=LesseeName("birch"),
        tier=Tier.SPOT if batch.side[i] else Tier.RESERVED,
        pools=(desk.pools[int(batch.row[i])].id,),
        accelerators=int(batch.accelerators[i]),
        from_at=Instant(int(batch.from_at[i])),
        until_at=Instant(int(batch.until_at[i])),
        bid_micro_usd=micro_usd(f"{batch.bid_usd[i]:.2f}"),
    )


def changed(asks: Asks) -> None:
    """A lease of two months comes and goes in the first pool."""
    for accelerators in (64, -64):
        asks.book.add(0, accelerators, NOW + 100 * SECONDS_PER_DAY, NOW + 160 * SECONDS_PER_DAY, firm=True)
        asks.refresh(0)


def one_by_one(desk: Desk, asks: Asks, asked: list[LeaseRequest]) -> None:
    """Answer each after a lease of its window has come or gone in its pool, so that it meets other books."""
    for i, one in enumerate(asked):
        row = asks.book.index(one.pools[0])
        asks.book.add(row, 8 if i % 2 else -8, one.from_at, one.until_at, firm=True)
        answer(desk, asks, one, NOW)


def timed(work: Callable[[], T], rounds: int) -> tuple[float, T]:
    """The median processor time of some rounds, and the last answer; neighbours on the machine do not count."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        found = work()
        times.append(time.process_time() - begin)
    return statistics.median(times), found


def say(what: str, value: float, unit: str, note: str, *, bar: float | None = None, most: bool = False) -> None:
    """One figure beside its bar."""
    met = "" if bar is None else "met" if (value <= bar if most else value >= bar) else "MISSED"
    judged = f"bar {bar:,.0f}: {met}" if bar is not None else ""
    print(f"{what:52} {f'{value:,.3f}' if value < 100 else f'{value:,.0f}':>12} {unit:9} {judged:18} {note}")


if __name__ == "__main__":
    main()
