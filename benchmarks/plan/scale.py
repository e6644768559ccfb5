"""Planning at scale: Acreage, HiGHS on the one big model and mpi-sppy on the same problem, to the same gap, in one run.

`python benchmarks/plan/scale.py --size S --seeds 1 2 3 --peers highs,ef,lshaped,ph --repeat 5` prints a table a seed.
Every run is a process of its own. The time to build the problem and each side's own model is shown apart and counts for
nobody. Acreage's first stage is then priced anew with plain HiGHS linear programs: the gap that counts is from that
cost to its bound. `--growth` measures Acreage alone over more futures and periods and fits the exponents. mpi-sppy
gets an environment of its own in `--folder`, made on first use.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import mpisppy_peer
import numpy as np
from one_side import Case, add_case, case_of

GROWING_FUTURES = (100, 200, 400, 800)
GROWING_PERIODS = (39, 78, 156)
HEADS = (
    "side",
    "seconds (least to most)",
    "processor, s",
    "own model, s",
    "bound, M USD",
    "cost, M USD",
    "gap",
    "GB",
    "ratio",
)
Found = dict[str, float]


def main() -> None:
    """Print the machine, then a table for each seed, or the growth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_case(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--peers", default="highs,ef,lshaped,ph", help="comma-separated; empty: Acreage alone")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each side; the median counts")
    parser.add_argument("--growth", action="store_true")
    asked = parser.parse_args()
    asked.folder = asked.folder.resolve()
    asked.folder.mkdir(parents=True, exist_ok=True)
    print(f"machine: {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, ", end="")
    print(f"load average at the start {os.getloadavg()[0]:.1f}")
    peers = [peer for peer in asked.peers.split(",") if peer]
    for seed in asked.seeds:
        case = case_of(asked, seed)
        if asked.growth:
            _growth(case, asked.repeat)
        else:
            _compare(case, peers, asked.repeat)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _side(side: str, case: Case, **changed: int) -> Found | str:
    """What one side finds in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name("one_side.py")), side, "--size", case.size]
    command += ["--seed", str(case.seed), "--gap", str(case.gap_frac), "--folder", str(case.folder)]
    command += ["--seconds-max", str(case.seconds_max), "--checked-max", str(case.checked_max)]
    for option in ("futures", "periods"):
        value = changed.get(option, getattr(case, option))
        command += [f"--{option}", str(value)] if value is not None else []
    command += ["--all-rules"] if case.all_rules else []
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        return f"failed: {(ran.stderr.strip().splitlines() or ['killed'])[-1]}"
    return dict(json.loads(ran.stdout.splitlines()[-1]))


def _peer(name: str, case: Case) -> Found | str:
    if name == "highs":
        return _side("highs", case)
    written = _side("export", case)
    if isinstance(written, str):
        return written
    found = mpisppy_peer.run(
        name, case.folder, futures=int(written["futures"]), gap_frac=case.gap_frac, seconds_max=case.seconds_max
    )
    return found if isinstance(found, str) else {**found, "digest": written["digest"]}


def _compare(case: Case, peers: Sequence[str], repeat: int) -> None:
    """The sides in turn, `repeat` times, so that a busy minute falls on all of them."""
    runs: dict[str, list[Found | str]] = {name: [] for name in ("acreage", *peers)}
    for _ in range(repeat):
        runs["acreage"].append(_side("acreage", case))
        for name in peers:
            # What found nothing once is not waited for again.
            if not any(isinstance(found, str) for found in runs[name]):
                runs[name].append(_peer(name, case))
    rules = ", all rules" if case.all_rules else ""
    print(f"\n### {case.size}, seed {case.seed}, to {case.gap_frac:.1%}, runs: {repeat}{rules}\n")
    print(f"| {' | '.join(HEADS)} |")
    print(f"|{'---|' * len(HEADS)}")
    ours = runs["acreage"]
    good = [found for found in ours if not isinstance(found, str)]
    base = statistics.median(found["seconds"] for found in good) if good else math.nan
    for name, founds in runs.items():
        print(_row(name, founds, base, case), flush=True)
    if len(good) == len(ours):
        _checked(case, good[-1], [found for founds in runs.values() for found in founds if not isinstance(found, str)])


def _row(name: str, founds: list[Found | str], base: float, case: Case) -> str:
    failed = [found for found in founds if isinstance(found, str)]
    if failed:
        return f"| {name} | {failed[0]}{' |' * (len(HEADS) - 1)}"
    good = [found for found in founds if not isinstance(found, str)]
    seconds = [found["seconds"] for found in good]
    median = good[int(np.argsort(seconds)[len(seconds) // 2])]
    gap = _gap(median["cost"], median["bound"])
    ratio = median["seconds"] / base
    unfinished = not gap <= 1.0001 * case.gap_frac
    cells = [
        name,
        f"{median['seconds']:.2f} ({min(seconds):.2f} to {max(seconds):.2f})",
        f"{median['cpu_s']:.1f}",
        f"{median['build_s']:.1f}",
        f"{median['bound']:,.2f}",
        f"{median['cost']:,.2f}",
        f"{gap:.3%}{' (not closed)' if unfinished else ''}",
        f"{median['peak_gb']:.2f}",
        f"{'> ' if unfinished else ''}{ratio:.1f}" if name != "acreage" else "",
    ]
    return f"| {' | '.join(cells)} |"


def _gap(cost: float, bound: float) -> float:
    return (cost - bound) / abs(cost) if math.isfinite(cost) and math.isfinite(bound) else math.inf


def _checked(case: Case, ours: Found, founds: Sequence[Found]) -> None:
    """Acreage's first stage priced anew, and every side's bound against every side's cost."""
    anew = _side("check", case)
    if isinstance(anew, str):
        print(f"\npriced anew: {anew}")
        return
    gap = _gap(anew["cost"], ours["bound"])
    print(f"\npriced anew with HiGHS in {anew['checked']} of {anew['of']} futures: {anew['cost']:,.2f}, ", end="")
    print(f"gap {gap:.3%}, worst difference in a future {anew['worst_frac']:.1e}, rules kept: {anew['keeps_rules']}")
    least, most = min(found["cost"] for found in founds), max(found["bound"] for found in founds)
    agree = "yes" if most <= least * (1 + 1e-6 * math.copysign(1.0, least)) else "NO"
    print(f"every bound is below every cost: {agree}; same problem: {len({found['digest'] for found in founds}) == 1}")


def _growth(case: Case, repeat: int) -> None:
    """Seconds over futures and over periods, each with its exponent."""
    print(f"\n### growth of {case.size}, seed {case.seed}, {case.gap_frac:.1%}, median of {repeat}\n")
    print("| | | seconds | build, s | gap | memory, GB |\n|---|---|---|---|---|---|")
    for option, counts in (("futures", GROWING_FUTURES), ("periods", GROWING_PERIODS)):
        medians: dict[int, float] = {}
        for count in counts:
            founds = [_side("acreage", case, **{option: count}) for _ in range(repeat)]
            failed = [found for found in founds if isinstance(found, str)]
            if failed:
                print(f"| {option} | {count} | {failed[0]} | | | |", flush=True)
                continue
            good = sorted((found for found in founds if not isinstance(found, str)), key=lambda found: found["seconds"])
            middle = good[len(good) // 2]
            medians[count] = middle["seconds"]
            gap = _gap(middle["cost"], middle["bound"])
            cells = (f"{middle['seconds']:.2f}", f"{middle['build_s']:.2f}", f"{gap:.3%}", f"{middle['peak_gb']:.2f}")
            print(f"| {option} | {count} | {' | '.join(cells)} |", flush=True)
        if len(medians) > 1:
            slope = np.polyfit(np.log(list(medians)), np.log(list(medians.values())), 1)[0]
            print(f"| {option} | exponent | {slope:.2f} | | | |")


if __name__ == "__main__":
    main()
