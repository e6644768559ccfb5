"""Gallego and van Ryzin's closed form against its equation, the table by time and stock, and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acreage.desk.prices.perishable import (
    best_fixed_price,
    fixed_price,
    fluid_price_usd,
    fluid_usd,
    prices_usd,
    values_usd,
)
from acreage.desk.prices.price_table import PricePeriod, PriceTable, price_table
from acreage.desk.prices.responses import (
    ExponentialResponse,
    IsoelasticResponse,
    LinearResponse,
    LogitResponse,
    MenuResponse,
    Response,
)
from acreage.units.errors import InputError

UNIT = ExponentialResponse(scale_usd=1.0)


def test_the_closed_form_by_hand() -> None:
    """One unit: J = ln(1 + m), p = 1 + J. Two: J = ln(1 + m + m^2 / 2)."""
    m = 3.0
    assert values_usd(UNIT, m * math.e, 2) == pytest.approx([0.0, math.log(4.0), math.log(8.5)], rel=1e-14)
    assert prices_usd(UNIT, m * math.e, 2) == pytest.approx([1.0 + math.log(4.0), 1.0 + math.log(8.5 / 4.0)], rel=1e-14)


@given(requests=st.floats(0.01, 5000.0), scale=st.floats(0.01, 1000.0), stock=st.integers(1, 60))
def test_the_closed_form_solves_its_equation(requests: float, scale: float, stock: int) -> None:
    """dJ/dm = max of F(p) (p - dJ) per request: s exp(-p / s) at the best price; prices fall with stock, to s."""
    response = ExponentialResponse(scale_usd=scale)
    step = 1e-4 * requests
    slope = (values_usd(response, requests + step, stock) - values_usd(response, requests - step, stock)) / (2.0 * step)
    prices = prices_usd(response, requests, stock)
    assert slope[1:] == pytest.approx(scale * np.exp(-prices / scale), rel=1e-4)
    assert np.all(np.diff(prices) <= 1e-9 * scale)
    assert np.all(prices >= scale * (1.0 - 1e-9))


@given(requests=st.floats(0.0, 20_000.0), stock=st.integers(0, 300))
def test_bounds_and_fixed_prices_are_in_order(requests: float, stock: int) -> None:
    """guarantee x J <= fluid price kept <= best fixed price <= J <= fluid revenue (theorems 2 and 3)."""
    best = float(values_usd(UNIT, requests, stock)[-1])
    kept, single = fixed_price(UNIT, requests, stock), best_fixed_price(UNIT, requests, stock)
    assert kept.guarantee_frac * best <= kept.expected_usd + 1e-9
    assert kept.expected_usd <= single.expected_usd + 1e-7 * (1.0 + best)
    assert single.expected_usd <= best + 1e-9 * (1.0 + best)
    assert best <= fluid_usd(UNIT, requests, stock) * (1.0 + 1e-12)


def test_the_fluid_price_runs_the_stock_out() -> None:
    """100 requests, 10 units: exp(-p) = 1/10. With stock to spare: s."""
    assert fluid_price_usd(UNIT, 100.0, 10) == pytest.approx(math.log(10.0))
    assert fluid_usd(UNIT, 100.0, 10) == pytest.approx(10.0 * math.log(10.0))
    assert fluid_price_usd(UNIT, 100.0, 99) == 1.0
    assert fluid_usd(UNIT, 100.0, 99) == pytest.approx(100.0 / math.e)


def test_the_table_meets_the_closed_form() -> None:
    """Values and prices at every start of a period, for a rate that rises and falls, to eight digits."""
    response = ExponentialResponse(scale_usd=2.5)
    requests = [5.0, 0.0, 12.0, 3.3, 20.0]
    table = price_table([PricePeriod(requests=r, response=response) for r in requests], 12)
    for t in range(6):
        assert table.value_usd[t] == pytest.approx(values_usd(response, sum(requests[t:]), 12), rel=1e-6, abs=1e-12)
    assert table.price_usd[0] == pytest.approx(prices_usd(response, sum(requests), 12), rel=1e-6)


def test_a_simulated_season_earns_the_closed_form() -> None:
    """Prices follow stock and time through 60,000 seasons; the mean is J within four standard errors."""
    rng = np.random.default_rng(2)
    requests, stock, paths, steps = 30.0, 6, 60_000, 600
    left, earned = np.full(paths, stock), np.zeros(paths)
    for step in range(steps):
        prices = np.append(np.inf, prices_usd(UNIT, requests * (1.0 - step / steps), stock))
        price = prices[left]
        sold = rng.random(paths) < requests / steps * np.exp(-price)
        earned += np.where(sold, price, 0.0)
        left = left - sold
    value = float(values_usd(UNIT, requests, stock)[-1])
    # At most one sale in each of 600 steps, for a Poisson process: hence the 0.003.
    assert earned.mean() == pytest.approx(value, abs=4.0 * earned.std() / math.sqrt(paths) + 0.003 * value)


def _bernoulli(periods: list[PricePeriod], stock: int, prices: np.ndarray, parts: int) -> np.ndarray:
    """The value by trying every price of a fine menu in many short periods of one request at most."""
    value = np.zeros(stock + 1)
    for period in reversed(periods):
        allowed = prices[(prices >= period.floor_usd) & (prices <= period.cap_usd)]
        share = period.response.take_up_frac(allowed)
        for _ in range(parts):
            gain = (share * (allowed - np.diff(value)[:, None])).max(axis=1)
            value = value + np.append(0.0, period.requests / parts * np.maximum(gain, 0.0))
    return value


MENU = MenuResponse(prices_usd=(1.0, 2.0, 5.0), take_ups_frac=(0.8, 0.5, 0.1))
CASES: list[tuple[Response, np.ndarray]] = [
    (LinearResponse(most_usd=6.0), np.linspace(0.0, 6.0, 601)),
    (LogitResponse(middle_usd=2.0, slope_per_usd=1.3), np.linspace(0.0, 12.0, 1201)),
    (IsoelasticResponse(least_usd=1.0, elasticity=2.0), np.geomspace(1.0, 500.0, 2001)),
    (MENU, np.array(MENU.prices_usd)),
]


@pytest.mark.parametrize(("response", "prices"), CASES, ids=lambda case: type(case).__name__)
def test_the_table_earns_what_trying_every_price_earns(response: Response, prices: np.ndarray) -> None:
    """Three periods with a floor in one and a cap in another, at every stock to 5."""
    periods = [
        PricePeriod(requests=4.0, response=response),
        PricePeriod(requests=6.0, response=response, floor_usd=1.9, cap_usd=5.0),
        PricePeriod(requests=2.0, response=response, cap_usd=2.2),
    ]
    table = price_table(periods, 5)
    assert table.value_usd[0] == pytest.approx(_bernoulli(periods, 5, prices, 4000), rel=2e-3)
    finite = table.price_usd[1][np.isfinite(table.price_usd[1])]
    assert finite.min() >= 1.9
    assert finite.max() <= 5.0


def test_a_cap_below_what_a_unit_is_worth_closes_the_sale() -> None:
    """No price is asked where the unit is worth more kept for later."""
    late = PricePeriod(requests=50.0, response=ExponentialResponse(scale_usd=10.0))
    early = PricePeriod(requests=5.0, response=ExponentialResponse(scale_usd=10.0), cap_usd=3.0)
    table: PriceTable = price_table([early, late], 2)
    assert np.isinf(table.price_usd[0]).all()
    assert table.value_usd[0] == pytest.approx(table.value_usd[1])


def test_what_is_left_is_worth_what_is_stated() -> None:
    """Without requests nothing happens; with them a unit is not sold below its worth at the end."""
    left = [0.0, 4.0, 7.0]
    quiet = price_table([PricePeriod(requests=0.0, response=UNIT)], 2, left)
    assert quiet.value_usd[0].tolist() == left
    busy = price_table([PricePeriod(requests=9.0, response=UNIT)], 2, left)
    assert np.all(busy.price_usd[0] > [4.0, 3.0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: values_usd(UNIT, -1.0, 3),
        lambda: values_usd(UNIT, 1.0, -3),
        lambda: PricePeriod(requests=-1.0, response=UNIT),
        lambda: PricePeriod(requests=1.0, response=UNIT, floor_usd=2.0, cap_usd=1.0),
        lambda: price_table([], -1),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """Negative requests and stocks, a cap below its floor."""
    with pytest.raises(InputError, match="give"):
        make()
