"""What a contract is worth along a path on a planning day, and what of its fees is invoiced in a stretch of time."""

from collections.abc import Mapping
from dataclasses import dataclass

from acreage.domain.future import Future
from acreage.domain.lease import Lease
from acreage.domain.portfolio import Portfolio
from acreage.plan.formulate.capacity import Source, source_of_lease, source_of_variant
from acreage.plan.formulate.money import agreement_of_lease, agreement_of_variant, handovers_in, losses_in
from acreage.plan.formulate.variants import Variant
from acreage.pricing.invoice import Agreement, fees_micro_usd, statement
from acreage.pricing.present_value import statement_value
from acreage.units.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A lease held or `units` blocks of a variant signed on the planning day, and the shares of its parts kept."""

    source: Source
    agreement: Agreement
    units: float
    kept: Mapping[int, float]


def held_contract(lease: Lease, ends_at: Instant | None = None, kept: Mapping[int, float] | None = None) -> Contract:
    """A lease as held, perhaps left at `ends_at`."""
    source = source_of_lease(lease, ends_at)
    return Contract(source=source, agreement=agreement_of_lease(lease, source), units=1.0, kept=kept or {})


def signed_contract(
    variant: Variant, blocks: int, signed_at: Instant, kept: Mapping[int, float] | None = None
) -> Contract:
    """Blocks of a variant signed at an instant."""
    source = source_of_variant(variant)
    agreement = agreement_of_variant(variant, source, signed_at, blocks)
    return Contract(source=source, agreement=agreement, units=float(blocks), kept=kept or {})


def worth_usd(contract: Contract, portfolio: Portfolio, path: Future) -> float:
    """What is still to be paid for a contract along a path, less salvage; USD of the planning day."""
    handed = handovers_in(contract.source, path, units=contract.units, kept=contract.kept)
    done = statement(contract.agreement, handed, losses_in(contract.source, path))
    policy = portfolio.policy
    value = statement_value(
        done,
        portfolio.as_of_at,
        policy.discount_frac_per_year,
        portfolio.periods[-1].until_at,
        policy.resale_frac,
    )
    return value.cost_usd - value.salvage_usd


def fees_between(contract: Contract, path: Future, from_at: Instant, until_at: Instant) -> int:
    """Gross fees in micro-dollars invoiced on [from_at, until_at) along a path."""
    handed = handovers_in(contract.source, path, units=contract.units, kept=contract.kept)
    done = statement(contract.agreement, handed, losses_in(contract.source, path))
    return fees_micro_usd(done, from_at, until_at - 1)
