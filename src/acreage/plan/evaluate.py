"""A played first stage as an `Outcome`: its costs by the pricing rules, its frames and its figures."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from acreage.domain.lease import Lease
from acreage.domain.plan import SCHEMAS, Figures, Outcome
from acreage.domain.portfolio import ShareLevel
from acreage.domain.price import PriceKind
from acreage.domain.terms import SpendCommitment, SpendKind
from acreage.domain.workload import TrainingRun
from acreage.plan.decide import decision_of
from acreage.plan.formulate.capacity import firm
from acreage.plan.formulate.costs import match_credit_usd
from acreage.plan.formulate.first_stage import member_of
from acreage.plan.formulate.layout import ColumnKind
from acreage.plan.formulate.money import agreement_of_lease, agreement_of_variant, handovers_in, losses_in
from acreage.plan.formulate.pledged import open_pledges
from acreage.plan.frames import (
    best_chip_hours,
    capacity_frame,
    dispatch_frame,
    end_factor,
    frame,
    given_up_frame,
    marginal_frame,
    market_frame,
    names_of,
    period_columns,
    service_frame,
    stack,
)
from acreage.plan.play import Play
from acreage.plan.problem import Vector, conditional_value_at_risk
from acreage.pricing.invoice import Charge, ChargeKind, charges
from acreage.pricing.present_value import discount_factor, present_value
from acreage.units.instants import SECONDS_PER_DAY, Instant, moment
from acreage.units.money import usd


def evaluate(play: Play, bound_usd: float) -> Outcome:
    """The outcome of a played first stage; `bound_usd` is the engine's proven bound on the objective."""
    frames = {
        "dispatch": dispatch_frame(play),
        "market": market_frame(play),
        "given_up": given_up_frame(play),
        "capacity": capacity_frame(play),
        "service": service_frame(play),
    }
    ledger = lease_charges(play)
    frames["drawdown"] = drawdown_frame(play, ledger, frames["market"])
    frames["cost"] = cost_frame(play, ledger, frames)
    frames["cash"] = cash_frame(play, ledger, frames)
    frames["shares"] = shares_frame(play)
    probability = np.array([f.probability for f in play.formulation.futures[: len(play.second)]])
    frames["marginal"] = marginal_frame(play, probability)
    return Outcome(
        decision=decision_of(play.formulation, play.first),
        figures=figures_of(play, frames, probability, bound_usd),
        frames=frames,
    )


Ledger = Mapping[tuple[int, str], list[Charge]]
"""All charges by future number and source (a lease or offer id)."""


def lease_charges(play: Play) -> Ledger:
    """What every source in force is charged in every future, whole quantities."""
    formulation = play.formulation
    leases = {str(lease.id): lease for lease in formulation.portfolio.leases}
    found: dict[tuple[int, str], list[Charge]] = defaultdict(list)
    for number, units in play.sources.items():
        source = formulation.choices.sources[number]
        column = formulation.choices.builder.columns[number]
        agreement = (
            agreement_of_lease(leases[column.subject], source)
            if column.variant is None
            else agreement_of_variant(column.variant, source, formulation.portfolio.as_of_at, units)
        )
        for s, future in enumerate(formulation.futures[: len(play.second)]):
            kept = {p.index: 1.0 - play.given_up.get((s, source.key, p.index), 0.0) for p in source.parts}
            handed = handovers_in(source, future, units=units, kept=kept)
            posted = charges(agreement, handed, losses_in(source, future))
            found[s, source.key] += [c for c in posted if c.posted_at >= formulation.portfolio.as_of_at]
    return found


def cost_frame(play: Play, ledger: Ledger, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Discounted cost of each future by kind."""
    market = _market_cost(play, frames["market"])
    shortfall = _shortfall_cost(play, frames["drawdown"])
    ports = math.fsum(port.cost_usd for port in decision_of(play.formulation, play.first).ports)
    credit = match_credits_usd(play)
    rows = []
    for s, name in enumerate(names_of(play)):
        lease, salvage = _lease_cost(play, ledger, s)
        unmet, late, unfinished = _penalties(play, frames["service"], name, s)
        kinds = {
            "lease": lease,
            "market": market.get(name, 0.0),
            "shortfall": shortfall.get(name, 0.0),
            "port": ports,
            "unmet": unmet,
            "late": late,
            "unfinished": unfinished,
            "salvage": -salvage,
            "mfc_credit": -credit,
        }
        probability = play.formulation.futures[s].probability
        rows += [(name, probability, kind, value) for kind, value in kinds.items()]
    return pl.DataFrame(rows, schema=dict(SCHEMAS["cost"]), orient="row")


def _lease_cost(play: Play, ledger: Ledger, future: int) -> tuple[float, float]:
    portfolio = play.formulation.portfolio
    policy, horizon_at = portfolio.policy, portfolio.periods[-1].until_at
    values = [
        present_value(posted, portfolio.as_of_at, policy.discount_frac_per_year, horizon_at, policy.resale_frac)
        for (s, _), posted in ledger.items()
        if s == future
    ]
    return math.fsum(v.cost_usd for v in values), math.fsum(v.salvage_usd for v in values)


def _market_cost(play: Play, market: pl.DataFrame) -> dict[str, float]:
    factors = play.formulation.scene.factors[market["period"].to_numpy()]
    found: dict[str, list[float]] = defaultdict(list)
    for name, value in zip(market["future"], market["usd"].to_numpy() * factors, strict=True):
        found[name].append(value)
    return {name: math.fsum(found[name]) for name in found}


def _shortfall_cost(play: Play, drawdown: pl.DataFrame) -> dict[str, float]:
    portfolio = play.formulation.portfolio
    frac = portfolio.policy.discount_frac_per_year
    found: dict[str, float] = defaultdict(float)
    for row in drawdown.iter_rows(named=True):
        factor = discount_factor(row["due_at"].timestamp(), portfolio.as_of_at, frac)
        found[row["future"]] += row["shortfall_usd"] * factor
    return found


def _penalties(play: Play, service: pl.DataFrame, name: str, future: int) -> tuple[float, float, float]:
    """Discounted costs of unmet demand, of lateness and of work never done."""
    factors = play.formulation.scene.factors
    mine = service.filter(pl.col("future") == name)
    unmet, late, unfinished = [], [], []
    for workload in play.formulation.portfolio.workloads:
        rows = mine.filter(pl.col("workload") == workload.id)
        if isinstance(workload, TrainingRun):
            undone = _undone_frac(play, workload, rows, future)
            late_days = late_days_of(play, workload)
            late.append(float(undone @ (late_days * factors)) * usd(workload.late_micro_usd_per_day))
            unfinished.append(undone[-1] * usd(workload.unfinished_micro_usd) * end_factor(play))
        else:
            unmet.append(float(rows["penalty_usd"].to_numpy() @ factors))
    return math.fsum(unmet), math.fsum(late), math.fsum(unfinished)


def late_days_of(play: Play, run: TrainingRun) -> Vector:
    """Days (T,) of each period that lie past a run's deadline."""
    edges = play.formulation.scene.clock.edges
    late_s = np.maximum(0.0, edges[1:] - np.maximum(edges[:-1], run.deadline_at))
    return np.asarray(late_s / SECONDS_PER_DAY)


def _undone_frac(play: Play, run: TrainingRun, rows: pl.DataFrame, future: int) -> Vector:
    work = run.work * play.formulation.futures[future].work_factor.get(run.id, 1.0)
    undone = np.maximum(0.0, work - np.cumsum(rows["served"].to_numpy()))
    undone[undone <= 1e-9 * work] = 0.0
    return np.asarray(undone / run.work)


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


def drawdown_frame(play: Play, ledger: Ledger, market: pl.DataFrame) -> pl.DataFrame:
    """Eligible charges of every pledge in force at its milestones, and the shortfalls they leave."""
    rows = []
    for s, name in enumerate(names_of(play)):
        for pledge in open_pledges(play.formulation.choices, play.formulation.pledges, play.first):
            drawn = usd(pledge.spend.drawn_micro_usd)
            paid = 0.0
            bought = market.filter(pl.col("future") == name)
            for due_at, pledged in zip(pledge.due_at, pledge.pledged_usd, strict=True):
                counted = drawn + _eligible_usd(play, pledge.spend, ledger, bought, s, due_at)
                shortfall = max(0.0, pledged - counted - paid)
                shortfall = 0.0 if shortfall < 5e-7 * max(1.0, pledged * 1e-6) else shortfall
                paid += shortfall
                rows.append((name, pledge.id, moment(due_at), counted, pledged, shortfall))
    return pl.DataFrame(rows, schema=dict(SCHEMAS["drawdown"]), orient="row")


def _eligible_usd(
    play: Play, spend: SpendCommitment, ledger: Ledger, bought: pl.DataFrame, future: int, due_at: Instant
) -> float:
    """Charges with the pledge's provider that count by a date, since it began."""
    portfolio = play.formulation.portfolio
    sources = {s.key: s.provider for s in play.formulation.choices.sources.values()}
    from_at = max(portfolio.as_of_at, spend.starts_at)
    total = 0.0
    if SpendKind.LEASE in spend.eligible:
        for (s, key), posted in ledger.items():
            if s == future and sources[key] == spend.provider:
                fees = [c.micro_usd for c in posted if c.kind is ChargeKind.FEE and from_at <= c.posted_at <= due_at]
                total += usd(sum(fees))
    inside = [i for i, p in enumerate(portfolio.periods) if p.from_at >= spend.starts_at and p.until_at <= due_at]
    pools = [pool.id for pool in portfolio.pools.values() if pool.provider == spend.provider]
    mine = bought.filter(pl.col("period").is_in(inside) & pl.col("pool").is_in(pools))
    kinds = [k for k in mine["kind"].unique() if _counts(k, spend)]
    return total + math.fsum(mine.filter(pl.col("kind").is_in(kinds))["usd"])


def _counts(kind: str, spend: SpendCommitment) -> bool:
    if kind == PriceKind.ON_DEMAND:
        return SpendKind.ON_DEMAND in spend.eligible
    return kind != PriceKind.SPOT and SpendKind.LEASE in spend.eligible


def cash_frame(play: Play, ledger: Ledger, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Undiscounted cash by period, kind and source."""
    names = names_of(play)
    edges = play.formulation.scene.clock.edges
    totals: dict[tuple[str, int, str, str], int] = defaultdict(int)
    for (s, key), posted in ledger.items():
        for charge in posted:
            if charge.posted_at < edges[-1]:
                period = int(np.searchsorted(edges, charge.posted_at, side="right")) - 1
                totals[names[s], period, "lease", key] += charge.micro_usd
    rows = [(*key, usd(value)) for key, value in totals.items()]
    bought = frames["market"].group_by("future", "period", "pool").agg(pl.col("usd").sum())
    rows += [(f, t, "market", pool, value) for f, t, pool, value in bought.iter_rows()]
    for row in frames["drawdown"].iter_rows(named=True):
        if row["shortfall_usd"] > 0.0:
            at = min(row["due_at"].timestamp(), edges[-1] - 1)
            period = int(np.searchsorted(edges, at, side="right")) - 1
            rows.append((row["future"], period, "shortfall", row["commitment"], row["shortfall_usd"]))
    for port in decision_of(play.formulation, play.first).ports:
        rows += [(name, 0, "port", port.workload, port.cost_usd) for name in names]
    return pl.DataFrame(rows, schema=dict(SCHEMAS["cash"]), orient="row").sort("future", "period", "kind", "source")


def shares_frame(play: Play) -> pl.DataFrame:
    """Who holds firm effective capacity, at every level, and how concentrated that is."""
    formulation = play.formulation
    portfolio, clock = formulation.portfolio, formulation.scene.clock
    power: dict[tuple[ShareLevel, str], Vector] = {}
    for number, units in play.sources.items():
        source = formulation.choices.sources[number]
        tflops = portfolio.effective_tflops[portfolio.pools[source.pool].accelerator]
        series = units * firm(clock, source) * tflops / 1_000.0
        for level in ShareLevel:
            key = (level, member_of(portfolio, level, source.pool))
            power[key] = power.get(key, np.zeros(len(series))) + series
    parts = []
    for level in ShareLevel:
        mine = {member: series for (found, member), series in power.items() if found is level}
        if not mine:
            continue
        total = np.sum(list(mine.values()), axis=0)
        share = {m: np.divide(s, total, out=np.zeros_like(s), where=total > 0) for m, s in mine.items()}
        hhi = np.sum([s**2 for s in share.values()], axis=0)
        for member, series in mine.items():
            parts.append(
                frame(
                    "shares",
                    {
                        **period_columns(play),
                        "level": [str(level)] * len(series),
                        "member": [member] * len(series),
                        "effective_pflops": series,
                        "share_frac": share[member],
                        "hhi": hhi,
                    },
                )
            )
    return stack("shares", parts)


def figures_of(play: Play, frames: Mapping[str, pl.DataFrame], probability: Vector, bound_usd: float) -> Figures:
    """Totals; see `Figures`."""
    risk = play.formulation.portfolio.policy.risk
    totals = frames["cost"].group_by("future", maintain_order=True).agg(pl.col("usd"))
    costs = np.array([math.fsum(values) for values in totals["usd"]])
    expected = math.fsum(probability * costs)
    cvar = conditional_value_at_risk(costs, probability, risk.tail_frac)
    objective = (1 - risk.weight_frac) * expected + risk.weight_frac * cvar
    bound_usd = min(bound_usd, objective)
    lacks = lacks_of(play, frames["service"])
    return Figures(
        objective_usd=objective,
        bound_usd=bound_usd,
        gap_frac=(objective - bound_usd) / abs(objective) if objective else 0.0,
        base_usd=float(costs[0]),
        expected_usd=expected,
        cvar_usd=float(cvar),
        unmet_frac=share(float(probability @ lacks.unmet_hours), float(probability @ lacks.wanted_hours)),
        late_frac=share(float(probability @ lacks.late_hours), float(probability @ lacks.work_hours)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacks:
    """What is wanted and lacking in each future (S,), in accelerator-hours of each workload's best chip.

    `wanted_hours` and `unmet_hours` are of serving and research, `work_hours` and `late_hours` of training.
    """

    wanted_hours: Vector
    unmet_hours: Vector
    work_hours: Vector
    late_hours: Vector


def lacks_of(play: Play, service: pl.DataFrame) -> Lacks:
    """Demand unmet and training work late in each future of a service frame."""
    names = names_of(play)
    wanted, unmet, work, late = (np.zeros(len(names)) for _ in range(4))
    hours = play.formulation.scene.clock.hours
    by_name = {(str(w), str(f)): rows for (w, f), rows in service.group_by("workload", "future", maintain_order=True)}
    for workload in play.formulation.portfolio.workloads:
        for s, name in enumerate(names):
            mine = by_name[workload.id, name]
            if isinstance(workload, TrainingRun):
                in_time = late_days_of(play, workload) <= 0.0
                run_hours = best_chip_hours(play, workload, mine["demand"][0])
                done = float(mine["served"].to_numpy()[in_time].sum())
                work[s] += run_hours
                late[s] += run_hours * max(0.0, 1.0 - done / mine["demand"][0])
            else:
                wanted[s] += best_chip_hours(play, workload, float(mine["demand"].to_numpy() @ hours))
                unmet[s] += best_chip_hours(play, workload, float(mine["unmet"].to_numpy() @ hours))
    return Lacks(wanted_hours=wanted, unmet_hours=unmet, work_hours=work, late_hours=late)


def share(part: float, whole: float) -> float:
    """A part of a whole; 0 where there is nothing."""
    return part / whole if whole else 0.0
