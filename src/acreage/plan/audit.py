"""The auditor: recomputes a plan's feasibility, costs and shares without a solver.

It stands on the domain values, the pricing rules and the outcome's frames, and shares no code with
what builds or solves the problem. A plan that it doubts is not shown.
"""

from dataclasses import dataclass

from acreage.domain.finding import Finding
from acreage.domain.future import Future
from acreage.domain.plan import Outcome
from acreage.domain.portfolio import Portfolio
from acreage.plan.audit_decision import check_decision
from acreage.plan.audit_dispatch import check_dispatch
from acreage.plan.audit_ground import EVERY_BLOCK, Ground, doubt, make_ground, shared_split
from acreage.plan.audit_money import (
    Totals,
    check_cash,
    check_costs,
    check_drawdown,
    check_figures,
    check_service,
    derive_totals,
)
from acreage.plan.audit_prices import check_market_prices, drawdowns, posted_charges
from acreage.plan.audit_shares import check_caps, check_shares, check_survival, firm_power
from acreage.plan.audit_supply import Holding, check_capacity, check_given_up, holdings_of, supply


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What the auditor doubts and makes of the plan; `totals` is None where the frames cannot be read."""

    findings: tuple[Finding, ...]
    totals: Totals | None


def audit(portfolio: Portfolio, outcome: Outcome, futures: tuple[Future, ...]) -> tuple[Finding, ...]:
    """Every doubt about an outcome played out in `futures` (the base first); empty where all is right."""
    return audit_report(portfolio, outcome, futures).findings


def audit_report(portfolio: Portfolio, outcome: Outcome, futures: tuple[Future, ...]) -> AuditReport:
    """The doubts and the recomputed totals.

    Amounts must agree to a cent or 1e-9 of the amount, whichever is more, quantities to 1e-6.
    """
    holdings = holdings_of(portfolio, outcome.decision)
    allowed = tuple(check_decision(portfolio, outcome.decision, holdings))
    unreadable = _unreadable(portfolio, outcome, futures)
    if unreadable or any(f.rule == "ending" and h.ends_at <= h.starts_at for f in allowed for h in holdings):
        return AuditReport(findings=(*allowed, *unreadable), totals=None)
    ground = make_ground(portfolio, outcome, futures)
    findings, totals = _played(ground, holdings)
    return AuditReport(findings=(*allowed, *findings), totals=totals)


def _played(ground: Ground, holdings: tuple[Holding, ...]) -> tuple[tuple[Finding, ...], Totals]:
    """Everything that depends on the futures."""
    usable = supply(ground, holdings)
    posted = posted_charges(ground, holdings)
    drawn = drawdowns(ground, holdings, posted)
    totals = derive_totals(ground, holdings, posted, drawn)
    power = firm_power(ground, holdings)
    findings = (
        *check_capacity(ground, holdings, usable),
        *check_given_up(ground, holdings),
        *check_dispatch(ground, holdings, usable),
        *check_market_prices(ground, holdings),
        *check_drawdown(ground, drawn),
        *check_costs(ground, totals),
        *check_cash(ground, posted, drawn),
        *check_service(ground),
        *check_shares(ground, power),
        *check_caps(ground, power),
        *check_survival(ground, power),
        *check_figures(ground, totals),
    )
    return findings, totals


FRAMES = ("dispatch", "market", "given_up", "capacity", "service", "cost", "cash", "drawdown", "shares")


def _unreadable(portfolio: Portfolio, outcome: Outcome, futures: tuple[Future, ...]) -> tuple[Finding, ...]:
    """Frames that are missing or speak of futures, periods, blocks or pools that do not exist."""
    found = []
    names = {future.name for future in futures} | {"must"}
    for name in FRAMES:
        if name not in outcome.frames:
            found.append(doubt("frames", name, "the frame is missing"))
            continue
        frame = outcome.frames[name]
        if "future" in frame.columns and set(frame["future"].to_list()) - names:
            found.append(doubt("frames", name, "speaks of a future that was not played"))
        blocks = {*shared_split(portfolio).names, EVERY_BLOCK}
        if "block" in frame.columns and set(frame["block"].to_list()) - blocks:
            found.append(doubt("frames", name, "speaks of a load block that does not exist"))
        if "period" in frame.columns and len(frame):
            low, high = frame["period"].min(), frame["period"].max()
            if not 0 <= int(str(low)) <= int(str(high)) < len(portfolio.periods):
                found.append(doubt("frames", name, "speaks of a period that is not on the grid"))
        if "pool" in frame.columns and set(frame["pool"].to_list()) - set(portfolio.pools):
            found.append(doubt("frames", name, "speaks of a pool that does not exist"))
    return tuple(found)
