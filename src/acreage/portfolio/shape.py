"""The shape of a portfolio document: its fields, types and bounds. The JSON Schema is made from it.

Field names are those of the domain; instants and durations are written as people write them.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acreage.portfolio.fields import Count, Date, Days, Frac, Name, NotNegative, Positive, Shape, Span, Usd
from acreage.portfolio.uncertainty_shape import StressShape, UncertaintyShape


class PriceShape(Shape, kw_only=True, frozen=True):
    """A price: an amount in US dollars for one unit."""

    usd: Annotated[float, Meta(gt=0, description="US dollars for one unit; a missing price is left out, never 0.")]
    per: Annotated[
        Literal["accelerator_hour", "node_hour", "mw_month", "monthly_lump", "throughput_unit_hour"],
        Meta(description="The unit one pays for."),
    ]
    accelerators_per_unit: Annotated[
        float, Meta(gt=0, description="Leased accelerators in one unit: 8 for a node_hour of 8 chips.")
    ] = 1.0
    kind: Literal["on_demand", "spot", "reserved_1y", "reserved_3y", "capacity_block", "contract"] | None = None
    source: Annotated[str, Meta(description="Where the price was seen.")] = "the portfolio"
    as_of: Annotated[Date | None, Meta(description="The day the price was true.")] = None


PriceText = Annotated[
    str,
    Meta(description="catalog, catalog reserved_1y (the list price), or text such as 4.30 USD/accelerator_hour."),
]
PriceField = PriceText | PriceShape


class DelayShape(Shape, kw_only=True, frozen=True):
    """How late deliveries come: on time with on_time_frac, else log-normal with this median and 90th percentile."""

    on_time_frac: Frac = 0.0
    median_days: NotNegative = 0.0
    p90_days: NotNegative = 0.0


class PurchaseRuleShape(Shape, kw_only=True, frozen=True):
    """What one product of a provider allows."""

    product: Name
    lead_time_min: Span | None = None
    lead_time_max: Annotated[Span, Meta(description="Furthest ahead a start can be bought: 56 days.")] | None = None
    term_min: Span | None = None
    term_max: Span | None = None
    accelerators_max: Count | None = None
    cancellable: bool = True
    source: str = ""


class ProviderShape(Shape, kw_only=True, frozen=True):
    """A lessor."""

    id: Name
    name: str = ""
    equity_group: Annotated[str, Meta(description="Owners whose fortunes are linked; default: the provider.")] = ""
    delay: DelayShape = DelayShape()
    outages_per_year: NotNegative = 0.0
    outage_days: NotNegative = 0.0
    outage_lost_frac: Frac = 1.0
    purchase_rules: list[PurchaseRuleShape] = msgspec.field(default_factory=list)


class AccessShape(Shape, kw_only=True, frozen=True):
    """Capacity bought by the hour."""

    price: PriceField
    accelerators_max: Annotated[int, Meta(ge=0, description="Most accelerators at a time.")]


class PoolShape(Shape, kw_only=True, frozen=True):
    """Provider x region x accelerator x fabric: capacity that one gang can span."""

    id: Name
    provider: Name
    region: Name
    accelerator: Name
    site: str = ""
    fabric: str = ""
    fabric_accelerators_max: Annotated[Count, Meta(description="Most accelerators one gang can span.")] | None = None
    on_demand: AccessShape | None = None
    spot: AccessShape | None = None


class FeeStepShape(Shape, kw_only=True, frozen=True):
    """From `after` the start on, the fee is this share of the price."""

    after: Span
    fee_frac: NotNegative


class TerminationShape(Shape, kw_only=True, frozen=True):
    """The lessee's right to leave after the firm term."""

    notice_days: Days
    fee_frac: Frac = 0.0


class ExtensionShape(Shape, kw_only=True, frozen=True):
    """The lessee's right to extend."""

    duration: Span
    price_frac: Positive = 1.0


class RecallShape(Shape, kw_only=True, frozen=True):
    """The lessor's right to take capacity back."""

    after: Span
    notice_days: Days
    recalls_per_year: NotNegative


class ExclusivityShape(Shape, kw_only=True, frozen=True):
    """No new lease with anybody else starts before `until`, for these accelerators (none named: all)."""

    until: Date
    accelerators: list[Name] = msgspec.field(default_factory=list)


class FirstRefusalShape(Shape, kw_only=True, frozen=True):
    """The provider may match any other offer within these days, which delays its start."""

    until: Date
    response_days: Days
    accelerators: list[Name] = msgspec.field(default_factory=list)


class TermsShape(Shape, kw_only=True, frozen=True):
    """Clauses that leases and offers share."""

    price: PriceField
    take_or_pay_frac: Annotated[float, Meta(ge=0, le=1, description="Share of the fee due used or not.")] = 1.0
    prepayment_frac: Annotated[float, Meta(ge=0, le=1, description="Share of all fees paid at signing.")] = 0.0
    escalator_frac_per_year: Annotated[float, Meta(ge=-0.5, le=1)] = 0.0
    sparing_frac: Annotated[float, Meta(ge=0, lt=1, description="Share of accelerators set aside as spares.")] = 0.0
    fee_steps: list[FeeStepShape] = msgspec.field(default_factory=list)
    firm_term: Span | None = None
    termination: TerminationShape | None = None
    extension: ExtensionShape | None = None
    recall: RecallShape | None = None
    exclusivity: ExclusivityShape | None = None
    first_refusal: FirstRefusalShape | None = None
    most_favored: bool = False


class DeliveryShape(Shape, kw_only=True, frozen=True):
    """Accelerators handed over (positive) or taken back (negative)."""

    accelerators: int
    due: Date
    grace_days: Days = 0
    late_discount_frac: Frac = 0.0
    terminable_after_days: Days | None = None
    delay: DelayShape | None = None


class LeaseShape(TermsShape, kw_only=True, frozen=True):
    """A lease held."""

    id: Name
    provider: Name
    pool: Name
    starts: Date
    ends: Date
    deliveries: Annotated[list[DeliveryShape], Meta(min_length=1)]


class MilestoneShape(Shape, kw_only=True, frozen=True):
    """By `due`, eligible charges since the start reach `cumulative_usd`."""

    due: Date
    cumulative_usd: Usd


class PledgeShape(Shape, kw_only=True, frozen=True):
    """A spend commitment."""

    starts: Date
    milestones: Annotated[list[MilestoneShape], Meta(min_length=1)]
    drawn_usd: Usd = 0.0
    eligible: list[Literal["lease", "on_demand"]] = msgspec.field(default_factory=lambda: ["lease", "on_demand"])


class CommitmentShape(PledgeShape, kw_only=True, frozen=True):
    """A spend commitment held."""

    id: Name
    provider: Name


class BlocksShape(Shape, kw_only=True, frozen=True):
    """How many blocks can be signed, if any."""

    min: Count = 1
    max: Count


class WindowShape(Shape, kw_only=True, frozen=True):
    """The days on which the lease may start."""

    from_: Date = msgspec.field(name="from")
    until: Date


class TrancheShape(Shape, kw_only=True, frozen=True):
    """A part of an offer, delivered `after` its start."""

    share_frac: Annotated[float, Meta(gt=0, le=1)]
    after: Span = "0 months"
    grace_days: Days = 0
    late_discount_frac: Frac = 0.0
    terminable_after_days: Days | None = None
    delay: DelayShape | None = None


class TierShape(Shape, kw_only=True, frozen=True):
    """From this many blocks on, every block costs this share of the price."""

    blocks_min: Count
    price_frac: Positive


class OfferShape(TermsShape, kw_only=True, frozen=True):
    """Something that could be leased."""

    id: Name
    provider: Name
    pool: Name
    product: str = ""
    accelerators_per_block: Count
    blocks: BlocksShape
    start: WindowShape
    term: Span
    tranches: list[TrancheShape] = msgspec.field(default_factory=list)
    tiers: list[TierShape] = msgspec.field(default_factory=list)
    commitment: PledgeShape | None = None
    excludes: list[Name] = msgspec.field(default_factory=list)
    requires: list[Name] = msgspec.field(default_factory=list)
    expires: Date | None = None
    source: str = "the portfolio"


class CapabilityShape(Shape, kw_only=True, frozen=True):
    """How a workload runs on a chip; one of the four rates is given."""

    accelerator: Name
    mfu_frac: Annotated[float, Meta(gt=0, le=1, description="Training: share of peak FLOP/s used.")] | None = None
    goodput_frac: Annotated[float, Meta(gt=0, le=1, description="Share of wall time that is useful.")] = 0.9
    precision: Literal["bf16", "fp16", "fp8"] = "bf16"
    tflops: Annotated[float, Meta(gt=0, description="Training: measured TFLOP/s per accelerator.")] | None = None
    tokens_per_s: Annotated[float, Meta(gt=0, description="Serving: tokens/s per accelerator.")] | None = None
    reference_accelerators: (
        Annotated[float, Meta(gt=0, description="Reference accelerators that one of these is worth.")] | None
    ) = None
    gang_min: Count = 1
    gang_max: Count | None = None
    port_state: Literal["ported", "portable", "no"] = "ported"
    port_cost_usd: Usd = 0.0
    port_lead_days: Days = 0
    source: str = ""


class WorkloadShape(Shape, kw_only=True, frozen=True):
    """Fields of every workload; `resources` is a SkyPilot block that stands in for capabilities."""

    must: Annotated[bool, Meta(description="Has to hold in the base future, whatever it costs.")] = False
    pools: Annotated[list[Name], Meta(description="The only pools it may use; none named: all.")] = msgspec.field(
        default_factory=list
    )
    capabilities: list[CapabilityShape] = msgspec.field(default_factory=list)
    resources: dict[str, Any] | None = None


class WorkShape(Shape, kw_only=True, frozen=True):
    """The work of a run: FLOP, or hours of a reference accelerator."""

    flop: Positive | None = None
    accelerator_hours: Positive | None = None
    reference: Name | None = None


class TrainingShape(WorkloadShape, kw_only=True, frozen=True):
    """A training run."""

    training_run: Name
    work: WorkShape
    release: Date
    deadline: Date
    late_usd_per_day: Usd
    unfinished_usd: Usd = 0.0
    work_sd_frac: Annotated[float, Meta(ge=0, le=2)] = 0.0


class DemandShape(Shape, kw_only=True, frozen=True):
    """Mean demand from a day on."""

    from_: Date = msgspec.field(name="from")
    rate: NotNegative


class BlockShape(Shape, kw_only=True, frozen=True):
    """A share of the hours at a level of the mean demand."""

    name: Name
    hours_frac: Annotated[float, Meta(gt=0, le=1)]
    level_frac: NotNegative


class ServingShape(WorkloadShape, kw_only=True, frozen=True):
    """A serving fleet."""

    serving_fleet: Name
    rate_unit: str = "tokens/s"
    demand: Annotated[list[DemandShape], Meta(min_length=1)]
    until: Date | None = None
    growth_per_year: Annotated[float, Meta(gt=0, description="Factor a year: 3.0 is threefold.")] = 1.0
    demand_sd_frac_per_year: Annotated[float, Meta(ge=0, le=3)] = 0.2
    family: str = ""
    load_blocks: list[BlockShape] = msgspec.field(default_factory=list)
    unmet_usd_per_million: Annotated[float, Meta(ge=0, description="Cost of a million units not served.")]
    n_minus_1_keep_frac: Frac = 0.0
    supplier_share_max_frac: Frac = 1.0
    suppliers_min: Annotated[int, Meta(ge=1, le=10)] | None = None


class ResearchShape(WorkloadShape, kw_only=True, frozen=True):
    """A steady research share, in reference accelerators."""

    research_share: Name
    accelerators: Positive
    reference: Name
    from_: Date | None = msgspec.field(name="from", default=None)
    until: Date | None = None
    growth_per_year: Positive = 1.0
    unmet_usd_per_accelerator_hour: Usd


class GridShape(Shape, kw_only=True, frozen=True):
    """A stretch of the grid."""

    every: Literal["week", "month"]
    count: Annotated[int, Meta(ge=1, le=600)]


class CapShape(Shape, kw_only=True, frozen=True):
    """A cap on shares of firm effective capacity."""

    level: Literal["supplier", "chip_vendor", "site", "equity_group"]
    share_max_frac: Frac
    from_: Date | None = msgspec.field(name="from", default=None)
    member: str = ""


class BudgetShape(Shape, kw_only=True, frozen=True):
    """Cash of new signings and ports within a window."""

    from_: Date = msgspec.field(name="from")
    until: Date
    limit_usd: Usd


class RiskShape(Shape, kw_only=True, frozen=True):
    """(1 - weight) x expected cost + weight x mean of the worst (1 - tail)."""

    weight_frac: Frac = 0.3
    tail_frac: Annotated[float, Meta(ge=0, lt=1)] = 0.9


class PolicyShape(Shape, kw_only=True, frozen=True):
    """The rules of the plan."""

    discount_frac_per_year: Annotated[float, Meta(ge=0, le=1)] = 0.1
    risk: RiskShape = RiskShape()
    share_caps: list[CapShape] = msgspec.field(default_factory=list)
    survive_loss_frac: Frac | None = None
    budgets: list[BudgetShape] = msgspec.field(default_factory=list)
    resale_frac: Frac = 0.5
    gap_frac: Annotated[float, Meta(gt=0, le=0.5)] = 0.0002


class PortfolioShape(Shape, kw_only=True, frozen=True):
    """A portfolio: what is held, offered and wanted, and the rules the plan must keep."""

    name: Name
    description: str = ""
    as_of: Annotated[Date, Meta(description="The planning day.")]
    grid: Annotated[list[GridShape], Meta(min_length=1, description="Periods, fine at first and coarse later.")]
    planning_mfu_frac: Annotated[
        float, Meta(gt=0, le=1, description="MFU with which firm capacity is counted in effective FLOP/s.")
    ] = 0.4
    planning_goodput_frac: Annotated[float, Meta(gt=0, le=1)] = 0.9
    effective_tflops: Annotated[
        dict[str, Positive], Meta(description="Effective TFLOP/s of a chip, where its own differs.")
    ] = msgspec.field(default_factory=dict)
    price_sheets: Annotated[list[str], Meta(description="CSV files of your own contract prices.")] = msgspec.field(
        default_factory=list
    )
    providers: list[ProviderShape]
    pools: Annotated[list[PoolShape], Meta(min_length=1)]
    leases: list[LeaseShape] = msgspec.field(default_factory=list)
    commitments: list[CommitmentShape] = msgspec.field(default_factory=list)
    offers: list[OfferShape] = msgspec.field(default_factory=list)
    workloads: Annotated[list[dict[str, Any]], Meta(min_length=1)]
    policy: PolicyShape = PolicyShape()
    uncertainty: UncertaintyShape = UncertaintyShape()
    stresses: list[StressShape] = msgspec.field(default_factory=list)


WORKLOADS: dict[str, type[WorkloadShape]] = {
    "training_run": TrainingShape,
    "serving_fleet": ServingShape,
    "research_share": ResearchShape,
}
"""Workload kinds by the key that names one."""

SCHEMA_ID = "https://acreage.dev/schema/portfolio.schema.json"


def json_schema() -> dict[str, Any]:
    """The published JSON Schema of a portfolio document."""
    shapes = [PortfolioShape, *WORKLOADS.values()]
    _, parts = msgspec.json.schema_components(shapes, ref_template="#/$defs/{name}")
    workloads = parts["PortfolioShape"]["properties"]["workloads"]
    workloads["items"] = {"oneOf": [{"$ref": f"#/$defs/{shape.__name__}"} for shape in WORKLOADS.values()]}
    root = parts.pop("PortfolioShape")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **root,
        "title": "Acreage portfolio",
        "$defs": parts,
    }
