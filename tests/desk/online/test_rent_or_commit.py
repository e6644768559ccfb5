"""Renting against committing: worst cases by search, and the value of the game by linear programming."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import linprog

from acreage.desk.online.rent_or_commit import Commitment, commit_at, commit_at_random
from acreage.units.errors import InputError

DISCOUNTS = [0.0, 0.2, 0.5, 0.9]


@pytest.mark.parametrize("a", DISCOUNTS)
def test_the_deterministic_policy_is_the_best_of_its_kind(a: float) -> None:
    """Its worst need costs 2 - a times foresight; every other moment to commit has a need that costs more."""
    deal = Commitment(fee_usd=120.0, discounted_frac=a)
    policy = commit_at(deal)
    assert policy.ratio == pytest.approx(2.0 - a)
    needs = np.concatenate([np.linspace(1.0, 20.0 * deal.break_even_usd, 4000), [policy.rent_usd * (1.0 + 1e-9)]])

    def worst(commit_at_usd: float) -> float:
        edge = commit_at_usd * (1.0 + 1e-9) + 1e-9
        return max(deal.cost_usd(need, commit_at_usd) / deal.foresight_usd(need) for need in [*needs, edge])

    assert worst(policy.rent_usd) == pytest.approx(2.0 - a, rel=1e-6)
    for share in (0.0, 0.3, 0.8, 0.95, 1.05, 1.5, 4.0):
        assert worst(share * policy.rent_usd) > 2.0 - a


@pytest.mark.parametrize("a", DISCOUNTS)
def test_the_random_policy_costs_its_ratio_at_every_need(a: float) -> None:
    """e / (e - 1 + a) on average, by integrating over the moment of committing."""
    deal = Commitment(fee_usd=120.0, discounted_frac=a)
    policy, b = commit_at_random(deal), deal.break_even_usd
    assert policy.ratio == pytest.approx(math.e / (math.e - 1.0 + a))
    assert policy.chance_frac(math.inf) == pytest.approx(1.0 - a * policy.weight)
    for need in (0.1 * b, 0.7 * b, b, 3.0 * b, 50.0 * b):
        committed = quad(
            lambda s, need=need: deal.cost_usd(need, s) * policy.weight * math.exp(s / b) / b,
            0.0,
            b,
            points=[min(need, b)],
        )[0]
        mean = committed + a * policy.weight * need
        assert mean == pytest.approx(policy.expected_usd(need), rel=1e-9)


def test_draws_follow_the_stated_chances() -> None:
    """Evenly drawn ranks give amounts with the stated distribution, never committing with chance a w."""
    deal = Commitment(fee_usd=10.0, discounted_frac=0.4)
    policy = commit_at_random(deal)
    drawn = np.array([policy.rent_usd((i + 0.5) / 10_000) for i in range(10_000)])
    assert np.isinf(drawn).mean() == pytest.approx(0.4 * policy.weight, abs=1e-4)
    for rent in (1.0, 5.0, 12.0, deal.break_even_usd):
        assert (drawn <= rent).mean() == pytest.approx(policy.chance_frac(rent), abs=2e-4)


@pytest.mark.parametrize("a", DISCOUNTS)
def test_no_random_policy_is_sure_of_less(a: float) -> None:
    """The value of the game on a grid of needs and moments, by linear programming, is within 1 % below the ratio."""
    deal = Commitment(fee_usd=1.0 - a, discounted_frac=a)
    moments = np.append(np.linspace(0.0, 1.0, 80, endpoint=False), math.inf)
    needs = np.append(np.linspace(0.0, 1.0, 81)[1:], np.linspace(1.5, 40.0, 79))
    cost = np.array([[deal.cost_usd(need, s) / deal.foresight_usd(need) for s in moments] for need in needs])
    count = len(moments)
    game = linprog(
        np.append(np.zeros(count), 1.0),
        A_ub=np.column_stack([cost, -np.ones(len(needs))]),
        b_ub=np.zeros(len(needs)),
        A_eq=[np.append(np.ones(count), 0.0)],
        b_eq=[1.0],
    )
    ratio = commit_at_random(deal).ratio
    assert ratio * 0.99 <= game.fun <= ratio * (1.0 + 1e-9)


def test_foresight_commits_from_the_break_even_on() -> None:
    """120 USD for half the rate pay for themselves from a need of 240 on."""
    deal = Commitment(fee_usd=120.0, discounted_frac=0.5)
    assert deal.break_even_usd == 240.0
    assert [deal.foresight_usd(need) for need in (100.0, 240.0, 400.0)] == [100.0, 240.0, 320.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Commitment(fee_usd=0.0, discounted_frac=0.5),
        lambda: Commitment(fee_usd=1.0, discounted_frac=1.0),
        lambda: commit_at_random(Commitment(fee_usd=1.0, discounted_frac=0.5)).rent_usd(1.0),
    ],
)
def test_mistakes_are_named(make) -> None:  # type: ignore[no-untyped-def]
    """No fee, no discount, a rank that is none."""
    with pytest.raises(InputError, match="give"):
        make()
