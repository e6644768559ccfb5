"""Serving traces: daily shapes and bursts as put in; nothing said about what a trace is too short for."""

import numpy as np
import pytest

from acreage.demand.calibration.estimate import Answer, Estimated, Unsaid
from acreage.demand.calibration.serving import (
    DAY_AND_NIGHT,
    PEAK_DAY_AND_NIGHT,
    ServingTrace,
    block_levels,
    calibrate_serving,
    whole_days,
)

DAY_S = 86_400.0


def requests(rng: np.random.Generator, days: float, per_hour: np.ndarray, bursts: int = 1) -> ServingTrace:
    """Poisson arrivals by hour of the day, each of so many requests."""
    hours = np.arange(int(days * 24))
    counts = rng.poisson(per_hour[hours % 24] / bursts)
    at_s = np.sort(np.repeat(hours, counts) * 3_600.0 + rng.random(counts.sum()) * 3_600.0)
    at_s = np.repeat(at_s, bursts)
    return ServingTrace(name="made-up", at_s=at_s, amount=np.ones(len(at_s)), is_rate=False)


def levels(answers: tuple[Answer, ...]) -> list[Estimated]:
    return [a for a in answers if isinstance(a, Estimated) and a.quantity == "load_block_level_frac"]


def test_day_and_night_come_out_as_they_went_in() -> None:
    """Twelve hours at 1.5 and twelve at 0.5 of the mean, over twenty days, within their intervals."""
    shape = np.where((np.arange(24) >= 8) & (np.arange(24) < 20), 150.0, 50.0)
    rng = np.random.default_rng(1)
    day, night = levels(calibrate_serving(requests(rng, 20, shape), layouts=[DAY_AND_NIGHT], source="s", rng=rng))
    assert day.value == pytest.approx(1.5, abs=0.03)
    assert day.low <= 1.5 <= day.high
    assert night.low <= 0.5 <= night.high


def test_a_flat_load_has_no_peak() -> None:
    """Ranking hours by the other days calls no chance a peak."""
    days = np.random.default_rng(2).poisson(30.0, size=(400, 24)).astype(float)
    assert block_levels(days, PEAK_DAY_AND_NIGHT) == pytest.approx([1.0, 1.0, 1.0], abs=0.02)


def test_the_mean_of_the_levels_over_the_hours_is_one() -> None:
    """Whatever the load."""
    days = np.random.default_rng(3).random((9, 24)) ** 3
    found = block_levels(days, PEAK_DAY_AND_NIGHT)
    assert found @ [share for _, share in PEAK_DAY_AND_NIGHT] == pytest.approx(1.0)


def test_a_trace_of_an_hour_says_nothing_of_days_or_years() -> None:
    """No load block and no growth, with the reason; burstiness it does say."""
    rng = np.random.default_rng(4)
    answers = calibrate_serving(
        requests(rng, 1 / 12, np.full(24, 3_600.0)), layouts=[DAY_AND_NIGHT], source="s", rng=rng
    )
    why = {a.quantity: a.why for a in answers if isinstance(a, Unsaid)}
    assert why["load_block_level_frac"] == "0 whole days are there, 5 are needed for the shape of one"
    assert "two years are needed" in why["growth_per_year"]
    assert {a.quantity for a in answers if isinstance(a, Estimated)} == {"busy_minute_frac", "dispersion"}


@pytest.mark.parametrize("bursts", [1, 5])
def test_dispersion_is_one_for_chance_and_the_size_of_bursts_otherwise(bursts: int) -> None:
    """A compound Poisson process of batches of b has variance over mean b."""
    rng = np.random.default_rng(5)
    answers = calibrate_serving(requests(rng, 1, np.full(24, 7_200.0), bursts), layouts=[], source="s", rng=rng)
    found = next(a for a in answers if a.quantity == "dispersion")
    assert isinstance(found, Estimated)
    assert found.value == pytest.approx(bursts, rel=0.05)
    assert found.low <= bursts <= found.high


def test_sampled_rates_give_days_by_mean_and_no_bursts() -> None:
    """A day of samples with an hour unseen is left out."""
    at_s = np.arange(0.0, 6 * DAY_S, 600.0)
    at_s = at_s[(at_s < DAY_S) | (at_s >= DAY_S + 3_600.0)]
    amount = 1.0 + (at_s // 3_600 % 24 >= 12)
    rates = ServingTrace(name="rates", at_s=at_s, amount=amount, is_rate=True)
    days = whole_days(rates)
    assert days.shape == (5, 24)
    assert set(days.ravel()) == {1.0, 2.0}
    answers = calibrate_serving(rates, layouts=[], source="s", rng=np.random.default_rng(6))
    assert all(isinstance(a, Unsaid) for a in answers)
