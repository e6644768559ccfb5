"""Sampled futures keep their moments, hang together and stay put."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from acreage.demand.futures import fresh_futures, sample_again, sample_futures
from acreage.domain.future import Future
from acreage.domain.lease import Offer
from acreage.domain.portfolio import Portfolio
from acreage.units.ids import PoolId, WorkloadId
from acreage.units.instants import Instant, add_months, instant

Make = Callable[..., Portfolio]


def sampled(portfolio: Portfolio) -> tuple[Future, ...]:
    return tuple(f for f in sample_futures(portfolio) if f.name.startswith("future-"))


def demand(futures: tuple[Future, ...], name: str) -> np.ndarray:
    return np.array([f.demand_factor[WorkloadId(name)] for f in futures])


def test_base_comes_first_then_sampled_then_stresses(make_portfolio: Make) -> None:
    """Probabilities sum to 1; the base has none and no surprise in it."""
    futures = sample_futures(make_portfolio())
    assert [futures[0].name, futures[1].name, futures[-1].name] == [
        "base",
        "future-01",
        "demand doubles and neocloud falls",
    ]
    assert futures[0].probability == 0.0
    surprises = [futures[0].demand_factor, futures[0].delay_days, futures[0].outages]
    assert not any(surprises)
    assert sum(f.probability for f in futures) == pytest.approx(1.0, abs=1e-12)
    assert futures[1].probability == pytest.approx(0.95 / 400)


def test_without_sampled_futures_the_base_carries_the_probability(make_portfolio: Make) -> None:
    """Planning on the mean future is a portfolio with no sampled ones."""
    portfolio = make_portfolio()
    futures = sample_futures(replace(portfolio, uncertainty=replace(portfolio.uncertainty, futures=0)))
    assert [f.probability for f in futures] == pytest.approx([0.95, 0.05])


def test_factors_have_mean_one_and_the_stated_spread(make_portfolio: Make) -> None:
    """Demand, prices, limits and work: no drift is smuggled in."""
    futures = sampled(make_portfolio())
    chat = demand(futures, "chat")
    assert chat.mean(axis=0) == pytest.approx(np.ones(24), abs=0.06)
    years = 11.5 / 12
    assert np.log(chat[:, 11]).std() == pytest.approx(np.sqrt(np.log1p(0.16) * years), rel=0.1)
    prices = np.array([f.price_factor[PoolId("new-pool")] for f in futures])
    limits = np.array([f.limit_factor[PoolId("new-pool")] for f in futures])
    assert prices.mean(axis=0) == pytest.approx(np.ones(24), abs=0.04)
    assert limits.mean(axis=0) == pytest.approx(np.ones(24), abs=0.04)
    assert limits[:, 23].std() == pytest.approx(0.4, rel=0.2)
    work = np.array([f.work_factor[WorkloadId("run")] for f in futures])
    assert (work.mean(), work.std()) == pytest.approx((1.0, 0.3), rel=0.05)


def test_bad_news_comes_together(make_portfolio: Make) -> None:
    """When demand is high, prices are high, limits thin, deliveries late; families hang closer together."""
    futures = sampled(make_portfolio())
    chat, code, video = (demand(futures, name)[:, 11] for name in ("chat", "code", "video"))
    price = np.array([f.price_factor[PoolId("new-pool")][11] for f in futures])
    limit = np.array([f.limit_factor[PoolId("new-pool")][11] for f in futures])
    late = np.array([f.delay_days["recallable", 1] for f in futures])
    log_correlation = [np.corrcoef(np.log(chat), np.log(x))[0, 1] for x in (code, video, price, limit)]
    assert log_correlation == pytest.approx([0.75, 0.5, 0.5, -0.5], abs=0.12)
    assert np.corrcoef(np.log(chat), late)[0, 1] > 0.2


def test_same_seed_same_futures(make_portfolio: Make) -> None:
    """And another seed gives others."""
    portfolio = make_portfolio()
    one, same = sample_futures(portfolio), sample_futures(portfolio)
    assert [f.delay_days for f in one] == [f.delay_days for f in same]
    assert [f.outages for f in one] == [f.outages for f in same]
    assert (demand(one[1:], "chat") == demand(same[1:], "chat")).all()
    other = sample_futures(replace(portfolio, uncertainty=replace(portfolio.uncertainty, seed=8)))
    assert not (demand(one[1:-1], "chat") == demand(other[1:-1], "chat")).any()


def test_an_added_offer_changes_no_other_draw(make_portfolio: Make, make_offer: Callable[..., Offer]) -> None:
    """Common random numbers: two plans differ by their offers alone."""
    before = make_portfolio()
    after = replace(before, offers=(make_offer("another", "old-cloud", "old-pool"), *before.offers))
    for old, new in zip(sample_futures(before), sample_futures(after), strict=True):
        assert {key: new.delay_days[key] for key in old.delay_days} == old.delay_days
        assert (old.outages, old.recalled_at, old.work_factor) == (
            new.outages,
            new.recalled_at,
            new.work_factor,
        )
        assert all((new.demand_factor[w] == path).all() for w, path in old.demand_factor.items())


def test_only_deliveries_to_come_can_slip(make_portfolio: Make) -> None:
    """Neither what has been delivered nor what is handed back."""
    keys = set(sampled(make_portfolio())[0].delay_days)
    assert keys == {("held", 1), ("recallable", 0), ("recallable", 1)}


def test_outages_are_dated_within_the_horizon(make_portfolio: Make) -> None:
    """Half a failure a year over two years for each of two providers."""
    portfolio = make_portfolio()
    futures = sampled(portfolio)
    found = [o for f in futures for o in f.outages]
    assert len(found) / len(futures) == pytest.approx(2.0, abs=0.2)
    assert all(portfolio.as_of_at <= o.from_at < portfolio.periods[-1].until_at for o in found)
    assert {(o.until_at - o.from_at) / 86_400 for o in found} == {20.0}


def test_recalls_begin_with_the_right_and_come_sooner_when_tight(make_portfolio: Make) -> None:
    """From July 1 (three months after the first start) on; the share recalled follows the hazard."""
    futures = sampled(make_portfolio())
    recalled = [f.recalled_at["recallable"] for f in futures if f.recalled_at]
    assert min(recalled) >= instant("2027-07-01")
    assert len(recalled) / len(futures) == pytest.approx(1 - np.exp(-0.7 * 1.5), abs=0.08)
    tight = [f.demand_factor[WorkloadId("chat")][12] for f in futures if f.recalled_at]
    slack = [f.demand_factor[WorkloadId("chat")][12] for f in futures if not f.recalled_at]
    assert np.mean(tight) > np.mean(slack)


def test_a_stress_is_what_it_says_and_nothing_else(make_portfolio: Make) -> None:
    """Twice the demand, 90 days late, one provider lost from July on."""
    portfolio = make_portfolio()
    stress = sample_futures(portfolio)[-1]
    assert set(stress.demand_factor) == {"chat", "code", "video", "lab"}
    assert all((path == 2.0).all() for path in stress.demand_factor.values())
    assert stress.delay_days == {("held", 1): 90}
    assert [(o.provider, o.from_at, o.until_at, o.lost_frac) for o in stress.outages] == [
        ("neocloud", instant("2027-07-01"), Instant(add_months(portfolio.as_of_at, 24)), 1.0)
    ]
    assert all((path == 1.5).all() for path in stress.price_factor.values())
    assert all((path == 0.5).all() for path in stress.limit_factor.values())
    assert not stress.recalled_at


def test_fresh_futures_are_new_whatever_the_seed(make_portfolio: Make) -> None:
    """They share no draw with those that plans are made on, not even at the same seed; their own seed repeats them."""
    portfolio = make_portfolio()
    seed = portfolio.uncertainty.seed
    seen = demand(sampled(portfolio), "chat").ravel()
    once, again, other = (
        fresh_futures(portfolio, futures=400, seed=s, source="evaluation/") for s in (seed, seed, seed + 1)
    )
    mine = demand(once[1:401], "chat")
    assert np.array_equal(mine, demand(again[1:401], "chat"))
    assert not np.isin(mine.ravel(), seen).any()
    assert not np.isin(mine, demand(other[1:401], "chat")).any()
    assert sum(f.probability for f in once) == pytest.approx(1.0, abs=1e-12)
    assert [f.name for f in once[401:]] == [s.name for s in portfolio.stresses]


def test_fresh_futures_are_independent_and_samples_again_are_stratified(make_portfolio: Make) -> None:
    """Means of independent draws scatter as 1/sqrt(n); those of stratified ones, as plans use, hardly at all."""
    portfolio = make_portfolio()
    small = replace(portfolio, uncertainty=replace(portfolio.uncertainty, futures=50))
    fresh, again = [], []
    for seed in range(60):
        drawn = fresh_futures(small, futures=50, seed=seed, source="evaluation/")[1:51]
        fresh.append(np.log(demand(drawn, "chat")[:, -1]).mean())
        again.append(np.log(demand(sample_again(small, seed=seed, source="again/")[1:51], "chat")[:, -1]).mean())
    spread = np.log(demand(sampled(portfolio), "chat")[:, -1]).std() / np.sqrt(50)
    assert np.std(fresh) == pytest.approx(spread, rel=0.3)
    assert np.std(again) < 0.5 * np.std(fresh)
