"""The generator behind the benchmark of planning at scale, and that all sides are given the same problem."""

import importlib
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import TrainingRun
from acreage.plan.engines.decomposition import satisfies
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.problem import Aim
from acreage.solver.highs import Program, new_solver
from benchmarks.plan.instances import SIZES, Size, formulated, instance
from benchmarks.plan.rules import with_all_rules

TINY = Size(offers=6, workloads=4, periods=6, futures=3, chips=2, providers=2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_seed_makes_the_same_instance_over_any_futures_and_periods(seed: int) -> None:
    """More futures or periods ask the same question in finer detail: offers, workloads and leases do not change."""
    given = instance(TINY, seed)
    assert given == instance(TINY, seed)
    finer = instance(TINY, seed, futures=7, periods=12)
    assert (finer.offers, finer.workloads, finer.leases) == (given.offers, given.workloads, given.leases)
    assert (finer.uncertainty.futures, len(finer.periods)) == (7, 12)
    assert finer.periods[-1].until_at == given.periods[-1].until_at
    assert given.offers != instance(TINY, seed + 10).offers


@pytest.mark.parametrize("name", ["S", "M"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_an_instance_has_its_size_and_a_plan_that_signs_nothing(name: str, seed: int) -> None:
    """Every seed has a feasible plan, as share caps hold for what is held, and no gate that only one side would see."""
    size = SIZES[name]
    built = formulated(instance(size, seed, futures=2))
    portfolio, problem = built.portfolio, built.problem
    assert (len(portfolio.offers), len(portfolio.workloads)) == (size.offers, size.workloads)
    assert not built.choices.barred
    assert satisfies(problem.first, problem.first.lower)
    assert len(problem.recourse.gate_column) == 0
    assert problem.risk_weight == 0.0


def test_all_rules_leave_something_to_plan() -> None:
    """With every rule in, gangs and ports are there and an optimum is found."""
    portfolio = with_all_rules(instance(SIZES["S"], 1, futures=2, periods=12), 1)
    assert any(c.gang_min > 1 for w in portfolio.workloads if isinstance(w, TrainingRun) for c in w.capabilities)
    problem = formulated(portfolio).problem
    assert problem.risk_weight > 0.0
    solution = WholeEngine().solve(problem, Aim(gap_frac=0.05))
    assert satisfies(problem.first, solution.first)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("ruled", [False, True])
def test_mpi_sppy_is_given_the_same_problem(
    seed: int, ruled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extensive form of what is written for mpi-sppy has the optimum of the problem; ports make bounds hang."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks" / "plan"))
    peer = importlib.import_module("mpisppy_peer")
    portfolio = instance(TINY, seed)
    problem = formulated(_of_expected_cost(with_all_rules(portfolio, seed)) if ruled else portfolio).problem
    peer.write_problem(problem, tmp_path / "problem")
    written = pickle.loads((tmp_path / "problem").read_bytes())
    there = new_solver(_extensive_form(written))
    there.setOptionValue("mip_rel_gap", 1e-7)
    there.run()
    expected = WholeEngine().solve(problem, Aim(gap_frac=1e-7))
    # Gates cost the engine's objective something, its bound leaves them out as mpi-sppy does.
    assert there.getInfo().objective_function_value == pytest.approx(expected.bound, rel=1e-5)


def _of_expected_cost(portfolio: Portfolio) -> Portfolio:
    policy = portfolio.policy
    return replace(portfolio, policy=replace(policy, risk=replace(policy.risk, weight_frac=0.0)))


def _extensive_form(written: dict) -> Program:  # type: ignore[type-arg]
    first, futures, chance = written["first"], written["futures"], written["probability"]
    own = written["matrix"].shape[1]
    rows = [[first["matrix"], *[None] * len(futures)]]
    lower, upper = [first["row_lower"]], [first["row_upper"]]
    constant = 0.0
    cost = [sum(p * f["first_cost"] for p, f in zip(chance, futures, strict=True))]
    for k, (p, future) in enumerate(zip(chance, futures, strict=True)):
        row: list[object] = [future["coupling"], *[None] * len(futures)]
        row[1 + k] = written["matrix"]
        limit: list[object] = [-future["upper_coupling"], *[None] * len(futures)]
        limit[1 + k] = sparse.identity(own, format="csr")[future["hanging"]]
        rows += [row, limit]
        lower += [future["row_lower"], np.full(len(future["hanging"]), -np.inf)]
        upper += [future["row_upper"], future["hanging_upper"]]
        cost.append(p * future["cost"])
        constant += p * future["constant"]
    tops = [future["upper"] for future in futures]
    # The constant is the cost of a column fixed at 1.
    matrix = sparse.hstack([sparse.bmat(rows), sparse.csc_matrix((sum(map(len, lower)), 1))], format="csc")
    return Program(
        cost=np.concatenate([*cost, [constant]]),
        lower=np.concatenate([first["lower"], np.zeros(own * len(futures)), [1.0]]),
        upper=np.concatenate([first["upper"], *tops, [1.0]]),
        matrix=matrix,
        row_lower=np.concatenate(lower),
        row_upper=np.concatenate(upper),
        is_integer=np.concatenate([first["is_integer"], np.zeros(own * len(futures) + 1, dtype=bool)]),
    )
