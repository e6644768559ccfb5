"""Solvers behind one seam: `PlanProblem` in, `Solution` out. The only home of the solver library.

`decomposition` solves by futures and keeps its cuts for the next, similar problem; `whole` hands the
problem to HiGHS in one piece and is the reference.
"""

from acreage.plan.engines.decomposition import DecompositionEngine
from acreage.plan.engines.whole import WholeEngine

ENGINES: dict[str, type[DecompositionEngine] | type[WholeEngine]] = {
    "decomposition": DecompositionEngine,
    "whole": WholeEngine,
}
"""Engines by the name users give them."""
