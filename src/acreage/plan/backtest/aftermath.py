"""Where one stands after a month: what was signed is held, what was drawn, spent, ported and done is kept in mind."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from acreage.domain.lease import Commitment, Lease
from acreage.domain.plan import Port
from acreage.domain.portfolio import Portfolio
from acreage.domain.price import PriceKind
from acreage.domain.terms import SpendCommitment, SpendKind
from acreage.domain.workload import TrainingRun
from acreage.plan.backtest.playing import GivenUp, Played, kept_shares
from acreage.plan.backtest.signing import Done, as_signed, lease_of, left_after
from acreage.plan.backtest.standing import Standing
from acreage.plan.backtest.worth import Contract, fees_between
from acreage.pricing.invoice import charges
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.ids import AcceleratorName, CommitmentId, LeaseId, WorkloadId
from acreage.units.instants import Instant, add_days
from acreage.units.money import MicroUsd, micro_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A month that has passed, up to `next_at`: what was played and done, and what came of it.

    `rows` are the path's frames "market" and "service", `shortfalls` the (date, USD) that commitments paid.
    """

    played: Played
    done: Done
    contracts: Mapping[str, Contract]
    given_up: GivenUp
    rows: Mapping[str, pl.DataFrame]
    shortfalls: Mapping[str, list[tuple[Instant, float]]]
    next_at: Instant

    @property
    def portfolio(self) -> Portfolio:
        """The portfolio that the month was planned with."""
        return self.played.scene.portfolio


def standing_after(first: Portfolio, standing: Standing, passed: Passed, until: int) -> Standing:
    """Where one stands at the period number `until`."""
    portfolio, decision, done = passed.portfolio, passed.played.outcome.decision, passed.done
    offers = {offer.id: offer for offer in portfolio.offers}
    signed = {lease_of(as_signed(s, offers[s.offer]), offers[s.offer], portfolio): s.offer for s in done.signed}
    commitments = (
        *standing.commitments,
        *(
            Commitment(id=CommitmentId(o), spend=spend)
            for o in dict.fromkeys(signed.values())
            if (spend := offers[o].commitment) is not None
        ),
    )
    return Standing(
        period=until,
        leases=(
            *_leases_after(portfolio, standing, done, passed.given_up),
            *(_less(lease, passed.given_up, o) for lease, o in signed.items()),
        ),
        origins={**standing.origins, **{lease.id: str(o) for lease, o in signed.items()}},
        offers=left_after(standing.offers, frozenset(signed.values())),
        commitments=commitments,
        drawn={c.id: _drawn(standing, c, passed) for c in commitments},
        spent_by_budget=_spent(first, standing, passed),
        ready_at={**standing.ready_at, **_ready(portfolio, decision.ports, standing)},
        homes={**standing.homes, **{home.workload: home.pool for home in decision.homes}},
        done=_done(standing, passed.rows["service"], portfolio),
    )


def _leases_after(portfolio: Portfolio, standing: Standing, done: Done, given_up: GivenUp) -> tuple[Lease, ...]:
    """The leases held before, ended where they were released, without what was given up."""
    exits = {release.lease: release.ends_at for release in done.released}
    found = []
    for lease in standing.leases:
        if lease.terms.most_favoured and _is_matched(portfolio, lease, done):
            # The credit was booked when the cheaper offer was signed; it counts once.
            lease = replace(lease, terms=replace(lease.terms, most_favoured=False))
        if lease.id in exits:
            lease = replace(lease, ends_at=exits[lease.id], terms=replace(lease.terms, termination=None))
        found.append(_less(lease, given_up, lease.id))
    return tuple(found)


def _is_matched(portfolio: Portfolio, lease: Lease, done: Done) -> bool:
    """Whether something cheaper of the same lessor and chip is signed now."""
    offers = {offer.id: offer for offer in portfolio.offers}
    chip, price = portfolio.pools[lease.pool].accelerator, usd_per_accelerator_hour(lease.terms.price)
    return any(
        offer.provider == lease.provider
        and portfolio.pools[offer.pool].accelerator == chip
        and signing.price_frac * usd_per_accelerator_hour(offer.terms.price) < price
        for signing in done.signed
        for offer in (offers[signing.offer],)
    )


def _less(lease: Lease, given_up: GivenUp, key: str) -> Lease:
    """The lease without what was given up, and with no right to give up more of it."""
    kept = kept_shares(given_up, key, lease)
    deliveries = [
        replace(d, accelerators=round(d.accelerators * kept[i]), terminable_after_days=None) if i in kept else d
        for i, d in enumerate(lease.deliveries)
    ]
    return replace(lease, deliveries=tuple(deliveries))


def _drawn(standing: Standing, commitment: Commitment, passed: Passed) -> MicroUsd:
    """What counts towards a commitment by the next planning day; shortfalls paid count too."""
    portfolio, spend = passed.portfolio, commitment.spend
    total = int(standing.drawn.get(commitment.id, spend.drawn_micro_usd))
    if SpendKind.LEASE in spend.eligible:
        from_at = Instant(max(portfolio.as_of_at, spend.starts_at))
        mine = (c for c in passed.contracts.values() if c.source.provider == spend.provider)
        total += sum(fees_between(contract, passed.played.scene.comes, from_at, passed.next_at) for contract in mine)
    used = used_usd(portfolio, spend, passed.rows["market"])
    paid = (amount for _, amount in passed.shortfalls.get(commitment.id, ()))
    return MicroUsd(total + micro_usd(used + math.fsum(paid)))


def used_usd(portfolio: Portfolio, spend: SpendCommitment, market: pl.DataFrame) -> float:
    """By-the-hour charges and use above take-or-pay that count towards a commitment."""
    pools = [pool.id for pool in portfolio.pools.values() if pool.provider == spend.provider]
    begun = [i for i, period in enumerate(portfolio.periods) if period.from_at >= spend.starts_at]
    mine = market.filter(pl.col("pool").is_in(pools) & pl.col("period").is_in(begun))
    total = []
    for kind, amount in zip(mine["kind"], mine["usd"], strict=True):
        needs = SpendKind.ON_DEMAND if kind == PriceKind.ON_DEMAND else SpendKind.LEASE
        if kind != PriceKind.SPOT and needs in spend.eligible:
            total.append(amount)
    return math.fsum(total)


def _spent(first: Portfolio, standing: Standing, passed: Passed) -> tuple[int, ...]:
    """Cash that what was signed and ported so far is promised to take within each budget's window, micro-dollars."""
    today = passed.portfolio.as_of_at
    new = [c for id_, c in passed.contracts.items() if LeaseId(id_) not in {lease.id for lease in standing.leases}]
    posted = [charge for contract in new for charge in charges(contract.agreement, contract.agreement.promised)]
    ports = micro_usd(math.fsum(port.cost_usd for port in passed.played.outcome.decision.ports))
    found = []
    for budget, spent in zip(first.policy.budgets, standing.spent_by_budget, strict=True):
        cash = sum(c.micro_usd for c in posted if budget.from_at <= c.posted_at < budget.until_at)
        inside = budget.from_at <= today < budget.until_at
        found.append(spent + cash + (ports if inside else 0))
    return tuple(found)


def _ready(
    portfolio: Portfolio, ports: tuple[Port, ...], standing: Standing
) -> dict[tuple[WorkloadId, AcceleratorName], Instant]:
    """When each port made now can be used; one made before keeps its day."""
    found: dict[tuple[WorkloadId, AcceleratorName], Instant] = {}
    for workload in portfolio.workloads:
        for c in workload.capabilities:
            key = (workload.id, c.accelerator)
            made = any(p.workload == workload.id and p.accelerator == c.accelerator for p in ports)
            if made and key not in standing.ready_at:
                found[key] = add_days(portfolio.as_of_at, c.port_lead_days)
    return found


def _done(standing: Standing, service: pl.DataFrame, portfolio: Portfolio) -> dict[WorkloadId, float]:
    """Work done by each run so far, in its unit."""
    found = dict(standing.done)
    for workload in portfolio.workloads:
        if isinstance(workload, TrainingRun):
            mine = service.filter(pl.col("workload") == workload.id)
            found[workload.id] = found.get(workload.id, 0.0) + math.fsum(mine["served"])
    return found
