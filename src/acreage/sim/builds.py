"""Clouds that are nearly sold out order more of the newest chip; its maker shares out what it can deliver."""

import math
from collections import defaultdict
from collections.abc import Sequence

from acreage.domain.market_world import MarketChip
from acreage.sim.cloud import Pool, is_lateness_known
from acreage.sim.events import Ordered

_Slot = tuple[str, int]
"""A chip and the tick in which what is ordered comes."""


def order_builds(pools: Sequence[Pool], tick: int, ticks: int, taken: dict[_Slot, int]) -> list[Ordered]:
    """What clouds order in this tick; deliveries go into their pools, and into `taken` what the maker has promised.

    Where more is wanted than the maker has left for a tick, all get the same share of what they want.
    """
    wanted: dict[_Slot, list[tuple[Pool, int, int]]] = defaultdict(list)
    for cloud in dict.fromkeys(pool.cloud.id for pool in pools):
        found = _wish([pool for pool in pools if pool.cloud.id == cloud], tick)
        if found is None:
            continue
        pool, due, accelerators = found
        comes = due + (0 if is_lateness_known(pool.chip, tick) else pool.chip.late)
        if comes < ticks:
            wanted[pool.chip.name, comes].append((pool, due, accelerators))
    orders = []
    for (chip, comes), wishes in wanted.items():
        left = _left(wishes[0][0].chip, comes, taken.get((chip, comes), 0))
        total = sum(accelerators for _, _, accelerators in wishes)
        for pool, due, accelerators in wishes:
            granted = accelerators if left is None or total <= left else accelerators * left // total
            if granted:
                pool.due[due] += granted
                pool.comes[comes] += granted
                taken[chip, comes] = taken.get((chip, comes), 0) + granted
                orders.append(Ordered(tick=tick, where=pool.where, accelerators=granted, due=due, comes=comes))
    return orders


def _wish(pools: Sequence[Pool], tick: int) -> tuple[Pool, int, int] | None:
    """The pool a cloud would add to, when that is due, and how many accelerators; None where it has enough."""
    temper = pools[0].cloud.temper
    there = sum(pool.capacity(tick) * pool.chip.speed_milli for pool in pools)
    idle = sum(pool.idle(tick) * pool.chip.speed_milli for pool in pools)
    if not there or 1.0 - idle / there < temper.build_at_frac or temper.build_frac <= 0.0:
        return None
    lead = tick + temper.build_lead
    ready = [pool for pool in pools if _from(pool.chip, tick) <= lead]
    if not ready:
        return None
    pool = max(ready, key=lambda one: (one.chip.arrives, one.chip.name))
    return pool, lead, math.floor(temper.build_frac * there / pool.chip.speed_milli)


def _from(chip: MarketChip, tick: int) -> int:
    """When a chip can be had first, as far as is known."""
    return chip.arrives + (chip.late if is_lateness_known(chip, tick) else 0)


def _left(chip: MarketChip, comes: int, taken: int) -> int | None:
    if chip.supply is None:
        return None
    return max(math.floor(chip.supply * chip.supply_growth**comes) - taken, 0)
