"""A tariff's quote against adding up every unit and every second."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.desk.prices.tariff import Tariff
from acreage.domain.tariff import Discounting, QuantityStep, TimeOfUse
from acreage.units.errors import InputError
from acreage.units.instants import Instant, instant, moment
from acreage.units.money import MicroUsd

MONDAY = instant("2027-03-01")
STEPS = (QuantityStep(units_min=10, price_frac=0.9), QuantityStep(units_min=100, price_frac=0.75))
TIMES = (
    TimeOfUse(weekdays=(0, 1, 2, 3, 4), from_hour=8, until_hour=18, price_frac=1.25),
    TimeOfUse(weekdays=(5, 6), from_hour=0, until_hour=24, price_frac=0.6),
)


def tariff(discounting: Discounting = Discounting.ALL_UNITS, floor: int = 0, **more: object) -> Tariff:
    return Tariff(
        list_micro_usd_per_unit_hour=MicroUsd(2_000_001),
        floor_micro_usd_per_unit_hour=MicroUsd(floor),
        discounting=discounting,
        **more,  # type: ignore[arg-type]
    )


def test_a_plain_price_is_units_times_hours() -> None:
    """Three units for a day and a half."""
    end = Instant(MONDAY + 36 * 3600)
    assert tariff().quote(MONDAY, end, 3) == 3 * 36 * 2_000_001


def test_all_units_against_incremental() -> None:
    """At 100 units: all at 75 %, or 9 at the list price, 90 at 90 % and one at 75 %."""
    hour = Instant(MONDAY + 3600)
    assert tariff(steps=STEPS).quote(MONDAY, hour, 100) == 150_000_075
    exact = (9 + Fraction(90 * 9, 10) + Fraction(3, 4)) * 2_000_001
    assert tariff(Discounting.INCREMENTAL, steps=STEPS).quote(MONDAY, hour, 100) == round(exact)
    assert tariff(steps=STEPS).quote(MONDAY, hour, 99) > tariff(steps=STEPS).quote(MONDAY, hour, 100)


def _slowly(tariff: Tariff, start: int, end: int, units: int) -> Fraction:
    """Every unit and minute on its own."""
    total = Fraction(0)
    for at in range(start, end, 60):
        now, factor = moment(at), Fraction(1)
        for time in tariff.times:
            if now.weekday() in time.weekdays and time.from_hour <= now.hour < time.until_hour:
                factor = Fraction(str(time.price_frac))
        for unit in range(1, units + 1):
            reached = unit if tariff.discounting is Discounting.INCREMENTAL else units
            step = Fraction(1)
            for each in tariff.steps:
                step = Fraction(str(each.price_frac)) if each.units_min <= reached else step
            price = max(tariff.list_micro_usd_per_unit_hour * factor * step, tariff.floor_micro_usd_per_unit_hour)
            total += Fraction(price) * (min(at + 60, end) - at) / 3600
    return total


@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(0, 20_000),
    minutes=st.integers(1, 2_500),
    units=st.integers(1, 14),
    discounting=st.sampled_from(Discounting),
    floor=st.sampled_from([0, 1_500_000, 2_100_000]),
)
def test_a_quote_adds_up_every_unit_and_minute(
    start: int, minutes: int, units: int, discounting: Discounting, floor: int
) -> None:
    """Steps, times of use and floor together, over starts within two weeks."""
    asked = tariff(discounting, floor, steps=STEPS, times=TIMES)
    begin = Instant(MONDAY + 60 * start)
    slowly = _slowly(asked, begin, begin + 60 * minutes, units)
    assert abs(asked.quote(begin, Instant(begin + 60 * minutes), units) - slowly) <= Fraction(1, 2)


@given(cut=st.integers(1, 4_000_000), units=st.integers(1, 200))
def test_time_can_be_cut_anywhere(cut: int, units: int) -> None:
    """Two quotes in a row cost what one does, to a micro-dollar of rounding."""
    asked, end = tariff(steps=STEPS, times=TIMES), Instant(MONDAY + 4_000_001)
    middle = Instant(MONDAY + cut)
    whole = asked.quote(MONDAY, end, units)
    assert abs(asked.quote(MONDAY, middle, units) + asked.quote(middle, end, units) - whole) <= 1


def test_a_year_is_quoted_by_weeks() -> None:
    """52 weeks and a day: each week has 50 dear hours and 48 cheap ones."""
    asked = tariff(times=TIMES)
    week = Fraction(2_000_001) * (50 * Fraction(5, 4) + 48 * Fraction(3, 5) + 70)
    day = Fraction(2_000_001) * (10 * Fraction(5, 4) + 14)
    assert abs(asked.quote(MONDAY, Instant(MONDAY + 365 * 86_400), 1) - (52 * week + day)) <= Fraction(1, 2)


def test_nothing_is_sold_below_the_floor() -> None:
    """The floor holds for every unit and hour, not on average."""
    weekend = instant("2027-03-06")
    asked = tariff(floor=1_900_000, times=TIMES)
    assert asked.quote(weekend, Instant(weekend + 7200), 5) == 10 * 1_900_000


@pytest.mark.parametrize(
    "make",
    [
        lambda: tariff().quote(MONDAY, MONDAY, 1),
        lambda: tariff().quote(MONDAY, Instant(MONDAY + 1), 0),
        lambda: tariff(floor=-1),
        lambda: tariff(steps=(STEPS[1], STEPS[0])),
        lambda: tariff(steps=(QuantityStep(units_min=0, price_frac=0.5),)),
        lambda: tariff(steps=(QuantityStep(units_min=5, price_frac=-0.5),)),
        lambda: tariff(times=(TimeOfUse(weekdays=(7,), from_hour=0, until_hour=1, price_frac=1.0),)),
        lambda: tariff(times=(TimeOfUse(weekdays=(0,), from_hour=5, until_hour=5, price_frac=1.0),)),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """Nothing asked for, negative money, steps out of order, hours and days that are none."""
    with pytest.raises(InputError):
        make()
