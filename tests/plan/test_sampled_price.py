"""The interval of a walk-away price over samples covers the price of all futures about as often as it says."""

import numpy as np
import pytest

from acreage.domain.portfolio import Risk
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.problem import Vector, objective_of
from acreage.plan.sampled_price import Pair, flip_of, objective_weights, spread_of, weighted_error
from acreage.plan.session import Session
from acreage.plan.verdicts import verdict_of
from tests.plan.bulk.cases import more_futures
from tests.plan.tiny import tiny

DRAWS, FUTURES = 300, 60


def population(rng: np.random.Generator, count: int) -> tuple[Vector, Vector, Vector]:
    """Costs without an offer, with it, and its own payments: skewed, and most of it common to both plans."""
    common = rng.lognormal(2.0, 0.5, count)
    without = common + rng.exponential(1.0, count) + 0.15 * common
    own = 1.0 + 0.2 * rng.random(count)
    return without, common + own, own


def pair_of(costs: tuple[Vector, Vector, Vector], drawn: int, stresses: float = 0.0) -> Pair:
    """A pair of plans whose last futures are stresses with this much probability together."""
    without, with_offer, own = costs
    count = len(without)
    probability = np.full(count, (1.0 - stresses) / drawn)
    probability[drawn:] = stresses / max(count - drawn, 1)
    return Pair(
        with_offer=with_offer,
        without=without,
        own=own,
        factor=1.0,
        probability=probability,
        is_drawn=np.arange(count) < drawn,
    )


@pytest.mark.parametrize(("weight", "least"), [(0.0, 0.90), (0.3, 0.86)])
def test_it_covers_about_as_often_as_it_says(weight: float, least: float) -> None:
    """300 samples of 60 futures against 400,000: 95 % without risk, a little less with a tail of six futures."""
    risk, rng = Risk(weight_frac=weight, tail_frac=0.9), np.random.default_rng(11)
    truth = flip_of(pair_of(population(rng, 400_000), 400_000), risk)
    covered = 0
    for _ in range(DRAWS):
        pair = pair_of(population(rng, FUTURES), FUTURES)
        spread = spread_of(pair, risk)
        assert spread is not None
        covered += abs(flip_of(pair, risk) - truth) <= spread.half_width
    assert least <= covered / DRAWS <= 0.985


def test_stresses_add_nothing_to_the_error() -> None:
    """Their probability is known: with the same futures drawn, a stress only shrinks the drawn ones' weight."""
    risk, rng = Risk(weight_frac=0.0, tail_frac=0.9), np.random.default_rng(2)
    costs = population(rng, 50)
    longer = tuple(np.append(series, 5.0) for series in costs)
    plain, stressed = spread_of(pair_of(costs, 50), risk), spread_of(pair_of(longer, 50, 0.2), risk)
    assert plain is not None
    assert stressed is not None
    assert stressed.tail_futures == plain.tail_futures == 50


def test_the_error_of_equal_weights_is_that_of_a_mean() -> None:
    """s / sqrt(n), the textbook's."""
    values = np.array([1.0, 4.0, 2.0, 9.0])
    error = weighted_error(values, np.full(4, 0.25), np.ones(4, dtype=bool))
    assert error == pytest.approx(values.std(ddof=1) / 2.0)


def test_weights_give_the_objective() -> None:
    """Weights x costs is (1 - w) E + w CVaR, as the planner has it."""
    rng = np.random.default_rng(4)
    costs, probability = rng.random(9), np.full(9, 1 / 9)
    risk = Risk(weight_frac=0.4, tail_frac=0.75)

    class Like:
        risk_weight, risk_tail = risk.weight_frac, risk.tail_frac

    Like.probability = probability
    assert objective_weights(costs, probability, risk) @ costs == pytest.approx(objective_of(Like, costs))


def test_a_single_future_gives_no_interval() -> None:
    """There is nothing to tell how others would differ."""
    assert spread_of(pair_of(population(np.random.default_rng(0), 1), 1), Risk(weight_frac=0.0, tail_frac=0.9)) is None


def test_verdicts_have_it_around_the_price() -> None:
    """Every walk-away price of a tiny portfolio lies in its interval; more futures make it narrower on average."""
    widths = []
    for count in (8, 64):
        case = more_futures(tiny(5, only=True), count, 3)
        session = Session(
            portfolio=case.portfolio, futures=case.futures, demand=case.demand, engine=WholeEngine(), gap_frac=1e-7
        )
        best = session.solve()
        verdicts = [verdict_of(session, best, offer) for offer in case.portfolio.offers]
        priced = [v for v in verdicts if v.walk_away_usd_per_accelerator_hour is not None]
        assert priced
        for v in priced:
            assert v.other_futures is not None
            assert v.other_futures.low <= v.walk_away_usd_per_accelerator_hour.found <= v.other_futures.high
        widths.append(np.mean([v.other_futures.high - v.other_futures.low for v in priced if v.other_futures]))
    assert widths[1] < widths[0]
