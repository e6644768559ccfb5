"""A plan over hundreds of futures as it is kept: detail of some of them, sums and expectations of all.

Nothing that a page or a table shows of the whole is lost: figures, costs by future, expectations, fans. What goes is
which pool served which workload in which hour of the nine hundredth future.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from acreage.domain.plan import DETAIL, Outcome, Plan, Summary, expectation
from acreage.domain.portfolio import Portfolio
from acreage.report.fates import fates_of, paths_of

WHOLE_FUTURES_MAX = 40
"""Plans over no more futures than this are kept whole."""

REPRESENTATIVES = 24
"""Futures drawn that are kept in detail beside the base and the stresses, at even steps of the cost's distribution."""


def thinned(plan: Plan, portfolio: Portfolio) -> Plan:
    """The plan with detail of the base, the stresses and representative futures only; itself where it is small."""
    if len(plan.futures) <= WHOLE_FUTURES_MAX:
        return plan
    detailed = representatives(plan, portfolio)
    best, none = (_thinned(plan, outcome, portfolio, detailed) for outcome in (plan.best, plan.without_new))
    return replace(plan, best=best, without_new=none)


def representatives(plan: Plan, portfolio: Portfolio) -> tuple[str, ...]:
    """Futures to keep in detail, in the plan's order.

    The base, the stresses, and of the others those whose cost is the quantile at the middle of each of
    `REPRESENTATIVES` equal shares of their probability.
    """
    named = {plan.futures[0].name, *(str(stress.name) for stress in portfolio.stresses)}
    costs = plan.best.frames["cost"].group_by("future", "probability").agg(pl.col("usd").sum())
    drawn = costs.filter(~pl.col("future").is_in(named)).sort("usd", "future")
    reached = np.cumsum(drawn["probability"].to_numpy())
    levels = (np.arange(REPRESENTATIVES) + 0.5) / REPRESENTATIVES
    at = np.searchsorted(reached, levels * reached[-1]) if len(reached) else np.zeros(0, dtype=np.int64)
    chosen = named | set(drawn["future"].gather(np.minimum(at, max(len(reached) - 1, 0))))
    return tuple(future.name for future in plan.futures if future.name in chosen)


def _thinned(plan: Plan, outcome: Outcome, portfolio: Portfolio, detailed: tuple[str, ...]) -> Outcome:
    if outcome.summary is not None:
        return outcome
    summary = Summary(
        detailed=detailed,
        expected={name: expectation(plan, outcome, name) for name in DETAIL},
        paths=paths_of(outcome, portfolio),
        fates=fates_of(outcome, portfolio),
    )
    frames = {
        name: frame.filter(pl.col("future").is_in(detailed)) if name in DETAIL else frame
        for name, frame in outcome.frames.items()
    }
    return replace(outcome, frames=frames, summary=summary)
