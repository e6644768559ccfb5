"""Outcome figures of simulated years: means over replications with 95 % confidence intervals.

Intervals are Student's t over independent replications; margins are of paired ratios, replication by
replication on the same arrivals.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from acreage.desk.anchor import anchor_law
from acreage.desk.arrivals import made_year
from acreage.desk.clairvoyant import clairvoyant_usd
from acreage.desk.horizon import Horizon, Numbers
from acreage.desk.tables import FIRM, HOURS, POINTS, bid_prices, classes_of, contract_in, notice_of, protected_levels
from acreage.desk.year import Ground, Policy, Run, run_years, shortfall
from acreage.domain.desk import Desk, DeskPool
from acreage.units.money import usd

POLICIES = (Policy.DESK, Policy.FIRST_COME, Policy.FIRST_COME_FULL)
PRICED = (Policy.LIST_PRICES, Policy.BEST_PRICES)
"""Without bids; run where a take-up curve is stated."""

YEAR_DAYS = 365
CLAIRVOYANT = "clairvoyant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean and its 95 % confidence interval; the ends are NaN where there is one replication only."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOutcome:
    """What a policy came to over the measured year, all pools together.

    `revenue_usd` is net of compensation and damages; `damages_usd` is what of them was owed the anchor.
    """

    policy: str
    revenue_usd: Estimate
    damages_usd: float
    usd_per_accelerator_hour: float
    utilisation_frac: float
    spill_frac: float
    short_promised_frac: float
    short_met: Estimate
    admitted: float
    recalled: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """Revenue of a policy over that of another on the same arrivals, less 1."""

    policy: str
    against: str
    frac: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class YearOutcome:
    """A simulated year: by policy, the desk against who takes the same bids, and best prices against list prices."""

    policies: tuple[PolicyOutcome, ...]
    clairvoyant_usd: Estimate
    margins: tuple[Margin, ...]
    replications: int
    seed: int
    warm_days: int
    requests: float


def simulate(desk: Desk, horizon: Horizon, *, seed: int, replications: int, warm_days: int) -> YearOutcome:
    """Simulate a year that begins `warm_days` after the horizon, from empty books, and measure it."""
    policies = POLICIES + (PRICED if any(terms.take_up for terms in desk.tiers) else ())
    pools = [_simulate_pool(desk, horizon, i, seed, replications, warm_days, policies) for i in range(len(desk.pools))]
    bound = np.sum([pool.bound_usd for pool in pools], axis=0)
    figures = [_figures([(pool, pool.runs[i]) for pool in pools]) for i in range(len(policies))]
    revenue: dict[Policy, Numbers] = dict(
        zip(policies, [np.asarray(one.pop("revenue")) for one in figures], strict=True)
    )
    pairs: list[tuple[Policy, str, Numbers]] = [(Policy.DESK, policy, revenue[policy]) for policy in POLICIES[1:]]
    pairs.append((Policy.DESK, CLAIRVOYANT, bound))
    if PRICED[0] in policies:
        pairs.append((Policy.BEST_PRICES, Policy.LIST_PRICES, revenue[Policy.LIST_PRICES]))
    return YearOutcome(
        policies=tuple(
            PolicyOutcome(policy=policy.value, revenue_usd=estimate(earned), **figure)  # type: ignore[arg-type]
            for (policy, earned), figure in zip(revenue.items(), figures, strict=True)
        ),
        clairvoyant_usd=estimate(bound),
        margins=tuple(
            Margin(policy=policy, against=str(name), frac=estimate(revenue[policy] / other - 1.0))
            for policy, name, other in pairs
        ),
        replications=replications,
        seed=seed,
        warm_days=warm_days,
        requests=float(
            np.mean([sum(len(pool.runs[0][r].year.arrivals.day) for pool in pools) for r in range(replications)])
        ),
    )


def estimate(values: Numbers) -> Estimate:
    """The mean of independent values and its interval."""
    count, mean = len(values), float(np.mean(values))
    if count < 2:
        return Estimate(mean=mean, low=float("nan"), high=float("nan"))
    half = float(student.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count))
    return Estimate(mean=mean, low=mean - half, high=mean + half)


@dataclass(frozen=True, slots=True)
class _PoolRuns:
    ground: Ground
    runs: list[list[Run]]
    bound_usd: Numbers


def _simulate_pool(
    desk: Desk,
    horizon: Horizon,
    place: int,
    seed: int,
    replications: int,
    warm_days: int,
    policies: tuple[Policy, ...],
) -> _PoolRuns:
    pool = desk.pools[place]
    arrival_days = warm_days + YEAR_DAYS
    longer = Horizon(horizon.from_at, arrival_days + horizon.days)
    ground = ground_of(desk, pool, longer, horizon.days, slice(warm_days, arrival_days))
    tiers = tuple((terms, wanted) for terms in desk.tiers for wanted in terms.demand if wanted.pool == pool.id)
    years = [
        made_year(
            tiers,
            desk.bursts,
            ground.law,
            desk.anchor.persistence_days,
            arrival_days,
            horizon.days,
            np.random.SeedSequence([seed, place, replication]),
        )
        for replication in range(replications)
    ]
    runs = run_years(ground, years, policies, arrival_days)
    return _PoolRuns(ground, runs, np.array([clairvoyant_usd(ground, year) for year in years]))


def ground_of(desk: Desk, pool: DeskPool, days: Horizon, reach: int, measured: slice) -> Ground:
    """What every policy shares in a pool over the simulated days."""
    most = max(step.accelerators for step in pool.capacity)
    grid = np.linspace(0.0, float(most), POINTS)
    law = anchor_law(contract_in(desk, pool.id), days)
    owed = usd(desk.rules.recall_compensation_micro_usd)
    bid = bid_prices(classes_of(desk, pool.id, reach, most), grid, notice_of(desk), owed)
    bid = np.broadcast_to(bid, (2, reach, POINTS))
    steps = np.cumsum((bid[..., 1:] + bid[..., :-1]) / 2 * grid[1], axis=-1)
    return Ground(
        pool=pool.id,
        from_at=days.from_at,
        terms=tuple(terms for terms in desk.tiers for wanted in terms.demand if wanted.pool == pool.id),
        tick=desk.rules.tick_micro_usd,
        law=law,
        capacity=days.levels(pool.capacity, least=True),
        protected=protected_levels(desk, law),
        full=law.right,
        revenue=np.concatenate([np.zeros((*bid.shape[:2], 1)), steps], axis=-1),
        short=np.stack([law.excess(np.full(days.days, level)) for level in grid], axis=1),
        step=float(grid[1]),
        penalties_usd=(usd(desk.anchor.damages_micro_usd), usd(desk.rules.recall_compensation_micro_usd)),
        notice_days=notice_of(desk),
        call_notice_days=desk.anchor.call_notice_days,
        measured=measured,
    )


def _figures(pools: Sequence[tuple[_PoolRuns, list[Run]]]) -> dict[str, object]:
    """One policy over all pools, by replication and on average."""
    count = len(pools[0][1])
    damages = np.zeros(count)
    used, held, met, promised = (np.zeros(count) for _ in range(4))
    total = {
        name: np.zeros(count)
        for name in ("revenue_usd", "sold_hours", "asked_hours", "spilled_hours", "admitted", "recalled")
    }
    for pool, runs in pools:
        ground, days = pool.ground, pool.ground.measured
        capacity = ground.capacity[days]
        for r, run in enumerate(runs):
            short = shortfall(ground, run)
            damages[r] += HOURS * ground.penalties_usd[FIRM] * short.sum()
            used[r] += (run.year.need[days] - short + run.firm[days] + run.recallable[days]).sum()
            held[r] += capacity.sum()
            met[r] += np.mean(short > 0) / len(pools)
            promised[r] += ground.law.above((capacity - run.firm_at_call[days]).astype(np.float64), days).mean() / len(
                pools
            )
            for name, sums in total.items():
                sums[r] += getattr(run, name)
    revenue = total["revenue_usd"] - damages
    return {
        "revenue": revenue,
        "damages_usd": float(damages.mean()),
        "usd_per_accelerator_hour": float(revenue.sum() / max(total["sold_hours"].sum(), 1.0)),
        "utilisation_frac": float(used.sum() / held.sum()),
        "spill_frac": float(total["spilled_hours"].sum() / max(total["asked_hours"].sum(), 1.0)),
        "short_promised_frac": float(promised.mean()),
        "short_met": estimate(met),
        "admitted": float(total["admitted"].mean()),
        "recalled": float(total["recalled"].mean()),
    }
