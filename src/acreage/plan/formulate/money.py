"""What a source of capacity costs in a future: the pricing rules applied to its handovers.

Used for columns (one block, one lease) and again, with whole quantities, for the stated costs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from acreage.domain.future import Future
from acreage.domain.lease import Lease
from acreage.domain.portfolio import Portfolio
from acreage.domain.terms import SpendCommitment
from acreage.plan.formulate.capacity import Source, handed_over, outages_of
from acreage.plan.formulate.variants import Variant
from acreage.plan.problem import USD_PER_UNIT, Vector
from acreage.pricing.invoice import (
    Agreement,
    Handover,
    LostCapacity,
    Statement,
    fees_micro_usd,
    statement,
)
from acreage.pricing.present_value import statement_value
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """One unit of a source in a future: discounted cost less salvage, and fees by each pledge's milestones (USD)."""

    cost_usd: float
    salvage_usd: float
    drawn_usd: Mapping[str, Vector]


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
        for o in outages_of(future, source.provider, source.pool)
    )


@dataclass(slots=True)
class Till:
    """Prices sources in futures; equal handovers are priced once."""

    portfolio: Portfolio
    pledges: tuple[Pledge, ...]
    _known: dict[object, Worth] = field(default_factory=dict)

    def know(self, other: "Till") -> None:
        """Take over what another till has priced; agreements are told apart by identity."""
        self._known.update(other._known)

    def worth(
        self,
        agreement: Agreement,
        source: Source,
        future: Future,
        kept: Mapping[int, float] | None = None,
    ) -> Worth:
        """One unit of a source in a future."""
        when = tuple(handed_over(source, part, future) for part in source.parts)
        key = (
            id(agreement),
            when,
            tuple((o.from_at, o.until_at, o.lost_frac) for o in outages_of(future, source.provider, source.pool)),
            tuple(sorted((kept or {}).items())),
        )
        if key not in self._known:
            self._known[key] = self._price(
                statement(agreement, handovers_in(source, future, kept=kept), losses_in(source, future)),
                source,
            )
        return self._known[key]

    def _price(self, done: Statement, source: Source) -> Worth:
        policy = self.portfolio.policy
        horizon_at = self.portfolio.periods[-1].until_at
        value = statement_value(
            done,
            self.portfolio.as_of_at,
            policy.discount_frac_per_year,
            horizon_at,
            policy.resale_frac,
        )
        drawn = {
            pledge.id: drawn_by(done, pledge, self.portfolio.as_of_at)
            for pledge in self.pledges
            if pledge.spend.provider == source.provider and "lease" in pledge.spend.eligible
        }
        return Worth(cost_usd=value.cost_usd, salvage_usd=value.salvage_usd, drawn_usd=drawn)


def drawn_by(done: Statement, pledge: Pledge, as_of_at: Instant) -> Vector:
    """Fees (USD) of a statement that count towards each milestone of a pledge."""
    from_at = max(as_of_at, pledge.spend.starts_at)
    return np.array([fees_micro_usd(done, from_at, due_at) / MICRO_PER_USD for due_at in pledge.due_at])


def in_units(amount_usd: float) -> float:
    """USD in the problem's millions of dollars."""
    return amount_usd / USD_PER_UNIT
