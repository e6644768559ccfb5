"""All that chance decides in a run, drawn beforehand: the same for every change of the same world.

Each lab's draws depend on the seed, the replication and its own name alone (common random numbers, Law and Kelton,
Simulation Modeling and Analysis, section 11.2), so that two runs differ only by what was changed.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acreage.domain.market_world import MarketLab, World
from acreage.units.ids import LesseeName


@dataclass(frozen=True, slots=True)
class Draws:
    """`need` of each lab by tick, in reference accelerators; `turns`: who buys first, second, … in each tick."""

    need: Mapping[LesseeName, tuple[int, ...]]
    turns: tuple[tuple[LesseeName, ...], ...]


def drawn(world: World, seed: int, replication: int) -> Draws:
    """The draws of one replication."""
    lots = {lab.name: _stream(seed, replication, f"turn {lab.name}").random(world.ticks) for lab in world.labs}
    return Draws(
        need={lab.name: _needs(world, lab, _stream(seed, replication, lab.name)) for lab in world.labs},
        turns=tuple(tuple(sorted(lots, key=lambda lab: (lots[lab][tick], lab))) for tick in range(world.ticks)),
    )


def _needs(world: World, lab: MarketLab, rng: np.random.Generator) -> tuple[int, ...]:
    """A geometric random walk whose mean grows as the lab expects, and what events make of it."""
    steps = lab.volatility * rng.standard_normal(world.ticks) - lab.volatility**2 / 2.0
    steps[0] = 0.0
    path = lab.need * np.exp(np.cumsum(steps + np.log(lab.growth)) - np.log(lab.growth))
    for event in world.events:
        if event.lab == lab.name:
            path[event.at :] *= event.factor
    return tuple(int(need) for need in np.rint(path))


def _stream(seed: int, replication: int, name: str) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, replication, zlib.crc32(name.encode())]))
