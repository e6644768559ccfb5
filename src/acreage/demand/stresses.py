"""Named futures added by hand: what a stress says, and nothing else different."""

import numpy as np

from acreage.demand.exposures import not_yet_made
from acreage.domain.future import Future, Outage, Series
from acreage.domain.portfolio import Portfolio, Stress
from acreage.domain.workload import TrainingRun
from acreage.units.ids import PoolId, WorkloadId


def stress_future(portfolio: Portfolio, stress: Stress) -> Future:
    """The future of a stress: its factors hold over the whole horizon, its losses from their date on."""
    horizon_at = portfolio.periods[-1].until_at
    return Future(
        name=stress.name,
        probability=stress.probability_frac,
        demand_factor=_demand(portfolio, stress),
        work_factor={},
        delay_days=_delays(portfolio, stress),
        price_factor=_constant(portfolio, stress.market_price_factor),
        limit_factor=_constant(portfolio, stress.market_limit_factor),
        outages=tuple(
            Outage(provider=provider, from_at=from_at, until_at=horizon_at, lost_frac=1.0)
            for provider, from_at in stress.lost_from_at.items()
        ),
        recalled_at={},
    )


def _demand(portfolio: Portfolio, stress: Stress) -> dict[WorkloadId, Series]:
    factor = np.full(len(portfolio.periods), stress.demand_factor)
    return {w.id: factor for w in portfolio.workloads if not isinstance(w, TrainingRun)}


def _constant(portfolio: Portfolio, factor: float) -> dict[PoolId, Series]:
    return {pool: np.full(len(portfolio.periods), factor) for pool in portfolio.pools}


def _delays(portfolio: Portfolio, stress: Stress) -> dict[tuple[str, int], int]:
    return {
        (one.key, one.index): stress.late_days[one.provider]
        for one in not_yet_made(portfolio)
        if one.provider in stress.late_days
    }
