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
by simulation (one per resource and part of the horizon): none of these improves on it, see
`docs/why/network-bid-prices.md`. Iterating a decomposition against its own traffic is known for static controls
(the iterative methods of Talluri and van Ryzin 2004, section 3.4); we know of no publication of this form.
"""

import numpy as np

from acreage.desk.network.legs import LegProgram, displaced, leg_program, leg_values
from acreage.desk.network.linear import LinearBound, linear_bound
from acreage.desk.network.problem import Count, Network
from acreage.desk.network.simulation import free_units, sample_requests
from acreage.desk.network.tables import LegTables

ROUNDS = 3
PATHS = 256
QUANTILES = 16
"""Into how many equally likely values the law of the displacement elsewhere is cut."""


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
    others = _other_pairs(program)
    picked = ((np.arange(QUANTILES) + 0.5) / QUANTILES * requests.shape[1]).astype(np.int64)
    values = np.zeros_like(tables.values_usd)
    for t in range(network.periods - 1, -1, -1):
        bids = displaced(program, tables.values_usd[t + 1])
        bids = bids[np.arange(pairs.product.size), free[t][:, pairs.resource]]
        bids = np.append(bids, np.zeros((bids.shape[0], 1)), axis=1)
        elsewhere = np.sort(bids[:, others].sum(axis=2), axis=0)[picked]
        worth = network.fare_usd[pairs.product] - elsewhere
        own = displaced(program, values[t + 1])
        gain = np.zeros_like(own)
        for each in worth:
            gain += np.maximum(each[:, None] - own, 0.0)
        values[t] = values[t + 1] + (program.sums * (program.pair_prob[t] / QUANTILES)) @ gain
    return LegTables(values_usd=values)


def _other_pairs(program: LegProgram) -> Count:
    """For each pair, the pairs of the same product at its other resources (P, K - 1), padded with P."""
    pairs, (products, slots) = program.pairs, program.network.touched.shape
    size = pairs.product.size
    number = np.full((products, slots), size)
    number[pairs.product, pairs.slot] = np.arange(size)
    rest = number[pairs.product]
    keep = np.arange(slots) != pairs.slot[:, None]
    return np.asarray(rest[keep].reshape(size, slots - 1))
