"""A path that was walked, added up again from the contracts and the first planning day's terms.

What the months say of themselves was worked out day by day, each with its own portfolio. Here every contract is priced
once from its signing to its end, demand is taken from the base and the path, lateness from all the work done: the sums
must be the same, nothing may be signed twice, and what is held must be what was signed.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from acreage.domain.finding import Finding, Severity
from acreage.domain.future import Future
from acreage.domain.portfolio import Portfolio
from acreage.domain.terms import SpendCommitment, SpendKind
from acreage.domain.workload import ServingFleet, TrainingRun
from acreage.plan.backtest.aftermath import used_usd
from acreage.plan.backtest.playing import PATH
from acreage.plan.backtest.signing import as_signed, lease_of, variant_of
from acreage.plan.backtest.walking import Course, Walked
from acreage.plan.backtest.worth import Contract, fees_between, held_contract, signed_contract
from acreage.plan.formulate.blocks import common_blocks
from acreage.plan.formulate.money import handovers_in, losses_in
from acreage.plan.problem import Vector
from acreage.pricing.invoice import charges
from acreage.pricing.present_value import discount_factor, present_value
from acreage.units.instants import SECONDS_PER_DAY, Instant
from acreage.units.money import usd

TOLERANCE_FRAC, TOLERANCE_USD = 1e-6, 1.0
"""Sums may differ by this share of their gross amount, or this many dollars: clauses are kept in micro-dollars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What all months together came to, by kind, in USD of the first day, and the rows of the path from the first day
    on."""

    cost_usd: Mapping[str, float]
    market: pl.DataFrame
    service: pl.DataFrame


def audit_walk(course: Course, path: Future, walked: Sequence[Walked]) -> tuple[Finding, ...]:
    """Every doubt about a path that was walked to the end."""
    lived = lived_of(course, walked)
    return (
        *_signed_once(walked),
        *_held_as_signed(walked),
        *_agrees("lease", lived.cost_usd["lease"], _lease_usd(course.portfolio, path, walked)),
        *_agrees("market", lived.cost_usd["market"], _discounted(course.portfolio, lived.market, "usd")),
        *_agrees("shortfall", lived.cost_usd["shortfall"], _shortfall_usd(course.portfolio, path, walked, lived)),
        *_served(course, path, lived),
        *_trained(course.portfolio, path, lived),
    )


def lived_of(course: Course, walked: Sequence[Walked]) -> Lived:
    """Costs and rows of all months, the last day's to the horizon."""
    portfolio = course.portfolio
    frac = portfolio.policy.discount_frac_per_year
    cost: dict[str, list[float]] = {}
    market, service = [], []
    for day, one in zip(course.days, walked, strict=True):
        factor = discount_factor(portfolio.periods[day].from_at, portfolio.as_of_at, frac)
        kinds = one.month.cost_usd if one.month is not None else _last_costs(one)
        for kind, amount in kinds.items():
            cost.setdefault(kind, []).append(factor * amount)
        rows = one.month.rows if one.month is not None else _last_rows(one)
        shifted = {name: frame.with_columns(pl.col("period") + day) for name, frame in rows.items()}
        market.append(shifted["market"])
        service.append(shifted["service"])
    return Lived(
        cost_usd={kind: math.fsum(amounts) for kind, amounts in cost.items()},
        market=pl.concat(market),
        service=pl.concat(service),
    )


def _last_costs(one: Walked) -> dict[str, float]:
    frame = one.played.outcome.frames["cost"].filter(pl.col("future") == one.scene.comes.name)
    kinds = {str(kind): float(amount) for kind, amount in zip(frame["kind"], frame["usd"], strict=True)}
    kinds["lease"] += kinds.pop("salvage")
    return kinds


def _last_rows(one: Walked) -> dict[str, pl.DataFrame]:
    frames = one.played.outcome.frames
    return {name: frames[name].filter(pl.col("future") == one.scene.comes.name) for name in ("market", "service")}


def _doubt(rule: str, subject: str, message: str) -> Finding:
    return Finding(rule=rule, severity=Severity.ERROR, source="backtest", row="", subject=subject, message=message)


def _agrees(rule: str, stated: float, derived: float) -> Iterator[Finding]:
    if abs(stated - derived) > max(TOLERANCE_USD, TOLERANCE_FRAC * max(abs(stated), abs(derived))):
        yield _doubt(rule, "cost", f"{stated:.2f} USD stated, {derived:.2f} derived")


def _signed_once(walked: Sequence[Walked]) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for number, one in enumerate(walked):
        for offer in {s.offer for s in one.done.signed}:
            if offer in seen:
                yield _doubt("signed_twice", offer, f"signed on days {seen[offer] + 1} and {number + 1}")
            seen[offer] = number


def _held_as_signed(walked: Sequence[Walked]) -> Iterator[Finding]:
    """Each lease of a later portfolio delivers what was signed, less what was given up of it."""
    promised: dict[str, int] = {}
    for one in walked:
        for lease in one.scene.portfolio.leases:
            held = sum(delivery.accelerators for delivery in lease.deliveries)
            if promised.get(lease.id, held) != held:
                yield _doubt("held", lease.id, f"{held} accelerators are held, {promised[lease.id]} were signed")
        if one.month is None:
            continue
        for id_, contract in one.month.contracts.items():
            promised[id_] = sum(
                round(part.accelerators * contract.units * contract.kept.get(part.index, 1.0))
                for part in contract.source.parts
            )


def _lease_usd(portfolio: Portfolio, path: Future, walked: Sequence[Walked]) -> float:
    """All contracts from their signing to their end, discounted to the first day, less salvage."""
    policy = portfolio.policy
    total = []
    for contract in final_contracts(portfolio, walked):
        handed = handovers_in(contract.source, path, units=contract.units, kept=contract.kept)
        posted = charges(contract.agreement, handed, losses_in(contract.source, path))
        value = present_value(
            posted,
            portfolio.as_of_at,
            policy.discount_frac_per_year,
            portfolio.periods[-1].until_at,
            policy.resale_frac,
        )
        total.append(value.cost_usd - value.salvage_usd)
    return math.fsum(total)


def final_contracts(portfolio: Portfolio, walked: Sequence[Walked]) -> tuple[Contract, ...]:
    """Every contract of the path as it came to be: when it was signed, left and what of it was given up."""
    offers = {offer.id: offer for offer in portfolio.offers}
    found = {str(lease.id): held_contract(lease) for lease in portfolio.leases}
    for one in walked:
        is_last = one.month is None
        for signing in one.done.signed:
            offer = offers[signing.offer]
            signed = signing if is_last else as_signed(signing, offer)
            id_ = str(lease_of(signed, offer, portfolio).id)
            found[id_] = signed_contract(variant_of(signed, offer), signed.blocks, one.scene.portfolio.as_of_at)
        for release in one.done.released:
            contract = found[release.lease]
            found[release.lease] = replace(
                contract,
                source=replace(contract.source, ends_at=release.ends_at),
                agreement=replace(contract.agreement, ends_at=release.ends_at),
            )
        for id_, kept in _kept(portfolio, one).items():
            found[id_] = replace(found[id_], kept={**found[id_].kept, **kept})
    return tuple(found.values())


def _kept(portfolio: Portfolio, one: Walked) -> dict[str, Mapping[int, float]]:
    """Shares of parts that are kept from this day on, by lease."""
    if one.month is not None:
        return {id_: contract.kept for id_, contract in one.month.contracts.items() if contract.kept}
    offers = {offer.id: offer for offer in portfolio.offers}
    leases: dict[str, list[str]] = {str(lease.id): [str(lease.id)] for lease in one.scene.portfolio.leases}
    for signing in one.done.signed:
        lease = lease_of(signing, offers[signing.offer], portfolio)
        leases.setdefault(signing.offer, []).append(str(lease.id))
    found: dict[str, dict[int, float]] = {}
    for (future, key, index), share in one.played.play.given_up.items():
        for id_ in leases[key] if future == PATH else ():
            found.setdefault(id_, {})[index] = 1.0 - share
    return dict(found)


def _shortfall_usd(portfolio: Portfolio, path: Future, walked: Sequence[Walked], lived: Lived) -> float:
    """What every commitment falls short of at its milestones, counted anew from its first day, discounted."""
    contracts, frac = final_contracts(portfolio, walked), portfolio.policy.discount_frac_per_year
    total = []
    for spend, from_at in _pledged(portfolio, walked):
        paid = 0.0
        for milestone in spend.milestones:
            if not from_at < milestone.due_at <= portfolio.periods[-1].until_at:
                continue
            mine = [c for c in contracts if c.source.provider == spend.provider and SpendKind.LEASE in spend.eligible]
            since, until = Instant(max(from_at, spend.starts_at)), Instant(milestone.due_at + 1)
            fees = sum(fees_between(contract, path, since, until) for contract in mine)
            inside = [i for i, p in enumerate(portfolio.periods) if from_at <= p.from_at and p.until_at <= until - 1]
            used = used_usd(portfolio, spend, lived.market.filter(pl.col("period").is_in(inside)))
            short = max(0.0, usd(milestone.cumulative_micro_usd - spend.drawn_micro_usd - fees) - used - paid)
            paid += short
            total.append(short * discount_factor(milestone.due_at, portfolio.as_of_at, frac))
    return math.fsum(total)


def _pledged(portfolio: Portfolio, walked: Sequence[Walked]) -> Iterator[tuple[SpendCommitment, Instant]]:
    """Every commitment held or signed, and the day from which it counts."""
    for commitment in portfolio.commitments:
        yield commitment.spend, portfolio.as_of_at
    offers = {offer.id: offer for offer in portfolio.offers}
    for one in walked:
        for id_ in dict.fromkeys(signing.offer for signing in one.done.signed):
            spend = offers[id_].commitment
            if spend is not None:
                yield spend, one.scene.portfolio.as_of_at


def _discounted(portfolio: Portfolio, rows: pl.DataFrame, column: str) -> float:
    """The sum of a column, each row discounted from the middle of its period to the first day."""
    frac = portfolio.policy.discount_frac_per_year
    factors = np.array(
        [discount_factor((p.from_at + p.until_at) / 2, portfolio.as_of_at, frac) for p in portfolio.periods]
    )
    return float(rows[column].to_numpy() @ factors[rows["period"].to_numpy()])


def _served(course: Course, path: Future, lived: Lived) -> Iterator[Finding]:
    """Demand is the base times the path; what of it is not served costs its penalty."""
    portfolio = course.portfolio
    blocks, penalties = common_blocks(portfolio), []
    for workload in portfolio.workloads:
        if isinstance(workload, TrainingRun):
            continue
        mine = lived.service.filter(pl.col("workload") == workload.id).sort("period")
        level = 1.0
        if isinstance(workload, ServingFleet):
            level = float(blocks.level[workload.id] @ blocks.hours_frac)
        wanted = course.demand[workload.id] * np.asarray(path.demand_factor.get(workload.id, 1.0)) * level
        if not np.allclose(mine["demand"].to_numpy(), wanted, rtol=1e-9, atol=1e-9):
            yield _doubt("demand", workload.id, "the months do not want what the path does")
        if not np.allclose((mine["served"] + mine["unmet"]).to_numpy(), wanted, rtol=1e-6, atol=1e-6):
            yield _doubt("service", workload.id, "served and unmet do not add up to demand")
        penalties.append(_discounted(portfolio, mine, "penalty_usd"))
    yield from _agrees("unmet", lived.cost_usd["unmet"], math.fsum(penalties))


def _trained(portfolio: Portfolio, path: Future, lived: Lived) -> Iterator[Finding]:
    """No run does more than its work; lateness and what is never done follow from all the work done."""
    late, unfinished = [], []
    frac, horizon_at = portfolio.policy.discount_frac_per_year, portfolio.periods[-1].until_at
    for run in portfolio.workloads:
        if not isinstance(run, TrainingRun):
            continue
        done = _done(run, lived.service, len(portfolio.periods))
        work = run.work * path.work_factor.get(run.id, 1.0)
        if done.sum() > work * (1.0 + TOLERANCE_FRAC):
            yield _doubt("work", run.id, f"{done.sum():.6g} {run.work_unit} done, {work:.6g} to do")
        undone = np.maximum(0.0, work - np.cumsum(done))
        undone[undone <= 1e-8 * work] = 0.0
        for period, left in zip(portfolio.periods, undone / run.work, strict=True):
            days = max(0.0, period.until_at - max(period.from_at, run.deadline_at)) / SECONDS_PER_DAY
            middle = (period.from_at + period.until_at) / 2
            factor = discount_factor(middle, portfolio.as_of_at, frac)
            late.append(left * days * factor * usd(run.late_micro_usd_per_day))
        end = discount_factor(horizon_at, portfolio.as_of_at, frac)
        unfinished.append(undone[-1] / run.work * end * usd(run.unfinished_micro_usd))
    yield from _agrees("late", lived.cost_usd["late"], math.fsum(late))
    yield from _agrees("unfinished", lived.cost_usd["unfinished"], math.fsum(unfinished))


def _done(run: TrainingRun, service: pl.DataFrame, periods: int) -> Vector:
    """Work done (T,) in each period."""
    mine = service.filter(pl.col("workload") == run.id)
    found = np.zeros(periods)
    np.add.at(found, mine["period"].to_numpy(), mine["served"].to_numpy())
    return found
