"""Load blocks: the few (share of hours x level of demand) pieces that every period is split into.

Fleets may state different splits; the common one is their refinement with the peaks at the same
hours, which is the cautious reading: all fleets peak together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import LoadBlock, ServingFleet
from acreage.plan.problem import Vector
from acreage.units.ids import WorkloadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """The common split: names and shares of hours (L,), and each fleet's level in each block (L,)."""

    names: tuple[str, ...]
    hours_frac: Vector
    level: Mapping[WorkloadId, Vector]


def common_blocks(portfolio: Portfolio) -> Blocks:
    """The refinement of all fleets' load blocks, highest level first."""
    fleets = [w for w in portfolio.workloads if isinstance(w, ServingFleet)]
    cuts = {0.0, 1.0}
    names: dict[float, str] = {}
    for fleet in fleets:
        until = 0.0
        for block in _by_level(fleet):
            until = round(until + block.hours_frac, 9)
            cuts.add(min(until, 1.0))
            names.setdefault(min(until, 1.0), block.name)
    edges = sorted(cuts)
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    labels = _distinct([names.get(edge, "all") for edge in edges[1:]])
    return Blocks(
        names=labels,
        hours_frac=np.diff(edges),
        level={fleet.id: np.array([_level_at(fleet, at) for at in middles]) for fleet in fleets},
    )


def _by_level(fleet: ServingFleet) -> list[LoadBlock]:
    return sorted(fleet.load_blocks, key=lambda block: -block.level_frac)


def _level_at(fleet: ServingFleet, at: float) -> float:
    until = 0.0
    for block in _by_level(fleet):
        until += block.hours_frac
        if at < until:
            return block.level_frac
    return _by_level(fleet)[-1].level_frac if fleet.load_blocks else 1.0


def _distinct(names: list[str]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return tuple(result)
