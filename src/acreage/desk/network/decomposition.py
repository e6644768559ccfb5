"""Leg tables by dynamic-programming decomposition: each resource sees the others through what they displace.

The classical form (Talluri and van Ryzin 2004, section 3.4) takes a request's worth to one resource to be
its fare less the static bid prices of the other units it takes: the *displacement-adjusted fare*.

The form used here puts the actual displacement in the place of the static one. What the other
resources of a request displace depends on how full they are, and that is random; a resource i with x units free
expects of a request

    E[max(0, fare - D - (v[t+1, i](x) - v[t+1, i](x - a)))],    D = what the request displaces elsewhere,

which also counts the chance that the others refuse it (D is infinite where it does not fit). The law of D is taken
from simulated paths of the tables of the round before. Two or three rounds settle: the tables of a network are then
consistent with the traffic that they themselves let through. This stands in the place of factors tuned
by simulation (one per resource and part of the horizon), none of which was found to improve on it, see
`docs/why/network-bid-prices.md`. Iterating a decomposition against its own traffic is known for static controls
(the iterative methods of Talluri and van Ryzin 2004, section 3.4); we know of no publication of this form.
"""

import numpy as np

from acreage.desk.network.legs import LegProgram, differences, displaced, leg_program, leg_values
from acreage.desk.network.linear import LinearBound, linear_bound
from acreage.desk.network.problem import Count, Network, Vector
from acreage.desk.network.simulation import free_units, sample_requests
from acreage.desk.network.tables import LegTables

ROUNDS = 3
PATHS = 32
"""Simulated paths per round. On the hub problems 32 and 128 paths earn the same to .02 %."""


def value_tables(network: Network, rng: np.random.Generator, *, rounds: int = ROUNDS, paths: int = PATHS) -> LegTables:
    """The tables a desk decides by: the classical decomposition, then `rounds` against simulated displacement."""
    program = leg_program(network)
    tables = decomposed(program, linear_bound(network))
    for _ in range(rounds):
        tables = redecomposed(program, tables, sample_requests(network, paths, rng))
    return tables


def decomposed(program: LegProgram, linear: LinearBound) -> LegTables:
    """One pass with displacement-adjusted fares."""
    network, pairs = program.network, program.pairs
    prices = linear.bid_prices_usd
    total = (prices[network.touched] * network.taken).sum(axis=1)
    worth = (network.fare_usd - total)[pairs.product] + prices[pairs.resource] * pairs.taken
    values, _ = leg_values(program, np.broadcast_to(worth, program.pair_prob.shape))
    return LegTables(values_usd=values)


def redecomposed(program: LegProgram, tables: LegTables, requests: Count) -> LegTables:
    """One round: tables against the displacement that `tables` cause on the paths `requests` (T, n)."""
    network, pairs = program.network, program.pairs
    free = free_units(network, tables, requests)
    slots = _pair_by_product(program)
    values = np.zeros_like(tables.values_usd)
    for t in range(network.periods - 1, -1, -1):
        bids = displaced(program, tables.values_usd[t + 1])
        bids = bids[np.arange(pairs.product.size), free[t][:, pairs.resource]]
        worth = network.fare_usd[pairs.product] - _elsewhere(program, slots, bids)
        own = differences(values[t + 1], program.sizes).reshape(-1, program.levels)
        gain = _expected_gain(program.row, np.maximum(worth, 0.0), program.pair_prob[t], own)
        values[t] = values[t + 1] + gain.reshape(-1, *values.shape[1:]).sum(axis=0)
    return LegTables(values_usd=values)


def _elsewhere(program: LegProgram, slots: Count, bids: Vector) -> Vector:
    """What the request of each pair displaces at its other resources (n, P), of `bids` (n, P) at each one."""
    product = program.pairs.product
    blocked = np.isinf(bids)
    finite = np.where(blocked, 0.0, bids)
    none = np.zeros((bids.shape[0], 1))
    total = np.append(finite, none, axis=1)[:, slots].sum(axis=2)
    blocks = np.append(blocked, none, axis=1)[:, slots].sum(axis=2)
    return np.where(blocks[:, product] > blocked, np.inf, total[:, product] - finite)


def _expected_gain(row: Count, worth: Vector, prob: Vector, own: Vector) -> Vector:
    """Sum over the pairs of a row of prob * E[max(0, worth - own)], for every row and free units (A * L, levels).

    `worth` (n, P) are equally likely and not negative, `row` (P,) is each pair's row of `own`. One sort of all
    worths by row and size, and running sums over it, answer all free units by one search.
    """
    rows, scale = np.arange(own.shape[0])[:, None], 2.0 * float(worth.max()) + 1.0
    keys = (row + worth / scale).ravel()
    order = np.argsort(keys)
    keys, worths = keys[order], worth.ravel()[order]
    weights = np.broadcast_to(prob / worth.shape[0], worth.shape).ravel()[order]
    chance = np.append(0.0, np.cumsum(weights))
    money = np.append(0.0, np.cumsum(weights * worths))
    cost = np.minimum(own, 0.75 * scale)
    first = np.searchsorted(keys, rows + cost / scale, side="right")
    last = np.searchsorted(keys, rows + 0.75, side="right")
    return np.asarray(np.maximum(money[last] - money[first] - cost * (chance[last] - chance[first]), 0.0))


def _pair_by_product(program: LegProgram) -> Count:
    """The number of the pair in each slot of a product (J, K), P where there is none."""
    number = np.full(program.network.touched.shape, program.pairs.product.size)
    number[program.pairs.product, program.pairs.slot] = np.arange(program.pairs.product.size)
    return np.asarray(number)
