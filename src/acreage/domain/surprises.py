"""What may go wrong beside daily ups and downs: events at suppliers, regimes of the market; how tails are drawn."""

from dataclasses import dataclass
from enum import StrEnum

from acreage.units.ids import PoolId


class Factor(StrEnum):
    """What the whole market has in common: its demand, its prices, how scarce capacity is, how late deliveries are."""

    DEMAND = "demand"
    PRICE = "price"
    SCARCITY = "scarcity"
    DELAY = "delay"


class EventKind(StrEnum):
    """What can happen at a supplier."""

    SITE_FAILURE = "site_failure"
    CHIP_LATE = "chip_late"
    RECALL = "recall"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierEvent:
    """Something that happens within a year with `probability_frac_per_year`, to all of `pools` at once.

    Capacity there loses `lost_frac` for `lost_days`; deliveries due after it come `late_days` late (None: never; 0: on
    time); a recall takes back whatever there the lessor may take back. Site failures may come again, the others come
    once. `tightness_sd` is the standard deviation that the market's scarcity gives the logarithm of its rate:
    above 0 it comes when the market is tight, below 0 when it is slack.
    """

    name: str
    kind: EventKind
    pools: tuple[PoolId, ...]
    probability_frac_per_year: float
    lost_frac: float = 0.0
    lost_days: int = 0
    late_days: int | None = 0
    tightness_sd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """A state that the whole market enters `entries_per_year` times a year outside it, and leaves after `mean_days`.

    While it lasts, demand, prices by the hour and limits are multiplied by its factors, and deliveries that fall due
    come `late_days` later. `tightness_sd` as in `SupplierEvent`, for the rate of entry.
    """

    name: str
    entries_per_year: float
    mean_days: float
    demand_factor: float = 1.0
    market_price_factor: float = 1.0
    market_limit_factor: float = 1.0
    late_days: int = 0
    tightness_sd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TailSampling:
    """Tight futures drawn more often than they come: `share_of_futures_frac` of them as if the market were tighter.

    By `shift_sd` standard deviations of its most telling figure.
    """

    share_of_futures_frac: float
    shift_sd: float
