"""What it is worth to wait a quarter with whatever can wait: a third stage between the plan and the futures.

What must be decided now is the same in every future; the rest is decided once it is seen how the first quarter went,
which puts the futures into groups. The best of that is bracketed from two sides. Above its cost: for any choice of
what cannot wait, held fixed, the groups' best plans with it; the least over the choices tried (the plan's own, and
that of each group's own best plan). Below it: the groups' best plans with everything free, which would need the
groups to be known today (wait-and-see; Birge and Louveaux, 2011, chapter 4). So `value.low` holds for what was found,
and `value.high` is never exceeded. Risk is measured as in `information`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from acreage.domain.bulk import FutureGroup, Signed, Waiting
from acreage.domain.plan import Range
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import TrainingRun
from acreage.plan.bulk.asked import Pending
from acreage.plan.bulk.groups import Group, clusters, conditional
from acreage.plan.bulk.information import futures_of, group_of, probability_of, saving
from acreage.plan.bulk.inquiry import Inquiry, objective_over, over, with_problem
from acreage.plan.bulk.sensitivities import to_come
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import Column, ColumnKind
from acreage.plan.formulate.variants import Variant, rule_of
from acreage.plan.problem import Vector
from acreage.plan.session import Solved
from acreage.units.instants import Duration, Instant, add_days

QUARTER = Duration(months=3)
GROUPS = 3


def waiting(inquiry: Inquiry, pending: Sequence[Pending]) -> Waiting:
    """The value of deciding what can wait a quarter later."""
    portfolio, formulation = inquiry.session.portfolio, inquiry.best.formulation
    until_at = QUARTER.after(portfolio.as_of_at)
    waits = can_wait(formulation, until_at)
    groups = by_first_quarter(inquiry, pending, until_at)
    later = _signed_where(formulation, inquiry.best.solution.first, waits)
    plain = Waiting(
        until_at=until_at,
        value_usd=Range(low=0.0, found=0.0, high=0.0),
        deciding_usd=0.0,
        now=_signed_where(formulation, inquiry.best.solution.first, ~waits),
        later=later,
        can_wait=_offers_where(formulation, waits),
        groups=(),
        reason="",
    )
    if not plain.can_wait:
        return replace(plain, reason="no offer can wait a quarter")
    if len(groups) < 2:
        return replace(plain, reason="nothing is seen in the first quarter: it goes the same in every future")
    return _valued(inquiry, plain, groups, waits)


def _valued(inquiry: Inquiry, plain: Waiting, groups: Sequence[Group], waits: NDArray[np.bool_]) -> Waiting:
    best, formulation, probability = inquiry.best, inquiry.best.formulation, probability_of(inquiry)
    free = _each(inquiry, formulation, groups, [best.solution.first] * len(groups))
    candidates = _distinct([best.solution.first, *(solved.solution.first for solved in free)], ~waits)
    tried = []
    for first in candidates:
        there = _with_fixed(formulation, first, ~waits)
        # A group's own best plan keeps the fixed part only if it is its own; the candidate's plan always does.
        tried.append((first, _each(inquiry, there, groups, [first] * len(groups))))
    masses = [conditional(probability, group.futures) for group in groups]
    first, answers = min(
        tried, key=lambda one: sum(m * s.range_usd.found for (m, _), s in zip(masses, one[1], strict=True))
    )
    shown = [group_of(g, mass, solved) for g, (mass, _), solved in zip(groups, masses, answers, strict=True)]
    bounds = [group_of(g, mass, solved) for g, (mass, _), solved in zip(groups, masses, free, strict=True)]
    deciding = sum(
        mass * (objective_over(best.costs_usd, within, formulation.problem) - solved.range_usd.found)
        for (mass, within), solved in zip(masses, answers, strict=True)
    )
    return replace(
        plain,
        value_usd=saving(best.range_usd, shown, bounds),
        deciding_usd=max(0.0, deciding),
        now=_signed_where(formulation, first, ~waits),
        groups=tuple(_later_only(formulation, one, solved, waits) for one, solved in zip(shown, answers, strict=True)),
    )


def _later_only(formulation: Formulation, group: FutureGroup, solved: Solved, waits: NDArray[np.bool_]) -> FutureGroup:
    """A group with what is signed later in it."""
    return replace(group, signed=_signed_where(formulation, solved.solution.first, waits))


def _each(inquiry: Inquiry, there: Formulation, groups: Sequence[Group], starts: Sequence[Vector]) -> list[Solved]:
    found = []
    for group, start in zip(groups, starts, strict=True):
        _, within = conditional(there.problem.probability, group.futures)
        solved = inquiry.solve(over(there, within), start)
        assert solved is not None, "what is held fixed belongs to a plan that keeps every rule"
        found.append(solved)
    return found


def _distinct(firsts: Sequence[Vector], where: NDArray[np.bool_]) -> list[Vector]:
    """First stages that differ where it matters."""
    seen: dict[bytes, Vector] = {}
    for first in firsts:
        seen.setdefault(np.round(first[where]).tobytes(), first)
    return list(seen.values())


def _with_fixed(formulation: Formulation, first: Vector, where: NDArray[np.bool_]) -> Formulation:
    stage, kept = formulation.problem.first, np.round(first)
    fixed = replace(stage, lower=np.where(where, kept, stage.lower), upper=np.where(where, kept, stage.upper))
    return with_problem(formulation, replace(formulation.problem, first=fixed))


def can_wait(formulation: Formulation, until_at: Instant) -> NDArray[np.bool_]:
    """Which first-stage columns (N,) may be decided at `until_at` without losing them.

    Offers that are still open then and whose start leaves the lead time of their purchase rule and the response time
    of a first refusal; homes of runs released later; leaving a lease whose notice falls later. Modes, gangs and
    most-favored matches follow from those. Ports are begun now, as the plan has it.
    """
    return np.array(
        [_column_waits(formulation.portfolio, c, until_at) for c in formulation.choices.builder.columns], dtype=bool
    )


def _column_waits(portfolio: Portfolio, column: Column, until_at: Instant) -> bool:
    if column.kind is ColumnKind.BLOCKS:
        assert column.variant is not None
        return _variant_waits(portfolio, column.variant, until_at)
    if column.kind is ColumnKind.RELEASE:
        lease = next(lease for lease in portfolio.leases if lease.id == column.subject)
        right = lease.terms.termination
        return column.at is not None and right is not None and column.at >= add_days(until_at, right.notice_days)
    if column.kind is ColumnKind.HOME:
        run = next(w for w in portfolio.workloads if w.id == column.subject)
        return isinstance(run, TrainingRun) and run.release_at >= until_at
    return column.kind in (ColumnKind.MODE, ColumnKind.GANG, ColumnKind.MATCH)


def _variant_waits(portfolio: Portfolio, variant: Variant, until_at: Instant) -> bool:
    offer = variant.offer
    if offer.expires_at is not None and offer.expires_at < until_at:
        return False
    rule, soonest = rule_of(portfolio, offer), until_at
    if rule is not None and rule.lead_time_min is not None:
        soonest = rule.lead_time_min.after(until_at)
    for lease in portfolio.leases:
        refusal = lease.terms.first_refusal
        if refusal is not None and lease.provider != offer.provider and until_at < refusal.until_at:
            chip = portfolio.pools[offer.pool].accelerator
            if not refusal.accelerators or chip in refusal.accelerators:
                soonest = max(soonest, add_days(until_at, refusal.response_days))
    return variant.starts_at >= soonest


def _signed_where(formulation: Formulation, first: Vector, where: NDArray[np.bool_]) -> tuple[Signed, ...]:
    total: dict[str, int] = {}
    for number, column in enumerate(formulation.choices.builder.columns):
        if column.kind is ColumnKind.BLOCKS and where[number] and first[number] > 0.5:
            assert column.variant is not None
            size = round(first[number]) * column.variant.offer.accelerators_per_block
            total[column.subject] = total.get(column.subject, 0) + size
    return tuple(Signed(offer=offer, accelerators=size) for offer, size in total.items())


def _offers_where(formulation: Formulation, where: NDArray[np.bool_]) -> tuple[str, ...]:
    columns = formulation.choices.builder.columns
    return tuple(dict.fromkeys(c.subject for i, c in enumerate(columns) if c.kind is ColumnKind.BLOCKS and where[i]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is seen of each future (S,) in the first quarter: demand and prices as factors, mean days late."""

    demand: Vector
    tightness: Vector
    late_days: Vector


def by_first_quarter(inquiry: Inquiry, pending: Sequence[Pending], until_at: Instant) -> list[Group]:
    """The futures in at most three groups by demand, tightness of the market and lateness seen until then."""
    kept = np.flatnonzero(probability_of(inquiry) > 0.0)
    seen = _seen(inquiry, pending, until_at)
    features = np.stack([np.log(seen.demand), np.log(seen.tightness), seen.late_days], axis=1)
    found = clusters(np.round(features, 9), kept, GROUPS)
    weights = probability_of(inquiry)
    return [Group(name=_looks(seen, futures, weights), futures=futures) for futures in found]


def _looks(seen: _Seen, futures: NDArray[np.int64], probability: Vector) -> str:
    weights = probability[futures] / probability[futures].sum()
    demand, tight, late = (float(weights @ values[futures]) for values in (seen.demand, seen.tightness, seen.late_days))
    words = f"demand {demand - 1.0:+.0%}, market {abs(tight - 1.0):.0%} {'tighter' if tight >= 1.0 else 'looser'}"
    return words + (f", {late:.0f} days late" if seen.late_days.any() else "")


def _seen(inquiry: Inquiry, pending: Sequence[Pending], until_at: Instant) -> _Seen:
    """Factors in the last period that has ended by then (the first one at least); tightness is price over limit."""
    session, futures = inquiry.session, futures_of(inquiry)
    ended = [t for t, period in enumerate(session.portfolio.periods) if period.until_at <= until_at]
    t = ended[-1] if ended else 0
    size = {key: float(series[t]) for key, series in session.demand.items()}
    due = [one for one in to_come(session.portfolio, inquiry.best, pending) if one.due_at < until_at]
    demand, tightness, late = [], [], []
    for future in futures:
        logs = [np.log(max(_at(future.demand_factor.get(key), t), 1e-6)) for key in size]
        demand.append(np.exp(np.mean(logs)) if logs else 1.0)
        tight = [
            np.log(max(_at(future.price_factor.get(pool), t), 1e-6))
            - np.log(max(_at(future.limit_factor.get(pool), t), 1e-6))
            for pool in session.portfolio.pools
        ]
        tightness.append(np.exp(np.mean(tight)) if tight else 1.0)
        # What is not there by then is only known to be late so far.
        days = [
            min(future.delay_days.get((one.source, one.index), 0), (until_at - one.due_at) / 86_400.0) for one in due
        ]
        late.append(float(np.mean(days)) if days else 0.0)
    return _Seen(demand=np.array(demand), tightness=np.array(tightness), late_days=np.array(late))


def _at(series: Vector | None, period: int) -> float:
    return 1.0 if series is None else float(series[period])
