"""Times `acreage plan` against the same model written in linopy and handed whole to HiGHS, in three sizes.

`python benchmarks/plan/run.py` prints two tables for docs/benchmarks.md: plain portfolios cut from the
frontier-lab example against the peer, and the shipped examples with everything in them. `--quick` runs the
smallest size and example only, `--example NAME` one example.
"""

import gc
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import linopy
import peer

from acreage.demand.futures import sample_futures
from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.flow.planning import base_demands, plan_portfolio, portfolio_at
from acreage.plan.engines.decomposition import DecompositionEngine
from acreage.plan.planner import Wishes
from acreage.plan.problem import USD_PER_UNIT, Aim
from acreage.plan.session import Session

EXAMPLES = Path(__file__).parents[2] / "examples"
GAP_FRAC = 0.01
PEER_SECONDS_MAX = 300.0
SIZES = {"small": (8, 5, 12, 8), "medium": (16, 9, 24, 16), "large": (26, 13, 36, 20)}
"""Offers, workloads, months and futures of each plain portfolio."""


def main() -> None:
    """Print the machine and both tables."""
    if sys.argv[1:2] == ["--example"]:
        print(_example(sys.argv[2]))
        return
    quick = "--quick" in sys.argv
    versions = f"Python {platform.python_version()}, linopy {linopy.__version__}"
    print(f"machine: {_processor()}, {os.cpu_count()} cores, {versions}")
    print(f"gap {GAP_FRAC:.0%} for both; the peer may take {PEER_SECONDS_MAX:.0f} s\n")
    whole = portfolio_at(EXAMPLES / "frontier-lab" / "portfolio.yaml").portfolio
    sizes = "offers x workloads x months x futures"
    print(f"| size | {sizes} | build, s | solve, s | peer build, s | peer solve, s | ratio | costs agree within |")
    print("|---|---|---|---|---|---|---|---|")
    for name, size in list(SIZES.items())[: 1 if quick else None]:
        print(_against_peer(whole, name, size), flush=True)
    print("\n| example | build, s | solve, s | gap | explain, s | offers + what-ifs | memory, GB |")
    print("|---|---|---|---|---|---|---|")
    for name in ("startup", "enterprise", "frontier-lab")[: 1 if quick else None]:
        # A process of its own, so that its memory is its own.
        subprocess.run([sys.executable, __file__, "--example", name], check=True)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _against_peer(whole: Portfolio, name: str, size: tuple[int, int, int, int]) -> str:
    offers, workloads, months, futures = size
    portfolio = peer.plain(whole, offers=offers, workloads=workloads, months=months)
    pools = {key: replace(pool, spot=None) for key, pool in portfolio.pools.items()}
    portfolio = replace(portfolio, pools=pools, stresses=(), uncertainty=replace(whole.uncertainty, futures=futures))
    drawn = sample_futures(portfolio)
    demand = base_demands(portfolio)
    start = time.perf_counter()
    session = Session(
        portfolio=portfolio, futures=drawn, demand=demand, engine=DecompositionEngine(), gap_frac=GAP_FRAC
    )
    formulation = session.base
    built = time.perf_counter()
    ours = session.solve(aim=Aim(gap_frac=GAP_FRAC))
    solved = time.perf_counter()
    gc.collect()
    model, constant = peer.build(formulation)
    peer_built = time.perf_counter()
    theirs = peer.solve(model, constant, gap_frac=GAP_FRAC, seconds_max=PEER_SECONDS_MAX)
    done = time.perf_counter()
    times = (built - start, solved - built, peer_built - solved, done - peer_built)
    ratio = (times[2] + times[3]) / (times[0] + times[1])
    if theirs.objective_usd is None:
        agree, shown = "no answer in time", f"> {ratio:.0f}"
    else:
        low = max(ours.solution.bound * USD_PER_UNIT, theirs.bound_usd or 0.0)
        high = max(ours.range_usd.high, theirs.objective_usd)
        agree, shown = f"{max(0.0, high - low) / high:.2%}", f"{ratio:.1f}"
    cells = [name, " x ".join(map(str, size)), *(f"{t:.1f}" for t in times), shown, agree]
    return f"| {' | '.join(cells)} |"


def _example(name: str) -> str:
    portfolio = portfolio_at(EXAMPLES / name / "portfolio.yaml").portfolio
    portfolio = replace(portfolio, policy=replace(portfolio.policy, gap_frac=GAP_FRAC))
    start = time.perf_counter()
    brief = plan_portfolio(portfolio, Wishes(explain=False), lambda step: None)
    assert isinstance(brief, Plan)
    brief_s = time.perf_counter() - start
    full = plan_portfolio(portfolio, Wishes(), lambda step: None)
    assert isinstance(full, Plan)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    explained = f"{len(full.verdicts)} + {len(full.what_ifs)}"
    gap = brief.best.figures.gap_frac
    cells = (
        f"{brief.effort.build_s:.1f}",
        f"{brief_s - brief.effort.build_s:.1f}",
        f"{gap:.2%}",
        f"{full.effort.explain_s:.0f}",
    )
    return f"| {name} | {' | '.join(cells)} | {explained} | {memory:.2f} |"


if __name__ == "__main__":
    main()
