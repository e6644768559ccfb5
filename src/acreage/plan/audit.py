"""The auditor: recomputes a plan's feasibility, costs and shares without a solver.

It stands on the domain values, the pricing rules and the outcome's frames, and shares no code with
what builds or solves the problem. A plan that it doubts is not shown.

Futures are audited a lot at a time, every one of them, so that memory does not grow with their number. Of a plan that
was thinned for the disk the detailed futures are audited in full, the others as far as is kept of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from acreage.domain.finding import Finding
from acreage.domain.future import Future
from acreage.domain.plan import Outcome
from acreage.domain.portfolio import Portfolio
from acreage.plan.audit_decision import check_decision
from acreage.plan.audit_dispatch import check_dispatch, check_promises
from acreage.plan.audit_ground import EVERY_BLOCK, MUST, Array, Ground, doubt, make_ground, shared_split
from acreage.plan.audit_kept import Supplied, check_expected, check_kept
from acreage.plan.audit_money import (
    Costs,
    Totals,
    check_cash,
    check_costs,
    check_drawdown,
    check_figures,
    check_service,
    derive_costs,
    totals_of,
)
from acreage.plan.audit_prices import check_market_prices, drawdowns, posted_charges
from acreage.plan.audit_shares import check_caps, check_shares, check_survival, firm_power
from acreage.plan.audit_supply import Holding, check_capacity, check_given_up, holdings_of, supply

FUTURES_PER_LOT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What the auditor doubts and makes of the plan; `totals` is None where the frames cannot be read.

    `in_full` of the `futures` were audited down to every block of every period; of the others all that follows
    from the decision, and that their stated costs add up.
    """

    findings: tuple[Finding, ...]
    totals: Totals | None
    in_full: int
    futures: int


def audit(portfolio: Portfolio, outcome: Outcome, futures: tuple[Future, ...]) -> tuple[Finding, ...]:
    """Every doubt about an outcome played out in `futures` (the base first); empty where all is right."""
    return audit_report(portfolio, outcome, futures).findings


def audit_report(portfolio: Portfolio, outcome: Outcome, futures: tuple[Future, ...]) -> AuditReport:
    """The doubts and the recomputed totals.

    Amounts must agree to a cent or 1e-9 of the amount, whichever is more, quantities to 1e-6.
    """
    holdings = holdings_of(portfolio, outcome.decision)
    allowed = tuple(check_decision(portfolio, outcome.decision, holdings))
    detailed = _detailed(outcome, futures)
    unreadable = _unreadable(portfolio, outcome, futures)
    if unreadable or any(f.rule == "ending" and h.ends_at <= h.starts_at for f in allowed for h in holdings):
        return AuditReport(findings=(*allowed, *unreadable), totals=None, in_full=0, futures=len(futures))
    findings, costs = _in_lots(portfolio, outcome, futures, holdings)
    totals = totals_of(costs, portfolio.policy.risk)
    return AuditReport(
        findings=(*allowed, *findings, *check_figures(outcome.figures, totals)),
        totals=totals,
        in_full=len(detailed),
        futures=len(futures),
    )


def _detailed(outcome: Outcome, futures: Sequence[Future]) -> set[str]:
    """Names of the futures whose detail the frames hold."""
    return {f.name for f in futures} if outcome.summary is None else set(outcome.summary.detailed)


def _in_lots(
    portfolio: Portfolio, outcome: Outcome, futures: tuple[Future, ...], holdings: tuple[Holding, ...]
) -> tuple[list[Finding], list[Costs]]:
    """Everything that depends on the futures; promises and shares are looked at with the first lot.

    The base future is in the first lot, and detailed futures are in the first ones.
    """
    detailed = _detailed(outcome, futures)
    lots = [(lot, True) for lot in _lots([f for f in futures if f.name in detailed])]
    lots += [(lot, False) for lot in _lots([f for f in futures if f.name not in detailed])]
    findings: list[Finding] = []
    costs, supplied = [], Supplied()
    for number, (lot, in_full) in enumerate(lots):
        ground = make_ground(portfolio, _of_lot(outcome, lot, with_must=number == 0), lot)
        if number == 0:
            findings += _once(ground, holdings)
        usable = supply(ground, holdings)
        found, cost = _played(ground, holdings, usable) if in_full else check_kept(ground, holdings)
        supplied.add(ground, usable)
        findings += found
        costs.append(cost)
    if outcome.summary is not None:
        findings += check_expected(ground, outcome.summary, costs, supplied)
    return findings, costs


def _lots(futures: Sequence[Future]) -> list[tuple[Future, ...]]:
    return [tuple(futures[i : i + FUTURES_PER_LOT]) for i in range(0, len(futures), FUTURES_PER_LOT)]


def _of_lot(outcome: Outcome, lot: tuple[Future, ...], *, with_must: bool) -> Outcome:
    """The outcome with the rows of a lot's futures, perhaps with those of the one in which hard promises are shown."""
    names = [*(future.name for future in lot), *([MUST] if with_must else [])]
    frames = {
        name: frame.filter(pl.col("future").is_in(names)) if "future" in frame.columns else frame
        for name, frame in outcome.frames.items()
    }
    return replace(outcome, frames=frames)


def _once(ground: Ground, holdings: tuple[Holding, ...]) -> tuple[Finding, ...]:
    """What does not depend on how the future turns out: promises, shares, caps and the survival of a loss."""
    power = firm_power(ground, holdings)
    return (
        *check_promises(ground),
        *check_shares(ground, power),
        *check_caps(ground, power),
        *check_survival(ground, power),
    )


def _played(
    ground: Ground, holdings: tuple[Holding, ...], usable: Mapping[str, Array]
) -> tuple[tuple[Finding, ...], Costs]:
    """Everything in the futures of a lot."""
    posted = posted_charges(ground, holdings)
    drawn = drawdowns(ground, holdings, posted)
    costs = derive_costs(ground, holdings, posted, drawn)
    findings = (
        *check_capacity(ground, holdings, usable),
        *check_given_up(ground, holdings),
        *check_dispatch(ground, holdings, usable),
        *check_market_prices(ground, holdings),
        *check_drawdown(ground, drawn),
        *check_costs(ground, costs),
        *check_cash(ground, posted, drawn),
        *check_service(ground),
    )
    return findings, costs


FRAMES = ("dispatch", "market", "given_up", "capacity", "service", "cost", "cash", "drawdown", "shares")


def _unreadable(portfolio: Portfolio, outcome: Outcome, futures: tuple[Future, ...]) -> tuple[Finding, ...]:
    """Frames that are missing or speak of futures, periods, blocks or pools that do not exist."""
    found = []
    names = {future.name for future in futures} | {MUST}
    blocks = {*shared_split(portfolio).names, EVERY_BLOCK}
    for name in FRAMES:
        if name not in outcome.frames:
            found.append(doubt("frames", name, "the frame is missing"))
            continue
        frame = outcome.frames[name]
        if "future" in frame.columns and set(frame["future"].unique()) - names:
            found.append(doubt("frames", name, "speaks of a future that was not played"))
        if "block" in frame.columns and set(frame["block"].unique()) - blocks:
            found.append(doubt("frames", name, "speaks of a load block that does not exist"))
        if "period" in frame.columns and len(frame):
            low, high = frame["period"].min(), frame["period"].max()
            if not 0 <= int(str(low)) <= int(str(high)) < len(portfolio.periods):
                found.append(doubt("frames", name, "speaks of a period that is not on the grid"))
        if "pool" in frame.columns and set(frame["pool"].unique()) - set(portfolio.pools):
            found.append(doubt("frames", name, "speaks of a pool that does not exist"))
    if outcome.summary is not None and set(outcome.summary.detailed) - names:
        found.append(doubt("frames", "summary", "has the detail of a future that was not played"))
    return tuple(found)
