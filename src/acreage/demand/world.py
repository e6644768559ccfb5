"""What all draws of a portfolio's futures share: its clock in years and the common factors of the market."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from acreage.demand.correlation import loadings
from acreage.demand.draws import Array, Draws
from acreage.demand.laws import mean_one
from acreage.demand.levels import SECONDS_PER_YEAR
from acreage.demand.tail import strata
from acreage.domain.portfolio import Portfolio
from acreage.domain.surprises import Factor
from acreage.units.instants import Instant, add_days

LEADING = "tightness"
"""The stream of the walk that says most about the common factors: of the only one, where there is but one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Years from the planning day: `years` (T,) until each period's middle, `edges` (T + 1,) of the periods.

    `factors` are the walks (S, T) of what the market has in common, of variance 1 a year.
    """

    portfolio: Portfolio
    draws: Draws
    years: Array
    edges: Array
    factors: Mapping[Factor, Array]

    @property
    def end_years(self) -> float:
        """Years until the horizon."""
        return (self.portfolio.periods[-1].until_at - self.portfolio.as_of_at) / SECONDS_PER_YEAR

    def weight(self, factor: Factor) -> float:
        """The share of a variance that a common factor explains."""
        uncertainty = self.portfolio.uncertainty
        return uncertainty.weight_frac.get(factor, uncertainty.tightness_weight_frac)

    def tension(self, log_variance: float, sign: float = 1.0) -> Array:
        """What scarcity multiplies a rate by (S, T): log-normal of mean 1, of this variance from a year on."""
        scarcity = self.factors[Factor.SCARCITY]
        shifted = sign * np.sqrt(log_variance) * scarcity / np.sqrt(np.maximum(self.years, 1.0))
        return mean_one(shifted, log_variance * np.minimum(self.years, 1.0))

    def years_until(self, at: int) -> float:
        """Years from the planning day until an instant."""
        return (at - self.portfolio.as_of_at) / SECONDS_PER_YEAR

    def day_after(self, years: float) -> Instant:
        """The beginning of the day that comes so many years after the planning day."""
        return add_days(self.portfolio.as_of_at, int(years * SECONDS_PER_YEAR // 86_400))


def world_of(portfolio: Portfolio, draws: Draws) -> World:
    """The world of a portfolio, its common factors drawn."""
    middles = np.array([(p.from_at + p.until_at) / 2 for p in portfolio.periods])
    years = np.maximum((middles - portfolio.as_of_at) / SECONDS_PER_YEAR, 1e-9)
    edges = np.array([portfolio.periods[0].from_at, *(p.until_at for p in portfolio.periods)], dtype=float)
    return World(
        portfolio=portfolio,
        draws=draws,
        years=years,
        edges=(edges - portfolio.as_of_at) / SECONDS_PER_YEAR,
        factors=_factors(portfolio, draws, years),
    )


def _factors(portfolio: Portfolio, draws: Draws, years: Array) -> dict[Factor, Array]:
    """The leading walk itself for each factor, or mixtures of four walks of which it is the heaviest."""
    leading = draws.walk(LEADING, years, tail_edges(portfolio, draws))
    correlation = portfolio.uncertainty.correlation
    if not correlation:
        return dict.fromkeys(Factor, leading)
    weights = loadings(np.array(correlation))
    walks = [leading, *(draws.walk(f"factor:{k}", years) for k in range(1, weights.shape[1]))]
    mixed = np.tensordot(weights, np.stack(walks), axes=1)
    return dict(zip(Factor, mixed, strict=True))


def tail_edges(portfolio: Portfolio, draws: Draws) -> Array | None:
    """Strata of the leading walk that draw tight futures more often; None where all are equally likely.

    Independent draws are never tilted: what is measured by them counts every future alike.
    """
    tail = portfolio.uncertainty.tail
    return strata(draws.futures, tail) if draws.stratified and tail is not None else None


def probabilities(portfolio: Portfolio, draws: Draws, left: float) -> Array:
    """The probability (S,) of each future, where all that could be drawn have `left` between them."""
    edges = tail_edges(portfolio, draws)
    if edges is None:
        return np.full(len(draws.numbers), left / draws.futures)
    return left * draws.probability(LEADING, edges)
