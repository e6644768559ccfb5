"""Double entry: what each fact moves between accounts, in accelerator-seconds and in micro-dollars.

Entries are derived, never stored, so they cannot disagree with the facts. In capacity each entry takes from
one account what it gives to another; in money the postings of a transaction sum to nothing.
"""

from collections.abc import Iterable, Iterator

import msgspec

from acreage.domain.balance import CapacityEntry
from acreage.domain.contract import Contract, Side
from acreage.domain.entry import Posting, Transaction
from acreage.ledger.facts import BILL, CAPACITY_SIGN, POOL, Fact, FactKind, window_of
from acreage.ledger.leases import LeaseView
from acreage.units.ids import LeaseId, PoolId
from acreage.units.instants import Instant
from acreage.units.money import MicroUsd

PROMISED, LATE, IDLE, HELD, USED = "promised", "late", "idle", "held", "used"
"""Accounts of capacity, in the order in which it moves through them."""

_DELIVERIES = (FactKind.DELIVERED, FactKind.DELIVERY_RETRACTED)


def lease_entries(view: LeaseView) -> Iterator[CapacityEntry]:
    """What signing a lease that we hold moves from `promised` to `late`, version by version of its contract."""
    if view.signed_at is None or view.contract.side is Side.LET:
        return
    for i, (since, contract) in enumerate(view.versions):
        end_at = min(view.versions[i + 1][0] if i + 1 < len(view.versions) else view.ends_at, view.ends_at)
        for delivery in contract.lease.deliveries:
            from_at = max(delivery.due_at, since)
            if from_at < end_at:
                yield _entry(
                    view.facts[0].id, contract.lease.pool, LATE, PROMISED, delivery.accelerators, from_at, end_at
                )


def capacity_entries(facts: Iterable[Fact]) -> Iterator[CapacityEntry]:
    """What the facts of pool chains move: deliveries from `late` to `idle`, holds from `idle` to `held`."""
    for fact in facts:
        if fact.kind not in CAPACITY_SIGN:
            continue
        accelerators, from_at, until_at = window_of(fact)
        debit, credit = (IDLE, LATE) if fact.kind in _DELIVERIES else (HELD, IDLE)
        pool = PoolId(fact.chain.removeprefix(POOL))
        if accelerators:
            yield _entry(fact.id, pool, debit, credit, accelerators, from_at, until_at)


def usage_entries(facts: Iterable[Fact], pools: dict[LeaseId, PoolId]) -> Iterator[CapacityEntry]:
    """What metered use moves from `held` to `used`; use that belongs to no known lease moves nothing."""
    for fact in facts:
        pool = pools.get(LeaseId(fact.subject))
        if fact.kind != FactKind.USAGE_METERED or pool is None or not fact.accelerator_seconds:
            continue
        assert fact.from_at is not None
        assert fact.until_at is not None
        yield CapacityEntry(
            fact=fact.id,
            pool=pool,
            debit=USED,
            credit=HELD,
            accelerators=0,
            from_at=Instant(fact.from_at),
            until_at=Instant(fact.until_at),
            accelerator_seconds=fact.accelerator_seconds,
        )


def balances(entries: Iterable[CapacityEntry], at: int) -> dict[tuple[PoolId, str], int]:
    """Accelerator-seconds on each account of each pool up to an instant; every pool sums to zero."""
    found: dict[tuple[PoolId, str], int] = {}
    for entry in entries:
        whole = entry.until_at - entry.from_at
        # Metered use has no rate of its own: it is spread over its period.
        amount = entry.accelerator_seconds * min(max(at - entry.from_at, 0), whole) // whole
        found[entry.pool, entry.debit] = found.get((entry.pool, entry.debit), 0) + amount
        found[entry.pool, entry.credit] = found.get((entry.pool, entry.credit), 0) - amount
    return found


def _entry(
    fact: str, pool: PoolId, debit: str, credit: str, accelerators: int, from_at: int, until_at: int
) -> CapacityEntry:
    return CapacityEntry(
        fact=fact,
        pool=pool,
        debit=debit,
        credit=credit,
        accelerators=accelerators,
        from_at=Instant(from_at),
        until_at=Instant(until_at),
        accelerator_seconds=accelerators * (until_at - from_at),
    )


def transactions(facts: Iterable[Fact], contracts: dict[LeaseId, Contract]) -> Iterator[Transaction]:
    """The money side of `bill:` chains in order: charges, credits, payments, disputes and what was taken back.

    As lessee a charge is an expense owed to the provider; as lessor, income owed by the lessee.
    """
    done: dict[str, Transaction] = {}
    for fact in facts:
        made = _transaction(fact, contracts, done)
        if made is not None:
            done[fact.id] = made
            yield made


def _transaction(fact: Fact, contracts: dict[LeaseId, Contract], done: dict[str, Transaction]) -> Transaction | None:
    if fact.kind == FactKind.RETRACTED:
        old = done.get(fact.corrects)
        return _reversed(old, fact) if old is not None else None
    provider = fact.chain.removeprefix(BILL)
    amount = fact.micro_usd or 0
    contract = contracts.get(LeaseId(fact.subject))
    let = fact.kind == FactKind.PAYMENT_RECEIVED or (contract is not None and contract.side is Side.LET)
    party = contract.counterparty if let and contract is not None else provider
    owed = f"Assets:Receivable:{party}" if let else f"Liabilities:Payable:{party}"
    disputed = f"Assets:Disputed:{party}" if let else f"Liabilities:Disputed:{party}"
    match fact.kind:
        case FactKind.CHARGE_INVOICED:
            accounts = (_charged(fact, party, let), owed)
        case FactKind.PAYMENT_MADE:
            accounts = (f"Liabilities:Payable:{provider}", "Assets:Bank")
        case FactKind.PAYMENT_RECEIVED:
            accounts = (owed, "Assets:Bank")
        case FactKind.DISPUTE_OPENED:
            accounts = (owed, disputed)
        case FactKind.DISPUTE_CLOSED:
            accounts = (disputed, _charged(fact, party, let))
        case _:
            return None
    if not amount:
        return None
    debit, credit = reversed(accounts) if let else accounts
    return Transaction(
        fact=fact.id,
        at=Instant(fact.happened_at if fact.from_at is None else fact.from_at),
        payee=party,
        narration=_narration(fact),
        lease=fact.subject if contract is not None else "",
        postings=(
            Posting(account=debit, micro_usd=MicroUsd(amount)),
            Posting(account=credit, micro_usd=MicroUsd(-amount)),
        ),
    )


def _charged(fact: Fact, party: str, let: bool) -> str:
    """The account of a charge: what was bought for or sold to which lease; purchases are prepaid assets."""
    lease = fact.subject or "unmatched"
    if let:
        return f"Income:Compute:{party}:{lease}"
    return f"Expenses:Compute:{party}:{lease}"


def _narration(fact: Fact) -> str:
    if fact.kind == FactKind.CHARGE_INVOICED:
        told = msgspec.json.decode(fact.body, type=dict[str, str | None])
        return told.get("ChargeDescription") or told.get("ChargeCategory") or "charge"
    return fact.kind.replace("_", " ") + (f" {fact.subject}" if fact.subject else "")


def _reversed(old: Transaction, fact: Fact) -> Transaction:
    return Transaction(
        fact=fact.id,
        at=Instant(fact.happened_at),
        payee=old.payee,
        narration=f"taken back: {old.narration}",
        lease=old.lease,
        postings=tuple(Posting(account=p.account, micro_usd=MicroUsd(-p.micro_usd)) for p in old.postings),
    )
