"""The solver's dialect: building HiGHS models from arrays and reading answers back."""

import ctypes
import os
from dataclasses import dataclass
from functools import cache

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Vector = NDArray[np.float64]

Status = highspy.HighsModelStatus
STOPPED = (Status.kSolutionLimit, Status.kIterationLimit, Status.kTimeLimit)
FEASIBLE = 2
"""HiGHS's kSolutionStatusFeasible."""
INFEASIBLE = (Status.kInfeasible, Status.kUnboundedOrInfeasible)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """minimize cost x, lower <= x <= upper, row_lower <= matrix x <= row_upper, some x integer."""

    cost: Vector
    lower: Vector
    upper: Vector
    matrix: sparse.csc_matrix
    row_lower: Vector
    row_upper: Vector
    is_integer: NDArray[np.bool_] | None = None


@cache
def _hush() -> None:
    """Let HiGHS print its banner, once a process, where it does no harm: output on stdout must stay parseable."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        # All solvers of a process share one scheduler; whoever used HiGHS before may have started it with more threads.
        highspy.Highs.resetGlobalScheduler(True)
        highspy.Highs()  # type: ignore[no-untyped-call]
        if os.name == "posix":
            # The banner sits in C's buffer when stdout is a pipe.
            ctypes.CDLL(None).fflush(None)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def new_solver(program: Program, *, presolve: bool = True) -> highspy.Highs:
    """A quiet solver of one thread that holds the program: futures and questions are what runs side by side."""
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = program.matrix.shape
    model.col_cost_ = program.cost
    model.col_lower_ = program.lower
    model.col_upper_ = program.upper
    model.row_lower_ = program.row_lower
    model.row_upper_ = program.row_upper
    matrix = program.matrix.sorted_indices()
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    if program.is_integer is not None and program.is_integer.any():
        model.integrality_ = [
            highspy.HighsVarType.kInteger if flag else highspy.HighsVarType.kContinuous for flag in program.is_integer
        ]
    _hush()
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 0)
    if not presolve:
        solver.setOptionValue("presolve", "off")
    solver.passModel(model)
    return solver


def version() -> str:
    """The solver's name and version, for audit trails."""
    _hush()
    return f"HiGHS {highspy.Highs().version()}"  # type: ignore[no-untyped-call]


def values(solver: highspy.Highs) -> Vector:
    """The primal values of the last solve."""
    return np.array(solver.getSolution().col_value)


def row_duals(solver: highspy.Highs) -> Vector:
    """The row duals of the last solve."""
    return np.array(solver.getSolution().row_dual)
