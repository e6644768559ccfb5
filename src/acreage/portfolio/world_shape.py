"""The shape of a market's document: chips, clouds, labs and what happens; its JSON Schema is made from it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acreage.portfolio.desk_shape import Hourly, StepShape, schema_of
from acreage.portfolio.fields import Count, Date, Frac, Name, Positive, Shape, Usd

WORLD_SCHEMA_ID = "https://acreage.dev/schema/world.schema.json"

Share = Annotated[float, Meta(gt=0, le=1, description="A share above 0, up to 1.")]
Growth = Annotated[float, Meta(gt=0, le=100, description="Times as much after a year.")]
Quarters = Annotated[int, Meta(ge=1, le=60)]


class ChipShape(Shape, kw_only=True, frozen=True):
    """A chip, and when it can be had."""

    accelerator: Name
    speed: Annotated[
        float, Meta(ge=0.001, le=1000, description="Reference accelerators that one is worth; the reference's is 1.")
    ]
    arrives: Annotated[Date | None, Meta(description="First deliveries; left out: it is there from the start.")] = None
    supply_per_quarter: Annotated[
        Count | None, Meta(description="Most that its maker delivers a quarter of what clouds order beyond `builds`.")
    ] = None
    supply_growth_per_year: Growth = 1.0


class MarketPoolShape(Shape, kw_only=True, frozen=True):
    """What a cloud has of one chip."""

    accelerator: Name
    floor: Annotated[Hourly, Meta(description="Leased for no less: 1.40 USD/accelerator_hour.")]
    list_price: Annotated[Hourly, Meta(description="Asked at first; it moves with what is sold.")]
    builds: Annotated[list[StepShape], Meta(description="So many more accelerators from these days on.")] = (
        msgspec.field(default_factory=list)
    )


class RightShape(Shape, kw_only=True, frozen=True):
    """What the anchor may call of one chip, at a fixed price."""

    accelerator: Name
    price: Hourly
    take_or_pay_frac: Annotated[Frac, Meta(description="This share of the right is paid, called or not.")] = 0.0
    ramp: Annotated[list[StepShape], Meta(min_length=1, description="Its right, by period.")]


class MarketAnchorShape(Shape, kw_only=True, frozen=True):
    """The lab that a cloud protects."""

    lab: Name
    damages_usd_per_accelerator_hour: Annotated[Usd, Meta(description="Owed for each hour it is short.")]
    short_max_frac: Annotated[float, Meta(gt=0, lt=1, description="No lease may make it short more probably.")] = 0.01
    overbooking_max_frac: Annotated[Frac, Meta(description="Most of its right that is leased firm to others.")] = 0.0
    rights: Annotated[list[RightShape], Meta(min_length=1)]


class CloudTemperShape(Shape, kw_only=True, frozen=True):
    """How a cloud moves its prices, and when it builds."""

    price_speed: Annotated[
        float, Meta(ge=0, le=2, description="List prices move by so many % a quarter for each % sold off the target.")
    ] = 0.5
    sold_target_frac: Share = 0.9
    build_at_frac: Annotated[Share, Meta(description="It orders where at least this share is sold.")] = 0.92
    build_frac: Annotated[Frac, Meta(description="It orders this share of what it has; 0: never.")] = 0.0
    build_lead_quarters: Quarters = 3


class MarketCloudShape(Shape, kw_only=True, frozen=True):
    """A lessor."""

    id: Name
    pools: Annotated[list[MarketPoolShape], Meta(min_length=1)]
    anchor: MarketAnchorShape | None = None
    closed_to: Annotated[list[Name], Meta(description="Labs it leases nothing to.")] = msgspec.field(
        default_factory=list
    )
    temper: CloudTemperShape = CloudTemperShape()


class HeldShape(Shape, kw_only=True, frozen=True):
    """A lease that runs from the start."""

    cloud: Name
    accelerator: Name
    accelerators: Count
    until: Annotated[Date, Meta(description="The first day that is not part of it.")]
    price: Hourly


class LabTemperShape(Shape, kw_only=True, frozen=True):
    """How a lab buys."""

    cover_frac: Annotated[
        float, Meta(gt=0, le=3, description="It leases up to this share of what it expects to need next.")
    ] = 1.0
    term_quarters: Annotated[Quarters, Meta(description="How long it leases.")] = 4


class MarketLabShape(Shape, kw_only=True, frozen=True):
    """A lessee."""

    id: Name
    need_accelerators: Annotated[Count, Meta(description="At the start, in accelerators of the reference chip.")]
    growth_per_year: Growth
    volatility_per_year: Annotated[
        float, Meta(ge=0, le=3, description="Standard deviation of the logarithm of its need, over a year.")
    ] = 0.0
    worth: Annotated[Hourly, Meta(description="What a reference accelerator-hour is worth to it: it pays no more.")]
    chips: Annotated[list[Name], Meta(min_length=1, description="Chips that its code runs on.")]
    vendors: Annotated[list[Name], Meta(description="Clouds it deals with; left out: all.")] = msgspec.field(
        default_factory=list
    )
    supplier_share_max_frac: Annotated[Share, Meta(description="Most of its need it leases from one cloud.")] = 1.0
    temper: LabTemperShape = LabTemperShape()
    resells: Annotated[bool, Meta(description="It lets go at the venue what it leases and does not use.")] = True
    leases: list[HeldShape] = msgspec.field(default_factory=list)


class NeedEventShape(Shape, kw_only=True, frozen=True):
    """From a day on a lab needs so many times what it would."""

    at: Date
    lab: Name
    need_factor: Positive
    why: str = ""


class WorldShape(Shape, kw_only=True, frozen=True):
    """A market to simulate."""

    name: Name
    description: str = ""
    from_: Annotated[Date, Meta(description="The first day.")] = msgspec.field(name="from")
    years: Annotated[int, Meta(ge=1, le=30)]
    tick: Annotated[Literal["month", "quarter"], Meta(description="How often everybody acts.")] = "quarter"
    seed: Annotated[int, Meta(ge=0)] = 1
    replications: Annotated[int, Meta(ge=1, le=1000)] = 10
    reference: Annotated[Name, Meta(description="The chip in whose accelerators need and compute are counted.")]
    block_accelerators: Annotated[Count, Meta(description="A lab asks for no less, in reference accelerators.")] = 64
    venue_floor: Annotated[Hourly, Meta(description="A reference accelerator-hour is sold at the venue for no less.")]
    chips: Annotated[list[ChipShape], Meta(min_length=1)]
    clouds: Annotated[list[MarketCloudShape], Meta(min_length=1)]
    labs: Annotated[list[MarketLabShape], Meta(min_length=1)]
    events: list[NeedEventShape] = msgspec.field(default_factory=list)


def world_schema() -> dict[str, Any]:
    """The published JSON Schema of a market's document."""
    return schema_of(WorldShape, WORLD_SCHEMA_ID, "Acreage market")
