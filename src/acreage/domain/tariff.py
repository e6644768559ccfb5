"""What a list price is multiplied with: by quantity and by the hour of the week."""

from dataclasses import dataclass
from enum import StrEnum


class Discounting(StrEnum):
    """What a quantity step's price is for."""

    ALL_UNITS = "all_units"
    """Every unit, once the step is reached: a little more can then cost less in all."""
    INCREMENTAL = "incremental"
    """Only the units from the step on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityStep:
    """From `units_min` units on, `price_frac` of the list price."""

    units_min: int
    price_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfUse:
    """On `weekdays` (0 is Monday), from `from_hour` until `until_hour` UTC, `price_frac` of the list price."""

    weekdays: tuple[int, ...]
    from_hour: int
    until_hour: int
    price_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFactors:
    """Quantity steps, rising, and times of use; of overlapping times the last one counts."""

    discounting: Discounting = Discounting.ALL_UNITS
    steps: tuple[QuantityStep, ...] = ()
    times: tuple[TimeOfUse, ...] = ()
