"""Take-up curves learnt from offers that were accepted or refused, with intervals that say how little is known.

The model is logistic: ln(odds of acceptance) = level - slope x price + covariates x their weights, fitted by maximum
likelihood. Intervals are by profile likelihood: the values at which twice the log-likelihood lost, all else refitted,
stays within the chi-squared quantile of one degree of freedom (D. Venzon and S. Moolgavkar, Applied Statistics 37,
1988). They need no symmetry and hold for the best price as for the slope. Where data say nothing of the slope there is
a finding in place of a number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from acreage.desk.prices.answers import Answers, Unidentified, Unknown
from acreage.desk.prices.likelihood import PriceProfile, Scaled, crossing, separated
from acreage.desk.prices.responses import Array, LogitResponse
from acreage.units.errors import InputError

ANSWERS_PER_WEIGHT_MIN = 5
"""Of the rarer answer, for each fitted weight (E. Vittinghoff and C. McCulloch, Am. J. Epidemiology 165, 2007)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate within its interval; an end without limit is infinite."""

    low: float
    found: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeUp:
    """A fitted curve: utility `level_at_zero` - slope x price + weights x covariates, in log odds.

    `slope_per_usd` has its interval at `confidence_frac`.
    """

    slope_per_usd: Interval
    level_at_zero: float
    weights: tuple[float, ...]
    confidence_frac: float

    def response(self, covariates: Sequence[float] = ()) -> LogitResponse:
        """The curve of a request with these covariates; raises `InputError` if it does not fall with price."""
        if self.slope_per_usd.found <= 0.0:
            raise InputError("take-up rises with price", fix="vary prices more, or add what else moves acceptance")
        if len(covariates) != len(self.weights):
            raise InputError(f"{len(covariates)} covariates", fix=f"give {len(self.weights)}, as in the answers")
        utility = self.level_at_zero + math.fsum(w * z for w, z in zip(self.weights, covariates, strict=True))
        return LogitResponse(middle_usd=utility / self.slope_per_usd.found, slope_per_usd=self.slope_per_usd.found)


def learn_take_up(seen: Answers, confidence_frac: float = 0.95) -> TakeUp | Unidentified:
    """The most likely curve and the interval of its slope, or why there is none."""
    allowed = _allowed(confidence_frac)
    doubt = _doubt(seen)
    if doubt is not None:
        return doubt
    data = Scaled.of(seen)
    weights, likelihood = data.fit()
    slope = -float(weights[1])

    def lost(value: float) -> float:
        return 2.0 * (likelihood - data.fit_at_slope(value))

    step = 1.0 / math.sqrt(data.information(weights)[1, 1])
    low = slope - crossing(lambda d: lost(slope - d), allowed, step)
    high = slope + crossing(lambda d: lost(slope + d), allowed, step)
    return _curve(data, weights, (low, high), confidence_frac)


def learn_best_price(
    seen: Answers, displaced_usd: float, covariates: Sequence[float] = (), confidence_frac: float = 0.95
) -> Interval | Unidentified:
    """The price that earns most over what a unit displaces, for a request with these covariates, with its interval.

    At the best price p, slope = (1 + exp(u)) / (p - displaced) with u the log odds there: so for any p the likelihood
    is refitted over u and the weights of the covariates, which gives p its profile. A slope that may be zero leaves
    the best price without an upper end: that is a finding.
    """
    allowed = _allowed(confidence_frac)
    doubt = _doubt(seen)
    if doubt is not None:
        return doubt
    data = Scaled.of(seen)
    weights, likelihood = data.fit()
    if weights[1] >= 0.0 or 2.0 * (likelihood - data.fit_at_slope(0.0)) <= allowed:
        what = f"take-up may not fall with price at all: zero is within the slope's interval at {confidence_frac:.0%}"
        return Unidentified(reason=Unknown.FLAT, what=what)
    response = _curve(data, weights, (0.0, math.inf), confidence_frac).response(covariates)
    best = float(response.best_price_usd(displaced_usd, -math.inf, math.inf))
    profile = PriceProfile(data=data, displaced_usd=displaced_usd, at=np.asarray(covariates, dtype=np.float64))

    def lost(price: float) -> float:
        return 2.0 * (likelihood - profile.likelihood(price, weights[2:]))

    over = best - displaced_usd
    above = crossing(lambda d: lost(best + d), allowed, 0.1 * over)
    # Towards the displaced value on a logarithmic scale, as the price stays above it.
    below = crossing(lambda d: lost(displaced_usd + over * math.exp(-d)), allowed, 0.1)
    return Interval(low=displaced_usd + over * math.exp(-below), found=best, high=best + above)


def _curve(data: Scaled, weights: Array, slopes: tuple[float, float], confidence_frac: float) -> TakeUp:
    """Scaled weights, and the ends of the slope's interval, in dollars and the covariates' own units."""
    slope = -float(weights[1])
    each = weights[2:] / data.covariate_scale
    level = weights[0] + slope * data.price_middle / data.price_scale - each @ data.covariate_middle
    low, found, high = (value / data.price_scale for value in (slopes[0], slope, slopes[1]))
    return TakeUp(
        slope_per_usd=Interval(low=low, found=found, high=high),
        level_at_zero=float(level),
        weights=tuple(float(weight) for weight in each),
        confidence_frac=confidence_frac,
    )


def _doubt(seen: Answers) -> Unidentified | None:
    """Why the answers cannot show a slope, if so."""
    rarer = min(int(seen.accepted.sum()), int((~seen.accepted).sum()))
    needed = ANSWERS_PER_WEIGHT_MIN * (2 + len(seen.names))
    if rarer < needed:
        what = f"{rarer} of the rarer answer among {seen.accepted.size} offers: {needed} are needed at least"
        return Unidentified(reason=Unknown.TOO_FEW, what=what)
    if np.ptp(seen.prices_usd) <= 1e-9 * float(np.abs(seen.prices_usd).max()):
        what = "every offer had the same price: vary it to learn how take-up responds"
        return Unidentified(reason=Unknown.NO_VARIATION, what=what)
    flat = [name for name, column in zip(seen.names, seen.covariates.T, strict=True) if np.ptp(column) == 0.0]
    design = None if flat else Scaled.of(seen).design
    if design is None or np.linalg.matrix_rank(design, tol=1e-8 * math.sqrt(design.shape[0])) < design.shape[1]:
        which = f"{', '.join(flat)} never varies" if flat else "price moves with the covariates in step"
        return Unidentified(reason=Unknown.NO_VARIATION, what=f"{which}: the price's part cannot be told from theirs")
    if separated(design, np.where(seen.accepted, 1.0, -1.0)):
        what = "a line parts all accepted offers from all refused ones: the slope has no upper end"
        return Unidentified(reason=Unknown.SEPARATED, what=what)
    return None


def _allowed(confidence_frac: float) -> float:
    if not 0.0 < confidence_frac < 1.0:
        raise InputError(f"a confidence of {confidence_frac}", fix="give a number between 0 and 1, such as 0.95")
    return float(chi2.ppf(confidence_frac, 1))
