"""Sizes that no contract has: years, durations and amounts beyond which sums would overflow."""

import datetime
import re
from collections.abc import Iterator
from typing import Any

from acreage.portfolio.document import At, Document
from acreage.portfolio.fields import DURATION
from acreage.portfolio.names import Names

YEARS_MAX = 99
NUMBER_MAX = 1e12
"""No amount of money, rate, count or number of days is larger; micro-dollars of more would not fit a column."""

_UNBOUNDED = {"flop", "accelerator_hours", "rate"}
_SPAN = re.compile(DURATION)
_PER_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}


def check_limits(document: Document, names: Names) -> None:
    """Raise `InputError` for the first date, duration or number of the document that is out of all proportion."""
    for at, value in _leaves(document.value, ()):
        if isinstance(value, datetime.date):
            names.day(value, at)
        elif isinstance(value, str) and _SPAN.match(value):
            count, unit = value.split(" ", 1)
            if len(count) > 6 or int(count) > YEARS_MAX * _PER_YEAR[unit.rstrip("s")]:
                names.wrong(f"{value!r} is longer than a contract can be", f"at most {YEARS_MAX} years", at)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            _check_number(names, value, at)
    _check_delays(document, names)


def _check_number(names: Names, value: float, at: At) -> None:
    free = bool(at) and at[-1] in _UNBOUNDED
    if abs(value) > (1e40 if free else NUMBER_MAX):
        names.wrong(f"{value:.3g} is out of all proportion", "check the unit in the field's name", at)


def _check_delays(document: Document, names: Names) -> None:
    """A delay's median lies below its 90th percentile, and both are given or neither."""
    for at, value in _mappings(document.value, ()):
        if at[-1:] != ("delay",):
            continue
        median, p90 = value.get("median_days", 0), value.get("p90_days", 0)
        if p90 < median:
            names.wrong(f"p90_days {p90:g} is below median_days {median:g}", "exchange them", (*at, "p90_days"))
        if p90 > 0 and median == 0:
            names.wrong("p90_days without median_days", "give both, or neither", (*at, "p90_days"))


def _leaves(value: Any, at: At) -> Iterator[tuple[At, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, (*at, key))
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from _leaves(one, (*at, i))
    else:
        yield at, value


def _mappings(value: Any, at: At) -> Iterator[tuple[At, dict[str, Any]]]:
    if isinstance(value, dict):
        yield at, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in children:
        yield from _mappings(one, (*at, key))
