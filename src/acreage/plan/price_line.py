"""One offer's price as a line: the problem at any price, from the problems at two.

Fees, and whatever follows from them, are proportional to the price; so every figure of the problem is
affine in it. Most-favored clauses are the exception: offers that one may match are formulated anew.
"""

from dataclasses import dataclass, replace

from scipy import sparse

from acreage.plan.formulate.formulate import Formulation
from acreage.plan.formulate.layout import ColumnKind
from acreage.plan.problem import FirstStage, PlanProblem, Recourse
from acreage.plan.session import Session, with_price
from acreage.plan.tables import Family, is_equal, moved, moved_vector
from acreage.units.ids import OfferId


@dataclass(slots=True)
class PriceLine:
    """The formulation of a session's portfolio with one offer's price multiplied by any factor."""

    session: Session
    offer: OfferId
    _doubled: Formulation | None = None

    def at(self, factor: float) -> Formulation:
        """The formulation at a factor of the asked price."""
        base = self.session.base
        if factor == 1.0:
            return base
        if self._is_matched():
            return self.session.formulation(with_price(self.session.portfolio, self.offer, factor))
        if self._doubled is None:
            self._doubled = self.session.formulation(with_price(self.session.portfolio, self.offer, 2.0))
        return replace(base, problem=_problem_at(base.problem, self._doubled.problem, factor - 1.0))

    def _is_matched(self) -> bool:
        columns = self.session.base.choices.builder.columns
        return any(column.kind is ColumnKind.MATCH and column.detail == self.offer for column in columns)


def _problem_at(base: PlanProblem, other: PlanProblem, step: float) -> PlanProblem:
    """base + step (other - base), figure by figure."""
    return replace(
        base,
        first=_first_at(base.first, other.first, step),
        recourse=_recourse_at(base.recourse, other.recourse, step),
    )


def _first_at(base: FirstStage, other: FirstStage, step: float) -> FirstStage:
    return replace(
        base,
        cost=base.cost + step * (other.cost - base.cost),
        matrix=_sparse_at(base.matrix, other.matrix, step),
        row_lower=moved_vector(base.row_lower, other.row_lower, step),
        row_upper=moved_vector(base.row_upper, other.row_upper, step),
    )


def _recourse_at(base: Recourse, other: Recourse, step: float) -> Recourse:
    """Prices move costs, what counts towards commitments and what these still lack."""
    if _is_same(base, other):
        return base
    return replace(
        base,
        matrix=_family_at(base.matrix, other.matrix, step),
        cost=moved(base.cost, other.cost, step),
        row_lower=moved(base.row_lower, other.row_lower, step),
        row_upper=moved(base.row_upper, other.row_upper, step),
        coupling=_family_at(base.coupling, other.coupling, step),
    )


def _is_same(base: Recourse, other: Recourse) -> bool:
    """Whether the price touches nothing in the second stage, as for most offers: then its cuts hold as drawn."""
    return (
        is_equal(base.matrix.data, other.matrix.data)
        and is_equal(base.cost, other.cost)
        and is_equal(base.row_lower, other.row_lower)
        and is_equal(base.row_upper, other.row_upper)
        and base.coupling.has_pattern_of(other.coupling)
        and is_equal(base.coupling.data, other.coupling.data)
    )


def _family_at(base: Family, other: Family, step: float) -> Family:
    """A price moves entries, but makes and ends none."""
    assert base.has_pattern_of(other)
    return replace(base, data=moved(base.data, other.data, step))


def _sparse_at(base: sparse.csr_matrix, other: sparse.csr_matrix, step: float) -> sparse.csr_matrix:
    return sparse.csr_matrix(base + step * (other - base))
