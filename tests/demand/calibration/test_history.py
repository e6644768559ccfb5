"""A history that is none is refused with its line, field and remedy; nothing is filled in."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from acreage.demand.calibration.history import Frequency, Observation, check_alike, history_of
from acreage.units.errors import InputError
from acreage.units.ids import WorkloadId
from tests.demand.calibration.histories import dates

CHAT = WorkloadId("chat")


def rows(frequency: Frequency = Frequency.WEEKLY, count: int = 20) -> list[Observation]:
    return [Observation(on=on, value=10.0 + i, line=i + 2) for i, on in enumerate(dates(frequency, count))]


def refusal(observations: list[Observation]) -> str:
    with pytest.raises(InputError) as caught:
        history_of(CHAT, observations, "demand.csv")
    return str(caught.value)


@pytest.mark.parametrize("frequency", list(Frequency))
def test_the_frequency_is_seen(frequency: Frequency) -> None:
    """Days, weeks, and months of whatever length."""
    found = history_of(CHAT, rows(frequency), "demand.csv")
    assert found.frequency is frequency
    assert found.values.tolist() == [10.0 + i for i in range(20)]


def test_months_written_at_their_ends_are_months() -> None:
    """The 31st, 28th, 31st ... are one month apart each."""
    ends = [on - timedelta(days=1) for on in dates(Frequency.MONTHLY, 24)]
    history = history_of(CHAT, [replace(r, on=on) for r, on in zip(rows(count=24), ends, strict=True)], "d")
    assert history.frequency is Frequency.MONTHLY


def test_a_gap_is_named_by_its_dates() -> None:
    """And is the user's to fill."""
    whole = rows()
    assert refusal(whole[:5] + whole[6:]) == (
        "demand.csv:8: date: chat is weekly and has no row for 2021-02-05; "
        "fill in what it was, or give the rows after the gap only"
    )
    assert "2021-02-05, 2021-02-12, 2021-02-19 and 2 more" in refusal(whole[:5] + whole[10:])
    months = rows(Frequency.MONTHLY)
    assert "no row for 2021-06-01" in refusal(months[:5] + months[6:])


def test_what_stands_twice_or_out_of_order_is_refused_at_its_line() -> None:
    """With the line of the other."""
    whole = rows()
    twice = [*whole[:4], replace(whole[3], line=99), *whole[4:]]
    assert refusal(twice) == "demand.csv:99: date: 2021-01-22 stands twice, first in line 5; keep one of them"
    assert "comes after 2021-01-29 of line 6; sort the rows by date" in refusal([*whole[:3], whole[4], *whole[3:4]])


@pytest.mark.parametrize("value", [0.0, -3.0, float("nan")])
def test_no_demand_is_no_history(value: float) -> None:
    """Zero, negative or not a number."""
    whole = rows()
    assert refusal([*whole[:3], replace(whole[3], value=value)]).startswith("demand.csv:5: value:")


def test_a_constant_is_refused() -> None:
    """It has no spread to learn."""
    assert "is 7 in all 20 rows; a constant has no spread" in refusal([replace(r, value=7.0) for r in rows()])


def test_frequencies_that_are_mixed_are_refused_within_and_across_workloads() -> None:
    """Days joined to weeks, and one workload by the day beside one by the month."""
    weeks = rows()
    days = [replace(r, on=weeks[-1].on + timedelta(days=i + 1), line=50 + i) for i, r in enumerate(rows(count=15))]
    assert "mixed frequencies: chat has 19 weekly steps and 15 daily ones" in refusal(weeks + days)
    other = history_of(WorkloadId("code"), rows(Frequency.MONTHLY), "d")
    with pytest.raises(InputError, match="mixed frequencies: code is monthly, chat is weekly"):
        check_alike([history_of(CHAT, rows(), "d"), other], "demand.csv")


def test_dates_without_a_rhythm_or_too_few_of_them_are_refused() -> None:
    """Every third day is none of the three; two rows are no history."""
    assert "neither days, weeks nor months apart" in refusal(
        [replace(r, on=date(2021, 1, 1) + timedelta(days=3 * i)) for i, r in enumerate(rows())]
    )
    assert "chat has 2 rows" in refusal(rows()[:2])
