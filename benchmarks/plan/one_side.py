"""One side of the benchmark at scale, in a process of its own so that its time and memory are its own.

`python benchmarks/plan/one_side.py SIDE --size S --seed 1 --folder F` prints one line of JSON. The sides: `acreage`
solves and keeps its first stage in the folder; `highs` hands the same problem to HiGHS as one big model; `export`
writes it for mpi-sppy; `check` prices the kept first stage again with plain HiGHS linear programs, future by future.
"""

import argparse
import hashlib
import json
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import highspy
import numpy as np
from instances import SIZES, formulated, instance
from mpisppy_peer import write_problem
from rules import with_all_rules
from slices import costs_of, slice_of

from acreage.plan.engines import ENGINES
from acreage.plan.engines.decomposition import satisfies
from acreage.plan.engines.whole import whole_program
from acreage.plan.problem import Aim, PlanProblem, Vector, objective_of
from acreage.solver.highs import Program, Status, new_solver

CORES = 2
FOLDER = Path(tempfile.gettempdir()) / "acreage-benchmark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One problem and how well it is to be solved; `futures` and `periods` None: those of the size."""

    size: str
    seed: int
    futures: int | None
    periods: int | None
    all_rules: bool
    gap_frac: float
    seconds_max: float
    folder: Path
    checked_max: int

    def problem(self) -> PlanProblem:
        """The problem that every side solves."""
        portfolio = instance(SIZES[self.size], self.seed, futures=self.futures, periods=self.periods)
        return formulated(with_all_rules(portfolio, self.seed) if self.all_rules else portfolio).problem

    @property
    def kept(self) -> Path:
        """Where Acreage's first stage is kept."""
        return self.folder / "first.npz"


def main() -> None:
    """Run one side and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("side", choices=("acreage", "highs", "export", "check"))
    add_case(parser)
    parser.add_argument("--seed", type=int, required=True)
    asked = parser.parse_args()
    case = case_of(asked, asked.seed)
    began = time.perf_counter()
    problem = case.problem()
    found = {"acreage": _acreage, "highs": _highs, "export": _export, "check": _check}[asked.side](case, problem, began)
    print(json.dumps({"digest": _digest(problem), **found}))


def add_case(parser: argparse.ArgumentParser) -> None:
    """The options that say which problem and how well it is solved."""
    parser.add_argument("--size", choices=tuple(SIZES), required=True)
    parser.add_argument("--futures", type=int, help="another number of futures than the size's")
    parser.add_argument("--periods", type=int, help="another number of periods, of the same three years")
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--all-rules", action="store_true", help="gangs, ports, clauses, N-1, CVaR: no mpi-sppy")
    parser.add_argument("--seconds-max", type=float, default=600.0, help="time limit of each peer")
    parser.add_argument("--checked-max", type=int, default=1_000, help="futures to price again, at most")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the problem's file and mpi-sppy's environment")


def case_of(asked: argparse.Namespace, seed: int) -> Case:
    """The case that was asked for, with a seed."""
    return Case(
        size=asked.size,
        seed=seed,
        futures=asked.futures,
        periods=asked.periods,
        all_rules=asked.all_rules,
        gap_frac=asked.gap,
        seconds_max=asked.seconds_max,
        folder=asked.folder,
        checked_max=asked.checked_max,
    )


def _active(problem: PlanProblem) -> list[int]:
    return [int(s) for s in np.flatnonzero((problem.probability > 0) | (problem.anchor_weight > 0))]


def _acreage(case: Case, problem: PlanProblem, began: float) -> dict[str, object]:
    built, used = time.perf_counter(), _cpu_s()
    solution = ENGINES["decomposition"]().solve(problem, Aim(gap_frac=case.gap_frac))
    done = time.perf_counter()
    found = _figures(done - built, built - began, _cpu_s() - used, solution.objective, solution.bound)
    np.savez(case.kept, first=solution.first, costs=costs_of(problem, solution), bound=solution.bound)
    return found


def _highs(case: Case, problem: PlanProblem, began: float) -> dict[str, object]:
    active = _active(problem)
    program, offset = whole_program(problem, active)
    if problem.risk_weight == 0.0:
        program = _without_tail(program, len(active))
    solver = new_solver(program)
    solver.changeObjectiveOffset(offset)
    # All solvers of a process share one scheduler, which starts with the threads of the first one.
    highspy.Highs.resetGlobalScheduler(True)
    solver.setOptionValue("threads", CORES)
    solver.setOptionValue("mip_rel_gap", case.gap_frac)
    solver.setOptionValue("time_limit", case.seconds_max)
    built, used = time.perf_counter(), _cpu_s()
    solver.run()
    info = solver.getInfo()
    seconds = time.perf_counter() - built
    return _figures(seconds, built - began, _cpu_s() - used, info.objective_function_value, info.mip_dual_bound)


def _without_tail(program: Program, futures: int) -> Program:
    """The program without the rows and columns of CVaR, which come last: they are idle where it has no weight."""
    columns, rows = program.matrix.shape[1] - futures - 1, program.matrix.shape[0] - futures
    return Program(
        cost=program.cost[:columns],
        lower=program.lower[:columns],
        upper=program.upper[:columns],
        matrix=program.matrix.tocsr()[:rows].tocsc()[:, :columns],
        row_lower=program.row_lower[:rows],
        row_upper=program.row_upper[:rows],
        is_integer=None if program.is_integer is None else program.is_integer[:columns],
    )


def _cpu_s() -> float:
    """Processor seconds of this process and of those it has ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _figures(seconds: float, build_s: float, cpu_s: float, cost: float, bound: float) -> dict[str, object]:
    usages = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "seconds": seconds,
        "build_s": build_s,
        "cpu_s": cpu_s,
        "cost": cost,
        "bound": bound,
        "peak_gb": sum(usages) / 1e6,
    }


def _export(case: Case, problem: PlanProblem, began: float) -> dict[str, object]:
    write_problem(problem, case.folder / "problem.pickle")
    return {"futures": len(_active(problem))}


def _check(case: Case, problem: PlanProblem, began: float) -> dict[str, object]:
    """The kept first stage priced anew: all futures, or evenly chosen ones where there are too many.

    Gates of gangs are left out, which can only make the new price lower.
    """
    kept = np.load(case.kept)
    first, costs = kept["first"], kept["costs"].copy()
    flags = problem.first.is_integer
    keeps = satisfies(problem.first, first) and bool((np.abs(first - np.round(first))[flags] < 1e-6).all())
    active = _active(problem)
    chosen = active[:: -(-len(active) // case.checked_max)]
    anew = np.array([_priced(problem, first, s) for s in chosen])
    worst = float(np.max(np.abs(anew - costs[chosen]) / np.maximum(np.abs(costs[chosen]), 1.0)))
    # Where not all futures are priced anew, the others are taken to be off by as much on average.
    weights = problem.probability[chosen] / problem.probability[chosen].sum()
    costs += weights @ (anew - costs[chosen]) if len(chosen) < len(active) else 0.0
    costs[chosen] = anew
    cost = objective_of(problem, costs) + float(problem.anchor_weight @ costs)
    return {"keeps_rules": keeps, "checked": len(chosen), "of": len(active), "cost": cost, "worst_frac": worst}


def _priced(problem: PlanProblem, first: Vector, future: int) -> float:
    """What a first stage costs in a future, by HiGHS from scratch."""
    there = slice_of(problem, future)
    brought = there.coupling @ first
    upper = np.maximum(there.upper + there.upper_coupling @ first, 0.0)
    solver = new_solver(
        Program(
            cost=there.cost,
            lower=np.zeros(len(upper)),
            upper=upper,
            matrix=there.matrix,
            row_lower=there.row_lower - brought,
            row_upper=there.row_upper - brought,
        )
    )
    solver.run()
    assert solver.getModelStatus() == Status.kOptimal, solver.modelStatusToString(solver.getModelStatus())
    second = float(solver.getInfo().objective_function_value)
    return float(there.first_cost @ first) + there.constant + second


def _digest(problem: PlanProblem) -> str:
    """A fingerprint of the problem: the sides that print the same one had the same."""
    first = problem.first
    parts = [problem.probability, first.upper, first.matrix.data, first.row_upper]
    for s in (0, len(problem.probability) - 1):
        there = slice_of(problem, s)
        parts += [there.first_cost, there.cost, there.row_upper, there.upper, there.matrix.data, there.coupling.data]
    return hashlib.blake2b(b"".join(np.ascontiguousarray(part).tobytes() for part in parts), digest_size=6).hexdigest()


if __name__ == "__main__":
    main()
