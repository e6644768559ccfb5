"""Balances of capacity and money: what is late, idle, held unused, used, unbilled, as sums that come to nothing."""

from dataclasses import dataclass

from acreage.domain.contract import Side
from acreage.units.ids import CommitmentId, PoolId, ProviderId
from acreage.units.instants import Instant
from acreage.units.money import MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityEntry:
    """`accelerators` over [from_at, until_at) moved from one account to another; negative moves back.

    The accounts are `promised` -> `late` (leased) -> `idle` (delivered) -> `held` -> `used`: what is on
    `late` is leased and not delivered, on `idle` delivered and not held, on `held` held and not used.
    `accelerator_seconds` is its whole amount; up to an instant it is the part of the window passed.
    """

    fact: str
    pool: PoolId
    debit: str
    credit: str
    accelerators: int
    from_at: Instant
    until_at: Instant
    accelerator_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolBalance:
    """A pool up to an instant in accelerator-seconds, and its accelerators at that instant.

    leased = late + delivered; delivered = idle + held; held = held_unused + used. `late` is negative
    where more was delivered than was due, `held_unused` where more was used than was held.
    """

    pool: PoolId
    leased: int
    delivered: int
    held: int
    used: int
    leased_now: int
    delivered_now: int
    held_now: int

    @property
    def late(self) -> int:
        """Leased and not delivered."""
        return self.leased - self.delivered

    @property
    def idle(self) -> int:
        """Delivered and not held."""
        return self.delivered - self.held

    @property
    def held_unused(self) -> int:
        """Held and not used."""
        return self.held - self.used


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyBalance:
    """An account: invoiced less credits, paid, and in open disputes.

    Held: a provider's, who invoices us. Let: a lessee's, whom we invoice for what is let to it.
    """

    party: str
    side: Side
    invoiced_micro_usd: MicroUsd
    paid_micro_usd: MicroUsd
    disputed_micro_usd: MicroUsd

    @property
    def payable_micro_usd(self) -> MicroUsd:
        """Invoiced and not paid."""
        return MicroUsd(self.invoiced_micro_usd - self.paid_micro_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneForecast:
    """A milestone of a commitment: pledged by then, drawn or forecast to be drawn, and the shortfall to be paid."""

    due_at: Instant
    pledged_micro_usd: MicroUsd
    drawn_micro_usd: MicroUsd
    shortfall_micro_usd: MicroUsd
    past: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """Where a spend commitment stands.

    `burn_micro_usd_per_day` is the mean of eligible charges over the last `burn_days`. `exhausted_at` is
    when the whole pledge will have been drawn at that rate, None: not before it expires.
    `lost_micro_usd` is what will then be left undrawn.
    """

    commitment: CommitmentId
    provider: ProviderId
    state: str
    pledged_micro_usd: MicroUsd
    drawn_micro_usd: MicroUsd
    burn_micro_usd_per_day: int
    burn_days: int
    milestones: tuple[MilestoneForecast, ...]
    expires_at: Instant
    exhausted_at: Instant | None
    lost_micro_usd: MicroUsd
