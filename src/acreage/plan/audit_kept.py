"""What the auditor can still hold against a thinned plan: of futures without detail, and of expectations.

What follows from the decision alone (fees, salvage, ports, capacity) is derived anew in every future. What hangs on
where workloads ran (purchases, penalties) was audited when the plan was made; here it must add up.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from acreage.domain.finding import Finding
from acreage.domain.plan import Summary
from acreage.domain.workload import TrainingRun
from acreage.plan.audit_ground import Array, Ground, doubt, money_differs, over
from acreage.plan.audit_money import FIXED, Costs, check_costs, fixed_costs, full_penalty_usd, stated_costs
from acreage.plan.audit_prices import posted_charges
from acreage.plan.audit_supply import Holding, check_given_up
from acreage.pricing.present_value import discount_factor


@dataclass(slots=True)
class Supplied:
    """Capacity expected over the futures seen so far: usable accelerators (T,) by source."""

    by_source: dict[str, Array] = field(default_factory=dict)

    def add(self, ground: Ground, usable: dict[str, Array]) -> None:
        """Count the futures of a lot."""
        weight = np.array([future.probability for future in ground.futures])
        for key, series in usable.items():
            self.by_source[key] = self.by_source.get(key, np.zeros(len(ground.hours))) + weight @ series


def check_kept(ground: Ground, holdings: tuple[Holding, ...]) -> tuple[tuple[Finding, ...], Costs]:
    """The futures of a lot of which only totals are kept; costs that cannot be derived are taken as stated."""
    stated = stated_costs(ground)
    derived = fixed_costs(ground, holdings, posted_charges(ground, holdings))
    derived["shortfall"] = _stated_shortfalls(ground)
    costs = Costs(
        by_kind={**stated, **derived},
        probability=np.array([future.probability for future in ground.futures]),
        scale_usd=full_penalty_usd(ground),
    )
    return (*check_given_up(ground, holdings), *check_costs(ground, costs), *_check_signs(ground, stated)), costs


def _stated_shortfalls(ground: Ground) -> Array:
    """Discounted shortfalls (F,) as the drawdown frame states them."""
    portfolio = ground.portfolio
    numbers = {future.name: s for s, future in enumerate(ground.futures)}
    total = np.zeros(len(ground.futures))
    for name, due_at, short in (
        ground.outcome.frames["drawdown"].select("future", "due_at", "shortfall_usd").iter_rows()
    ):
        factor = discount_factor(due_at.timestamp(), portfolio.as_of_at, portfolio.policy.discount_frac_per_year)
        total[numbers[name]] += short * factor
    return total


def _check_signs(ground: Ground, stated: dict[str, Array]) -> Iterator[Finding]:
    """Purchases and penalties are never earned."""
    for kind, amounts in stated.items():
        if kind not in FIXED:
            for s in np.flatnonzero(~(amounts >= -0.01)):
                yield doubt("cost", kind, f"{amounts[s]:.2f} USD stated", row=ground.futures[s].name)


def check_expected(ground: Ground, summary: Summary, costs: Sequence[Costs], supplied: Supplied) -> Iterator[Finding]:
    """Expectations over all futures: capacity is what is delivered; purchases and penalties are those of the costs."""
    yield from _check_capacity(ground, summary.expected["capacity"], supplied)
    steady = [w.id for w in ground.portfolio.workloads if not isinstance(w, TrainingRun)]
    service = summary.expected["service"].filter(pl.col("workload").is_in(steady))
    scale = max(cost.scale_usd for cost in costs)
    for kind, frame, column in (("market", summary.expected["market"], "usd"), ("unmet", service, "penalty_usd")):
        stated = float(frame[column].to_numpy() @ ground.factors[frame["period"].to_numpy()])
        derived = float(sum(cost.probability @ cost.by_kind[kind] for cost in costs))
        if money_differs(stated, derived, scale):
            yield doubt("expected", kind, f"{stated:.2f} USD by period, {derived:.2f} by future")


def _check_capacity(ground: Ground, stated: pl.DataFrame, supplied: Supplied) -> Iterator[Finding]:
    found: dict[str, Array] = defaultdict(lambda: np.zeros(len(ground.hours)))
    for period, source, amount in stated.select("period", "source", "accelerators").iter_rows():
        found[source][period] += amount
    for key in sorted({*found, *supplied.by_source}):
        derived = supplied.by_source.get(key, np.zeros(len(ground.hours)))
        excess = np.maximum(over(found[key], derived), over(derived, found[key]))
        if excess.any():
            t = int(np.argmax(excess))
            yield doubt("expected", key, f"expected capacity is off by {excess[t]:.9g}", row=f"period {t}")
