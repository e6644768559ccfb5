"""What a price is of, what kind it is and where it was seen."""

from dataclasses import dataclass
from enum import StrEnum

from acreage.units.instants import Instant
from acreage.units.money import MicroUsd


class PriceKind(StrEnum):
    """How a price is sold."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"
    RESERVED_1Y = "reserved_1y"
    RESERVED_3Y = "reserved_3y"
    CAPACITY_BLOCK = "capacity_block"
    CONTRACT = "contract"


class PriceBasis(StrEnum):
    """The unit one pays for."""

    ACCELERATOR_HOUR = "accelerator_hour"
    NODE_HOUR = "node_hour"
    MW_MONTH = "mw_month"
    MONTHLY_LUMP = "monthly_lump"
    THROUGHPUT_UNIT_HOUR = "throughput_unit_hour"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a fact was seen: its source in words or an address, and the day it was true (None: unknown)."""

    source: str
    as_of_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """An amount of micro-dollars for one unit of `basis`.

    `accelerators_per_unit` is how many leased accelerators one unit holds: 1 for
    accelerator_hour, the node's chips for node_hour, chips per MW for mw_month, all
    accelerators of the lease for monthly_lump, the chips behind one throughput unit.
    """

    basis: PriceBasis
    amount_micro_usd: MicroUsd
    accelerators_per_unit: float = 1.0
    kind: PriceKind = PriceKind.CONTRACT
    provenance: Provenance
