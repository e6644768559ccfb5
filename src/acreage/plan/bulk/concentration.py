"""Cost against concentration: how much dearer the best plan is, the less any supplier may hold.

Each step adds share rows to the first stage; the second stage is the plan's own, and so are all cuts of it. The
portfolio's own cap on every supplier is set aside, all its other rules are kept. Shares are of firm effective
FLOP/s; HHI is the sum of their squares (Hirschman, 1964), 1 for a single supplier.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from acreage.domain.bulk import ConcentrationPoint
from acreage.domain.plan import Range
from acreage.domain.portfolio import Portfolio, ShareCap, ShareLevel
from acreage.plan.bulk.inquiry import Inquiry, difference, signed_in, with_problem
from acreage.plan.conflict import find_conflict
from acreage.plan.formulate.first_stage import define_share_cap, effective, member_of
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import FirstStageBuilder
from acreage.plan.problem import Vector
from acreage.plan.session import Session, Solved
from acreage.units.instants import Instant

CAPS_FRAC = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
NOTHING = Range(low=0.0, found=0.0, high=0.0)
EACH = f"share_cap:{ShareLevel.SUPPLIER}:each"


def concentration(inquiry: Inquiry, caps: Sequence[float] = CAPS_FRAC) -> tuple[ConcentrationPoint, ...]:
    """A point without any cap on suppliers, then one for each cap that the step before breaks, until none keeps it.

    None at all where nothing is held or offered.
    """
    base, from_at = inquiry.best.formulation, capped_from(inquiry.session.portfolio)
    if not base.choices.sources:
        return ()
    free = uncapped(base)
    # Where there is no cap to set aside, the plan is the best without one.
    loose = inquiry.best if EACH not in base.rules else inquiry.solve(free, inquiry.best.solution.first)
    assert loose is not None, "the plan keeps every rule but the cap"
    points = [_point(inquiry, None, from_at, loose)]
    start, largest = loose.solution.first, points[0].largest_frac or 0.0
    for cap in sorted(caps, reverse=True):
        if cap >= largest:
            # The plan of the step before keeps this cap too, and none that keeps it can cost less.
            continue
        there = capped(free, _cap(cap, from_at))
        solved = inquiry.solve(there, start)
        if solved is None:
            points.append(_unkept(inquiry, cap, from_at))
            break
        points.append(_point(inquiry, cap, from_at, solved))
        start, largest = solved.solution.first, points[-1].largest_frac or 0.0
    return tuple(points)


def capped_from(portfolio: Portfolio) -> Instant:
    """When caps bind from: as the portfolio's own cap on every supplier does, else from the middle of the horizon.

    What is held on the planning day is as it is; a cap from then on would only say that.
    """
    own = [cap.from_at for cap in portfolio.policy.share_caps if _is_each_supplier(cap)]
    return min(own) if own else portfolio.periods[len(portfolio.periods) // 2].from_at


def _is_each_supplier(cap: ShareCap) -> bool:
    return cap.level is ShareLevel.SUPPLIER and not cap.member


def _cap(share_max_frac: float, from_at: Instant) -> ShareCap:
    return ShareCap(level=ShareLevel.SUPPLIER, share_max_frac=share_max_frac, from_at=from_at)


def uncapped(formulation: Formulation) -> Formulation:
    """The formulation without its rows that cap every supplier."""
    kept = np.array([rule != EACH for rule in formulation.rules], dtype=bool)
    first = formulation.problem.first
    kept = np.concatenate([kept, np.ones(len(first.row_lower) - len(kept), dtype=bool)])
    first = replace(first, matrix=first.matrix[kept], row_lower=first.row_lower[kept], row_upper=first.row_upper[kept])
    return with_problem(formulation, replace(formulation.problem, first=first))


def capped(formulation: Formulation, cap: ShareCap) -> Formulation:
    """The formulation with a cap more: rows of the first stage alone."""
    choices, first = formulation.choices, formulation.problem.first
    rows = FirstStageBuilder(
        columns=choices.builder.columns,
        lower=choices.builder.lower,
        upper=choices.builder.upper,
        integer=choices.builder.integer,
    )
    define_share_cap(rows, formulation.portfolio, formulation.scene.clock, choices.sources, cap)
    added = rows.build(first.cost)
    first = replace(
        first,
        matrix=sparse.csr_matrix(sparse.vstack([first.matrix, added.matrix])),
        row_lower=np.concatenate([first.row_lower, added.row_lower]),
        row_upper=np.concatenate([first.row_upper, added.row_upper]),
    )
    return with_problem(formulation, replace(formulation.problem, first=first))


def supplier_power(formulation: Formulation, first: Vector) -> dict[str, Vector]:
    """Firm effective PFLOP/s (T,) of each supplier under a first stage (N,)."""
    portfolio, sources = formulation.portfolio, formulation.choices.sources
    power: dict[str, Vector] = defaultdict(lambda: np.zeros(len(portfolio.periods)))
    for number, series in effective(formulation.choices.builder, portfolio, formulation.scene.clock, sources).items():
        supplier = member_of(portfolio, ShareLevel.SUPPLIER, sources[number].pool)
        power[supplier] = power[supplier] + first[number] * series
    return dict(power)


def _point(inquiry: Inquiry, cap: float | None, from_at: Instant, solved: Solved) -> ConcentrationPoint:
    power = supplier_power(solved.formulation, solved.solution.first)
    bound = np.array([period.from_at >= from_at for period in solved.formulation.portfolio.periods])
    names = sorted(power)
    each = np.array([power[name][bound] for name in names])
    total = each.sum(axis=0)
    shares = np.divide(each, total, out=np.zeros_like(each), where=total > 0.0)
    top = int(shares.max(axis=1).argmax())
    return ConcentrationPoint(
        share_max_frac=cap,
        from_at=from_at,
        objective_usd=solved.range_usd,
        extra_usd=NOTHING if solved is inquiry.best else difference(solved.range_usd, inquiry.best.range_usd),
        largest_frac=float(shares[top].max()),
        largest=names[top],
        hhi=float((shares**2).sum(axis=0).max()),
        signed=signed_in(solved),
        reason="",
    )


def _unkept(inquiry: Inquiry, cap: float, from_at: Instant) -> ConcentrationPoint:
    """A cap that no plan keeps, with the smallest set of rules that cannot hold together with it."""
    session = inquiry.session
    policy = session.portfolio.policy
    others = tuple(one for one in policy.share_caps if not _is_each_supplier(one))
    portfolio = replace(session.portfolio, policy=replace(policy, share_caps=(*others, _cap(cap, from_at))))
    clash = find_conflict(
        Session(
            portfolio=portfolio,
            futures=session.futures,
            demand=session.demand,
            engine=session.engine,
            gap_frac=session.gap_frac,
        )
    )
    # The first of them is the cap itself, or there would be a plan.
    names = [one.name for one in clash.clashes if one.name != "share cap on each supplier"] if clash is not None else []
    if clash is None:
        reason = "no plan keeps it together with all other rules and promises"
    elif names:
        reason = f"no plan keeps it together with {' and '.join(names)}"
    else:
        reason = "what is held and offered cannot keep it, whatever is signed"
    return ConcentrationPoint(
        share_max_frac=cap,
        from_at=from_at,
        objective_usd=None,
        extra_usd=None,
        largest_frac=None,
        largest="",
        hhi=None,
        signed=(),
        reason=reason,
    )
