"""A plan: what to sign now, how each future is then served, and what every offer is worth.

What is decided one at a time is an object; what comes in thousands is a polars frame
whose columns are declared here. Frames hold floats for figures that are estimates; what
is posted to a ledger is computed by the pricing rules in micro-dollars.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from acreage.domain.future import Future
from acreage.units.ids import OfferId, PoolId, WorkloadId
from acreage.units.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Sign `blocks` blocks of an offer to start at `starts_at`.

    `ends_early_at` is set where the plan leaves at the end of the firm term;
    `extended` where it takes the extension option; `price_frac` is the tier's.
    """

    offer: OfferId
    blocks: int
    accelerators: int
    starts_at: Instant
    ends_at: Instant
    extended: bool
    ends_early: bool
    price_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Leave a held lease at `ends_at`, as its termination right allows."""

    lease: str
    ends_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A training run's pool."""

    workload: WorkloadId
    pool: PoolId


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """Make a workload run on a chip it does not run on yet."""

    workload: WorkloadId
    accelerator: str
    cost_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The first stage: the same in every future."""

    signings: tuple[Signing, ...]
    releases: tuple[Release, ...]
    homes: tuple[Home, ...]
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A figure and the values it is proven to lie between; all equal where it is known exactly.

    `found` comes from the best plans that were found, `low` and `high` from proven bounds.
    """

    low: float
    found: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferVerdict:
    """Why an offer is signed or not, and the price at which that changes.

    `walk_away_usd_per_accelerator_hour` is the price at which the offer leaves (or enters) the
    plan, at `at_accelerators`; None where no price of its own decides (it is ruled out).
    `others_kept` tells that all other contracts were kept as planned in finding it, because the
    offer is too small for the gap of a whole plan to say anything; else all were free.
    `worth_usd` is the change of the objective if the offer is ruled out (signed offers: what the
    plan would cost more) or forced in (others: negative). `confirmed` tells whether the plans
    found just below and just above the price do and do not have the offer.
    """

    offer: OfferId
    signed: bool
    asked_usd_per_accelerator_hour: float
    walk_away_usd_per_accelerator_hour: Range | None
    at_accelerators: int
    worth_usd: Range | None
    confirmed: bool | None
    others_kept: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What the best plan would cost if one thing were different.

    `kind` is "supplier" (lost altogether), "rule" (a cap, an exclusivity, a budget lifted)
    or "term" (faster delivery, no recall right ...); `extra_usd` is how much more
    (negative: less) the objective is than the plan's.
    """

    kind: str
    subject: str
    description: str
    objective_usd: float
    extra_usd: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Totals in USD, discounted to the planning day.

    `objective_usd` = (1 - weight) x expected + weight x CVaR; `bound_usd` is a proven lower
    bound of the best objective; `gap_frac` = (objective - bound) / objective.
    `base_usd` is the cost in the base future. `unmet_frac` is the expected share of
    effective demand not served, `late_frac` the expected share of training work late.
    """

    objective_usd: float
    bound_usd: float
    gap_frac: float
    base_usd: float
    expected_usd: float
    cvar_usd: float
    unmet_frac: float
    late_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How the plan was computed: engine, seconds, columns and rows of the model, solves."""

    engine: str
    build_s: float
    solve_s: float
    explain_s: float
    columns: int
    rows: int
    futures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is kept of all futures of an outcome whose frames of `DETAIL` hold only some of them.

    `detailed` names those. `expected` holds a frame for each of `DETAIL`: its expectation over all futures, without
    the future's column. `paths` and `fates` have the columns of `SUMMARY_SCHEMAS`.
    """

    detailed: tuple[str, ...]
    expected: Mapping[str, pl.DataFrame]
    paths: pl.DataFrame
    fates: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A decision played out in all futures: its figures and its frames (see `SCHEMAS`).

    With a `summary` the frames of `DETAIL` are thinned: a plan over hundreds of futures is kept so on disk.
    """

    decision: Decision
    figures: Figures
    frames: Mapping[str, pl.DataFrame]
    summary: Summary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer: the best plan, the best plan without any new lease, and what everything is worth."""

    portfolio_name: str
    as_of_at: Instant
    seed: int
    best: Outcome
    without_new: Outcome
    verdicts: tuple[OfferVerdict, ...]
    what_ifs: tuple[WhatIf, ...]
    effort: Effort
    futures: tuple[Future, ...]


_MOMENT = pl.Datetime("us", "UTC")
_PERIOD: dict[str, pl.DataType] = {"period": pl.Int32(), "from_at": _MOMENT, "until_at": _MOMENT}

SCHEMAS: Mapping[str, Mapping[str, pl.DataType]] = {
    # What each future uses where: mean accelerators over the block's hours of the period.
    "dispatch": {
        "future": pl.String(),
        "period": pl.Int32(),
        "block": pl.String(),
        "workload": pl.String(),
        "pool": pl.String(),
        "accelerators": pl.Float64(),
    },
    # What each future buys by the hour (kind: on_demand or spot), or uses above the
    # take-or-pay share of leases (kind: the lease or offer id).
    "market": {
        "future": pl.String(),
        "period": pl.Int32(),
        "block": pl.String(),
        "pool": pl.String(),
        "kind": pl.String(),
        "accelerators": pl.Float64(),
        "usd": pl.Float64(),
    },
    # Late tranches and deliveries given up under their termination clause.
    "given_up": {"future": pl.String(), "source": pl.String(), "tranche": pl.Int32(), "frac": pl.Float64()},
    # Usable accelerators by source (a lease id or an offer id), mean over the period.
    "capacity": {
        "future": pl.String(),
        "period": pl.Int32(),
        "pool": pl.String(),
        "source": pl.String(),
        "accelerators": pl.Float64(),
    },
    # Demand, served and unmet, in the workload's unit (mean rate over the period) and in
    # accelerators of its most capable held chip; training: work done a period.
    "service": {
        "future": pl.String(),
        "period": pl.Int32(),
        "workload": pl.String(),
        "demand": pl.Float64(),
        "served": pl.Float64(),
        "unmet": pl.Float64(),
        "unit": pl.String(),
        "penalty_usd": pl.Float64(),
    },
    # Discounted cost of each future by kind: lease, market, shortfall, port, unmet, late,
    # unfinished, salvage (negative), mfc credit (negative).
    "cost": {"future": pl.String(), "probability": pl.Float64(), "kind": pl.String(), "usd": pl.Float64()},
    # Undiscounted cash by period in each future; kind as in cost; source is the lease, offer, pool or commitment.
    "cash": {
        "future": pl.String(),
        "period": pl.Int32(),
        "kind": pl.String(),
        "source": pl.String(),
        "usd": pl.Float64(),
    },
    # Eligible charges of a commitment since its start, at each milestone.
    "drawdown": {
        "future": pl.String(),
        "commitment": pl.String(),
        "due_at": _MOMENT,
        "drawn_usd": pl.Float64(),
        "pledged_usd": pl.Float64(),
        "shortfall_usd": pl.Float64(),
    },
    # Firm capacity as promised (no delay, no outage) and who holds it.
    "shares": {
        **_PERIOD,
        "level": pl.String(),
        "member": pl.String(),
        "effective_pflops": pl.Float64(),
        "share_frac": pl.Float64(),
        "hhi": pl.Float64(),
    },
    # Value of one more accelerator-hour in a pool and period, expected over futures.
    "marginal": {**_PERIOD, "pool": pl.String(), "usd_per_accelerator_hour": pl.Float64()},
}
"""The frames of an `Outcome`, by name: columns and their types."""

DETAIL: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "dispatch": (("period", "block", "workload", "pool"), ("accelerators",)),
    "market": (("period", "block", "pool", "kind"), ("accelerators", "usd")),
    "capacity": (("period", "pool", "source"), ("accelerators",)),
    "service": (("period", "workload", "unit"), ("demand", "served", "unmet", "penalty_usd")),
    "cash": (("period", "kind", "source"), ("usd",)),
}
"""Frames with many rows for each future: the columns that tell rows of a future apart, and those that add up."""

SUMMARY_SCHEMAS: Mapping[str, Mapping[str, pl.DataType]] = {
    # Need of fleets and research shares, what of it is unmet, and capacity held, in effective PFLOP/s.
    "paths": {
        "future": pl.String(),
        "period": pl.Int32(),
        "need_pflops": pl.Float64(),
        "unmet_pflops": pl.Float64(),
        "held_pflops": pl.Float64(),
    },
    # Over the horizon: the share of demand that is unmet, or of a training run's work that is never done; the share
    # of its work undone at the end of the period of its deadline (0 for others); undiscounted penalties.
    "fates": {
        "future": pl.String(),
        "workload": pl.String(),
        "missing_frac": pl.Float64(),
        "late_frac": pl.Float64(),
        "penalty_usd": pl.Float64(),
    },
}
"""The frames of a `Summary` with a row for each future, by name."""


def chances(plan: Plan) -> pl.DataFrame:
    """Probability of each future of a plan: future, probability."""
    return pl.DataFrame(
        {"future": [f.name for f in plan.futures], "probability": [f.probability for f in plan.futures]},
        schema={"future": pl.String(), "probability": pl.Float64()},
    )


def expectation(plan: Plan, outcome: Outcome, name: str) -> pl.DataFrame:
    """A frame of `DETAIL` as its expectation over all futures; one without a row in a future counts as zero there."""
    if outcome.summary is not None:
        return outcome.summary.expected[name]
    by, values = DETAIL[name]
    weighted = outcome.frames[name].join(chances(plan), on="future")
    weighted = weighted.with_columns(pl.col(*values) * pl.col("probability"))
    return weighted.group_by(by).agg(pl.col(*values).sum()).sort(by)
