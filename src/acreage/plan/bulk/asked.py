"""What is asked in bulk, and what of it cannot be read off the portfolio alone."""

from dataclasses import dataclass

from acreage.domain.bulk import Kind
from acreage.plan.bulk.concentration import CAPS_FRAC
from acreage.plan.bulk.frontier import WEIGHTS_FRAC
from acreage.units.ids import ProviderId
from acreage.units.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A delivery that may still slip: the key of its delay, its provider, its date as promised (offers: the first)."""

    source: str
    provider: ProviderId
    index: int
    due_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The kinds of questions, the deliveries that may slip, and the scales; `seed` deals the split by chance."""

    kinds: frozenset[Kind]
    pending: tuple[Pending, ...]
    seed: int
    weights_frac: tuple[float, ...] = WEIGHTS_FRAC
    caps_frac: tuple[float, ...] = CAPS_FRAC
