"""One future of a plan problem as plain arrays: the only place where the benchmark reads recourses and solutions."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from acreage.plan.problem import PlanProblem, Solution, Vector, future_costs


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


def costs_of(problem: PlanProblem, solution: Solution) -> Vector:
    """Cost of each future (S,) as the engine has it; those without weight have no second stage in it."""
    second = [problem.recourse.cost[s] @ solution.second[s] for s in range(len(problem.probability))]
    return future_costs(problem, solution.first, np.array(second))
