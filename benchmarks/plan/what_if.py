"""How long what-ifs in bulk take, how many solves they are, and how much of the answers the gap leaves open.

`python benchmarks/plan/what_if.py [EXAMPLE ...] --futures 20 --seeds 7 --kinds frontier waiting` plans each example
once a seed and asks each kind by itself of the same session. "Cold" is what as many plans solved from nothing would
take: the time of the plan's own solve, which goes to a finer gap, times the solves. Proven: answers whose range does
not hold zero (frontier: the widest gap).
"""

import argparse
import os
import platform
import time
from pathlib import Path

from acreage.demand.futures import sample_futures
from acreage.domain.bulk import Bulk, Kind
from acreage.domain.plan import Range
from acreage.flow.bulk import pending_of
from acreage.flow.planning import base_demands, portfolio_at, with_sample
from acreage.plan.bulk.answers import bulk
from acreage.plan.bulk.asked import Asked
from acreage.plan.planner import Wishes, best_of, session_of
from acreage.report.bulk_words import told

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMED = ("startup", "enterprise", "frontier-lab")


def main() -> None:
    """Print the machine, then a line for each example, seed and kind."""
    asked = _arguments()
    print(f"machine: {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("load at the start:", " ".join(f"{load:.1f}" for load in os.getloadavg()), "\n")
    print("| example | futures | seed | plan, s | kind | answers | solves | s | s a solve | cold, s | ratio | proven |")
    print(f"|{'---|' * 12}")
    for name in asked.examples or NAMED:
        for seed in asked.seeds:
            _example(name, seed, asked.futures, [Kind(kind) for kind in asked.kinds])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", nargs="*", help=f"default: {' '.join(NAMED)}")
    parser.add_argument("--futures", type=int)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7])
    parser.add_argument("--kinds", nargs="+", default=[kind.value for kind in Kind])
    return parser.parse_args()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _example(name: str, seed: int, futures: int | None, kinds: list[Kind]) -> None:
    portfolio = portfolio_at(EXAMPLES / name / "portfolio.yaml").portfolio
    portfolio = with_sample(portfolio, futures=futures, seed=seed)
    session = session_of(portfolio, sample_futures(portfolio), base_demands(portfolio), Wishes())
    began = time.perf_counter()
    found = best_of(session, lambda step: None)
    assert isinstance(found, tuple), f"{name} has no plan"
    plan_s = time.perf_counter() - began
    for kind in kinds:
        asked = Asked(kinds=frozenset({kind}), pending=pending_of(portfolio), seed=seed)
        answers = bulk(session, found[0], (), asked, lambda step: None, time.perf_counter)
        cold = plan_s * answers.solves
        cells = [name, len(session.futures), seed, f"{plan_s:.1f}", kind.value, len(_ranges(answers)), answers.solves]
        cells += [f"{answers.seconds:.1f}", f"{answers.seconds / max(answers.solves, 1):.2f}", f"{cold:.0f}"]
        cells += [f"{cold / max(answers.seconds, 1e-9):.1f}", _proven(answers)]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


def _ranges(answers: Bulk) -> list[Range]:
    found = [point.objective_usd for point in answers.frontier]
    found += [point.extra_usd for point in answers.concentration if point.extra_usd is not None]
    found += [one.extra_usd for one in answers.sensitivities if one.extra_usd is not None]
    found += [one.value_usd for one in answers.information]
    return found + ([answers.waiting.value_usd] if answers.waiting is not None else [])


def _proven(answers: Bulk) -> str:
    if answers.frontier:
        return f"gap {max(point.gap_frac for point in answers.frontier):.2%}"
    ranges = _ranges(answers)
    return f"{sum(map(told, ranges))} of {len(ranges)}"


if __name__ == "__main__":
    main()
