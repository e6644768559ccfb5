"""A planning session: one engine, one set of futures, and many problems that differ a little.

Every what-if is a `Change`: another portfolio (a price, a date, a rule), clauses waived, things
ruled out or forced. The engine keeps what it learned, so that each costs a fraction of the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from acreage.domain.future import Future
from acreage.domain.lease import Offer
from acreage.domain.plan import Range
from acreage.domain.portfolio import Portfolio
from acreage.plan.formulate.formulate import Formulation, formulate
from acreage.plan.formulate.layout import Column, ColumnKind
from acreage.plan.problem import USD_PER_UNIT, Aim, Engine, FirstStage, PlanProblem, Solution, Vector, Watch
from acreage.units.ids import OfferId, ProviderId, WorkloadId

QUICK_ROUNDS_MAX = 2
QUICK_NODES_MAX = 60
QUICK_GAP_FRAC = 1e-3
"""Re-solves stop at this gap, or the plan's if that is wider."""

BROKEN_USD = 1.0
"""A broken promise costs far more than this; less is solver tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is different: offers barred, a provider lost, offers that must be signed.

    `kept` is a first stage (N,) whose contracts stay as they are, but for offers barred, forced or free.
    """

    barred: frozenset[OfferId] = frozenset()
    lost: frozenset[ProviderId] = frozenset()
    forced: frozenset[OfferId] = frozenset()
    kept: Vector | None = None
    free: frozenset[OfferId] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A formulation and its solution; `range_usd` encloses the best objective, promises kept."""

    formulation: Formulation
    solution: Solution

    @property
    def range_usd(self) -> Range:
        """From the proven bound to the objective found."""
        low, high = self.solution.bound * USD_PER_UNIT, self.solution.objective * USD_PER_UNIT
        return Range(low=min(low, high), found=high, high=high)

    @property
    def broken_usd(self) -> float:
        """What broken promises cost in the base future; 0 where all are kept."""
        hard = self.formulation.scene.hard
        if hard < 0 or not self.formulation.problem.anchor_weight[hard]:
            return 0.0
        recourse = self.formulation.problem.recourse
        cost = self.solution.second_cost[hard] + recourse.constant[hard]
        return float(cost) * USD_PER_UNIT

    def blocks_of(self, offer: OfferId) -> int:
        """Blocks of an offer that are signed."""
        columns = self.formulation.choices.builder.columns
        return round(
            sum(
                float(value)
                for column, value in zip(columns, self.solution.first, strict=True)
                if column.kind is ColumnKind.BLOCKS and column.subject == offer
            )
        )


@dataclass(slots=True)
class Session:
    """Solves a portfolio and variations of it over the same futures.

    `promise_weight` multiplies the penalty on broken promises, where the usual one is too low to keep them.
    """

    portfolio: Portfolio
    futures: tuple[Future, ...]
    demand: Mapping[WorkloadId, Vector]
    engine: Engine
    gap_frac: float
    promise_weight: float = 1.0
    solves: int = 0
    _base: Formulation | None = None

    @property
    def base(self) -> Formulation:
        """The formulation of the portfolio as it stands."""
        if self._base is None:
            self._base = formulate(self.portfolio, self.futures, self.demand)
        return self._base

    def formulation(
        self,
        portfolio: Portfolio | None = None,
        *,
        futures: tuple[Future, ...] | None = None,
        waived: frozenset[str] = frozenset(),
    ) -> Formulation:
        """The base formulation, or that of another portfolio, other futures or waived clauses."""
        if portfolio is None and futures is None and not waived:
            return self.base
        here = portfolio or self.portfolio
        return formulate(here, futures or self.futures, self.demand, waived=waived, like=self.base)

    @property
    def quick_gap_frac(self) -> float:
        """What re-solves can tell apart, as a share of the objective."""
        return max(self.gap_frac, QUICK_GAP_FRAC)

    def quick(self, start: Vector | None) -> Aim:
        """The effort of one re-solve: few points, near a known first stage if there is one.

        Its range says what is left open.
        """
        return Aim(
            gap_frac=self.quick_gap_frac,
            rounds_max=QUICK_ROUNDS_MAX,
            nodes_max=QUICK_NODES_MAX,
            start=start,
            near=start is not None,
        )

    def twin(self) -> "Session":
        """A session that knows the same, for another thread."""
        return replace(self, engine=self.engine.twin(), _base=self.base)

    def branch(self) -> "Session":
        """A session that knows the same; what it learns is not remembered, and so slows no other question."""
        return replace(self, engine=self.engine.branch(), _base=self.base)

    def solve(
        self,
        change: Change | None = None,
        formulation: Formulation | None = None,
        *,
        aim: Aim | None = None,
        watch: Watch | None = None,
    ) -> Solved:
        """Solve with a change; raises `Infeasible` if no plan satisfies the rules."""
        there = formulation or self.base
        problem = changed(there, change) if change is not None else there.problem
        problem = replace(problem, anchor_weight=problem.anchor_weight * self.promise_weight)
        self.solves += 1
        solution = self.engine.solve(problem, aim or Aim(gap_frac=self.gap_frac), watch)
        return Solved(formulation=there, solution=solution)


def without_caps(portfolio: Portfolio) -> Portfolio:
    """The portfolio without the rules that may need a supplier or a new lease: share caps, survival of a loss."""
    return replace(portfolio, policy=replace(portfolio.policy, share_caps=(), survive_loss_frac=None))


def without_promises(formulation: Formulation) -> Formulation:
    """The formulation in which broken promises cost what other unmet demand does."""
    problem = formulation.problem
    return replace(formulation, problem=replace(problem, anchor_weight=np.zeros_like(problem.anchor_weight)))


def carried(first: Vector, there: Formulation, to: Formulation) -> Vector:
    """A first stage (N,) of one formulation in the columns of another; what is new there is zero."""
    known = {column.name: value for column, value in zip(there.choices.builder.columns, first, strict=True)}
    return np.array([known.get(column.name, 0.0) for column in to.choices.builder.columns])


def changed(formulation: Formulation, change: Change) -> PlanProblem:
    """The problem with things ruled out or forced in its first stage; the second stage is the same."""
    problem = formulation.problem
    out = np.array([_is_out(formulation, column, change) for column in formulation.choices.builder.columns])
    first = problem.first
    first = replace(first, upper=np.where(out, 0.0, first.upper), lower=np.where(out, 0.0, first.lower))
    if change.kept is not None:
        columns = formulation.choices.builder.columns
        fixed = np.array([_is_kept(column, change) for column in columns]) & ~out
        kept = np.where(fixed, np.round(change.kept), 0.0)
        first = replace(first, lower=np.where(fixed, kept, first.lower), upper=np.where(fixed, kept, first.upper))
    for offer in sorted(change.forced):
        first = _force(formulation, first, offer)
    return replace(problem, first=first)


def _is_kept(column: Column, change: Change) -> bool:
    """Whether a column is a contract that a change with `kept` leaves as it is."""
    if column.kind not in (ColumnKind.BLOCKS, ColumnKind.MODE, ColumnKind.RELEASE):
        return False
    return column.subject not in change.barred | change.forced | change.free


def _is_out(formulation: Formulation, column: Column, change: Change) -> bool:
    """Whether a change rules a column out."""
    portfolio = formulation.portfolio
    if column.kind in (ColumnKind.BLOCKS, ColumnKind.MODE):
        provider = next(o.provider for o in portfolio.offers if o.id == column.subject)
        return column.subject in change.barred or provider in change.lost
    if column.kind in (ColumnKind.HELD, ColumnKind.RELEASE):
        return next(lease.provider for lease in portfolio.leases if lease.id == column.subject) in change.lost
    if column.kind is ColumnKind.MARKET:
        return next(p.provider for p in portfolio.pools.values() if p.id == column.subject) in change.lost
    if column.kind is ColumnKind.PLEDGE:
        spend = next(c.spend for c in portfolio.commitments if c.id == column.subject)
        return spend.provider in change.lost
    return column.kind is ColumnKind.MATCH and column.detail in change.barred


def _force(formulation: Formulation, first: FirstStage, offer: OfferId) -> FirstStage:
    """Add a row that gives an offer at least one block."""
    row = np.array(
        [
            float(column.kind is ColumnKind.BLOCKS and column.subject == offer)
            for column in formulation.choices.builder.columns
        ]
    )
    return replace(
        first,
        matrix=sparse.csr_matrix(sparse.vstack([first.matrix, sparse.csr_matrix(row)])),
        row_lower=np.append(first.row_lower, 1.0),
        row_upper=np.append(first.row_upper, np.inf),
    )


def with_offer(portfolio: Portfolio, changed: Offer) -> Portfolio:
    """The portfolio with one offer on other terms."""
    offers = tuple(changed if offer.id == changed.id else offer for offer in portfolio.offers)
    return replace(portfolio, offers=offers)


def with_price(portfolio: Portfolio, offer_id: OfferId, factor: float) -> Portfolio:
    """The portfolio with one offer's price multiplied."""
    offers = []
    for offer in portfolio.offers:
        if offer.id == offer_id:
            amount = round(offer.terms.price.amount_micro_usd * factor)
            price = replace(offer.terms.price, amount_micro_usd=type(offer.terms.price.amount_micro_usd)(amount))
            offer = replace(offer, terms=replace(offer.terms, price=price))
        offers.append(offer)
    return replace(portfolio, offers=tuple(offers))
