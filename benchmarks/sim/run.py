"""What a simulated market costs: seconds a replication of the example, by quarters and by months, and its audit.

    python benchmarks/sim/run.py                     three replications of each
    python benchmarks/sim/run.py --replications 10 --seed 7

Times are of the processor, one core; the bar is for the example as it stands, quarters over five years.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from acreage.domain.market_world import World
from acreage.sim.audit import audited
from acreage.sim.kernel import run
from acreage.sim.market import open_world
from acreage.sim.measures import measured

EXAMPLE = Path(__file__).parents[2] / "examples" / "market" / "world.yaml"
BAR_S = 3.0
"""A replication in a few seconds at most."""


def main() -> None:
    """Time each kind of market and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replications", type=int, default=3)
    asked = parser.parse_args()
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    made = open_world(EXAMPLE, None)
    say("example: 8 labs, 6 clouds, 20 quarters", made, asked.seed, asked.replications, BAR_S)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "world.yaml"
        text = EXAMPLE.read_text(encoding="utf-8").replace("tick: quarter", "tick: month")
        file.write_text(text, encoding="utf-8")
        say("the same by months: 60 ticks", open_world(file, None), asked.seed, asked.replications, None)
    say("the example over 10 years", replace(made, ticks=2 * made.ticks), asked.seed, asked.replications, None)


def say(what: str, world: World, seed: int, replications: int, bar_s: float | None) -> None:
    """Print the median time of a run, of its audit with its measures, and how much happened."""
    runs, audits, events = [], [], 0
    for replication in range(replications):
        start = time.process_time()
        done = run(world, seed, replication)
        middle = time.process_time()
        measured(world, audited(world, done))
        runs.append(middle - start)
        audits.append(time.process_time() - middle)
        events += len(done.events)
    bar = "" if bar_s is None else f"   bar {bar_s:g}: {'held' if statistics.median(runs) <= bar_s else 'MISSED'}"
    print(
        f"{what:42} {statistics.median(runs):6.2f} s a run, audit and measures "
        f"{statistics.median(audits) * 1e3:5.1f} ms, {events / replications:,.0f} events{bar}"
    )


if __name__ == "__main__":
    main()
