"""What a folder of public data says about the generator of futures; and how far its intervals can be trusted.

`python benchmarks/plan/calibration.py DATA [--portfolio FILE] [--seed 1] [--simulated 200] [--forecasts 40]`
where DATA holds `price_history.csv`, `traces/spot` and `traces/serving` (what is missing is left out). The data are
not shipped: docs/how-to/calibrate-futures.md names them. `--simulated` draws that many histories from the law of
the generator and prints how often the 95 % intervals hold the truth; `--forecasts` that many to be forecast, which
needs the extra.
"""

import argparse
import os
import platform
import time
from datetime import date
from pathlib import Path

import numpy as np

from acreage.demand.calibration.demand import calibrate_demand
from acreage.demand.calibration.estimate import Estimated, Unsaid, sd_of_factor
from acreage.demand.calibration.forecaster import BASELINE
from acreage.demand.calibration.history import STEP_YEARS, Frequency, History
from acreage.demand.calibration.prices import spread_per_year
from acreage.demand.calibration.walk import fit, growth_of, shared_of, spread_of
from acreage.flow.calibrating import Sources, calibrate, load_forecasters
from acreage.units.ids import WorkloadId

EXAMPLE = Path(__file__).parents[2] / "examples" / "frontier-lab" / "portfolio.yaml"
LAST = date(2026, 1, 1)
SD, GROWTH, WEIGHT = 0.3, 2.0, 0.5
"""The truth of simulated histories: log sd and growth a year, share in common."""


def main() -> None:
    """Print the machine, the estimates as a table, and the share of simulated intervals that hold the truth."""
    asked = _arguments()
    print(f"machine: {_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    began = time.perf_counter()
    found = calibrate(asked.portfolio, _sources(asked.data), seed=asked.seed, tell=lambda done, total: None)
    print(f"{found.portfolio.name}, seed {asked.seed}, in {time.perf_counter() - began:.1f} s\n")
    print("| quantity | of | value | 95 % interval | n |\n|---|---|---|---|---|")
    for answers in found.answers.values():
        for one in answers:
            if isinstance(one, Estimated):
                within = f"{one.low:.3g} to {one.high:.3g}"
                print(f"| {one.quantity} | {one.subject} | {one.value:.3g} | {within} | {one.observations:,} |")
    print()
    for answers in found.answers.values():
        for one in answers:
            if isinstance(one, Unsaid):
                print(f"not said: {one.quantity} of {one.subject}: {one.why}")
    print(f"set aside: {len(found.excursions)} list prices that came back; {'; '.join(found.notes)}\n")
    _simulated(asked.simulated, asked.seed)
    if asked.forecasts:
        _forecast(asked.forecasts, asked.seed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--portfolio", type=Path, default=EXAMPLE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--simulated", type=int, default=200)
    parser.add_argument("--forecasts", type=int, default=0)
    return parser.parse_args()


def _sources(data: Path) -> Sources:
    prices, spot, serving = data / "price_history.csv", data / "traces" / "spot", data / "traces" / "serving"
    names = ("azure_llm_2023_conv.csv", "azure_llm_2023_code.csv", "alibaba_genai_requests.csv.gz")
    return Sources(
        prices=prices if prices.is_file() else None,
        spot=spot if spot.is_dir() else None,
        serving=tuple(serving / name for name in names if (serving / name).is_file()),
    )


def _simulated(count: int, seed: int) -> None:
    """Coverage of 95 % intervals over histories drawn from the law they are intervals of."""
    print("| simulated | sd | growth | weight | mean sd |\n|---|---|---|---|---|")
    for frequency, rows in ((Frequency.DAILY, 365), (Frequency.WEEKLY, 156), (Frequency.MONTHLY, 60)):
        held = np.asarray([_held(frequency, rows, [seed, number]) for number in range(count)])
        sd, growth, weight, value = held.mean(axis=0)
        print(f"| demand, {rows} {frequency} rows | {sd:.0%} | {growth:.0%} | {weight:.0%} | {value:.3f} |")
    for months in (1, 12):
        sd, value = np.mean([_prices_held(months, [seed, number]) for number in range(count)], axis=0)
        print(f"| prices, 48 months, changes of {months} | {sd:.0%} | - | - | {value:.3f} |")
    print(f"truth: sd {SD} (as a factor {sd_of_factor(SD):.3f}), growth {GROWTH}, weight {WEIGHT}; {count} draws each")


def _forecast(count: int, seed: int) -> None:
    """Coverage of forecast intervals in windows never looked at, as the library gives them and corrected."""
    library = load_forecasters()
    found = []
    for number in range(count):
        histories = _histories(Frequency.MONTHLY, 60, np.random.default_rng([seed, number]), season=0.15)
        chosen = {name: library[name] for name in (BASELINE, "Theta")}
        found.append(
            calibrate_demand(histories, chosen, families={}, source="", tell=lambda done, total: None).coverage
        )
    print(f"\n| interval, {count} times 3 histories of 60 months | held | corrected |\n|---|---|---|")
    for of_level in zip(*found, strict=True):
        before, after = (np.mean([getattr(one, end) for one in of_level]) for end in ("before_frac", "after_frac"))
        print(f"| {of_level[0].level_frac:.0%} | {before:.0%} | {after:.0%} |")


def _histories(frequency: Frequency, rows: int, rng: np.random.Generator, season: float = 0.0) -> list[History]:
    """Three random walks of the stated truth, with noise and perhaps a season of the year."""
    common, step = rng.standard_normal(rows), STEP_YEARS[frequency]
    histories = []
    for name in ("a", "b", "c"):
        moves = np.sqrt(WEIGHT) * common + np.sqrt(1.0 - WEIGHT) * rng.standard_normal(rows)
        logs = np.cumsum(SD * np.sqrt(step) * moves) + np.log(GROWTH) * step * np.arange(rows)
        logs += season * np.sin(2 * np.pi * step * np.arange(rows))
        values = np.exp(logs + 0.02 * rng.standard_normal(rows))
        histories.append(History(workload=WorkloadId(name), frequency=frequency, dates=(LAST,), values=values))
    return histories


def _held(frequency: Frequency, rows: int, seeds: list[int]) -> tuple[float, float, float, float]:
    histories = _histories(frequency, rows, np.random.default_rng(seeds))
    fits = [fit(history) for history in histories]
    spreads = [spread_of(history, fitted, "") for history, fitted in zip(histories, fits, strict=True)]
    growths = [growth_of(history, fitted, "") for history, fitted in zip(histories, fits, strict=True)]
    weight = shared_of(histories, fits, [""] * 3, "")
    assert isinstance(weight, Estimated)
    return (
        float(np.mean([one.low <= sd_of_factor(SD) <= one.high for one in spreads])),
        float(np.mean([one.low <= GROWTH <= one.high for one in growths])),
        float(weight.low <= WEIGHT <= weight.high),
        float(np.mean([one.value for one in spreads])),
    )


def _prices_held(months: int, seeds: list[int]) -> tuple[float, float]:
    rng = np.random.default_rng(seeds)
    common, own = rng.standard_normal(48), rng.standard_normal((20, 48))
    moves = SD / np.sqrt(12) * (np.sqrt(WEIGHT) * common + np.sqrt(1.0 - WEIGHT) * own)
    sd, low, high = spread_per_year(moves, months, rng)
    return float(low <= SD <= high), sd_of_factor(sd)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


if __name__ == "__main__":
    main()
