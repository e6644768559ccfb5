"""A request for quotes: what is asked of whom, what came back, and everything that happens to it until its award.

Money terms of an answer are those of any offer; what an offer does not carry into the plan (service
credits, energy billed apart, the vendor's own names) stands in the `Quote` around it.
"""

from dataclasses import dataclass
from enum import StrEnum

from acreage.domain.auction import PaymentRule
from acreage.domain.contract import NOTHING, SlaStep
from acreage.domain.lease import Offer
from acreage.units.ids import AcceleratorName, OfferId, PoolId, ProviderId, RfqId
from acreage.units.instants import Duration, Instant
from acreage.units.money import MicroUsd


class Disclosure(StrEnum):
    """What vendors learn between rounds: `sealed` nothing, `open` the best comparable price so far, not whose."""

    SEALED = "sealed"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A lot: capacity wanted over [from_at, until_at) on any of `accelerators`, the first being the reference.

    Either `quantity` accelerators of the reference chip or `effective_pflops` (peak x MFU x goodput) are asked.
    """

    id: str
    accelerators: tuple[AcceleratorName, ...]
    quantity: int | None
    effective_pflops: float | None
    from_at: Instant
    until_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedTerms:
    """What the buyer would like; an answer may differ, and the comparison prices the difference."""

    term_min: Duration | None = None
    term_max: Duration | None = None
    prepayment_max_frac: float | None = None
    recall_allowed: bool = True
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A vendor that is asked, with the pools it may offer from.

    `reference` is drawn at random for each vendor: it names the request to that vendor and says nothing else.
    """

    provider: ProviderId
    name: str
    reference: str
    pools: tuple[PoolId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rfq:
    """A request for quotes as created.

    `portfolio` is the file it is planned with; `answers_until_at` the deadline of the first round, None:
    `answers_within` from the day it is sent, as for later rounds.
    """

    id: RfqId
    title: str
    buyer: str
    portfolio: str
    disclosure: Disclosure
    needs: tuple[Need, ...]
    wanted: WantedTerms
    vendors: tuple[Asked, ...]
    answers_within: Duration
    answers_until_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round of asking; after a `best_and_final` one there is no other."""

    number: int
    answers_until_at: Instant
    best_and_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One offer of an answer, as it came.

    `vendor_id` is the vendor's own name for it; the same name in a later answer takes its place.
    `energy_micro_usd_per_accelerator_hour` is billed on top and already in the price of `offer`,
    whose `terms.price` is what is planned with. `row` is where it stood in its file.
    """

    offer: Offer
    vendor_id: str
    need: str = ""
    bundle: str = ""
    either_or: str = ""
    sla: tuple[SlaStep, ...] = ()
    energy_micro_usd_per_accelerator_hour: MicroUsd = NOTHING
    notes: str = ""
    row: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one vendor sent in one file; `late` if it came after the round's deadline and was accepted all the same.

    `withdrawn` are the vendor's own names of offers it takes back.
    """

    provider: ProviderId
    round: int
    file: str
    sha256: str
    received_at: Instant
    late: bool
    quotes: tuple[Quote, ...]
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """An offer taken back outside of an answer."""

    offer: OfferId
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a counter asks for in one offer, and the same in words for the vendor."""

    offer: OfferId
    vendor_id: str
    usd_per_accelerator_hour: float | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A counter-offer to one vendor; it is sent with the next round's document."""

    provider: ProviderId
    asks: tuple[Ask, ...]
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Win:
    """Blocks of an offer that were awarded; `bid_usd` and `paid_usd` are discounted payments within the horizon."""

    offer: OfferId
    provider: ProviderId
    accelerators: int
    starts_at: Instant
    ends_at: Instant
    lease: str
    bid_usd: float
    paid_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """An offer that was not awarded, and why."""

    offer: OfferId
    provider: ProviderId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """The outcome and how it came about.

    `values_usd` is what the best plan costs: the award's, and without some offers or vendors, as its names say.
    `sha256` is that of the award's own document.
    """

    rule: PaymentRule
    winners: tuple[Win, ...]
    losers: tuple[Lost, ...]
    ties: tuple[str, ...]
    objective_usd: float
    gap_frac: float
    values_usd: dict[str, float]
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """The request is called off."""

    reason: str = ""


RfqEvent = Rfq | Round | Answer | Withdrawal | Counter | Award | Cancellation
"""What happens to a request, in the order of its chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event with its instant, who recorded it and the id of its fact."""

    at: Instant
    actor: str
    fact: str
    event: RfqEvent
