"""A played first stage as an `Outcome`: its costs by the pricing rules, its frames and its figures."""

import math
from collections import defaultdict

import numpy as np
import polars as pl

from acreage.domain.plan import SCHEMAS, Figures, Outcome
from acreage.domain.portfolio import ShareLevel
from acreage.plan.account import Account, account_of
from acreage.plan.bills import Biller
from acreage.plan.decide import decision_of
from acreage.plan.formulate.capacity import firm
from acreage.plan.formulate.first_stage import member_of
from acreage.plan.frames import (
    capacity_frame,
    dispatch_frame,
    frame,
    given_up_frame,
    marginal_frame,
    market_frame,
    named,
    names_of,
    period_columns,
    service_frame,
    stack,
)
from acreage.plan.play import Act, Play
from acreage.plan.problem import Vector, conditional_value_at_risk
from acreage.plan.service import Lacks, all_lacks, share
from acreage.units.instants import moment
from acreage.units.money import usd


def evaluate(play: Play, bound_usd: float) -> Outcome:
    """The outcome of a played first stage; `bound_usd` is the engine's proven bound on the objective.

    Futures are looked at act by act: of an act's answers only what is stated of them is kept.
    """
    biller = Biller(play)
    probability = np.array([f.probability for f in play.futures])
    parts: dict[str, list[pl.DataFrame]] = defaultdict(list)
    costs, lacks, duals = [], [], []
    for act in play.acts():
        account = account_of(act, biller)
        costs.append(account.cost_usd)
        lacks.append(account.lacks)
        duals.append(probability[act.numbers.start : act.numbers.stop] @ act.row_dual)
        for name, part in frames_of(act, account).items():
            parts[name].append(part)
    frames = {name: stack(name, found) for name, found in parts.items()}
    frames["cash"] = frames["cash"].sort("future", "period", "kind", "source")
    frames["shares"] = shares_frame(play)
    frames["marginal"] = marginal_frame(play.formulation, np.sum(duals, axis=0))
    return Outcome(
        decision=decision_of(play.formulation, play.first),
        figures=figures_of(play, np.concatenate(costs), all_lacks(lacks), bound_usd),
        frames=frames,
    )


def frames_of(act: Act, account: Account) -> dict[str, pl.DataFrame]:
    """The frames with rows for each of an act's futures."""
    drawdown = drawdown_frame(act, account)
    return {
        "dispatch": dispatch_frame(act),
        "market": market_frame(act, account.purchases),
        "given_up": given_up_frame(act),
        "capacity": capacity_frame(act),
        "service": service_frame(act, account.services),
        "drawdown": drawdown,
        "cost": cost_frame(act, account),
        "cash": cash_frame(act, account),
    }


def cost_frame(act: Act, account: Account) -> pl.DataFrame:
    """Discounted cost of each future by kind."""
    kinds = [*account.cost_by_kind]
    place, kind = (part.ravel() for part in np.indices((len(act.numbers), len(kinds))))
    return frame(
        "cost",
        {
            "future": named(names_of(act), place),
            "probability": np.array([f.probability for f in act.futures])[place],
            "kind": named(kinds, kind),
            "usd": np.stack([*account.cost_by_kind.values()], axis=1).ravel(),
        },
    )


def drawdown_frame(act: Act, account: Account) -> pl.DataFrame:
    """Eligible charges of every pledge in force at its milestones, and the shortfalls they leave."""
    rows = [
        (name, found.pledge.id, moment(due_at), found.drawn_usd[place, i], pledged, found.shortfall_usd[place, i])
        for place, name in enumerate(names_of(act))
        for found in account.drawdowns
        for i, (due_at, pledged) in enumerate(zip(found.pledge.due_at, found.pledge.pledged_usd, strict=True))
    ]
    return pl.DataFrame(rows, schema=dict(SCHEMAS["drawdown"]), orient="row")


def cash_frame(act: Act, account: Account) -> pl.DataFrame:
    """Undiscounted cash by period, kind and source."""
    names, edges = names_of(act), act.formulation.scene.clock.edges
    leased: dict[tuple[int, int, str], int] = defaultdict(int)
    for (place, key), bills in account.bills.items():
        for bill in bills:
            for period, micro_usd in bill.cash.items():
                leased[place, period, key] += micro_usd
    rows = [(names[place], period, "lease", key, usd(micro)) for (place, period, key), micro in leased.items()]
    bought = account.purchases.group_by("place", "period", "pool").agg(pl.col("usd").sum())
    rows += [(names[place], period, "market", pool, paid) for place, period, pool, paid in bought.iter_rows()]
    for found in account.drawdowns:
        for place, i in zip(*np.nonzero(found.shortfall_usd > 0.0), strict=True):
            at = min(found.pledge.due_at[i], edges[-1] - 1)
            period = int(np.searchsorted(edges, at, side="right")) - 1
            rows.append((names[place], period, "shortfall", found.pledge.id, float(found.shortfall_usd[place, i])))
    for port in decision_of(act.formulation, act.play.first).ports:
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
                        **period_columns(play.formulation),
                        "level": [str(level)] * len(series),
                        "member": [member] * len(series),
                        "effective_pflops": series,
                        "share_frac": share[member],
                        "hhi": hhi,
                    },
                )
            )
    return stack("shares", parts)


def figures_of(play: Play, costs: Vector, lacks: Lacks, bound_usd: float) -> Figures:
    """Totals over the costs (S,) and lacks of all futures; see `Figures`."""
    risk = play.formulation.portfolio.policy.risk
    probability = np.array([f.probability for f in play.futures])
    expected = math.fsum(probability * costs)
    cvar = conditional_value_at_risk(costs, probability, risk.tail_frac)
    objective = (1 - risk.weight_frac) * expected + risk.weight_frac * cvar
    bound_usd = min(bound_usd, objective)
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
