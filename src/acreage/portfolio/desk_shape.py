"""The shape of a desk document and of a request; their JSON Schemas are made from them."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acreage.portfolio.fields import Count, Date, Days, Frac, Name, Positive, Shape, Usd

DESK_SCHEMA_ID = "https://acreage.dev/schema/desk.schema.json"
REQUEST_SCHEMA_ID = "https://acreage.dev/schema/desk-request.schema.json"

Hourly = Annotated[str, Meta(description="A price with its unit: 4.30 USD/accelerator_hour.")]
TierName = Annotated[
    Literal["contracted", "reserved", "on_demand", "spot"],
    Meta(description="contracted, reserved, on_demand or spot, the firmest promise first."),
]


class StepShape(Shape, kw_only=True, frozen=True):
    """From this day on, so many accelerators, until the next step."""

    from_: Annotated[Date, Meta(description="The first day.")] = msgspec.field(name="from")
    accelerators: Annotated[int, Meta(ge=0)]


class DeskPoolShape(Shape, kw_only=True, frozen=True):
    """A pool that the desk leases out: capacity one gang can span."""

    id: Name
    accelerator: Name
    region: Name
    capacity: Annotated[list[StepShape], Meta(min_length=1, description="By period, spares already set aside.")]


class OptionShape(Shape, kw_only=True, frozen=True):
    """The anchor's right to more from a day on, and how likely it is to be called."""

    from_: Annotated[Date, Meta(description="The first day.")] = msgspec.field(name="from")
    accelerators: Count
    probability_frac: Frac


class ForecastShape(Shape, kw_only=True, frozen=True):
    """What the anchor is expected to call on a day; linear between two such days."""

    at: Date
    mean: Annotated[float, Meta(ge=0, description="Accelerators, on average.")]
    deviation: Annotated[float, Meta(ge=0, description="Accelerators, standard deviation.")]


class AnchorContractShape(Shape, kw_only=True, frozen=True):
    """What the anchor has a right to in one pool; without a forecast all of its ramp is kept for it."""

    pool: Name
    ramp: Annotated[list[StepShape], Meta(min_length=1, description="Its right, by period.")]
    options: Annotated[list[OptionShape], Meta(max_length=8)] = msgspec.field(default_factory=list)
    forecast: list[ForecastShape] = msgspec.field(default_factory=list)


class AnchorShape(Shape, kw_only=True, frozen=True):
    """The protected first customer."""

    name: Name
    call_notice_days: Annotated[Days, Meta(description="How long ahead it says what it will use.")] = 0
    damages_usd_per_accelerator_hour: Annotated[Usd, Meta(description="Owed for each hour it is short.")]
    persistence_days: Annotated[Positive, Meta(description="How long its need stays above or below the forecast.")] = (
        30.0
    )
    contracts: Annotated[list[AnchorContractShape], Meta(min_length=1)]


class SpreadShape(Shape, kw_only=True, frozen=True):
    """A log-normal law: half of all lie below the median, nine in ten below p90."""

    median: Positive
    p90: Positive


class TierDemandShape(Shape, kw_only=True, frozen=True):
    """Requests expected for one pool."""

    pool: Name
    requests_per_day: Positive
    accelerators: Annotated[SpreadShape, Meta(description="Accelerators of one request.")]
    days: Annotated[SpreadShape, Meta(description="Days of one request.")]
    lead_days: Annotated[SpreadShape, Meta(description="Days from request to start.")]
    bid_usd_per_accelerator_hour: Annotated[SpreadShape, Meta(description="USD bid for an accelerator-hour.")]


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class QuantityStepShape(Shape, kw_only=True, frozen=True):
    """From so many accelerators on, this share of the list price."""

    from_accelerators: Count
    price_frac: Annotated[Positive, Meta(description="0.9 is ten percent off.")]


class TimeOfUseShape(Shape, kw_only=True, frozen=True):
    """On these days, within these hours UTC, this share of the list price."""

    weekdays: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Meta(min_length=1)]
    from_hour: Annotated[int, Meta(ge=0, le=23)] = 0
    until_hour: Annotated[int, Meta(ge=1, le=24)] = 24
    price_frac: Annotated[Positive, Meta(description="1.2 is twenty percent more.")]


class TariffShape(Shape, kw_only=True, frozen=True):
    """What the list price is multiplied with; the floor holds for every hour of every accelerator."""

    discounting: Annotated[
        Literal["all_units", "incremental"],
        Meta(description="A step's price is for all units once it is reached, or for the units from it on."),
    ] = "all_units"
    steps: Annotated[list[QuantityStepShape], Meta(description="Rising quantities.")] = msgspec.field(
        default_factory=list
    )
    times: Annotated[list[TimeOfUseShape], Meta(description="Where they overlap the last one counts.")] = msgspec.field(
        default_factory=list
    )


class TakeUpShape(Shape, kw_only=True, frozen=True):
    """Of who asks for the price in a pool, how many take it: a logistic curve, as `acreage desk learn` prints it."""

    pool: Name
    middle_usd: Annotated[Positive, Meta(description="USD an accelerator-hour that half of them take.")]
    slope_per_usd: Annotated[Positive, Meta(description="How steeply it falls: log odds lost with each USD more.")]


class TierShape(Shape, kw_only=True, frozen=True):
    """How one tier is sold, and what is expected of it."""

    tier: TierName
    floor: Annotated[Hourly, Meta(description="Never below it: 2.20 USD/accelerator_hour.")]
    list_price: Annotated[Hourly, Meta(description="Asked of who names no bid: 4.00 USD/accelerator_hour.")]
    recall_notice_days: Annotated[
        Days | None, Meta(description="The lessor may take it back at so many days' notice; left out: it is firm.")
    ] = None
    tariff: Annotated[TariffShape | None, Meta(description="Quantity discounts and times of use.")] = None
    take_up: Annotated[
        list[TakeUpShape],
        Meta(description="In these pools the price that earns most is asked, in place of the list price."),
    ] = msgspec.field(default_factory=list)
    demand: list[TierDemandShape] = msgspec.field(default_factory=list)


class BurstsShape(Shape, kw_only=True, frozen=True):
    """Times in which requests come `factor` times as often."""

    per_year: Positive
    factor: Annotated[float, Meta(ge=1)]
    days: Positive


class RulesShape(Shape, kw_only=True, frozen=True):
    """What the desk never does, and how it quotes."""

    anchor_short_max_frac: Annotated[
        float, Meta(gt=0, lt=1, description="On no day is the anchor short with a probability above this.")
    ]
    overbooking_max_frac: Annotated[
        Frac, Meta(description="At most this share of the anchor's right is leased firm to others.")
    ] = 0.0
    recall_max_frac: Annotated[
        float, Meta(gt=0, lt=1, description="A recallable lease is recalled by the anchor no more often than this.")
    ] = 0.2
    recall_compensation_usd_per_accelerator_hour: Annotated[Usd, Meta(description="Owed for each hour recalled.")] = 0.0
    quote_valid_hours: Positive = 24.0
    tick_usd: Annotated[float, Meta(gt=0, description="Prices are multiples of it.")] = 0.01
    block_accelerators: Annotated[int, Meta(ge=1, description="Counter-offers are multiples of it.")] = 8
    counter_days_max: Annotated[Days, Meta(description="Other dates are looked for up to so many days later.")] = 60


class DeskShape(Shape, kw_only=True, frozen=True):
    """A lessor's desk."""

    name: Name
    lessor: Name
    horizon_days: Annotated[int, Meta(ge=1, le=1830, description="How far ahead the desk quotes, from today.")] = 365
    lessees: Annotated[list[Name], Meta(description="Whom the desk leases to; left out: anybody.")] = msgspec.field(
        default_factory=list
    )
    pools: Annotated[list[DeskPoolShape], Meta(min_length=1)]
    anchor: AnchorShape
    tiers: Annotated[list[TierShape], Meta(min_length=1)]
    rules: RulesShape
    bursts: BurstsShape | None = None


class PartShape(Shape, kw_only=True, frozen=True):
    """A part of a request: accelerators in one pool over one stretch of time."""

    pool: Name
    accelerators: int
    from_: Annotated[Date, Meta(description="The first day.")] = msgspec.field(name="from")
    until: Annotated[Date, Meta(description="The first day that is not part of it.")]


class RequestShape(Shape, kw_only=True, frozen=True):
    """What a lessee asks for, all or nothing: accelerators in one pool, or parts in several pools or times."""

    lessee: Name
    tier: TierName
    pool: str = ""
    pools: Annotated[list[Name], Meta(description="Alternatives, the preferred one first.")] = msgspec.field(
        default_factory=list
    )
    accelerator: Annotated[str, Meta(description="Any pool of the desk that has this chip.")] = ""
    accelerators: int | None = None
    from_: Annotated[Date | None, Meta(description="The first day.")] = msgspec.field(name="from", default=None)
    until: Annotated[Date | None, Meta(description="The first day that is not part of it.")] = None
    parts: Annotated[
        list[PartShape],
        Meta(max_length=64, description="All of these together, in place of pool, accelerators, from and until."),
    ] = msgspec.field(default_factory=list)
    bid: Annotated[str, Meta(description="3.40 USD/accelerator_hour; left out: the desk names its price.")] = ""


def desk_schema() -> dict[str, Any]:
    """The published JSON Schema of a desk document."""
    return schema_of(DeskShape, DESK_SCHEMA_ID, "Acreage desk")


def request_schema() -> dict[str, Any]:
    """The published JSON Schema of a request to a desk."""
    return schema_of(RequestShape, REQUEST_SCHEMA_ID, "Acreage desk request")


def schema_of(shape: type, id_: str, title: str) -> dict[str, Any]:
    """The published JSON Schema of a document of this shape."""
    (_,), parts = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    root = parts.pop(shape.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id_,
        **root,
        "title": title,
        "$defs": parts,
    }
