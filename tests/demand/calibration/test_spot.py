"""Spot traces: memory, spread and what zones share, recovered from made-up markets."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from acreage.demand.calibration.estimate import Answer, Estimated, Unsaid
from acreage.demand.calibration.spot import SpotTrace, calibrate_spot, memory_ticks

HOUR_S = 3_600.0


def wave(rng: np.random.Generator, ticks: int, phi: float) -> np.ndarray:
    """An autoregression of unit variance from its stationary law: memory (1 + phi) / (1 - phi) ticks."""
    noise = rng.standard_normal(ticks) * math.sqrt(1.0 - phi**2)
    noise[0] /= math.sqrt(1.0 - phi**2)
    return np.asarray(lfilter([1.0], [1.0, -phi], noise))


def trace(zone: str, values: np.ndarray, usd: np.ndarray | None = None) -> SpotTrace:
    return SpotTrace(
        name=zone, zone=zone, resource="v100_1", started_on="2023-02-15", gap_s=HOUR_S, available_frac=values, usd=usd
    )


def said(answers: tuple[Answer, ...], quantity: str) -> Estimated:
    found = next(a for a in answers if a.quantity == quantity)
    assert isinstance(found, Estimated), found
    return found


def test_memory_is_the_integrated_autocorrelation_time() -> None:
    """White noise remembers one tick, an autoregression (1 + phi) / (1 - phi), a constant nothing."""
    rng = np.random.default_rng(1)
    assert memory_ticks(rng.standard_normal(20_000)) == pytest.approx(1.0, abs=0.1)
    assert memory_ticks(wave(rng, 60_000, 0.8)) == pytest.approx(9.0, rel=0.15)
    assert memory_ticks(np.full(50, 0.3)) == 0.0


def test_spread_and_weight_are_those_put_in() -> None:
    """Twelve zones of mean 0.5 that differ by an sd of 0.1 and share 30 % of what moves within them."""
    held = {"market_limit_sd_frac": 0, "limit_weight_frac": 0}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        common = wave(rng, 45 * 24, 0.8)
        levels = 0.5 + 0.1 * rng.standard_normal(12)
        moves = [math.sqrt(0.3) * common + math.sqrt(0.7) * wave(rng, 45 * 24, 0.8) for _ in range(12)]
        traces = [trace(f"zone-{i}", levels[i] + 0.1 * moves[i]) for i in range(12)]
        answers = calibrate_spot(traces, source="spot", rng=rng)
        # A month's mean moves by 0.1 sqrt(9 ticks of memory / 720) besides.
        truth = math.sqrt(0.1**2 + 0.1**2 * 9 / 720) / 0.5
        for quantity, true in (("market_limit_sd_frac", truth), ("limit_weight_frac", 0.3)):
            found = said(answers, quantity)
            assert found.low <= found.high
            held[quantity] += found.low <= true <= found.high
    assert min(held.values()) >= 9


def test_availability_against_price_has_the_sign_of_the_market() -> None:
    """Dear when scarce."""
    rng = np.random.default_rng(3)
    values = 0.5 + 0.1 * wave(rng, 30 * 24, 0.8)
    traces = [trace(f"z{i}", values, usd=2.0 - values + 0.02 * rng.standard_normal(720)) for i in range(2)]
    found = said(calibrate_spot(traces, source="s", rng=rng), "availability_with_price_correlation")
    assert found.high < -0.8


def test_few_zones_and_no_prices_are_not_said() -> None:
    """Two zones for two days: the reasons are named."""
    rng = np.random.default_rng(4)
    traces = [trace(f"z{i}", rng.random(48)) for i in range(2)]
    why = {a.quantity: a.why for a in calibrate_spot(traces, source="s", rng=rng) if isinstance(a, Unsaid)}
    assert why["market_limit_sd_frac"] == "traces of 2 zones are there, 4 are needed"
    assert "4 days" in why["limit_weight_frac"]
    assert why["availability_with_price_correlation"] == "no trace has prices that moved over 4 days"


def test_a_market_that_never_had_any_gives_no_spread() -> None:
    """A share of nothing is not said, rather than not a number."""
    answers = calibrate_spot(
        [trace(f"z{i}", np.zeros(240)) for i in range(5)], source="s", rng=np.random.default_rng(1)
    )
    assert all(isinstance(a, Unsaid) for a in answers)
    assert {a.why for a in answers if isinstance(a, Unsaid)} >= {"nothing was ever available"}


def test_a_zone_that_never_had_any_does_not_break_the_rest() -> None:
    """Constants have no correlation and no memory."""
    rng = np.random.default_rng(5)
    traces = [trace("never", np.zeros(240)), trace("always", np.ones(240))]
    traces += [trace(f"z{i}", (rng.random(240) < 0.5).astype(float)) for i in range(3)]
    answers = calibrate_spot(traces, source="s", rng=rng)
    assert said(answers, "availability_frac").value == pytest.approx(np.mean([t.available_frac.mean() for t in traces]))
    assert said(answers, "market_limit_sd_frac").high > 0.0
