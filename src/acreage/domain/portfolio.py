"""A portfolio: what is held, offered and wanted, and the rules the plan must keep."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from acreage.domain.accelerator import Accelerator
from acreage.domain.lease import Commitment, Lease, Offer
from acreage.domain.provider import Pool, Provider
from acreage.domain.surprises import Factor, Regime, SupplierEvent, TailSampling
from acreage.domain.workload import Workload
from acreage.units.errors import Place
from acreage.units.ids import AcceleratorName, PoolId, ProviderId
from acreage.units.instants import SECONDS_PER_HOUR, Instant
from acreage.units.money import MicroUsd


class ShareLevel(StrEnum):
    """What concentration is measured over."""

    SUPPLIER = "supplier"
    CHIP_VENDOR = "chip_vendor"
    SITE = "site"
    EQUITY_GROUP = "equity_group"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCap:
    """From `from_at` on, no member of the level holds more than `share_max_frac` of firm effective FLOP/s.

    `member` limits the cap to one of them; empty means each.
    """

    level: ShareLevel
    share_max_frac: float
    from_at: Instant
    member: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """New signings and ports cost at most `limit_micro_usd` of cash within [from_at, until_at)."""

    from_at: Instant
    until_at: Instant
    limit_micro_usd: MicroUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """The objective is (1 - weight) x expected cost + weight x CVaR at level `tail`."""

    weight_frac: float
    tail_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """How the sampled futures are drawn; see demand/futures.py for the model.

    `correlation` is that of the common factors, rows and columns in the order of `Factor`; empty: one factor for all.
    `weight_frac` is the share of a variance that its common factor explains, where it is not `tightness_weight_frac`.
    """

    futures: int
    seed: int
    demand_sd_frac_per_year: float
    price_sd_frac_per_year: float
    market_limit_sd_frac: float
    tightness_weight_frac: float
    correlation: tuple[tuple[float, ...], ...] = ()
    weight_frac: Mapping[Factor, float] = field(default_factory=dict)
    events: tuple[SupplierEvent, ...] = ()
    regimes: tuple[Regime, ...] = ()
    tail: TailSampling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """A named future added by hand, with its probability.

    `lost_from_at` is when the capacity of a provider goes for good.
    """

    name: str
    probability_frac: float
    demand_factor: float
    late_days: Mapping[ProviderId, int]
    lost_from_at: Mapping[ProviderId, Instant]
    market_price_factor: float
    market_limit_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of the plan.

    `survive_loss_frac`: firm capacity left after the loss of the largest supplier keeps at
    least this share of the demand of workloads marked must (None: no such rule).
    `resale_frac` is the share of the payments due beyond the horizon that the capacity
    is still worth then. `walk_away_gap_frac` and `gap_frac` are solver targets.
    """

    discount_frac_per_year: float
    risk: Risk
    share_caps: tuple[ShareCap, ...]
    survive_loss_frac: float | None
    budgets: tuple[Budget, ...]
    resale_frac: float
    gap_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One step of the grid, [from_at, until_at)."""

    from_at: Instant
    until_at: Instant

    @property
    def hours(self) -> float:
        """Its length in hours."""
        return (self.until_at - self.from_at) / SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Everything a plan is made from.

    `effective_tflops` is chips' peak x MFU x goodput for firm capacity shares, in TFLOP/s
    per accelerator. `places` says where in the user's file each id stands.
    """

    name: str
    description: str
    as_of_at: Instant
    periods: tuple[Period, ...]
    accelerators: Mapping[AcceleratorName, Accelerator]
    effective_tflops: Mapping[AcceleratorName, float]
    providers: Mapping[ProviderId, Provider]
    pools: Mapping[PoolId, Pool]
    leases: tuple[Lease, ...]
    commitments: tuple[Commitment, ...]
    offers: tuple[Offer, ...]
    workloads: tuple[Workload, ...]
    policy: Policy
    uncertainty: Uncertainty
    stresses: tuple[Stress, ...]
    places: Mapping[str, Place]
