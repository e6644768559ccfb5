"""The clauses that leases held and offers on the table share."""

from dataclasses import dataclass
from enum import StrEnum

from acreage.domain.price import Price
from acreage.domain.provider import DelayModel
from acreage.units.ids import AcceleratorName, ProviderId
from acreage.units.instants import Duration, Instant
from acreage.units.money import MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Tranche:
    """A part of a lease that is delivered on its own date, `after` the lease's start.

    Later than `grace_days` the fee of the late days is reduced by `late_discount_frac`
    (paid as a credit on the first invoices); later than `terminable_after_days` the
    lessee may end the tranche. `delay` overrides the provider's.
    """

    share_frac: float
    after: Duration
    grace_days: int = 0
    late_discount_frac: float = 0.0
    terminable_after_days: int | None = None
    delay: DelayModel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeStep:
    """From `after` the start, the fee is `fee_frac` of the price (a ramp or a holiday)."""

    after: Duration
    fee_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTier:
    """From `blocks_min` blocks on, every block costs `price_frac` of the price (all-units discount)."""

    blocks_min: int
    price_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionOption:
    """The lessee's right to extend by `duration` at `price_frac` of the last price."""

    duration: Duration
    price_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """The lessee's right to leave after the firm term, with notice and a fee.

    The fee is a share of the payments that the rest of the term would have cost.
    """

    notice_days: int
    fee_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallRight:
    """The lessor's right to take capacity back, from `after` the start, at `notice_days` notice."""

    after: Duration
    notice_days: int
    recalls_per_year: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusivity:
    """While it binds, no new lease may start with anybody else for the accelerators in scope.

    An empty `accelerators` means every accelerator.
    """

    until_at: Instant
    accelerators: tuple[AcceleratorName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRefusal:
    """The provider may match any other offer in scope within `response_days`, which delays its start.

    An empty `accelerators` means every accelerator.
    """

    until_at: Instant
    response_days: int
    accelerators: tuple[AcceleratorName, ...] = ()


class SpendKind(StrEnum):
    """Which charges count towards a commitment."""

    LEASE = "lease"
    ON_DEMAND = "on_demand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """By `due_at`, eligible charges since the commitment's start reach `cumulative_micro_usd`."""

    due_at: Instant
    cumulative_micro_usd: MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendCommitment:
    """Money pledged to one provider: what is not spent by a milestone is paid as shortfall.

    A shortfall paid counts towards the later milestones, and so does spending ahead.
    `drawn_micro_usd` has been drawn down before the planning day.
    """

    provider: ProviderId
    starts_at: Instant
    milestones: tuple[Milestone, ...]
    drawn_micro_usd: MicroUsd
    eligible: frozenset[SpendKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Everything a lease says beyond who, what, how many and when.

    `take_or_pay_frac` of the fee is due used or not, the rest only for hours used;
    `prepayment_frac` of all fees is paid at signing and taken off each invoice;
    `escalator_frac_per_year` raises the price on each anniversary; `sparing_frac` of the
    accelerators leased is set aside as spares, so that usable = leased x (1 - sparing).
    `firm_term` is the part that the lessee cannot leave; None means the whole term.
    """

    price: Price
    take_or_pay_frac: float = 1.0
    prepayment_frac: float = 0.0
    escalator_frac_per_year: float = 0.0
    sparing_frac: float = 0.0
    fee_steps: tuple[FeeStep, ...] = ()
    firm_term: Duration | None = None
    termination: Termination | None = None
    extension: ExtensionOption | None = None
    recall: RecallRight | None = None
    exclusivity: Exclusivity | None = None
    first_refusal: FirstRefusal | None = None
    most_favoured: bool = False
