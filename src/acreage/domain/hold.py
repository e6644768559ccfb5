"""A hold: a claim on delivered capacity, asked for, answered, and settled in two phases."""

from dataclasses import dataclass
from enum import StrEnum

from acreage.units.ids import PoolId
from acreage.units.instants import Instant


class HoldState(StrEnum):
    """Where a hold stands: pending claims capacity until it is posted, voided or expired."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"
    RELEASED = "released"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """`accelerators` of a pool over [from_at, until_at) for `holder`, a job or a sublessee.

    With `timeout_s` the hold is pending for that long and lapses unless it is posted; without, it is
    posted at once. `id` is made by who asks, and is the idempotency key.
    """

    id: str
    pool: PoolId
    accelerators: int
    from_at: Instant
    until_at: Instant
    holder: str
    timeout_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """From `from_at` to `until_at` fewer accelerators are delivered than the hold claims, by `short`."""

    short: int
    from_at: Instant
    until_at: Instant
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold and where it stands.

    `accelerators` is what it claims now (after a part-post), `asked` what was asked for.
    `until_at` is its end, or when it was released. `placed_seq` is the place of its promise in the
    pool's chain: the oldest promise has the smallest.
    """

    id: str
    pool: PoolId
    holder: str
    state: HoldState
    asked: int
    accelerators: int
    from_at: Instant
    until_at: Instant
    placed_at: Instant
    placed_seq: int
    expires_at: Instant | None
    breaches: tuple[Breach, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAnswer:
    """What became of a request.

    A placed hold has `headroom`, what stays free at the tightest instant of its window. A refused
    one has `largest`, the most accelerators that could be had over the window, and `earliest_at`,
    the first instant from which the whole request fits (None: never, as things stand); `because` is
    "capacity", or "batch" where another request of an all-or-nothing batch did not fit.
    """

    id: str
    state: HoldState
    headroom: int = 0
    largest: int = 0
    earliest_at: Instant | None = None
    because: str = ""
    expires_at: Instant | None = None
