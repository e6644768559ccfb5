"""Random numbers that stay put: one stream a name, stratified over the futures.

A stream's seed is the portfolio's seed and a hash of the name, so that an offer more or less
changes no other draw. Over S futures each draw is a Latin hypercube sample (McKay, Beckman
and Conover, 1979): one value in each of S equally likely strata, in random order. That is best for
planning; where intervals are wanted, futures are drawn independently of each other instead.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """The source of all draws of `futures` futures, or of a `part` of them, which are those of the whole.

    Draws of another `source` have nothing in common, whatever the seed. `stratified` says whether
    the futures share out the strata, or are independent of each other. Arrays have a row for each
    future of the part.
    """

    seed: int
    futures: int
    source: str = ""
    stratified: bool = True
    part: range | None = None

    @property
    def numbers(self) -> range:
        """The numbers, from 0, of the futures that are drawn."""
        return range(self.futures) if self.part is None else self.part

    def whole(self) -> "Draws":
        """The draws of all futures."""
        return replace(self, part=None)

    def generator(self, name: str) -> np.random.Generator:
        """The stream of a name."""
        key = int.from_bytes(blake2b(f"{self.source}{name}".encode(), digest_size=16).digest(), "big")
        return np.random.default_rng(np.random.SeedSequence([self.seed, key]))

    def uniform(self, name: str, dimensions: int = 1) -> Array:
        """Uniforms in (0, 1), shape (futures, dimensions), stratified or independent."""
        return self._kept(self._uniform(name, dimensions, None))

    def normal(self, name: str, dimensions: int = 1) -> Array:
        """Standard normals from `uniform`, shape (futures, dimensions)."""
        return np.asarray(ndtri(self.uniform(name, dimensions)))

    def walk(self, name: str, years: Array, edges: Array | None = None) -> Array:
        """Brownian paths at `years` (T,) from the planning day, variance 1 a year: shape (futures, T).

        `edges` (futures + 1,), from 0 to 1, are those of strata of the first draw that are not equally likely.
        """
        # All rows are multiplied and some kept: a product of fewer rows may round differently.
        return self._kept(ndtri(self._uniform(name, len(years), edges)) @ _components(tuple(years)).T)

    def probability(self, name: str, edges: Array) -> Array:
        """The probability (futures,) of the stratum of `edges` that each future's first draw of a walk lies in."""
        return self._kept(np.diff(edges)[self.generator(name).permutation(self.futures)])

    def _uniform(self, name: str, dimensions: int, edges: Array | None) -> Array:
        rng = self.generator(name)
        if not self.stratified:
            return np.clip(rng.uniform(size=(self.futures, dimensions)), 1e-12, 1.0 - 1e-12)
        strata = np.stack([rng.permutation(self.futures) for _ in range(dimensions)], axis=1)
        inside = rng.uniform(size=(self.futures, dimensions))
        drawn = (strata + inside) / self.futures
        if edges is not None:
            first = strata[:, 0]
            drawn[:, 0] = edges[first] + inside[:, 0] * (edges[first + 1] - edges[first])
        return np.clip(drawn, 1e-12, 1.0 - 1e-12)

    def _kept(self, rows: Array) -> Array:
        return np.ascontiguousarray(rows[self.numbers.start : self.numbers.stop]) if self.part is not None else rows


@lru_cache(maxsize=8)
def _components(years: tuple[float, ...]) -> Array:
    """Loadings (T, T) of independent draws on a Brownian path at `years`, those that say most first.

    The principal components of the walk's covariance min(s, t), so that the stratified first draws carry the path's
    overall level (Karhunen-Loeve).
    """
    values, vectors = np.linalg.eigh(np.minimum.outer(years, years))
    vectors = vectors * np.where(vectors.sum(axis=0) < 0.0, -1.0, 1.0)
    order = np.argsort(-values)
    return np.asarray(vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0)))
