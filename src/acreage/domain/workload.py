"""What needs compute: training runs, serving fleets and steady research shares."""

from dataclasses import dataclass
from enum import StrEnum

from acreage.units.ids import AcceleratorName, PoolId, WorkloadId
from acreage.units.instants import Instant
from acreage.units.money import MicroUsd


class PortState(StrEnum):
    """Whether the workload's code runs on the chip: now, after a port, or never."""

    PORTED = "ported"
    PORTABLE = "portable"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """How a workload runs on one chip.

    `rate_per_accelerator` is in the workload's own unit: FLOP/s (peak x MFU x goodput) or
    reference accelerators for a training run, tokens/s for a serving fleet, reference
    accelerators for a research share. Gang bounds are accelerators running in concert;
    `gang_min` 1 means no gang. A port costs `port_cost_micro_usd` and is usable
    `port_lead_days` after the planning day.
    """

    accelerator: AcceleratorName
    rate_per_accelerator: float
    gang_min: int
    gang_max: int | None
    port_state: PortState
    port_cost_micro_usd: MicroUsd
    port_lead_days: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """A run that needs `work` done between its release and its deadline.

    `work` is in `work_unit` ("FLOP" or "H100-hour", say): an hour on one accelerator does
    rate x 3600 FLOP, or rate reference accelerator-hours. Work not done at a time after
    the deadline costs its share of `late_micro_usd_per_day`; work not done at all by the
    horizon costs its share of `unfinished_micro_usd` besides. `work_sd_frac` is the
    standard deviation of the work's estimate. An empty `pools` means every pool.
    """

    id: WorkloadId
    work: float
    work_unit: str
    release_at: Instant
    deadline_at: Instant
    late_micro_usd_per_day: MicroUsd
    unfinished_micro_usd: MicroUsd
    work_sd_frac: float
    must: bool
    capabilities: tuple[Capability, ...]
    pools: tuple[PoolId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBlock:
    """A share of a period's hours at `level` times the period's mean demand."""

    name: str
    hours_frac: float
    level_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandPoint:
    """Mean demand from `from_at` on, in the workload's unit; growth starts from there."""

    from_at: Instant
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingFleet:
    """A fleet that serves `rate_unit` (tokens/s of one model, shape and SLO) over time.

    Between the demand points the demand grows by the factor `growth_per_year`. What is
    not served costs `unmet_micro_usd_per_million` units. Of what is served, a share
    `n_minus_1_keep_frac` must remain whichever one provider fails, and no provider serves
    more than `supplier_share_max_frac`.
    """

    id: WorkloadId
    rate_unit: str
    demand: tuple[DemandPoint, ...]
    until_at: Instant | None
    growth_per_year: float
    demand_sd_frac_per_year: float
    family: str
    load_blocks: tuple[LoadBlock, ...]
    unmet_micro_usd_per_million: MicroUsd
    n_minus_1_keep_frac: float
    supplier_share_max_frac: float
    must: bool
    capabilities: tuple[Capability, ...]
    pools: tuple[PoolId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResearchShare:
    """A steady claim for research and batch work, in reference accelerators, met on average over a period."""

    id: WorkloadId
    accelerators: float
    reference: AcceleratorName
    from_at: Instant
    until_at: Instant | None
    growth_per_year: float
    unmet_micro_usd_per_accelerator_hour: MicroUsd
    must: bool
    capabilities: tuple[Capability, ...]
    pools: tuple[PoolId, ...]


Workload = TrainingRun | ServingFleet | ResearchShare
