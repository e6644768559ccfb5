"""What a run is measured by, tick by tick, from its audited books."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import polars as pl

from acreage.domain.market_outcome import EVERYBODY, Measure
from acreage.domain.market_world import MILLI, World
from acreage.sim.audit import short_milli
from acreage.sim.books import Books
from acreage.units.money import usd

SCHEMA = {
    "measure": pl.String(),
    "subject": pl.String(),
    "tick": pl.Int64(),
    "amount": pl.Float64(),
    "over": pl.Float64(),
}
"""Over any ticks a ratio is the sum of `amount` over that of `over`; money is the sum of `amount`, `over` is 1."""

_Row = tuple[str, str, int, float, float]


def measured(world: World, books: Books) -> pl.DataFrame:
    """Every measure by subject and tick, in the columns of `SCHEMA`."""
    rows = [*_prices(world, books), *_compute(world, books), *_suppliers(world, books), *_money(world, books)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def hhi(shares: Iterable[float]) -> float:
    """The Herfindahl-Hirschman index of amounts, between 0 and 1: the sum of squared shares (Hirschman 1964)."""
    amounts = list(shares)
    total = sum(amounts)
    return sum((amount / total) ** 2 for amount in amounts) if total else 0.0


def _prices(world: World, books: Books) -> Iterator[_Row]:
    """New business of each tick: leases over all of their hours, and sales at the venue."""
    speed = {chip.name: chip.speed_milli / MILLI for chip in world.chips}
    signed = [
        (lease.tick, lease.where[1], lease.accelerators * (lease.until_tick - lease.from_tick), lease.micro_usd)
        for lease in books.leases
        if lease.tick >= 0
    ]
    sold = [(sale.tick, sale.where[1], sale.accelerators, sale.micro_usd) for sale in books.sales]
    for tick, chip, ticks, price in (*signed, *sold):
        hours = float(ticks * world.hours)
        yield Measure.CHIP_PRICE, chip, tick, hours * usd(price), hours
        yield Measure.PRICE, EVERYBODY, tick, hours * usd(price), hours * speed[chip]
    for tick, chip, accelerators, price in sold:
        hours = float(accelerators * world.hours)
        yield Measure.VENUE_PRICE, EVERYBODY, tick, hours * usd(price), hours * speed[chip]


def _compute(world: World, books: Books) -> Iterator[_Row]:
    """Need, use and capacity, in reference accelerators."""
    speed = {chip.name: chip.speed_milli / MILLI for chip in world.chips}
    there, taken = ({(tick, cloud.id): 0.0 for tick in range(world.ticks) for cloud in world.clouds} for _ in range(2))
    for slots, found in ((books.capacity, there), (books.taken(world), taken)):
        for (tick, where), accelerators in slots.items():
            found[tick, where[0]] += accelerators * speed[where[1]]
    for (tick, cloud), capacity in there.items():
        yield Measure.CLOUD_UTILISATION, cloud, tick, taken[tick, cloud], capacity
    for tick in range(world.ticks):
        used = 0.0
        for lab in world.labs:
            need, short = float(books.need[tick, lab.name]), short_milli(books, tick, lab.name) / MILLI
            used += need - short
            yield Measure.LAB_UNMET, lab.name, tick, short, need
            yield Measure.UNMET, EVERYBODY, tick, short, need
        yield Measure.UTILISATION, EVERYBODY, tick, used, sum(there[tick, cloud.id] for cloud in world.clouds)
        yield Measure.HHI, EVERYBODY, tick, hhi(taken[tick, cloud.id] for cloud in world.clouds), 1.0
    for call in books.calls:
        yield Measure.ANCHOR_SHORT, call.where[0], call.tick, float(call.called - call.delivered), float(call.called)


def _suppliers(world: World, books: Books) -> Iterator[_Row]:
    """How much of what a lab has comes from each cloud; what it resells counts until it is gone."""
    speed = {chip.name: chip.speed_milli for chip in world.chips}
    had: dict[tuple[int, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for seats in (books.leased, books.delivered, books.bought):
        for (tick, lab, where), accelerators in seats.items():
            had[tick, lab][where[0]] += accelerators * speed[where[1]]
    for (tick, name), clouds in had.items():
        if sum(clouds.values()):
            yield Measure.LAB_SUPPLIER_HHI, name, tick, hhi(clouds.values()), 1.0


def _money(world: World, books: Books) -> Iterator[_Row]:
    """What each lab pays and each cloud earns on balance in a tick."""
    for (tick, name), micro_usd in books.paid.items():
        kind, _, who = name.partition(" ")
        measure, sign = (Measure.SPEND, -1.0) if kind == "lab" else (Measure.REVENUE, 1.0)
        yield measure, who, tick, sign * usd(micro_usd), 1.0
