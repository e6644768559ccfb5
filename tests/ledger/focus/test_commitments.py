"""Leases and spend commitments as FOCUS 1.3 Contract Commitment rows."""

from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest

from acreage.domain.contract import Contract, LeaseState, SpendContract
from acreage.domain.lease import Delivery, Lease
from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.domain.terms import Milestone, SpendCommitment, SpendKind, Terms
from acreage.ledger.focus.columns import commitment_columns
from acreage.ledger.focus.commitments import BINDING
from acreage.ledger.focus.validate import commitment_faults
from acreage.ledger.focus.writing import contract_commitments
from acreage.units.ids import AcceleratorName, CommitmentId, LeaseId, PoolId, ProviderId
from acreage.units.instants import Instant, instant
from acreage.units.money import MicroUsd, micro_usd

PRICE = Price(
    basis=PriceBasis.ACCELERATOR_HOUR, amount_micro_usd=MicroUsd(2_000_000), provenance=Provenance(source="test")
)


def contract(*deliveries: tuple[int, int], name: str = "L-1") -> Contract:
    """A lease of 2026 with deliveries of accelerators at instants."""
    lease = Lease(
        id=LeaseId(name),
        provider=ProviderId("nebius"),
        pool=PoolId("p"),
        starts_at=instant("2026-01-01"),
        ends_at=instant("2027-01-01"),
        deliveries=tuple(Delivery(accelerators=n, due_at=Instant(at)) for n, at in deliveries),
        terms=Terms(price=PRICE),
    )
    return Contract(lease=lease, counterparty="Nebius", accelerator=AcceleratorName("H100"))


def spend() -> SpendContract:
    """A commitment to 1.5 million US dollars in two milestones."""
    milestones = (
        Milestone(due_at=instant("2026-07-01"), cumulative_micro_usd=micro_usd(500_000)),
        Milestone(due_at=instant("2027-01-01"), cumulative_micro_usd=micro_usd("1500000.000001")),
    )
    commitment = SpendCommitment(
        provider=ProviderId("aws"),
        starts_at=instant("2026-01-01"),
        milestones=milestones,
        drawn_micro_usd=MicroUsd(0),
        eligible=frozenset((SpendKind.LEASE,)),
    )
    return SpendContract(id=CommitmentId("C-1"), spend=commitment, expires_at=instant("2027-03-01"))


def test_a_lease_is_usage_in_accelerator_hours() -> None:
    """The quantity is what was promised, delivery by delivery, until the lease ends."""
    ramp = contract((8, instant("2026-01-01")), (16, instant("2026-12-31")), (-8, instant("2026-12-31T12:00:00")))
    frame = contract_commitments([(ramp, LeaseState.ACTIVE)], [])
    row = frame.row(0, named=True)
    assert commitment_faults(frame) == []
    assert row["ContractCommitmentQuantity"] == Decimal(8 * 8760 + 16 * 24 - 8 * 12)
    assert (row["ContractCommitmentCategory"], row["ContractCommitmentUnit"]) == ("Usage", "Accelerator-Hours")
    assert row["ContractCommitmentCost"] is None
    assert row["ContractPeriodEnd"] == datetime(2027, 1, 1, tzinfo=UTC)


def test_what_is_due_after_the_end_is_not_promised() -> None:
    """A delivery dated after the lease adds nothing, and a second more is a second more."""
    late = contract((8, instant("2027-01-01") - 1), (8, instant("2027-06-01")))
    quantity = contract_commitments([(late, LeaseState.PENDING)], [])["ContractCommitmentQuantity"][0]
    assert quantity == Decimal("0.002222222222222222")


def test_a_spend_commitment_is_spend() -> None:
    """Its cost is the last milestone, to the micro-dollar; it has no quantity and so no unit."""
    frame = contract_commitments([], [spend()])
    row = frame.row(0, named=True)
    assert commitment_faults(frame) == []
    assert row["ContractCommitmentCost"] == Decimal("1500000.000001")
    assert (row["ContractCommitmentCategory"], row["BillingCurrency"]) == ("Spend", "USD")
    assert (row["ContractCommitmentQuantity"], row["ContractCommitmentUnit"]) == (None, None)
    assert row["ContractCommitmentPeriodEnd"] == datetime(2027, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("state", LeaseState)
def test_only_what_binds_is_a_commitment(state: LeaseState) -> None:
    """Proposed, canceled and superseded leases are not listed."""
    frame = contract_commitments([(contract((8, instant("2026-01-01"))), state)], [])
    assert len(frame) == (state in BINDING)


def test_nothing_committed_is_an_empty_data_set() -> None:
    """Without rows there are still all 13 columns, in the specification's order."""
    frame = contract_commitments([], [])
    assert frame.columns == [column.id for column in commitment_columns()]
    assert len(frame.columns) == 13
    assert commitment_faults(frame) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ContractCommitmentCategory", "Time", "Spend or Usage"),
        ("ContractCommitmentQuantity", None, "ContractCommitmentQuantity is given"),
        ("ContractCommitmentUnit", None, "has its unit"),
        ("ContractPeriodEnd", datetime(2020, 1, 1, tzinfo=UTC), "is after"),
        ("ContractId", None, "ContractId is empty"),
    ],
)
def test_the_rules_find_what_is_wrong(name: str, value: object, words: str) -> None:
    """The check that our own rows pass can fail."""
    frame = contract_commitments([(contract((8, instant("2026-01-01"))), LeaseState.ACTIVE)], [])
    broken = frame.with_columns(pl.lit(value, frame.schema[name]).alias(name))
    assert any(words in fault for fault in commitment_faults(broken))
