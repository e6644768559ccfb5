"""Simulated years: seeded, same arrivals for all, the promise kept, and no policy above the clairvoyant."""

import math
from dataclasses import replace

import numpy as np
import pytest

from acreage.desk.arrivals import Arrivals, MadeYear, made_year
from acreage.desk.clairvoyant import clairvoyant_usd
from acreage.desk.horizon import Horizon
from acreage.desk.outcome import Estimate, estimate, ground_of, simulate
from acreage.desk.recalls import Recallable, give_way
from acreage.desk.year import Ground, Policy, Run, run_years, shortfall
from acreage.domain.desk import TakeUpCurve
from acreage.units.ids import LeaseId
from acreage.units.money import micro_usd
from tests.desk.cases import NOW, POOL, desk, horizon_of

MADE = desk()
DAYS, ARRIVING = 260, 160


def years(count: int, seed: int = 1) -> tuple[Ground, list[MadeYear]]:
    """A shorter year of the desk's pool, and replications of it."""
    ground = ground_of(MADE, MADE.pools[0], Horizon(NOW, DAYS), 100, slice(20, ARRIVING))
    tiers = tuple((tier, tier.demand[0]) for tier in MADE.tiers)
    made = [
        made_year(tiers, MADE.bursts, ground.law, 30.0, ARRIVING, 100, np.random.SeedSequence([seed, r]))
        for r in range(count)
    ]
    return ground, made


def leased_twice(run: Run, ground: Ground) -> bool:
    """Whether on some day more is leased to others than there is."""
    return bool(np.any(run.firm + run.recallable > ground.capacity))


def test_every_policy_keeps_the_capacity_and_earns_no_more_than_the_clairvoyant() -> None:
    """On the same years: nothing is leased twice, revenue adds up from what stands, and the bound holds."""
    ground, made = years(4)
    for runs in run_years(ground, made, tuple(Policy), ARRIVING):
        for run in runs:
            assert not leased_twice(run, ground)
            assert np.all(run.firm >= 0)
            assert np.all(run.recallable >= 0)
            damages = 24 * ground.penalties_usd[0] * shortfall(ground, run).sum()
            assert 0 < run.revenue_usd - damages <= clairvoyant_usd(ground, run.year)
            leased = 24 * (run.firm + run.recallable)[ground.measured].sum()
            assert run.sold_hours == pytest.approx(leased)


def test_policies_meet_the_same_arrivals_and_a_seed_gives_the_same_year() -> None:
    """Two simulations of one seed agree to the last figure; another seed differs."""
    one, two = (simulate(MADE, horizon_of(MADE), seed=3, replications=2, warm_days=10) for _ in range(2))
    assert one == two
    other = simulate(MADE, horizon_of(MADE), seed=4, replications=2, warm_days=10)
    assert other.policies[0].revenue_usd != one.policies[0].revenue_usd


def test_the_promise_to_the_anchor_is_kept_and_the_desk_beats_first_come() -> None:
    """With the limit at 5 % and slack leased: met within its interval of what was promised, both under the limit."""
    loose = replace(MADE, rules=replace(MADE.rules, anchor_short_max_frac=0.05, overbooking_max_frac=1.0))
    found = simulate(loose, horizon_of(loose), seed=1, replications=24, warm_days=30)
    for one in found.policies:
        assert one.short_promised_frac <= 0.05
        assert one.short_met.low <= one.short_promised_frac
        assert one.short_met.low <= 0.05
    assert max(one.short_promised_frac for one in found.policies) > 0.005
    first_come = next(margin for margin in found.margins if margin.against == "first-come")
    assert first_come.frac.low > 0
    clairvoyant = next(margin for margin in found.margins if margin.against == "clairvoyant")
    assert clairvoyant.frac.high < 0


def test_best_prices_beat_list_prices_where_the_curve_is_the_truths_and_are_not_run_without_one() -> None:
    """List prices far too high for what the labs would pay: the stated curve earns more, within its paired interval.

    Neither earns more than the clairvoyant, nor than who is paid every bid in full.
    """
    bids = MADE.tiers[0].demand[0].bid_usd_per_accelerator_hour
    curve = TakeUpCurve(pool=POOL, middle_usd=bids.median, slope_per_usd=math.log(9.0) / (bids.p90 - bids.median))
    high = replace(MADE.tiers[0], list_micro_usd=micro_usd("6.50"), take_up=(curve,))
    priced = replace(MADE, tiers=(high, *MADE.tiers[1:]))
    found = simulate(priced, horizon_of(priced), seed=3, replications=12, warm_days=30)
    by_name = {one.policy: one for one in found.policies}
    margin = next(one for one in found.margins if one.policy == Policy.BEST_PRICES)
    assert margin.against == Policy.LIST_PRICES
    assert margin.frac.low > 0
    assert by_name[Policy.BEST_PRICES].revenue_usd.mean < found.clairvoyant_usd.mean
    assert by_name[Policy.BEST_PRICES].short_promised_frac <= MADE.rules.anchor_short_max_frac
    plain = simulate(MADE, horizon_of(MADE), seed=3, replications=2, warm_days=30)
    assert {one.policy for one in plain.policies} == {"desk", "first-come", "first-come-full"}


def test_who_pays_named_prices_pays_no_more_than_they_would_have_bid() -> None:
    """On the same years: prices lie below the highest bid; without a curve both policies name list prices."""
    ground, made = years(2)
    listed, best = run_years(ground, made, (Policy.LIST_PRICES, Policy.BEST_PRICES), ARRIVING)
    for of_policy in (listed, best):
        for run in of_policy:
            assert run.admitted > 0
            most = max(run.year.arrivals.bid_usd)
            assert 0 < run.revenue_usd <= most * run.sold_hours
    assert [run.revenue_usd for run in listed] == [run.revenue_usd for run in best]


def test_needs_follow_their_law_whatever_their_memory() -> None:
    """Over many paths the need of a day has the law's mean and tail."""
    ground, made = years(400)
    need = np.stack([year.need for year in made])
    assert need[:, 150].mean() == pytest.approx(ground.law.expected()[150], abs=8)
    level = np.full(DAYS, 520.0)
    assert np.mean(need[:, 150] > 520) == pytest.approx(ground.law.above(level)[150], abs=0.06)


def test_the_clairvoyant_packs_a_tiny_year_as_by_hand() -> None:
    """Ten accelerators for three days: the dear request of two days and the cheap one beside it, a third in part."""
    ground, _ = years(1)
    small = replace(
        ground,
        capacity=np.full(3, 10),
        law=ground.law,
        penalties_usd=(100.0, 0.0),
        measured=slice(0, 3),
        protected=np.zeros((2, 3), dtype=np.int64),
    )
    asked = Arrivals(
        day=np.zeros(3, dtype=np.int64),
        tier=np.zeros(3, dtype=np.int64),
        firm=np.array([True, True, False]),
        accelerators=np.array([6, 4, 8]),
        first=np.array([0, 0, 0]),
        end=np.array([2, 3, 3]),
        bid_usd=np.array([5.0, 3.0, 1.0]),
    )
    year = MadeYear(arrivals=asked, need=np.zeros(3))
    assert clairvoyant_usd(small, year) == pytest.approx(24 * (6 * 2 * 5 + 4 * 3 * 3 + 6 * 1))
    full = MadeYear(arrivals=asked, need=np.array([10.0, 0.0, 0.0]))
    assert clairvoyant_usd(small, full) == pytest.approx(24 * 2 * 8 * 1.0)


def test_the_cheapest_recallable_leases_give_way_after_their_notice() -> None:
    """From the first day that is short and no earlier than the notice allows; None where that is too late."""

    def lease(name: str, accelerators: int, first: int, end: int, micro_usd: int, notice: int = 2) -> Recallable:
        return Recallable(
            lease=LeaseId(name),
            accelerators=accelerators,
            first=first,
            end=end,
            notice_days=notice,
            micro_usd=micro_usd,
        )

    short = np.array([0, 0, 0, 0, 5, 5, 0, 0])
    leases = [lease("dear", 10, 0, 8, 9), lease("cheap", 3, 0, 8, 1), lease("elsewhere", 9, 6, 8, 0)]
    assert give_way(short, leases) == [("cheap", 4), ("dear", 4)]
    assert give_way(short, [lease("slow", 10, 0, 8, 1, notice=4)]) is None
    assert give_way(np.zeros(8, dtype=np.int64), leases) == []


def test_an_interval_is_students() -> None:
    """Of 1, 2, 3: mean 2, half-width 4.303 / sqrt(3); of one value there is none."""
    assert estimate(np.array([1.0, 2.0, 3.0])) == Estimate(
        mean=2.0, low=pytest.approx(2 - 2.4841, abs=1e-3), high=pytest.approx(2 + 2.4841, abs=1e-3)
    )
    assert np.isnan(estimate(np.array([5.0])).low)
