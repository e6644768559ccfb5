"""Tiny random networks, small enough for exact answers, with gangs and requests over several resources."""

import numpy as np

from acreage.desk.network.problem import Network, Product, network_of


def tiny_network(seed: int) -> Network:
    """One to three resources of 0 to 5 units, two to six products of 1 to 3 units each, 3 to 12 periods."""
    rng = np.random.default_rng(seed)
    names = [f"r{number}" for number in range(rng.integers(1, 4))]
    capacity = {name: int(rng.integers(0 if rng.random() < 0.1 else 1, 6)) for name in names}
    products = []
    for number in range(rng.integers(2, 7)):
        touched = rng.choice(names, size=rng.integers(1, len(names) + 1), replace=False)
        units = {str(name): int(rng.integers(1, 4)) for name in touched}
        products.append(Product(name=f"p{number}", fare_usd=float(rng.integers(0, 50)), units=units))
    periods = int(rng.integers(3, 13))
    prob = rng.random((periods, len(products))) * (rng.random((periods, len(products))) < 0.7)
    total = np.maximum(prob.sum(axis=1, keepdims=True), 1e-12)
    return network_of(capacity, products, prob / total * rng.uniform(0.5, 1.0, size=(periods, 1)))
