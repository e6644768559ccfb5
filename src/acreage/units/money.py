"""Money is an integer number of micro-dollars; it is `Decimal` only while it is parsed.

10**6 micro-dollars are one US dollar. Python integers have no upper limit, so sums of
any size are exact; columns that hold micro-dollars are int64 and hold at most 9.2e12 USD.
"""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import NewType

from acreage.units.errors import InputError

MicroUsd = NewType("MicroUsd", int)

MICRO_PER_USD = 1_000_000


def micro_usd(amount: str | int | float | Decimal) -> MicroUsd:
    """Parse an amount in US dollars, rounding half to even at the sixth decimal.

    Raises `InputError` for what is not a finite number. A float goes through its shortest
    text, so that 4.30 means 4.30 and not 4.2999….
    """
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        raise InputError(f"{amount!r} is not an amount of money", fix="write for example 4.30") from None
    if not value.is_finite():
        raise InputError(f"{amount!r} is not a finite amount of money", fix="write for example 4.30")
    return MicroUsd(int((value * MICRO_PER_USD).to_integral_value(rounding=ROUND_HALF_EVEN)))


def usd(amount: int) -> float:
    """US dollars as a float, for solvers, charts and ratios; never for what is posted."""
    return amount / MICRO_PER_USD


def usd_text(amount: int) -> str:
    """The exact decimal text of an amount in US dollars, as published in JSON: '4.3'."""
    value = Decimal(amount) / MICRO_PER_USD
    return format(value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize(), "f")


def scaled(amount: int, numerator: int, denominator: int) -> MicroUsd:
    """`amount * numerator / denominator` in whole micro-dollars, half rounded away from zero."""
    assert denominator > 0, denominator
    product = amount * numerator
    magnitude = (2 * abs(product) + denominator) // (2 * denominator)
    return MicroUsd(magnitude if product >= 0 else -magnitude)


_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def usd_short(amount_usd: float) -> str:
    """A short text for people: '12.3B USD', '4.30 USD'."""
    for size, letter in _STEPS:
        if abs(amount_usd) >= 0.9995 * size:
            return f"{amount_usd / size:.3g}{letter} USD"
    return f"{amount_usd:.2f} USD"
