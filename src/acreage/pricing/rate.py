"""What one accelerator costs: one rule per price basis, exact until it is rounded into a charge.

A rule says how many seconds of use one unit of the price pays for; the registry `RULES` is
the only place that knows all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from acreage.domain.price import Price, PriceBasis
from acreage.units.instants import SECONDS_PER_HOUR
from acreage.units.money import MICRO_PER_USD

HOURS_PER_MONTH = 730
"""Hours of the average month (8,760 / 12), for comparing monthly with hourly prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRule:
    """How a basis is charged.

    `seconds_per_unit` takes the length of the invoice month in seconds and returns how long
    one unit of the price lasts. `always_fixed` is true where the fee is due whether the
    capacity is used or not, whatever the take-or-pay share says.
    """

    seconds_per_unit: Callable[[int], int]
    always_fixed: bool = False


def _hour(_month_s: int) -> int:
    return SECONDS_PER_HOUR


def _month(month_s: int) -> int:
    return month_s


RULES: Mapping[PriceBasis, RateRule] = {
    PriceBasis.ACCELERATOR_HOUR: RateRule(seconds_per_unit=_hour),
    PriceBasis.NODE_HOUR: RateRule(seconds_per_unit=_hour),
    PriceBasis.THROUGHPUT_UNIT_HOUR: RateRule(seconds_per_unit=_hour),
    PriceBasis.MW_MONTH: RateRule(seconds_per_unit=_month),
    PriceBasis.MONTHLY_LUMP: RateRule(seconds_per_unit=_month, always_fixed=True),
}


@lru_cache(maxsize=4096)
def exactly(number: float) -> Fraction:
    """The decimal a float was written as: 0.1 is 1/10 and not its binary neighbour."""
    return Fraction(repr(number))


def micro_usd_per_accelerator_second(price: Price, month_s: int) -> Fraction:
    """The price of one leased accelerator for one second in an invoice month of `month_s` seconds."""
    seconds = RULES[price.basis].seconds_per_unit(month_s)
    return Fraction(price.amount_micro_usd) / exactly(price.accelerators_per_unit) / seconds


def usd_per_accelerator_hour(price: Price) -> float:
    """The price per leased accelerator-hour in USD, for comparing and showing; a month has 730 h."""
    rate = micro_usd_per_accelerator_second(price, HOURS_PER_MONTH * SECONDS_PER_HOUR)
    return float(rate * SECONDS_PER_HOUR / MICRO_PER_USD)
