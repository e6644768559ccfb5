"""Offers made comparable: the price of an effective accelerator-hour, step by step, and what terms are worth."""

from dataclasses import dataclass
from enum import StrEnum

from acreage.units.ids import OfferId, ProviderId
from acreage.units.money import MicroUsd


class ComponentKind(StrEnum):
    """The steps from a quoted price to a comparable one, in their order."""

    QUOTED = "quoted price"
    ENERGY = "energy billed apart"
    TIER = "quantity discount"
    CHIP = "speed of the chip"
    BILLING = "billing by the month in arrears"
    FEE_RAMP = "fee ramp"
    ESCALATOR = "escalator"
    PREPAYMENT = "prepayment"
    SPARES = "spares kept aside"
    RAMP = "delivery in tranches"
    WAIT = "start later than wanted"
    LATENESS = "late delivery"
    RECALL = "recall risk"
    OUTAGES = "outages and service credits"
    PORTING = "porting"
    EXTENSION = "right to extend"
    EXIT = "right to leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What one step adds, in micro-dollars an effective accelerator-hour of the reference chip; `note` says why."""

    kind: ComponentKind
    micro_usd_per_hour: MicroUsd
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TermWorth:
    """What a change of one term would be worth to the buyer, in micro-dollars today; negative: a loss."""

    term: str
    micro_usd: MicroUsd
    micro_usd_per_hour: MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One offer compared at a quantity.

    `hours` are effective accelerator-hours of the reference chip over the time wanted, discounted; the
    components add up to `micro_usd_per_hour` exactly.
    """

    offer: OfferId
    provider: ProviderId
    accelerators: int
    quoted_micro_usd_per_accelerator_hour: MicroUsd
    components: tuple[Component, ...]
    micro_usd_per_hour: MicroUsd
    hours: float
    worths: tuple[TermWorth, ...]

    @property
    def total_usd(self) -> float:
        """The discounted cost of having the hours."""
        return self.micro_usd_per_hour * self.hours / 1e6
