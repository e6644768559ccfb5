"""A calibration for people and as JSON: every estimate with its interval, observations, source and method."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from acreage.demand.calibration.demand import Coverage, DemandFound, Forecasted
from acreage.demand.calibration.estimate import Answer, Estimated, Unsaid
from acreage.demand.calibration.forecaster import QUANTILES
from acreage.demand.calibration.prices import Excursion
from acreage.flow.calibrating import Calibration
from acreage.flow.calibration_block import block, block_text
from acreage.flow.text_table import text_table
from acreage.units.instants import iso_date

SCHEMA = "acreage.calibration.v1"
_HEADER = ("quantity", "of", "value", "95 % interval", "n")
_RIGHT = frozenset(("value", "95 % interval", "n"))


def as_json(calibration: Calibration) -> str:
    """The calibration as JSON; `block` has the portfolio's own field names."""
    demand = calibration.demand
    answers = [(part, answer) for part, found in calibration.answers.items() for answer in found]
    content = {
        "schema": SCHEMA,
        "portfolio": calibration.portfolio.name,
        "as_of": iso_date(calibration.portfolio.as_of_at),
        "estimates": [{"part": part} | asdict(a) for part, a in answers if isinstance(a, Estimated)],
        "unsaid": [{"part": part} | asdict(a) for part, a in answers if isinstance(a, Unsaid)],
        "excursions": [_excursion(one) for one in calibration.excursions],
        "scores": [asdict(score) for score in demand.scores] if demand else [],
        "coverage": [asdict(one) for one in demand.coverage] if demand else [],
        "forecasts": [_forecast(one) for one in demand.forecasts] if demand else [],
        "notes": list(calibration.notes),
        "block": block(calibration),
    }
    return json.dumps(content, indent=2)


def _excursion(one: Excursion) -> dict[str, object]:
    return {
        "key": list(one.key),
        "from": str(one.from_on),
        "until": str(one.until_on),
        "usd": one.usd,
        "usual_usd": one.usual_usd,
    }


def _forecast(one: Forecasted) -> dict[str, object]:
    return {
        "workload": one.workload,
        "forecaster": one.forecaster,
        "frequency": one.frequency.value,
        "last": str(one.last_on),
        "quantiles": {f"{q:g}": [float(v) for v in line] for q, line in zip(QUANTILES, one.values, strict=True)},
    }


def as_text(calibration: Calibration) -> str:
    """The calibration for a terminal, the block to paste last."""
    lines: list[str] = []
    for part, answers in calibration.answers.items():
        lines += [*_part(part, answers), ""]
    if calibration.demand is not None:
        lines += [*_checked(calibration.demand), ""]
    notes = [*_set_aside(calibration.excursions), *calibration.notes]
    if notes:
        lines += ["NOTES", *(f"  {note}" for note in notes), ""]
    return "\n".join([*lines, "TO PASTE", block_text(calibration).rstrip()])


def _part(part: str, answers: Sequence[Answer]) -> list[str]:
    found = [answer for answer in answers if isinstance(answer, Estimated)]
    lines = [part.upper()]
    if found:
        sources = ", ".join(dict.fromkeys(one.source for one in found))
        table = text_table(_HEADER, [_cells(one) for one in found], right=_RIGHT, indent="  ")
        methods = dict.fromkeys((one.quantity, one.method) for one in found)
        lines = [f"{part.upper()}: {sources}", *table, *(f"  {quantity}: {method}" for quantity, method in methods)]
    return [*lines, *(f"  not said: {quantity} of {', '.join(of)}: {why}" for quantity, why, of in _unsaid(answers))]


def _cells(one: Estimated) -> tuple[str, ...]:
    within = f"{_figure(one.low)} to {_figure(one.high)}"
    return one.quantity, one.subject, _figure(one.value), within, f"{one.observations:,}"


def _figure(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _unsaid(answers: Sequence[Answer]) -> list[tuple[str, str, list[str]]]:
    """What cannot be said: quantity, reason and the subjects that share them."""
    found: dict[tuple[str, str], list[str]] = {}
    for answer in answers:
        if isinstance(answer, Unsaid):
            found.setdefault((answer.quantity, answer.why), []).append(answer.subject)
    return [(quantity, why, subjects) for (quantity, why), subjects in found.items()]


def _checked(demand: DemandFound) -> list[str]:
    """How forecasts did in the later windows, and how often their intervals held."""
    scores = [
        (
            str(s.workload),
            s.forecaster + (" *" if s.chosen else ""),
            f"{s.mase:.2f}",
            f"{s.pinball:.4f}",
            f"{s.over_baseline:.2f}",
        )
        for s in demand.scores
    ]
    names = ("workload", "forecaster", "MASE", "pinball", "over seasonal naive")
    coverage = [_coverage(one) for one in demand.coverage]
    heads = ("interval", "held before", "Wilson", "held after", "Wilson after")
    windows = demand.coverage[0].windows
    ends = ("workload", "forecaster", "when", "5 %", "median", "95 %")
    return [
        "FORECASTS, judged in windows that chose and corrected nothing (* chosen in earlier ones)",
        *text_table(names, scores, right=frozenset(names[2:]), indent="  "),
        f"COVERAGE of the chosen forecasts' intervals, {demand.coverage[0].points} points of {windows} windows",
        *text_table(heads, coverage, right=frozenset(heads), indent="  "),
        "AHEAD, at the end of the horizon",
        *text_table(ends, [_end(one) for one in demand.forecasts], right=frozenset(ends[3:]), indent="  "),
    ]


def _end(one: Forecasted) -> tuple[str, ...]:
    last = one.values[:, -1]
    steps = f"{one.values.shape[1]} {one.frequency} steps after {one.last_on}"
    return str(one.workload), one.forecaster, steps, *(f"{last[i]:,.4g}" for i in (0, len(last) // 2, -1))


def _coverage(one: Coverage) -> tuple[str, ...]:
    return (
        f"{one.level_frac:.0%}",
        f"{one.before_frac:.1%}",
        f"{one.low_frac:.1%} to {one.high_frac:.1%}",
        f"{one.after_frac:.1%}",
        f"{one.after_low_frac:.1%} to {one.after_high_frac:.1%}",
    )


def _set_aside(excursions: Sequence[Excursion]) -> list[str]:
    """The rows of a price history that were not believed, in one line a stretch of time."""
    stretches: dict[tuple[str, str, str], list[str]] = {}
    for one in excursions:
        stretches.setdefault((one.key[0], str(one.from_on), str(one.until_on)), []).append(one.key[2])
    return [
        f"set aside: list prices of {provider} from {since} to {until} that came back to what they had been: "
        + ", ".join(sorted(set(types)))
        for (provider, since, until), types in sorted(stretches.items())
    ]
