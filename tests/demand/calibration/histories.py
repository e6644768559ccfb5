"""Histories made up for tests: the generator's own law, with seasons and noise on top."""

from datetime import date, timedelta

import numpy as np

from acreage.demand.calibration.history import STEP_YEARS, Frequency, History
from acreage.units.ids import WorkloadId

NAMES = tuple(WorkloadId(name) for name in ("chat", "code", "video"))


def dates(frequency: Frequency, rows: int) -> tuple[date, ...]:
    """Regular dates from 2021 on."""
    if frequency is Frequency.MONTHLY:
        return tuple(date(2021 + i // 12, i % 12 + 1, 1) for i in range(rows))
    step = 1 if frequency is Frequency.DAILY else 7
    return tuple(date(2021, 1, 1) + timedelta(days=i * step) for i in range(rows))


def histories(
    seed: int,
    frequency: Frequency,
    rows: int,
    *,
    sd: float = 0.3,
    growth: float = 2.0,
    weight: float = 0.5,
    season: float = 0.0,
    noise: float = 0.02,
    names: tuple[WorkloadId, ...] = NAMES,
) -> list[History]:
    """Random walks of log sd a year about a growth, of which a share of the variance is common."""
    rng = np.random.default_rng(seed)
    step, at = STEP_YEARS[frequency], np.arange(rows)
    common = rng.standard_normal(rows)
    found = []
    for name in names:
        moves = np.sqrt(weight) * common + np.sqrt(1.0 - weight) * rng.standard_normal(rows)
        logs = np.cumsum(sd * np.sqrt(step) * moves) + np.log(growth) * step * at
        logs += season * np.sin(2 * np.pi * at * step) + noise * rng.standard_normal(rows)
        found.append(
            History(workload=name, frequency=frequency, dates=dates(frequency, rows), values=1_000.0 * np.exp(logs))
        )
    return found
