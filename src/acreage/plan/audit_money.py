"""Whether the stated costs, cash, drawdown, service and totals are what the plan comes to."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from acreage.domain.finding import Finding
from acreage.domain.plan import Figures
from acreage.domain.portfolio import Risk
from acreage.domain.workload import ResearchShare, ServingFleet, TrainingRun
from acreage.plan.audit_ground import (
    QUANTITY_TOLERANCE_FRAC,
    Array,
    Ground,
    doubt,
    money_differs,
)
from acreage.plan.audit_prices import Drawn, Posted, differing, favored_credit_usd, lease_value
from acreage.plan.audit_supply import Holding
from acreage.plan.audit_wants import done, lateness_usd, served, unmet_usd, wanted
from acreage.pricing.present_value import discount_factor
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR
from acreage.units.money import usd

PENALTIES = frozenset({"unmet", "late", "unfinished"})
FIXED = ("lease", "salvage", "port", "mfc_credit")
KINDS = (*FIXED, "market", "shortfall", "unmet", "late", "unfinished")


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the auditor makes of a plan: discounted USD by kind, each (S,), and the objective's parts.

    `scale_usd` is the size that penalties are exact to.
    """

    by_kind: Mapping[str, Array]
    expected_usd: float
    cvar_usd: float
    objective_usd: float
    scale_usd: float

    @property
    def cost_usd(self) -> Array:
        """Cost of each future (S,)."""
        return np.asarray(sum(self.by_kind.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Discounted USD by kind, each (F,), of some futures with their probabilities (F,)."""

    by_kind: Mapping[str, Array]
    probability: Array
    scale_usd: float


def derive_costs(ground: Ground, holdings: tuple[Holding, ...], posted: Posted, drawn: tuple[Drawn, ...]) -> Costs:
    """All costs of every future."""
    count = len(ground.futures)
    paid = [cube.sum(axis=2) @ ground.factors for cube in ground.market_usd.values()]
    unmet, late, unfinished = np.zeros(count), np.zeros(count), np.zeros(count)
    for workload in ground.portfolio.workloads:
        if isinstance(workload, TrainingRun):
            run_late, run_unfinished = lateness_usd(ground, workload)
            late, unfinished = late + run_late, unfinished + run_unfinished
        else:
            unmet = unmet + unmet_usd(ground, workload) @ ground.factors
    by_kind = {
        **fixed_costs(ground, holdings, posted),
        "market": np.asarray(sum(paid, np.zeros(count))),
        "shortfall": shortfall_value(ground, drawn),
        "unmet": unmet,
        "late": late,
        "unfinished": unfinished,
    }
    return Costs(
        by_kind=by_kind,
        probability=np.array([future.probability for future in ground.futures]),
        scale_usd=full_penalty_usd(ground),
    )


def fixed_costs(ground: Ground, holdings: tuple[Holding, ...], posted: Posted) -> dict[str, Array]:
    """The kinds of cost (F,) that follow from the decision and what is delivered, whatever runs where."""
    count = len(ground.futures)
    leases = [lease_value(ground, posted, s) for s in range(count)]
    return {
        "lease": np.array([value.cost_usd for value in leases]),
        "salvage": -np.array([value.salvage_usd for value in leases]),
        "port": np.full(count, math.fsum(p.cost_usd for p in ground.outcome.decision.ports)),
        "mfc_credit": np.full(count, -favored_credit_usd(ground, holdings)),
    }


def totals_of(parts: Sequence[Costs], risk: Risk) -> Totals:
    """What the costs of all futures come to."""
    by_kind = {kind: np.concatenate([part.by_kind[kind] for part in parts]) for kind in parts[0].by_kind}
    cost = np.asarray(sum(by_kind.values()))
    weight = np.concatenate([part.probability for part in parts])
    expected, cvar = math.fsum(weight * cost), tail_mean(cost, weight, risk.tail_frac)
    return Totals(
        by_kind=by_kind,
        expected_usd=expected,
        cvar_usd=cvar,
        objective_usd=(1.0 - risk.weight_frac) * expected + risk.weight_frac * cvar,
        scale_usd=max(part.scale_usd for part in parts),
    )


def tail_mean(cost: Array, weight: Array, tail_frac: float) -> float:
    """Mean of the dearest (1 - tail) of the probability mass, by going down the sorted costs."""
    left = mass = 1.0 - tail_frac
    parts = []
    for s in sorted(range(len(cost)), key=lambda i: -cost[i]):
        taken = min(left, float(weight[s]))
        parts.append(taken * float(cost[s]))
        left -= taken
    return math.fsum(parts) / mass


def shortfalls(ground: Ground, drawn: tuple[Drawn, ...]) -> dict[tuple[str, int], Array]:
    """What each milestone leaves to pay (S,): pledged less drawn and less shortfalls paid before."""
    paid: dict[str, Array] = defaultdict(lambda: np.zeros(len(ground.futures)))
    found = {}
    for mark in sorted(drawn, key=lambda m: m.due_at):
        due = np.maximum(mark.pledged_usd - mark.drawn_usd - paid[mark.commitment], 0.0)
        paid[mark.commitment] = paid[mark.commitment] + due
        found[mark.commitment, int(mark.due_at)] = due
    return found


def shortfall_value(ground: Ground, drawn: tuple[Drawn, ...]) -> Array:
    """Discounted shortfalls (S,)."""
    frac, today = ground.portfolio.policy.discount_frac_per_year, ground.portfolio.as_of_at
    total = np.zeros(len(ground.futures))
    for (_, due_at), due in shortfalls(ground, drawn).items():
        total = total + due * discount_factor(due_at, today, frac)
    return total


def full_penalty_usd(ground: Ground) -> float:
    """What it would cost, undiscounted, to serve nothing at all: the size that penalties are exact to."""
    sizes = []
    for workload in ground.portfolio.workloads:
        if isinstance(workload, TrainingRun):
            days = max(0.0, (ground.horizon_at - workload.deadline_at) / SECONDS_PER_DAY)
            sizes.append(usd(workload.late_micro_usd_per_day) * days + usd(workload.unfinished_micro_usd))
        else:
            sizes.append(_whole_penalty(ground, workload))
    return math.fsum(sizes)


def _whole_penalty(ground: Ground, workload: ServingFleet | ResearchShare) -> float:
    """Penalty of a fleet or share with nothing served, in the future where it is largest."""
    given = wanted(ground, workload)
    if isinstance(workload, ServingFleet):
        price = usd(workload.unmet_micro_usd_per_million) * SECONDS_PER_HOUR / 1e6
    else:
        price = usd(workload.unmet_micro_usd_per_accelerator_hour)
    return float((given @ ground.hours).max(initial=0.0) * price)


def check_costs(ground: Ground, costs: Costs) -> Iterator[Finding]:
    """Each future's stated cost of each kind derived is the derived one, and its probability the future's."""
    stated = stated_costs(ground)
    for row in ground.outcome.frames["cost"].iter_rows(named=True):
        if row["kind"] not in KINDS:
            yield doubt("cost", row["kind"], f"unknown kind of cost in future {row['future']}")
    chances = ground.outcome.frames["cost"].group_by("future").agg(pl.col("probability").unique())
    weights = {future.name: future.probability for future in ground.futures}
    for name, found in chances.iter_rows():
        if any(abs(chance - weights[name]) > 1e-12 for chance in found):
            yield doubt("cost", name, f"has probability {weights[name]}")
    for kind, derived in costs.by_kind.items():
        scale = costs.scale_usd if kind in PENALTIES else 0.0
        for s, future in enumerate(ground.futures):
            if money_differs(stated[kind][s], derived[s], scale):
                message = f"{stated[kind][s]:.2f} USD stated, {derived[s]:.2f} derived"
                yield doubt("cost", kind, message, row=future.name)


def stated_costs(ground: Ground) -> dict[str, Array]:
    """The stated cost of each kind in each future (F,); 0 where none is."""
    numbers = {future.name: s for s, future in enumerate(ground.futures)}
    stated: dict[str, Array] = {kind: np.zeros(len(ground.futures)) for kind in KINDS}
    for name, kind, amount in ground.outcome.frames["cost"].select("future", "kind", "usd").iter_rows():
        if kind in stated:
            stated[kind][numbers[name]] += amount
    return stated


def check_drawdown(ground: Ground, drawn: tuple[Drawn, ...]) -> Iterator[Finding]:
    """Each milestone's stated drawdown and shortfall is the derived one; none is missing."""
    numbers = {future.name: s for s, future in enumerate(ground.futures)}
    derived = {(m.commitment, int(m.due_at)): m for m in drawn}
    due = shortfalls(ground, drawn)
    seen = set()
    for row in ground.outcome.frames["drawdown"].iter_rows(named=True):
        key = (row["commitment"], round(row["due_at"].timestamp()))
        s = numbers.get(row["future"])
        if key not in derived or s is None:
            yield doubt("drawdown", row["commitment"], f"no such milestone: {row['due_at']}")
            continue
        seen.add((s, key))
        where = f"{row['future']}, {row['due_at']:%Y-%m-%d}"
        name = row["commitment"]
        yield from differing(row["drawn_usd"], float(derived[key].drawn_usd[s]), name, "drawn", where)
        yield from differing(row["pledged_usd"], derived[key].pledged_usd, name, "pledged", where)
        yield from differing(row["shortfall_usd"], float(due[key][s]), name, "shortfall", where)
    for s, future in enumerate(ground.futures):
        for key in derived:
            if (s, key) not in seen:
                yield doubt("drawdown", key[0], "a milestone is not stated", row=future.name)


def check_cash(ground: Ground, posted: Posted, drawn: tuple[Drawn, ...]) -> Iterator[Finding]:
    """Undiscounted cash of each future by kind, source and period."""
    derived: dict[tuple[int, int, str, str], float] = defaultdict(float)
    days = {charge.posted_at for due in posted.values() for charge in due}
    periods = {at: _period(ground, at) for at in days}
    for (s, key), due in posted.items():
        for charge in due:
            if charge.posted_at < ground.horizon_at:
                derived[s, periods[charge.posted_at], "lease", key] += usd(charge.micro_usd)
    for (pool, _), paid in ground.market_usd.items():
        for s, t in zip(*np.nonzero(paid.sum(axis=2)), strict=True):
            derived[int(s), int(t), "market", pool] += float(paid[s, t].sum())
    for (name, due_at), due_usd in shortfalls(ground, drawn).items():
        for s, amount in enumerate(due_usd):
            derived[s, _period(ground, min(due_at, ground.horizon_at - 1)), "shortfall", name] += float(amount)
    for s in range(len(ground.futures)):
        for port in ground.outcome.decision.ports:
            derived[s, 0, "port", port.workload] += port.cost_usd
    numbers = {future.name: s for s, future in enumerate(ground.futures)}
    stated: dict[tuple[int, int, str, str], float] = defaultdict(float)
    for row in ground.outcome.frames["cash"].iter_rows(named=True):
        stated[numbers[row["future"]], row["period"], row["kind"], row["source"]] += row["usd"]
    for where in sorted({*derived, *stated}):
        s, t, kind, source = where
        row_name = f"{ground.futures[s].name}, period {t}"
        yield from differing(stated[where], derived[where], source, f"cash of {kind}", row_name)


def _period(ground: Ground, at: int) -> int:
    """The period an instant lies in; the first for what is due before the grid begins."""
    return max(int(np.searchsorted(ground.begins, at, side="right")) - 1, 0)


def check_service(ground: Ground) -> Iterator[Finding]:
    """What is stated as wanted, served and unmet is what the dispatch yields."""
    numbers = {future.name: s for s, future in enumerate(ground.futures)}
    workloads = {str(w.id): w for w in ground.portfolio.workloads}
    derived: dict[str, tuple[Array, Array]] = {}
    for name, workload in workloads.items():
        if isinstance(workload, TrainingRun):
            work = workload.work * np.array([f.work_factor.get(workload.id, 1.0) for f in ground.futures])
            derived[name] = (np.repeat(work[:, None], len(ground.hours), axis=1), done(ground, workload))
        else:
            mean_level = 1.0
            if workload.id in ground.split.level:
                mean_level = float(ground.split.level[workload.id] @ ground.split.hours_frac)
            derived[name] = (
                wanted(ground, workload) * mean_level,
                served(ground, workload) @ ground.split.hours_frac,
            )
    stated = ground.outcome.frames["service"]
    for unknown in sorted(set(stated["workload"].unique()) - set(derived)):
        yield doubt("service", unknown, "no such workload")
    for name, (demand, given) in derived.items():
        steady = not isinstance(workloads[name], TrainingRun)
        rows = stated.filter(pl.col("workload") == name)
        s = np.array([numbers[future] for future in rows["future"].to_list()], dtype=np.int64)
        t = rows["period"].to_numpy()
        missing = np.ones(demand.shape, dtype=bool)
        missing[s, t] = False
        missing &= demand > 0.0
        if steady and missing.any():
            at = np.argwhere(missing)[0]
            where = f"{(ground.futures[at[0]].name, int(at[1]))}"
            yield doubt("service", name, f"not stated in {int(missing.sum())} places", row=where)
        yield from _service_rows(rows, demand[s, t], given[s, t], steady=steady)


def _service_rows(rows: pl.DataFrame, demand: Array, given: Array, *, steady: bool) -> Iterator[Finding]:
    """A workload's rows of the service frame against what is derived for each."""
    margin = QUANTITY_TOLERANCE_FRAC * np.maximum(np.abs(demand), 1e-12)
    lack = demand - given
    checks = [("wants", "demand", demand, margin), ("gets", "served", given, margin)]
    if steady:
        checks.append(("lacks", "unmet", lack, 2 * margin))
    for verb, column, derived, tolerance in checks:
        says = rows[column].to_numpy()
        for i in np.flatnonzero(~(np.abs(says - derived) <= tolerance)):
            where = f"{rows['future'][int(i)]}, period {rows['period'][int(i)]}"
            yield doubt("service", rows["workload"][int(i)], f"{verb} {derived[i]:.9g}, not {says[i]:.9g}", where)


def check_figures(stated: Figures, totals: Totals) -> Iterator[Finding]:
    """Expected cost, CVaR, objective, bound and gap hang together."""
    scale = totals.scale_usd
    pairs = {
        "expected_usd": (stated.expected_usd, totals.expected_usd),
        "cvar_usd": (stated.cvar_usd, totals.cvar_usd),
        "objective_usd": (stated.objective_usd, totals.objective_usd),
        "base_usd": (stated.base_usd, float(totals.cost_usd[0])),
    }
    for name, (says, derived) in pairs.items():
        if money_differs(says, derived, scale):
            yield doubt("figures", name, f"{says:.2f} USD stated, {derived:.2f} derived")
    if not stated.bound_usd <= stated.objective_usd + max(0.01, 1e-9 * abs(stated.objective_usd)):
        yield doubt("figures", "bound_usd", f"{stated.bound_usd:.2f} is above the objective")
    gap = (stated.objective_usd - stated.bound_usd) / abs(stated.objective_usd) if stated.objective_usd else 0.0
    if not abs(stated.gap_frac - gap) <= 1e-9:
        yield doubt("figures", "gap_frac", f"{stated.gap_frac} stated, {gap} derived")
    for name in ("unmet_frac", "late_frac"):
        if not -1e-9 <= getattr(stated, name) <= 1.0 + 1e-9:
            yield doubt("figures", name, f"{getattr(stated, name)} is not a share")
