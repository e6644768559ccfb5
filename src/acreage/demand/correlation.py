"""Correlation matrices of the common factors: whether one is, what makes a walk have it, the nearest that is."""

import numpy as np

from acreage.demand.draws import Array

NEGATIVE_MAX = -1e-9
"""An eigenvalue below this is not rounding."""

ROUNDS = 200


def loadings(correlation: Array) -> Array:
    """Loadings (n, k) of k independent walks on n factors so correlated, the heaviest walk first and pointing up.

    The principal components of the matrix (Jolliffe, Principal Component Analysis, 2nd edition, section 3.1), without
    those of no weight: factors of correlation 1 are one walk.
    """
    values, vectors = np.linalg.eigh(correlation)
    order = [i for i in np.argsort(-values) if values[i] > 1e-12]
    found = vectors[:, order] * np.sqrt(values[order])
    return np.asarray(found * np.where(found.sum(axis=0) < 0.0, -1.0, 1.0))


def smallest_eigenvalue(matrix: Array) -> float:
    """The smallest eigenvalue of a symmetric matrix."""
    return float(np.linalg.eigvalsh(matrix)[0])


def nearest_correlation(matrix: Array, decimals: int = 3) -> Array:
    """The correlation matrix nearest to a symmetric matrix, rounded, and mixed with no correlation until valid so.

    Alternating projections onto matrices without negative eigenvalues and those of unit diagonal, the first with
    Dykstra's correction: Higham, Computing the nearest correlation matrix, IMA Journal of Numerical Analysis 22 (2002),
    algorithm 3.3.
    """
    near, correction = np.array(matrix, dtype=float), np.zeros_like(matrix, dtype=float)
    for _ in range(ROUNDS):
        values, vectors = np.linalg.eigh(near - correction)
        positive = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = positive - (near - correction)
        near = positive.copy()
        np.fill_diagonal(near, 1.0)
    # Both halves must round alike: a projection is symmetric but for the last bit.
    near = (near + near.T) / 2.0
    for mixed in np.linspace(0.0, 1.0, 1001):
        rounded = np.round((1.0 - mixed) * near + mixed * np.eye(len(near)), decimals)
        if smallest_eigenvalue(rounded) >= 0.0:
            break
    return np.asarray(rounded + 0.0)
