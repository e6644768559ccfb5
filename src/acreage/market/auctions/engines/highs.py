"""The solver of winner determination: an integer program in, its best point and bound out, by HiGHS."""

import ctypes
import os
from dataclasses import dataclass
from functools import cache

import highspy
import numpy as np
from scipy import sparse

from acreage.market.auctions.program import Program

_TOLERANCE = 1e-7
"""Of rows, reduced costs and whole numbers; what is found is reckoned again exactly, so tighter only costs time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """The best point in whole numbers, and no point has an objective above `bound`."""

    point: tuple[int, ...]
    bound: float


@cache
def _hush() -> None:
    """Let HiGHS print its banner, once a process, where it does no harm: output on stdout must stay parseable."""
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
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


def version() -> str:
    """The solver's name and version, for the audit trail."""
    _hush()
    return f"HiGHS {highspy.Highs().version()}"  # type: ignore[no-untyped-call]


def maximise(program: Program) -> Solved | None:
    """The best whole point at gap 0; None where no point keeps every row."""
    if not program.columns:
        return Solved(point=(), bound=0.0) if all(row.lower <= 0 <= row.upper for row in program.rows) else None
    _hush()
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.0),
        ("mip_feasibility_tolerance", _TOLERANCE),
        ("primal_feasibility_tolerance", _TOLERANCE),
        ("dual_feasibility_tolerance", _TOLERANCE),
    ):
        solver.setOptionValue(name, value)
    solver.passModel(_model(program))
    solver.run()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None
    assert status == highspy.HighsModelStatus.kOptimal, status
    point = tuple(round(value) for value in solver.getSolution().col_value)
    return Solved(point=point, bound=-solver.getInfo().mip_dual_bound)


def _model(program: Program) -> highspy.HighsLp:
    """The program in HiGHS's words, which minimise; every column is a whole number."""
    count = len(program.columns)
    entries = [(i, j, float(v)) for i, row in enumerate(program.rows) for j, v in row.terms.items()]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    matrix = sparse.csc_matrix((values, (rows, columns)), shape=(len(program.rows), count)).sorted_indices()
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_ = -np.array([float(column.gain) for column in program.columns])
    model.col_lower_ = np.zeros(count)
    model.col_upper_ = np.array([float(column.upper) for column in program.columns])
    model.row_lower_ = np.array([float(row.lower) for row in program.rows])
    model.row_upper_ = np.array([float(row.upper) for row in program.rows])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    model.integrality_ = [highspy.HighsVarType.kInteger] * count
    return model
