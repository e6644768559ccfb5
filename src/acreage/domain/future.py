"""A future: one way demand, deliveries, prices and suppliers may turn out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.units.ids import PoolId, ProviderId, WorkloadId
from acreage.units.instants import Instant

Series = NDArray[np.float64]
"""One value a period, shape (periods,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A provider loses `lost_frac` of its capacity, leased and by the hour, over [from_at, until_at).

    All of its capacity, or what stands in one `pool`.
    """

    provider: ProviderId
    from_at: Instant
    until_at: Instant
    lost_frac: float
    pool: PoolId | None = None

    def hits(self, provider: str, pool: str) -> bool:
        """Whether capacity of a provider in a pool is lost."""
        return self.provider == provider and self.pool in (None, pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Future:
    """One future with its probability; keys missing from a mapping are neutral (factor 1, no delay).

    `demand_factor` multiplies serving and research demand a period, `work_factor` a run's
    work; `delay_days` is keyed by (offer or lease id, index of its tranche or delivery);
    `price_factor` and `limit_factor` multiply a pool's by-the-hour price and limit a
    period; `recalled_at` is when the lessor gives notice, keyed by offer or lease id.
    """

    name: str
    probability: float
    demand_factor: Mapping[WorkloadId, Series]
    work_factor: Mapping[WorkloadId, float]
    delay_days: Mapping[tuple[str, int], int]
    price_factor: Mapping[PoolId, Series]
    limit_factor: Mapping[PoolId, Series]
    outages: tuple[Outage, ...]
    recalled_at: Mapping[str, Instant]
