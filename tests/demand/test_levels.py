"""Mean demand a period is the exact mean of the curve that the points draw."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from acreage.demand.levels import SECONDS_PER_YEAR, base_demand
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import DemandPoint, ResearchShare, ServingFleet
from acreage.units.instants import instant

Make = Callable[..., Portfolio]


def _fleet(portfolio: Portfolio) -> ServingFleet:
    return next(w for w in portfolio.workloads if isinstance(w, ServingFleet))


def test_growth_is_integrated_exactly(make_portfolio: Make) -> None:
    """Closed form: the mean of 1000 x 3^t over a month."""
    portfolio = make_portfolio()
    first = base_demand(_fleet(portfolio), portfolio.periods)[0]
    year = 31 * 86_400 / SECONDS_PER_YEAR
    assert first == pytest.approx(1000 * (3**year - 1) / (math.log(3) * year), rel=1e-12)


def test_a_year_of_growth_multiplies_by_the_factor(make_portfolio: Make) -> None:
    """January of the second year is three times January of the first."""
    portfolio = make_portfolio()
    demand = base_demand(_fleet(portfolio), portfolio.periods)
    assert demand[12] / demand[0] == pytest.approx(3.0, rel=1e-12)


def test_a_new_point_replaces_the_curve(make_portfolio: Make) -> None:
    """500 from mid-February (day 15 of 28) on, flat: February is the mean of its halves."""
    portfolio = make_portfolio()
    points = (
        DemandPoint(from_at=instant("2027-02-15"), rate=500.0),
        DemandPoint(from_at=instant("2027-01-01"), rate=100.0),
    )
    flat = replace(_fleet(portfolio), demand=points, growth_per_year=1.0, until_at=instant("2027-04-16"))
    demand = base_demand(flat, portfolio.periods)
    assert demand[:5] == pytest.approx([100.0, 300.0, 500.0, 250.0, 0.0], rel=1e-12)


def test_research_counts_only_while_it_runs(make_portfolio: Make) -> None:
    """From March to December."""
    portfolio = make_portfolio()
    lab = next(w for w in portfolio.workloads if isinstance(w, ResearchShare))
    expected = np.zeros(24)
    expected[2:12] = 100.0
    assert base_demand(lab, portfolio.periods) == pytest.approx(expected, rel=1e-12)
