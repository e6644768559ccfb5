"""Futures from a later day on: what was seen holds in each, what is owed is late by more than was waited."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from acreage.demand.conditional import futures_knowing, overdue_days
from acreage.demand.futures import sample_futures
from acreage.demand.laws import delay_days
from acreage.domain.backtest import Seen
from acreage.domain.future import Outage
from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import DelayModel
from acreage.units.ids import PoolId, ProviderId
from acreage.units.instants import Instant, add_days

Make = Callable[..., Portfolio]
LAWS = (
    DelayModel(on_time_frac=0.3, median_days=30.0, p90_days=90.0),
    DelayModel(on_time_frac=0.0, median_days=5.0, p90_days=200.0),
)
NOTHING = Seen(delay_days={}, waited_days={}, outages=(), recalled_at={}, price_level={}, limit_level={})


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("waited_days", [0, 12, 80])
def test_what_is_owed_follows_its_law_given_the_wait(law: DelayModel, waited_days: int) -> None:
    """Quantiles are those of all delays of the law that are longer than the wait (200,000 draws, to 3 %)."""
    ranks = (np.arange(4_000) + 0.5) / 4_000
    found = overdue_days(law, waited_days, ranks)
    drawn = delay_days(law, np.random.default_rng(5).standard_normal(200_000))
    longer = drawn[drawn > waited_days]
    assert found.min() > waited_days
    for share in (0.1, 0.5, 0.9):
        assert np.isclose(np.quantile(found, share), np.quantile(longer, share), rtol=0.06, atol=1.0)


@pytest.mark.parametrize(
    "law",
    [
        DelayModel(on_time_frac=1.0, median_days=0.0, p90_days=0.0),
        DelayModel(on_time_frac=0.5, median_days=10.0, p90_days=10.0),
    ],
)
def test_a_law_that_did_not_foresee_it_says_tomorrow(law: DelayModel) -> None:
    """Later than a law allows, a delivery is expected a day after today."""
    assert set(overdue_days(law, 40, [0.1, 0.5, 0.9])) == {41.0}


def test_what_was_seen_holds_in_every_future(make_portfolio: Make) -> None:
    """Levels multiply every path and the base, deliveries, outages and notices are facts in all of them."""
    portfolio = make_portfolio()
    pool = PoolId(next(iter(portfolio.pools)))
    past = Outage(
        provider=ProviderId(next(iter(portfolio.providers))),
        from_at=add_days(portfolio.as_of_at, -9),
        until_at=add_days(portfolio.as_of_at, 3),
        lost_frac=1.0,
    )
    seen = replace(
        NOTHING,
        delay_days={("made", 0): 17},
        outages=(past,),
        recalled_at={"made": Instant(5)},
        price_level={pool: 2.0},
        limit_level={pool: 0.5},
    )
    before, after = sample_futures(portfolio), futures_knowing(portfolio, seen)
    ones = np.ones(len(portfolio.periods))
    for plain, known in zip(before, after, strict=True):
        assert known.probability == plain.probability
        assert np.allclose(known.price_factor[pool], 2.0 * plain.price_factor.get(pool, ones))
        assert np.allclose(known.limit_factor[pool], 0.5 * plain.limit_factor.get(pool, ones))
        assert known.delay_days["made", 0] == 17
        assert known.recalled_at["made"] == 5
        assert known.outages == (past, *plain.outages)
        assert all(np.array_equal(known.demand_factor[w], plain.demand_factor[w]) for w in plain.demand_factor)


def test_nothing_seen_changes_nothing(make_portfolio: Make) -> None:
    """On the first planning day the futures are those of any plan."""
    portfolio = make_portfolio()
    for plain, known in zip(sample_futures(portfolio), futures_knowing(portfolio, NOTHING), strict=True):
        assert known.name == plain.name
        assert known.delay_days == plain.delay_days
        assert all(np.array_equal(known.price_factor[p], plain.price_factor[p]) for p in plain.price_factor)
