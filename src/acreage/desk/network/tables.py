"""What a desk keeps: the value of each resource by period and free units, and what a request displaces.

Displacement costs are differences of table entries, so they depend on the time left and on what is free
now: tables adapt by state where static bid prices do not, and a quote is a few look-ups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.desk.network.problem import Count, Network, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class LegTables:
    """`values_usd` (T + 1, L, levels): what is expected of a resource from a period on, by its free units.

    A request in period t displaces `values_usd[t + 1]` at the free units, less the same after it has taken its
    own, summed over the resources it touches. Free units beyond the table's width are read as its last column.
    """

    values_usd: Vector

    def displacement_usd(
        self, period: int, free: Sequence[int], resources: Sequence[int], units: Sequence[int]
    ) -> float:
        """What one request displaces: `units` of each of `resources`, of which `free` are free; infinite if too few."""
        values, last = self.values_usd[period + 1], self.values_usd.shape[2] - 1
        total = 0.0
        for resource, now, taken in zip(resources, free, units, strict=True):
            if taken > now:
                return float("inf")
            total += values.item(resource, min(now, last)) - values.item(resource, min(now - taken, last))
        return total

    def displacements_usd(self, periods: Count, free: Count, resources: Count, units: Count) -> Vector:
        """The same of n requests at once (n,): `periods` (n,), the others (n, K), padded with 0 units."""
        last = self.values_usd.shape[2] - 1
        after, next_period = free - units, periods[:, None] + 1
        now = self.values_usd[next_period, resources, np.minimum(free, last)]
        then = self.values_usd[next_period, resources, np.clip(after, 0, last)]
        return np.where((after >= 0).all(axis=1), (now - then).sum(axis=1), np.inf)


def accept(
    tables: LegTables, fares_usd: Vector, periods: Count, free: Count, resources: Count, units: Count
) -> NDArray[np.bool_]:
    """Which of n requests to accept (n,): those that fit and pay at least what they displace. Shapes as above."""
    return np.asarray(fares_usd >= tables.displacements_usd(periods, free, resources, units))


def static_tables(network: Network, bid_prices_usd: Vector) -> LegTables:
    """Constant bid prices (L,) written as tables: every unit is worth the same at all times."""
    levels = np.arange(int(network.capacity.max()) + 1)
    values = bid_prices_usd[:, None] * levels
    return LegTables(values_usd=np.broadcast_to(values, (network.periods + 1, *values.shape)))
