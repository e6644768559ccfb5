"""Bounds and policies: against the exact dynamic program on tiny networks, against print on published ones."""

import numpy as np
import pytest

from acreage.desk.network.decomposition import decomposed, value_tables
from acreage.desk.network.exact import expected_revenue_usd, optimum_usd
from acreage.desk.network.legs import leg_program
from acreage.desk.network.linear import linear_bound
from acreage.desk.network.pairing import paired_bound_usd, pairing
from acreage.desk.network.problem import Network, Product, network_of
from acreage.desk.network.relaxation import relaxation
from acreage.desk.network.simulation import estimate, revenues, sample_requests
from acreage.desk.network.tables import LegTables, static_tables
from tests.desk.network.published import MIDDLE, PUBLISHED, ROUTES, published
from tests.desk.network.tiny import tiny_network

SLACK_USD = 1e-6
ITERATIONS = 25


def policies(network: Network, seed: int) -> list[LegTables]:
    program, linear = leg_program(network), linear_bound(network)
    lagrangian = relaxation(program, linear.bid_prices_usd, iterations=ITERATIONS)
    return [
        static_tables(network, linear.bid_prices_usd),
        LegTables(values_usd=lagrangian.values_usd),
        decomposed(program, linear),
        value_tables(network, np.random.default_rng(seed), paths=64),
    ]


@pytest.mark.parametrize("first", range(0, 600, 50))
def test_policy_optimum_lagrangian_and_linear_bound_stand_in_this_order(first: int) -> None:
    """On random tiny networks with gangs: every policy <= optimum <= paired <= Lagrangian <= linear."""
    for seed in range(first, first + 50):
        network = tiny_network(seed)
        optimum, linear = optimum_usd(network), linear_bound(network)
        program = leg_program(network)
        bound = relaxation(program, linear.bid_prices_usd, iterations=ITERATIONS)
        paired = paired_bound_usd(program, bound)
        for tables in policies(network, seed):
            assert expected_revenue_usd(network, tables) <= optimum + SLACK_USD, seed
        assert optimum <= paired + SLACK_USD, seed
        assert paired <= bound.bound_usd + SLACK_USD, seed
        assert bound.bound_usd == min(bound.trail_usd)
        assert bound.bound_usd <= linear.bound_usd + SLACK_USD, seed


def test_the_tables_come_close_to_the_optimum_of_tiny_networks() -> None:
    """Over random tiny networks the tables earn more than static prices, and within 2 % of the optimum on the mean."""
    shares = []
    for seed in range(100):
        network = tiny_network(seed)
        optimum = optimum_usd(network)
        if optimum > 0:
            shares.append([expected_revenue_usd(network, each) / optimum for each in policies(network, seed)])
    static, *_, tuned = np.mean(shares, axis=0)
    assert tuned > 0.98
    assert tuned > static


def test_one_resource_is_solved_exactly() -> None:
    """With one resource there is nothing to approximate: tables, bound and optimum agree."""
    rng = np.random.default_rng(3)
    products = [Product(name=f"p{n}", fare_usd=10.0 * n + 5.0, units={"r": 1 + n % 3}) for n in range(5)]
    network = network_of({"r": 9}, products, rng.dirichlet(np.ones(6), size=30)[:, :5])
    optimum = optimum_usd(network)
    bound = relaxation(leg_program(network), linear_bound(network).bid_prices_usd)
    tables = value_tables(network, rng)
    assert bound.bound_usd == pytest.approx(optimum, rel=1e-12)
    assert expected_revenue_usd(network, tables) == pytest.approx(optimum, rel=1e-12)
    assert tables.values_usd[0, 0, 9] == pytest.approx(optimum, rel=1e-12)


def test_two_resources_decided_together_are_solved_exactly() -> None:
    """A network of two resources is one pair: its bound is the optimum, whatever the multipliers."""
    for seed in range(200):
        network = tiny_network(seed)
        if network.resources == 2 and (network.taken > 0).all(axis=1).any():
            program = leg_program(network)
            single = relaxation(program, linear_bound(network).bid_prices_usd, iterations=1)
            assert paired_bound_usd(program, single) == pytest.approx(optimum_usd(network), rel=1e-9, abs=1e-9)


def test_every_resource_is_in_one_group() -> None:
    """Pairing leaves nobody out, and pairs a flight to the hub with one from it."""
    network = published(200, 1.6, 4)
    groups = pairing(leg_program(network))
    assert sorted(groups.ravel()) == list(range(network.resources))
    for one, other in groups:
        assert network.resource_names[one].startswith("0-") != network.resource_names[other].startswith("0-")


def test_published_probabilities_follow_from_the_rules_read_off_them() -> None:
    """The time profile assumed for low and high fares gives back figures published for the middle of the horizon."""
    network = published(200, 1.0, 4)
    numbers = {(a, b): number for number, (a, b, *_) in enumerate(ROUTES)}
    for route, (period, probability) in MIDDLE.items():
        assert network.arrival_prob[period, 2 * numbers[route]] == pytest.approx(probability, rel=1e-9)


@pytest.mark.parametrize("case", PUBLISHED)
def test_the_linear_bound_is_the_published_one(case: tuple[int, float, float]) -> None:
    """Twelve deterministic bounds of Topaloglu (2009), to the dollar."""
    assert round(linear_bound(published(*case)).bound_usd) == PUBLISHED[case][0]


@pytest.mark.parametrize("case", [(200, 1.0, 4), (200, 1.2, 8), (200, 1.6, 4)])
def test_the_lagrangian_bound_and_the_tables_are_at_least_as_good_as_published(case: tuple[int, float, float]) -> None:
    """Our bound is not above the paper's, and our tables earn more than its policy did."""
    network = published(*case)
    _, paper_bound, paper_revenue = PUBLISHED[case]
    bound = relaxation(leg_program(network), linear_bound(network).bid_prices_usd, iterations=60).bound_usd
    rng = np.random.default_rng(5)
    earned = estimate(revenues(network, value_tables(network, rng), sample_requests(network, 4000, rng)))
    assert paper_revenue < earned.mean_usd - 3 * earned.error_usd
    assert earned.mean_usd < bound < paper_bound


def test_the_relaxation_lowers_its_bound() -> None:
    """The best bound is below the first one by more than half of the published difference to the linear bound."""
    network = published(200, 1.2, 4)
    linear = linear_bound(network)
    trail = relaxation(leg_program(network), linear.bid_prices_usd, iterations=40).trail_usd
    assert min(trail) < trail[0] < linear.bound_usd
    assert linear.bound_usd - min(trail) > 0.5 * (19882 - 18938)
