"""Who leases out capacity, where it stands and by which purchase rules it can be bought."""

from dataclasses import dataclass

from acreage.domain.price import Price
from acreage.units.ids import AcceleratorName, PoolId, ProviderId
from acreage.units.instants import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayModel:
    """How late a promised delivery comes: log-normal in days, by its median and 90th percentile.

    `on_time_frac` of deliveries are not late at all. Zero median means always on time.
    """

    on_time_frac: float
    median_days: float
    p90_days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRule:
    """What one product of a provider allows; None where the provider sets no limit.

    `lead_time_*` is the time from the planning day to the start of the capacity;
    `accelerators_max` bounds one purchase; `cancellable` is false where no exit exists
    whatever the offer says.
    """

    product: str
    lead_time_min: Duration | None
    lead_time_max: Duration | None
    term_min: Duration | None
    term_max: Duration | None
    accelerators_max: int | None
    cancellable: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A lessor of capacity.

    `outages_per_year` is the rate at which it fails to serve (a bankruptcy, a site, a
    change of control); an outage takes `outage_lost_frac` of its capacity for
    `outage_days`. `equity_group` names owners whose fortunes are linked.
    """

    id: ProviderId
    name: str
    equity_group: str
    delay: DelayModel
    outages_per_year: float
    outage_days: float
    outage_lost_frac: float
    purchase_rules: tuple[PurchaseRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketAccess:
    """Capacity that can be bought by the hour in a pool, up to `accelerators_max` at a time."""

    price: Price
    accelerators_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Provider x region x accelerator x fabric: capacity that one gang can span."""

    id: PoolId
    provider: ProviderId
    region: str
    site: str
    accelerator: AcceleratorName
    fabric: str
    fabric_accelerators_max: int | None
    on_demand: MarketAccess | None
    spot: MarketAccess | None
