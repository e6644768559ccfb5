"""What one unit of every first-stage column costs in each future, and the budgets that limit it."""

from collections.abc import Mapping

import numpy as np

from acreage.domain.lease import Lease
from acreage.domain.portfolio import Portfolio
from acreage.plan.formulate.capacity import source_of_lease
from acreage.plan.formulate.first_stage import columns_of
from acreage.plan.formulate.layout import Column, ColumnKind, FirstStageBuilder
from acreage.plan.formulate.money import agreement_of_lease, in_units
from acreage.plan.formulate.recourse import Scene
from acreage.plan.formulate.supply import changes_of
from acreage.plan.formulate.till import Till
from acreage.plan.problem import USD_PER_UNIT, Vector
from acreage.pricing.invoice import Agreement, ChargeKind, charges
from acreage.pricing.present_value import present_value
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.ids import LeaseId
from acreage.units.instants import iso_date
from acreage.units.money import usd


def first_costs(scene: Scene, till: Till, agreements: Mapping[int, Agreement]) -> Vector:
    """Cost (S, N) of one unit of every first-stage column, in millions of dollars."""
    builder = scene.choices.builder
    cost = np.zeros((len(scene.futures), len(builder.columns)))
    for number, changes in changes_of(scene).items():
        fates = scene.fates_of(number)
        for i, sign in changes:
            worth = till.worth(agreements[i], scene.choices.sources[i], fates)
            cost[:, number] += sign / USD_PER_UNIT * worth.cost_usd[fates.of_future]
    for number, column in columns_of(builder, ColumnKind.PORT):
        cost[:, number] = in_units(port_cost_usd(scene.portfolio, column))
    leases = {lease.id: lease for lease in scene.portfolio.leases}
    for number, column in columns_of(builder, ColumnKind.MATCH):
        credit_usd = match_credit_usd(scene.portfolio, leases[LeaseId(column.subject)], column)
        cost[:, number] = -in_units(credit_usd)
    if scene.hard >= 0:
        cost[scene.hard] = 0.0
    return cost


def match_credit_usd(portfolio: Portfolio, lease: Lease, column: Column) -> float:
    """What a most-favored lease saves, discounted, if its price falls to a MATCH column's variant from its start on.

    The same share of every fee as promised, in the invoice months that begin then or later and until
    the lease really ends (`column.at`, if it is released); beyond the horizon less what resale would have brought.
    """
    variant = column.variant
    assert variant is not None
    ratio = variant.price_frac * usd_per_accelerator_hour(variant.offer.terms.price)
    ratio /= usd_per_accelerator_hour(lease.terms.price)
    agreement = agreement_of_lease(lease, source_of_lease(lease, column.at))
    policy = portfolio.policy
    later = [c for c in charges(agreement, agreement.promised) if c.from_at >= variant.starts_at]
    fees = [c for c in later if c.kind is ChargeKind.FEE]
    value = present_value(
        fees,
        portfolio.as_of_at,
        policy.discount_frac_per_year,
        portfolio.periods[-1].until_at,
        policy.resale_frac,
    )
    return max(0.0, 1.0 - ratio) * (value.cost_usd - value.salvage_usd)


def define_budgets(builder: FirstStageBuilder, scene: Scene, agreements: Mapping[int, Agreement]) -> None:
    """Cash of new signings and ports, as promised, within each budget's window."""
    for budget in scene.portfolio.policy.budgets:
        terms = {}
        for number, column in columns_of(builder, ColumnKind.BLOCKS):
            assert column.variant is not None
            agreement = agreements[number]
            due = [
                charge.micro_usd
                for charge in charges(agreement, agreement.promised)
                if budget.from_at <= charge.posted_at < budget.until_at
            ]
            terms[number] = in_units(usd(sum(due)))
        if budget.from_at <= scene.portfolio.as_of_at < budget.until_at:
            for number, column in columns_of(builder, ColumnKind.PORT):
                terms[number] = in_units(port_cost_usd(scene.portfolio, column))
        limit = in_units(usd(budget.limit_micro_usd))
        builder.row(terms, upper=limit, rule=f"budget:{iso_date(budget.from_at)}")


def port_cost_usd(portfolio: Portfolio, column: Column) -> float:
    """What the port of a PORT column costs."""
    workload = next(w for w in portfolio.workloads if w.id == column.subject)
    return usd(next(c for c in workload.capabilities if c.accelerator == column.detail).port_cost_micro_usd)
