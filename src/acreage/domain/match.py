"""What the four-way match says: leased against delivered against used against invoiced."""

from dataclasses import dataclass
from enum import StrEnum

from acreage.domain.contract import Side
from acreage.units.ids import LeaseId, ProviderId
from acreage.units.instants import Instant
from acreage.units.money import MicroUsd


class Mismatch(StrEnum):
    """What is wrong between two of the four."""

    BILLED_NOT_DELIVERED = "billed_not_delivered"
    WRONG_UNIT_PRICE = "wrong_unit_price"
    LATE_DAMAGES_OWED = "late_damages_owed"
    SLA_CREDIT_OWED = "sla_credit_owed"
    PREPAYMENT_NOT_CREDITED = "prepayment_not_credited"
    USED_NOT_BILLED = "used_not_billed"
    DELIVERED_NOT_BILLED = "delivered_not_billed"
    IDLE_BILLED = "idle_billed"


class Remedy(StrEnum):
    """Who is owed: `claim` is owed to us, `owe` by us, `waste` by nobody."""

    CLAIM = "claim"
    OWE = "owe"
    WASTE = "waste"


REMEDY = {
    Mismatch.USED_NOT_BILLED: Remedy.OWE,
    Mismatch.DELIVERED_NOT_BILLED: Remedy.OWE,
    Mismatch.IDLE_BILLED: Remedy.WASTE,
}
"""The remedy of each mismatch of a lease that we hold and that is not a claim."""

ACROSS = {Remedy.CLAIM: Remedy.OWE, Remedy.OWE: Remedy.CLAIM}
"""The remedy of a lease that we let: what a lessee may claim we owe, and the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchFinding:
    """One mismatch of a lease and month with its money, positive (a price too low: negative).

    `side` is that of the lease. `accelerator_seconds` is the quantity it concerns, 0 where it concerns none.
    """

    kind: Mismatch
    lease: LeaseId
    side: Side
    month: Instant
    accelerator_seconds: int
    micro_usd: MicroUsd
    message: str

    @property
    def remedy(self) -> Remedy:
        """Who is owed."""
        held = REMEDY.get(self.kind, Remedy.CLAIM)
        return held if self.side is Side.HELD else ACROSS.get(held, held)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRow:
    """One lease and calendar month in accelerator-seconds and micro-dollars.

    `used` is None where no use of the lease was metered in the month. `expected` is what the contract
    says is due for what was delivered and used. `invoiced` is false where the bill is still to come.
    """

    lease: LeaseId
    side: Side
    provider: ProviderId
    month: Instant
    leased: int
    delivered: int
    used: int | None
    billed: int
    expected_micro_usd: MicroUsd
    billed_micro_usd: MicroUsd
    other_micro_usd: MicroUsd
    credit_owed_micro_usd: MicroUsd
    credit_micro_usd: MicroUsd
    invoiced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """Charges of a provider that belong to no lease in the books."""

    provider: ProviderId
    description: str
    rows: int
    micro_usd: MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The whole comparison up to `until_at`: rows by lease and month, findings, charges without a lease."""

    until_at: Instant
    rows: tuple[MatchRow, ...]
    findings: tuple[MatchFinding, ...]
    unmatched: tuple[Unmatched, ...]
