"""The lessor's nouns: a desk with its pools, its anchor tenant, tiers and rules; requests and the answers they get."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from acreage.domain.tariff import PriceFactors
from acreage.units.ids import AcceleratorName, LesseeName, PoolId, QuoteId
from acreage.units.instants import Instant
from acreage.units.money import MicroUsd


class Tier(StrEnum):
    """What is sold below the anchor, the firmest promise first."""

    CONTRACTED = "contracted"
    RESERVED = "reserved"
    ON_DEMAND = "on_demand"
    SPOT = "spot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From `from_at` on, so many accelerators, until the next step."""

    from_at: Instant
    accelerators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPool:
    """A pool that the desk leases out; `capacity` are its accelerators by period, spares already set aside."""

    id: PoolId
    accelerator: AcceleratorName
    region: str
    capacity: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorOption:
    """The anchor's right to `accelerators` more from `from_at` on; it is called with `probability_frac`."""

    from_at: Instant
    accelerators: int
    probability_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPoint:
    """What the anchor is expected to call on a day, mean and standard deviation in accelerators."""

    at: Instant
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorContract:
    """What the anchor has a right to in one pool, and what it is expected to call of it.

    Its right is `ramp` plus options. Between forecast points the forecast is linear; without points all
    of the ramp is expected to be called.
    """

    pool: PoolId
    ramp: tuple[Step, ...]
    options: tuple[AnchorOption, ...] = ()
    forecast: tuple[ForecastPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The protected first customer.

    It says `call_notice_days` ahead what it will use. Each accelerator-hour it is short of costs
    `damages_micro_usd`; how long its need stays above or below the forecast is `persistence_days`.
    """

    name: str
    call_notice_days: int
    damages_micro_usd: MicroUsd
    persistence_days: float
    contracts: tuple[AnchorContract, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A log-normal law by its median and 90th percentile."""

    median: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TierDemand:
    """Requests expected for a pool: how often, of what size, for how long, how far ahead, at what bid."""

    pool: PoolId
    requests_per_day: float
    accelerators: Spread
    days: Spread
    lead_days: Spread
    bid_usd_per_accelerator_hour: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeUpCurve:
    """Of who asks for the price in a pool, 1 / (1 + exp(slope (p - middle))) take p USD an accelerator-hour."""

    pool: PoolId
    middle_usd: float
    slope_per_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTerms:
    """How one tier is sold: recallable with `recall_notice_days`, or firm (None); never below the floor.

    `list_micro_usd` is asked an accelerator-hour of who names no bid: with `factors` by quantity and time, or,
    in the pools of `take_up`, replaced by the price that earns most.
    """

    tier: Tier
    recall_notice_days: int | None
    floor_micro_usd: MicroUsd
    list_micro_usd: MicroUsd
    demand: tuple[TierDemand, ...] = ()
    factors: PriceFactors | None = None
    take_up: tuple[TakeUpCurve, ...] = ()

    @property
    def firm(self) -> bool:
        """Whether the lessor cannot take it back."""
        return self.recall_notice_days is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bursts:
    """Times in which requests come `factor` times as often: so many a year, each of `days`."""

    per_year: float
    factor: float
    days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRules:
    """What the desk never does, and how it quotes.

    On no day may the anchor be short with a probability above `anchor_short_max_frac`. Of what the
    anchor has a right to, at most `overbooking_max_frac` may be leased firm to others. Recallable leases
    are quoted where they are recalled with at most `recall_max_frac`; an hour recalled is compensated
    with `recall_compensation_micro_usd`. A quote stands for `quote_valid_s`; prices are multiples of
    `tick_micro_usd`; quantities of counter-offers are multiples of `block_accelerators`; other dates are
    looked for up to `counter_days_max` later.
    """

    anchor_short_max_frac: float
    overbooking_max_frac: float
    recall_max_frac: float
    recall_compensation_micro_usd: MicroUsd
    quote_valid_s: int
    tick_micro_usd: MicroUsd
    block_accelerators: int
    counter_days_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A lessor's desk: everything it plans with; `digest` identifies the document it was read from."""

    name: str
    lessor: str
    horizon_days: int
    pools: tuple[DeskPool, ...]
    anchor: Anchor
    tiers: tuple[TierTerms, ...]
    rules: DeskRules
    bursts: Bursts | None
    lessees: tuple[LesseeName, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """So many accelerators in one pool over [from_at, until_at)."""

    pool: PoolId
    accelerators: int
    from_at: Instant
    until_at: Instant

    @property
    def accelerator_seconds(self) -> int:
        """How many times how long."""
        return self.accelerators * (self.until_at - self.from_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRequest:
    """`accelerators` in one of `pools` over [from_at, until_at) for a lessee, all or nothing.

    `bid_micro_usd` is offered for an accelerator-hour; None asks for the price. With `parts` all of these are asked for
    together: then `pools` are theirs, `accelerators` the most at any time, and the window reaches from the first
    to the last.
    """

    lessee: LesseeName
    tier: Tier
    pools: tuple[PoolId, ...]
    accelerators: int
    from_at: Instant
    until_at: Instant
    bid_micro_usd: MicroUsd | None
    parts: tuple[Part, ...] = ()

    @property
    def accelerator_seconds(self) -> int:
        """How many times how long, all parts together."""
        if self.parts:
            return sum(part.accelerator_seconds for part in self.parts)
        return self.accelerators * (self.until_at - self.from_at)


def most_at_once(parts: Sequence[Part]) -> int:
    """The most accelerators of parts that run at one time, in all pools together."""
    return max(sum(part.accelerators for part in parts if part.from_at <= one.from_at < part.until_at) for one in parts)


class Verdict(StrEnum):
    """What the desk says to a request."""

    ACCEPT = "accept"
    COUNTER = "counter"
    REFUSE = "refuse"


class Because(StrEnum):
    """The rule that keeps a request from being accepted as it stands."""

    NOTHING = "nothing"
    CAPACITY = "capacity"
    ANCHOR = "anchor"
    RECALL = "recall"
    PRICE = "price"
    FLOOR = "floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an answer is what it is, in figures of the tightest day; for the desk and the auditor only.

    `free` could be leased that day under the rules; `protected` are kept for the anchor, who has a right to
    `contracted`. The anchor is short with `short_before_frac` as the books stand and `short_after_frac`
    once this is leased too, against `short_max_frac`; a recallable lease is recalled with `recall_frac`.
    `displacement_usd` is what the request is expected to push out, damages to the anchor included.
    """

    because: Because
    pool: PoolId
    tightest_at: Instant
    free: int
    capacity: int
    firm: int
    recallable: int
    protected: int
    contracted: int
    short_before_frac: float
    short_after_frac: float
    short_max_frac: float
    recall_frac: float
    displacement_usd: float
    revenue_usd: float
    floor_micro_usd: MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the desk would sign: in which pool, how many, when, at which price an accelerator-hour.

    With `parts` all of these at that price: then `pool` is the first one's, the rest as in `LeaseRequest`.
    """

    pool: PoolId
    accelerators: int
    from_at: Instant
    until_at: Instant
    micro_usd: MicroUsd
    parts: tuple[Part, ...] = ()

    def each(self) -> tuple[Part, ...]:
        """The parts, or the terms as one part."""
        one = Part(pool=self.pool, accelerators=self.accelerators, from_at=self.from_at, until_at=self.until_at)
        return self.parts or (one,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The desk's answer: what it would sign as asked (`offer`), or what else (`counters`), and why."""

    verdict: Verdict
    offer: Terms | None
    counters: tuple[Terms, ...]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """An answer as given: to which request, from which tables, until when it stands."""

    id: QuoteId
    request: LeaseRequest
    answer: Answer
    tables: str
    given_at: Instant
    valid_until_at: Instant
