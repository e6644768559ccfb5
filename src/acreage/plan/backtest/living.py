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
from acreage.domain.plan import Decision
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import TrainingRun
from acreage.plan.backtest.aftermath import Passed, standing_after
from acreage.plan.backtest.playing import Played, contracts_of, given_up_by
from acreage.plan.backtest.signing import Done
from acreage.plan.backtest.standing import Standing, rest_of, rolled_forward
from acreage.plan.backtest.worth import Contract, held_contract, worth_usd
from acreage.plan.decide import first_stage_of
from acreage.plan.evaluate import late_days_of, match_credits_usd
from acreage.plan.problem import Vector
from acreage.pricing.present_value import discount_factor
from acreage.units.instants import Instant
from acreage.units.money import usd


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
    given_up = given_up_by(played, done, next_at)
    passed = Passed(
        played=played,
        done=done,
        contracts=contracts_of(portfolio, done, given_up),
        given_up=given_up,
        rows=rows,
        shortfalls=_shortfalls(played, done, next_at),
        next_at=next_at,
    )
    after = standing_after(first, standing, passed, until)
    ports = played.outcome.decision.ports
    cost = {
        **_running(played, rows),
        "shortfall": math.fsum(
            amount * discount_factor(at, portfolio.as_of_at, portfolio.policy.discount_frac_per_year)
            for paid in passed.shortfalls.values()
            for at, amount in paid
        ),
        "port": math.fsum(port.cost_usd for port in ports),
        "lease": _leases(first, path, played, passed.contracts, after),
        "mfc_credit": -_credit(played, done),
    }
    return Month(cost_usd=cost, after=after, rows=rows, contracts=passed.contracts)


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
