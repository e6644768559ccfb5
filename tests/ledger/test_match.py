"""The four-way match finds what is wrong with a bill, and nothing else."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acreage.domain.contract import Contract, SlaStep
from acreage.domain.lease import Delivery
from acreage.domain.match import Match, Mismatch, Remedy
from acreage.domain.price import PriceBasis
from acreage.domain.terms import FeeStep
from acreage.ledger.billing import assign_charge, import_charges, import_usage, retract
from acreage.ledger.contracts import lease_with_id, leases
from acreage.ledger.deliveries import record_delivery
from acreage.ledger.facts import FactKind
from acreage.ledger.ledger import Ledger
from acreage.ledger.segments import delivered_grid
from acreage.ledger.statements import (
    AsOf,
    deliveries_by_lease,
    four_way_match,
    pool_balances,
    present,
    unmatched_charges,
)
from acreage.units.errors import InputError
from acreage.units.instants import Duration, Instant, add_months, instant
from acreage.units.money import micro_usd
from tests.ledger.bills import frame, right_bill, row
from tests.ledger.cases import DAY, END, HOUR, START, contract, signed, terms
from tests.ledger.conftest import Books

MARCH = instant("2027-03-01")
APRIL = instant("2027-04-01")


def contracts(ledger: Ledger) -> list[Contract]:
    """The contracts in the books."""
    return [view.contract for view in leases(ledger)]


def bill(ledger: Ledger, until_at: int = APRIL, step_s: int = 400 * DAY) -> list[dict[str, Any]]:
    """A right bill for every lease."""
    deliveries = deliveries_by_lease(ledger, present(ledger), leases(ledger))
    return [
        r
        for view in leases(ledger)
        for r in right_bill(view, delivered_grid(deliveries.get(view.id, [])), until_at, step_s)
    ]


def kinds(match: Match) -> list[tuple[str, str, int]]:
    """Findings as kind, month and whole dollars."""
    return [(f.kind.value, str(instant_month(f.month)), round(f.micro_usd / 1e6)) for f in match.findings]


def instant_month(at: int) -> int:
    """The number of a month, 1 to 12."""
    return (at - START) // (30 * DAY) + 1


@pytest.fixture
def standing(books: Books, ledger: Ledger) -> Ledger:
    """One lease of 100 at 4.00, delivered in full, three months on."""
    lease = signed(ledger)
    record_delivery(ledger, lease, 100, at=START, key="d")
    books.clock.now = APRIL
    return ledger


def test_a_right_bill_has_no_findings(standing: Ledger) -> None:
    """What is due is 100 accelerators for the hours of each month at 4.00."""
    import_charges(standing, frame(bill(standing)), contracts(standing))
    match = four_way_match(standing)
    assert match.findings == ()
    assert [r.billed_micro_usd for r in match.rows] == [micro_usd(400 * hours) for hours in (31 * 24, 28 * 24, 31 * 24)]
    assert [r.billed_micro_usd for r in match.rows] == [r.expected_micro_usd for r in match.rows]


def test_each_planted_error_is_found_with_its_money(standing: Ledger) -> None:
    """A price too high in January, hours that were never delivered in February, hours used and not billed in March."""
    january, february, march = bill(standing)
    january["BilledCost"] += Decimal("7440")
    february["PricingQuantity"] += Decimal(100)
    february["BilledCost"] += Decimal(400)
    march["PricingQuantity"] -= Decimal(50)
    march["BilledCost"] -= Decimal(200)
    import_charges(standing, frame([january, february, march]), contracts(standing))
    used = row("basalt-1", MARCH, APRIL, None, Decimal(0), ConsumedQuantity=Decimal(74_400), ConsumedUnit="GPU-Hours")
    import_usage(standing, frame([used]), contracts(standing))
    match = four_way_match(standing)
    assert [(f.kind, round(f.micro_usd / 1e6)) for f in match.findings] == [
        (Mismatch.WRONG_UNIT_PRICE, 7440),
        (Mismatch.BILLED_NOT_DELIVERED, 400),
        (Mismatch.USED_NOT_BILLED, 200),
    ]
    assert [f.remedy for f in match.findings] == [Remedy.CLAIM, Remedy.CLAIM, Remedy.OWE]


def test_idle_capacity_that_was_billed_is_waste_and_known_only_where_use_was_metered(standing: Ledger) -> None:
    """Nothing is said of months whose use nobody metered."""
    import_charges(standing, frame(bill(standing)), contracts(standing))
    used = row("basalt-1", MARCH, APRIL, None, Decimal(0), ConsumedQuantity=Decimal(70_000), ConsumedUnit="GPU-Hours")
    import_usage(standing, frame([used]), contracts(standing))
    (finding,) = four_way_match(standing).findings
    assert (finding.kind, finding.remedy, finding.micro_usd) == (Mismatch.IDLE_BILLED, Remedy.WASTE, micro_usd(17_600))


def test_a_month_that_is_not_billed_yet_is_no_finding(standing: Ledger) -> None:
    """March is due and expected, but its bill has not come; a gap between bills is found."""
    january, _, march = bill(standing)
    import_charges(standing, frame([january]), contracts(standing))
    match = four_way_match(standing)
    assert match.findings == ()
    assert [r.invoiced for r in match.rows] == [True, False, False]
    import_charges(standing, frame([march]), contracts(standing))
    (finding,) = four_way_match(standing).findings
    assert (finding.kind, finding.micro_usd) == (Mismatch.DELIVERED_NOT_BILLED, micro_usd(28 * 24 * 400))


def late_lease(**changes: Any) -> Contract:
    """40 due a month after the start, with five days of grace and half the fee off beyond."""
    late = {"grace_days": 5, "late_discount_frac": 0.5, **changes}
    return contract(
        deliveries=(
            Delivery(accelerators=60, due_at=START),
            Delivery(accelerators=40, due_at=instant("2027-02-01"), **late),
        )
    )


def test_late_delivery_owes_damages_until_they_are_credited(books: Books, ledger: Ledger) -> None:
    """Ten days beyond grace: 40 accelerators, 240 hours, half of 4.00; a credit of as much settles it."""
    lease = signed(ledger, late_lease())
    record_delivery(ledger, lease, 60, at=START, key="d1")
    record_delivery(ledger, lease, 40, at=instant("2027-02-16"), key="d2")
    books.clock.now = APRIL
    import_charges(ledger, frame(bill(ledger)), contracts(ledger))
    (finding,) = four_way_match(ledger).findings
    owed = Decimal(40 * 240 * 2)
    assert (finding.kind, finding.micro_usd) == (Mismatch.LATE_DAMAGES_OWED, micro_usd(owed))
    credit = row("basalt-1", MARCH, APRIL, None, -owed + 1000, ChargeCategory="Credit")
    import_charges(ledger, frame([credit]), contracts(ledger))
    (rest,) = four_way_match(ledger).findings
    assert (rest.kind, rest.micro_usd) == (Mismatch.LATE_DAMAGES_OWED, micro_usd(1000))


def test_capacity_that_was_down_owes_service_credits(books: Books, ledger: Ledger) -> None:
    """Half of it down for six days of March is 90.3 % available: the step below 95 % is due on March's fee."""
    sla = (SlaStep(below_frac=0.99, credit_frac=0.1), SlaStep(below_frac=0.95, credit_frac=0.3))
    lease = signed(ledger, contract(sla=sla))
    record_delivery(ledger, lease, 100, at=START, key="d1")
    record_delivery(ledger, lease, -50, at=MARCH, key="down")
    record_delivery(ledger, lease, 50, at=Instant(MARCH + 6 * DAY), key="up")
    books.clock.now = APRIL
    import_charges(ledger, frame(bill(ledger)), contracts(ledger))
    (finding,) = four_way_match(ledger).findings
    fee = 4 * 24 * (31 * 100 - 6 * 50)
    assert (finding.kind, finding.micro_usd) == (Mismatch.SLA_CREDIT_OWED, micro_usd(Decimal(fee) * Decimal("0.3")))


def test_take_or_pay_bills_the_share_or_the_use_above_it(books: Books, ledger: Ledger) -> None:
    """With 80 % take-or-pay and 70,000 of 74,400 hours used in March, 70,000 are due."""
    lease = signed(ledger, contract(lease_terms=terms(take_or_pay_frac=0.8)))
    record_delivery(ledger, lease, 100, at=START, key="d")
    books.clock.now = APRIL
    rows = bill(ledger)
    used = row("basalt-1", MARCH, APRIL, None, Decimal(0), ConsumedQuantity=Decimal(70_000), ConsumedUnit="GPU-Hours")
    import_usage(ledger, frame([used]), contracts(ledger))
    import_charges(ledger, frame(rows), contracts(ledger))
    match = four_way_match(ledger)
    assert match.rows[2].expected_micro_usd == micro_usd(280_000)
    assert [f.kind for f in match.findings] == [Mismatch.IDLE_BILLED]


def test_a_prepayment_must_be_taken_off(books: Books, ledger: Ledger) -> None:
    """A quarter was paid at signing: bills without the credit are claims."""
    lease = signed(ledger, contract(lease_terms=terms(prepayment_frac=0.25)))
    record_delivery(ledger, lease, 100, at=START, key="d")
    books.clock.now = instant("2027-02-01")
    import_charges(ledger, frame(bill(ledger, books.clock.now)), contracts(ledger))
    (finding,) = four_way_match(ledger).findings
    assert (finding.kind, finding.micro_usd) == (Mismatch.PREPAYMENT_NOT_CREDITED, micro_usd(31 * 24 * 100))


def test_a_monthly_lump_needs_no_quantity(books: Books, ledger: Ledger) -> None:
    """The lump of the month is compared as money."""
    price = replace(
        terms().price, basis=PriceBasis.MONTHLY_LUMP, amount_micro_usd=micro_usd(300_000), accelerators_per_unit=100.0
    )
    lease = signed(ledger, contract(lease_terms=replace(terms(), price=price)))
    record_delivery(ledger, lease, 100, at=START, key="d")
    books.clock.now = MARCH
    lump = [
        row("basalt-1", a, b, None, usd)
        for a, b, usd in (
            (START, instant("2027-02-01"), Decimal(300_000)),
            (instant("2027-02-01"), MARCH, Decimal(310_000)),
        )
    ]
    import_charges(ledger, frame(lump), contracts(ledger))
    (finding,) = four_way_match(ledger).findings
    assert (finding.kind, finding.micro_usd) == (Mismatch.WRONG_UNIT_PRICE, micro_usd(10_000))


def test_the_same_file_twice_changes_nothing_and_what_matches_nothing_is_kept(standing: Ledger) -> None:
    """Rows are facts by their content; equal rows of one file count as often as they occur."""
    stray = row("who-knows", MARCH, APRIL, None, Decimal("12.5"), ChargeDescription="Support")
    rows = frame([*bill(standing), stray, stray])
    first = import_charges(standing, rows, contracts(standing))
    again = import_charges(standing, rows, contracts(standing))
    assert (first.rows, first.new, first.unmatched, again.new) == (5, 5, 2, 0)
    (unmatched,) = four_way_match(standing).unmatched
    assert (unmatched.description, unmatched.rows, unmatched.micro_usd) == ("Support", 2, micro_usd(25))


def test_a_charge_can_be_assigned_and_retracted(standing: Ledger) -> None:
    """Both are new facts that name the old one; the match follows them, and both can be asked as of before."""
    rows = bill(standing)
    rows[0]["CommitmentDiscountId"] = "r-17"
    import_charges(standing, frame(rows), contracts(standing))
    stray = next(f for f in standing.journal.read("bill:basalt") if not f.subject)
    assert len(four_way_match(standing).findings) == 1
    assign_charge(standing, stray.id, leases(standing)[0].id, contracts(standing), key="assign")
    assign_charge(standing, stray.id, leases(standing)[0].id, contracts(standing), key="assign")
    assert four_way_match(standing).findings == ()
    assert unmatched_charges(standing, present(standing)) == ()
    retract(standing, "assign", key="gone", reason="a test")
    (finding,) = four_way_match(standing).findings
    assert finding.kind is Mismatch.DELIVERED_NOT_BILLED
    with pytest.raises(InputError, match="taken back already"):
        retract(standing, "assign", key="gone-2", reason="a test")


def test_vendor_names_and_tags_find_the_lease(ledger: Ledger) -> None:
    """A reservation id, a tag, or the lease's own id; a name shared by two leases finds none."""
    signed(ledger, contract("one", vendor_ids=("cr-1", "shared")))
    signed(ledger, contract("two", vendor_ids=("cr-2", "shared")))
    rows = [
        row("cr-1", START, START + DAY, None, Decimal(1)),
        row("", START, START + DAY, None, Decimal(2), Tags='{"lease": "two"}'),
        row("two", START, START + DAY, None, Decimal(3)),
        row("shared", START, START + DAY, None, Decimal(4)),
        row("", START, START + DAY, None, Decimal(5), Tags="{broken"),
    ]
    import_charges(ledger, frame(rows), contracts(ledger))
    assert [f.subject for f in ledger.journal.read("bill:basalt")] == ["one", "two", "two", "", ""]


def test_another_currency_is_refused_with_its_row(standing: Ledger) -> None:
    """Nothing of the file enters the books."""
    rows = bill(standing)
    rows[2]["BillingCurrency"] = "EUR"
    with pytest.raises(InputError, match="row 4: BillingCurrency is 'EUR'"):
        import_charges(standing, frame(rows), contracts(standing))
    assert list(standing.journal.read("bill:basalt")) == []


steps = st.sampled_from([3_600 * 7, DAY, 9 * DAY, 400 * DAY])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step_s=steps,
    escalator=st.sampled_from([0.0, 0.03]),
    fee=st.sampled_from([(), ((1, 0.5),), ((2, 0.9), (5, 1.2))]),
    losses=st.lists(st.tuples(st.integers(0, 80), st.integers(1, 60)), max_size=3),
    wrong=st.sets(st.sampled_from(["price", "quantity"])),
)
def test_a_bill_made_from_the_contract_matches_and_planted_errors_are_all_that_is_found(
    new_books: Any, step_s: int, escalator: float, fee: Any, losses: Any, wrong: set[str]
) -> None:
    """Whatever the price schedule, the deliveries and the length of the billing rows."""
    books = new_books()
    ledger = books.ledger()
    fee_steps = tuple(FeeStep(after=Duration(months=m), fee_frac=f) for m, f in fee)
    agreed = contract(
        starts_at=instant("2027-01-11"),
        lease_terms=terms("3.21", escalator_frac_per_year=escalator, fee_steps=fee_steps),
    )
    lease = signed(ledger, agreed)
    record_delivery(ledger, lease, 100, at=agreed.lease.starts_at, key="d")
    for i, (day, n) in enumerate(losses):
        try:
            record_delivery(ledger, lease, -n, at=Instant(agreed.lease.starts_at + day * DAY + 77), key=f"l{i}")
        except InputError:
            continue
    until_at = add_months(START, 15)
    books.clock.now = until_at
    rows = bill(ledger, until_at, step_s)
    expected = set()
    if "price" in wrong:
        rows[len(rows) // 2]["BilledCost"] *= Decimal("1.1")
        expected.add(Mismatch.WRONG_UNIT_PRICE)
    if "quantity" in wrong:
        extra = {**rows[-1], "ChargeDescription": "billed again"}
        rows.append(extra)
        expected.add(Mismatch.BILLED_NOT_DELIVERED)
    import_charges(ledger, frame(rows), contracts(ledger))
    match = four_way_match(ledger)
    assert {f.kind for f in match.findings} == expected
    known = four_way_match(ledger, AsOf(at=until_at, known_at=Instant(START)))
    assert known.findings == ()
    view = lease_with_id(ledger, lease)
    assert view is not None
    assert sum(f.kind == FactKind.CHARGE_INVOICED for f in ledger.journal.read("bill:basalt")) == len(rows)


def test_a_bill_ahead_of_its_time_is_judged_as_its_time_passes(standing: Ledger) -> None:
    """In the middle of March half of March's bill counts and nothing is claimed; a day after the lease is."""
    january, february, march = bill(standing)
    beyond = row("basalt-1", END, END + DAY, Decimal(24), Decimal(96))
    import_charges(standing, frame([january, february, march, beyond]), contracts(standing))
    middle = Instant((MARCH + APRIL) // 2)
    match = four_way_match(standing, AsOf(at=middle, known_at=present(standing).known_at))
    assert [(f.kind, f.micro_usd) for f in match.findings] == [(Mismatch.BILLED_NOT_DELIVERED, micro_usd(96))]
    assert match.rows[-1].billed_micro_usd == match.rows[-1].expected_micro_usd == micro_usd(400 * 31 * 12)


def test_use_counts_up_to_the_instant_asked_about(standing: Ledger) -> None:
    """Of March's use half is used by the middle of March, all of it by April, and none once it is taken back."""
    used = row("basalt-1", MARCH, APRIL, None, Decimal(0), ConsumedQuantity=Decimal(74_400), ConsumedUnit="GPU-Hours")
    import_usage(standing, frame([used]), contracts(standing))
    now = present(standing).known_at
    hours = [
        pool_balances(standing, AsOf(at=Instant(at), known_at=now))[0].used / HOUR
        for at in (MARCH, (MARCH + APRIL) // 2, APRIL)
    ]
    assert hours == [0, 37_200, 74_400]
    (fact,) = (f for f in standing.journal.read("usage:basalt"))
    retract(standing, fact.id, key="r", reason="metered twice")
    assert pool_balances(standing, AsOf(at=Instant((MARCH + APRIL) // 2), known_at=now))[0].used == 0
