"""Intervals against published figures and against what they must do."""

import math

import numpy as np
import pytest

from acreage.demand.calibration.blocks import block_length, stationary
from acreage.demand.calibration.estimate import (
    effective_trials,
    jeffreys,
    percentiles,
    sd_interval,
    sd_of_factor,
    wilson,
)
from acreage.demand.laws import log_sd


def test_the_wilson_interval_is_the_published_one() -> None:
    """Newcombe (1998), table I, method 3: 81 of 263 and 15 of 148 and 0 of 20."""
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0.0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_the_interval_of_a_spread_is_the_tables_one() -> None:
    """Chi-squared with 10 degrees of freedom has 3.247 and 20.483 at its 2.5th and 97.5th percentile."""
    assert sd_interval(1.0, 10.0) == pytest.approx((math.sqrt(10 / 20.483), math.sqrt(10 / 3.247)), rel=1e-4)


def test_a_probability_never_seen_or_always_seen_has_an_end_at_the_bound() -> None:
    """Jeffreys' interval as Brown, Cai and DasGupta modify it at 0 and n."""
    assert jeffreys(0, 5)[0] == 0.0
    assert jeffreys(5, 5)[1] == 1.0
    low, high = jeffreys(3, 5)
    assert 0.0 < low < 0.6 < high < 1.0


def test_steps_that_move_together_are_worth_one_trial_a_cluster() -> None:
    """Kish's effect is 1 for independent steps and the size of the cluster for identical ones."""
    rng = np.random.default_rng(1)
    same = [np.repeat(float(hit), 10) for hit in rng.random(40) < 0.7]
    assert effective_trials(same) == pytest.approx(40.0)
    apart = list((rng.random((200, 10)) < 0.7).astype(float))
    assert effective_trials(apart) > 1_000.0


def test_the_sd_of_a_factor_undoes_that_of_its_logarithm() -> None:
    """Round trip with the generator's own law."""
    assert log_sd(sd_of_factor(0.4)) == pytest.approx(0.4)


def test_blocks_have_the_length_asked_for_and_follow_themselves() -> None:
    """Geometric blocks of mean 6: a step leaves its block with probability 1 / 6."""
    at = stationary(np.random.default_rng(2), 50, 6.0, 2_000)
    assert at.min() == 0
    assert at.max() == 49
    follows = (at[:, 1:] - at[:, :-1]) % 50 == 1
    assert follows.mean() == pytest.approx(1.0 - (1.0 / 6.0) * (49.0 / 50.0), abs=0.01)
    assert block_length(27) == pytest.approx(6.0)
    assert block_length(1) == 3.0


def test_a_constant_resampled_stays_one() -> None:
    """Its interval has no width, and what is not a number is left out."""
    values = np.full(30, 4.0)
    means = values[stationary(np.random.default_rng(3), 30, 5.0, 200)].mean(axis=1)
    assert percentiles(np.append(means, np.nan)) == (4.0, 4.0)
