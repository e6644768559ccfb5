"""What is committed to, as FOCUS 1.3 Contract Commitment rows: leases in accelerator-hours, the rest in money."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import polars as pl

from acreage.domain.contract import Contract, LeaseState, Side, SpendContract
from acreage.ledger.focus.cells import decimal_of
from acreage.ledger.focus.columns import PLACES, commitment_columns, schema_of
from acreage.ledger.focus.computed import ACCELERATOR_HOURS
from acreage.units.instants import SECONDS_PER_HOUR, moment

BINDING = frozenset((LeaseState.PENDING, LeaseState.ACTIVE, LeaseState.EXHAUSTED, LeaseState.EXPIRED))
"""States of leases that are, or were to their end, commitments; the newer version stands for a superseded one."""


def contract_commitments(
    leases: Sequence[tuple[Contract, LeaseState]], commitments: Sequence[SpendContract]
) -> pl.DataFrame:
    """The FOCUS 1.3 Contract Commitment data set: `BINDING` leases that we hold, then spend commitments, in order.

    Dates are Datetime("us", "UTC"), cost and quantity Decimal(38, 18). The quantity of a lease
    is the accelerator-hours promised until its end; its cost is null, for it depends on what is delivered.
    The cost of a spend commitment is its last milestone; FOCUS then wants no quantity.
    """
    rows = [_of_lease(contract) for contract, state in leases if state in BINDING and contract.side is Side.HELD]
    rows += [_of_spend(commitment) for commitment in commitments]
    return pl.DataFrame(rows, schema=schema_of(commitment_columns()), orient="row")


def promised_accelerator_seconds(contract: Contract) -> int:
    """The integral of the promised deliveries over time, up to the end of the lease."""
    ends_at = contract.lease.ends_at
    return sum(d.accelerators * max(ends_at - d.due_at, 0) for d in contract.lease.deliveries)


def _of_lease(contract: Contract) -> dict[str, object]:
    lease = contract.lease
    hours = Fraction(promised_accelerator_seconds(contract), SECONDS_PER_HOUR)
    peak = sum(delivery.accelerators for delivery in lease.deliveries if delivery.accelerators > 0)
    return {
        "BillingCurrency": contract.currency,
        "ContractCommitmentCategory": "Usage",
        "ContractCommitmentDescription": f"Lease of {peak} {contract.accelerator} from {lease.provider}",
        "ContractCommitmentQuantity": decimal_of(hours, PLACES),
        "ContractCommitmentType": "Lease",
        "ContractCommitmentUnit": ACCELERATOR_HOURS,
        **_identity(lease.id, lease.starts_at, lease.ends_at),
    }


def _of_spend(commitment: SpendContract) -> dict[str, object]:
    spend = commitment.spend
    pledged = max((milestone.cumulative_micro_usd for milestone in spend.milestones), default=0)
    return {
        "BillingCurrency": commitment.currency,
        "ContractCommitmentCategory": "Spend",
        "ContractCommitmentCost": Decimal(f"{pledged}E-6"),
        "ContractCommitmentDescription": commitment.description or f"Spend commitment with {spend.provider}",
        "ContractCommitmentType": "Spend Commitment",
        **_identity(commitment.id, spend.starts_at, commitment.expires_at),
    }


def _identity(name: str, starts_at: int, ends_at: int) -> dict[str, object]:
    """A contract here holds one commitment, so both have the same id and period."""
    start, end = moment(starts_at), moment(ends_at)
    return {
        "ContractCommitmentId": name,
        "ContractCommitmentPeriodEnd": end,
        "ContractCommitmentPeriodStart": start,
        "ContractId": name,
        "ContractPeriodEnd": end,
        "ContractPeriodStart": start,
    }
