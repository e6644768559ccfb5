"""Times the drawing of futures, and tries what is said to make few futures worth many: tilted tails and reduction.

`python benchmarks/demand/run.py` prints three tables. `--seeds 8` other numbers of repetitions,
`--first-seed 100` others altogether, `--only drawing|tails|plans` one table; `--example` and `--few` for the last.
"""

import argparse
import os
import platform
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
from reduction import features, reduced

from acreage.demand.futures import fresh_futures, sample_futures
from acreage.demand.tail import cvar_error, effective_futures, mean_error
from acreage.domain.future import Future
from acreage.domain.plan import Decision
from acreage.domain.portfolio import Portfolio
from acreage.domain.surprises import TailSampling
from acreage.flow.planning import base_demands, portfolio_at
from acreage.plan.decide import decision_of
from acreage.plan.engines.decomposition import DecompositionEngine
from acreage.plan.out_of_sample.playing import Stage
from acreage.plan.session import Session

EXAMPLES = Path(__file__).parents[2] / "examples"
TAIL = TailSampling(share_of_futures_frac=0.3, shift_sd=1.5)
FRESH, MANY, GAP_FRAC = 300, 300, 2e-3


def main() -> None:
    """Print the machine and the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--only", choices=["drawing", "tails", "plans"])
    parser.add_argument("--example", default="startup", help="what plans are made for")
    parser.add_argument("--few", type=int, nargs="+", default=[5, 20], help="how many futures plans are made on")
    asked = parser.parse_args()
    print(f"machine: {os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}")
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    if asked.only in (None, "drawing"):
        drawing(seeds)
    if asked.only in (None, "tails"):
        tails(seeds)
    if asked.only in (None, "plans"):
        plans(seeds, asked.example, asked.few)


def sampled(portfolio: Portfolio, futures: int, seed: int, tail: TailSampling | None) -> tuple[Future, ...]:
    """The base and the sampled futures of a portfolio; stresses are left out."""
    uncertainty = replace(portfolio.uncertainty, futures=futures, seed=seed, tail=tail)
    return sample_futures(replace(portfolio, uncertainty=uncertainty, stresses=()))


def drawing(seeds: range) -> None:
    """Time and memory of 1,000 futures of each example; the bar is 2 s for frontier-lab."""
    print("\n| example | 1,000 futures, s of processor (median) | kept, MB |\n|---|---|---|")
    for name in ("startup", "enterprise", "frontier-lab"):
        portfolio = portfolio_at(EXAMPLES / name / "portfolio.yaml").portfolio
        seconds = []
        for seed in seeds:
            began = time.process_time()
            sampled(portfolio, 1_000, seed, None)
            seconds.append(time.process_time() - began)
        tracemalloc.start()
        kept = sampled(portfolio, 1_000, 1, None)
        memory = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        print(f"| {name} | {np.median(seconds):.2f} | {memory / 1e6:.0f} |", flush=True)
        del kept


def tails(seeds: range) -> None:
    """Spread over samples of the mean and the CVaR of a cost of scarcity: how much a tilted tail saves."""
    print("\n| futures | tail | effective | sd of mean | sd of CVaR90 | stated error of CVaR90 |")
    print("|---|---|---|---|---|---|")
    portfolio = portfolio_at(EXAMPLES / "frontier-lab" / "portfolio.yaml").portfolio
    for futures in (20, 50, 200):
        for tail in (None, TAIL):
            found = []
            for seed in range(seeds.start, seeds.start + 8 * len(seeds)):
                drawn = sampled(portfolio, futures, seed, tail)[1:]
                cost, probability = scarcity(drawn)
                effective = effective_futures(probability)
                found.append((mean_error(cost, probability)[0], *cvar_error(cost, probability, 0.9), effective))
            mean, cvar, error, effective = np.array(found).T
            sd = [mean.std() / mean.mean(), cvar.std() / cvar.mean(), error.mean() / cvar.mean()]
            kind = "tilted" if tail else "plain"
            print(
                f"| {futures} | {kind} | {effective.mean():.0f} | {sd[0]:.1%} | {sd[1]:.1%} | {sd[2]:.1%} |", flush=True
            )


def scarcity(futures: tuple[Future, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the horizon of demand x price / limit, averaged over workloads and pools; and the probabilities."""
    found = []
    for future in futures:
        demand = np.mean(list(future.demand_factor.values()), axis=0)
        price = np.mean(list(future.price_factor.values()), axis=0)
        limit = np.mean(list(future.limit_factor.values()), axis=0)
        found.append(float(np.mean(demand * price / limit)))
    return np.array(found), np.array([future.probability for future in futures])


def plans(seeds: range, example: str, few: list[int]) -> None:
    """Objective of plans in fresh futures, made on n plain, tilted and reduced ones."""
    portfolio = replace(portfolio_at(EXAMPLES / example / "portfolio.yaml").portfolio, stresses=())
    fresh = fresh_futures(portfolio, futures=FRESH, seed=seeds.start, source="benchmark/")
    decisions: list[Decision] = []
    far = []
    for n in few:
        for seed in seeds:
            many = sampled(portfolio, MANY, seed + 1_000, None)
            fewer = reduced(many[1:], n)
            ways = [sampled(portfolio, n, seed, None)[1:], sampled(portfolio, n, seed, TAIL)[1:], fewer.futures]
            decisions += [planned(portfolio, (many[0], *way)) for way in ways]
            far.append((fewer.distance, distance(many[1:], ways[0])))
    stage = Stage(portfolio=portfolio, base=fresh[0], demand=base_demands(portfolio))
    fates = stage.fates(decisions, fresh[1:], lambda step: None, "")
    cost = np.array([objective(portfolio, fate.cost_usd) for fate in fates]).reshape(len(few), len(seeds), 3) / 1e3
    print(f"\n{example}: objective in {FRESH} fresh futures, {len(seeds)} seeds; ± is a standard error")
    print(f"reduced: from {MANY}, its Kantorovich distance beside that of the plain ones to their nearest\n")
    print("| futures | plain, $k | tilted less plain, $k | reduced less plain, $k | distance of reduced, of plain |")
    print("|---|---|---|---|---|")
    for n, rows, apart in zip(few, cost, np.array(far).reshape(len(few), len(seeds), 2).mean(axis=1), strict=True):
        less = rows[:, 1:] - rows[:, :1]
        mean, error = less.mean(axis=0), less.std(axis=0, ddof=1) / np.sqrt(len(seeds))
        differences = " | ".join(f"{m:+.0f} ±{e:.0f}" for m, e in zip(mean, error, strict=True))
        print(f"| {n} | {rows[:, 0].mean():.0f} | {differences} | {apart[0]:.2f}, {apart[1]:.2f} |", flush=True)


def distance(many: tuple[Future, ...], few: tuple[Future, ...]) -> float:
    """From many futures to a few, each of the many counted with the nearest of the few."""
    from_many = np.array([one.probability for one in many])
    look = features((*many, *few))
    between = np.linalg.norm(look[: len(many), None, :] - look[None, len(many) :, :], axis=2)
    return float(between.min(axis=1) @ from_many)


def planned(portfolio: Portfolio, futures: tuple[Future, ...]) -> Decision:
    """The best decision for these futures."""
    session = Session(
        portfolio=portfolio,
        futures=futures,
        demand=base_demands(portfolio),
        engine=DecompositionEngine(),
        gap_frac=GAP_FRAC,
    )
    solved = session.solve()
    return decision_of(solved.formulation, solved.solution.first)


def objective(portfolio: Portfolio, cost_usd: np.ndarray) -> float:
    """Expected cost and CVaR of equally likely futures, weighed by the portfolio's risk."""
    risk = portfolio.policy.risk
    tail = cvar_error(cost_usd, np.full(len(cost_usd), 1.0 / len(cost_usd)), risk.tail_frac)[0]
    return (1.0 - risk.weight_frac) * float(cost_usd.mean()) + risk.weight_frac * tail


if __name__ == "__main__":
    main()
