"""Contracts, deliveries and holds that the tests of the ledger start from."""

from acreage.domain.contract import Contract, SlaStep
from acreage.domain.hold import HoldRequest
from acreage.domain.lease import Delivery, Lease
from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.domain.terms import Terms
from acreage.ledger.contracts import propose_lease, sign_lease
from acreage.ledger.deliveries import record_delivery
from acreage.ledger.ledger import Ledger
from acreage.units.ids import AcceleratorName, LeaseId, PoolId, ProviderId
from acreage.units.instants import Instant, instant
from acreage.units.money import micro_usd

POOL = PoolId("basalt/us-east/h100")
START, END = instant("2027-01-01"), instant("2029-01-01")
HOUR, DAY = 3_600, 86_400


def terms(usd: str = "4.00", **changes: object) -> Terms:
    """Plain terms at a price an accelerator-hour."""
    price = Price(
        basis=PriceBasis.ACCELERATOR_HOUR, amount_micro_usd=micro_usd(usd), provenance=Provenance(source="the test")
    )
    return Terms(price=price, **changes)  # type: ignore[arg-type]


def contract(
    id_: str = "basalt-1",
    *,
    accelerators: int = 100,
    pool: PoolId = POOL,
    starts_at: Instant = START,
    ends_at: Instant = END,
    deliveries: tuple[Delivery, ...] = (),
    sla: tuple[SlaStep, ...] = (),
    vendor_ids: tuple[str, ...] = (),
    lease_terms: Terms | None = None,
) -> Contract:
    """A lease of 100 accelerators for two years, or what is asked for instead."""
    lease = Lease(
        id=LeaseId(id_),
        provider=ProviderId(pool.split("/")[0]),
        pool=pool,
        starts_at=starts_at,
        ends_at=ends_at,
        deliveries=deliveries or (Delivery(accelerators=accelerators, due_at=starts_at),),
        terms=lease_terms or terms(),
    )
    return Contract(
        lease=lease, counterparty="Basalt", accelerator=AcceleratorName("H100"), sla=sla, vendor_ids=vendor_ids
    )


def signed(ledger: Ledger, agreed: Contract | None = None) -> LeaseId:
    """A signed lease, nothing delivered."""
    agreed = agreed or contract()
    propose_lease(ledger, agreed, key=f"propose-{agreed.lease.id}")
    sign_lease(ledger, agreed.lease.id, key=f"sign-{agreed.lease.id}")
    return agreed.lease.id


def delivered(ledger: Ledger, accelerators: int = 100, pool: PoolId = POOL, id_: str = "basalt-1") -> LeaseId:
    """A signed lease that has been delivered in full from its start."""
    lease = signed(ledger, contract(id_, accelerators=accelerators, pool=pool))
    record_delivery(ledger, lease, accelerators, at=START, key=f"deliver-{lease}")
    return lease


def asks(
    id_: str,
    accelerators: int,
    from_at: int,
    until_at: int,
    *,
    pool: PoolId = POOL,
    holder: str = "run-1",
    timeout_s: int | None = None,
) -> HoldRequest:
    """A request for a hold."""
    return HoldRequest(
        id=id_,
        pool=pool,
        accelerators=accelerators,
        from_at=Instant(from_at),
        until_at=Instant(until_at),
        holder=holder,
        timeout_s=timeout_s,
    )
