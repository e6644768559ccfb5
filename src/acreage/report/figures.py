"""The figures that every rendering of a plan shows: supply, need, gap, cost and risk, as small frames.

Demand comes in tokens a second, FLOP and reference accelerators. It is put beside supply in effective
PFLOP/s: what an accelerator does of a workload is worth its effective FLOP/s, averaged over the chips
that the workload runs on.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from acreage.domain.plan import Outcome, Plan, WhatIf
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import PortState, TrainingRun, Workload
from acreage.units.instants import SECONDS_PER_HOUR, moment

SMALL_FRAC = 5e-4
"""Shares below this are shown as none."""


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


def weights(plan: Plan) -> pl.DataFrame:
    """Probability of each future."""
    return pl.DataFrame(
        {"future": [f.name for f in plan.futures], "probability": [f.probability for f in plan.futures]}
    )


def expected(frame: pl.DataFrame, plan: Plan, by: list[str], value: str) -> pl.DataFrame:
    """Expectation over futures of the sum of a column by group; futures without a row count as zero."""
    return (
        frame.join(weights(plan), on="future")
        .with_columns((pl.col(value) * pl.col("probability")).alias(value))
        .group_by(by)
        .agg(pl.col(value).sum())
        .sort(by)
    )


def _pool_columns(portfolio: Portfolio) -> pl.DataFrame:
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


def supply_by_provider(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """Leased capacity expected over futures: period, from_at, until_at, provider, accelerators, effective_pflops."""
    held = expected(outcome.frames["capacity"], plan, ["period", "pool"], "accelerators")
    return (
        held.join(_pool_columns(portfolio), on="pool")
        .with_columns((pl.col("accelerators") * pl.col("pflops_each")).alias("effective_pflops"))
        .group_by("period", "provider")
        .agg(pl.col("accelerators").sum(), pl.col("effective_pflops").sum())
        .join(periods_frame(portfolio), on="period")
        .sort("period", "provider")
    )


def pflops_per_unit(portfolio: Portfolio, workload: Workload) -> float:
    """Effective PFLOP/s behind one unit a second of a workload, averaged over the chips it is ported to."""
    chips = {pool.accelerator for pool in portfolio.pools.values()}
    able = [c for c in workload.capabilities if c.port_state is not PortState.NO and c.accelerator in chips]
    ready = [c for c in able if c.port_state is PortState.PORTED] or able
    each = [portfolio.effective_tflops[c.accelerator] / c.rate_per_accelerator / 1_000.0 for c in ready]
    return float(np.mean(each)) if each else 0.0


def need_and_unmet(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> pl.DataFrame:
    """Need by period and workload, expected: period, from_at, until_at, workload, need_pflops, unmet_pflops.

    A training run needs its work spread evenly from release to deadline; its lateness is not part of `unmet`.
    """
    service = outcome.frames["service"]
    parts = []
    for workload in portfolio.workloads:
        each = pflops_per_unit(portfolio, workload)
        if isinstance(workload, TrainingRun):
            parts.append(_training_need(portfolio, workload, each))
            continue
        mine = service.filter(pl.col("workload") == workload.id)
        wanted = expected(mine, plan, ["period", "workload"], "demand")
        unmet = expected(mine, plan, ["period", "workload"], "unmet")
        parts.append(
            wanted.join(unmet, on=["period", "workload"]).select(
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
    service = outcome.frames["service"].join(weights(plan), on="future").join(hours, on="period")
    p = pl.col("probability")
    sums = service.group_by("workload", maintain_order=True).agg(
        (pl.col("penalty_usd") * p).sum().alias("penalty_usd"),
        ((pl.col("unmet") * p * pl.col("hours")).sum() / (pl.col("demand") * p * pl.col("hours")).sum()).alias("share"),
        ((pl.col("served") * p).sum() / (pl.col("demand") * p).filter(pl.col("period") == 0).sum()).alias("done"),
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
    rows = []
    service = outcome.frames["service"]
    chance = dict(weights(plan).iter_rows())
    for run in portfolio.workloads:
        if isinstance(run, TrainingRun):
            late = service.filter((pl.col("workload") == run.id) & (pl.col("unmet") > 0.0))["future"].unique()
            rows.append({"workload": str(run.id), "late_frac": sum(chance[f] for f in late)})
    return pl.DataFrame(rows, schema={"workload": pl.String, "late_frac": pl.Float64})
