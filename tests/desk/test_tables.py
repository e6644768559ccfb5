"""Tables: future demand against draws, bid prices against EMSR-b, values against sums of bid prices."""

from dataclasses import replace

import numpy as np
import pytest

from acreage.desk.protection.laws import NormalLaw
from acreage.desk.protection.rules import emsr_b
from acreage.desk.protection.tiers import Tier as ProtectionTier
from acreage.desk.tables import FIRM, RECALLABLE, bid_prices, build_tables, exceeding, value_at, version_of
from acreage.desk.wanted import FareClass, fare_classes, sigma
from acreage.domain.desk import Bursts, Tier
from acreage.units.money import micro_usd
from tests.desk.cases import NOW, day, demand, desk, horizon_of


def drawn_demand(bursts: Bursts | None, ahead: int, runs: int) -> np.ndarray:
    """Accelerators wanted `ahead` days from now by requests yet to come, drawn as the module says, by run."""
    rng = np.random.default_rng(7)
    wanted = demand()
    found = np.zeros(runs)
    for run in range(runs):
        rate = np.ones(ahead + 1)
        if bursts is not None:
            starts = rng.uniform(
                -bursts.days, ahead + 1, rng.poisson(bursts.per_year / 365 * (ahead + 1 + bursts.days))
            )
            for start in starts:
                covered = np.clip(
                    np.minimum(np.arange(ahead + 1) + 1, start + bursts.days) - np.maximum(np.arange(ahead + 1), start),
                    0,
                    1,
                )
                rate += (bursts.factor - 1) * covered
        made = np.repeat(np.arange(ahead + 1), rng.poisson(rate))
        lead = np.floor(wanted.lead_days.median * np.exp(sigma(wanted.lead_days) * rng.standard_normal(len(made))))
        days = np.ceil(wanted.days.median * np.exp(sigma(wanted.days) * rng.standard_normal(len(made))))
        size = wanted.accelerators.median * np.exp(sigma(wanted.accelerators) * rng.standard_normal(len(made)))
        start = made + 1 + lead
        found[run] = size[(start <= ahead) & (ahead < start + days) & (size <= 1_000)].sum()
    return found


@pytest.mark.parametrize("bursts", [None, Bursts(per_year=12.0, factor=4.0, days=10.0)])
def test_future_demand_has_the_mean_and_variance_of_its_draws(bursts: Bursts | None) -> None:
    """The compound sum's moments, with and without bursts, sixty days ahead."""
    made = desk()
    terms = replace(made.tiers[0], floor_micro_usd=micro_usd("0.01"))
    classes = fare_classes(terms, demand(), bursts, 200, 1_000)
    draws = drawn_demand(bursts, 60, 8_000)
    mean, variance, surge = (sum(getattr(c, name)[60] for c in classes) for name in ("mean", "variance", "surge"))
    assert mean == pytest.approx(draws.mean(), rel=0.03)
    assert variance + surge**2 == pytest.approx(draws.var(), rel=0.1)


def emsr_b_levels(fares: list[float], means: list[float], deviations: list[float]) -> list[float]:
    """Protection levels of EMSR-b for gamma demand, by bisection on P(D_1..j > y) = f_(j+1) / F_j."""
    levels = []
    for j in range(1, len(fares)):
        mean, variance = sum(means[:j]), sum(d * d for d in deviations[:j])
        average = sum(f * m for f, m in zip(fares[:j], means[:j], strict=True)) / mean
        low, high = 0.0, 10 * mean
        for _ in range(60):
            middle = (low + high) / 2
            tail = exceeding(np.array([mean]), np.array([variance]), np.array([middle]))[0, 0]
            low, high = (middle, high) if tail > fares[j] / average else (low, middle)
        levels.append(low)
    return levels


def test_bid_prices_cross_each_fare_where_emsr_b_protects() -> None:
    """Talluri and van Ryzin's fares: a class is let in once more is free than EMSR-b keeps for those above it."""
    fares, means = [1050.0, 567.0, 534.0, 520.0], [17.3, 45.1, 39.6, 34.0]
    deviations = [5.8, 15.0, 13.2, 11.3]
    classes = [
        FareClass(Tier.RESERVED, True, f, np.array([m]), np.array([d * d]), np.zeros(1))
        for f, m, d in zip(fares, means, deviations, strict=True)
    ]
    grid = np.linspace(0.0, 150.0, 3_001)
    bid = bid_prices(classes, grid, 0)[FIRM, 0]
    for level, fare in zip(emsr_b_levels(fares, means, deviations), fares[1:], strict=True):
        first = grid[np.argmax(bid <= fare)]
        assert first == pytest.approx(level, abs=0.1)
    assert np.all(np.diff(bid) <= 1e-9)
    published = emsr_b(
        [
            ProtectionTier(fare_usd=c.fare_usd, law=NormalLaw(mean=float(c.mean[0]), sd=d))
            for c, d in zip(classes, deviations, strict=True)
        ]
    )
    for level, known, fare in zip(published, (16.72, 50.94, 83.15), fares[1:], strict=True):
        assert level == pytest.approx(known, abs=0.01)
        # The tables take demand as gamma, the published levels as normal.
        assert grid[np.argmax(bid <= fare)] == pytest.approx(level, abs=1.0)


def test_a_recallable_lease_displaces_only_firm_requests_too_late_for_its_recall() -> None:
    """With no notice its bid prices are those of recallable classes alone; notice makes it compete with late ones."""
    firm = FareClass(Tier.RESERVED, True, 9.0, *(np.full(30, value) for value in (50.0, 100.0, 0.0)))
    spot = FareClass(Tier.SPOT, False, 2.0, *(np.full(30, value) for value in (20.0, 100.0, 0.0)))
    firm = replace(firm, mean=np.linspace(0.0, 50.0, 30))
    grid = np.linspace(0.0, 100.0, 101)
    without, with_notice = (bid_prices([firm, spot], grid, notice)[RECALLABLE] for notice in (0, 5))
    assert without.max() <= 2.0
    assert with_notice.max() > 2.0
    early, late = firm.parted(5)
    assert np.allclose(early.mean + late.mean, firm.mean)
    assert np.all(early.mean[:6] == 0)


def test_headroom_is_worth_more_the_more_there_is_and_each_further_one_less() -> None:
    """V rises and is concave on every day, up to the kink of the grid at the protected level."""
    tables = build_tables(desk(), horizon_of(desk()))
    gains = np.diff(tables.value_usd, axis=-1)
    assert np.all(gains >= -1e-6)
    protected = int(tables.protected[FIRM, 0, 50])
    beyond = int(protected / tables.step[0]) + 2
    assert np.all(np.diff(gains[FIRM, 0, 50, beyond:]) <= 1e-6)


def test_values_are_read_between_points() -> None:
    """Linear between points, flat beyond the ends, row by row."""
    rows = np.array([[0.0, 10.0, 15.0], [0.0, 1.0, 2.0]])
    assert value_at(rows, 5.0, np.array([2.5, 7.5])).tolist() == [5.0, 1.5]
    assert value_at(rows, 5.0, np.array([-3.0, 99.0])).tolist() == [0.0, 2.0]


def test_tables_are_named_after_the_document_and_the_day() -> None:
    """Another document, or the same on another day, has other tables."""
    names = {
        version_of(desk(), NOW),
        version_of(desk(digest="other"), NOW),
        version_of(desk(), day(1)),
    }
    assert len(names) == 3
