"""Dynamic pricing of a perishable stock in closed form: Poisson requests, exponential willingness to pay.

G. Gallego and G. van Ryzin, Optimal dynamic pricing of inventories with stochastic demand over finite horizons,
Management Science 40, 1994. With requests at rate a, of which exp(-p / s) accept a price p, the best price of an
unlimited stock is s, at which m = (a / e) t units are sold in the time t that is left, and

    J(n, t) = s ln(sum for i = 0 .. n of m^i / i!),    p(n, t) = s + J(n, t) - J(n - 1, t)

(their section 2.3 with s = 1). Time enters by the mean number of requests alone, so a rate that changes does too.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from acreage.desk.prices.responses import Array, ExponentialResponse
from acreage.desk.protection.laws import PoissonLaw
from acreage.units.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPrice:
    """A price that is kept to the end and what it earns in expectation.

    `guarantee_frac` is the share of the best dynamic revenue it is sure to reach, 1 - 1 / (2 sqrt(min(n, m)))
    (theorem 3 of the paper), at least 0.
    """

    price_usd: float
    expected_usd: float
    guarantee_frac: float


def values_usd(response: ExponentialResponse, requests: float, stock: int) -> Array:
    """J(0 .. stock) (stock + 1,) when `requests` are still to come on average."""
    _check(requests, stock)
    sold = requests / math.e
    i = np.arange(stock + 1, dtype=np.float64)
    if sold == 0.0:
        return np.zeros(stock + 1)
    return response.scale_usd * np.logaddexp.accumulate(i * math.log(sold) - gammaln(i + 1.0))


def prices_usd(response: ExponentialResponse, requests: float, stock: int) -> Array:
    """The best price with 1 .. stock units left, (stock,); it falls with stock and rises with requests to come."""
    return np.asarray(response.scale_usd + np.diff(values_usd(response, requests, stock)))


def fluid_usd(response: ExponentialResponse, requests: float, stock: int) -> float:
    """Revenue if demand were its mean: min(m, n) units at `fluid_price_usd`; no less than J (theorem 2)."""
    _check(requests, stock)
    sold = min(requests / math.e, float(stock))
    return sold * fluid_price_usd(response, requests, stock) if sold > 0.0 else 0.0


def fluid_price_usd(response: ExponentialResponse, requests: float, stock: int) -> float:
    """The dearer of the free price s and the price s ln(requests / n) at which the stock just runs out."""
    _check(requests, stock)
    if stock == 0:
        return math.inf if requests > 0.0 else response.scale_usd
    return response.scale_usd * max(1.0, math.log(requests) - math.log(stock) if requests > 0.0 else 1.0)


def fixed_price(response: ExponentialResponse, requests: float, stock: int) -> FixedPrice:
    """The fluid price, kept: asymptotically the best there is as stock and requests grow together (theorem 3)."""
    return _fixed(response, requests, stock, fluid_price_usd(response, requests, stock))


def best_fixed_price(response: ExponentialResponse, requests: float, stock: int) -> FixedPrice:
    """The single price that earns most in expectation, p E min(Poisson(requests exp(-p / s)), n), by search."""
    _check(requests, stock)
    if stock == 0 or requests == 0.0:
        return fixed_price(response, requests, stock)
    top = response.scale_usd * (2.0 + max(1.0, math.log(requests)))
    found = minimize_scalar(
        lambda price: -_fixed(response, requests, stock, price).expected_usd,
        bounds=(0.0, top),
        method="bounded",
        options={"xatol": 1e-10 * response.scale_usd},
    )
    return _fixed(response, requests, stock, float(found.x))


def _fixed(response: ExponentialResponse, requests: float, stock: int, price_usd: float) -> FixedPrice:
    _check(requests, stock)
    least = min(requests / math.e, float(stock))
    if least == 0.0:
        return FixedPrice(price_usd=price_usd, expected_usd=0.0, guarantee_frac=0.0)
    law = PoissonLaw(mean=requests * float(response.take_up_frac(price_usd)))
    return FixedPrice(
        price_usd=price_usd,
        expected_usd=price_usd * float(law.expected_min(stock)),
        guarantee_frac=max(0.0, 1.0 - 0.5 / math.sqrt(least)),
    )


def _check(requests: float, stock: int) -> None:
    if not 0.0 <= requests < math.inf or stock < 0:
        raise InputError(f"{requests} requests to come and {stock} units", fix="give zero or more of each")
