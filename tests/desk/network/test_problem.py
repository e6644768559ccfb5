"""Building networks: what is refused, and the published test problems made afresh."""

import numpy as np
import pytest

from acreage.desk.network.exact import optimum_usd
from acreage.desk.network.hubs import hub_network
from acreage.desk.network.problem import Product, network_of
from acreage.units.errors import InputError

GOOD = Product(name="p", fare_usd=5.0, units={"r": 1})
HALF = np.array([[0.5]])


@pytest.mark.parametrize(
    ("capacity", "products", "prob", "says"),
    [
        ({"r": -1}, [GOOD], HALF, "capacity of -1"),
        ({"r": 2}, [], HALF[:, :0], "no products"),
        ({"r": 2}, [GOOD, GOOD], np.full((1, 2), 0.1), "share the name 'p'"),
        ({"r": 2}, [Product(name="p", fare_usd=-1.0, units={"r": 1})], HALF, "a fare of -1.0"),
        ({"r": 2}, [Product(name="p", fare_usd=float("nan"), units={"r": 1})], HALF, "a fare of nan"),
        ({"r": 2}, [Product(name="p", fare_usd=1.0, units={})], HALF, "takes no resource"),
        ({"r": 2}, [Product(name="p", fare_usd=1.0, units={"s": 1})], HALF, "not a resource"),
        ({"r": 2}, [Product(name="p", fare_usd=1.0, units={"r": 0})], HALF, "takes 0 units"),
        ({"r": 2}, [GOOD], np.full((1, 2), 0.1), "shape"),
        ({"r": 2}, [GOOD], -HALF, "negative"),
        ({"r": 2}, [GOOD], 3 * HALF, "add up to 1.5"),
    ],
)
def test_a_network_that_makes_no_sense_is_refused(capacity, products, prob, says) -> None:
    """Each mistake is named and says what would be right."""
    with pytest.raises(InputError, match=says) as caught:
        network_of(capacity, products, prob)
    assert caught.value.fix


def test_a_network_cannot_be_changed() -> None:
    """Arrays of a built network are read-only, and its usage adds up what products take."""
    products = [
        Product(name="a", fare_usd=1.0, units={"s": 2, "r": 3}),
        Product(name="b", fare_usd=2.0, units={"r": 1}),
    ]
    network = network_of({"r": 5, "s": 5}, products, np.full((2, 2), 0.25))
    with pytest.raises(ValueError, match="read-only"):
        network.capacity[0] = 1
    assert network.usage().tolist() == [[3.0, 1.0], [2.0, 0.0]]


@pytest.mark.parametrize("load", [1.0, 1.6])
def test_hub_problems_have_the_published_shape(load: float) -> None:
    """2N flights, 2N(N+1) itineraries, the high fare a multiple of the low, demand over seats near the load."""
    spokes = 5
    network = hub_network(spokes=spokes, load=load, ratio=8, seed=4)
    assert network.resources == 2 * spokes
    assert network.products == 2 * spokes * (spokes + 1)
    assert (network.fare_usd[1::2] == 8 * network.fare_usd[::2]).all()
    assert np.allclose(network.arrival_prob.sum(axis=1), 1.0)
    demand = network.usage() @ network.expected_demand
    assert demand.sum() / network.capacity.sum() == pytest.approx(load, rel=0.03)
    low, high = network.arrival_prob[:, ::2], network.arrival_prob[:, 1::2]
    assert (np.diff(low, axis=0) <= 1e-12).all()
    assert (np.diff(high, axis=0) >= -1e-12).all()


def test_a_seed_gives_the_same_places_at_every_load() -> None:
    """Load and ratio change seats and high fares only; another seed changes all."""
    one, two = (hub_network(spokes=3, load=load, ratio=4, seed=7) for load in (1.0, 1.6))
    assert (one.arrival_prob == two.arrival_prob).all()
    assert (one.fare_usd == two.fare_usd).all()
    assert (one.capacity > two.capacity).all()
    assert not np.array_equal(hub_network(spokes=3, load=1.0, ratio=4, seed=8).arrival_prob, one.arrival_prob)


def test_impossible_hub_problems_and_too_large_exact_ones_are_refused() -> None:
    """The caller is told what to give instead."""
    with pytest.raises(InputError, match="no hub problem"):
        hub_network(spokes=0, load=1.0, ratio=4, seed=1)
    with pytest.raises(InputError, match="combinations"):
        optimum_usd(hub_network(spokes=4, load=1.0, ratio=4, seed=1))
