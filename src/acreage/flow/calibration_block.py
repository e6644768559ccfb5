"""The part of a portfolio that a calibration gives: fields to paste, each with its interval beside it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from acreage.demand.calibration.estimate import Estimated
from acreage.demand.calibration.prices import BLEND
from acreage.domain.workload import ResearchShare, ServingFleet
from acreage.flow.calibrating import Calibration
from acreage.units.instants import iso_date

SOURCES_OF_UNCERTAINTY = (
    ("price_sd_frac_per_year", "prices", "price_sd_frac_per_year", BLEND),
    ("market_limit_sd_frac", "spot", "market_limit_sd_frac", ""),
)
"""Fields of `uncertainty`: the part, the quantity and the subject (empty: any) they come from."""

SOURCES_OF_WEIGHTS = (
    ("demand", "demand", "demand_weight_frac", ""),
    ("price", "prices", "price_weight_frac", BLEND),
    ("scarcity", "spot", "limit_weight_frac", ""),
)
"""Fields of `uncertainty.weights`, likewise."""

WORKLOAD_FIELDS = ("growth_per_year", "demand_sd_frac_per_year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the portfolio, its value, and where that comes from."""

    name: str
    value: float
    found: Estimated


def estimated(calibration: Calibration, part: str, quantity: str, subject: str = "") -> Estimated | None:
    """The estimate of a quantity of a subject (empty: the only one), if there is one."""
    for answer in calibration.answers.get(part, ()):
        if answer.quantity == quantity and subject in ("", answer.subject):
            return answer if isinstance(answer, Estimated) else None
    return None


def _fields(calibration: Calibration, sources: Sequence[tuple[str, str, str, str]]) -> list[Field]:
    found = [(name, estimated(calibration, *source)) for name, *source in sources]
    return [Field(name=name, value=round(one.value, 3), found=one) for name, one in found if one is not None]


def uncertainty_fields(calibration: Calibration) -> list[Field]:
    """Fields of `uncertainty` that were estimated."""
    return [*_research_spread(calibration), *_fields(calibration, SOURCES_OF_UNCERTAINTY)]


def _research_spread(calibration: Calibration) -> list[Field]:
    """The spread of research shares, which have none of their own in a portfolio: the mean variance of those seen."""
    name = "demand_sd_frac_per_year"
    shares = [w.id for w in calibration.portfolio.workloads if isinstance(w, ResearchShare)]
    found = [one for id_ in shares if (one := estimated(calibration, "demand", name, id_)) is not None]
    if not found:
        return []
    value, low, high = (
        math.sqrt(sum(getattr(one, end) ** 2 for one in found) / len(found)) for end in ("value", "low", "high")
    )
    return [Field(name=name, value=round(value, 3), found=replace(found[0], value=value, low=low, high=high))]


def weight_fields(calibration: Calibration) -> list[Field]:
    """Fields of `uncertainty.weights` that were estimated."""
    return _fields(calibration, SOURCES_OF_WEIGHTS)


def workload_fields(calibration: Calibration) -> dict[str, list[Field]]:
    """Fields of each workload that has a history; a research share's spread is one of `uncertainty`, not its own."""
    fleets = {w.id for w in calibration.portfolio.workloads if isinstance(w, ServingFleet)}
    found = {}
    for forecast in calibration.demand.forecasts if calibration.demand else ():
        names = WORKLOAD_FIELDS if forecast.workload in fleets else WORKLOAD_FIELDS[:1]
        found[str(forecast.workload)] = _fields(
            calibration, [(name, "demand", name, forecast.workload) for name in names]
        )
    return found


def block(calibration: Calibration) -> dict[str, object]:
    """The fields as the portfolio has them, for JSON."""
    uncertainty: dict[str, object] = {one.name: one.value for one in uncertainty_fields(calibration)}
    weights = {one.name: one.value for one in weight_fields(calibration)}
    if weights:
        uncertainty["weights"] = weights
    return {
        "uncertainty": uncertainty,
        "workloads": {id_: {f.name: f.value for f in fields} for id_, fields in workload_fields(calibration).items()},
        "providers": {str(id_): {"delay": delay} for id_, delay in _delays(calibration).items()},
    }


def _delays(calibration: Calibration) -> dict[str, Mapping[str, float]]:
    return {
        str(id_): {
            "on_time_frac": round(law.on_time_frac, 3),
            "median_days": round(law.median_days, 1),
            "p90_days": round(law.p90_days, 1),
        }
        for id_, law in sorted(calibration.delays.items())
    }


def block_text(calibration: Calibration) -> str:
    """The fields as YAML to paste into the portfolio; what was not estimated is not in it, and stays as it is."""
    portfolio = calibration.portfolio
    lines = [
        f"# Written by `acreage calibrate` for {portfolio.name} of {iso_date(portfolio.as_of_at)}.",
        "# Paste these fields over those of the portfolio; what is not here was not estimated and stays as it is.",
    ]
    uncertainty, weights = uncertainty_fields(calibration), weight_fields(calibration)
    if uncertainty or weights:
        lines += ["uncertainty:", *(_line("  ", one) for one in uncertainty)]
    if weights:
        lines += ["  weights:", *(_line("    ", one) for one in weights)]
    lines += _workload_lines(calibration)
    delays = _delays(calibration)
    if delays:
        lines += [
            "# The stated laws after the deliveries in the books. A plan made with --ledger learns the same by itself:",
            "# paste these for plans without the books only, or the record counts twice.",
            "providers:",
        ]
        for id_, law in delays.items():
            told = ", ".join(f"{name}: {value:g}" for name, value in law.items())
            lines += [f"  - id: {id_}", f"    delay: {{{told}}}"]
    return "\n".join([*lines, *_load_lines(calibration)]) + "\n"


def _workload_lines(calibration: Calibration) -> list[str]:
    fleets = {w.id for w in calibration.portfolio.workloads if isinstance(w, ServingFleet)}
    lines = []
    for id_, fields in workload_fields(calibration).items():
        lines += [f"  - {'serving_fleet' if id_ in fleets else 'research_share'}: {id_}"]
        lines += [_line("    ", one) for one in fields]
    return ["workloads:", *lines] if lines else []


def _line(indent: str, one: Field) -> str:
    """A field with its interval as a comment."""
    field = f"{indent}{one.name}: {one.value:g}"
    return f"{field:<40}  # 95 %: {one.found.low:.3g} to {one.found.high:.3g}, from {one.found.source}"


def _load_lines(calibration: Calibration) -> list[str]:
    """Load blocks as comments: a trace does not say which fleet it is like."""
    levels = [
        answer
        for answer in calibration.answers.get("serving", ())
        if isinstance(answer, Estimated) and answer.quantity == "load_block_level_frac"
    ]
    if not levels:
        return []
    lines = [f"#   {one.subject}: level_frac {one.value:.2f} ({one.low:.2f} to {one.high:.2f})" for one in levels]
    return ["# Load blocks seen in the traces, for a fleet that is like them:", *lines]
