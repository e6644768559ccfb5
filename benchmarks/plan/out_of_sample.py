"""What planning over futures is worth: the examples' plans in fresh futures, beside spreadsheets and foresight.

`python benchmarks/plan/out_of_sample.py [EXAMPLE ...] --seeds 1 2 --futures 200 --foresight 20 --replications 10`
plans each example once and judges the plan on each seed. Differences are to the plan, in the same futures, with 95 %
intervals; an asterisk marks plans that break rules of the portfolio,
±? tails of too few futures for an interval. `--plan-futures` and `--plan-seed` plan on others.
"""

import argparse
import os
import platform
import time
from pathlib import Path

from acreage.domain.evaluation import Evaluation
from acreage.domain.plan import Plan
from acreage.flow.evaluating import Asked, evaluate_plan
from acreage.flow.planning import plan_portfolio, portfolio_at
from acreage.plan.planner import Wishes
from acreage.report.evaluation_words import FORESIGHT, NAMES, difference_within, money_within, share_within, tail_within

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMED = ("startup", "enterprise", "frontier-lab")


def main() -> None:
    """Print the machine, then a table for each example and seed."""
    asked = _arguments()
    print(f"machine: {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in asked.examples or NAMED:
        portfolio = portfolio_at(EXAMPLES / name / "portfolio.yaml").portfolio
        began = time.perf_counter()
        plan = plan_portfolio(
            portfolio, Wishes(explain=False), lambda step: None, futures=asked.plan_futures, seed=asked.plan_seed
        )
        assert isinstance(plan, Plan), f"{name} has no plan"
        seconds = time.perf_counter() - began
        for seed in asked.seeds:
            wanted = Asked(futures=asked.futures, seed=seed, foreseen=asked.foresight, replications=asked.replications)
            found = evaluate_plan(plan, portfolio, wanted, lambda step: None)
            sampled = len(plan.futures) - 1 - len(portfolio.stresses)
            print(f"\n### {name}: planned on {sampled} futures (seed {plan.seed}) in {seconds:.0f} s, ", end="")
            print(f"judged on {found.futures} others (seed {seed}) in {found.seconds:.0f} s\n")
            _show(found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", nargs="*", help=f"default: {' '.join(NAMED)}")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--futures", type=int, default=200)
    parser.add_argument("--foresight", type=int, default=20)
    parser.add_argument("--replications", type=int, default=0)
    parser.add_argument("--plan-futures", type=int)
    parser.add_argument("--plan-seed", type=int)
    return parser.parse_args()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _show(found: Evaluation) -> None:
    heads = ("plan", "expected", "CVaR", "unmet", "late", "regret", "objective, more", "expected, more", "CVaR, more")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for trial in found.trials:
        scores, more = trial.scores, trial.against_plan
        cells = [
            NAMES[trial.way] + ("*" if trial.breaks else ""),
            money_within(scores.expected_usd),
            tail_within(scores, scores.cvar_usd),
            share_within(scores.unmet_frac),
            share_within(scores.late_frac),
            money_within(trial.regret_usd) if trial.regret_usd is not None else "",
            tail_within(more, more.objective_usd, sign=True),
            difference_within(more.expected_usd),
            tail_within(more, more.cvar_usd, sign=True),
        ]
        print(f"| {' | '.join(cells)} |")
    if found.foresight is not None:
        scores, more = found.foresight.scores, found.foresight.against_plan
        cells = [
            f"{FORESIGHT}, {found.foresight.futures} futures, proven to {found.foresight.gap_frac:.2%}",
            money_within(scores.expected_usd),
            tail_within(scores, scores.cvar_usd),
            share_within(scores.unmet_frac),
            share_within(scores.late_frac),
            "",
            tail_within(more, more.objective_usd, sign=True),
            difference_within(more.expected_usd),
            tail_within(more, more.cvar_usd, sign=True),
        ]
        print(f"| {' | '.join(cells)} |")
    if found.sample_gap is not None:
        gap = found.sample_gap
        print(f"\ngap of the sampled problem, {gap.replications} replications: {gap.found_frac:.2%}, ", end="")
        print(f"95 % limit {gap.high_frac:.2%}")


if __name__ == "__main__":
    main()
