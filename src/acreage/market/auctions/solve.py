"""Winner determination as an integer program: its best point and bound."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from acreage.market.auctions.program import Program
from acreage.solver import highs

_TOLERANCE = 1e-9
_OPTIONS = (
    ("mip_rel_gap", 0.0),
    ("mip_abs_gap", 0.0),
    ("mip_feasibility_tolerance", _TOLERANCE),
    ("primal_feasibility_tolerance", _TOLERANCE),
    ("dual_feasibility_tolerance", _TOLERANCE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """The best point in whole numbers, and no point has an objective above `bound`."""

    point: tuple[int, ...]
    bound: float


def maximise(program: Program) -> Solved | None:
    """The best whole point at gap 0; None where no point keeps every row."""
    if not program.columns:
        return Solved(point=(), bound=0.0) if all(row.lower <= 0 <= row.upper for row in program.rows) else None
    solver = highs.new_solver(_minimised(program))
    for name, value in _OPTIONS:
        solver.setOptionValue(name, value)
    solver.run()
    status = solver.getModelStatus()
    if status in highs.INFEASIBLE:
        return None
    assert status == highs.Status.kOptimal, status
    point = tuple(round(value) for value in highs.values(solver))
    return Solved(point=point, bound=-solver.getInfo().mip_dual_bound)


def _minimised(program: Program) -> highs.Program:
    """The program in the solver's words, which minimise; every column is a whole number."""
    count = len(program.columns)
    entries = [(i, j, float(v)) for i, row in enumerate(program.rows) for j, v in row.terms.items()]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return highs.Program(
        cost=-np.array([float(column.gain) for column in program.columns]),
        lower=np.zeros(count),
        upper=np.array([float(column.upper) for column in program.columns]),
        matrix=sparse.csc_matrix((values, (rows, columns)), shape=(len(program.rows), count)),
        row_lower=np.array([float(row.lower) for row in program.rows]),
        row_upper=np.array([float(row.upper) for row in program.rows]),
        is_integer=np.ones(count, dtype=bool),
    )
