"""Take-up curves learnt from simulated answers: intervals hold as often as they say, and silence is called so."""

import math

import numpy as np
import pytest

from acreage.desk.prices.answers import Answers, Unidentified, Unknown, answers
from acreage.desk.prices.responses import LogitResponse
from acreage.desk.prices.take_up import Interval, TakeUp, learn_best_price, learn_take_up
from acreage.units.errors import InputError

TRUTH = LogitResponse(middle_usd=3.0, slope_per_usd=2.0)


def simulated(seed: int, count: int, weight: float = 0.0) -> Answers:
    """Offers at prices from 1.5 to 4.5; a standard normal covariate, if it has a weight, moves acceptance."""
    rng = np.random.default_rng(seed)
    prices = rng.uniform(1.5, 4.5, count)
    size = rng.normal(0.0, 1.0, count)
    odds = TRUTH.slope_per_usd * (TRUTH.middle_usd - prices) + weight * size
    accepted = rng.random(count) < 1.0 / (1.0 + np.exp(-odds))
    return answers(prices, accepted, size[:, None], ("size",)) if weight else answers(prices, accepted)


def fitted(seen: Answers) -> TakeUp:
    found = learn_take_up(seen)
    assert isinstance(found, TakeUp)
    return found


def priced(seen: Answers, displaced: float, covariates: tuple[float, ...] = ()) -> Interval:
    found = learn_best_price(seen, displaced, covariates)
    assert isinstance(found, Interval)
    return found


def test_intervals_hold_as_often_as_they_say() -> None:
    """At 95 %, over 300 histories of 150 offers: slope and best price are covered 92.5 to 97.5 % of the time."""
    best = float(TRUTH.best_price_usd(1.0, 0.0, 99.0))
    slopes, prices = 0, 0
    for seed in range(300):
        seen = simulated(seed, 150)
        slope, price = fitted(seen).slope_per_usd, priced(seen, 1.0)
        slopes += slope.low <= TRUTH.slope_per_usd <= slope.high
        prices += price.low <= best <= price.high
    assert 277 <= slopes <= 293
    assert 277 <= prices <= 293


def test_covariates_are_told_apart_from_price() -> None:
    """Over 12 histories of 1,000 offers the mean slope and weight are the truth, within four standard errors."""
    found = [fitted(simulated(seed, 1_000, weight=0.8)) for seed in range(12)]
    slopes = np.array([take_up.slope_per_usd.found for take_up in found])
    weights = np.array([take_up.weights[0] for take_up in found])
    assert slopes.mean() == pytest.approx(2.0, abs=4.0 * slopes.std() / math.sqrt(12))
    assert weights.mean() == pytest.approx(0.8, abs=4.0 * weights.std() / math.sqrt(12))


def test_the_best_price_of_a_large_request_is_covered() -> None:
    """At 95 %, in 50 histories of 400 offers with a covariate: at least 44 intervals hold the truth."""
    large = LogitResponse(middle_usd=3.0 + 0.8 * 1.5 / 2.0, slope_per_usd=2.0)
    best = float(large.best_price_usd(1.0, 0.0, 99.0))
    prices = [priced(simulated(seed, 400, weight=0.8), 1.0, (1.5,)) for seed in range(50)]
    assert sum(price.low <= best <= price.high for price in prices) >= 44


def _log_likelihood(seen: Answers, level: float, slope: float) -> float:
    odds = level - slope * seen.prices_usd
    return -float(np.logaddexp(0.0, np.where(seen.accepted, -odds, odds)).sum())


def test_the_fit_is_the_most_likely_and_its_ends_lose_what_is_allowed() -> None:
    """By a grid over both weights: the chi-squared quantile at 95 % is 3.8415."""
    seen = simulated(7, 120)
    found = fitted(seen)
    best = _log_likelihood(seen, found.level_at_zero, found.slope_per_usd.found)
    levels = np.linspace(found.level_at_zero - 8.0, found.level_at_zero + 8.0, 8001)
    for slope, lost in (
        (found.slope_per_usd.found, 0.0),
        (found.slope_per_usd.low, 3.8415),
        (found.slope_per_usd.high, 3.8415),
    ):
        most = max(_log_likelihood(seen, float(level), slope) for level in levels)
        assert 2.0 * (best - most) == pytest.approx(lost, abs=2e-3)
    # Along each slope, the level that makes a price the best one, by its first-order condition.
    price = priced(seen, 1.0)
    for end in (price.low, price.high):
        slopes = np.linspace(0.2, 8.0, 8001)
        slopes = slopes[slopes * (end - 1.0) > 1.0 + 1e-9]
        each = [_log_likelihood(seen, math.log(s * (end - 1.0) - 1.0) + s * end, s) for s in slopes]
        assert 2.0 * (best - max(each)) == pytest.approx(3.8415, abs=2e-3)


def test_the_currency_does_not_matter() -> None:
    """Prices a thousand times as large: the same curve, a thousand times as wide."""
    seen = simulated(3, 200)
    large = answers(seen.prices_usd * 1000.0, seen.accepted)
    assert fitted(large).slope_per_usd.high == pytest.approx(fitted(seen).slope_per_usd.high / 1000.0, rel=1e-5)
    assert priced(large, 1000.0).high == pytest.approx(1000.0 * priced(seen, 1.0).high, rel=1e-4)


def test_a_higher_confidence_is_wider() -> None:
    """80 within 95 within 99 %."""
    seen = simulated(3, 200)
    found = [learn_best_price(seen, 1.0, (), level) for level in (0.8, 0.95, 0.99)]
    lows = [price.low for price in found if isinstance(price, Interval)]
    highs = [price.high for price in found if isinstance(price, Interval)]
    assert lows == sorted(lows, reverse=True)
    assert highs == sorted(highs)
    assert len(lows) == 3


def reason(found: object) -> Unknown:
    assert isinstance(found, Unidentified)
    assert found.what
    return found.reason


def test_what_answers_do_not_say_is_a_finding() -> None:
    """Too few, one price, price in step with size, a perfect cut, and take-up that does not fall."""
    many = simulated(5, 200)
    assert reason(learn_take_up(simulated(5, 12))) is Unknown.TOO_FEW
    assert reason(learn_take_up(answers([], []))) is Unknown.TOO_FEW
    assert reason(learn_take_up(answers(np.full(200, 2.0), many.accepted))) is Unknown.NO_VARIATION
    in_step = answers(many.prices_usd, many.accepted, many.prices_usd[:, None] * 3.0 + 1.0, ("size",))
    assert reason(learn_take_up(in_step)) is Unknown.NO_VARIATION
    constant = answers(many.prices_usd, many.accepted, np.ones((200, 1)), ("term",))
    assert reason(learn_take_up(constant)) is Unknown.NO_VARIATION
    assert reason(learn_take_up(answers(many.prices_usd, many.prices_usd < 3.0))) is Unknown.SEPARATED
    touching = np.repeat([1.0, 2.0, 3.0], 20)
    half = np.concatenate([np.ones(20), np.arange(20) % 2, np.zeros(20)]).astype(bool)
    assert reason(learn_take_up(answers(touching, half))) is Unknown.SEPARATED
    luck = np.random.default_rng(8).random(200) < 0.5
    assert reason(learn_best_price(answers(many.prices_usd, luck), 1.0)) is Unknown.FLAT
    assert isinstance(learn_take_up(answers(many.prices_usd, luck)), TakeUp)


def test_mistakes_are_named() -> None:
    """Lengths that differ, numbers that are none, a confidence of 1."""
    with pytest.raises(InputError):
        answers([1.0, 2.0], [True])
    with pytest.raises(InputError):
        answers([1.0, math.nan], [True, False])
    with pytest.raises(InputError):
        learn_take_up(simulated(5, 200), 1.0)
    with pytest.raises(InputError, match="covariates"):
        learn_best_price(simulated(5, 200), 1.0, (3.0,))
    rising = TakeUp(
        slope_per_usd=Interval(low=-2.0, found=-1.0, high=0.5), level_at_zero=0.0, weights=(), confidence_frac=0.95
    )
    with pytest.raises(InputError, match="rises"):
        rising.response()
