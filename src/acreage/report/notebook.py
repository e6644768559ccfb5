"""A plan in a notebook: its page as the cell's output, its charts and tables by name."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.report.charts.all import charts_of
from acreage.report.renderers.terminal import plan_screen
from acreage.report.tables import tables_of


@dataclass(frozen=True, slots=True)
class PlanView:
    """Shows a plan: `view.charts["supply"]` is an Altair chart, `view.tables["offers"]` a polars frame."""

    plan: Plan
    portfolio: Portfolio

    @property
    def charts(self) -> dict[str, Any]:
        """Altair charts by name."""
        return {figure.id: figure.chart for figure in charts_of(self.plan, self.portfolio)}

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Polars frames by name, those of `acreage plan --format` among them."""
        return tables_of(self.plan, self.portfolio)

    def __repr__(self) -> str:
        return plan_screen(self.plan, self.portfolio, ())
