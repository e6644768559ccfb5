"""The frontier-lab example over many futures: building, solving to a gap and all walk-away prices, timed apart.

`python benchmarks/plan/frontier.py --futures 200 --gap 0.005 --seeds 1 2` plans each seed in a process of its own:
memory is that of one plan. The walk-away prices start from what the solve has learned, as in `acreage plan`.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from acreage.demand.futures import sample_futures
from acreage.domain.plan import OfferVerdict
from acreage.flow.planning import base_demands, portfolio_at
from acreage.plan.planner import Wishes, session_of
from acreage.plan.problem import Aim
from acreage.plan.session import Session, Solved
from acreage.plan.verdicts import polished, verdict_of

EXAMPLES = Path(__file__).parents[2] / "examples"


def main() -> None:
    """Print the machine and a row for each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--example", default="frontier-lab")
    parser.add_argument("--futures", type=int, default=200)
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--one", action="store_true", help="print the row of the first seed alone, in this process")
    asked = parser.parse_args()
    if asked.one:
        print(_row(asked.example, asked.futures, asked.gap, asked.seeds[0]))
        return
    print(f"machine: {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"load average at the start {os.getloadavg()[0]:.1f}\n\n{asked.example}, {asked.futures} futures\n")
    print(
        "| seed | futures, s | build, s | solve, s | gap | walk-away prices, s | found | width, median | memory, GB |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for seed in asked.seeds:
        command = [sys.executable, __file__, "--one", "--example", asked.example, "--seeds", str(seed)]
        subprocess.run([*command, "--futures", str(asked.futures), "--gap", str(asked.gap)], check=True)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _row(example: str, futures: int, gap_frac: float, seed: int) -> str:
    portfolio = portfolio_at(EXAMPLES / example / "portfolio.yaml").portfolio
    portfolio = replace(portfolio, uncertainty=replace(portfolio.uncertainty, futures=futures, seed=seed))
    marks = [time.perf_counter()]
    drawn = sample_futures(portfolio)
    marks.append(time.perf_counter())
    session = session_of(portfolio, drawn, base_demands(portfolio), Wishes(gap_frac=gap_frac, explain=False))
    built = session.base
    marks.append(time.perf_counter())
    best = session.solve(formulation=built, aim=Aim(gap_frac=gap_frac))
    marks.append(time.perf_counter())
    gap = (best.range_usd.high - best.range_usd.low) / abs(best.range_usd.high)
    verdicts = _verdicts(session, polished(session, best))
    marks.append(time.perf_counter())
    seconds = [f"{b - a:.1f}" for a, b in pairwise(marks)]
    usages = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    ranges = [v.walk_away_usd_per_accelerator_hour for v in verdicts]
    widths = [(r.high - r.low) / r.found for r in ranges if r is not None and r.found > 0.0]
    width = f"{statistics.median(widths):.1%}" if widths else ""
    cells = (str(seed), *seconds[:3], f"{gap:.2%}", seconds[3], f"{len(widths)} of {len(verdicts)}", width)
    return f"| {' | '.join(cells)} | {sum(usages) / 1e6:.2f} |"


def _verdicts(session: Session, best: Solved) -> list[OfferVerdict]:
    """The walk-away prices of all offers, shared out over two threads as `acreage plan` does."""
    offers, barred = session.portfolio.offers, session.base.choices.barred
    sessions = (session, session.twin())

    def work(worker: int) -> list[OfferVerdict]:
        mine = offers[worker :: len(sessions)]
        return [verdict_of(sessions[worker].branch(), best, o, barred.get(o.id, "")) for o in mine]

    with ThreadPoolExecutor(max_workers=len(sessions)) as pool:
        return [verdict for found in pool.map(work, range(len(sessions))) for verdict in found]


if __name__ == "__main__":
    main()
