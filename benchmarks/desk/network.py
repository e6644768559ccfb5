"""How much of an upper bound network policies earn on the hub-and-spoke problems of Topaloglu (2009).

Run with `python benchmarks/desk/network.py`, or for problems of your own choice for example
`python benchmarks/desk/network.py --loads 1.2 --spokes 4 8 --ratio 4 --seeds 11 12 --paths 20000 --periods 600`.
`--quick` takes two small problems a load. Problems are made from their seeds; tables are built on
paths of their own, and every policy is judged on the same further paths. All figures are shares of the Lagrangian
bound of Topaloglu (2009), an upper bound on what any policy can earn: the deterministic bound, the mean in hindsight
and our tighter paired bound before the revenues of static bid prices, of bid prices re-solved, of the
Lagrangian and of the classical decomposition's tables, and of the desk's own tables with their standard error.
"""

import argparse
import itertools
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acreage.desk.network.decomposition import decomposed, value_tables
from acreage.desk.network.hub_files import read_hub_file
from acreage.desk.network.hubs import hub_network
from acreage.desk.network.legs import leg_program
from acreage.desk.network.linear import hindsight_usd, linear_bound, resolved_revenues
from acreage.desk.network.pairing import paired_bound_usd
from acreage.desk.network.problem import Network
from acreage.desk.network.relaxation import relaxation
from acreage.desk.network.simulation import estimate, revenues, sample_requests
from acreage.desk.network.tables import LegTables

MEAN_BARS = {1.0: 0.988, 1.2: 0.985, 1.6: 0.983}
EVERY_BAR = 0.972
SOLVES = 5
"""How often the re-solved baseline solves its linear program over the horizon, as the paper's baselines do."""
RESOLVED_PATHS, HINDSIGHT_PATHS = 300, 2_000
"""Paths for what solves a linear program on each of them: their standard errors are about .4 and .15 %."""
COLUMNS = ("DLP", "hindsight", "paired", "static", "re-solved", "Lagrangian", "decomposed", "tables", "error")
PAIRED = COLUMNS.index("paired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One problem: shares of the bound in the order of COLUMNS, processor seconds, whether the bounds are in order."""

    load: float
    label: str
    shares: tuple[float, ...]
    bound_s: float
    tables_s: float
    is_ordered: bool


def measure(network: Network, label: str, load: float, seed: int, paths: int) -> Row:
    """Build bounds and tables, judge every policy on the same paths."""
    program, linear = leg_program(network), linear_bound(network)
    began = time.process_time()
    lagrangian = relaxation(program, linear.bid_prices_usd)
    paired = paired_bound_usd(program, lagrangian)
    bounded = time.process_time()
    tables = value_tables(network, np.random.default_rng([seed, 0]))
    built = time.process_time()
    requests = sample_requests(network, paths, np.random.default_rng([seed, 1]))
    policies = (
        LegTables(values_usd=lagrangian.values_usd),
        decomposed(program, linear),
        tables,
    )
    greedy, classical, best = (estimate(revenues(network, each, requests)) for each in policies)
    known = estimate(hindsight_usd(network, requests[:, :HINDSIGHT_PATHS]))
    static = estimate(resolved_revenues(network, requests, solves=1))
    resolved = estimate(resolved_revenues(network, requests[:, :RESOLVED_PATHS], solves=SOLVES))
    figures = (
        linear.bound_usd, known.mean_usd, paired, static.mean_usd, resolved.mean_usd, greedy.mean_usd,
        classical.mean_usd, best.mean_usd, best.error_usd,
    )  # fmt: skip
    return Row(
        load=load,
        label=label,
        shares=tuple(figure / lagrangian.bound_usd for figure in figures),
        bound_s=bounded - began,
        tables_s=built - bounded,
        is_ordered=best.mean_usd <= paired <= lagrangian.bound_usd <= linear.bound_usd,
    )


def show(label: str, shares: tuple[float, ...], rest: str) -> None:
    """Print one line of the table."""
    print(f"{label:28}" + "".join(f"{share:>11.4f}" for share in shares) + rest, flush=True)


def summary(rows: list[Row]) -> bool:
    """Print means by load beside the bars; whether all bars are met."""
    met = all(row.is_ordered for row in rows)
    for load in sorted({row.load for row in rows}):
        some = [row for row in rows if row.load == load]
        means = tuple(float(mean) for mean in np.mean([row.shares[:-1] for row in some], axis=0))
        bar = MEAN_BARS.get(load)
        ok = bar is None or means[-1] >= bar
        met &= ok
        verdict = "no bar" if bar is None else f"bar {bar} {'met' if ok else 'MISSED'}"
        paired = np.mean([row.shares[-2] / row.shares[PAIRED] for row in some])
        show(f"mean of {len(some)} at load {load}", means, f"   {verdict}; {paired:.4f} of the paired bound")
    worst = min(rows, key=lambda row: row.shares[-2])
    low = worst.shares[-2] >= EVERY_BAR
    print(f"worst: {worst.label} {worst.shares[-2]:.4f}, bar {EVERY_BAR} {'met' if low else 'MISSED'}")
    print(f"policy <= paired <= Lagrangian <= DLP on {sum(row.is_ordered for row in rows)} of {len(rows)} problems")
    return met and low


def problems(asked: argparse.Namespace) -> Iterator[tuple[Network, str, float, int]]:
    """The networks asked for, with label, load and seed; a file's load is its demand over its seats."""
    for path in asked.files:
        network = read_hub_file(path.read_text(encoding="utf-8"), name=str(path))
        demand = (network.usage() @ network.expected_demand).sum()
        yield network, path.stem, round(float(demand / network.capacity.sum()), 1), 0
    if not asked.files:
        cases = itertools.product(asked.periods, asked.loads, asked.spokes, asked.ratio, asked.seeds)
        for periods, load, spokes, ratio, seed in cases:
            network = hub_network(spokes=spokes, load=load, ratio=ratio, seed=seed, periods=periods)
            yield network, f"T{periods} load {load} N{spokes} x{ratio:g} #{seed}", load, seed


def main() -> None:
    """Parse the command line, measure, print; exits with 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=float, nargs="+", default=[1.0, 1.2, 1.6])
    parser.add_argument("--spokes", type=int, nargs="+", default=[4, 5, 6, 8])
    parser.add_argument("--ratio", type=float, nargs="+", default=[4.0, 8.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--periods", type=int, nargs="+", default=[200])
    parser.add_argument("--paths", type=int, default=20_000)
    parser.add_argument("--files", type=Path, nargs="+", default=[], help="published rm_*.txt files instead")
    parser.add_argument("--quick", action="store_true", help="two small problems a load")
    asked = parser.parse_args()
    if asked.quick:
        asked.spokes, asked.ratio, asked.seeds = [4], [4.0, 8.0], [1]
    print(f"{platform.platform()}, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"{asked.paths} paths judge; shares of the Lagrangian bound; last, processor seconds for bounds and tables")
    print(f"{'problem':28}" + "".join(f"{name:>11}" for name in COLUMNS))
    rows = []
    began = time.process_time()
    for network, label, load, seed in problems(asked):
        row = measure(network, label, load, seed, asked.paths)
        order = "" if row.is_ordered else "   BOUNDS OUT OF ORDER"
        show(label, row.shares, f"{row.bound_s:8.1f}{row.tables_s:6.1f}{order}")
        rows.append(row)
    met = summary(rows)
    print(f"{time.process_time() - began:.0f} processor seconds in all")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
