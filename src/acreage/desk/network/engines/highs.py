"""The linear program of a network in HiGHS, kept warm: only its right-hand sides change between solves."""

import ctypes
import os
from dataclasses import dataclass
from functools import cache

import highspy
import numpy as np
from scipy import sparse

from acreage.desk.network.problem import Vector


@cache
def hush() -> None:
    """Let HiGHS print its banner, once a process, where it does no harm: output on stdout must stay parseable."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()  # type: ignore[no-untyped-call]
        if os.name == "posix":
            # The banner sits in C's buffer when stdout is a pipe.
            ctypes.CDLL(None).fflush(None)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A solver that holds: maximize fare y subject to usage y <= capacity and 0 <= y <= demand."""

    solver: highspy.Highs
    resources: int
    products: int

    def solve(self, capacity: Vector, demand: Vector) -> tuple[float, Vector]:
        """The best revenue and the dual prices (L,) for `capacity` (L,) units and `demand` (J,) requests."""
        rows, columns = np.arange(self.resources, dtype=np.int32), np.arange(self.products, dtype=np.int32)
        least = np.full(self.resources, -highspy.kHighsInf)
        self.solver.changeRowsBounds(self.resources, rows, least, capacity)  # type: ignore[attr-defined]
        self.solver.changeColsBounds(self.products, columns, np.zeros(self.products), demand)
        self.solver.run()
        status = self.solver.getModelStatus()
        assert status == highspy.HighsModelStatus.kOptimal, status
        duals = -np.asarray(self.solver.getSolution().row_dual)
        return -float(self.solver.getInfo().objective_function_value), np.maximum(duals, 0.0)


def sale(fare_usd: Vector, usage: Vector) -> Sale:
    """Hand the program to a quiet solver of one thread; `usage` (L, J) units."""
    resources, products = usage.shape
    matrix = sparse.csc_matrix(usage)
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = resources, products
    model.col_cost_ = -fare_usd
    model.col_lower_ = np.zeros(products)
    model.col_upper_ = np.zeros(products)
    model.row_lower_ = np.full(resources, -highspy.kHighsInf)
    model.row_upper_ = np.zeros(resources)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    hush()
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 0)
    solver.passModel(model)
    return Sale(solver=solver, resources=resources, products=products)
