"""A demand history as it must be to be forecast: regular, whole, above zero.

What is wrong with one is the user's to mend, as only the user knows whether a missing week was quiet or lost:
nothing is filled in.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

import numpy as np

from acreage.demand.draws import Array
from acreage.units.errors import InputError, Place
from acreage.units.ids import WorkloadId

NAMED_GAPS_MAX = 3


class Frequency(StrEnum):
    """How often a history was written down."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


STEP_YEARS = {Frequency.DAILY: 1 / 365.0, Frequency.WEEKLY: 7 / 365.0, Frequency.MONTHLY: 1 / 12.0}
MONTH_DAYS = (28, 29, 30, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One row of a history, with where it stands in the user's file."""

    on: date
    value: float
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Demand of one workload at regular dates: `values` (n,), all above zero, in the workload's unit."""

    workload: WorkloadId
    frequency: Frequency
    dates: tuple[date, ...]
    values: Array


def history_of(workload: WorkloadId, rows: Sequence[Observation], file: str) -> History:
    """The rows of one workload as a history; raises `InputError` with file, line and field for what is none."""
    _check_values(rows, file)
    _check_order(rows, file)
    frequency = _frequency(workload, rows, file)
    _check_gaps(workload, rows, frequency, file)
    values = np.asarray([row.value for row in rows])
    if not np.ptp(values):
        raise InputError(
            f"the demand of {workload} is {values[0]:g} in all {len(rows)} rows",
            fix="a constant has no spread to learn; leave the workload out",
            place=Place(file=file, line=rows[0].line, field="value"),
        )
    return History(workload=workload, frequency=frequency, dates=tuple(row.on for row in rows), values=values)


def check_alike(histories: Sequence[History], file: str) -> None:
    """Refuse histories of several frequencies; raises `InputError`."""
    by_frequency = {history.frequency: history.workload for history in reversed(histories)}
    if len(by_frequency) > 1:
        told = ", ".join(f"{workload} is {frequency}" for frequency, workload in sorted(by_frequency.items()))
        raise InputError(
            f"mixed frequencies: {told}", fix="write all workloads as often", place=Place(file=file, field="date")
        )


def _check_values(rows: Sequence[Observation], file: str) -> None:
    for row in rows:
        if not row.value > 0.0 or not np.isfinite(row.value):
            raise InputError(
                f"{row.value:g} is no demand that can be forecast",
                fix="values must be above 0; leave out the time before the launch",
                place=Place(file=file, line=row.line, field="value"),
            )


def _check_order(rows: Sequence[Observation], file: str) -> None:
    for before, row in pairwise(rows):
        place = Place(file=file, line=row.line, field="date")
        if row.on == before.on:
            raise InputError(f"{row.on} stands twice, first in line {before.line}", fix="keep one of them", place=place)
        if row.on < before.on:
            raise InputError(
                f"{row.on} comes after {before.on} of line {before.line}", fix="sort the rows by date", place=place
            )


def _frequency(workload: WorkloadId, rows: Sequence[Observation], file: str) -> Frequency:
    """By the most usual step; a second one that is as regular says that two histories were joined."""
    place = Place(file=file, line=rows[0].line, field="date")
    if len(rows) < 3:
        raise InputError(
            f"{workload} has {len(rows)} rows", fix="a history needs some dozens; see the manual", place=place
        )
    steps = Counter(_named((b.on - a.on).days) for a, b in pairwise(rows))
    regular = [(count, name) for name, count in steps.items() if name is not None]
    regular.sort(reverse=True, key=lambda found: found[0])
    if not regular or regular[0][0] * 2 < len(rows) - 1:
        raise InputError(
            f"the dates of {workload} are neither days, weeks nor months apart",
            fix="write one row a day, a week or a month",
            place=place,
        )
    if len(regular) > 1 and regular[1][0] >= max(3, len(rows) // 20):
        raise InputError(
            f"mixed frequencies: {workload} has {regular[0][0]} {regular[0][1]} steps and {regular[1][0]} "
            f"{regular[1][1]} ones",
            fix="write all rows as often",
            place=place,
        )
    return regular[0][1]


def _named(days: int) -> Frequency | None:
    if days in MONTH_DAYS:
        return Frequency.MONTHLY
    return {1: Frequency.DAILY, 7: Frequency.WEEKLY}.get(days)


def _check_gaps(workload: WorkloadId, rows: Sequence[Observation], frequency: Frequency, file: str) -> None:
    for before, row in pairwise(rows):
        missing = _missing(before.on, row.on, frequency)
        if missing:
            named = ", ".join(map(str, missing[:NAMED_GAPS_MAX]))
            more = f" and {len(missing) - NAMED_GAPS_MAX} more" if len(missing) > NAMED_GAPS_MAX else ""
            raise InputError(
                f"{workload} is {frequency} and has no row for {named}{more}",
                fix="fill in what it was, or give the rows after the gap only",
                place=Place(file=file, line=row.line, field="date"),
            )
        if not _follows(before.on, row.on, frequency):
            raise InputError(
                f"{row.on} is off the {frequency} grid of {workload}, last {before.on}",
                fix="write one row a day, a week or a month",
                place=Place(file=file, line=row.line, field="date"),
            )


def _follows(before: date, after: date, frequency: Frequency) -> bool:
    if frequency is Frequency.MONTHLY:
        return _month(after) == _month(before) + 1
    return (after - before).days == (1 if frequency is Frequency.DAILY else 7)


def _missing(before: date, after: date, frequency: Frequency) -> list[date]:
    """Dates of the grid strictly between two rows; for months, their first days."""
    if frequency is Frequency.MONTHLY:
        return [date(m // 12, m % 12 + 1, 1) for m in range(_month(before) + 1, _month(after))]
    step = 1 if frequency is Frequency.DAILY else 7
    return [before + timedelta(days=d) for d in range(step, (after - before).days, step)]


def _month(on: date) -> int:
    return on.year * 12 + on.month - 1
