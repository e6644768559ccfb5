"""A plan on disk: a folder that can be shown, compared, explained and audited again.

`plan.json` is for people and programs (its schema is published); `state.json` and `futures.json.gz`
hold the plan and its futures exactly; `tables/` holds the frames as Parquet, and below `kept/` what is kept of
all futures where the frames hold the detail of some; the portfolio's text is kept beside them, so that a plan
needs nothing else.
"""

import gzip
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from acreage.domain.future import Future, Outage, Series
from acreage.domain.plan import (
    DETAIL,
    SCHEMAS,
    SUMMARY_SCHEMAS,
    Decision,
    Effort,
    Figures,
    OfferVerdict,
    Outcome,
    Plan,
    Summary,
    WhatIf,
)
from acreage.units.errors import InputError, Place
from acreage.units.ids import PoolId, WorkloadId
from acreage.units.instants import Instant

PORTFOLIO = "portfolio.yaml"
STATE = "state.json"
FUTURES = "futures.json.gz"
DOCUMENT = "plan.json"
OUTCOMES = ("best", "without_new")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything of a plan but its frames and futures."""

    format: int
    portfolio_name: str
    as_of_at: Instant
    seed: int
    decision: dict[str, Decision]
    figures: dict[str, Figures]
    verdicts: tuple[OfferVerdict, ...]
    what_ifs: tuple[WhatIf, ...]
    effort: Effort
    detailed: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFuture:
    """A future with its series as lists and its pair keys spelled out."""

    name: str
    probability: float
    demand_factor: dict[str, list[float]]
    work_factor: dict[str, float]
    delay_days: list[tuple[str, int, int]]
    price_factor: dict[str, list[float]]
    limit_factor: dict[str, list[float]]
    outages: tuple[Outage, ...]
    recalled_at: dict[str, Instant]


FORMAT = 1
KEPT = "kept"
COMPRESSION = 6
"""gzip's own default: 9 takes three times as long for a hundredth."""


def check_free(folder: Path) -> None:
    """Refuse a folder that holds something that is not a plan; raises `InputError`."""
    if folder.exists() and not is_plan(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(
            f"{folder} exists and is not a plan", fix="choose another folder with --out, or remove it first"
        )


def save_plan(folder: Path, plan: Plan, document: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write a plan's folder in one step; an older plan there is replaced, anything else is left alone.

    `document` becomes plan.json; `files` are further files by their relative names, among
    them the portfolio. Raises `InputError` if the folder holds something that is not a plan.
    """
    check_free(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".plan-") as made:
        new = Path(made) / "plan"
        new.mkdir()
        _write(new, plan, document, files)
        if folder.exists():
            shutil.rmtree(folder)
        new.rename(folder)


def _write(folder: Path, plan: Plan, document: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / DOCUMENT).write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    (folder / STATE).write_bytes(msgspec.json.encode(_state_of(plan)))
    stored = [_stored(future) for future in plan.futures]
    (folder / FUTURES).write_bytes(gzip.compress(msgspec.json.encode(stored), COMPRESSION, mtime=0))
    for which in OUTCOMES:
        outcome: Outcome = getattr(plan, which)
        (folder / "tables" / which).mkdir(parents=True)
        for name, frame in outcome.frames.items():
            frame.write_parquet(folder / "tables" / which / f"{name}.parquet")
        if outcome.summary is not None:
            _write_summary(folder / "tables" / which / KEPT, outcome.summary)


def _write_summary(folder: Path, summary: Summary) -> None:
    folder.mkdir()
    for name, frame in summary.expected.items():
        frame.write_parquet(folder / f"expected_{name}.parquet")
    summary.paths.write_parquet(folder / "paths.parquet")
    summary.fates.write_parquet(folder / "fates.parquet")


def is_plan(folder: Path) -> bool:
    """Whether a folder holds a plan."""
    return (folder / STATE).is_file()


def load_plan(folder: Path) -> Plan:
    """Read a plan's folder; raises `InputError` if it is none or damaged."""
    if not is_plan(folder):
        raise InputError(
            f"{folder} is not a plan", fix="name a folder that `acreage plan` wrote", place=Place(file=str(folder))
        )
    try:
        state = msgspec.json.decode((folder / STATE).read_bytes(), type=State)
        stored = msgspec.json.decode(gzip.decompress((folder / FUTURES).read_bytes()), type=list[StoredFuture])
        outcomes = {which: _load_outcome(folder, which, state) for which in OUTCOMES}
    except (OSError, EOFError, msgspec.MsgspecError, pl.exceptions.PolarsError, KeyError) as error:
        raise InputError(
            f"the plan is damaged: {error}", fix="make it again with `acreage plan`", place=Place(file=str(folder))
        ) from None
    return Plan(
        portfolio_name=state.portfolio_name,
        as_of_at=state.as_of_at,
        seed=state.seed,
        best=outcomes["best"],
        without_new=outcomes["without_new"],
        verdicts=state.verdicts,
        what_ifs=state.what_ifs,
        effort=state.effort,
        futures=tuple(_future(one) for one in stored),
    )


def _load_outcome(folder: Path, which: str, state: State) -> Outcome:
    frames = {}
    tables = folder / "tables" / which
    for name, schema in SCHEMAS.items():
        frames[name] = _read(tables / f"{name}.parquet", schema)
    return Outcome(
        decision=state.decision[which],
        figures=state.figures[which],
        frames=frames,
        summary=_load_summary(tables / KEPT, state.detailed[which]) if which in state.detailed else None,
    )


def _load_summary(folder: Path, detailed: tuple[str, ...]) -> Summary:
    expected = {}
    for name, (by, values) in DETAIL.items():
        schema = {column: SCHEMAS[name][column] for column in (*by, *values)}
        expected[name] = _read(folder / f"expected_{name}.parquet", schema)
    paths, fates = (_read(folder / f"{name}.parquet", schema) for name, schema in SUMMARY_SCHEMAS.items())
    return Summary(detailed=detailed, expected=expected, paths=paths, fates=fates)


def _read(path: Path, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    frame = pl.read_parquet(path)
    if dict(frame.schema) != dict(schema):
        raise KeyError(f"{path.name} has other columns than this version writes")
    return frame


def _state_of(plan: Plan) -> State:
    return State(
        format=FORMAT,
        portfolio_name=plan.portfolio_name,
        as_of_at=plan.as_of_at,
        seed=plan.seed,
        decision={which: getattr(plan, which).decision for which in OUTCOMES},
        figures={which: getattr(plan, which).figures for which in OUTCOMES},
        verdicts=plan.verdicts,
        what_ifs=plan.what_ifs,
        effort=plan.effort,
        detailed={which: kept.detailed for which in OUTCOMES if (kept := getattr(plan, which).summary) is not None},
    )


def _stored(future: Future) -> StoredFuture:
    return StoredFuture(
        name=future.name,
        probability=future.probability,
        demand_factor=_lists(future.demand_factor),
        work_factor={str(k): float(v) for k, v in future.work_factor.items()},
        delay_days=[(source, part, int(days)) for (source, part), days in future.delay_days.items()],
        price_factor=_lists(future.price_factor),
        limit_factor=_lists(future.limit_factor),
        outages=future.outages,
        recalled_at=dict(future.recalled_at),
    )


def _lists(series: Mapping[Any, Series]) -> dict[str, list[float]]:
    return {str(key): np.asarray(values, dtype=float).tolist() for key, values in series.items()}


def _future(stored: StoredFuture) -> Future:
    return Future(
        name=stored.name,
        probability=stored.probability,
        demand_factor={WorkloadId(k): np.array(v) for k, v in stored.demand_factor.items()},
        work_factor={WorkloadId(k): v for k, v in stored.work_factor.items()},
        delay_days={(source, part): days for source, part, days in stored.delay_days},
        price_factor={PoolId(k): np.array(v) for k, v in stored.price_factor.items()},
        limit_factor={PoolId(k): np.array(v) for k, v in stored.limit_factor.items()},
        outages=stored.outages,
        recalled_at=stored.recalled_at,
    )
