"""Offers and how they were answered, and the reasons for which answers may say nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from acreage.desk.prices.responses import Array
from acreage.units.errors import InputError


class Unknown(StrEnum):
    """Why answers say nothing of how take-up falls with price."""

    TOO_FEW = "too few"
    NO_VARIATION = "no variation"
    SEPARATED = "separated"
    FLAT = "flat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unidentified:
    """There is no number to give: `reason` for machines, `what` for people."""

    reason: Unknown
    what: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """Offers answered: prices (N,), whether accepted (N,), and covariates (N, K) such as size, term and lead time."""

    prices_usd: Array
    accepted: NDArray[np.bool_]
    covariates: Array
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (self.prices_usd.size, len(self.names))
        fits = self.prices_usd.ndim == 1 and self.accepted.shape == shape[:1] and self.covariates.shape == shape
        if not fits or not bool(np.isfinite(self.prices_usd).all() and np.isfinite(self.covariates).all()):
            raise InputError("answers to offers", fix="give as many prices, answers and rows of covariates, all finite")


def answers(
    prices_usd: Sequence[float],
    accepted: Sequence[bool],
    covariates: Sequence[Sequence[float]] = (),
    names: tuple[str, ...] = (),
) -> Answers:
    """`Answers` from plain sequences; raises `InputError` if they do not fit together."""
    rows = np.asarray(covariates, dtype=np.float64).reshape(len(prices_usd), -1) if names else np.zeros((0, 0))
    return Answers(
        prices_usd=np.asarray(prices_usd, dtype=np.float64),
        accepted=np.asarray(accepted, dtype=np.bool_),
        covariates=rows if names else np.zeros((len(prices_usd), 0)),
        names=names,
    )
