"""The numeric plan problem: a two-stage stochastic program, and what an engine answers.

Units inside: thousands of accelerators and millions of dollars, because raw ones ruin the
numerics at a million chips and 1e11 dollars. An engine knows nothing of leases or runs:
it sees columns, rows and futures. Shapes below: N first-stage columns, M second-stage
columns, R second-stage rows, S futures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector = NDArray[np.float64]

ACCELERATORS_PER_UNIT = 1_000.0
USD_PER_UNIT = 1_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStage:
    """Columns decided once: bounds and integrality (N,), rows lower <= matrix n <= upper.

    `cost` (S, N) is the discounted cost of one unit of a column in each future.
    """

    lower: Vector
    upper: Vector
    is_integer: NDArray[np.bool_]
    matrix: sparse.csr_matrix
    row_lower: Vector
    row_upper: Vector
    cost: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Recourse:
    """What is decided in each future s, given the first stage n:

    minimize cost[s] x  subject to  row_lower[s] <= matrix x + coupling[s] n <= row_upper[s]
    and  0 <= x <= upper[s] + upper_coupling[s] n.

    Every upper bound is finite at every n within its bounds, which is what makes the
    closed-form bound of `engines/cuts.py` finite. `constant` (S,) is added to the cost.

    A gate holds `gate_column[k]` (K,) at zero in a future s where `gate_brought[s] n - gate_taken x`
    is below `gate_min[k]` in row `gate_row[k]`. Bounds leave gates out, objectives do not.
    """

    matrix: sparse.csc_matrix
    cost: Vector
    row_lower: Vector
    row_upper: Vector
    upper: Vector
    constant: Vector
    coupling: tuple[sparse.csr_matrix, ...]
    upper_coupling: tuple[sparse.csr_matrix, ...]
    gate_column: NDArray[np.int64]
    gate_row: NDArray[np.int64]
    gate_min: Vector
    gate_brought: tuple[sparse.csr_matrix, ...]
    gate_taken: sparse.csr_matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProblem:
    """The whole problem; `probability` (S,) sums to 1.

    The objective is (1 - risk_weight) E[cost] + risk_weight CVaR[cost] at level `risk_tail`.
    A future of probability 0 is not in it, but for `anchor_weight` (S,), which adds that
    multiple of its cost to the objective: the weight on hard promises in the base future.
    """

    first: FirstStage
    recourse: Recourse
    probability: Vector
    anchor_weight: Vector
    risk_weight: float
    risk_tail: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """An engine's answer, in the problem's units.

    `first` (N,), `second` (S, M) of the futures with weight (zero elsewhere), `objective` as
    evaluated there, `bound` a proven lower bound on the best objective.
    """

    first: Vector
    second: Vector
    objective: float
    bound: float
    iterations: int


class Infeasible(Exception):
    """No first stage satisfies the rows; `plan/conflict.py` finds out which ones clash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a solve has come; costs in the problem's units."""

    stage: str
    iteration: int
    bound: float
    objective: float


Watch = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """When to stop: at a relative gap, or after a number of integer points.

    `nodes_max` limits the search for each point: its bound is valid all the same, and cuts help more.

    `start` (N,) is a first stage to begin from, where it satisfies every row. `near` asks for the best point near
    it alone: whole numbers on which the relaxation agrees with it stay; the bound is then the relaxation's. `anew` says
    that the optimum may be far from those of problems solved before, so that what is known is not enough to go by.
    """

    gap_frac: float
    rounds_max: int = 25
    nodes_max: int = 400
    start: Vector | None = None
    near: bool = False
    anew: bool = False


class Engine(Protocol):
    """Solves a plan problem; may keep what it learns for the next, similar one.

    Pickled it is a twin: what it has learned goes with it, solvers stay.
    """

    def solve(self, problem: PlanProblem, aim: Aim, watch: Watch | None = None) -> Solution:
        """Return the best solution found and a certified bound; raises `Infeasible`."""
        ...

    def twin(self) -> "Engine":
        """An engine that knows what this one has learned, for another thread."""
        ...

    def branch(self) -> "Engine":
        """An engine that knows what this one has learned, for the same thread; it keeps what it learns to itself."""
        ...


def future_costs(problem: PlanProblem, first: Vector, second_cost: Vector) -> Vector:
    """Cost of each future (S,): its first-stage cost, its recourse cost and its constant."""
    return np.asarray(problem.first.cost @ first + second_cost + problem.recourse.constant)


def conditional_value_at_risk(costs: Vector, probability: Vector, tail_frac: float) -> float:
    """Mean of the worst (1 - tail_frac) of the probability mass (Rockafellar and Uryasev, 2000)."""
    order = np.argsort(-costs)
    left = 1.0 - tail_frac
    taken = np.minimum(np.diff(np.minimum(np.cumsum(probability[order]), left), prepend=0.0), left)
    return float(taken @ costs[order] / left)


def objective_of(problem: PlanProblem, costs: Vector) -> float:
    """The objective at the cost of each future (S,)."""
    expected = float(problem.probability @ costs)
    tail = conditional_value_at_risk(costs, problem.probability, problem.risk_tail)
    return (1 - problem.risk_weight) * expected + problem.risk_weight * tail
