"""Paths by chance: what is sold is there, means agree with exact ones, and all ways to decide agree."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.desk.network.decomposition import value_tables
from acreage.desk.network.exact import expected_revenue_usd
from acreage.desk.network.hubs import hub_network
from acreage.desk.network.linear import hindsight_usd, linear_bound, resolved_revenues
from acreage.desk.network.simulation import estimate, free_units, play, revenues, sample_requests
from acreage.desk.network.tables import accept, static_tables
from tests.desk.network.tiny import tiny_network


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_nothing_is_sold_twice(seed: int) -> None:
    """Free units never fall below zero and change exactly by what is accepted, gangs whole."""
    network = tiny_network(seed)
    rng = np.random.default_rng(seed)
    tables = value_tables(network, rng, rounds=1, paths=16)
    requests = sample_requests(network, 40, rng)
    free = np.tile(network.capacity, (40, 1))
    usage = np.vstack([network.usage().T, np.zeros(network.resources)]).astype(int)
    for wanted, (seen, accepted) in zip(requests, play(network, tables, requests), strict=True):
        assert (seen == free).all()
        free = free - usage[wanted] * accepted[:, None]
        assert (free >= 0).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_quotes_one_by_one_in_batch_and_in_play_agree(seed: int) -> None:
    """`displacement_usd`, `displacements_usd`, `accept` and `play` decide alike, also on gangs that do not fit."""
    network = tiny_network(seed)
    rng = np.random.default_rng(seed)
    tables = value_tables(network, rng, rounds=1, paths=16)
    requests = sample_requests(network, 20, rng)
    for t, (free, accepted) in enumerate(play(network, tables, requests)):
        real = requests[t] < network.products
        wanted = requests[t][real]
        legs, units = network.touched[wanted], network.taken[wanted]
        there = free[np.nonzero(real)[0][:, None], legs]
        periods = np.full(wanted.size, t)
        batch = tables.displacements_usd(periods, there, legs, units)
        single = [
            tables.displacement_usd(t, *row) for row in zip(there.tolist(), legs.tolist(), units.tolist(), strict=True)
        ]
        assert np.allclose(batch, single)
        decided = accept(tables, network.fare_usd[wanted], periods, there, legs, units)
        assert (decided == accepted[real]).all()
        assert not accepted[~real].any()


def test_sampled_means_agree_with_exact_expectations() -> None:
    """The mean over paths lies within four standard errors of the exact expected revenue."""
    for seed in range(12):
        network = tiny_network(seed)
        rng = np.random.default_rng(seed)
        tables = value_tables(network, rng, rounds=1, paths=32)
        earned = estimate(revenues(network, tables, sample_requests(network, 20_000, rng)))
        exact = expected_revenue_usd(network, tables)
        assert abs(earned.mean_usd - exact) <= 4 * earned.error_usd + 1e-9


def test_requests_come_as_often_as_they_should() -> None:
    """Sampled frequencies match the arrival probabilities, no request included."""
    network = hub_network(spokes=2, load=1.2, ratio=4, seed=1, periods=600)
    requests = sample_requests(network, 2000, np.random.default_rng(0))
    counts = np.bincount(requests.ravel(), minlength=network.products + 1) / 2000
    expected = np.append(network.expected_demand, network.periods - network.expected_demand.sum())
    assert np.allclose(counts, expected, atol=5 * np.sqrt(expected.max() / 2000))


def test_nobody_beats_hindsight_and_the_linear_bound_is_above_it() -> None:
    """Path by path no policy earns more than the clairvoyant, whose mean is below the deterministic bound."""
    network = hub_network(spokes=3, load=1.4, ratio=4, seed=2, periods=80)
    rng = np.random.default_rng(1)
    requests = sample_requests(network, 300, rng)
    best = hindsight_usd(network, requests)
    assert (revenues(network, value_tables(network, rng), requests) <= best + 1e-6).all()
    assert (resolved_revenues(network, requests, solves=4) <= best + 1e-6).all()
    known = estimate(best)
    assert known.mean_usd - 3 * known.error_usd <= linear_bound(network).bound_usd


def test_static_prices_as_tables_and_as_prices_earn_the_same() -> None:
    """Prices solved once and tables just above them decide alike, and re-solving them earns more."""
    network = hub_network(spokes=3, load=1.4, ratio=4, seed=2, periods=80)
    requests = sample_requests(network, 300, np.random.default_rng(1))
    just_above = linear_bound(network).bid_prices_usd * (1 + 1e-12) + 1e-9
    static = revenues(network, static_tables(network, just_above), requests)
    assert np.allclose(static, resolved_revenues(network, requests, solves=1))
    assert resolved_revenues(network, requests, solves=8).mean() > static.mean()


def test_the_same_seed_gives_the_same_tables() -> None:
    """Tables depend on the generator of random numbers alone."""
    network = hub_network(spokes=2, load=1.2, ratio=4, seed=1, periods=40)
    one, two = (value_tables(network, np.random.default_rng(9)) for _ in range(2))
    assert (one.values_usd == two.values_usd).all()
    requests = sample_requests(network, 5, np.random.default_rng(2))
    assert free_units(network, one, requests).shape == (40, 5, network.resources)
