"""Contracts, deliveries and holds that the tests of the ledger start from."""

from dataclasses import replace

from acreage.domain.contract import Contract, Side, SlaStep
from acreage.domain.hold import HoldRequest
from acreage.domain.lease import Delivery, Lease
from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.domain.terms import RecallRight, Terms
from acreage.ledger.contracts import propose_lease, sign_lease
from acreage.ledger.deliveries import record_delivery
from acreage.ledger.facts import DESK_QUOTES, Draft, FactKind, pool_chain
from acreage.ledger.ledger import Ledger
from acreage.ledger.lettings import Kept, LetAnswer, LetLabel, Letting, Recall, let_leases
from acreage.units.ids import AcceleratorName, LeaseId, PoolId, ProviderId
from acreage.units.instants import Duration, Instant, instant
from acreage.units.money import micro_usd

POOL, OTHER = PoolId("basalt/us-east/h100"), PoolId("basalt/us-west/h100")
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


def let(
    id_: str, accelerators: int, first: int = 10, days: int = 5, notice: int | None = None, pool: PoolId = POOL
) -> Contract:
    """A lease let to somebody."""
    recall = None if notice is None else RecallRight(after=Duration(), notice_days=notice, recalls_per_year=0.0)
    made = contract(
        id_,
        accelerators=accelerators,
        pool=pool,
        starts_at=Instant(START + first * DAY),
        ends_at=Instant(START + (first + days) * DAY),
        lease_terms=terms(recall=recall),
    )
    return replace(made, side=Side.LET, counterparty="Birch")


def letting(
    ledger: Ledger, made: Contract, key: str, kept: int = 0, recalls: tuple[Recall, ...] = (), seq: int | None = None
) -> LetAnswer:
    """Let a lease with so many kept free all along."""
    return together(ledger, (made,), key, kept, recalls, None if seq is None else {made.lease.pool: seq})


def seen(ledger: Ledger) -> dict[PoolId, int]:
    """How far a writer has read both pools."""
    ledger.refresh([pool_chain(POOL), pool_chain(OTHER)])
    return {pool: ledger.pool(pool).head.seq for pool in (POOL, OTHER)}


def together(
    ledger: Ledger,
    made: tuple[Contract, ...],
    key: str,
    kept: int = 0,
    recalls: tuple[Recall, ...] = (),
    seqs: dict[PoolId, int] | None = None,
) -> LetAnswer:
    """Let leases together with so many kept free beside each."""

    def tell(answer: LetAnswer) -> Draft:
        kind = FactKind.QUOTE_ADMITTED if answer.done else FactKind.QUOTE_LOST
        return Draft(
            chain=DESK_QUOTES,
            id=key,
            kind=kind.value,
            subject=f"quote-{made[0].lease.id}",
            happened_at=ledger.clock(),
            headroom=answer.largest,
        )

    known = seqs or seen(ledger)
    lettings = []
    for one in made:
        lease = one.lease
        label = LetLabel(lease=lease.id, lessee="Birch", tier="reserved", recall_notice_days=None, micro_usd=4_000_000)
        windows = (Kept(from_at=lease.starts_at, until_at=lease.ends_at, accelerators=kept),)
        lettings.append(Letting(contract=one, label=label, kept=windows, pool_seq=known[lease.pool]))
    return let_leases(ledger, lettings, recalls=recalls, tell=tell)
