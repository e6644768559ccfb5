"""An upper bound by Lagrangian relaxation, and the leg tables that come with it.

Source: H. Topaloglu, "Using Lagrangian relaxation to compute capacity-dependent bid prices in network revenue
management", Operations Research 57(3), 2009. Each resource may decide alone about a request; multipliers
lambda[t, ij] pay for their agreement, and for any of them

    bound(lambda) = sum_{t, j} p[t, j] max(0, fare_j - sum_i lambda[t, ij]) + sum_i v[1, i] (capacity_i)

is an upper bound on the expected revenue of every policy, v being the leg programs of `legs` with worth lambda.

Lowering it costs nothing if the multipliers are kept to a split of the fare: they are not negative and add
up to it. (Where they add up to less, raising one by e loses at most p e in its leg program and gains p e in the first
sum; where they add up to more, lowering one lowers its program.) What is left is convex in the split, and its
subgradient in lambda[t, ij] is p[t, j] times the chance that resource i alone would accept. We take Polyak steps
(B. Polyak, Introduction to Optimization, 1987, section 5.3) in the metric that p itself gives, which makes the
direction the chance of acceptance less its mean over the request's resources; with momentum, and with a
target below the best bound that comes closer whenever a few steps do not help.
"""

from dataclasses import dataclass, replace

import numpy as np

from acreage.desk.network.legs import LegProgram, acceptance_prob, leg_values
from acreage.desk.network.problem import Vector

ITERATIONS = 150
MOMENTUM = 0.8
FIRST_GAP_FRAC, GAP_SHRINK, PATIENCE = 0.01, 0.7, 3
"""The target starts this far below the bound, and comes closer by this factor after so many idle steps."""
HELPFUL_FRAC = 0.05
"""A step helps if it lowers the bound by this share of the distance to the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """The best bound found, its multipliers (T, P) and leg values (T + 1, L, levels), and every step's bound; USD."""

    bound_usd: float
    multipliers_usd: Vector
    values_usd: Vector
    trail_usd: tuple[float, ...]


def relaxation(program: LegProgram, bid_prices_usd: Vector, *, iterations: int = ITERATIONS) -> Relaxation:
    """Lower the bound from the split that the linear program's bid prices (L,) give; at least one iteration.

    The first bound is already no higher than the linear program's (Topaloglu 2009, proposition on the two bounds).
    """
    split = _first_split(program, bid_prices_usd)
    move = np.zeros_like(split)
    gap, idle = FIRST_GAP_FRAC, 0
    best: Relaxation | None = None
    trail: list[float] = []
    for _ in range(iterations):
        values, accepted = leg_values(program, split)
        bound = _bound(program, split, values)
        trail.append(bound)
        helped = best is None or bound < best.bound_usd - HELPFUL_FRAC * gap * abs(best.bound_usd)
        if best is None or bound < best.bound_usd:
            best = Relaxation(bound_usd=bound, multipliers_usd=split, values_usd=values, trail_usd=())
        idle = 0 if helped else idle + 1
        if idle >= PATIENCE:
            gap, idle = gap * GAP_SHRINK, 0
        direction = _disagreement(program, acceptance_prob(program, accepted))
        size = float((program.pair_prob * direction**2).sum())
        if size <= 0.0:
            break
        step = (bound - best.bound_usd * (1.0 - gap)) / size
        following = _projected(program, split - step * direction + MOMENTUM * move)
        split, move = following, following - split
    assert best is not None
    return replace(best, trail_usd=tuple(trail))


def unshared_usd(program: LegProgram, multipliers_usd: Vector) -> float:
    """The first sum of the bound: what the multipliers (T, P) leave of the fares; nothing where they split them."""
    network = program.network
    left = network.fare_usd - _by_product(program, multipliers_usd).sum(axis=2)
    return float((network.arrival_prob * np.maximum(left, 0.0)).sum())


def _bound(program: LegProgram, split: Vector, values: Vector) -> float:
    network = program.network
    alone = values[0, np.arange(network.resources), network.capacity]
    return unshared_usd(program, split) + float(alone.sum())


def _first_split(program: LegProgram, bid_prices_usd: Vector) -> Vector:
    """Bid prices of what each pair takes, cut down or topped up in equal parts to the fare (T, P)."""
    network, pairs = program.network, program.pairs
    price = bid_prices_usd[pairs.resource] * pairs.taken
    total = np.bincount(pairs.product, price, network.products)
    count = np.bincount(pairs.product, minlength=network.products)
    cut = np.where(total > network.fare_usd, network.fare_usd / np.maximum(total, 1e-300), 1.0)
    top = np.maximum(network.fare_usd - total, 0.0) / count
    return np.tile(price * cut[pairs.product] + top[pairs.product], (network.periods, 1))


def _by_product(program: LegProgram, pair_values: Vector, fill: float = 0.0) -> Vector:
    """The same numbers (T, P) laid out by product (T, J, K)."""
    wide = np.full((pair_values.shape[0], *program.network.touched.shape), fill)
    wide[:, program.pairs.product, program.pairs.slot] = pair_values
    return wide


def _disagreement(program: LegProgram, chance: Vector) -> Vector:
    """Each resource's chance of acceptance less the mean over the resources of the same request (T, P)."""
    count = np.bincount(program.pairs.product, minlength=program.network.products)
    mean = _by_product(program, chance).sum(axis=2) / count
    return np.asarray(chance - mean[:, program.pairs.product])


def _projected(program: LegProgram, split: Vector) -> Vector:
    """The nearest split of the fares: per period and product onto a simplex (Held, Wolfe and Crowder 1974)."""
    wide = np.sort(_by_product(program, split, fill=-np.inf), axis=2)[:, :, ::-1]
    excess = np.cumsum(np.where(np.isfinite(wide), wide, 0.0), axis=2) - program.network.fare_usd[:, None]
    shift = excess / np.arange(1, wide.shape[2] + 1)
    last = np.maximum((wide > shift).sum(axis=2) - 1, 0)
    theta = np.take_along_axis(shift, last[:, :, None], axis=2)[:, :, 0]
    return np.maximum(split - theta[:, program.pairs.product], 0.0)
