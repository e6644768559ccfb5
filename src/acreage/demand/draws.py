"""Random numbers that stay put: one stream a name, stratified over the futures.

A stream's seed is the portfolio's seed and a hash of the name, so that an offer more or less
changes no other draw. Over S futures each draw is a Latin hypercube sample (McKay, Beckman
and Conover, 1979): one value in each of S equally likely strata, in random order. That is best for
planning; where intervals are wanted, futures are drawn independently of each other instead.
"""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """The source of all draws of `futures` futures.

    Draws of another `source` have nothing in common, whatever the seed. `stratified` says whether
    the futures share out the strata, or are independent of each other.
    """

    seed: int
    futures: int
    source: str = ""
    stratified: bool = True

    def generator(self, name: str) -> np.random.Generator:
        """The stream of a name."""
        key = int.from_bytes(blake2b(f"{self.source}{name}".encode(), digest_size=16).digest(), "big")
        return np.random.default_rng(np.random.SeedSequence([self.seed, key]))

    def uniform(self, name: str, dimensions: int = 1) -> Array:
        """Uniforms in (0, 1), shape (futures, dimensions), stratified or independent."""
        rng = self.generator(name)
        if not self.stratified:
            return np.clip(rng.uniform(size=(self.futures, dimensions)), 1e-12, 1.0 - 1e-12)
        strata = np.stack([rng.permutation(self.futures) for _ in range(dimensions)], axis=1)
        inside = rng.uniform(size=(self.futures, dimensions))
        return np.clip((strata + inside) / self.futures, 1e-12, 1.0 - 1e-12)

    def normal(self, name: str, dimensions: int = 1) -> Array:
        """Standard normals from `uniform`, shape (futures, dimensions)."""
        return np.asarray(ndtri(self.uniform(name, dimensions)))

    def walk(self, name: str, years: Array) -> Array:
        """Brownian paths at `years` (T,) from the planning day, variance 1 a year: shape (futures, T).

        Built from the principal components of the walk's covariance min(s, t), so that the
        stratified first draws carry the path's overall level (Karhunen-Loeve).
        """
        values, vectors = np.linalg.eigh(np.minimum.outer(years, years))
        vectors = vectors * np.where(vectors.sum(axis=0) < 0.0, -1.0, 1.0)
        order = np.argsort(-values)
        loadings = vectors[:, order] * np.sqrt(np.maximum(values[order], 0.0))
        return np.asarray(self.normal(name, len(years)) @ loadings.T)
