"""The days by which something about a contract must be done, or on which it happens."""

from collections.abc import Iterable, Iterator

from acreage.domain.contract import Contract, Deadline, LeaseState, Side, SpendContract
from acreage.units.instants import Duration, Instant, add_days
from acreage.units.money import usd_text

OPEN = frozenset({LeaseState.PROPOSED, LeaseState.PENDING, LeaseState.ACTIVE})


def deadlines(
    contracts: Iterable[tuple[Contract, LeaseState]], commitments: Iterable[SpendContract]
) -> tuple[Deadline, ...]:
    """Every expiry, renewal, termination and delivery day of open leases, and the milestones of commitments, by day."""
    found = [
        d
        for contract, state in contracts
        if state in OPEN and contract.side is not Side.OWN
        for d in _of_lease(contract)
    ]
    found += [d for commitment in commitments for d in _of_commitment(commitment)]
    return tuple(sorted(found, key=lambda d: (d.at, d.kind, d.subject)))


def _of_lease(contract: Contract) -> Iterator[Deadline]:
    lease, terms = contract.lease, contract.lease.terms
    let = contract.side is Side.LET
    who = f"{lease.id} ({'to ' if let else ''}{contract.counterparty})"
    where = f"Capacity in {lease.pool} {'comes' if let else 'goes'} back."
    yield _deadline(lease.ends_at, "expiry", lease.id, f"Lease {who} ends", where)
    for delivery in lease.deliveries:
        words = ("is handed", "gives back") if let else ("delivers", "takes back")
        word = words[0] if delivery.accelerators > 0 else words[1]
        what = f"{abs(delivery.accelerators):,} {contract.accelerator}"
        yield _deadline(
            delivery.due_at, "delivery", lease.id, f"Lease {who} {word} {what}", _damages(delivery.grace_days)
        )
    if contract.renewal is not None:
        right = contract.renewal
        rule = "It renews by itself unless refused." if right.automatic else "It ends unless renewed."
        at = add_days(lease.ends_at, -right.notice_days)
        yield _deadline(at, "renewal", lease.id, f"Last day to declare on renewing {who} by {right.duration}", rule)
    if terms.extension is not None:
        what = f"At {terms.extension.price_frac:g} of the last price."
        summary = f"Option to extend {who} by {terms.extension.duration} ends"
        yield _deadline(lease.ends_at, "renewal", lease.id, summary, what)
    yield from _exits(contract, who)


def _exits(contract: Contract, who: str) -> Iterator[Deadline]:
    lease, terms = contract.lease, contract.lease.terms
    if terms.termination is not None:
        firm = terms.firm_term or Duration()
        at = add_days(firm.after(lease.starts_at), -terms.termination.notice_days)
        if lease.starts_at <= at < lease.ends_at:
            summary = f"Last day to give notice and leave {who} at the end of its firm term"
            fee = (
                f"Notice is {terms.termination.notice_days} days, the fee {terms.termination.fee_frac:.0%} of the rest."
            )
            yield _deadline(at, "termination", lease.id, summary, fee)
    if terms.recall is not None:
        at = terms.recall.after.after(lease.starts_at)
        notice = f"At {terms.recall.notice_days} days' notice."
        lessor = "We" if contract.side is Side.LET else "The lessor"
        yield _deadline(at, "termination", lease.id, f"{lessor} may recall {who} from now on", notice)
    if terms.exclusivity is not None:
        yield _deadline(terms.exclusivity.until_at, "expiry", lease.id, f"Exclusivity of {who} ends", "")
    if terms.first_refusal is not None:
        yield _deadline(terms.first_refusal.until_at, "expiry", lease.id, f"Right of first refusal of {who} ends", "")


def _of_commitment(contract: SpendContract) -> Iterator[Deadline]:
    spend = contract.spend
    for milestone in spend.milestones:
        amount = usd_text(milestone.cumulative_micro_usd)
        summary = f"Commitment {contract.id} ({spend.provider}): {amount} USD must be drawn"
        yield _deadline(milestone.due_at, "milestone", contract.id, summary, "What is missing is paid as shortfall.")
    yield _deadline(
        contract.expires_at,
        "expiry",
        contract.id,
        f"Commitment {contract.id} ({spend.provider}) expires",
        "What is not drawn is lost.",
    )


def _damages(grace_days: int) -> str:
    return f"Damages for lateness are due after {grace_days} days of grace." if grace_days else ""


def _deadline(at: Instant, kind: str, subject: str, summary: str, description: str) -> Deadline:
    return Deadline(at=at, kind=kind, subject=subject, summary=summary, description=description)
