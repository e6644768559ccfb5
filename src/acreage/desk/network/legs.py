"""One resource at a time: the dynamic program that the relaxation and the decomposition share.

With a worth in USD set on every (period, pair), resource i alone is the single-leg problem of Talluri and
van Ryzin (2004, The Theory and Practice of Revenue Management, section 2.5),

    v[t, i](x) = v[t+1, i](x) + sum_j p[t, j] max(0, worth[t, ij] - (v[t+1, i](x) - v[t+1, i](x - a_ij))),

where a request that needs more units than the x that are free is refused. All resources go through the
periods together, one array operation for all pairs and all capacities.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.desk.network.problem import Count, Network, Pairs, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class LegProgram:
    """What every sweep over the periods needs: `pairs` (P,), and where each pair reads what it displaces.

    `sizes` (A,) are the distinct units taken; `row` (P,) numbers the pair's (size, resource) in an (A * L) list;
    `sums` (L, P) is 1 where the pair belongs to the resource; `pair_prob` (T, P) is the arrival probability of the
    pair's product. `levels` is the largest capacity + 1, the width of all tables: a resource's columns beyond its
    own capacity mean what they say, but are not reached.
    """

    network: Network
    pairs: Pairs
    sizes: Count
    row: Count
    sums: Vector
    pair_prob: Vector
    levels: int


def leg_program(network: Network) -> LegProgram:
    """Prepare a network for sweeps."""
    pairs = network.pairs()
    sizes = np.unique(pairs.taken)
    return LegProgram(
        network=network,
        pairs=pairs,
        sizes=sizes,
        row=np.searchsorted(sizes, pairs.taken) * network.resources + pairs.resource,
        sums=(pairs.resource == np.arange(network.resources)[:, None]).astype(np.float64),
        pair_prob=network.arrival_prob[:, pairs.product],
        levels=int(network.capacity.max()) + 1,
    )


def differences(values_usd: Vector, sizes: Count) -> Vector:
    """What taking each of `sizes` (A,) units displaces, by free units (A, L, levels); infinite where they are not free.

    `values_usd` (L, levels) are the resources' values in the next period.
    """
    stack = np.full((sizes.size, *values_usd.shape), np.inf)
    for each, size in zip(stack, sizes, strict=True):
        each[:, size:] = values_usd[:, size:] - values_usd[:, : max(values_usd.shape[1] - size, 0)]
    return stack


def displaced(program: LegProgram, values_usd: Vector) -> Vector:
    """What each pair displaces of its own resource, by free units (P, levels) USD; infinite where it does not fit."""
    levels = values_usd.shape[1]
    return np.asarray(differences(values_usd, program.sizes).reshape(-1, levels)[program.row])


def leg_values(program: LegProgram, worth_usd: Vector) -> tuple[Vector, NDArray[np.bool_]]:
    """Solve every resource's program: values (T + 1, L, levels) USD and acceptances (T, P, levels).

    `worth_usd` (T, P) is what accepting the pair earns its resource.
    """
    periods = program.network.periods
    values = np.zeros((periods + 1, program.network.resources, program.levels))
    accepted = np.empty((periods, program.row.size, program.levels), dtype=np.bool_)
    for t in range(periods - 1, -1, -1):
        gain = worth_usd[t][:, None] - displaced(program, values[t + 1])
        np.greater(gain, 0.0, out=accepted[t])
        np.maximum(gain, 0.0, out=gain)
        np.matmul(program.sums * program.pair_prob[t], gain, out=values[t])
        values[t] += values[t + 1]
    return values, accepted


def acceptance_prob(program: LegProgram, accepted: NDArray[np.bool_]) -> Vector:
    """How likely each resource is to take each pair's request, if it comes then (T, P).

    Each resource starts full and follows its own acceptances, apart from all others.
    """
    network = program.network
    chance = np.empty(accepted.shape[:2])
    members = [program.pairs.taken == size for size in program.sizes]
    free = np.zeros((network.resources, program.levels))
    free[np.arange(network.resources), network.capacity] = 1.0
    for t in range(network.periods):
        taking = free[program.pairs.resource] * accepted[t]
        taking.sum(axis=1, out=chance[t])
        for size, member in zip(program.sizes, members, strict=True):
            moved = (program.sums[:, member] * program.pair_prob[t, member]) @ taking[member]
            free -= moved
            free[:, : max(program.levels - size, 0)] += moved[:, size:]
    return chance
