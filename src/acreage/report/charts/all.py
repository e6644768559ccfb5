"""The charts of a plan, in the order in which a reader asks."""

from collections.abc import Iterator

from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.report.charts import money, supply
from acreage.report.charts.drawing import Figure
from acreage.report.thinning import WHOLE_FUTURES_MAX


def charts_of(plan: Plan, portfolio: Portfolio) -> Iterator[Figure]:
    """Every chart that the plan has something to show in."""
    yield supply.supply_and_need(plan, portfolio)
    yield money.offer_prices(plan, portfolio)
    if len(plan.futures) <= WHOLE_FUTURES_MAX:
        # Of more, single dots say less than the fan does.
        yield money.outcomes(plan)
    losses = money.losses(plan)
    if losses is not None:
        yield losses
    yield money.cash(plan, portfolio)
    drawn = money.drawdown(plan)
    if drawn is not None:
        yield drawn
    if plan.best.frames["dispatch"].height:
        yield supply.placement(plan, portfolio)
    yield supply.marginal_value(plan, portfolio)
