"""A tariff: list price, quantity discounts, time-of-use factors and a floor, quoted to the micro-dollar."""

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from acreage.domain.tariff import Discounting, QuantityStep, TimeOfUse
from acreage.units.errors import InputError
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, Instant
from acreage.units.money import MicroUsd

HOURS_PER_WEEK = 168
FIRST_MONDAY_AT = 4 * SECONDS_PER_DAY
"""1970-01-05, the first Monday of the epoch."""
NO_FLOOR = MicroUsd(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A price for any quantity over any time.

    Each unit and hour costs list price x its quantity step x its time of use, and never less than the floor. Of
    overlapping times of use the last one listed counts; below the first step and outside all times, the list price.
    """

    list_micro_usd_per_unit_hour: MicroUsd
    floor_micro_usd_per_unit_hour: MicroUsd = NO_FLOOR
    discounting: Discounting = Discounting.ALL_UNITS
    steps: tuple[QuantityStep, ...] = ()
    times: tuple[TimeOfUse, ...] = ()

    def __post_init__(self) -> None:
        if self.list_micro_usd_per_unit_hour < 0 or self.floor_micro_usd_per_unit_hour < 0:
            raise InputError("a tariff's list price and floor", fix="give zero or more")
        minima = [1, *(step.units_min for step in self.steps)]
        rising = all(a < b for a, b in pairwise(minima[1:])) and min(minima) >= 1
        if not rising or not all(_is_factor(step.price_frac) for step in self.steps):
            raise InputError("quantity steps", fix="give rising quantities from 1 on and factors of zero or more")
        for time in self.times:
            _check_time(time)

    def quote(self, start_at: Instant, end_at: Instant, units: int) -> MicroUsd:
        """What `units` cost over [start, end), rounded once, half up; raises `InputError` for nothing at all."""
        if end_at <= start_at or units < 1:
            raise InputError(f"{units} units for {end_at - start_at} s", fix="ask for at least 1 unit and a second")
        total = Fraction(0)
        for time_factor, seconds in self._seconds_by_factor(start_at, end_at).items():
            for quantity_factor, count in self._units_by_factor(units):
                price = self.list_micro_usd_per_unit_hour * time_factor * quantity_factor
                total += max(price, Fraction(self.floor_micro_usd_per_unit_hour)) * seconds * count
        return MicroUsd(math.floor(total / SECONDS_PER_HOUR + Fraction(1, 2)))

    def _units_by_factor(self, units: int) -> list[tuple[Fraction, int]]:
        reached = [step for step in self.steps if step.units_min <= units]
        if not reached:
            return [(Fraction(1), units)]
        if self.discounting is Discounting.ALL_UNITS:
            return [(_exact(reached[-1].price_frac), units)]
        edges = [1, *(step.units_min for step in reached), units + 1]
        factors = [Fraction(1), *(_exact(step.price_frac) for step in reached)]
        return [(factor, end - begin) for factor, (begin, end) in zip(factors, pairwise(edges), strict=True)]

    def _seconds_by_factor(self, start_at: int, end_at: int) -> dict[Fraction, int]:
        """Seconds of [start, end) by time-of-use factor: whole weeks at once, then hour by hour."""
        if not self.times:
            return {Fraction(1): end_at - start_at}
        week = self._week()
        seconds: dict[Fraction, int] = dict.fromkeys(week, 0)
        weeks, _ = divmod(end_at - start_at, HOURS_PER_WEEK * SECONDS_PER_HOUR)
        for factor in week:
            seconds[factor] += weeks * SECONDS_PER_HOUR
        at = start_at + weeks * HOURS_PER_WEEK * SECONDS_PER_HOUR
        while at < end_at:
            hour = (at - FIRST_MONDAY_AT) // SECONDS_PER_HOUR
            until = min(end_at, FIRST_MONDAY_AT + (hour + 1) * SECONDS_PER_HOUR)
            seconds[week[hour % HOURS_PER_WEEK]] += until - at
            at = until
        return seconds

    def _week(self) -> list[Fraction]:
        """The factor of each hour of the week from Monday 00:00 UTC on."""
        week = [Fraction(1)] * HOURS_PER_WEEK
        for time in self.times:
            for day in time.weekdays:
                for hour in range(time.from_hour, time.until_hour):
                    week[24 * day + hour] = _exact(time.price_frac)
        return week


def _check_time(time: TimeOfUse) -> None:
    hours = 0 <= time.from_hour < time.until_hour <= 24
    if not hours or not all(0 <= day <= 6 for day in time.weekdays) or not _is_factor(time.price_frac):
        fix = "give weekdays from 0 to 6, hours from 0 to 24 in order and a factor of zero or more"
        raise InputError(f"a time of use on {time.weekdays} from {time.from_hour} to {time.until_hour}", fix=fix)


def _is_factor(value: float) -> bool:
    return 0.0 <= value < math.inf


def _exact(factor: float) -> Fraction:
    """The decimal number that was written, not its nearest binary one."""
    return Fraction(str(factor))
