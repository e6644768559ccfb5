"""What a plan says must be asked for: the capacity that it buys, and what it leaves unmet."""

import polars as pl

from acreage.domain.plan import Plan, expectation
from acreage.domain.portfolio import Portfolio
from acreage.domain.rfq import Need
from acreage.domain.workload import PortState, ResearchShare, ServingFleet
from acreage.units.ids import AcceleratorName
from acreage.units.instants import Instant

SMALL_FRAC = 1e-3
"""Unmet demand below this share of a workload's demand is rounding of the plan, not a gap."""


def needs_of(plan: Plan, portfolio: Portfolio) -> tuple[Need, ...]:
    """The lots to ask for: one for each chip the plan signs, one for each workload it leaves unmet.

    The plan's chip is the reference of its lot; every other chip of the portfolio that runs one of the
    same workloads is an alternative.
    """
    return (*_bought(plan, portfolio), *_missing(plan, portfolio))


def _bought(plan: Plan, portfolio: Portfolio) -> tuple[Need, ...]:
    pools = {offer.id: portfolio.pools[offer.pool] for offer in portfolio.offers}
    found: dict[AcceleratorName, tuple[int, Instant, Instant]] = {}
    for signing in plan.best.decision.signings:
        chip = pools[signing.offer].accelerator
        count, from_at, until_at = found.get(chip, (0, signing.starts_at, signing.ends_at))
        found[chip] = (
            count + signing.accelerators,
            min(from_at, signing.starts_at),
            max(until_at, signing.ends_at),
        )
    return tuple(
        Need(
            id=str(chip).lower(),
            accelerators=(chip, *_alternatives(portfolio, chip)),
            quantity=count,
            effective_pflops=None,
            from_at=from_at,
            until_at=until_at,
        )
        for chip, (count, from_at, until_at) in sorted(found.items())
    )


def _alternatives(portfolio: Portfolio, chip: AcceleratorName) -> tuple[AcceleratorName, ...]:
    """Other chips of the portfolio's pools on which something runs, or can be ported, that runs on `chip`."""
    runs_on = [
        {c.accelerator for c in workload.capabilities if c.port_state is not PortState.NO}
        for workload in portfolio.workloads
    ]
    others = {other for chips in runs_on if chip in chips for other in chips} - {chip}
    return tuple(sorted(others & {pool.accelerator for pool in portfolio.pools.values()}))


def _missing(plan: Plan, portfolio: Portfolio) -> tuple[Need, ...]:
    """Lots for fleets and research shares that are not served in full, at their worst period's expectation."""
    by_period = expectation(plan, plan.best, "service")
    short = by_period.filter(pl.col("unmet") > SMALL_FRAC * pl.col("demand")).sort("workload", "period")
    found = []
    for workload in portfolio.workloads:
        if not isinstance(workload, ServingFleet | ResearchShare):
            continue
        rows = short.filter(pl.col("workload") == str(workload.id))
        able = [c for c in workload.capabilities if c.port_state is PortState.PORTED]
        if rows.is_empty() or not able:
            continue
        best = max(able, key=lambda c: (c.rate_per_accelerator, c.accelerator))
        first, last = int(rows["period"].min()), int(rows["period"].max())  # type: ignore[arg-type]
        others = sorted({c.accelerator for c in workload.capabilities if c.port_state is not PortState.NO})
        found.append(
            Need(
                id=f"unmet-{workload.id}",
                accelerators=(best.accelerator, *(chip for chip in others if chip != best.accelerator)),
                quantity=max(1, -int(-float(rows["unmet"].max()) // best.rate_per_accelerator)),  # type: ignore[arg-type]
                effective_pflops=None,
                from_at=portfolio.periods[first].from_at,
                until_at=portfolio.periods[last].until_at,
            )
        )
    return tuple(found)
