"""What a cloud learns from what it sees: how much its anchor will call, and what else will be asked for.

Both are exponential smoothing (Brown 1959): each tick moves an estimate by `WEIGHT` towards what was seen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from acreage.desk.wanted import P90_Z
from acreage.domain.desk import ForecastPoint, Spread, TierDemand
from acreage.sim.clock import day_at
from acreage.units.ids import PoolId

WEIGHT = 0.3
SURE_FRAC = 0.05
"""No forecast is trusted better than this, a tick ahead."""
MEAN_TO_DEVIATION = math.sqrt(math.pi / 2.0)
"""The standard deviation of a normal law over its mean absolute deviation."""
BID_P90 = 1.3
"""Later bids are expected around the list price, nine in ten below so many times it."""


@dataclass(slots=True)
class AnchorSight:
    """What the anchor called last, how that grows a tick (in logarithms) and how far off one tick's forecast is."""

    level: float = 0.0
    growth: float = 0.0
    miss_frac: float = 2 * SURE_FRAC

    def see(self, called: int) -> None:
        """Learn from this tick's call."""
        if self.level > 0.0 and called > 0:
            step = math.log(called / self.level)
            self.miss_frac += WEIGHT * (abs(step - self.growth) - self.miss_frac)
            self.growth += WEIGHT * (step - self.growth)
        self.level = float(called)

    def forecast(self, tick: int, ticks: int) -> tuple[ForecastPoint, ...]:
        """The mean and deviation of each of so many ticks from this one on; errors add up as in a random walk."""
        deviation = max(self.miss_frac, SURE_FRAC) * MEAN_TO_DEVIATION
        means = [self.level * math.exp(min(self.growth * ahead, 20.0)) for ahead in range(ticks)]
        return tuple(
            ForecastPoint(at=day_at(tick + ahead), mean=mean, deviation=mean * deviation * math.sqrt(ahead))
            for ahead, mean in enumerate(means)
        )


@dataclass(slots=True)
class DemandSight:
    """Requests for one pool: how many a tick, the mean and variance of the logarithm of their size, their terms."""

    per_tick: float = 0.0
    log_size: float | None = None
    variance: float = 0.25
    term: float = 1.0

    def see(self, asked: Sequence[tuple[float, int]]) -> None:
        """Learn from this tick's requests: accelerators and ticks of each."""
        self.per_tick += WEIGHT * (len(asked) - self.per_tick)
        for size, term in asked:
            log = math.log(max(size, 1.0))
            if self.log_size is None:
                self.log_size, self.term = log, float(term)
            off = log - self.log_size
            self.log_size += WEIGHT * off
            self.variance += WEIGHT * (off * off - self.variance)
            self.term += WEIGHT * (term - self.term)

    def demand(self, pool: PoolId, list_usd: float) -> tuple[TierDemand, ...]:
        """What a desk expects, in its words; nothing where nothing has been asked for."""
        if self.log_size is None or self.per_tick < 1e-3:
            return ()
        size = math.exp(self.log_size)
        return (
            TierDemand(
                pool=pool,
                requests_per_day=self.per_tick,
                accelerators=Spread(median=size, p90=size * math.exp(P90_Z * math.sqrt(self.variance))),
                days=Spread(median=self.term, p90=self.term),
                lead_days=Spread(median=0.5, p90=0.5),
                bid_usd_per_accelerator_hour=Spread(median=list_usd, p90=BID_P90 * list_usd),
            ),
        )
