"""Requests by chance, and what a policy earns of them: many paths at once, one array operation a period.

Policies are compared on the same paths (common random numbers): their differences are far less noisy than their levels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.desk.network.legs import differences
from acreage.desk.network.problem import Count, Network, Vector
from acreage.desk.network.tables import LegTables


def sample_requests(network: Network, paths: int, rng: np.random.Generator) -> Count:
    """Draw the product requested in each period of each path (T, n); J stands for no request."""
    return np.stack(
        [
            np.minimum(np.searchsorted(cumulative, rng.random(paths), side="right"), network.products)
            for cumulative in np.cumsum(network.arrival_prob, axis=1)
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over sampled paths and the standard error of that mean, both USD."""

    mean_usd: float
    error_usd: float


def estimate(samples_usd: Vector) -> Estimate:
    """The mean of independent samples (n,), n at least 2."""
    return Estimate(
        mean_usd=float(samples_usd.mean()), error_usd=float(samples_usd.std(ddof=1) / np.sqrt(samples_usd.size))
    )


def play(network: Network, tables: LegTables, requests: Count) -> Iterator[tuple[Count, NDArray[np.bool_]]]:
    """Walk the periods: yield what is free (n, L) before each request, and which requests (n,) are then accepted.

    A request is accepted if its units are free and it pays at least what it displaces. The array of free
    units is the walker's own and changes as it goes on: copy what is kept.
    """
    periods, paths = requests.shape
    levels, resources = tables.values_usd.shape[2], network.resources
    sizes = np.unique(np.append(network.taken, 0))
    none = np.zeros_like(network.touched[:1])
    touched, taken = np.vstack([network.touched, none]), np.vstack([network.taken, none])
    place = (np.searchsorted(sizes, taken) * resources + touched) * levels
    fares = np.append(network.fare_usd, -1.0)
    free = np.tile(network.capacity, (paths, 1))
    flat, row = free.reshape(-1), np.arange(paths) * resources
    for t in range(periods):
        bids = differences(tables.values_usd[t + 1], sizes).reshape(-1)
        wanted = requests[t]
        cells = [row + touched[wanted, slot] for slot in range(touched.shape[1])]
        cost = np.zeros(paths)
        for slot, cell in enumerate(cells):
            cost += bids[place[wanted, slot] + flat[cell]]
        accepted = fares[wanted] >= cost
        yield free, accepted
        for slot, cell in enumerate(cells):
            flat[cell] -= taken[wanted, slot] * accepted


def revenues(network: Network, tables: LegTables, requests: Count) -> Vector:
    """What the tables earn on each path (n,) USD."""
    fares = np.append(network.fare_usd, 0.0)
    total = np.zeros(requests.shape[1])
    for wanted, (_, accepted) in zip(requests, play(network, tables, requests), strict=True):
        total += fares[wanted] * accepted
    return total


def free_units(network: Network, tables: LegTables, requests: Count) -> Count:
    """What is free before each period's request (T, n, L) when the tables decide."""
    return np.stack([free.copy() for free, _ in play(network, tables, requests)])
