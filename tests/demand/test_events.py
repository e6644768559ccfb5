"""Supplier events and regimes come as often as stated and do what they say, no more."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.demand.arrivals import overlap
from acreage.demand.futures import sample_futures, sampled_part
from acreage.domain.future import Future
from acreage.domain.portfolio import Portfolio
from acreage.domain.surprises import EventKind, Regime, SupplierEvent, TailSampling
from acreage.units.ids import PoolId, WorkloadId
from acreage.units.instants import add_months, instant

Make = Callable[..., Portfolio]
NEW, OLD = PoolId("new-pool"), PoolId("old-pool")


def event(kind: EventKind, **changes: object) -> SupplierEvent:
    """An event of probability 0.3 a year at the new pool."""
    plain = SupplierEvent(name="event", kind=kind, pools=(NEW,), probability_frac_per_year=0.3)
    return replace(plain, **changes)  # type: ignore[arg-type]


def unsure(portfolio: Portfolio, **changes: object) -> Portfolio:
    """The portfolio with some of its uncertainty replaced."""
    return replace(portfolio, uncertainty=replace(portfolio.uncertainty, **changes))  # type: ignore[arg-type]


def quiet(portfolio: Portfolio) -> Portfolio:
    """The portfolio without outages of its own."""
    providers = {name: replace(one, outages_per_year=0.0) for name, one in portfolio.providers.items()}
    return replace(portfolio, providers=providers)


def drawn(portfolio: Portfolio) -> tuple[Future, ...]:
    """The sampled futures."""
    return tuple(f for f in sample_futures(portfolio) if f.name.startswith("future-"))


def test_a_site_failure_comes_as_often_as_stated_and_may_come_again(make_portfolio: Make) -> None:
    """A Poisson process over two years: its chance within a year is the stated one."""
    failure = event(EventKind.SITE_FAILURE, lost_frac=0.5, lost_days=30)
    futures = drawn(unsure(quiet(make_portfolio()), futures=2_000, events=(failure,)))
    numbers = np.array([len(f.outages) for f in futures])
    rate = -np.log(0.7)
    assert numbers.mean() == pytest.approx(2.0 * rate, rel=0.08)
    assert (numbers == 0).mean() == pytest.approx(0.7**2, abs=0.03)
    within = np.mean([any(o.from_at < instant("2028-01-01") for o in f.outages) for f in futures])
    assert within == pytest.approx(0.3, abs=0.03)
    one = next(f.outages[0] for f in futures if f.outages)
    assert (one.provider, one.pool, one.lost_frac, one.until_at - one.from_at) == ("neocloud", None, 0.5, 30 * 86_400)


def test_a_pool_fails_alone_where_its_provider_has_others(make_portfolio: Make) -> None:
    """The outage names the pool, and hits that pool only."""
    plain = quiet(make_portfolio())
    second = replace(plain.pools[NEW], id=PoolId("second"))
    portfolio = replace(plain, pools={**plain.pools, second.id: second})
    failure = event(EventKind.SITE_FAILURE, lost_frac=1.0, lost_days=10)
    outages = [o for f in drawn(unsure(portfolio, events=(failure,))) for o in f.outages]
    assert {o.pool for o in outages} == {NEW}
    assert outages[0].hits("neocloud", NEW)
    assert not outages[0].hits("neocloud", second.id)
    whole = replace(outages[0], pool=None)
    assert whole.hits("neocloud", second.id)
    assert not whole.hits("old-cloud", OLD)


def test_a_late_chip_delays_what_is_due_after_it(make_portfolio: Make) -> None:
    """Deliveries take the longer of the two delays; those due before, and pools of other chips, stay as they were."""
    plain = make_portfolio()
    late = event(EventKind.CHIP_LATE, pools=(NEW, OLD), late_days=182)
    before, after = drawn(plain), drawn(unsure(plain, events=(late,)))
    changed = 0
    for old, new in zip(before, after, strict=True):
        for key, days in old.delay_days.items():
            assert new.delay_days[key] in (days, max(days, 182))
            changed += new.delay_days[key] != days
        assert new.outages == old.outages
        assert new.recalled_at == old.recalled_at
    assert changed > 0
    # Due in ten months: hit if the event has come by then.
    share = np.mean([f.delay_days["recallable", 1] >= 182 for f in after])
    own = np.mean([f.delay_days["recallable", 1] >= 182 for f in before])
    years = (instant("2027-10-01") - plain.as_of_at) / 86_400 / 365
    assert share == pytest.approx(own + (1 - own) * (1 - 0.7**years), abs=0.04)


def test_a_default_hits_every_lessor_of_the_group_at_once(make_portfolio: Make) -> None:
    """What is not yet delivered never comes, what is there is lost for the time stated, on one day, once."""
    plain = quiet(make_portfolio())
    default = event(EventKind.DEFAULT, pools=(NEW, OLD), lost_frac=1.0, lost_days=400, late_days=None)
    futures = drawn(unsure(plain, futures=1_000, events=(default,)))
    hit = [f for f in futures if f.outages]
    assert len(hit) / len(futures) == pytest.approx(1 - 0.7**2, abs=0.03)
    for future in hit:
        assert {o.provider for o in future.outages} == {"neocloud", "old-cloud"}
        assert len({o.from_at for o in future.outages}) == 1
        assert len(future.outages) == 2
        if future.outages[0].from_at < instant("2027-06-01"):
            due, ends = instant("2027-06-01"), instant("2029-01-01")
            assert due + 86_400 * future.delay_days["held", 1] >= ends


def test_a_recall_takes_back_what_may_be_taken_back(make_portfolio: Make) -> None:
    """No later than without the event, and nothing without a right to it."""
    plain = make_portfolio()
    before = drawn(plain)
    after = drawn(unsure(plain, events=(event(EventKind.RECALL, pools=(NEW, OLD)),)))
    horizon_at = add_months(plain.as_of_at, 24)
    for old, new in zip(before, after, strict=True):
        assert set(new.recalled_at) <= {"recallable"}
        assert new.recalled_at.get("recallable", horizon_at) <= old.recalled_at.get("recallable", horizon_at)
    assert sum(bool(f.recalled_at) for f in after) > sum(bool(f.recalled_at) for f in before)


@pytest.mark.parametrize("tightness_sd", [1.0, -1.0])
def test_an_event_may_go_with_the_market(make_portfolio: Make, tightness_sd: float) -> None:
    """Its mean rate stays, and it comes when the market is tight, or slack."""
    failure = event(EventKind.SITE_FAILURE, lost_frac=1.0, lost_days=10, tightness_sd=tightness_sd)
    futures = drawn(unsure(quiet(make_portfolio()), futures=2_000, tightness_weight_frac=0.9, events=(failure,)))
    numbers = np.array([len(f.outages) for f in futures])
    demand = np.array([f.demand_factor[WorkloadId("chat")][12] for f in futures])
    assert numbers.mean() == pytest.approx(-2.0 * np.log(0.7), rel=0.12)
    assert np.sign(tightness_sd) * np.corrcoef(numbers, np.log(demand))[0, 1] > 0.2


def test_a_regime_holds_for_its_share_of_time(make_portfolio: Make) -> None:
    """Two-state Markov chain begun outside: l / (l + m) (1 - exp(-(l + m) t)); the factors' means follow it."""
    regime = Regime(name="shortage", entries_per_year=0.8, mean_days=146, demand_factor=3.0, market_limit_factor=0.0)
    plain = unsure(make_portfolio(), futures=3_000)
    before, after = drawn(plain), drawn(unsure(plain, regimes=(regime,)))
    chat = WorkloadId("chat")
    inside = np.array(
        [(b.demand_factor[chat] / a.demand_factor[chat] - 1) / 2 for a, b in zip(before, after, strict=True)]
    )
    entry, leave = 0.8, 365 / 146
    years = (np.arange(24) + 0.5) / 12
    expected = entry / (entry + leave) * (1 - np.exp(-(entry + leave) * years))
    assert inside.mean(axis=0) == pytest.approx(expected, abs=0.02)
    assert inside.min() >= -1e-12
    assert inside.max() <= 1 + 1e-12
    for old, new, share in zip(before, after, inside, strict=True):
        assert new.limit_factor[NEW] == pytest.approx(old.limit_factor[NEW] * (1 - share), abs=1e-9)
        assert np.array_equal(new.price_factor[NEW], old.price_factor[NEW])


def test_a_regime_puts_off_what_falls_due_in_it(make_portfolio: Make) -> None:
    """By so many days more than the delivery's own delay, and only where it holds on the day."""
    regime = Regime(name="shortage", entries_per_year=0.8, mean_days=146, late_days=50)
    plain = make_portfolio()
    more = [
        new.delay_days["held", 1] - old.delay_days["held", 1]
        for old, new in zip(drawn(plain), drawn(unsure(plain, regimes=(regime,))), strict=True)
    ]
    assert set(more) == {0, 50}
    entry, leave, years = 0.8, 365 / 146, 151 / 365
    expected = entry / (entry + leave) * (1 - np.exp(-(entry + leave) * years))
    assert np.mean(more) / 50 == pytest.approx(expected, abs=0.05)


@given(st.lists(st.floats(0.0, 5.0), min_size=2, max_size=8, unique=True))
def test_overlaps_of_stretches_are_lengths(ends: list[float]) -> None:
    """Over a grid that holds them all, shares times lengths sum to the stretches' length."""
    ordered = sorted(ends)
    stretches = list(zip(ordered[::2], ordered[1::2], strict=False))
    edges = np.array([0.0, 0.5, 2.0, 2.25, 6.0])
    covered = overlap(stretches, edges)
    assert (covered * np.diff(edges)).sum() == pytest.approx(sum(b - a for a, b in stretches), abs=1e-9)
    assert covered.min() >= 0.0


def everything(portfolio: Portfolio) -> Portfolio:
    """Forty futures with all that may happen."""
    events = (
        event(EventKind.SITE_FAILURE, name="a", lost_frac=0.5, lost_days=30, probability_frac_per_year=0.8),
        event(EventKind.DEFAULT, name="b", pools=(NEW, OLD), late_days=None, lost_frac=1.0, lost_days=99),
        event(EventKind.RECALL, name="c", tightness_sd=1.0),
    )
    return unsure(
        portfolio,
        futures=40,
        correlation=((1.0, 0.5, 0.5, 0.5), (0.5, 1.0, 0.5, 0.5), (0.5, 0.5, 1.0, 0.5), (0.5, 0.5, 0.5, 1.0)),
        events=events,
        regimes=(Regime(name="r", entries_per_year=1.0, mean_days=90, demand_factor=1.5, late_days=9),),
        tail=TailSampling(share_of_futures_frac=0.3, shift_sd=1.5),
    )


def same(one: Future, other: Future) -> bool:
    """Whether two futures are equal in every bit."""
    series = [(getattr(one, name), getattr(other, name)) for name in ("demand_factor", "price_factor", "limit_factor")]
    equal = all(a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a) for a, b in series)
    plain = ("name", "probability", "work_factor", "delay_days", "outages", "recalled_at")
    return equal and all(getattr(one, name) == getattr(other, name) for name in plain)


@settings(max_examples=15)
@given(bounds=st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted))
def test_a_part_of_the_futures_is_that_part_of_the_whole(make_portfolio: Make, bounds: list[int]) -> None:
    """Bit for bit, so that processes can share the drawing; with and without all that may happen."""
    for portfolio in (unsure(make_portfolio(), futures=40), everything(make_portfolio())):
        whole = drawn(portfolio)[bounds[0] : bounds[1]]
        part = sampled_part(portfolio, range(*bounds))
        assert len(part) == len(whole)
        assert all(same(one, other) for one, other in zip(part, whole, strict=True))


def test_processes_of_their_own_draw_the_same_futures(make_portfolio: Make) -> None:
    """Three parts from two fresh processes are the whole of this one."""
    portfolio = everything(make_portfolio())
    parts = [range(0, 13), range(13, 14), range(14, 40)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        found = [f for part in processes.map(sampled_part, [portfolio] * 3, parts) for f in part]
    assert len(found) == 40
    assert all(same(one, other) for one, other in zip(found, drawn(portfolio), strict=True))


@pytest.mark.parametrize("numbers", [range(0, 41), range(-1, 3), range(0, 10, 2)])
def test_numbers_that_no_future_has_are_refused(make_portfolio: Make, numbers: range) -> None:
    """A mistake of the caller."""
    with pytest.raises(ValueError, match="is no part of 40 futures"):
        sampled_part(everything(make_portfolio()), numbers)


def test_what_is_added_changes_nothing_else(make_portfolio: Make) -> None:
    """An event has a stream of its own: demand, prices and the delays of others stay, so that plans can be compared."""
    plain = make_portfolio()
    failure = event(EventKind.SITE_FAILURE, lost_frac=1.0, lost_days=10)
    for old, new in zip(sample_futures(plain), sample_futures(unsure(plain, events=(failure,))), strict=True):
        assert set(old.outages) <= set(new.outages)
        assert same(replace(new, outages=old.outages), old)


def test_the_draws_of_a_plain_portfolio_stay_what_they_were(make_portfolio: Make) -> None:
    """Figures of release 0.1, so that plans made before there were events and factors can be repeated."""
    futures = sample_futures(make_portfolio())
    first, other = futures[1], futures[17]
    figures = [
        first.demand_factor[WorkloadId("chat")][23],
        first.price_factor[NEW][23],
        first.limit_factor[OLD][0],
        first.work_factor[WorkloadId("run")],
    ]
    pinned = [0.4690967516027169, 0.6111577049835366, 0.9978340231608087, 1.1486062271134747]
    assert figures == pytest.approx(pinned, rel=1e-9)
    assert other.delay_days == {("held", 1): 129, ("recallable", 0): 116, ("recallable", 1): 140}
    assert [(o.provider, o.from_at) for o in other.outages] == [
        ("old-cloud", 1_837_987_200),
        ("neocloud", 1_801_008_000),
        ("neocloud", 1_848_700_800),
    ]
    recalled = {f.name: f.recalled_at["recallable"] for f in futures[1:5] if f.recalled_at}
    assert recalled == {"future-02": 1_848_009_600, "future-03": 1_820_361_600, "future-04": 1_849_392_000}
