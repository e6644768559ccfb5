"""What re-planning is worth and what hindsight would have saved: examples lived through month by month.

`python benchmarks/plan/backtest.py [EXAMPLE ...] --seeds 1 2 --paths 5 --months 6 --futures 10` walks as many paths
of each seed, and prints means with 95 % intervals, the hindsight cost of each month and seconds. Every path is
audited: a doubt ends the run.
"""

import argparse
import os
import platform
from pathlib import Path

from acreage.domain.backtest import Backtest
from acreage.flow.backtesting import Asked, backtest
from acreage.flow.planning import portfolio_at
from acreage.report.backtest_words import ONCE, estimate_text
from acreage.report.evaluation_words import NAMES
from acreage.units.instants import iso_date

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMED = ("startup",)


def main() -> None:
    """Print the machine, then two tables for each example and seed."""
    asked = _arguments()
    print(f"machine: {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in asked.examples or NAMED:
        portfolio = portfolio_at(EXAMPLES / name / "portfolio.yaml").portfolio
        for seed in asked.seeds:
            wanted = Asked(months=asked.months, paths=asked.paths, seed=seed, futures=asked.futures, gap_frac=asked.gap)
            _show(name, seed, backtest(portfolio, wanted, lambda step: None))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", nargs="*", help=f"default: {' '.join(NAMED)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--paths", type=int, default=5)
    parser.add_argument("--months", type=int, default=6)
    parser.add_argument("--futures", type=int, default=10)
    parser.add_argument("--gap", type=float, default=2e-3)
    return parser.parse_args()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _show(name: str, seed: int, found: Backtest) -> None:
    doubts = [finding for path in found.paths for finding in path.findings]
    assert not doubts, doubts[0]
    assert found.means is not None, "interrupted before a path was lived to the end"
    means = found.means
    print(f"\n### {name}, seed {seed}: {found.finished} paths, {len(found.dates)} planning days, ", end="")
    print(f"{found.futures} futures a plan, {found.seconds:.0f} s\n")
    print("| decided by | cost | dearer than re-planned by |\n|---|---|---|")
    print(f"| re-planned | {estimate_text(means.rolling_usd)} | (regret {estimate_text(means.regret_usd)}) |")
    print(f"| {ONCE} | | {estimate_text(means.replanning_usd, sign=True)} |")
    for way, more in means.others_usd.items():
        print(f"| {NAMES[way]} | | {estimate_text(more, sign=True)} |")
    print("\n| planning day | hindsight cost |\n|---|---|")
    for at, lost in zip(found.dates, means.monthly_usd, strict=True):
        print(f"| {iso_date(at)} | {estimate_text(lost)} |")


if __name__ == "__main__":
    main()
