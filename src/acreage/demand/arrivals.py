"""When rare things begin in each future: processes whose rate is constant between edges and may go with the market."""

import math
from collections.abc import Iterator

import numpy as np

from acreage.demand.draws import Array
from acreage.demand.world import World


def yearly_rate(probability_frac: float) -> float:
    """The rate a year at which a first event comes within a year with this probability, below 1."""
    return -math.log1p(-probability_frac)


class Arrivals:
    """The arrivals of one process in each future, of `rate_per_year` times what scarcity makes of it.

    A Poisson process by change of time: arrivals of a process of rate 1 at the times at which the integral of
    the rate passes them (Cinlar, Introduction to Stochastic Processes, 1975, chapter 4, theorem 7.4). The
    first comes at a stratified draw, later ones from a stream of each future's own.
    """

    def __init__(self, world: World, name: str, rate_per_year: float, tightness_sd: float) -> None:
        sign = math.copysign(1.0, tightness_sd)
        tension = world.tension(tightness_sd * tightness_sd, sign)
        passed = np.cumsum(rate_per_year * tension * np.diff(world.edges), axis=1)
        self.passed = np.concatenate([np.zeros((len(passed), 1)), passed], axis=1)
        self.first = -np.log1p(-world.draws.uniform(name)[:, 0])
        self.world, self.name = world, name

    def generator(self, future: int) -> np.random.Generator:
        """What follows the first arrival in a future of the part at hand."""
        return self.world.draws.generator(f"{self.name}:{self.world.draws.numbers[future]}")

    def after(self, future: int, years: float, exponential: float) -> float | None:
        """The next arrival after some years, at this draw of an exponential law of mean 1; None: not by the horizon."""
        edges, passed = self.world.edges, self.passed[future]
        wanted = float(np.interp(years, edges, passed)) + exponential
        return float(np.interp(wanted, passed, edges)) if wanted < passed[-1] else None

    def times(self, future: int, *, again: bool) -> Iterator[float]:
        """Years from the planning day of the first arrival, and of those after it where there are more than one."""
        at = self.after(future, 0.0, self.first[future])
        if at is None:
            return
        yield at
        if not again:
            return
        rng = self.generator(future)
        while (at := self.after(future, at, rng.exponential())) is not None:
            yield at


def spells(arrivals: Arrivals, future: int, mean_years: float) -> list[tuple[float, float]]:
    """Stretches [from, until) in years of a state entered at the arrivals' rate while outside it.

    A stay lasts exponentially, of this mean: a Markov chain of two states in continuous time.
    """
    found = []
    entered = arrivals.after(future, 0.0, arrivals.first[future])
    if entered is None:
        return []
    rng = arrivals.generator(future)
    while entered is not None:
        left = entered + rng.exponential(mean_years)
        found.append((entered, left))
        entered = arrivals.after(future, left, rng.exponential()) if left < arrivals.world.end_years else None
    return found


def overlap(stretches: list[tuple[float, float]], edges: Array) -> Array:
    """Share of each period (T,) between edges (T + 1,) that disjoint stretches cover."""
    covered = np.zeros(len(edges) - 1)
    for begin, end in stretches:
        covered += np.diff(np.clip(edges, begin, end))
    return np.asarray(covered / np.diff(edges))
