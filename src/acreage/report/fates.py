"""How each future turns out: need, lack and capacity over time, and what every workload misses in the end.

Sums over a future's rows, so that they can be kept for a thousand futures where the rows cannot.
"""

import numpy as np
import polars as pl

from acreage.domain.plan import SUMMARY_SCHEMAS, Outcome
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import PortState, TrainingRun, Workload
from acreage.units.instants import moment

UNDONE_FRAC = 1e-9
"""A smaller share of a run's work undone is solver tolerance."""


def periods_frame(portfolio: Portfolio) -> pl.DataFrame:
    """The grid: period, from_at, until_at, hours."""
    return pl.DataFrame(
        {
            "period": list(range(len(portfolio.periods))),
            "from_at": [moment(p.from_at) for p in portfolio.periods],
            "until_at": [moment(p.until_at) for p in portfolio.periods],
            "hours": [p.hours for p in portfolio.periods],
        },
        schema_overrides={"period": pl.Int32()},
    )


def pool_columns(portfolio: Portfolio) -> pl.DataFrame:
    """Every pool with its provider, chip and the effective PFLOP/s of one accelerator."""
    pools = portfolio.pools.values()
    return pl.DataFrame(
        {
            "pool": [p.id for p in pools],
            "provider": [p.provider for p in pools],
            "accelerator": [p.accelerator for p in pools],
            "pflops_each": [portfolio.effective_tflops[p.accelerator] / 1_000.0 for p in pools],
        },
        schema={"pool": pl.String, "provider": pl.String, "accelerator": pl.String, "pflops_each": pl.Float64},
    )


def pflops_per_unit(portfolio: Portfolio, workload: Workload) -> float:
    """Effective PFLOP/s behind one unit a second of a workload, averaged over the chips it is ported to."""
    chips = {pool.accelerator for pool in portfolio.pools.values()}
    able = [c for c in workload.capabilities if c.port_state is not PortState.NO and c.accelerator in chips]
    ready = [c for c in able if c.port_state is PortState.PORTED] or able
    each = [portfolio.effective_tflops[c.accelerator] / c.rate_per_accelerator / 1_000.0 for c in ready]
    return float(np.mean(each)) if each else 0.0


def paths_of(outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """Need, unmet need and leased capacity of each future and period, in effective PFLOP/s; see `SUMMARY_SCHEMAS`."""
    if outcome.summary is not None:
        return outcome.summary.paths
    steady = [w for w in portfolio.workloads if not isinstance(w, TrainingRun)]
    each = pl.DataFrame(
        {"workload": [str(w.id) for w in steady], "each": [pflops_per_unit(portfolio, w) for w in steady]},
        schema={"workload": pl.String(), "each": pl.Float64()},
    )
    places = ["future", "period"]
    wanted = (
        outcome.frames["service"]
        .join(each, on="workload")
        .group_by(places)
        .agg(
            (pl.col("demand") * pl.col("each")).sum().alias("need_pflops"),
            (pl.col("unmet") * pl.col("each")).sum().alias("unmet_pflops"),
        )
    )
    held = (
        outcome.frames["capacity"]
        .join(pool_columns(portfolio), on="pool")
        .group_by(places)
        .agg((pl.col("accelerators") * pl.col("pflops_each")).sum().alias("held_pflops"))
    )
    grid = outcome.frames["cost"].select("future").unique().join(periods_frame(portfolio).select("period"), how="cross")
    found = grid.join(wanted, on=places, how="left").join(held, on=places, how="left")
    found = found.with_columns(pl.col("need_pflops", "unmet_pflops", "held_pflops").fill_null(0.0))
    return found.select(SUMMARY_SCHEMAS["paths"].keys()).sort(places)


def fates_of(outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """What each workload misses in each future, and how late its work is; see `SUMMARY_SCHEMAS`."""
    if outcome.summary is not None:
        return outcome.summary.fates
    runs = [w for w in portfolio.workloads if isinstance(w, TrainingRun)]
    deadlines = pl.DataFrame(
        {"workload": [str(w.id) for w in runs], "deadline_at": [moment(w.deadline_at) for w in runs]},
        schema={"workload": pl.String(), "deadline_at": pl.Datetime("us", "UTC")},
    )
    rows = (
        outcome.frames["service"].join(periods_frame(portfolio), on="period").join(deadlines, on="workload", how="left")
    )
    hours = pl.col("hours")
    sums = rows.group_by("future", "workload").agg(
        pl.col("deadline_at").is_not_null().first().alias("is_run"),
        pl.col("demand").first().alias("work"),
        pl.col("served").sum().alias("done"),
        pl.col("unmet").max().alias("undone"),
        (pl.col("demand") * hours).sum().alias("wanted"),
        (pl.col("unmet") * hours).sum().alias("unmet"),
        pl.col("penalty_usd").sum(),
    )
    missing = (
        pl.when("is_run").then(1.0 - pl.col("done") / pl.col("work")).otherwise(pl.col("unmet") / pl.col("wanted"))
    )
    late = pl.when("is_run").then(pl.col("undone") / pl.col("work")).otherwise(0.0)

    def tidied(share: pl.Expr, name: str) -> pl.Expr:
        clean = share.fill_nan(0.0).fill_null(0.0)
        return pl.when(clean > UNDONE_FRAC).then(clean).otherwise(0.0).alias(name)

    found = sums.with_columns(tidied(missing, "missing_frac"), tidied(late, "late_frac"))
    return found.select(SUMMARY_SCHEMAS["fates"].keys()).sort("future", "workload")
