"""Every cut lies under the true cost of the second stage, whatever duals it was drawn from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from acreage.plan.engines.cuts import CutPool
from acreage.plan.engines.responses import Responder
from acreage.plan.formulate.formulate import formulate
from acreage.plan.problem import FirstStage, PlanProblem, Vector
from tests.plan.tiny import RULES, tiny


def problem_of(seed: int) -> PlanProblem:
    """The problem of a tiny portfolio."""
    case = tiny(seed)
    return formulate(case.portfolio, case.futures, case.demand).problem


def anywhere(first: FirstStage, rng: np.random.Generator) -> Vector:
    """A point that keeps every row: an integer corner, or between two corners; nothing signed where there is none."""
    integer = rng.random() < 0.5
    rows = LinearConstraint(first.matrix, first.row_lower, first.row_upper)
    corners = []
    for _ in range(2):
        found = milp(
            rng.normal(size=len(first.lower)),
            integrality=first.is_integer & integer,
            bounds=Bounds(first.lower, first.upper),
            constraints=rows,
        )
        corners.append(first.lower if found.x is None else found.x)
    share = 0.0 if integer else rng.random()
    point = np.clip(corners[0] + share * (corners[1] - corners[0]), first.lower, first.upper)
    return np.round(point) if integer else point


@pytest.mark.parametrize("start", range(0, len(RULES), 8))
def test_cuts_of_the_second_stage_are_below_it_and_meet_it_where_they_were_drawn(start: int) -> None:
    """A cut is the cost itself at its own point and at most the cost at any other."""
    for seed in range(start, min(start + 8, len(RULES))):
        problem, rng = problem_of(seed), np.random.default_rng(seed)
        responder = Responder(problem.recourse)
        futures = range(len(problem.probability))
        points = [anywhere(problem.first, rng) for _ in range(6)]
        answers = [responder.respond(point, futures) for point in points]
        for i, s in ((i, s) for i in range(3) for s in futures):
            line = CutPool().add(problem.recourse, s, answers[i][s].row_dual)
            there = float(line.constant[0] + line.slope[0] @ points[i])
            assert there == pytest.approx(answers[i][s].cost, rel=1e-6, abs=1e-6)
            for point, found in zip(points, answers, strict=True):
                value = float(line.constant[0] + line.slope[0] @ point)
                assert value <= found[s].cost + 1e-6 * (1 + abs(found[s].cost)), f"seed {seed}"


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 200), draw=st.integers(0, 2**32 - 1))
def test_cuts_from_any_duals_at_all_are_valid(seed: int, draw: int) -> None:
    """Duals need not come from a solve: random ones draw valid, if weak, lines."""
    problem, rng = problem_of(seed), np.random.default_rng(draw)
    rows = problem.recourse.matrix.shape[0]
    duals = rng.normal(0.0, 1.0, rows) * (rng.random(rows) < 0.3)
    point = anywhere(problem.first, rng)
    futures = range(len(problem.probability))
    for s, answer in zip(futures, Responder(problem.recourse).respond(point, futures), strict=True):
        line = CutPool().add(problem.recourse, s, duals)
        assert float(line.constant[0] + line.slope[0] @ point) <= answer.cost + 1e-6 * (1 + abs(answer.cost))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 200), draw=st.integers(0, 2**32 - 1))
def test_closing_gates_never_makes_an_answer_cheaper(seed: int, draw: int) -> None:
    """The bound leaves gates out: what it bounds is at most the cost with gates closed."""
    problem, rng = problem_of(seed), np.random.default_rng(draw)
    point = anywhere(problem.first, rng)
    futures = range(len(problem.probability))
    responder = Responder(problem.recourse)
    for open_one, closed in zip(
        responder.respond(point, futures), responder.respond(point, futures, gated=True), strict=True
    ):
        assert open_one.cost <= closed.cost + 1e-7 * (1 + abs(closed.cost))
