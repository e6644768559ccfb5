"""A lease as the books keep it: what was agreed, with whom, and the words for where it stands."""

from dataclasses import dataclass
from enum import StrEnum

from acreage.domain.lease import Lease
from acreage.domain.terms import SpendCommitment
from acreage.units.ids import AcceleratorName, CommitmentId, OfferId
from acreage.units.instants import Duration, Instant
from acreage.units.money import MicroUsd

NOTHING = MicroUsd(0)


class LeaseState(StrEnum):
    """The life cycle of a contract commitment in FOCUS's words."""

    PROPOSED = "Proposed"
    PENDING = "Pending"
    ACTIVE = "Active"
    EXHAUSTED = "Exhausted"
    EXPIRED = "Expired"
    CANCELED = "Canceled"
    SUPERSEDED = "Superseded"


class Side(StrEnum):
    """Which side of a lease the books are kept for: `held` as lessee, `let` as lessor.

    `own` is capacity that belongs to whoever keeps the books: nobody leases it out to them, nobody bills it.
    """

    HELD = "held"
    LET = "let"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaStep:
    """Availability in a month below `below_frac` earns a credit of `credit_frac` of that month's fee."""

    below_frac: float
    credit_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """The right to renew for `duration`, to be declared at least `notice_days` before the end."""

    duration: Duration
    notice_days: int
    automatic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReference:
    """A paper the contract rests on, kept elsewhere: `sha256` proves which version was meant."""

    title: str
    reference: str
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A lease with everything the books need beyond what the plan needs.

    `lease.deliveries` is the schedule as promised, with its liquidated damages. `counterparty`
    is who signed on the other side (for a lease that is let: the lessee). `price_frac` is the
    quantity tier's. `upfront_micro_usd` is paid at signing and not set off. `vendor_ids` are the
    names under which the provider bills it (reservation, commitment discount, sub-account).
    `commitment` is the spend commitment its fees draw on.
    """

    lease: Lease
    side: Side = Side.HELD
    counterparty: str
    accelerator: AcceleratorName
    currency: str = "USD"
    price_frac: float = 1.0
    upfront_micro_usd: MicroUsd = NOTHING
    offer: OfferId | None = None
    commitment: CommitmentId | None = None
    renewal: Renewal | None = None
    sla: tuple[SlaStep, ...] = ()
    sublease_allowed: bool = False
    vendor_ids: tuple[str, ...] = ()
    documents: tuple[DocumentReference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendContract:
    """A spend commitment as the books keep it; `expires_at` is when what is not drawn is lost."""

    id: CommitmentId
    spend: SpendCommitment
    expires_at: Instant
    currency: str = "USD"
    description: str = ""
    documents: tuple[DocumentReference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A day by which something about a contract must be done or on which it happens.

    `kind` is "expiry", "renewal", "termination", "milestone", "delivery" or "offer"; `subject`
    the contract's id.
    """

    at: Instant
    kind: str
    subject: str
    summary: str
    description: str
