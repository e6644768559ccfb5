"""One future of a plan problem as plain arrays: the only place where the benchmark reads the recourse."""

from dataclasses import dataclass

from scipy import sparse

from acreage.plan.problem import PlanProblem, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """minimize first_cost n + cost x + constant, row_lower <= matrix x + coupling n <= row_upper,
    0 <= x <= upper + upper_coupling n."""

    first_cost: Vector
    cost: Vector
    constant: float
    matrix: sparse.csc_matrix
    row_lower: Vector
    row_upper: Vector
    coupling: sparse.csr_matrix
    upper: Vector
    upper_coupling: sparse.csr_matrix


def slice_of(problem: PlanProblem, future: int) -> Slice:
    """The arrays of a future."""
    recourse = problem.recourse
    return Slice(
        first_cost=problem.first.cost[future],
        cost=recourse.cost[future],
        constant=float(recourse.constant[future]),
        matrix=recourse.matrix[future].tocsc(),
        row_lower=recourse.row_lower[future],
        row_upper=recourse.row_upper[future],
        coupling=recourse.coupling[future],
        upper=recourse.upper_in(future),
        upper_coupling=recourse.upper_coupling[future],
    )
