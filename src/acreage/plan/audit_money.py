"""Whether the stated costs, cash, drawdown, service and totals are what the plan comes to."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from acreage.domain.finding import Finding
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the auditor makes of a plan: discounted USD by kind, each (S,), and the objective's parts."""

    by_kind: Mapping[str, Array]
    expected_usd: float
    cvar_usd: float
    objective_usd: float

    @property
    def cost_usd(self) -> Array:
        """Cost of each future (S,)."""
        return np.asarray(sum(self.by_kind.values()))


def derive_totals(ground: Ground, holdings: tuple[Holding, ...], posted: Posted, drawn: tuple[Drawn, ...]) -> Totals:
    """All costs of every future, and what they come to over the futures."""
    count = len(ground.futures)
    leases = [lease_value(ground, posted, s) for s in range(count)]
    paid = [cube.sum(axis=2) @ ground.factors for cube in ground.market_usd.values()]
    unmet, late, unfinished = np.zeros(count), np.zeros(count), np.zeros(count)
    for workload in ground.portfolio.workloads:
        if isinstance(workload, TrainingRun):
            run_late, run_unfinished = lateness_usd(ground, workload)
            late, unfinished = late + run_late, unfinished + run_unfinished
        else:
            unmet = unmet + unmet_usd(ground, workload) @ ground.factors
    by_kind = {
        "lease": np.array([value.cost_usd for value in leases]),
        "salvage": -np.array([value.salvage_usd for value in leases]),
        "market": np.asarray(sum(paid, np.zeros(count))),
        "shortfall": shortfall_value(ground, drawn),
        "port": np.full(count, math.fsum(p.cost_usd for p in ground.outcome.decision.ports)),
        "unmet": unmet,
        "late": late,
        "unfinished": unfinished,
        "mfc_credit": np.full(count, -favored_credit_usd(ground, holdings)),
    }
    cost = np.asarray(sum(by_kind.values()))
    weight = np.array([future.probability for future in ground.futures])
    risk = ground.portfolio.policy.risk
    expected, cvar = math.fsum(weight * cost), tail_mean(cost, weight, risk.tail_frac)
    return Totals(
        by_kind=by_kind,
        expected_usd=expected,
        cvar_usd=cvar,
        objective_usd=(1.0 - risk.weight_frac) * expected + risk.weight_frac * cvar,
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


def check_costs(ground: Ground, totals: Totals) -> Iterator[Finding]:
    """Each future's stated cost of each kind is the derived one, and its probability the future's."""
    numbers = {future.name: s for s, future in enumerate(ground.futures)}
    stated: dict[str, Array] = defaultdict(lambda: np.zeros(len(ground.futures)))
    for row in ground.outcome.frames["cost"].iter_rows(named=True):
        s = numbers.get(row["future"])
        if s is None or row["kind"] not in totals.by_kind:
            yield doubt("cost", row["kind"], f"unknown kind of cost or future {row['future']}")
            continue
        stated[row["kind"]][s] += row["usd"]
        if abs(row["probability"] - ground.futures[s].probability) > 1e-12:
            yield doubt("cost", row["future"], f"has probability {ground.futures[s].probability}")
    scale = full_penalty_usd(ground)
    for kind, derived in totals.by_kind.items():
        for s, future in enumerate(ground.futures):
            if money_differs(stated[kind][s], derived[s], scale if kind in PENALTIES else 0.0):
                message = f"{stated[kind][s]:.2f} USD stated, {derived[s]:.2f} derived"
                yield doubt("cost", kind, message, row=future.name)


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
    for (s, key), due in posted.items():
        for charge in due:
            if charge.posted_at < ground.horizon_at:
                derived[s, _period(ground, charge.posted_at), "lease", key] += usd(charge.micro_usd)
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
    seen = set(zip(stated["future"], stated["period"], stated["workload"], strict=True))
    for name, (demand, _) in derived.items():
        places = [(f.name, t) for f in ground.futures for t in range(len(ground.hours))]
        steady = not isinstance(workloads[name], TrainingRun)
        missing = [at for at in places if demand[numbers[at[0]], at[1]] > 0.0 and (*at, name) not in seen]
        if steady and missing:
            yield doubt("service", name, f"not stated in {len(missing)} places", row=f"{missing[0]}")
    for row in stated.iter_rows(named=True):
        if row["workload"] not in derived or row["future"] not in numbers:
            yield doubt("service", row["workload"], f"no such workload or future {row['future']}")
            continue
        s, t = numbers[row["future"]], row["period"]
        demand, given = (part[s, t] for part in derived[row["workload"]])
        margin = QUANTITY_TOLERANCE_FRAC * max(abs(demand), 1e-12)
        where = f"{row['future']}, period {t}"
        if not abs(row["demand"] - demand) <= margin:
            yield doubt("service", row["workload"], f"wants {demand:.9g}, not {row['demand']:.9g}", where)
        if not abs(row["served"] - given) <= margin:
            yield doubt("service", row["workload"], f"gets {given:.9g}, not {row['served']:.9g}", where)
        steady = not isinstance(workloads[row["workload"]], TrainingRun)
        if steady and not abs(row["unmet"] - (demand - given)) <= 2 * margin:
            yield doubt("service", row["workload"], f"lacks {demand - given:.9g}, not {row['unmet']:.9g}", where)


def check_figures(ground: Ground, totals: Totals) -> Iterator[Finding]:
    """Expected cost, CVaR, objective, bound and gap hang together."""
    stated = ground.outcome.figures
    scale = full_penalty_usd(ground)
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
