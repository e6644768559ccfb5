"""What an act's futures come to: service, purchases, bills and commitments, and every kind of cost."""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from acreage.domain.lease import Lease
from acreage.domain.price import PriceKind
from acreage.domain.terms import SpendCommitment, SpendKind
from acreage.plan.bills import Biller, Bills
from acreage.plan.decide import decision_of
from acreage.plan.formulate.costs import match_credit_usd
from acreage.plan.formulate.layout import ColumnKind
from acreage.plan.formulate.money import Pledge
from acreage.plan.formulate.pledged import open_pledges
from acreage.plan.frames import bought
from acreage.plan.play import Act, Play
from acreage.plan.problem import Vector
from acreage.plan.service import Lacks, Service, lacks_of, penalties_usd, services_of
from acreage.pricing.present_value import discount_factor
from acreage.units.instants import Instant
from acreage.units.money import usd

NEGLIGIBLE_USD = 5e-7
"""A smaller shortfall, or this share of a millionth of the pledge, is solver tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """A pledge in F futures at its D milestones: USD drawn and short, both (F, D)."""

    pledge: Pledge
    drawn_usd: Vector
    shortfall_usd: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An act's futures in figures; `cost_by_kind` are discounted USD (F,), in the order of the cost frame."""

    services: tuple[Service, ...]
    purchases: pl.DataFrame
    bills: Bills
    drawdowns: tuple[Drawdown, ...]
    cost_by_kind: dict[str, Vector]
    lacks: Lacks

    @property
    def cost_usd(self) -> Vector:
        """Cost of each future (F,)."""
        return np.array([math.fsum(kinds) for kinds in np.stack([*self.cost_by_kind.values()], axis=1)])


def account_of(act: Act, biller: Biller) -> Account:
    """All that is counted in an act."""
    services, purchases, bills = services_of(act), bought(act), biller.bills(act)
    drawdowns = drawdowns_of(act, bills, purchases)
    return Account(
        services=services,
        purchases=purchases,
        bills=bills,
        drawdowns=drawdowns,
        cost_by_kind=_costs(act, services, purchases, bills, drawdowns),
        lacks=lacks_of(act, services),
    )


def _costs(
    act: Act, services: tuple[Service, ...], purchases: pl.DataFrame, bills: Bills, drawdowns: tuple[Drawdown, ...]
) -> dict[str, Vector]:
    formulation, count = act.formulation, len(act.numbers)
    penalties = penalties_usd(act, services)
    lease, salvage = np.zeros((2, count))
    for (place, _), found in bills.items():
        lease[place] += math.fsum(bill.worth.cost_usd for bill in found)
        salvage[place] += math.fsum(bill.worth.salvage_usd for bill in found)
    ports = math.fsum(port.cost_usd for port in decision_of(formulation, act.play.first).ports)
    return {
        "lease": lease,
        "market": _market_usd(act, purchases),
        "shortfall": _shortfall_usd(act, drawdowns),
        "port": np.full(count, ports),
        **penalties,
        "salvage": -salvage,
        "mfc_credit": np.full(count, -match_credits_usd(act.play)),
    }


def _market_usd(act: Act, purchases: pl.DataFrame) -> Vector:
    factors = act.formulation.scene.factors[purchases["period"].to_numpy()]
    paid = purchases["usd"].to_numpy() * factors
    return np.bincount(purchases["place"].to_numpy(), paid, minlength=len(act.numbers)).astype(float)


def _shortfall_usd(act: Act, drawdowns: tuple[Drawdown, ...]) -> Vector:
    portfolio = act.formulation.portfolio
    frac = portfolio.policy.discount_frac_per_year
    total = np.zeros(len(act.numbers))
    for drawdown in drawdowns:
        factors = np.array([discount_factor(at, portfolio.as_of_at, frac) for at in drawdown.pledge.due_at])
        total += drawdown.shortfall_usd @ factors
    return total


def match_credits_usd(play: Play) -> float:
    """What most-favored leases save, discounted: the signed offer that saves most counts, once a lease.

    Looked for anew: a plan found to a gap need not have matched the best one.
    """
    portfolio = play.formulation.portfolio
    leases: dict[str, Lease] = {str(lease.id): lease for lease in portfolio.leases}
    chosen = [
        column
        for column, value in zip(play.formulation.choices.builder.columns, play.first, strict=True)
        if value > 0.5
    ]
    signed = [column.variant for column in chosen if column.kind is ColumnKind.BLOCKS]
    exits = {column.subject: column.at for column in chosen if column.kind is ColumnKind.RELEASE}
    best: dict[str, float] = {}
    for column in play.formulation.choices.builder.columns:
        lease = column.subject
        if column.kind is ColumnKind.MATCH and column.variant in signed and column.at == exits.get(lease):
            credit_usd = match_credit_usd(portfolio, leases[lease], column)
            best[lease] = max(best.get(lease, 0.0), credit_usd)
    return math.fsum(best.values())


def drawdowns_of(act: Act, bills: Bills, purchases: pl.DataFrame) -> tuple[Drawdown, ...]:
    """Eligible charges of every pledge in force at its milestones, and the shortfalls they leave."""
    formulation, first = act.formulation, act.play.first
    return tuple(
        _drawdown(act, pledge, bills, purchases)
        for pledge in open_pledges(formulation.choices, formulation.pledges, first)
    )


def _drawdown(act: Act, pledge: Pledge, bills: Bills, purchases: pl.DataFrame) -> Drawdown:
    paid = np.zeros(len(act.numbers))
    drawn, short = [], []
    leases, hours = _lease_fees(act, pledge, bills), _hours_bought(act, pledge.spend, purchases)
    for i, (due_at, pledged) in enumerate(zip(pledge.due_at, pledge.pledged_usd, strict=True)):
        counted = usd(pledge.spend.drawn_micro_usd) + leases[:, i] + hours @ _over(act, pledge.spend, due_at)
        shortfall = np.maximum(0.0, pledged - counted - paid)
        shortfall[shortfall < NEGLIGIBLE_USD * max(1.0, pledged * 1e-6)] = 0.0
        paid = paid + shortfall
        drawn.append(counted)
        short.append(shortfall)
    return Drawdown(pledge=pledge, drawn_usd=np.stack(drawn, axis=1), shortfall_usd=np.stack(short, axis=1))


def _lease_fees(act: Act, pledge: Pledge, bills: Bills) -> Vector:
    """Fees (F, D) with the pledge's provider that count by each milestone."""
    portfolio = act.formulation.portfolio
    sources = {s.key: s.provider for s in act.formulation.choices.sources.values()}
    from_at = max(portfolio.as_of_at, pledge.spend.starts_at)
    total = np.zeros((len(act.numbers), len(pledge.due_at)))
    if SpendKind.LEASE in pledge.spend.eligible:
        for (place, key), found in bills.items():
            if sources[key] == pledge.spend.provider:
                for i, due_at in enumerate(pledge.due_at):
                    total[place, i] += usd(sum(bill.fees_micro_usd(from_at, due_at) for bill in found))
    return total


def _hours_bought(act: Act, spend: SpendCommitment, purchases: pl.DataFrame) -> Vector:
    """What is bought of a pledge's provider by the hour and counts, (F, T)."""
    scene = act.formulation.scene
    pools = [pool.id for pool in scene.portfolio.pools.values() if pool.provider == spend.provider]
    kinds = [kind for kind in purchases["kind"].unique() if _counts(kind, spend)]
    mine = purchases.filter(pl.col("pool").is_in(pools) & pl.col("kind").is_in(kinds))
    total = np.zeros((len(act.numbers), scene.periods))
    np.add.at(total, (mine["place"].to_numpy(), mine["period"].to_numpy()), mine["usd"].to_numpy())
    return total


def _over(act: Act, spend: SpendCommitment, due_at: Instant) -> Vector:
    """Which periods (T,) lie within a pledge's time up to a date: 1, others 0."""
    periods = act.formulation.portfolio.periods
    return np.array([float(p.from_at >= spend.starts_at and p.until_at <= due_at) for p in periods])


def _counts(kind: str, spend: SpendCommitment) -> bool:
    if kind == PriceKind.ON_DEMAND:
        return SpendKind.ON_DEMAND in spend.eligible
    return kind != PriceKind.SPOT and SpendKind.LEASE in spend.eligible
