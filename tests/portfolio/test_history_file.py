"""Histories for backtests: what a row means, and one line with its place for every mistake."""

from pathlib import Path

import numpy as np
import pytest

from acreage.domain.portfolio import Portfolio
from acreage.flow.planning import base_demands, portfolio_at
from acreage.portfolio.history_file import History, read_history
from acreage.units.errors import InputError
from acreage.units.ids import PoolId, WorkloadId
from acreage.units.instants import add_months, instant

STARTUP = Path(__file__).parents[2] / "examples" / "startup"
HEAD = "what,name,from,until,value\n"
CHAT, SPOT = WorkloadId("assistant"), PoolId("gcp-a3-mega")


@pytest.fixture(scope="module")
def portfolio() -> Portfolio:
    """The example that the histories are of."""
    return portfolio_at(STARTUP / "portfolio.yaml").portfolio


def read(tmp_path: Path, portfolio: Portfolio, text: str, months: int = 2) -> History:
    """A history of some months, from its text."""
    file = tmp_path / "seen.csv"
    file.write_text(text, encoding="utf-8")
    return read_history(file, portfolio, base_demands(portfolio), add_months(portfolio.as_of_at, months))


def test_the_example_is_read(portfolio: Portfolio) -> None:
    """Every kind of row that the example has comes through, and it ends when its first series does."""
    found = read_history(STARTUP / "history.csv", portfolio, base_demands(portfolio), add_months(portfolio.as_of_at, 6))
    assert found.until_at == instant("2027-06-01")
    assert found.path.delay_days == {("harbor-b200-12m", 0): 41, ("harbor-b200-12m", 1): 12, ("meadow-b200-12m", 0): 75}
    assert found.path.outages[0].lost_frac == 1.0
    assert found.path.work_factor == {"birch-7b": 1.08}
    assert set(found.path.demand_factor) == {"assistant", "bulk-summaries"}


def test_factors_are_what_was_seen_over_what_the_portfolio_says(tmp_path: Path, portfolio: Portfolio) -> None:
    """Means over each period; a price against the list price, a limit against all access; the last carries on."""
    text = HEAD + (
        "demand,assistant,2026-11-30,2026-12-03,100000\n"
        "demand,assistant,2026-12-03,2027-02-01,200000\n"
        "price,gcp-a3-mega,2026-11-30,2027-02-01,6\n"
        "limit,gcp-a3-mega,2026-11-30,2027-02-01,48\n"
    )
    found = read(tmp_path, portfolio, text).path
    base = base_demands(portfolio)[CHAT]
    first = (3 * 100_000 + 4 * 200_000) / 7 / base[0]
    assert np.isclose(found.demand_factor[CHAT][0], first)
    assert np.isclose(found.demand_factor[CHAT][3], 200_000 / base[3])
    last = next(i for i, p in enumerate(portfolio.periods) if p.until_at > instant("2027-02-01"))
    assert np.allclose(found.demand_factor[CHAT][last:], found.demand_factor[CHAT][last - 1])
    spot = portfolio.pools[SPOT].spot
    assert spot is not None
    listed = spot.price.amount_micro_usd / 1e6 / spot.price.accelerators_per_unit
    assert np.allclose(found.price_factor[SPOT], 6.0 / listed)
    assert np.allclose(found.limit_factor[SPOT], 48 / 192)


WRONG = [
    ("", "the columns are", ":1"),
    ("what,name,from,until\n", "write what,name,from,until,value", ":1"),
    (HEAD, "the history is empty", ":1"),
    (HEAD + "demand,assistant,2026-11-30\n", "not as many cells", ":2"),
    (HEAD + "weather,assistant,2026-11-30,2027-03-01,1\n", "'weather' is nothing to observe", ":2: what"),
    (HEAD + "demand,asistant,2026-11-30,2027-03-01,1\n", "no fleet or research share 'asistant'", ":2: name"),
    (HEAD + "price,meadow-h100,2026-11-30,2027-03-01,1\n", "no pool sold by the hour", ":2: name"),
    (HEAD + "outage,nobody,2026-12-30,2027-01-01,1\n", "no provider 'nobody'", ":2: name"),
    (HEAD + "demand,assistant,30.11.2026,2027-03-01,1\n", "is not a date", ":2: from"),
    (HEAD + "demand,assistant,,2027-03-01,1\n", "the date is missing", ":2: from"),
    (HEAD + "demand,assistant,2026-11-30,2026-11-30,1\n", "ends before it begins", ":2: until"),
    (HEAD + "demand,assistant,2026-11-30,2027-03-01,-4\n", "-4 is negative", ":2: value"),
    (HEAD + "demand,assistant,2026-11-30,2027-03-01,nan\n", "nan is negative or not finite", ":2: value"),
    (HEAD + "demand,assistant,2026-11-30,2027-03-01,many\n", "'many' is not a number", ":2: value"),
    (HEAD + "outage,meadow,2026-12-30,2027-01-01,1.5\n", "more than all of its capacity", ":2: value"),
    (HEAD + "outage,meadow,2036-12-30,2037-01-01,1\n", "2036-12-30 lies outside the horizon", ":2: from"),
    (HEAD + "demand,assistant,2026-11-30,2026-12-20,9\n", "demand of assistant ends on 2026-12-20", ":2: until"),
    (
        HEAD + "demand,assistant,2026-11-30,2026-12-20,9\ndemand,assistant,2026-12-25,2027-03-01,9\n",
        "leaves a gap before it; the next row begins on 2026-12-20",
        ":3: from",
    ),
    (
        HEAD + "demand,assistant,2026-11-30,2026-12-20,9\ndemand,assistant,2026-12-10,2027-03-01,9\n",
        "overlaps the one before it",
        ":3: from",
    ),
    (HEAD + "demand,assistant,2026-12-01,2027-03-01,9\n", "leaves a gap before it", ":2: from"),
    (HEAD + "demand,bulk-summaries,2026-11-30,2027-03-01,9\n", "the portfolio wants nothing of it", ":2: value"),
    (HEAD + "late,harbor-b200-12m/3,,,9\n", "harbor-b200-12m has no such delivery to come", ":2: name"),
    (HEAD + "late,meadow-seed,,,9\n", "meadow-seed has no such delivery to come; leave the row out", ":2: name"),
    (HEAD + "late,harbor-b200-12m,,,9.5\n", "no whole number of days", ":2: value"),
    (HEAD + "late,harbor-b200-12m,2027-01-01,,9\n", "the date means nothing for late", ":2: from"),
    (HEAD + "late,harbor-b200-12m,,,9\nlate,harbor-b200-12m/1,,,8\n", "is given twice", ":3: name"),
    (HEAD + "recall,harbor-h200-6m,2027-01-01,,\n", "no lease or offer with a recall right", ":2: name"),
    (HEAD + "work,birch-7b,,,0\n", "a run takes some work", ":2: value"),
    (HEAD + "work,birch-7b,,,2e23\nwork,birch-7b,,,2e23\n", "is given twice", ":3: name"),
    (HEAD + 'demand,"assistant,2026-11-30,2027-03-01,9\n', "the file is no CSV", ":"),
]


@pytest.mark.parametrize(("text", "says", "where"), WRONG)
def test_every_mistake_says_what_where_and_how_to_fix_it(
    tmp_path: Path, portfolio: Portfolio, text: str, says: str, where: str
) -> None:
    """File, line and field stand before what is wrong and what would be right."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, portfolio, text)
    assert says in str(caught.value)
    assert f"seen.csv{where}" in str(caught.value)
    assert caught.value.fix


def test_files_that_are_none_are_refused(tmp_path: Path, portfolio: Portfolio) -> None:
    """A file that is missing, and one in another encoding."""
    with pytest.raises(InputError, match="cannot read it"):
        read_history(tmp_path / "no.csv", portfolio, base_demands(portfolio), portfolio.as_of_at)
    (tmp_path / "latin.csv").write_bytes("what,name,from,until,value\ndemand,\xe9,,,1\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_history(tmp_path / "latin.csv", portfolio, base_demands(portfolio), portfolio.as_of_at)
