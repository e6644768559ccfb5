"""Agreements, handovers and pledges: what the pricing rules are applied to.

For columns (one block, one lease) by `till`, and again, with whole quantities, for the stated costs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from acreage.domain.future import Future
from acreage.domain.lease import Lease
from acreage.domain.portfolio import Portfolio
from acreage.domain.terms import SpendCommitment
from acreage.plan.formulate.capacity import Source, handed_over, outages_of
from acreage.plan.formulate.variants import Variant
from acreage.plan.problem import USD_PER_UNIT
from acreage.pricing.invoice import (
    Agreement,
    Handover,
    LostCapacity,
)
from acreage.units.instants import Instant
from acreage.units.money import MICRO_PER_USD


@dataclass(frozen=True, slots=True, kw_only=True)
class Pledge:
    """A spend commitment by the id it is known by, and its milestones within the horizon."""

    id: str
    spend: SpendCommitment
    due_at: tuple[Instant, ...]
    pledged_usd: tuple[float, ...]


def pledges_of(portfolio: Portfolio) -> tuple[Pledge, ...]:
    """All commitments, held or coming with an offer, with a milestone within the horizon."""
    horizon_at = portfolio.periods[-1].until_at
    named = [(c.id, c.spend) for c in portfolio.commitments]
    named += [(o.id, o.commitment) for o in portfolio.offers if o.commitment is not None]  # type: ignore[misc]
    found = []
    for name, spend in named:
        inside = [m for m in spend.milestones if portfolio.as_of_at < m.due_at <= horizon_at]
        if inside:
            found.append(
                Pledge(
                    id=name,
                    spend=spend,
                    due_at=tuple(m.due_at for m in inside),
                    pledged_usd=tuple(m.cumulative_micro_usd / MICRO_PER_USD for m in inside),
                )
            )
    return tuple(found)


def agreement_of_lease(lease: Lease, source: Source) -> Agreement:
    """A held lease's agreement; the source says when it really ends."""
    return Agreement(
        terms=lease.terms,
        price_frac=1.0,
        starts_at=lease.starts_at,
        ends_at=source.ends_at,
        term_ends_at=lease.ends_at,
        signed_at=None,
        promised=tuple(
            Handover(
                accelerators=part.accelerators,
                promised_at=part.due_at,
                from_at=part.due_at,
                until_at=lease.ends_at,
            )
            for part in source.parts
        ),
    )


def agreement_of_variant(variant: Variant, source: Source, signed_at: Instant, units: float = 1.0) -> Agreement:
    """The agreement that signing `units` blocks of a variant makes."""
    return Agreement(
        terms=variant.offer.terms,
        price_frac=variant.price_frac,
        starts_at=variant.starts_at,
        ends_at=variant.ends_at,
        term_ends_at=variant.term_ends_at,
        signed_at=signed_at,
        promised=tuple(
            Handover(
                accelerators=part.accelerators * units,
                promised_at=part.due_at,
                from_at=part.due_at,
                until_at=variant.ends_at,
            )
            for part in source.parts
        ),
    )


def handovers_in(
    source: Source, future: Future, *, units: float = 1.0, kept: Mapping[int, float] | None = None
) -> tuple[Handover, ...]:
    """What `units` units of a source are handed in a future; `kept` is the share of a part not given up."""
    shares = kept or {}
    found = []
    for part in source.parts:
        from_at, until_at = handed_over(source, part, future)
        found.append(
            Handover(
                accelerators=part.accelerators * units * shares.get(part.index, 1.0),
                promised_at=part.due_at,
                from_at=from_at,
                until_at=until_at,
                grace_days=part.grace_days,
                late_discount_frac=part.late_discount_frac,
            )
        )
    return tuple(found)


def losses_in(source: Source, future: Future) -> tuple[LostCapacity, ...]:
    """The outages that suspend a source's fees in a future."""
    return tuple(
        LostCapacity(from_at=o.from_at, until_at=o.until_at, lost_frac=o.lost_frac)
        for o in outages_of(future, source.provider)
    )


def in_units(amount_usd: float) -> float:
    """USD in the problem's millions of dollars."""
    return amount_usd / USD_PER_UNIT
