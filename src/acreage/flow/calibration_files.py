"""Reads the data that futures are calibrated from: price histories, spot and serving traces, histories of demand.

Every complaint names file, line and field. Nothing is repaired: what is wrong is the user's to mend.
"""

import csv
import difflib
import gzip
import json
import math
import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from acreage.catalog.accelerators import find
from acreage.catalog.shapes import accelerator_by_name, known_shapes
from acreage.demand.calibration.history import History, Observation, check_alike, history_of
from acreage.demand.calibration.prices import COLUMNS
from acreage.demand.calibration.serving import ServingTrace
from acreage.demand.calibration.spot import SpotTrace
from acreage.domain.price import PriceKind
from acreage.units.errors import InputError, Place
from acreage.units.ids import WorkloadId
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, instant

PRICE_COLUMNS = ("provider", "region", "instance_type", "pricing_model", "observed_from", "usd_per_instance_hour")
DEMAND_COLUMNS = ("date", "workload", "value")
INDEX, RUNS = "spot_traces_index.csv", "spot_traces_rle.csv"
INDEX_COLUMNS = ("trace_id", "nodes", "zone", "resource", "start_date", "gap_seconds", "ticks")
RUN_COLUMNS = ("trace_id", "start_tick", "n_ticks", "available")
SERVING_FORMS = ("arrival_s", "t_s and qps_sum", "at (or gmt_create)")
TICKS_MAX, SPAN_DAYS_MAX = 10_000_000, 3_660

Row = tuple[int, dict[str, str]]
"""Line in the file, and cells by column."""


def rows_of(path: Path, needed: Sequence[str]) -> list[Row]:
    """The rows of a CSV file (perhaps gzipped) that has these columns; raises `InputError` with its place."""
    found = list(_rows(path, needed))
    if not found:
        raise InputError("there is no row below the header", fix="give some data", place=Place(file=str(path), line=1))
    return found


def _rows(path: Path, needed: Sequence[str]) -> Iterator[Row]:
    open_ = gzip.open if path.suffix == ".gz" else open
    try:
        with open_(path, "rt", encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [name for name in needed if name not in (reader.fieldnames or ())]
            if missing:
                fix = f"the columns are {', '.join(needed)}"
                raise InputError(f"no column {missing[0]!r}", fix=fix, place=Place(file=str(path), line=1))
            for row in reader:
                place = Place(file=str(path), line=reader.line_num)
                if None in row:
                    raise InputError("more cells than the header", fix="quote cells with commas", place=place)
                yield reader.line_num, {name: (cell or "").strip() for name, cell in row.items()}
    except (OSError, UnicodeDecodeError, csv.Error, EOFError, zlib.error) as error:
        raise InputError(f"cannot be read: {error}", fix="name a CSV file", place=Place(file=str(path))) from None


def _number(path: Path, line: int, field: str, text: str, *, above: float = -math.inf) -> float:
    """A finite number above a bound (which itself is not allowed, but for minus infinity)."""
    place = Place(file=str(path), line=line, field=field)
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{text!r} is not a number", fix="write a plain number", place=place) from None
    if not math.isfinite(value) or value <= above:
        raise InputError(f"{text} is out of range", fix=f"it must be a number above {above:g}", place=place)
    return value


def _date(path: Path, line: int, field: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fix = "write YYYY-MM-DD, for example 2027-03-01"
        place = Place(file=str(path), line=line, field=field)
        raise InputError(f"{text!r} is not a date", fix=fix, place=place) from None


def read_prices(path: Path) -> pl.DataFrame:
    """A price history with the columns of `prices.COLUMNS`; a row holds until the next one of its key."""
    kinds = {kind.value for kind in PriceKind}
    found: dict[tuple[str, ...], int] = {}
    rows = []
    for line, cells in rows_of(path, PRICE_COLUMNS):
        on = _date(path, line, "observed_from", cells["observed_from"])
        if cells["pricing_model"] not in kinds:
            place = Place(file=str(path), line=line, field="pricing_model")
            fix = f"write one of {', '.join(sorted(kinds))}"
            raise InputError(f"{cells['pricing_model']!r} is no pricing model", fix=fix, place=place)
        key = (*(cells[name] for name in PRICE_COLUMNS[:4]), str(on))
        if key in found:
            what = f"{' '.join(key)} stands twice, first in line {found[key]}"
            raise InputError(what, fix="keep one of them", place=Place(file=str(path), line=line))
        found[key] = line
        usd = _number(path, line, "usd_per_instance_hour", cells["usd_per_instance_hour"], above=0.0)
        rows.append((*key[:4], _chip(cells["provider"], cells["instance_type"]), on, usd))
    return pl.DataFrame(rows, schema=list(COLUMNS), orient="row")


@cache
def _shapes() -> dict[tuple[str, str], str]:
    return {(row[0], row[1]): row[2] for row in known_shapes().iter_rows()}


def _chip(provider: str, instance_type: str) -> str:
    return _shapes().get((provider, instance_type)) or accelerator_by_name(provider, instance_type)


def read_spot(path: Path) -> tuple[list[SpotTrace], list[str]]:
    """Spot traces, and notes of those set aside as they are not of an accelerator of the catalog.

    A folder with `spot_traces_index.csv` and `spot_traces_rle.csv`, a folder of JSON traces, or one JSON trace.
    """
    if path.is_dir() and (path / INDEX).is_file():
        traces = _coded_traces(path)
    else:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            what = f"the folder has neither {INDEX} nor JSON traces"
            raise InputError(what, fix="name a folder or file of spot traces", place=Place(file=str(path)))
        traces = [_json_trace(file) for file in files]
    kept = [trace for trace in traces if find(trace.resource.partition("_")[0].upper()) is not None]
    dropped = sorted({trace.resource for trace in traces} - {trace.resource for trace in kept})
    if not kept:
        fix = f"{', '.join(dropped)} are none; see `acreage prices`"
        raise InputError("no trace is of an accelerator of the catalog", fix=fix, place=Place(file=str(path)))
    return kept, [f"set aside: spot traces of {', '.join(dropped)}, not in the catalog"] if dropped else []


def _coded_traces(folder: Path) -> list[SpotTrace]:
    """Traces as runs: `available` instances for `n_ticks` from `start_tick` on."""
    runs: dict[str, list[Row]] = {}
    for row in rows_of(folder / RUNS, RUN_COLUMNS):
        runs.setdefault(row[1]["trace_id"], []).append(row)
    found = []
    for line, cells in rows_of(folder / INDEX, INDEX_COLUMNS):
        path = folder / INDEX
        name = cells["trace_id"]
        nodes = _number(path, line, "nodes", cells["nodes"], above=0.0)
        ticks = round(_number(path, line, "ticks", cells["ticks"], above=0.0))
        gap_s = _number(path, line, "gap_seconds", cells["gap_seconds"], above=0.0)
        if ticks > TICKS_MAX or gap_s > SECONDS_PER_HOUR:
            fix = f"at most {TICKS_MAX:,} ticks, at most an hour apart"
            raise InputError(f"{ticks:,} ticks {gap_s:g} s apart", fix=fix, place=Place(file=str(path), line=line))
        found.append(
            SpotTrace(
                name=name,
                zone=cells["zone"],
                resource=cells["resource"],
                started_on=cells["start_date"],
                gap_s=gap_s,
                available_frac=_decoded(folder / RUNS, name, runs.pop(name, []), ticks, nodes),
                usd=None,
            )
        )
    if runs:
        line = next(iter(runs.values()))[0][0]
        place = Place(file=str(folder / RUNS), line=line, field="trace_id")
        raise InputError(f"{next(iter(runs))!r} is not in {INDEX}", fix="add it there", place=place)
    return found


def _decoded(path: Path, name: str, runs: Sequence[Row], ticks: int, nodes: float) -> np.ndarray:
    values = np.full(ticks, np.nan)
    for line, cells in runs:
        start, count = (round(_number(path, line, f, cells[f], above=-1.0)) for f in ("start_tick", "n_ticks"))
        available = _number(path, line, "available", cells["available"], above=-1.0)
        if not 0.0 <= available <= nodes:
            place = Place(file=str(path), line=line, field="available")
            raise InputError(f"{available:g} of {nodes:g} nodes", fix="write 0 to all that were asked for", place=place)
        values[start : start + count] = available / nodes
    if not np.isfinite(values).all():
        missing = int(np.argmax(~np.isfinite(values)))
        what = f"the runs of {name} do not cover tick {missing}"
        raise InputError(what, fix="give every tick, or a shorter trace", place=Place(file=str(path)))
    return values


_TRACE_NAME = re.compile(r"(?:availability|preemption)__(\d+)-node__[a-z]+-([\d-]+)__(.+)_([a-z]\w*?\d+_\d+)$")


def _json_trace(path: Path) -> SpotTrace:
    """One trace in its published form; nodes, day, zone and chip stand in its name."""
    place = Place(file=str(path))
    try:
        content = json.loads(path.read_bytes())
        gap_s = float(content["metadata"]["gap_seconds"])
        values = np.asarray(content["data"], dtype=float)
        usd = np.asarray(content["prices"], dtype=float) if "prices" in content else None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", fix="name a spot trace", place=place) from None
    except (ValueError, KeyError, TypeError) as error:
        fix = "it has metadata.gap_seconds, data and perhaps prices"
        raise InputError(f"not a spot trace: {type(error).__name__}: {error}", fix=fix, place=place) from None
    named = _TRACE_NAME.search(path.stem)
    nodes = float(named[1]) if named else max(float(values.max(initial=0.0)), 1.0)
    if (
        values.ndim != 1
        or not len(values)
        or not 0.0 < gap_s <= SECONDS_PER_HOUR
        or not ((values >= 0.0) & (values <= nodes)).all()
    ):
        fix = f"data are instances from 0 to {nodes:g}, gap_seconds is above 0 and at most 3600"
        raise InputError("not a spot trace", fix=fix, place=place)
    if usd is not None and (usd.shape != values.shape or not (usd > 0.0).all()):
        raise InputError("prices do not go with data", fix="give one above 0 for each tick", place=place)
    return SpotTrace(
        name=path.stem,
        zone=named[3] if named else path.stem,
        resource=named[4] if named else path.stem,
        started_on=named[2] if named else "",
        gap_s=gap_s,
        available_frac=values / nodes,
        usd=usd,
    )


def read_serving(path: Path) -> list[ServingTrace]:
    """Serving traces by the columns that a file has: requests by arrival, sampled rates, or requests by date-time."""
    rows = rows_of(path, ())
    traces = _serving_traces(path, rows)
    span_days = max(float(trace.at_s[-1] - trace.at_s[0]) for trace in traces) / SECONDS_PER_DAY
    if span_days > SPAN_DAYS_MAX:
        fix = f"times are seconds; at most {SPAN_DAYS_MAX:,} days are read"
        raise InputError(f"the trace spans {span_days:,.0f} days", fix=fix, place=Place(file=str(path)))
    return traces


def _serving_traces(path: Path, rows: Sequence[Row]) -> list[ServingTrace]:
    columns, name = rows[0][1].keys(), path.name.partition(".")[0]
    if "arrival_s" in columns:
        return [_requests(name, [_number(path, line, "arrival_s", cells["arrival_s"]) for line, cells in rows])]
    if {"t_s", "qps_sum"} <= columns:
        return _rates(path, name, rows)
    stamp = next((column for column in ("at", "gmt_create") if column in columns), None)
    if stamp is None:
        what = f"no column says when: {', '.join(columns)}"
        raise InputError(what, fix=f"have {', or '.join(SERVING_FORMS)}", place=Place(file=str(path), line=1))
    at = [_moment(path, line, stamp, cells[stamp]) for line, cells in rows]
    midnight = min(at) // SECONDS_PER_DAY * SECONDS_PER_DAY
    return [_requests(name, [one - midnight for one in at])]


def _moment(path: Path, line: int, field: str, text: str) -> float:
    try:
        return float(instant(datetime.fromisoformat(text)))
    except ValueError:
        place = Place(file=str(path), line=line, field=field)
        raise InputError(f"{text!r} is not a date-time", fix="write 2027-03-01 14:00:00", place=place) from None


def _requests(name: str, at_s: Sequence[float]) -> ServingTrace:
    ordered = np.sort(np.asarray(at_s))
    return ServingTrace(name=name, at_s=ordered, amount=np.ones(len(ordered)), is_rate=False)


def _rates(path: Path, name: str, rows: Sequence[Row]) -> list[ServingTrace]:
    """One trace for each request type."""
    by_type: dict[str, list[tuple[float, float]]] = {}
    for line, cells in rows:
        at = _number(path, line, "t_s", cells["t_s"])
        rate = _number(path, line, "qps_sum", cells["qps_sum"], above=-1e-12)
        by_type.setdefault(cells.get("request_type", ""), []).append((at, rate))
    found = []
    for kind, pairs in sorted(by_type.items()):
        at_s, amount = np.asarray(sorted(pairs)).T
        found.append(ServingTrace(name=f"{name} {kind}".strip(), at_s=at_s, amount=amount, is_rate=True))
    return found


def read_demand(path: Path, workloads: Collection[WorkloadId], runs: Collection[WorkloadId]) -> list[History]:
    """Histories of demand by workload, in the order of the file, all of one frequency and checked.

    `workloads` are those that have a rate; `runs` are training runs, which have none.
    """
    by_workload: dict[WorkloadId, list[Observation]] = {}
    for line, cells in rows_of(path, DEMAND_COLUMNS):
        id_ = WorkloadId(cells["workload"])
        _check_known(path, line, id_, workloads, runs)
        value = _number(path, line, "value", cells["value"])
        on = _date(path, line, "date", cells["date"])
        by_workload.setdefault(id_, []).append(Observation(on=on, value=value, line=line))
    histories = [history_of(id_, rows, str(path)) for id_, rows in by_workload.items()]
    check_alike(histories, str(path))
    return histories


def _check_known(
    path: Path, line: int, id_: WorkloadId, workloads: Collection[WorkloadId], runs: Collection[WorkloadId]
) -> None:
    if id_ in workloads:
        return
    place = Place(file=str(path), line=line, field="workload")
    if id_ in runs:
        raise InputError(f"{id_} is a training run", fix="it has no rate: leave it out", place=place)
    near = difflib.get_close_matches(id_, workloads, n=1)
    fix = f"did you mean {near[0]!r}?" if near else f"the portfolio has {', '.join(workloads)}"
    raise InputError(f"the portfolio has no workload {str(id_)!r}", fix=fix, place=place)
