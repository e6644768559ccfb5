"""A history that a backtest lives through: what was wanted, asked for chips by the hour, late, lost, as a CSV file.

Columns `what,name,from,until,value`, in any order, one observation a row:

    demand   a fleet or research share   [from, until)   mean demand, in the portfolio's unit
    price    a pool                      [from, until)   USD per accelerator-hour: of spot, or on demand if it has none
    limit    a pool                      [from, until)   accelerators that could be had by the hour at a time
    outage   a provider                  [from, until)   share of its capacity lost, 0 to 1
    late     a lease or offer, perhaps "offer/2" for its second delivery    value: days late
    recall   a lease or offer            from            the lessor gave notice that day
    work     a training run                              value: the work it really took, in the portfolio's unit

Demand, price and limit of one name cover the time from the planning day on without a gap or an overlap; a name
without rows goes as the portfolio says. After the last row the last value, relative to the portfolio's, carries on.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from acreage.domain.future import Future, Outage, Series
from acreage.domain.lease import Lease, Offer
from acreage.domain.portfolio import Period, Portfolio
from acreage.domain.provider import Pool
from acreage.domain.workload import ResearchShare, ServingFleet, TrainingRun
from acreage.portfolio.document import BYTES_MAX
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.errors import InputError, Place
from acreage.units.ids import PoolId, ProviderId, WorkloadId
from acreage.units.instants import Instant, instant, iso_date

COLUMNS = ("what", "name", "from", "until", "value")
SERIES = ("demand", "price", "limit")
KINDS = (*SERIES, "outage", "late", "recall", "work")
SPANS = (*SERIES, "outage")
"""What is true over a stretch of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One observation; `from_at`, `until_at` and `value` are None where the kind has none."""

    place: Place
    what: str
    name: str
    from_at: Instant | None
    until_at: Instant | None
    value: float | None

    def error(self, field: str, what: str, fix: str) -> InputError:
        """A mistake in one of its fields."""
        return InputError(what, fix=fix, place=replace(self.place, field=field))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The path that a history file tells, over the portfolio's grid, and until when it observes anything."""

    path: Future
    until_at: Instant


def read_history(path: Path, portfolio: Portfolio, demand: Mapping[WorkloadId, Series], needed_at: Instant) -> History:
    """Read a history that reaches to `needed_at` at least; `demand` is base demand (T,).

    Raises `InputError` with the line, the field and what would be right.
    """
    rows = _rows(path)
    for row in rows:
        _check(row, portfolio)
    series = {what: _series(path, rows, what, portfolio, needed_at) for what in SERIES}
    ends = [rows[-1].until_at for found in series.values() for rows in found.values()]
    return History(
        path=Future(
            name=path.stem,
            probability=1.0,
            demand_factor={
                WorkloadId(name): _demand_factor(found, portfolio, demand[WorkloadId(name)], name)
                for name, found in series["demand"].items()
            },
            work_factor=_work(rows, portfolio),
            delay_days=_late(rows, portfolio),
            price_factor={
                PoolId(name): _factor(found, portfolio.periods, _listed_usd(portfolio.pools[PoolId(name)]))
                for name, found in series["price"].items()
            },
            limit_factor={
                PoolId(name): _factor(found, portfolio.periods, float(_listed_max(portfolio.pools[PoolId(name)])))
                for name, found in series["limit"].items()
            },
            outages=tuple(_outages(rows)),
            recalled_at={row.name: row.from_at for row in rows if row.what == "recall" and row.from_at is not None},
        ),
        until_at=min((at for at in ends if at is not None), default=portfolio.periods[-1].until_at),
    )


def _rows(path: Path) -> list[Row]:
    reader = csv.DictReader(io.StringIO(_text(path)), strict=True)
    place = Place(file=str(path), line=1)
    try:
        head = tuple(name.strip() for name in reader.fieldnames or ())
        reader.fieldnames = head
        if sorted(head) != sorted(COLUMNS):
            raise InputError(f"the columns are {', '.join(head)}", fix=f"write {','.join(COLUMNS)}", place=place)
        rows = []
        for cells in reader:
            where = Place(file=str(path), line=reader.line_num)
            if None in cells or None in cells.values():
                raise InputError("the row has not as many cells as the head", fix="write five cells", place=where)
            rows.append(_row(where, {name: cell.strip() for name, cell in cells.items()}))
    except csv.Error as error:
        where = Place(file=str(path), line=reader.line_num)
        raise InputError(f"the file is no CSV: {error}", fix="quote cells with commas", place=where) from None
    if not rows:
        raise InputError("the history is empty", fix="write one observation a row", place=place)
    return rows


def _text(path: Path) -> str:
    place = Place(file=str(path))
    try:
        if path.stat().st_size > BYTES_MAX:
            raise InputError("the file is too large", fix=f"at most {BYTES_MAX // 2**20} MiB are read", place=place)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8 text", fix="save it as CSV in UTF-8", place=place) from None
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}", fix="name a file with --history", place=place) from None


def _row(place: Place, cells: Mapping[str, str]) -> Row:
    what = cells["what"]
    if what not in KINDS:
        known = ", ".join(KINDS)
        raise InputError(f"{what!r} is nothing to observe", fix=f"one of {known}", place=replace(place, field="what"))
    spans, starts = what in SPANS, what in (*SPANS, "recall")
    row = Row(
        place=place,
        what=what,
        name=cells["name"],
        from_at=_date(place, "from", cells["from"], starts, what),
        until_at=_date(place, "until", cells["until"], spans, what),
        value=_number(place, cells["value"], what != "recall", what),
    )
    if row.from_at is not None and row.until_at is not None and row.until_at <= row.from_at:
        raise row.error("until", "it ends before it begins", "until is the first day after")
    return row


def _date(place: Place, field: str, cell: str, wanted: bool, what: str) -> Instant | None:
    here = replace(place, field=field)
    if bool(cell) is not wanted:
        said = "is missing" if wanted else f"means nothing for {what}"
        raise InputError(f"the date {said}", fix="write 2027-03-01" if wanted else "leave it empty", place=here)
    try:
        return instant(cell) if wanted else None
    except InputError as error:
        raise error.at(here) from None


def _number(place: Place, cell: str, wanted: bool, what: str) -> float | None:
    here = replace(place, field="value")
    if not wanted:
        if cell:
            raise InputError(f"a value means nothing for {what}", fix="leave it empty", place=here)
        return None
    try:
        value = float(cell)
    except ValueError:
        raise InputError(f"{cell!r} is not a number", fix="write for example 110000", place=here) from None
    if not math.isfinite(value) or value < 0.0:
        raise InputError(f"{cell} is negative or not finite", fix="write a number of 0 or more", place=here)
    return value


def _check(row: Row, portfolio: Portfolio) -> None:
    """Names are the portfolio's, dates in its horizon, values in their bounds."""
    known, kind = _known(portfolio, row.what)
    name = row.name.split("/")[0] if row.what == "late" else row.name
    if name not in known:
        fix = f"one of {', '.join(sorted(known))}" if known else "leave the row out"
        raise row.error("name", f"the portfolio has no {kind} {name!r}", fix)
    begins, ends = portfolio.as_of_at, portfolio.periods[-1].until_at
    if row.from_at is not None and not begins <= row.from_at < ends:
        raise row.error(
            "from",
            f"{iso_date(row.from_at)} lies outside the horizon",
            f"the portfolio plans from {iso_date(begins)} to {iso_date(ends)}",
        )
    if row.what == "outage" and row.value is not None and row.value > 1.0:
        raise row.error("value", f"{row.value:g} is more than all of its capacity", "write a share from 0 to 1")
    if row.what == "late" and row.value != round(row.value or 0.0):
        raise row.error("value", f"{row.value:g} is no whole number of days", "round it")


def _known(portfolio: Portfolio, what: str) -> tuple[set[str], str]:
    """The names that a kind of row may have, and what they are."""
    workloads = portfolio.workloads
    if what == "demand":
        return {w.id for w in workloads if isinstance(w, ServingFleet | ResearchShare)}, "fleet or research share"
    if what == "work":
        return {w.id for w in workloads if isinstance(w, TrainingRun)}, "training run"
    if what in ("price", "limit"):
        sold = {p.id for p in portfolio.pools.values() if p.on_demand is not None or p.spot is not None}
        return {str(pool) for pool in sold}, "pool sold by the hour that is called"
    if what == "outage":
        return {str(provider) for provider in portfolio.providers}, "provider"
    contracts: tuple[Lease | Offer, ...] = (*portfolio.leases, *portfolio.offers)
    if what == "recall":
        return {str(c.id) for c in contracts if c.terms.recall is not None}, "lease or offer with a recall right"
    return {str(c.id) for c in contracts}, "lease or offer"


def _series(
    path: Path, rows: Iterable[Row], what: str, portfolio: Portfolio, needed_at: Instant
) -> dict[str, list[Row]]:
    """The rows of each name in order of time, which follow each other from the planning day on to the date needed."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.what == what:
            found.setdefault(row.name, []).append(row)
    for name, mine in found.items():
        mine.sort(key=lambda row: row.from_at or 0)
        reached = portfolio.as_of_at
        for row in mine:
            if row.from_at != reached:
                flaw = "overlaps the one before it" if (row.from_at or 0) < reached else "leaves a gap before it"
                raise row.error("from", f"{what} of {name} {flaw}", f"the next row begins on {iso_date(reached)}")
            assert row.until_at is not None
            reached = row.until_at
        if reached < needed_at:
            raise InputError(
                f"{what} of {name} ends on {iso_date(reached)}",
                fix=f"add rows until {iso_date(needed_at)}, or ask for fewer --months",
                place=replace(mine[-1].place, field="until"),
            )
    return found


def _means(rows: Sequence[Row], periods: Sequence[Period]) -> list[float | None]:
    """The mean value of each period over what of it was observed; None where nothing was."""
    found: list[float | None] = []
    for period in periods:
        total, seconds = 0.0, 0
        for row in rows:
            assert row.from_at is not None
            assert row.until_at is not None
            assert row.value is not None
            overlap = max(0, min(row.until_at, period.until_at) - max(row.from_at, period.from_at))
            total, seconds = total + row.value * overlap, seconds + overlap
        found.append(total / seconds if seconds else None)
    return found


def _carried(factors: Iterable[float | None]) -> Series:
    """Factors (T,); where nothing was observed the last one carries on."""
    found, last = [], 1.0
    for factor in factors:
        last = last if factor is None else factor
        found.append(last)
    return np.array(found)


def _factor(rows: Sequence[Row], periods: Sequence[Period], listed: float) -> Series:
    return _carried(None if mean is None else mean / listed for mean in _means(rows, periods))


def _demand_factor(rows: Sequence[Row], portfolio: Portfolio, base: Series, name: str) -> Series:
    """Observed over base demand; where the portfolio wants nothing, nothing can have been observed."""
    factors: list[float | None] = []
    for mean, wanted, period in zip(_means(rows, portfolio.periods), base, portfolio.periods, strict=True):
        if mean and not wanted:
            raise rows[0].error(
                "value",
                f"{name} was wanted from {iso_date(period.from_at)} on, where the portfolio wants nothing of it",
                "give it demand there in the portfolio, or write 0",
            )
        factors.append(mean / float(wanted) if mean is not None and wanted else None)
    return _carried(factors)


def _listed_usd(pool: Pool) -> float:
    access = pool.spot or pool.on_demand
    assert access is not None
    return usd_per_accelerator_hour(access.price)


def _listed_max(pool: Pool) -> int:
    return sum(access.accelerators_max for access in (pool.on_demand, pool.spot) if access is not None)


def _outages(rows: Iterable[Row]) -> Iterable[Outage]:
    for row in rows:
        if row.what == "outage":
            assert row.from_at is not None
            assert row.until_at is not None
            assert row.value is not None
            yield Outage(provider=ProviderId(row.name), from_at=row.from_at, until_at=row.until_at, lost_frac=row.value)


def _work(rows: Iterable[Row], portfolio: Portfolio) -> dict[WorkloadId, float]:
    runs = {w.id: w.work for w in portfolio.workloads if isinstance(w, TrainingRun)}
    found: dict[WorkloadId, float] = {}
    for row in rows:
        if row.what != "work":
            continue
        if not row.value:
            raise row.error(
                "value", "a run takes some work", f"in the portfolio's unit, as {runs[WorkloadId(row.name)]:g}"
            )
        if row.name in found:
            raise row.error("name", f"the work of {row.name} is given twice", "keep one row")
        found[WorkloadId(row.name)] = row.value / runs[WorkloadId(row.name)]
    return found


def _late(rows: Iterable[Row], portfolio: Portfolio) -> dict[tuple[str, int], int]:
    counts = {str(offer.id): list(range(len(offer.tranches))) for offer in portfolio.offers}
    for lease in portfolio.leases:
        counts[lease.id] = [
            i for i, d in enumerate(lease.deliveries) if d.due_at > portfolio.as_of_at and d.accelerators > 0
        ]
    found: dict[tuple[str, int], int] = {}
    for row in rows:
        if row.what != "late":
            continue
        name, _, number = row.name.partition("/")
        can = [str(i + 1) for i in counts[name]]
        if number not in (can if number else [""]) or not can:
            fix = f"one of {name}/{f', {name}/'.join(can)}" if can else "leave the row out"
            raise row.error("name", f"{name} has no such delivery to come", fix)
        assert row.value is not None
        for index in (int(number) - 1,) if number else counts[name]:
            if (name, index) in found:
                raise row.error("name", f"delivery {index + 1} of {name} is given twice", "keep one row")
            found[name, index] = round(row.value)
    return found
