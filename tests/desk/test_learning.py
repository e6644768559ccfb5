"""Learning from the desk's offers: the truth is within its intervals, size is told from price, doubt is said."""

import numpy as np
import pytest

from acreage.desk.learning import COVARIATES, Learnt, Offered, learnt
from acreage.desk.prices.answers import Unidentified, Unknown
from acreage.desk.prices.responses import LogitResponse
from acreage.desk.prices.take_up import Interval, TakeUp
from acreage.domain.desk import Tier
from tests.desk.cases import POOL

MIDDLE, SLOPE, OF_SIZE, DISPLACED = 4.0, 1.5, 0.6, 1.8


def history(seed: int, count: int = 400, of_size: float = OF_SIZE, spread_usd: float = 0.8) -> list[Offered]:
    """Offers of which the large are asked more and, at the same price, taken more often."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        doublings = int(rng.integers(3, 9))
        price = 4.0 + 0.2 * (doublings - 5.5) + spread_usd * rng.standard_normal()
        utility = SLOPE * (MIDDLE - price) + of_size * (doublings - 5.5)
        found.append(
            Offered(
                price_usd=price,
                taken=bool(rng.random() < 1 / (1 + np.exp(-utility))),
                accelerators=2**doublings,
                days=float(rng.integers(1, 60)),
                lead_days=float(rng.integers(0, 30)),
                displaced_usd=DISPLACED,
            )
        )
    return found


def of(offered: list[Offered]) -> Learnt:
    """What they teach at 95 %."""
    return learnt(Tier.RESERVED, POOL, offered, 0.95)


def test_the_truth_is_within_the_intervals_about_as_often_as_they_say() -> None:
    """Of 40 histories at 95 %, at least 34 hold the slope and as many the best price of the true curve."""
    held = [0, 0]
    for seed in range(40):
        found = of(history(seed))
        assert isinstance(found.curve, TakeUp)
        assert isinstance(found.best, Interval)
        typical = np.mean([np.log2(one.accelerators) for one in history(seed)]) - 5.5
        truth = LogitResponse(middle_usd=MIDDLE + OF_SIZE * typical / SLOPE, slope_per_usd=SLOPE)
        best = float(truth.best_price_usd(DISPLACED, 0.0, 100.0))
        held[0] += found.curve.slope_per_usd.low <= SLOPE <= found.curve.slope_per_usd.high
        held[1] += found.best.low <= best <= found.best.high
    assert min(held) >= 34


def test_size_beside_the_price_keeps_its_part_out_of_the_slope() -> None:
    """Without covariates that vary the slope would be too flat: with them it is not, over one large history."""
    found = of(history(1, count=4_000))
    assert isinstance(found.curve, TakeUp)
    assert found.beside == COVARIATES
    assert found.curve.slope_per_usd.found == pytest.approx(SLOPE, rel=0.12)
    assert found.middle_usd == pytest.approx(MIDDLE, abs=0.15)
    assert found.displaced_usd == pytest.approx(DISPLACED)


def test_where_nothing_can_be_said_there_is_a_finding() -> None:
    """No offers, too few, and one list price for all."""
    for offered, reason, words in (
        ([], Unknown.TOO_FEW, "nobody has asked"),
        (history(2, count=12), Unknown.TOO_FEW, "are needed at least"),
        ([_at(4.0, one) for one in history(3)], Unknown.NO_VARIATION, "vary it"),
    ):
        found = of(offered)
        for one in (found.curve, found.best):
            assert isinstance(one, Unidentified)
            assert one.reason is reason
            assert words in one.what
        assert found.middle_usd is None
        assert found.taken == sum(one.taken for one in offered)


def test_a_flat_curve_has_a_slope_but_no_best_price() -> None:
    """Prices that hardly move beside noise: the slope's interval holds zero, so that no price is the best one."""
    found = of(history(5, count=120, spread_usd=0.02))
    assert isinstance(found.curve, TakeUp)
    assert found.curve.slope_per_usd.low < 0 < found.curve.slope_per_usd.high
    assert isinstance(found.best, Unidentified)
    assert found.best.reason is Unknown.FLAT


def _at(price_usd: float, one: Offered) -> Offered:
    return Offered(
        price_usd=price_usd,
        taken=one.taken,
        accelerators=one.accelerators,
        days=one.days,
        lead_days=one.lead_days,
        displaced_usd=one.displaced_usd,
    )
