"""Numbers and dates as people read them, in every rendering alike."""

from acreage.units.instants import Instant, iso_date


def money(usd: float) -> str:
    """An amount with three significant digits: $1.23B, -$45.0M, $678."""
    sign, size = ("-" if usd < 0 else ""), abs(usd)
    for limit, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= limit * 0.9995:
            scaled = size / limit
            digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{sign}${scaled:,.{digits}f}{unit}"
    return f"{sign}${size:,.0f}"


def signed_money(usd: float) -> str:
    """An amount with its sign, for differences."""
    return f"+{money(usd)}" if usd > 0 else money(usd)


def price(usd_per_accelerator_hour: float) -> str:
    """A price per accelerator-hour."""
    return f"${usd_per_accelerator_hour:,.2f}"


def percent(frac: float) -> str:
    """A share with one digit where it is small."""
    return f"{frac:.0%}" if abs(frac) >= 0.0995 else f"{frac:.1%}"


def gap_words(frac: float) -> str:
    """A proven gap, never rounded down to none."""
    return f"{frac:.2%}" if frac >= 0.00005 or frac <= 0.0 else "0.01%"


def count(number: float) -> str:
    """A number of accelerators."""
    return f"{number:,.0f}"


def date(at: Instant) -> str:
    """A day."""
    return iso_date(at)
