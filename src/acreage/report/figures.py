"""The figures that every rendering of a plan shows: supply, need, gap, cost and risk, as small frames.

Demand comes in tokens a second, FLOP and reference accelerators. It is put beside supply in effective
PFLOP/s: what an accelerator does of a workload is worth its effective FLOP/s, averaged over the chips
that the workload runs on.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from acreage.domain.plan import Outcome, Plan, WhatIf, chances, expectation
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import TrainingRun
from acreage.report.fates import fates_of, periods_frame, pflops_per_unit, pool_columns
from acreage.units.instants import SECONDS_PER_HOUR

SMALL_FRAC = 5e-4
"""Shares below this are shown as none."""


def expected(frame: pl.DataFrame, plan: Plan, by: list[str], value: str) -> pl.DataFrame:
    """Expectation over futures of the sum of a column by group; futures without a row count as zero."""
    weighted = frame.join(chances(plan), on="future").with_columns(pl.col(value) * pl.col("probability"))
    return summed(weighted, by, value)


def summed(frame: pl.DataFrame, by: list[str], value: str) -> pl.DataFrame:
    """The sum of a column by group."""
    return frame.group_by(by).agg(pl.col(value).sum()).sort(by)


def supply_by_provider(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """Leased capacity expected over futures: period, from_at, until_at, provider, accelerators, effective_pflops."""
    held = summed(expectation(plan, outcome, "capacity"), ["period", "pool"], "accelerators")
    return (
        held.join(pool_columns(portfolio), on="pool")
        .with_columns((pl.col("accelerators") * pl.col("pflops_each")).alias("effective_pflops"))
        .group_by("period", "provider")
        .agg(pl.col("accelerators").sum(), pl.col("effective_pflops").sum())
        .join(periods_frame(portfolio), on="period")
        .sort("period", "provider")
    )


def need_and_unmet(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """Need by period and workload, expected: period, from_at, until_at, workload, need_pflops, unmet_pflops.

    A training run needs its work spread evenly from release to deadline; its lateness is not part of `unmet`.
    """
    service = expectation(plan, outcome, "service")
    parts = []
    for workload in portfolio.workloads:
        each = pflops_per_unit(portfolio, workload)
        if isinstance(workload, TrainingRun):
            parts.append(_training_need(portfolio, workload, each))
            continue
        mine = service.filter(pl.col("workload") == workload.id)
        parts.append(
            mine.select(
                "period",
                "workload",
                (pl.col("demand") * each).alias("need_pflops"),
                (pl.col("unmet") * each).alias("unmet_pflops"),
            )
        )
    return pl.concat(parts).join(periods_frame(portfolio), on="period").sort("period", "workload")


def _training_need(portfolio: Portfolio, run: TrainingRun, each: float) -> pl.DataFrame:
    begins = np.array([p.from_at for p in portfolio.periods], dtype=float)
    ends = np.array([p.until_at for p in portfolio.periods], dtype=float)
    length = max(float(run.deadline_at - run.release_at), 1.0)
    inside = np.maximum(0.0, np.minimum(ends, run.deadline_at) - np.maximum(begins, run.release_at))
    seconds = 1.0 if run.work_unit == "FLOP" else SECONDS_PER_HOUR
    rate = run.work * seconds / length * inside / (ends - begins)
    return pl.DataFrame(
        {
            "period": list(range(len(begins))),
            "workload": [str(run.id)] * len(begins),
            "need_pflops": rate * each,
            "unmet_pflops": np.zeros(len(begins)),
        },
        schema_overrides={"period": pl.Int32()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What serving fleets and research shares do not get: share of all periods, and of the worst one."""

    unmet_frac: float
    peak_frac: float
    peak_from: str
    first_from: str


def gap_of(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> Gap:
    """The gap of an outcome, in effective PFLOP/s expected over futures; empty dates where there is none."""
    need = gap_by_period(plan, outcome, portfolio)
    total = float((need["need_pflops"] * need["hours"]).sum())
    unmet = float((need["unmet_pflops"] * need["hours"]).sum())
    short = need.filter(pl.col("unmet_frac") > SMALL_FRAC)
    if not total or short.is_empty():
        return Gap(unmet_frac=unmet / total if total else 0.0, peak_frac=0.0, peak_from="", first_from="")
    peak = short.sort("unmet_frac", descending=True).row(0, named=True)
    return Gap(
        unmet_frac=unmet / total,
        peak_frac=peak["unmet_frac"],
        peak_from=f"{peak['from_at']:%b %Y}",
        first_from=f"{short.row(0, named=True)['from_at']:%b %Y}",
    )


def gap_by_period(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """Need and unmet of fleets and research shares by period, with `unmet_frac`."""
    trained = [str(w.id) for w in portfolio.workloads if isinstance(w, TrainingRun)]
    return (
        need_and_unmet(plan, outcome, portfolio)
        .filter(~pl.col("workload").is_in(trained))
        .group_by("period", "from_at", "until_at", "hours")
        .agg(pl.col("need_pflops").sum(), pl.col("unmet_pflops").sum())
        .with_columns(
            pl.when(pl.col("need_pflops") > 0)
            .then(pl.col("unmet_pflops") / pl.col("need_pflops"))
            .otherwise(0.0)
            .alias("unmet_frac")
        )
        .sort("period")
    )


def unmet_by_workload(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """What each workload misses, expected: workload, kind, missing_frac, penalty_usd; the costliest first.

    For a training run `missing_frac` is the share of its work that is still undone at the horizon.
    """
    kinds = {str(w.id): type(w).__name__ for w in portfolio.workloads}
    hours = periods_frame(portfolio).select("period", "hours")
    order = {str(w.id): i for i, w in enumerate(portfolio.workloads)}
    service = expectation(plan, outcome, "service").join(hours, on="period")
    service = service.sort(pl.col("workload").replace_strict(order, return_dtype=pl.Int64), "period")
    sums = service.group_by("workload", maintain_order=True).agg(
        pl.col("penalty_usd").sum(),
        ((pl.col("unmet") * pl.col("hours")).sum() / (pl.col("demand") * pl.col("hours")).sum()).alias("share"),
        (pl.col("served").sum() / pl.col("demand").filter(pl.col("period") == 0).sum()).alias("done"),
    )
    run = pl.col("kind") == "TrainingRun"
    missing = pl.when(run).then(1.0 - pl.col("done")).otherwise(pl.col("share"))
    return (
        sums.with_columns(pl.col("workload").replace_strict(kinds).alias("kind"))
        .with_columns(missing.fill_nan(0.0).fill_null(0.0).clip(0.0, 1.0).alias("missing_frac"))
        .select("workload", "kind", "missing_frac", "penalty_usd")
        .sort("penalty_usd", descending=True)
    )


def cost_of_futures(plan: Plan, outcome: Outcome) -> pl.DataFrame:
    """Total discounted cost of each future: future, probability, usd."""
    total = outcome.frames["cost"].group_by("future", "probability").agg(pl.col("usd").sum())
    return total.sort("usd", "future")


def cost_by_kind(outcome: Outcome, plan: Plan) -> pl.DataFrame:
    """Expected discounted cost by kind: kind, usd."""
    return expected(outcome.frames["cost"].drop("probability"), plan, ["kind"], "usd").filter(pl.col("usd").abs() > 0.5)


def worst_loss(plan: Plan) -> WhatIf | None:
    """The supplier whose loss costs most, if what-ifs were asked."""
    return max((w for w in plan.what_ifs if w.kind == "supplier"), key=lambda w: w.extra_usd.found, default=None)


def peak_shares(outcome: Outcome, level: str = "supplier") -> tuple[str, float, float]:
    """The largest member of a level at its peak, its share then, and the highest HHI of any period."""
    shares = outcome.frames["shares"].filter(pl.col("level") == level)
    if shares.is_empty():
        return "", 0.0, 0.0
    top = shares.sort("share_frac", descending=True).row(0, named=True)
    return top["member"], top["share_frac"], float(shares["hhi"].max())  # type: ignore[arg-type]


def late_runs(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """Each training run's chance to be late: workload, late_frac (share of probability with work undone after it)."""
    fates = fates_of(outcome, portfolio).join(chances(plan), on="future")
    late = fates.filter(pl.col("late_frac") > 0.0).group_by("workload").agg(pl.col("probability").sum())
    chance = dict(late.iter_rows())
    rows = [(str(w.id), chance.get(w.id, 0.0)) for w in portfolio.workloads if isinstance(w, TrainingRun)]
    return pl.DataFrame(rows, schema={"workload": pl.String, "late_frac": pl.Float64}, orient="row")
