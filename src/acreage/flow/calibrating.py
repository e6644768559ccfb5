"""Calibrates the generator of futures: reads data beside a portfolio and asks each part what they say."""

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acreage.demand.calibration.deliveries import calibrate_deliveries
from acreage.demand.calibration.demand import DemandFound, calibrate_demand
from acreage.demand.calibration.estimate import Answer
from acreage.demand.calibration.forecaster import Forecasters
from acreage.demand.calibration.prices import Excursion, calibrate_prices
from acreage.demand.calibration.rolling import Tell
from acreage.demand.calibration.serving import DAY_AND_NIGHT, PEAK_DAY_AND_NIGHT, Layout, calibrate_serving
from acreage.demand.calibration.spot import calibrate_spot
from acreage.demand.delays import learned
from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import DelayModel
from acreage.domain.workload import ServingFleet, TrainingRun
from acreage.flow.calibration_files import read_demand, read_prices, read_serving, read_spot
from acreage.flow.planning import portfolio_at
from acreage.ledger.held import held_at
from acreage.ledger.ledger import Ledger
from acreage.units.errors import InputError, Place
from acreage.units.ids import ProviderId

FORECASTS = "acreage.demand.calibration.forecasts"
PARTS = ("prices", "spot", "serving", "deliveries", "demand")
"""What can be calibrated from, in the order it is told; each draws its own random numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The data there are; None or empty: none of that kind."""

    prices: Path | None = None
    spot: Path | None = None
    serving: tuple[Path, ...] = ()
    demand: Path | None = None
    ledger: Ledger | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What the data say: answers by part, delay laws by provider as the record teaches them, and what to know."""

    portfolio: Portfolio
    answers: Mapping[str, tuple[Answer, ...]]
    demand: DemandFound | None
    delays: Mapping[ProviderId, DelayModel]
    excursions: tuple[Excursion, ...]
    notes: tuple[str, ...]


def calibrate(path: Path, sources: Sources, *, seed: int, tell: Tell) -> Calibration:
    """All that the sources say for the portfolio at `path`; the same for the same seed.

    Raises `InputError` for what cannot be read or used, and where the forecasting library is missing.
    """
    if not (sources.prices or sources.spot or sources.serving or sources.demand or sources.ledger):
        raise InputError(
            "there is nothing to calibrate from", fix="give --prices, --spot, --serving, --demand or --books"
        )
    forecasters = load_forecasters() if sources.demand else {}
    portfolio = portfolio_at(path).portfolio
    late_days = held_at(sources.ledger, sources.ledger.clock()).late_days if sources.ledger else {}
    answers: dict[str, tuple[Answer, ...]] = {}
    notes: list[str] = []
    excursions: tuple[Excursion, ...] = ()
    if sources.prices:
        rows = read_prices(sources.prices)
        found = calibrate_prices(rows, source=sources.prices.name, rng=_rng(seed, "prices"), market=_market(portfolio))
        answers["prices"], excursions = found.answers, found.excursions
    if sources.spot:
        traces, notes = read_spot(sources.spot)
        answers["spot"] = calibrate_spot(traces, source=sources.spot.name, rng=_rng(seed, "spot"))
    if sources.serving:
        answers["serving"] = _serving(sources.serving, portfolio, _rng(seed, "serving"))
    if late_days:
        answers["deliveries"] = calibrate_deliveries(late_days, source="the books", rng=_rng(seed, "deliveries"))
    demand = _demand(sources.demand, portfolio, forecasters, tell) if sources.demand else None
    if demand is not None:
        answers["demand"] = demand.answers
        notes += demand.failed
    if sources.ledger and not late_days:
        notes.append("the books hold no delivery yet")
    known = {id_: days for id_, days in late_days.items() if id_ in portfolio.providers}
    return Calibration(
        portfolio=portfolio,
        answers=answers,
        demand=demand,
        delays={id_: learned(portfolio.providers[id_].delay, days) for id_, days in known.items()},
        excursions=excursions,
        notes=tuple(notes),
    )


def load_forecasters(load: Callable[[str], object] = importlib.import_module) -> Forecasters:
    """The forecasters of the extra; raises `InputError` where it is not installed."""
    try:
        module = load(FORECASTS)
    except ImportError:
        fix = "run pip install 'acreage[forecast]'"
        raise InputError("the forecasting library is not installed", fix=fix) from None
    forecasters: Forecasters = vars(module)["FORECASTERS"]
    return forecasters


def check_new(path: Path) -> None:
    """Refuse to write over a file, before any work is done; raises `InputError`."""
    place = Place(file=str(path))
    if path.exists():
        raise InputError("it is there already", fix="name another file with --write, or remove it", place=place)
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise InputError("its folder cannot be written to", fix="name a file in one that can", place=place)


def _rng(seed: int, part: str) -> np.random.Generator:
    return np.random.default_rng([seed, PARTS.index(part)])


def _market(portfolio: Portfolio) -> dict[str, float]:
    """Accelerators that can be had by the hour, by pricing model."""
    pools = portfolio.pools.values()
    return {
        "on_demand": float(sum(pool.on_demand.accelerators_max for pool in pools if pool.on_demand)),
        "spot": float(sum(pool.spot.accelerators_max for pool in pools if pool.spot)),
    }


def _serving(paths: Sequence[Path], portfolio: Portfolio, rng: np.random.Generator) -> tuple[Answer, ...]:
    layouts = layouts_of(portfolio)
    return tuple(
        answer
        for path in paths
        for trace in read_serving(path)
        for answer in calibrate_serving(trace, layouts=layouts, source=path.name, rng=rng)
    )


def layouts_of(portfolio: Portfolio) -> list[Layout]:
    """The load blocks that the portfolio's fleets use, highest first; where none does, two usual ones."""
    found: list[Layout] = []
    for fleet in portfolio.workloads:
        if isinstance(fleet, ServingFleet) and len(fleet.load_blocks) > 1:
            blocks = sorted(fleet.load_blocks, key=lambda block: -block.level_frac)
            layout = tuple((block.name, block.hours_frac) for block in blocks)
            # Fleets that are busy by night have the same blocks in another order: the highest still comes first.
            if {share for _, share in layout} not in [{share for _, share in other} for other in found]:
                found.append(layout)
    return found or [DAY_AND_NIGHT, PEAK_DAY_AND_NIGHT]


def _demand(path: Path, portfolio: Portfolio, forecasters: Forecasters, tell: Tell) -> DemandFound:
    runs = [w.id for w in portfolio.workloads if isinstance(w, TrainingRun)]
    rated = [w.id for w in portfolio.workloads if w.id not in runs]
    histories = read_demand(path, rated, runs)
    families = {w.id: w.family for w in portfolio.workloads if isinstance(w, ServingFleet)}
    try:
        return calibrate_demand(histories, forecasters, families=families, source=path.name, tell=tell)
    except InputError as error:
        raise error.at(Place(file=str(path), field="date")) from None
