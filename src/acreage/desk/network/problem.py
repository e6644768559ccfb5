"""The network problem: requests that take units of several resources at once.

A *resource* is what is sold out as one number: a pool in a period, a flight leg. A *product* is a
kind of request: its fare and the units it takes of every resource it touches, several units of one
resource being a gang. In each of T periods at most one request comes; it is for product j with
probability `arrival_prob[t, j]`, and it is accepted whole or refused for good.

Shapes used throughout this room: T periods, L resources, J products, K the most resources any
product touches, P pairs of a product and a resource it touches, sorted by resource.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acreage.units.errors import InputError, Place

Vector = NDArray[np.float64]
Count = NDArray[np.int64]

PROBABILITY_TOLERANCE = 1e-9
"""By how much the probabilities of one period may pass 1 for rounding's sake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A kind of request: `fare_usd` is paid once if it is accepted, `units` of each resource are then gone."""

    name: str
    fare_usd: float
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A validated problem, made by `network_of`; its arrays are read-only.

    `capacity` (L,) units; `fare_usd` (J,); `arrival_prob` (T, J), the rest of each row is the chance of no request.
    `touched` (J, K) resource numbers and `taken` (J, K) their units; a product that touches fewer than K resources
    takes 0 units of resource 0 in what is left of its row.
    """

    resource_names: tuple[str, ...]
    product_names: tuple[str, ...]
    capacity: Count
    fare_usd: Vector
    touched: Count
    taken: Count
    arrival_prob: Vector

    @property
    def periods(self) -> int:
        """How many periods there are, T."""
        return int(self.arrival_prob.shape[0])

    @property
    def resources(self) -> int:
        """How many resources there are, L."""
        return int(self.capacity.shape[0])

    @property
    def products(self) -> int:
        """How many products there are, J."""
        return int(self.fare_usd.shape[0])

    @property
    def expected_demand(self) -> Vector:
        """Requests expected over the whole horizon, by product (J,)."""
        return np.asarray(self.arrival_prob.sum(axis=0))

    def usage(self) -> Vector:
        """The dense matrix of units taken (L, J), for the linear programs."""
        matrix = np.zeros((self.resources, self.products))
        np.add.at(matrix, (self.touched.T, np.arange(self.products)), self.taken.T)
        return matrix

    def pairs(self) -> "Pairs":
        """Every product with every resource it touches, sorted by resource."""
        product, slot = np.nonzero(self.taken)
        resource = self.touched[product, slot]
        order = np.argsort(resource, kind="stable")
        return Pairs(
            product=product[order], slot=slot[order], resource=resource[order], taken=self.taken[product, slot][order]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Products with the resources they touch, all (P,); `slot` is the column of `touched` the pair comes from."""

    product: Count
    slot: Count
    resource: Count
    taken: Count


def network_of(capacity: Mapping[str, int], products: Sequence[Product], arrival_prob: Vector) -> Network:
    """Build and check a network problem.

    `capacity` in units by resource; `arrival_prob` (T, J) in the order of `products`. Raises `InputError` for a
    capacity below 0, a product that takes nothing, takes less than one unit, or names an unknown resource, a fare
    that is not a finite amount, names given twice, and probabilities that are negative or pass 1 within a period.
    """
    numbers = {name: number for number, name in enumerate(capacity)}
    _check_names([product.name for product in products])
    for name, units in capacity.items():
        if units < 0 or units != int(units):
            raise _error(name, f"has a capacity of {units} units", "give a whole number of at least 0")
    for product in products:
        _check_product(product, numbers)
    slots = max((len(product.units) for product in products), default=1)
    touched = np.zeros((len(products), slots), dtype=np.int64)
    taken = np.zeros((len(products), slots), dtype=np.int64)
    for row, product in enumerate(products):
        for column, (name, units) in enumerate(product.units.items()):
            touched[row, column], taken[row, column] = numbers[name], units
    network = Network(
        resource_names=tuple(capacity),
        product_names=tuple(product.name for product in products),
        capacity=np.array(list(capacity.values()), dtype=np.int64),
        fare_usd=np.array([product.fare_usd for product in products], dtype=np.float64),
        touched=touched,
        taken=taken,
        arrival_prob=_checked_probabilities(arrival_prob, len(products)),
    )
    for array in (network.capacity, network.fare_usd, network.touched, network.taken, network.arrival_prob):
        array.setflags(write=False)
    return network


def _error(name: str, what: str, fix: str) -> InputError:
    return InputError(f"{name} {what}", fix=fix, place=Place(file="network", field=name))


def _check_names(names: Sequence[str]) -> None:
    if not names:
        raise InputError("the network has no products", fix="give at least one kind of request")
    repeated = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    if repeated:
        raise InputError(f"products share the name {min(repeated)!r}", fix="give each product a name of its own")


def _check_product(product: Product, numbers: Mapping[str, int]) -> None:
    if not (np.isfinite(product.fare_usd) and product.fare_usd >= 0):
        raise _error(product.name, f"has a fare of {product.fare_usd} USD", "give a finite amount of at least 0")
    if not product.units:
        raise _error(product.name, "takes no resource", "name at least one resource and its units")
    for name, units in product.units.items():
        if name not in numbers:
            raise _error(product.name, f"takes {name!r}, which is not a resource", "name one of the capacities")
        if units < 1 or units != int(units):
            raise _error(product.name, f"takes {units} units of {name}", "give a whole number of at least 1")


def _checked_probabilities(arrival_prob: Vector, products: int) -> Vector:
    prob = np.array(arrival_prob, dtype=np.float64)
    if prob.ndim != 2 or prob.shape[0] < 1 or prob.shape[1] != products:
        raise InputError(
            f"arrival probabilities have the shape {prob.shape}", fix=f"give periods x {products} products"
        )
    if not np.isfinite(prob).all() or (prob < 0).any():
        raise InputError("an arrival probability is negative or not a number", fix="give numbers from 0 to 1")
    worst = int(prob.sum(axis=1).argmax())
    if prob[worst].sum() > 1 + PROBABILITY_TOLERANCE:
        raise InputError(
            f"the arrival probabilities of period {worst} add up to {prob[worst].sum():.6g}",
            fix="at most one request comes in a period: use shorter periods",
        )
    return prob
