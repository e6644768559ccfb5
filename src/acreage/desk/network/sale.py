"""The linear program of a network, kept warm: only its right-hand sides change between solves."""

from dataclasses import dataclass

import highspy
import numpy as np
from scipy import sparse

from acreage.desk.network.problem import Vector
from acreage.solver.highs import Program, Status, new_solver, row_duals


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A solver that holds: maximize fare y subject to usage y <= capacity and 0 <= y <= demand."""

    solver: highspy.Highs
    resources: int
    products: int

    def solve(self, capacity: Vector, demand: Vector) -> tuple[float, Vector]:
        """The best revenue and the dual prices (L,) for `capacity` (L,) units and `demand` (J,) requests."""
        rows, columns = np.arange(self.resources, dtype=np.int32), np.arange(self.products, dtype=np.int32)
        least = np.full(self.resources, -np.inf)
        self.solver.changeRowsBounds(self.resources, rows, least, capacity)  # type: ignore[attr-defined]
        self.solver.changeColsBounds(self.products, columns, np.zeros(self.products), demand)
        self.solver.run()
        status = self.solver.getModelStatus()
        assert status == Status.kOptimal, status
        return -float(self.solver.getInfo().objective_function_value), np.maximum(-row_duals(self.solver), 0.0)


def sale(fare_usd: Vector, usage: Vector) -> Sale:
    """Hand the program to the solver; `usage` (L, J) units."""
    resources, products = usage.shape
    program = Program(
        cost=-fare_usd,
        lower=np.zeros(products),
        upper=np.zeros(products),
        matrix=sparse.csc_matrix(usage),
        row_lower=np.full(resources, -np.inf),
        row_upper=np.zeros(resources),
    )
    return Sale(solver=new_solver(program), resources=resources, products=products)
