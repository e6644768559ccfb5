"""What is still to be asked for: for each fare class, the accelerators wanted on a day by requests yet to come.

Requests of a tier come as a Poisson process, in bursts at a higher rate, with log-normal sizes, terms,
lead times and bids, all independent. A request made on day n begins on day n + 1 + floor(lead) and runs
for ceil(days). The wanted total of a day is then a compound sum whose mean and variance are exact here;
its law is taken as gamma (see `tables`). A tier's bids above its floor are cut into classes of equal
probability, each at its mean bid.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import toeplitz
from scipy.special import ndtr, ndtri

from acreage.desk.horizon import Numbers
from acreage.domain.desk import Bursts, Spread, Tier, TierDemand, TierTerms
from acreage.units.instants import DAYS_PER_YEAR
from acreage.units.money import usd

P90_Z = 1.2815515655446004
"""The 90th percentile of the standard normal law."""

CLASSES_PER_TIER = 3


@dataclass(frozen=True, slots=True)
class FareClass:
    """A part of a tier's demand that bids about the same.

    `fare_usd` is its mean bid an accelerator-hour; `mean`, shape (days,), is of the accelerators wanted on the
    day so many days ahead by requests that are still to come. Their variance is `variance`, of its own, and
    `surge` squared from bursts: bursts are common to all classes, so that their deviations `surge` add up.
    """

    tier: Tier
    firm: bool
    fare_usd: float
    mean: Numbers
    variance: Numbers
    surge: Numbers

    def parted(self, notice_days: int) -> tuple["FareClass", "FareClass"]:
        """The class in two: requests that come more than `notice_days` before a day, and those that come later."""
        last = np.minimum(np.arange(len(self.mean)), notice_days)
        late = replace(self, mean=self.mean[last], variance=self.variance[last], surge=self.surge[last])
        early = replace(
            self,
            mean=self.mean - late.mean,
            variance=self.variance - late.variance,
            surge=np.sqrt(np.maximum(self.surge**2 - late.surge**2, 0.0)),
        )
        return early, late


def sigma(spread: Spread) -> float:
    """The standard deviation of the logarithm: ln(p90 / median) / 1.2816."""
    return math.log(spread.p90 / spread.median) / P90_Z if spread.p90 > spread.median else 1e-9


def fare_classes(terms: TierTerms, demand: TierDemand, bursts: Bursts | None, days: int, most: int) -> list[FareClass]:
    """The classes of one tier in one pool over `days` days ahead; requests for more than `most` are not counted."""
    size_1, size_2, small = _size_moments(demand.accelerators, float(most))
    spread = sigma(demand.bid_usd_per_accelerator_hour)
    middle = math.log(demand.bid_usd_per_accelerator_hour.median)
    floor = float(ndtr((math.log(max(usd(terms.floor_micro_usd), 1e-9)) - middle) / spread))
    ranks = floor + (1.0 - floor) * np.arange(CLASSES_PER_TIER + 1) / CLASSES_PER_TIER
    edges = ndtri(np.minimum(ranks, 1.0))
    share = (1.0 - floor) / CLASSES_PER_TIER
    if share <= 1e-9 or small <= 1e-9:
        return []
    covering = covering_frac(demand, days)
    rate = demand.requests_per_day * share
    count, surge = _counts(covering, bursts)
    fares = math.exp(middle + spread**2 / 2) * -np.diff(ndtr(spread - edges)) / share
    return [
        FareClass(
            terms.tier, terms.firm, float(fare), rate * size_1 * count, rate * size_2 * count, rate * size_1 * surge
        )
        for fare in fares
    ]


def covering_frac(demand: TierDemand, days: int) -> Numbers:
    """The probability that a request made u days before a day runs on it, u = 0 to days - 1.

    P(lead <= u - 1 < lead + term), the lead in whole days: a convolution of the lead's law with the
    term's survival function.
    """
    ahead = np.arange(days, dtype=np.float64)
    lead = np.diff(_cdf(demand.lead_days, np.arange(days + 1, dtype=np.float64)))
    lasting = 1.0 - _cdf(demand.days, ahead)
    return np.concatenate(([0.0], np.convolve(lead, lasting)[: days - 1]))


def _counts(covering: Numbers, bursts: Bursts | None) -> tuple[Numbers, Numbers]:
    """Requests on a day by those still to come, for a rate of one a day: the mean, and the deviation from bursts.

    The rate is 1 + (factor - 1) for each burst running; bursts start as a Poisson process, so that the rate is
    shot noise with covariance v (f - 1)^2 max(0, length - lag) (Campbell's theorem).
    """
    if bursts is None:
        return np.cumsum(covering), np.zeros(len(covering))
    per_day, extra = bursts.per_year / DAYS_PER_YEAR, bursts.factor - 1.0
    lags = np.arange(len(covering))
    lag_covariance = per_day * extra**2 * np.maximum(bursts.days - lags, 0.0)
    pairs = np.outer(covering, covering) * toeplitz(lag_covariance)
    surge = np.cumsum(np.cumsum(pairs, axis=0), axis=1).diagonal()
    return np.cumsum(covering) * (1.0 + per_day * bursts.days * extra), np.sqrt(surge)


def _size_moments(size: Spread, most: float) -> tuple[float, float, float]:
    """E[q], E[q^2] and the probability, of log-normal sizes up to `most` (partial moments of the log-normal law)."""
    mu, s = math.log(size.median), sigma(size)
    top = (math.log(max(most, 1e-9)) - mu) / s
    first = math.exp(mu + s * s / 2) * float(ndtr(top - s))
    return first, math.exp(2 * mu + 2 * s * s) * float(ndtr(top - 2 * s)), float(ndtr(top))


def _cdf(spread: Spread, at: Numbers) -> Numbers:
    with np.errstate(divide="ignore"):
        return np.asarray(ndtr((np.log(at) - math.log(spread.median)) / sigma(spread)))
