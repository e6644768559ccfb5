"""What a Ray cluster adds: one plan played in N futures by this process, then by clusters of 1, 2, ... nodes.

`python benchmarks/plan/ray_scale.py [EXAMPLE] --futures 400 --nodes 1 2 --seed 1` starts clusters on this machine,
one processor a node, plays the same plan in the same futures with each crew, checks that the results are the same
to the last bit, and prints seconds, the ratio to this process alone, and the efficiency: the speed of n nodes by
n times that of one. Nodes of one machine share its processors: beyond their number nothing is gained, and other
load shows.
"""

import argparse
import os
import platform
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from acreage.crew.choose import crew_of
from acreage.crew.crew import Crew
from acreage.crew.local import HERE, LocalCrew
from acreage.demand.futures import fresh_futures
from acreage.domain.plan import Plan
from acreage.flow.evaluating import FRESH
from acreage.flow.planning import base_demands, plan_portfolio, portfolio_at
from acreage.plan.out_of_sample.playing import BATCH_MAX, Fates, Stage
from acreage.plan.planner import Wishes

EXAMPLES = Path(__file__).parents[2] / "examples"


def main() -> None:
    """Print the machine, then a line for each crew."""
    asked = _arguments()
    print(f"machine: {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    portfolio = portfolio_at(EXAMPLES / asked.example / "portfolio.yaml").portfolio
    plan = plan_portfolio(portfolio, Wishes(explain=False), lambda step: None, futures=asked.plan_futures)
    assert isinstance(plan, Plan), f"{asked.example} has no plan"
    futures = fresh_futures(portfolio, futures=asked.futures, seed=asked.seed, source=FRESH)
    stage = Stage(portfolio=portfolio, base=replace(futures[0], probability=0.0), demand=base_demands(portfolio))

    def played(crew: Crew) -> tuple[Fates, float]:
        began = time.perf_counter()
        fates = stage.fates([plan.best.decision], futures[1:], lambda step: None, "", crew)[0]
        return fates, time.perf_counter() - began

    print(f"load before: {os.getloadavg()[0]:.1f} processes in the last minute")
    print(f"\n{asked.example}: one plan in {len(futures) - 1} futures (seed {asked.seed})\n")
    print("| crew | seconds | times this process | efficiency over nodes |\n|---|---|---|---|")
    alone, alone_s = played(LocalCrew(workers=1))
    print(f"| this process, one batch at a time | {alone_s:.1f} | 1.00 | |")
    fates, seconds = played(HERE)
    _same(alone, fates)
    print(f"| this process, {HERE.workers} threads | {seconds:.1f} | {alone_s / seconds:.2f} | |")
    first_s = None
    with cluster() as (address, grow_to):
        crew = crew_of(address, print)
        for nodes in sorted(asked.nodes):
            grow_to(nodes)
            # Importing what is needed is not measured: every worker has played something before.
            stage.fates([plan.best.decision], futures[1 : 1 + 2 * nodes * BATCH_MAX], lambda step: None, "", crew)
            fates, seconds = played(crew)
            _same(alone, fates)
            first_s = first_s or seconds * nodes
            efficiency = first_s / (nodes * seconds)
            print(
                f"| Ray, {nodes} nodes of one processor | {seconds:.1f} | {alone_s / seconds:.2f} | {efficiency:.0%} |"
            )
        crew.close()


def _same(one: Fates, other: Fates) -> None:
    for name in Fates.__dataclass_fields__:
        assert np.array_equal(getattr(one, name), getattr(other, name)), f"{name} differs"


@contextmanager
def cluster() -> Iterator[tuple[str, Callable[[int], None]]]:
    """A cluster of one node on this machine: the address of its client server, and what makes it grow."""
    with tempfile.TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        os.environ |= {"RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_AUTO_CONNECT": "0"}
        Path(folder, "ray").mkdir()
        # Ray reads its settings when it is imported.
        from ray.cluster_utils import Cluster

        small = {"num_cpus": 1, "object_store_memory": 200 * 2**20}
        head = {**small, "ray_client_server_port": port, "include_dashboard": False}
        found = Cluster(initialize_head=True, head_node_args=head)
        try:
            _wait(port)
            yield f"ray://127.0.0.1:{port}", partial(_grow, found, small)
        finally:
            found.shutdown()


def _grow(found: Any, small: dict[str, int], nodes: int) -> None:
    """Add nodes until there are so many."""
    while len(found.list_all_nodes()) < nodes:
        found.add_node(**small)


def _wait(port: int) -> None:
    """Until the client server answers."""
    for _ in range(600):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("example", nargs="?", default="startup")
    parser.add_argument("--futures", type=int, default=400)
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan-futures", type=int, default=8)
    return parser.parse_args()


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


if __name__ == "__main__":
    main()
