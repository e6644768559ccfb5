"""Time is a whole number of UTC epoch seconds inside and ISO-8601 with Z at the edge."""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NewType

from acreage.units.errors import InputError

Instant = NewType("Instant", int)

SECONDS_PER_HOUR = 3_600
SECONDS_PER_DAY = 86_400
HOURS_PER_YEAR = 8_760.0
DAYS_PER_YEAR = 365.0


def instant(value: str | date | datetime) -> Instant:
    """Parse an ISO date or date-time; a date is its midnight in UTC, no zone means UTC.

    Raises `InputError` for anything else.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InputError(f"{value!r} is not a date", fix="write YYYY-MM-DD, for example 2027-03-01") from None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return Instant(round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()))


def moment(at: int) -> datetime:
    """The UTC date-time of an instant."""
    return datetime.fromtimestamp(at, tz=UTC)


def iso(at: int) -> str:
    """ISO-8601 with Z: '2027-03-01T00:00:00Z'."""
    return moment(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_date(at: int) -> str:
    """The UTC date of an instant: '2027-03-01'."""
    return moment(at).strftime("%Y-%m-%d")


def add_months(at: int, months: int) -> Instant:
    """The same day of the month and time of day, `months` later; the last day where none such exists."""
    then = moment(at)
    count = then.year * 12 + then.month - 1 + months
    year, month = divmod(count, 12)
    day = min(then.day, calendar.monthrange(year, month + 1)[1])
    return Instant(round(then.replace(year=year, month=month + 1, day=day).timestamp()))


def add_days(at: int, days: int) -> Instant:
    """`days` times 24 hours later."""
    return Instant(round((moment(at) + timedelta(days=days)).timestamp()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A contract's length in calendar months and days; the months are added first."""

    months: int = 0
    days: int = 0

    def after(self, at: int) -> Instant:
        """The instant this duration after `at`."""
        return add_days(add_months(at, self.months), self.days)

    def __str__(self) -> str:
        parts = [f"{n} {unit}" for n, unit in ((self.months, "months"), (self.days, "days")) if n]
        return " ".join(parts) or "0 days"
