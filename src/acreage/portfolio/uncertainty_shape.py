"""The shapes of what is not sure: how futures are drawn, events, regimes, and named stresses."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from acreage.portfolio.fields import Date, Days, Frac, Name, NotNegative, Positive, Shape

LATENESS = r"^[1-9]\d* (day|week|month|quarter|year)s?$"
LATENESS_OR_NEVER = r"^(never|[1-9]\d* (day|week|month|quarter|year)s?)$"

Lateness = Annotated[str, Meta(pattern=LATENESS, description="A length of time: 2 quarters, 90 days, 6 months.")]
LatenessOrNever = Annotated[
    str, Meta(pattern=LATENESS_OR_NEVER, description="How late deliveries come: 2 quarters, 90 days, or never.")
]
Chance = Annotated[
    float, Meta(gt=0, lt=1, description="The chance, above 0 and below 1, that it happens within a year.")
]
Tilt = Annotated[
    float,
    Meta(
        ge=-3,
        le=3,
        description="How much the market's scarcity moves its rate (sd of the log): above 0 it comes when tight, "
        "below 0 when slack.",
    ),
]


class CorrelationShape(Shape, kw_only=True, frozen=True):
    """How the common factors of the market hang together; left out: one factor drives all."""

    factors: Annotated[
        list[Literal["demand", "price", "scarcity", "delay"]],
        Meta(
            description="The order of the matrix's rows and columns.",
            examples=[["demand", "price", "scarcity", "delay"]],
        ),
    ]
    matrix: Annotated[list[list[float]], Meta(description="Correlations between -1 and 1, the diagonal 1, symmetric.")]


class WeightsShape(Shape, kw_only=True, frozen=True):
    """The share of a variance that the common factor explains; left out: tightness_weight_frac."""

    demand: Frac | None = None
    price: Frac | None = None
    scarcity: Frac | None = None
    delay: Frac | None = None


class EventShape(Shape, kw_only=True, frozen=True):
    """Something that may happen at a supplier, in some of the sampled futures."""

    name: Name
    kind: Literal["site_failure", "chip_late", "recall", "default"]
    target: Annotated[
        Name,
        Meta(
            description="Whom it hits. site_failure: a pool, site or provider; chip_late: an accelerator; recall: a "
            "pool, site, provider or equity group; default: an equity group."
        ),
    ]
    probability_frac_per_year: Chance
    lost_frac: Annotated[float, Meta(gt=0, le=1, description="Share of the capacity there that is lost.")] | None = None
    duration: Annotated[Lateness | None, Meta(description="How long the capacity is lost.")] = None
    late: LatenessOrNever | None = None
    tightness_sd: Tilt = 0.0


class RegimeShape(Shape, kw_only=True, frozen=True):
    """A state the whole market enters and leaves, such as a shortage."""

    name: Name
    entries_per_year: Annotated[float, Meta(gt=0, le=50, description="How often it begins, a year outside it.")]
    mean_duration: Lateness
    demand_factor: Positive = 1.0
    market_price_factor: Positive = 1.0
    market_limit_factor: NotNegative = 1.0
    late: Annotated[Lateness | None, Meta(description="How much later deliveries promised for its days come.")] = None
    tightness_sd: Tilt = 0.0


class TailShape(Shape, kw_only=True, frozen=True):
    """Tight futures drawn more often than they come, each counted with the probability that it has."""

    share_of_futures_frac: Annotated[
        float, Meta(ge=0, le=0.9, description="Share of the futures that is drawn as if the market were tighter.")
    ] = 0.3
    shift_sd: Annotated[float, Meta(gt=0, le=4, description="How much tighter, in standard deviations.")] = 1.5


class UncertaintyShape(Shape, kw_only=True, frozen=True):
    """How futures are drawn."""

    futures: Annotated[int, Meta(ge=0, le=2000)] = 20
    seed: Annotated[int, Meta(ge=0)] = 1
    demand_sd_frac_per_year: Annotated[float, Meta(ge=0, le=3)] = 0.2
    price_sd_frac_per_year: Annotated[float, Meta(ge=0, le=3)] = 0.25
    market_limit_sd_frac: Annotated[float, Meta(ge=0, le=3)] = 0.4
    tightness_weight_frac: Frac = 0.5
    correlation: CorrelationShape | None = None
    weights: WeightsShape = WeightsShape()
    events: list[EventShape] = msgspec.field(default_factory=list)
    regimes: list[RegimeShape] = msgspec.field(default_factory=list)
    tail: TailShape | None = None


class StressShape(Shape, kw_only=True, frozen=True):
    """A named future added by hand."""

    name: Name
    probability_frac: Annotated[float, Meta(gt=0, lt=1, description="Its probability, above 0 and below 1.")]
    stress: Annotated[
        dict[str, str],
        Meta(
            description="The short form: a provider that is late or lost, demand, price or limits times a factor.",
            examples=[{"azure": "late 2 quarters", "demand": "x2"}],
        ),
    ] = msgspec.field(default_factory=dict)
    demand_factor: Positive = 1.0
    late_days: dict[str, Days] = msgspec.field(default_factory=dict)
    lost: list[Name] = msgspec.field(default_factory=list)
    lost_from: Date | None = None
    market_price_factor: Positive = 1.0
    market_limit_factor: NotNegative = 1.0
