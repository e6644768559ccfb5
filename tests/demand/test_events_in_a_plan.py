"""What events do to suppliers is seen alike by the planner and by the auditor, who derives it anew."""

from dataclasses import replace
from pathlib import Path

from acreage.demand.futures import sample_futures
from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.domain.surprises import EventKind, Regime, SupplierEvent, TailSampling
from acreage.flow.planning import audited, plan_portfolio, portfolio_at
from acreage.plan.out_of_sample.mean_future import mean_future
from acreage.plan.planner import Wishes

STARTUP = Path(__file__).parents[2] / "examples" / "startup" / "portfolio.yaml"


def eventful() -> Portfolio:
    """The startup where a pool of each provider may burn, the first lessor default and scarcity set in."""
    plain = portfolio_at(STARTUP).portfolio
    first = {pool.provider: pool.id for pool in reversed(plain.pools.values())}
    group = tuple(pool.id for pool in plain.pools.values() if pool.provider == next(iter(plain.providers)))
    fire = SupplierEvent(
        name="fire",
        kind=EventKind.SITE_FAILURE,
        pools=tuple(first.values()),
        probability_frac_per_year=0.9,
        lost_frac=0.7,
        lost_days=40,
    )
    default = SupplierEvent(
        name="default",
        kind=EventKind.DEFAULT,
        pools=group,
        probability_frac_per_year=0.6,
        lost_frac=1.0,
        lost_days=100,
        late_days=None,
    )
    shortage = Regime(name="shortage", entries_per_year=2.0, mean_days=120, market_limit_factor=0.2, late_days=30)
    uncertainty = replace(
        plain.uncertainty,
        events=(fire, default),
        regimes=(shortage,),
        tail=TailSampling(share_of_futures_frac=0.3, shift_sd=1.5),
        futures=4,
    )
    return replace(plain, uncertainty=uncertainty)


def test_a_plan_over_events_has_no_finding() -> None:
    """Capacity, fees, markets and probabilities: the auditor agrees to the last figure."""
    portfolio = eventful()
    futures = sample_futures(portfolio)
    assert any(outage.pool for future in futures for outage in future.outages), "a pool fails alone"
    assert len({future.probability for future in futures}) > 4, "probabilities differ"
    plan = plan_portfolio(portfolio, Wishes(explain=False, gap_frac=0.01), lambda step: None)
    assert isinstance(plan, Plan)
    assert audited(plan, portfolio) == ()


def test_the_mean_future_loses_of_each_pool_what_it_loses_on_average() -> None:
    """A pool's own outages stay its own."""
    portfolio = eventful()
    futures = sample_futures(portfolio)
    mean = mean_future(futures, portfolio)
    begin, end = portfolio.periods[0].from_at, portfolio.periods[-1].until_at
    for outage in mean.outages:
        lost = sum(
            future.probability * one.lost_frac * (min(one.until_at, end) - max(one.from_at, begin)) / (end - begin)
            for future in futures
            for one in future.outages
            if (one.provider, one.pool) == (outage.provider, outage.pool) and one.from_at < end
        )
        assert abs(outage.lost_frac - min(1.0, lost)) < 1e-12
