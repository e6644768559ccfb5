"""Tiny networks solved exactly, over every combination of free units: the truth the rest is tested against.

The dynamic program is equation (3.1) of Talluri and van Ryzin (2004, chapter 3) with at most one request
a period. Its states are all combinations of free units, so it is for networks of a few small resources only.
"""

import math

import numpy as np
from numpy.typing import NDArray

from acreage.desk.network.problem import Network, Vector
from acreage.desk.network.tables import LegTables
from acreage.units.errors import InputError

STATES_MAX = 1_000_000


def optimum_usd(network: Network) -> float:
    """The best expected revenue of any policy. Raises `InputError` beyond a million combinations of free units."""
    values = np.zeros(_shape(network))
    for t in range(network.periods - 1, -1, -1):
        following = values.copy()
        for j in range(network.products):
            then, now = _cells(network, j)
            gain = network.fare_usd[j] + values[then] - values[now]
            following[now] += network.arrival_prob[t, j] * np.maximum(gain, 0.0)
        values = following
    return float(values[tuple(network.capacity)])


def expected_revenue_usd(network: Network, tables: LegTables) -> float:
    """What the tables earn in expectation, without sampling. Raises `InputError` as `optimum_usd` does."""
    values = np.zeros(_shape(network))
    for t in range(network.periods - 1, -1, -1):
        following = values.copy()
        for j in range(network.products):
            then, now = _cells(network, j)
            gain = network.fare_usd[j] + values[then] - values[now]
            accepted = network.fare_usd[j] >= _displaced(network, tables, t, j)[now]
            following[now] += network.arrival_prob[t, j] * np.where(accepted, gain, 0.0)
        values = following
    return float(values[tuple(network.capacity)])


def _shape(network: Network) -> tuple[int, ...]:
    shape = tuple(int(units) + 1 for units in network.capacity)
    if math.prod(shape) > STATES_MAX:
        raise InputError(
            f"the network has {math.prod(shape)} combinations of free units",
            fix=f"exact answers need at most {STATES_MAX}: use the bounds instead",
        )
    return shape


def _cells(network: Network, product: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The states after and before the product is accepted, for all states in which it fits."""
    then, now = [slice(None)] * network.resources, [slice(None)] * network.resources
    for resource, units in zip(network.touched[product], network.taken[product], strict=True):
        if units:
            then[resource] = slice(0, max(int(network.capacity[resource]) + 1 - int(units), 0))
            now[resource] = slice(int(units), None)
    return tuple(then), tuple(now)


def _displaced(network: Network, tables: LegTables, period: int, product: int) -> NDArray[np.float64]:
    """What the product displaces in every state; meaningless where it does not fit."""
    total = np.zeros((1,) * network.resources)
    for resource, units in zip(network.touched[product], network.taken[product], strict=True):
        if units:
            values: Vector = tables.values_usd[period + 1, resource, : int(network.capacity[resource]) + 1]
            cost = values - np.concatenate([np.full(min(int(units), values.size), np.nan), values[: -int(units)]])
            total = total + cost.reshape([-1 if each == resource else 1 for each in range(network.resources)])
    return np.broadcast_to(total, _shape(network))
