"""What linear programs say of a network: a bound, static bid prices, and the best in hindsight.

The deterministic linear program replaces random requests by their expected number (Simpson 1989, Williamson 1992;
Talluri and van Ryzin 2004, section 3.3.1). Its value is an upper bound on the expected revenue of every policy,
and the duals of its capacities are the static bid prices. The same program for the requests of one path is
what a clairvoyant could have earned of it at most; the mean over paths is an upper bound too.
"""

from dataclasses import dataclass

import numpy as np

from acreage.desk.network.problem import Count, Network, Vector
from acreage.desk.network.sale import sale


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearBound:
    """An upper bound on expected revenue, and one bid price per resource (L,), both USD."""

    bound_usd: float
    bid_prices_usd: Vector


def linear_bound(network: Network) -> LinearBound:
    """Solve the deterministic linear program."""
    program = sale(network.fare_usd, network.usage())
    bound, prices = program.solve(network.capacity.astype(np.float64), network.expected_demand)
    return LinearBound(bound_usd=bound, bid_prices_usd=prices)


def hindsight_usd(network: Network, requests: Count) -> Vector:
    """What knowing all requests (T, n) in advance could have earned at most, by path (n,)."""
    program = sale(network.fare_usd, network.usage())
    capacity = network.capacity.astype(np.float64)
    best = np.empty(requests.shape[1])
    for path in range(requests.shape[1]):
        counts = np.bincount(requests[:, path], minlength=network.products + 1)[:-1]
        best[path] = program.solve(capacity, counts.astype(np.float64))[0]
    return best


def resolved_revenues(network: Network, requests: Count, *, solves: int) -> Vector:
    """Revenue by path (n,) of bid prices re-solved `solves` times, at equal intervals, for what is free by then.

    A request (T, n) is accepted if it fits and pays more than the prices of what it takes; with `solves=1` the
    prices are static. A fare equal to the price is refused, which is kind to this baseline: the linear program sells
    such a product in part only, and taking all of it costs up to another 30 % on the hub problems.
    """
    program = sale(network.fare_usd, network.usage())
    paths = requests.shape[1]
    free = np.tile(network.capacity, (paths, 1))
    prices = np.zeros((paths, network.resources))
    fares = np.append(network.fare_usd, -1.0)
    touched = np.vstack([network.touched, np.zeros_like(network.touched[:1])])
    taken = np.vstack([network.taken, np.zeros_like(network.taken[:1])])
    starts = {network.periods * k // solves for k in range(solves)}
    rows = np.arange(paths)[:, None]
    revenue = np.zeros(paths)
    for t, wanted in enumerate(requests):
        if t in starts:
            demand = network.arrival_prob[t:].sum(axis=0)
            states, state = np.unique(free, axis=0, return_inverse=True)
            solved = [program.solve(each.astype(np.float64), demand)[1] for each in states]
            prices = np.array(solved)[state.reshape(-1)]
        legs, units = touched[wanted], taken[wanted]
        fits = (free[rows, legs] >= units).all(axis=1)
        sold = fits & (fares[wanted] > (prices[rows, legs] * units).sum(axis=1))
        revenue += np.where(sold, fares[wanted], 0.0)
        np.subtract.at(free, (rows, legs), units * sold[:, None])
    return revenue
