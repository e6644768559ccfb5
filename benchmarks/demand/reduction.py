"""Fewer futures chosen from many: fast forward selection on what a future is like, and how far the choice is from all.

Heitsch and Roemisch, Scenario reduction algorithms in stochastic programming, Computational Optimization and
Applications 24 (2003), algorithm 2.4: one after another the future that brings the Kantorovich distance down the most;
the probability of each one left out goes to the nearest one kept. The distance is Euclidean between features.
"""

from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.future import Future
from acreage.units.instants import SECONDS_PER_DAY

LOOKS = 4
"""At how many times of the horizon a factor is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """The futures kept, with their probabilities, and the Kantorovich distance to all of them."""

    futures: tuple[Future, ...]
    distance: float


def reduced(futures: tuple[Future, ...], keep: int) -> Reduction:
    """`keep` of sampled futures by fast forward selection."""
    probability = np.array([future.probability for future in futures])
    look = features(futures)
    between = np.linalg.norm(look[:, None, :] - look[None, :, :], axis=2)
    nearest = np.full(len(futures), np.inf)
    kept: list[int] = []
    for _ in range(keep):
        total = np.minimum(between, nearest[:, None]).T @ probability
        total[kept] = np.inf
        kept.append(int(np.argmin(total)))
        nearest = np.minimum(nearest, between[:, kept[-1]])
    home = np.argmin(between[:, kept], axis=1)
    mass = np.bincount(home, weights=probability, minlength=keep)
    chosen = tuple(replace(futures[i], probability=float(mass[k])) for k, i in enumerate(kept))
    return Reduction(futures=chosen, distance=float(nearest @ probability))


def features(futures: tuple[Future, ...]) -> np.ndarray:
    """What a future is like (S, features), each of unit variance: logs of factors, delays, outages, recalls."""
    rows = []
    for future in futures:
        row: list[float] = []
        for series in (future.demand_factor, future.price_factor, future.limit_factor):
            mean = np.mean([np.log(np.maximum(path, 1e-3)) for path in series.values()], axis=0)
            row += [float(part.mean()) for part in np.array_split(mean, LOOKS)]
        row += [float(np.log(factor)) for factor in future.work_factor.values()]
        row.append(float(np.mean(list(future.delay_days.values()) or [0.0])))
        row.append(sum(o.lost_frac * (o.until_at - o.from_at) / SECONDS_PER_DAY for o in future.outages))
        row.append(float(len(future.recalled_at)))
        rows.append(row)
    found = np.array(rows)
    spread = found.std(axis=0)
    return (found - found.mean(axis=0))[:, spread > 0.0] / spread[spread > 0.0]
