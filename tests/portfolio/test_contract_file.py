"""Contracts as people write them: read with the place of every mistake, written so that they read back."""

import json
from dataclasses import replace
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acreage.catalog.accelerators import load_accelerators
from acreage.domain.contract import Contract, Renewal, Side, SlaStep
from acreage.domain.lease import Delivery, Lease
from acreage.domain.price import Price, PriceBasis, PriceKind, Provenance
from acreage.domain.terms import ExtensionOption, FeeStep, RecallRight, Termination, Terms
from acreage.portfolio.contract_file import ContractFile, contract_starter, contract_yaml, read_contracts_text
from acreage.portfolio.contract_shape import contract_schema
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, CommitmentId, LeaseId, PoolId, ProviderId
from acreage.units.instants import Duration, Instant, add_days, instant
from acreage.units.money import MicroUsd

START = instant("2027-01-01")


def read(text: str) -> ContractFile:
    """Contracts from text."""
    return read_contracts_text(text, "contracts.yaml", accelerators=load_accelerators())


def test_the_template_is_a_contract_file() -> None:
    """What users start from is right."""
    found = read(contract_starter())
    (lease,), (pledge,) = found.leases, found.commitments
    assert lease.commitment == pledge.id
    assert [d.accelerators for d in lease.lease.deliveries] == [1024, 1024]


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "starts: 2027-01-01",
            "strats: 2027-01-01",
            r"leases\[0\].strats: unknown field 'strats'; did you mean 'starts'",
        ),
        ("    accelerator: H100\n", "", "the field 'accelerator' is missing"),
        ("accelerator: H100", "accelerator: H1000", r"contracts.yaml:7:18: .*unknown accelerator 'H1000'"),
        ("1024, due: 2027-01-01", "-1024, due: 2027-01-01", "1,024 are taken back where 0 are delivered"),
        ("1024, due: 2027-01-01", "1024, due: 2026-01-01", "before the lease starts"),
        ("1024, due: 2027-01-01", "1024, due: 2030-01-01", "after the lease ends"),
        ("ends: 2029-01-01", "ends: 2026-01-01", "is not after starts"),
        ("2.40 USD/accelerator_hour", "catalog reserved_1y", "a contract has a price of its own"),
        ("2.40 USD", "2.40 EUR", "the price is in EUR"),
        ("take_or_pay_frac: 1.0", "currency: EUR", "the books are kept in USD"),
        ("notice_days: 90", "notice_days: -90", "notice_days: -90 is out of range"),
        ("provider: basalt\n    starts", "provider: azure\n    starts", "is with azure, not with basalt"),
        ("expires: 2032-01-01", "expires: 2031-01-01", "before its last milestone"),
        ("id: basalt-5y", "id: basalt-2027", "two of one id"),
        ("due: 2028-01-01, cumulative_usd: 30000000", "due: 2028-01-01, cumulative_usd: 3e9", "cumulative"),
    ],
)
def test_a_mistake_is_one_error_with_its_place(right: str, wrong: str, told: str) -> None:
    """File, line, column and field, what is wrong and what would be right."""
    text = contract_starter()
    assert right in text
    with pytest.raises(InputError, match=told) as error:
        read(text.replace(right, wrong, 1))
    assert str(error.value).startswith("contracts.yaml:")


@pytest.mark.parametrize("text", ["- a\n", "leases: []\n"])
def test_a_file_without_contracts_says_what_one_looks_like(text: str) -> None:
    """The template is named."""
    with pytest.raises(InputError, match="acreage lease template"):
        read(text)


def test_the_published_schema_is_made_from_the_shapes() -> None:
    """It is rewritten whenever a field changes."""
    text = resources.files("acreage.portfolio").joinpath("contract.schema.json").read_text(encoding="utf-8")
    assert json.loads(text) == contract_schema()


fracs = st.integers(0, 100).map(lambda n: n / 100)
spans = st.one_of(
    st.integers(1, 40).map(lambda n: Duration(months=n)), st.integers(1, 90).map(lambda n: Duration(days=n))
)
days = st.integers(0, 700).map(lambda n: add_days(START, n))
names = st.text("abcdefgh-:é# '\"0123456789", min_size=1, max_size=12).map(lambda s: f"x{s}x")


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """Any contract that a file can say."""
    price = Price(
        basis=draw(st.sampled_from([PriceBasis.ACCELERATOR_HOUR, PriceBasis.NODE_HOUR])),
        amount_micro_usd=MicroUsd(draw(st.integers(1, 10**9))),
        accelerators_per_unit=draw(st.sampled_from([1.0, 8.0])),
        kind=PriceKind.CONTRACT,
        provenance=Provenance(source=draw(names), as_of_at=draw(st.one_of(st.none(), days))),
    )
    terms = Terms(
        price=price,
        take_or_pay_frac=draw(fracs),
        prepayment_frac=draw(fracs),
        fee_steps=tuple(draw(st.lists(st.builds(FeeStep, after=spans, fee_frac=fracs), max_size=2))),
        firm_term=draw(spans),
        termination=draw(st.one_of(st.none(), st.builds(Termination, notice_days=st.integers(0, 99), fee_frac=fracs))),
        extension=draw(st.one_of(st.none(), st.just(ExtensionOption(duration=Duration(months=6), price_frac=0.9)))),
        recall=draw(
            st.one_of(st.none(), st.just(RecallRight(after=Duration(months=1), notice_days=9, recalls_per_year=0.5)))
        ),
        most_favoured=draw(st.booleans()),
    )
    deliveries = tuple(
        Delivery(accelerators=n, due_at=Instant(at), grace_days=grace, late_discount_frac=frac)
        for n, at, grace, frac in draw(
            st.lists(st.tuples(st.integers(1, 10**6), days, st.integers(0, 30), fracs), min_size=1, max_size=3)
        )
    )
    lease = Lease(
        id=LeaseId(draw(names)),
        provider=ProviderId("basalt"),
        pool=PoolId(draw(names)),
        starts_at=START,
        ends_at=add_days(START, 800),
        deliveries=deliveries,
        terms=terms,
    )
    return Contract(
        lease=lease,
        side=draw(st.sampled_from(Side)),
        counterparty=draw(names),
        accelerator=AcceleratorName("H100"),
        upfront_micro_usd=MicroUsd(draw(st.integers(0, 10**15))),
        commitment=draw(st.one_of(st.none(), names.map(CommitmentId))),
        renewal=draw(st.one_of(st.none(), st.builds(Renewal, duration=spans, notice_days=st.integers(0, 99)))),
        sla=tuple(draw(st.lists(st.builds(SlaStep, below_frac=fracs, credit_frac=fracs), max_size=2))),
        sublease_allowed=draw(st.booleans()),
        vendor_ids=tuple(draw(st.lists(names, max_size=2))),
    )


@given(contracts())
def test_a_lease_written_as_a_file_reads_back_the_same(agreed: Contract) -> None:
    """Whatever its terms: amounts to the millionth, names with any letters."""
    assert read(contract_yaml(agreed)).leases == (agreed,)
    assert replace(agreed) == agreed
