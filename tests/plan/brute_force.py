"""Every way of signing a tiny portfolio, tried one by one: the reference for the engines.

Decisions are listed from the portfolio's own words, whether each is allowed is judged by the auditor,
and only then does the engine's second stage say what it costs in each future.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import polars as pl

from acreage.domain.lease import Offer
from acreage.domain.plan import SCHEMAS, Decision, Home, Outcome, Port, Release, Signing
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import PortState, TrainingRun
from acreage.plan.audit_decision import check_decision
from acreage.plan.audit_ground import make_ground
from acreage.plan.audit_shares import check_caps, check_survival, firm_power
from acreage.plan.audit_supply import holdings_of
from acreage.plan.engines.decomposition import objective_at, satisfies
from acreage.plan.engines.responses import Responder
from acreage.plan.formulate.formulate import Formulation, formulate
from acreage.plan.formulate.layout import ColumnKind
from acreage.plan.problem import Vector
from acreage.units.instants import Instant, add_days
from tests.plan.audit_case import OUTCOME
from tests.plan.tiny import Tiny


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One allowed decision, the engine's first stage for it and its objective in the problem's units."""

    decision: Decision
    first: Vector
    objective: float


@dataclass(slots=True)
class BruteForce:
    """Tries the decisions of a tiny portfolio; `formulation` may be given to try another problem of it."""

    case: Tiny
    formulation: Formulation

    def every(self) -> Iterator[Tried]:
        """Every allowed decision with its objective."""
        responder = Responder(self.formulation.problem.recourse)
        problem = self.formulation.problem
        active = [int(s) for s in np.flatnonzero((problem.probability > 0) | (problem.anchor_weight > 0))]
        for decision in allowed_decisions(self.case):
            costs = {}
            for first in self.firsts(decision):
                responses = responder.respond(first, active, gated=True)
                costs[first.tobytes()] = (objective_at(problem, first, active, responses), first)
            objective, first = min(costs.values(), key=lambda found: found[0])
            yield Tried(decision=decision, first=first, objective=objective)

    def best(self) -> Tried | None:
        """The best of all decisions; None if none is allowed."""
        return min(self.every(), key=lambda tried: tried.objective, default=None)

    def firsts(self, decision: Decision) -> list[Vector]:
        """The first stages that a decision stands for: they differ in which lower price a lease matches."""
        given = first_of(self.formulation, decision)
        matches = self.numbers(ColumnKind.MATCH)
        found = []
        for chosen in product([0.0, 1.0], repeat=len(matches)):
            first = given.copy()
            first[matches] = chosen
            self._open_gangs(first)
            if satisfies(self.formulation.problem.first, first):
                found.append(first)
        return found

    def numbers(self, kind: ColumnKind) -> list[int]:
        """The numbers of the columns of a kind."""
        return [i for i, c in enumerate(self.formulation.choices.builder.columns) if c.kind is kind]

    def _open_gangs(self, first: Vector) -> None:
        """Let a gang run wherever its rows allow it: that is free."""
        for number in sorted({*self.formulation.choices.gangs.values()}):
            first[number] = 1.0
            if not satisfies(self.formulation.problem.first, first):
                first[number] = 0.0


def brute_force(case: Tiny) -> BruteForce:
    """The brute force over a case."""
    return BruteForce(case=case, formulation=formulate(case.portfolio, case.futures, case.demand))


def first_of(formulation: Formulation, decision: Decision) -> Vector:
    """The engine's columns for a decision; most-favored matches and gangs are left at zero."""
    first = np.zeros(len(formulation.choices.builder.columns))
    wanted = _values(decision)
    for i, column in enumerate(formulation.choices.builder.columns):
        variant = column.variant
        if column.kind in (ColumnKind.HELD, ColumnKind.MARKET, ColumnKind.PLEDGE):
            first[i] = 1.0
        elif column.kind is ColumnKind.BLOCKS and variant is not None:
            key = (column.subject, variant.starts_at, variant.ends_at, variant.price_frac)
            first[i] = wanted.pop(key, 0.0)
        elif column.kind is ColumnKind.MODE:
            mine = [s for s in decision.signings if s.offer == column.subject]
            low, ending = column.detail.split(":")
            ends = (
                "extended" if any(s.extended for s in mine) else "early" if any(s.ends_early for s in mine) else "full"
            )
            blocks = [
                c.variant.blocks_max
                for c in formulation.choices.builder.columns
                if c.subject == column.subject and c.variant is not None and c.variant.blocks_min == int(low)
            ]
            total = sum(s.blocks for s in mine)
            first[i] = float(bool(mine) and ends == ending and int(low) <= total <= max(blocks))
        else:
            first[i] = wanted.pop((column.kind, column.subject, column.at or column.detail), 0.0)
    assert not wanted, f"the engine has no column for {wanted}"
    return first


def _values(decision: Decision) -> dict[object, float]:
    values: dict[object, float] = {
        (s.offer, s.starts_at, s.ends_at, s.price_frac): float(s.blocks) for s in decision.signings
    }
    values |= {(ColumnKind.RELEASE, r.lease, r.ends_at): 1.0 for r in decision.releases}
    values |= {(ColumnKind.HOME, h.workload, h.pool): 1.0 for h in decision.homes}
    values |= {(ColumnKind.PORT, p.workload, p.accelerator): 1.0 for p in decision.ports}
    return values


NOTHING = Decision(signings=(), releases=(), homes=(), ports=())


def every_decision(portfolio: Portfolio) -> Iterator[Decision]:
    """Every combination of signings, releases, homes and ports, allowed or not."""
    signings = [_alone(portfolio, offer) for offer in portfolio.offers]
    releases = [releases_of(portfolio, number) for number in range(len(portfolio.leases))]
    homes = [homes_of(portfolio, w) for w in portfolio.workloads if _is_gang(w)]
    ports = [
        [(), (Port(workload=w.id, accelerator=c.accelerator, cost_usd=c.port_cost_micro_usd / 1e6),)]
        for w in portfolio.workloads
        for c in w.capabilities
        if c.port_state is PortState.PORTABLE and c.accelerator in {p.accelerator for p in portfolio.pools.values()}
    ]
    for chosen in product(*signings, *releases, *homes, *ports):
        every = [item for part in chosen for item in part]
        yield Decision(
            signings=tuple(x for x in every if isinstance(x, Signing)),
            releases=tuple(x for x in every if isinstance(x, Release)),
            homes=tuple(x for x in every if isinstance(x, Home)),
            ports=tuple(x for x in every if isinstance(x, Port)),
        )


def _is_gang(workload: object) -> bool:
    return isinstance(workload, TrainingRun) and any(c.gang_min > 1 for c in workload.capabilities)


def homes_of(portfolio: Portfolio, workload: object) -> list[tuple[Home, ...]]:
    """No home, or one pool whose chip the run can use."""
    assert isinstance(workload, TrainingRun)
    chips = {c.accelerator for c in workload.capabilities if c.port_state is not PortState.NO}
    pools = [p.id for p in portfolio.pools.values() if p.accelerator in chips]
    return [(), *[(Home(workload=workload.id, pool=pool),) for pool in pools]]


def releases_of(portfolio: Portfolio, number: int) -> list[tuple[Release, ...]]:
    """Stay, or leave at the earliest exit or a later period start before the horizon and the lease's end."""
    lease = portfolio.leases[number]
    right, firm_term = lease.terms.termination, lease.terms.firm_term
    if right is None or firm_term is None:
        return [()]
    notice = right.notice_days
    first = max(add_days(firm_term.after(lease.starts_at), notice), add_days(portfolio.as_of_at, notice))
    until = min(lease.ends_at, portfolio.periods[-1].until_at)
    days = sorted({first, *[p.from_at for p in portfolio.periods if p.from_at > first]})
    return [(), *[(Release(lease=lease.id, ends_at=at),) for at in days if at < until]]


def _alone(portfolio: Portfolio, offer: Offer) -> list[tuple[Signing, ...]]:
    """The signings of one offer that the auditor allows when the offers it requires are left aside."""
    free = replace(portfolio, offers=tuple(replace(o, requires=()) for o in portfolio.offers))
    free = replace(free, policy=replace(free.policy, budgets=()))
    allowed = [()]
    for signings in _signings(portfolio, offer):
        decision = replace(NOTHING, signings=signings)
        if not list(check_decision(free, decision, holdings_of(free, decision))):
            allowed.append(signings)
    return allowed


def _signings(portfolio: Portfolio, offer: Offer) -> Iterator[tuple[Signing, ...]]:
    """All splits of all quantities over start dates, in every way of ending."""
    starts = starts_of(portfolio, offer)
    for counts in product(range(offer.blocks_max + 1), repeat=len(starts)):
        total = sum(counts)
        if not offer.blocks_min <= total <= offer.blocks_max:
            continue
        tier = max((t for t in offer.tiers if t.blocks_min <= total), key=lambda t: t.blocks_min, default=None)
        for extended, early in ((False, False), (True, False), (False, True)):
            if (extended and offer.terms.extension is None) or (early and offer.terms.termination is None):
                continue
            yield tuple(
                Signing(
                    offer=offer.id,
                    blocks=count,
                    accelerators=count * offer.accelerators_per_block,
                    starts_at=at,
                    ends_at=_end_of(offer, at, extended, early),
                    extended=extended,
                    ends_early=early,
                    price_frac=tier.price_frac if tier is not None else 1.0,
                )
                for at, count in zip(starts, counts, strict=True)
                if count
            )


def _end_of(offer: Offer, at: Instant, extended: bool, early: bool) -> Instant:
    end = offer.term.after(at)
    if extended and offer.terms.extension is not None:
        return offer.terms.extension.duration.after(end)
    if early and offer.terms.firm_term is not None and offer.terms.termination is not None:
        return add_days(offer.terms.firm_term.after(at), offer.terms.termination.notice_days)
    return end


def starts_of(portfolio: Portfolio, offer: Offer) -> list[Instant]:
    """The first day of the window that a purchase rule allows, and every period start inside."""
    first = max(offer.start_from_at, portfolio.as_of_at)
    for rule in portfolio.providers[offer.provider].purchase_rules:
        if rule.product == offer.product and rule.lead_time_min is not None:
            first = max(first, rule.lead_time_min.after(portfolio.as_of_at))
    days = [first, *[p.from_at for p in portfolio.periods if first < p.from_at <= offer.start_until_at]]
    for lease in portfolio.leases:
        refusal = lease.terms.first_refusal
        if refusal is not None and lease.provider != offer.provider:
            answered_at = add_days(portfolio.as_of_at, refusal.response_days)
            # A day off the grid is thought of only where the clause leaves no other.
            if not any(at >= answered_at for at in days) and answered_at <= offer.start_until_at:
                days.append(answered_at)
    return days


EMPTY = {name: pl.DataFrame(schema=dict(schema)) for name, schema in SCHEMAS.items()}


def is_allowed(case: Tiny, decision: Decision) -> bool:
    """Whether the auditor doubts nothing of what a decision does in no future in particular."""
    holdings = holdings_of(case.portfolio, decision)
    if any(True for _ in check_decision(case.portfolio, decision, holdings)):
        return False
    outcome = Outcome(decision=decision, figures=OUTCOME.figures, frames=EMPTY)
    ground = make_ground(case.portfolio, outcome, case.futures)
    power = firm_power(ground, holdings)
    return not any(True for check in (check_caps, check_survival) for _ in check(ground, power))


def allowed_decisions(case: Tiny) -> Iterator[Decision]:
    """Every decision that the auditor allows."""
    return (decision for decision in every_decision(case.portfolio) if is_allowed(case, decision))
