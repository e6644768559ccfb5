"""The rules that the plain instances leave out, put into one: gangs, ports, clauses, N-1, budgets and CVaR."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from acreage.domain.lease import Offer
from acreage.domain.portfolio import Budget, Portfolio, Risk
from acreage.domain.terms import Exclusivity, RecallRight, Termination
from acreage.domain.workload import Capability, PortState, ServingFleet, TrainingRun, Workload
from acreage.units.instants import Duration, add_months
from acreage.units.money import MicroUsd, micro_usd

Clause = Callable[[np.random.Generator, Portfolio, Offer], Offer]


def with_all_rules(portfolio: Portfolio, seed: int) -> Portfolio:
    """The portfolio with every rule in some offers and workloads; the same from the same seed."""
    rng = np.random.default_rng([seed, 1])
    offers = []
    for offer in portfolio.offers:
        for clause, share in CLAUSES.items():
            if rng.random() < share:
                offer = clause(rng, portfolio, offer)
        offers.append(offer)
    offers[1] = replace(offers[1], excludes=(offers[2].id,))
    offers[4] = replace(offers[4], requires=(offers[3].id,))
    year = add_months(portfolio.as_of_at, 12)
    budget = Budget(from_at=portfolio.as_of_at, until_at=year, limit_micro_usd=_half_of_first_year(offers))
    policy = replace(portfolio.policy, risk=Risk(weight_frac=0.3, tail_frac=0.9), budgets=(budget,))
    workloads = tuple(_ruled(rng, workload) for workload in portfolio.workloads)
    return replace(portfolio, offers=tuple(offers), workloads=workloads, policy=policy)


def _half_of_first_year(offers: list[Offer]) -> MicroUsd:
    """Half of what one year of half the blocks of all offers costs."""
    yearly = (o.terms.price.amount_micro_usd * o.blocks_max * o.accelerators_per_block * 8_760 for o in offers)
    return MicroUsd(round(sum(yearly) / 4))


def _take_or_pay(rng: np.random.Generator, portfolio: Portfolio, offer: Offer) -> Offer:
    return replace(offer, terms=replace(offer.terms, take_or_pay_frac=0.7))


def _recall(rng: np.random.Generator, portfolio: Portfolio, offer: Offer) -> Offer:
    right = RecallRight(after=Duration(months=12), notice_days=90, recalls_per_year=0.1)
    return replace(offer, terms=replace(offer.terms, recall=right))


def _exclusivity(rng: np.random.Generator, portfolio: Portfolio, offer: Offer) -> Offer:
    chip = portfolio.pools[offer.pool].accelerator
    clause = Exclusivity(until_at=add_months(offer.start_from_at, 6), accelerators=(chip,))
    return replace(offer, terms=replace(offer.terms, exclusivity=clause))


def _early_exit(rng: np.random.Generator, portfolio: Portfolio, offer: Offer) -> Offer:
    leave = Termination(notice_days=90, fee_frac=0.3)
    return replace(offer, terms=replace(offer.terms, firm_term=Duration(months=6), termination=leave))


def _walk_if_late(rng: np.random.Generator, portfolio: Portfolio, offer: Offer) -> Offer:
    return replace(offer, tranches=tuple(replace(t, terminable_after_days=90) for t in offer.tranches))


CLAUSES: dict[Clause, float] = {
    _take_or_pay: 0.2,
    _recall: 0.2,
    _exclusivity: 0.05,
    _early_exit: 0.2,
    _walk_if_late: 0.3,
}
"""The share of offers that each clause is put in."""


def _ruled(rng: np.random.Generator, workload: Workload) -> Workload:
    """Half of the runs become gangs, a third of fleets spread out, a quarter of workloads need a port to a chip."""
    if isinstance(workload, TrainingRun) and rng.random() < 0.5:
        gangs = tuple(replace(c, gang_min=max(2, (c.gang_max or 2) // 4)) for c in workload.capabilities)
        workload = replace(workload, capabilities=gangs)
    if isinstance(workload, ServingFleet) and rng.random() < 0.33:
        workload = replace(workload, supplier_share_max_frac=0.8)
    if rng.random() < 0.25:
        first, *others = workload.capabilities
        workload = replace(workload, capabilities=(_unported(rng, first), *others))
    return workload


def _unported(rng: np.random.Generator, capability: Capability) -> Capability:
    cost = micro_usd(round(float(rng.uniform(1e6, 1e7))))
    return replace(
        capability, port_state=PortState.PORTABLE, port_cost_micro_usd=cost, port_lead_days=int(rng.integers(60, 180))
    )
