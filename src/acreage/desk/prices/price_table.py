"""The best price of a perishable stock by time and stock, for any take-up and any rate of requests.

Requests for one unit each come as a Poisson process. With a(t) the rate and F the take-up (Gallego and van Ryzin,
1994; Talluri and van Ryzin, 2004, chapter 5), the value of x units obeys

    -dV/dt (t, x) = a(t) max(0, max over p of F(p) (p - (V(t, x) - V(t, x - 1))))

backwards from what is left at the end. Within each period it is solved by the classical Runge-Kutta method in
steps of at most a quarter of a request; the right side is Lipschitz with constant 2 a(t), so that is stable.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from acreage.desk.prices.responses import Array, Response
from acreage.units.errors import InputError

REQUESTS_PER_STEP_MAX = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePeriod:
    """A period with `requests` on average, evenly spread, how they respond, and the limits of its price."""

    requests: float
    response: Response
    floor_usd: float = 0.0
    cap_usd: float = math.inf

    def __post_init__(self) -> None:
        if not 0.0 <= self.requests < math.inf:
            raise InputError(f"{self.requests} requests in a period", fix="give zero or more")
        if not 0.0 <= self.floor_usd <= self.cap_usd:
            what = f"a floor of {self.floor_usd} and a cap of {self.cap_usd} USD"
            raise InputError(what, fix="give a floor of zero or more and a cap no lower")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriceTable:
    """`value_usd` (T + 1, stock + 1) before each period and at the end; `price_usd` (T, stock).

    Row t, column x - 1 of the prices is what to ask at the start of period t with x units left: infinite where no price
    within the limits is worth a unit.
    """

    value_usd: Array
    price_usd: Array


def price_table(periods: Sequence[PricePeriod], stock: int, left_usd: ArrayLike | None = None) -> PriceTable:
    """Solve backwards for every stock up to `stock`; `left_usd` (stock + 1,) is what is left at the end is worth."""
    if stock < 0:
        raise InputError(f"a stock of {stock} units", fix="give zero or more")
    value = np.zeros((len(periods) + 1, stock + 1))
    price = np.zeros((len(periods), stock))
    if left_usd is not None:
        value[-1] = left_usd
    for t in reversed(range(len(periods))):
        value[t] = _before(periods[t], value[t + 1])
        price[t] = _asked(periods[t], value[t])[0]
    return PriceTable(value_usd=value, price_usd=price)


def _before(period: PricePeriod, after: Array) -> Array:
    """The value at the start of a period from that at its end."""
    steps = max(1, math.ceil(period.requests / REQUESTS_PER_STEP_MAX))
    size = period.requests / steps
    value = after
    for _ in range(steps):
        first = _slope(period, value)
        second = _slope(period, value + 0.5 * size * first)
        third = _slope(period, value + 0.5 * size * second)
        fourth = _slope(period, value + size * third)
        value = value + size / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)
    return value


def _slope(period: PricePeriod, value: Array) -> Array:
    """What one request is worth, by stock: nothing without any."""
    return np.concatenate([[0.0], _asked(period, value)[1]])


def _asked(period: PricePeriod, value: Array) -> tuple[Array, Array]:
    """The best price with 1, 2, .. units left, and what a request to which it is asked earns over keeping the unit."""
    displaced = np.diff(value)
    price = period.response.best_price_usd(displaced, period.floor_usd, period.cap_usd)
    gain = period.response.take_up_frac(price) * (price - displaced)
    return np.where(gain >= 0.0, price, np.inf), np.maximum(gain, 0.0)
