"""What is held (leases and commitments) and what could be (offers)."""

from dataclasses import dataclass

from acreage.domain.price import Provenance
from acreage.domain.provider import DelayModel
from acreage.domain.terms import PriceTier, SpendCommitment, Terms, Tranche
from acreage.units.ids import CommitmentId, LeaseId, OfferId, PoolId, ProviderId
from acreage.units.instants import Duration, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Accelerators of a lease handed over (positive) or taken back (negative).

    One dated after the planning day may still slip, as `delay` says (None: the provider's).
    `terminable_after_days` as in `Tranche`.
    """

    accelerators: int
    due_at: Instant
    grace_days: int = 0
    late_discount_frac: float = 0.0
    terminable_after_days: int | None = None
    delay: DelayModel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease held: its deliveries, its end, its terms."""

    id: LeaseId
    provider: ProviderId
    pool: PoolId
    starts_at: Instant
    ends_at: Instant
    deliveries: tuple[Delivery, ...]
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A spend commitment held."""

    id: CommitmentId
    spend: SpendCommitment


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something that could be leased: whole blocks, starting within a window, for a term.

    Between `blocks_min` and `blocks_max` blocks of `accelerators_per_block` can be signed,
    or none. `expires_at` is when the offer itself lapses. `excludes` names offers that
    cannot be signed together with it, `requires` those without which it cannot be.
    `commitment` is a spend commitment that comes with signing it.
    """

    id: OfferId
    provider: ProviderId
    pool: PoolId
    product: str
    accelerators_per_block: int
    blocks_min: int
    blocks_max: int
    start_from_at: Instant
    start_until_at: Instant
    term: Duration
    tranches: tuple[Tranche, ...]
    tiers: tuple[PriceTier, ...]
    terms: Terms
    commitment: SpendCommitment | None
    excludes: tuple[OfferId, ...]
    requires: tuple[OfferId, ...]
    expires_at: Instant | None
    provenance: Provenance
