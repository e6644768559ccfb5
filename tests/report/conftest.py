"""One plan of the starter portfolio, made once, for everything that shows plans."""

from datetime import date
from pathlib import Path

import pytest

from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.flow.planning import plan_portfolio, portfolio_at
from acreage.plan.planner import Wishes
from acreage.portfolio.starter import write_starter
from acreage.units.instants import instant


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Portfolio]:
    """The starter portfolio's plan with all explanations, over few futures."""
    folder: Path = tmp_path_factory.mktemp("starter")
    path, _ = write_starter(folder, name="lab", as_of_at=instant(date(2026, 11, 1)), force=False)
    read = portfolio_at(path)
    plan = plan_portfolio(read.portfolio, Wishes(), lambda step: None, futures=4)
    assert isinstance(plan, Plan)
    return plan, read.portfolio
