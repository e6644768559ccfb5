"""The two engines agree, repeat themselves exactly and never claim a bound above what they found."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from acreage.plan.engines.decomposition import DecompositionEngine, satisfies
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.formulate.formulate import Formulation, formulate
from acreage.plan.problem import Aim, Infeasible, Progress, conditional_value_at_risk
from tests.plan.tiny import tiny

FINE = Aim(gap_frac=1e-6)
ROOT = Path(__file__).parents[2]


def formulation_of(seed: int) -> Formulation:
    """The formulation of a tiny portfolio."""
    case = tiny(seed)
    return formulate(case.portfolio, case.futures, case.demand)


@pytest.mark.parametrize("start", range(0, 90, 15))
def test_the_engines_agree(start: int) -> None:
    """Both find the same best cost within their gaps, at points that keep every row; or both find none."""
    for seed in range(start, start + 15):
        problem = formulation_of(seed).problem
        try:
            whole = WholeEngine().solve(problem, FINE)
        except Infeasible:
            with pytest.raises(Infeasible):
                DecompositionEngine().solve(problem, FINE)
            continue
        parts = DecompositionEngine().solve(problem, FINE)
        assert parts.objective == pytest.approx(whole.objective, rel=3e-6, abs=3e-6), f"seed {seed}"
        for solution in (whole, parts):
            assert solution.bound <= solution.objective + 1e-9 * (1 + abs(solution.objective)), f"seed {seed}"
            assert satisfies(problem.first, solution.first)


@pytest.mark.parametrize("engine", [WholeEngine, DecompositionEngine])
def test_the_same_problem_gives_the_same_plan(engine: type[WholeEngine] | type[DecompositionEngine]) -> None:
    """Two fresh engines make the same decisions to the last bit."""
    for seed in (3, 9, 17):
        problem = formulation_of(seed).problem
        one, two = (engine().solve(problem, FINE) for _ in range(2))
        assert np.array_equal(one.first, two.first)
        assert one.objective == two.objective
        assert np.array_equal(one.second, two.second)


def test_the_bound_never_exceeds_any_objective_on_the_way() -> None:
    """Every bound that is told on the way is valid for the best plan."""
    for seed in range(20):
        problem = formulation_of(seed).problem
        told: list[Progress] = []
        try:
            best = DecompositionEngine().solve(problem, FINE, told.append)
        except Infeasible:
            continue
        assert told
        assert all(news.bound <= best.objective + 1e-9 * (1 + abs(best.objective)) for news in told)


def test_a_warm_engine_finds_what_a_cold_one_does() -> None:
    """Cuts kept from other problems of the same shape change no answer."""
    warm = DecompositionEngine()
    for seed in (4, 12, 22, 29):
        problem = formulation_of(seed).problem
        try:
            cold = DecompositionEngine().solve(problem, FINE)
        except Infeasible:
            continue
        for _ in range(2):
            assert warm.solve(problem, FINE).objective == pytest.approx(cold.objective, rel=3e-6, abs=3e-6)


def test_tail_risk_is_the_minimum_of_rockafellar_and_uryasev() -> None:
    """CVaR of a discrete cost is min over a of a + E[max(0, cost - a)] / (1 - tail), attained at an atom."""
    rng = np.random.default_rng(7)
    for _ in range(50):
        costs = rng.normal(10.0, 4.0, 6)
        probability = rng.dirichlet(np.ones(6))
        tail = float(rng.choice([0.0, 0.5, 0.9, 0.99]))
        values = [a + probability @ np.maximum(0.0, costs - a) / (1 - tail) for a in costs]
        assert conditional_value_at_risk(costs, probability, tail) == pytest.approx(min(values))


def test_tail_risk_of_a_known_distribution() -> None:
    """Costs 1 to 10, equally likely: the worst fifth are 9 and 10, the worst quarter adds half of 8."""
    costs, probability = np.arange(1.0, 11.0), np.full(10, 0.1)
    assert conditional_value_at_risk(costs, probability, 0.8) == pytest.approx(9.5)
    assert conditional_value_at_risk(costs, probability, 0.75) == pytest.approx((10 + 9 + 8 / 2) / 2.5)
    assert conditional_value_at_risk(costs, probability, 0.0) == pytest.approx(5.5)


def test_engines_share_a_process_with_other_users_of_highs() -> None:
    """HiGHS has one scheduler a process: whatever number of threads others asked for, plans are solved."""
    code = """
import highspy, numpy as np
other = highspy.Highs()
other.setOptionValue("output_flag", False)
other.setOptionValue("threads", 2)
other.addVars(3, np.zeros(3), np.full(3, 5.0))
other.changeColsIntegrality(3, np.arange(3, dtype=np.int32), np.array([highspy.HighsVarType.kInteger] * 3))
other.addRow(1.5, 9.5, 3, np.arange(3, dtype=np.int32), np.array([1.0, 2.0, 3.0]))
other.run()
from dataclasses import replace
from pathlib import Path
from acreage.demand.futures import sample_futures
from acreage.flow.planning import base_demands, portfolio_at
from acreage.plan.engines.decomposition import DecompositionEngine
from acreage.plan.session import Session
there = portfolio_at(Path("examples/enterprise/portfolio.yaml")).portfolio
there = replace(there, uncertainty=replace(there.uncertainty, futures=2))
demand, futures = base_demands(there), sample_futures(there)
Session(portfolio=there, futures=futures, demand=demand, engine=DecompositionEngine(), gap_frac=0.05).solve()
"""
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
