"""A month lived through: the path's dispatch up to the next planning day, what it cost, and where one stands then.

The month is the first part of the plan's answer to the path, so work is given out as well as it can be, what the plan
has in mind for later included. What a month's contracts cost is what they are worth along the path before it less what
they are worth after it, discounted: whatever is signed, ended or given up in it is in that difference to the cent.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from acreage.domain.future import Future
from acreage.domain.lease import Commitment, Lease
from acreage.domain.plan import Decision, Outcome, Port
from acreage.domain.portfolio import Portfolio
from acreage.domain.price import PriceKind
from acreage.domain.terms import SpendCommitment, SpendKind
from acreage.domain.workload import TrainingRun
from acreage.plan.backtest.signing import Done, as_signed, lease_of, left_after, variant_of
from acreage.plan.backtest.standing import Scene, Standing, rest_of, rolled_forward
from acreage.plan.backtest.worth import Contract, fees_between, held_contract, signed_contract, worth_usd
from acreage.plan.decide import first_stage_of
from acreage.plan.evaluate import evaluate, late_days_of, match_credits_usd
from acreage.plan.formulate.formulate import formulate
from acreage.plan.play import Play, play
from acreage.plan.problem import Vector
from acreage.pricing.invoice import charges
from acreage.pricing.present_value import discount_factor
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.ids import AcceleratorName, CommitmentId, LeaseId, WorkloadId
from acreage.units.instants import Instant, add_days
from acreage.units.money import MicroUsd, micro_usd, usd

PATH = 1
"""Number of the path in the futures that a decision is played in: the base is first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A decision along the path from a planning day to the horizon; `cost_usd` is of that day's money."""

    scene: Scene
    play: Play
    outcome: Outcome
    cost_usd: float


def played_out(scene: Scene, base: Future, decision: Decision) -> Played:
    """Play a decision along what really comes."""
    futures = (replace(base, probability=0.0), scene.comes)
    formulation = formulate(scene.portfolio, futures, scene.demand)
    found = play(formulation, first_stage_of(formulation, decision))
    outcome = evaluate(found, math.inf)
    return Played(scene=scene, play=found, outcome=outcome, cost_usd=outcome.figures.expected_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What a month came to: its cost by kind in USD of its first day, and the next standing.

    `rows` are the path's frames "market" and "service" for the month, periods counted from the planning day;
    `contracts` are those in force in it.
    """

    cost_usd: Mapping[str, float]
    after: Standing
    rows: Mapping[str, pl.DataFrame]
    contracts: Mapping[str, Contract]

    @property
    def paid_usd(self) -> float:
        """All of it."""
        return math.fsum(self.cost_usd.values())


def live(first: Portfolio, path: Future, standing: Standing, played: Played, done: Done, until: int) -> Month:
    """Live from a standing to the period number `until`, doing what is `done` of the decision played."""
    scene, portfolio = played.scene, played.scene.portfolio
    next_at = first.periods[until].from_at
    rows = {
        name: played.outcome.frames[name].filter(
            (pl.col("future") == scene.comes.name) & (pl.col("period") < until - standing.period)
        )
        for name in ("market", "service")
    }
    given_up = _given_up(played, done, next_at)
    contracts = contracts_of(portfolio, done, given_up)
    shortfalls = _shortfalls(played, done, next_at)
    after = _after(first, path, standing, played, done, contracts, given_up, rows, shortfalls, until)
    ports = played.outcome.decision.ports
    cost = {
        **_running(played, rows),
        "shortfall": math.fsum(
            amount * discount_factor(at, portfolio.as_of_at, portfolio.policy.discount_frac_per_year)
            for paid in shortfalls.values()
            for at, amount in paid
        ),
        "port": math.fsum(port.cost_usd for port in ports),
        "lease": _leases(first, path, played, contracts, after),
        "mfc_credit": -_credit(played, done),
    }
    return Month(cost_usd=cost, after=after, rows=rows, contracts=contracts)


def contracts_of(portfolio: Portfolio, done: Done, given_up: Mapping[tuple[str, int], float]) -> dict[str, Contract]:
    """The contracts in force once it is done, by the lease's id."""
    exits = {release.lease: release.ends_at for release in done.released}
    offers = {offer.id: offer for offer in portfolio.offers}
    found = {
        str(lease.id): held_contract(lease, exits.get(lease.id), _kept(given_up, lease.id, lease))
        for lease in portfolio.leases
    }
    for signing in done.signed:
        signed = as_signed(signing, offers[signing.offer])
        lease = lease_of(signed, offers[signing.offer], portfolio)
        found[lease.id] = signed_contract(
            variant_of(signed, offers[signing.offer]),
            signed.blocks,
            portfolio.as_of_at,
            _kept(given_up, signing.offer, lease),
        )
    return found


def _kept(given_up: Mapping[tuple[str, int], float], key: str, lease: Lease) -> dict[int, float]:
    """Share of each delivery that is kept: whole accelerators are given up."""
    found = {}
    for i, delivery in enumerate(lease.deliveries):
        share = given_up.get((key, i), 0.0)
        if share and delivery.accelerators:
            found[i] = round(delivery.accelerators * (1.0 - share)) / delivery.accelerators
    return found


def _given_up(played: Played, done: Done, next_at: Instant) -> dict[tuple[str, int], float]:
    """Late parts that the play gives up and whose right to be ended arises before the next planning day."""
    choices = played.play.formulation.choices
    sources = [source for number, source in choices.sources.items() if number in played.play.sources]
    mine = {s.offer for s in done.signed} | {lease.id for lease in played.scene.portfolio.leases}
    found = {}
    for (future, key, index), share in played.play.given_up.items():
        rights = [
            add_days(part.due_at, part.terminable_after_days)
            for source in sources
            for part in source.parts
            if source.key == key and part.index == index and part.terminable_after_days is not None
        ]
        if future == PATH and key in mine and max(rights) < next_at:
            found[key, index] = share
    return found


def _running(played: Played, rows: Mapping[str, pl.DataFrame]) -> dict[str, float]:
    """Market purchases, unmet demand and lateness in the month."""
    scene = played.play.formulation.scene
    market, service = rows["market"], rows["service"]
    unmet, late = [], []
    for workload in played.scene.portfolio.workloads:
        mine = service.filter(pl.col("workload") == workload.id)
        factors = scene.factors[mine["period"].to_numpy()]
        if isinstance(workload, TrainingRun):
            undone = undone_frac(workload, mine)
            days = late_days_of(played.play, workload)[: len(undone)]
            late.append(float(undone @ (days * factors)) * usd(workload.late_micro_usd_per_day))
        else:
            unmet.append(float(mine["penalty_usd"].to_numpy() @ factors))
    bought = float(market["usd"].to_numpy() @ scene.factors[market["period"].to_numpy()])
    return {"market": bought, "unmet": math.fsum(unmet), "late": math.fsum(late)}


def undone_frac(run: TrainingRun, rows: pl.DataFrame) -> Vector:
    """Work of a run undone at the end of each period of its service rows, as a share of its estimate."""
    work = rows["demand"].to_numpy()
    undone = np.maximum(0.0, work - np.cumsum(rows["served"].to_numpy()))
    undone[undone <= 1e-9 * work] = 0.0
    return np.asarray(undone / run.work)


def _leases(
    first: Portfolio, path: Future, played: Played, contracts: Mapping[str, Contract], after: Standing
) -> float:
    """What the contracts are worth before the month less what the leases are worth after it."""
    portfolio = played.scene.portfolio
    then = rolled_forward(first, path, after)
    comes = rest_of(first, path, after, {})
    factor = discount_factor(then.as_of_at, portfolio.as_of_at, portfolio.policy.discount_frac_per_year)
    before_usd = math.fsum(worth_usd(contract, portfolio, played.scene.comes) for contract in contracts.values())
    after_usd = math.fsum(worth_usd(held_contract(lease), then, comes) for lease in then.leases)
    return before_usd - factor * after_usd


def _credit(played: Played, done: Done) -> float:
    """What most-favored leases save by what is signed now."""
    mine = Decision(signings=done.signed, releases=done.released, homes=(), ports=())
    formulation = played.play.formulation
    return match_credits_usd(replace(played.play, first=first_stage_of(formulation, mine))) if done.signed else 0.0


def _shortfalls(played: Played, done: Done, next_at: Instant) -> dict[str, list[tuple[Instant, float]]]:
    """Shortfalls that commitments in force pay by the next planning day: (date, USD) by commitment."""
    mine = [str(c.id) for c in played.scene.portfolio.commitments] + [str(s.offer) for s in done.signed]
    found: dict[str, list[tuple[Instant, float]]] = {}
    for row in played.outcome.frames["drawdown"].iter_rows(named=True):
        at = Instant(round(row["due_at"].timestamp()))
        if row["future"] == played.scene.comes.name and row["commitment"] in mine and at <= next_at:
            found.setdefault(row["commitment"], []).append((at, row["shortfall_usd"]))
    return found


def _after(
    first: Portfolio,
    path: Future,
    standing: Standing,
    played: Played,
    done: Done,
    contracts: Mapping[str, Contract],
    given_up: Mapping[tuple[str, int], float],
    rows: Mapping[str, pl.DataFrame],
    shortfalls: Mapping[str, list[tuple[Instant, float]]],
    until: int,
) -> Standing:
    """Where one stands at the period number `until`."""
    portfolio, decision = played.scene.portfolio, played.outcome.decision
    next_at = first.periods[until].from_at
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
            *_leases_after(portfolio, standing, done, given_up),
            *(_less(lease, given_up, o) for lease, o in signed.items()),
        ),
        origins={**standing.origins, **{lease.id: str(o) for lease, o in signed.items()}},
        offers=left_after(standing.offers, frozenset(signed.values())),
        commitments=commitments,
        drawn={
            c.id: _drawn(standing, c, played, contracts, rows, shortfalls.get(c.id, []), next_at) for c in commitments
        },
        spent_by_budget=_spent(first, standing, played, contracts, done),
        ready_at={**standing.ready_at, **_ready(portfolio, decision.ports, standing)},
        homes={**standing.homes, **{home.workload: home.pool for home in decision.homes}},
        done=_done(standing, rows["service"], portfolio),
    )


def _leases_after(
    portfolio: Portfolio, standing: Standing, done: Done, given_up: Mapping[tuple[str, int], float]
) -> tuple[Lease, ...]:
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


def _less(lease: Lease, given_up: Mapping[tuple[str, int], float], key: str) -> Lease:
    """The lease without what was given up, and with no right to give up more of it."""
    kept = _kept(given_up, key, lease)
    deliveries = [
        replace(d, accelerators=round(d.accelerators * kept[i]), terminable_after_days=None) if i in kept else d
        for i, d in enumerate(lease.deliveries)
    ]
    return replace(lease, deliveries=tuple(deliveries))


def _drawn(
    standing: Standing,
    commitment: Commitment,
    played: Played,
    contracts: Mapping[str, Contract],
    rows: Mapping[str, pl.DataFrame],
    shortfalls: list[tuple[Instant, float]],
    next_at: Instant,
) -> MicroUsd:
    """What counts towards a commitment by the next planning day; shortfalls paid count too."""
    portfolio, spend = played.scene.portfolio, commitment.spend
    total = int(standing.drawn.get(commitment.id, spend.drawn_micro_usd))
    if SpendKind.LEASE in spend.eligible:
        from_at = Instant(max(portfolio.as_of_at, spend.starts_at))
        mine = (c for c in contracts.values() if c.source.provider == spend.provider)
        total += sum(fees_between(contract, played.scene.comes, from_at, next_at) for contract in mine)
    used = _used_usd(portfolio, spend, rows["market"])
    return MicroUsd(total + micro_usd(used + math.fsum(amount for _, amount in shortfalls)))


def _used_usd(portfolio: Portfolio, spend: SpendCommitment, market: pl.DataFrame) -> float:
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


def _spent(
    first: Portfolio, standing: Standing, played: Played, contracts: Mapping[str, Contract], done: Done
) -> tuple[int, ...]:
    """Cash that what was signed and ported so far is promised to take within each budget's window, micro-dollars."""
    today = played.scene.portfolio.as_of_at
    new = [c for id_, c in contracts.items() if LeaseId(id_) not in {lease.id for lease in standing.leases}]
    posted = [charge for contract in new for charge in charges(contract.agreement, contract.agreement.promised)]
    ports = micro_usd(math.fsum(port.cost_usd for port in played.outcome.decision.ports))
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
