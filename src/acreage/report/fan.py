"""The fan of outcomes in figures: how cost, need, capacity and lack spread over all futures."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from acreage.domain.plan import Outcome, Plan, chances
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import TrainingRun
from acreage.report.fates import fates_of, paths_of, periods_frame

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
BANDS = ("p05", "p25", "p50", "p75", "p95")

FUTURES_MIN = 20
"""With fewer futures that may come a twentieth of them is less than one."""

POINTS_MAX = 200
"""Points of a drawn distribution."""

Array = NDArray[np.float64]


def has_fan(plan: Plan) -> bool:
    """Whether there are futures enough for quantiles."""
    return sum(future.probability > 0.0 for future in plan.futures) >= FUTURES_MIN


def quantiles(values: Array, weights: Array, levels: Array) -> Array:
    """The least values (L,) that are not exceeded with the probability of each level; weights (S,) sum to about 1."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    at = np.searchsorted(reached, levels * reached[-1] - 1e-12)
    return np.asarray(values[order][np.minimum(at, len(values) - 1)])


def bands(rows: pl.DataFrame, plan: Plan, by: list[str], value: str) -> pl.DataFrame:
    """Quantiles of a column over futures in each group: the group's columns and those of `BANDS`."""
    weighted = rows.join(chances(plan).filter(pl.col("probability") > 0.0), on="future")
    found = [
        (*key, *quantiles(group[value].to_numpy(), group["probability"].to_numpy(), np.array(LEVELS)))
        for key, group in weighted.group_by(by, maintain_order=True)
    ]
    schema = {name: rows.schema[name] for name in by} | dict.fromkeys(BANDS, pl.Float64())
    return pl.DataFrame(found, schema=schema, orient="row").sort(by)


def over_time(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """Bands by period of need and capacity (effective PFLOP/s) and of the share unmet: period, what, bands, dates."""
    paths = paths_of(outcome, portfolio).with_columns(
        pl.when(pl.col("need_pflops") > 0.0)
        .then(pl.col("unmet_pflops") / pl.col("need_pflops"))
        .otherwise(0.0)
        .alias("unmet_frac")
    )
    named = {"need": "need_pflops", "held": "held_pflops", "unmet": "unmet_frac"}
    parts = [
        bands(paths, plan, ["period"], column).with_columns(pl.lit(what).alias("what"))
        for what, column in named.items()
    ]
    return pl.concat(parts).join(periods_frame(portfolio), on="period").sort("what", "period")


def lateness(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """Bands of the share of each run's work that is undone at its deadline, with the chance of any: by workload."""
    runs = [str(w.id) for w in portfolio.workloads if isinstance(w, TrainingRun)]
    fates = fates_of(outcome, portfolio).filter(pl.col("workload").is_in(runs))
    chance = (
        fates.filter(pl.col("late_frac") > 0.0)
        .join(chances(plan), on="future")
        .group_by("workload")
        .agg(pl.col("probability").sum().alias("chance_frac"))
    )
    found = bands(fates, plan, ["workload"], "late_frac").join(chance, on="workload", how="left")
    return found.with_columns(pl.col("chance_frac").fill_null(0.0)).sort(
        "chance_frac", "workload", descending=[True, False]
    )


def distribution(plan: Plan, outcome: Outcome) -> pl.DataFrame:
    """The distribution of cost: future, usd, probability reached; the futures that may come, the cheapest first."""
    costs = outcome.frames["cost"].group_by("future", "probability").agg(pl.col("usd").sum())
    likely = costs.filter(pl.col("probability") > 0.0).sort("usd", "future")
    return likely.with_columns((pl.col("probability").cum_sum() / pl.col("probability").sum()).alias("reached_frac"))


def drawn_points(found: pl.DataFrame) -> pl.DataFrame:
    """A distribution with at most `POINTS_MAX` of its futures, both ends among them."""
    if found.height <= POINTS_MAX:
        return found
    steps = np.linspace(0, found.height - 1, POINTS_MAX).round().astype(np.int64)
    return found.filter(pl.int_range(pl.len()).is_in(steps.tolist()))
