"""Leases that are let, wherever the books speak of leases: handed over by us, invoiced by us, no capacity of ours."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from acreage.domain.contract import LeaseState, Side, SlaStep
from acreage.domain.hold import HoldState
from acreage.domain.match import Match, Mismatch, Remedy
from acreage.domain.price import PriceBasis
from acreage.ledger.billing import import_charges, import_usage, open_dispute, record_payment
from acreage.ledger.contracts import amend_lease, cancel_lease, lease_with_id, leases
from acreage.ledger.deadlines import deadlines
from acreage.ledger.deliveries import record_delivery
from acreage.ledger.entries import lease_entries, transactions
from acreage.ledger.facts import BILL, FactKind
from acreage.ledger.focus.commitments import contract_commitments
from acreage.ledger.held import held_at
from acreage.ledger.holds import hold_with_id, place_holds
from acreage.ledger.ledger import Ledger
from acreage.ledger.lettings import hold_of_let
from acreage.ledger.statements import (
    AsOf,
    deliveries_by_lease,
    four_way_match,
    money_balances,
    pool_balances,
    present,
)
from acreage.ledger.verify import verify
from acreage.units.errors import InputError
from acreage.units.ids import LeaseId, ProviderId
from acreage.units.instants import Instant
from acreage.units.money import micro_usd
from tests.ledger.bills import frame, row
from tests.ledger.cases import DAY, HOUR, POOL, START, asks, delivered, let, letting, signed
from tests.ledger.conftest import Books

LET = LeaseId("let-1")
FROM, UNTIL = START + 10 * DAY, START + 15 * DAY
HOURS = Decimal(60 * 5 * 24)
LATER = Instant(START + 31 * DAY)


def opened(ledger: Ledger, sla: tuple[SlaStep, ...] = ()) -> None:
    """100 accelerators of our own, 60 of them let to Birch for five days in January at 4 USD."""
    delivered(ledger)
    assert letting(ledger, replace(let(LET, 60), sla=sla), "let").done


def billed(ledger: Ledger, hours: Decimal, usd: Decimal) -> Match:
    """The match at the end of January, after we invoiced this."""
    import_charges(ledger, frame([row(LET, FROM, UNTIL, hours, usd)]), [v.contract for v in leases(ledger)])
    return four_way_match(ledger, AsOf(at=LATER, known_at=LATER))


def test_what_is_let_is_handed_over_and_never_late(books: Books) -> None:
    """In the match, the balance of its pool, and the list of deliveries the hold is what was delivered."""
    ledger = books.ledger()
    opened(ledger)
    books.clock.now = Instant(START + 12 * DAY)
    when = present(ledger)
    (balance,) = pool_balances(ledger, when)
    assert (balance.leased_now, balance.delivered_now, balance.held_now, balance.late) == (100, 100, 60, 0)
    assert balance.held == 60 * 2 * DAY
    handed = deliveries_by_lease(ledger, when, leases(ledger))[LET]
    assert [(fact.accelerators, fact.from_at, fact.until_at) for fact in handed] == [(60, FROM, UNTIL)]
    (january,) = [r for r in four_way_match(ledger, when).rows if r.lease == LET]
    assert (january.side, january.leased, january.delivered) == (Side.LET, 60 * 2 * DAY, 60 * 2 * DAY)
    view = lease_with_id(ledger, LET)
    assert view is not None
    assert list(lease_entries(view)) == []


def test_a_right_invoice_leaves_nothing_to_say(ledger: Ledger) -> None:
    """What we invoiced is what the contract says for what we handed over; idle hours are the lessee's affair."""
    opened(ledger)
    usage = row(LET, FROM, UNTIL, None, Decimal(0), ConsumedQuantity=Decimal(10), ConsumedUnit="Accelerator-Hours")
    import_usage(ledger, frame([usage]), [v.contract for v in leases(ledger)])
    match = billed(ledger, HOURS, HOURS * 4)
    assert match.findings == ()
    (january,) = [r for r in match.rows if r.lease == LET]
    assert (january.billed, january.used, january.invoiced) == (HOURS * HOUR, 10 * HOUR, True)


@pytest.mark.parametrize(
    ("hours", "usd", "kind", "remedy", "money"),
    [
        (HOURS + 100, (HOURS + 100) * 4, Mismatch.BILLED_NOT_DELIVERED, Remedy.OWE, "400"),
        (HOURS - 100, (HOURS - 100) * 4, Mismatch.DELIVERED_NOT_BILLED, Remedy.CLAIM, "400"),
        (HOURS, HOURS * 5, Mismatch.WRONG_UNIT_PRICE, Remedy.OWE, "7200"),
    ],
)
def test_claims_and_debts_change_places(
    new_books: Callable[[], Books], hours: Decimal, usd: Decimal, kind: Mismatch, remedy: Remedy, money: str
) -> None:
    """What a lessee would claim we owe; what we did not invoice is ours to claim."""
    ledger = new_books().ledger()
    opened(ledger)
    (finding,) = billed(ledger, hours, usd).findings
    assert (finding.kind, finding.side, finding.remedy, finding.micro_usd) == (
        kind,
        Side.LET,
        remedy,
        micro_usd(money),
    )


def test_capacity_that_is_missing_is_not_handed_over(books: Books) -> None:
    """Of 100 accelerators 70 fail on the third day: 30 of 60 are handed over from then, the credit is ours to give."""
    ledger = books.ledger()
    opened(ledger, sla=(SlaStep(below_frac=0.99, credit_frac=0.5),))
    books.clock.now = Instant(START + 11 * DAY)
    record_delivery(ledger, LeaseId("basalt-1"), -70, at=Instant(START + 12 * DAY), key="fail")
    handed = (60 * 2 + 30 * 3) * 24
    match = billed(ledger, Decimal(handed), Decimal(handed * 4))
    (january,) = [r for r in match.rows if r.lease == LET]
    assert january.delivered == handed * HOUR
    (finding,) = match.findings
    assert (finding.kind, finding.remedy) == (Mismatch.SLA_CREDIT_OWED, Remedy.OWE)
    assert finding.micro_usd == micro_usd(str(handed * 2))


def test_income_is_no_expense(ledger: Ledger) -> None:
    """The lessee owes us: receivable, income and bank move, and the account is its, not the lessor's."""
    opened(ledger)
    billed(ledger, HOURS, HOURS * 4)
    (charge,) = [f for f in ledger.journal.read("bill:basalt") if f.kind == FactKind.CHARGE_INVOICED]
    open_dispute(ledger, ProviderId("basalt"), charge.id, micro_usd("300"), key="d", reason="slow")
    now, received = ledger.clock(), FactKind.PAYMENT_RECEIVED
    record_payment(ledger, "Birch", micro_usd("1000"), at=now, key="p", kind=received)
    (account,) = money_balances(ledger)
    assert (account.party, account.side) == ("Birch", Side.LET)
    sums = (account.invoiced_micro_usd, account.paid_micro_usd, account.disputed_micro_usd)
    assert sums == (micro_usd("28800"), micro_usd("1000"), micro_usd("300"))
    facts = [fact for chain in sorted(ledger.journal.chains(BILL)) for fact in ledger.journal.read(chain)]
    moved = {
        (posting.account, posting.micro_usd // 1_000_000)
        for made in transactions(facts, {v.id: v.contract for v in leases(ledger)})
        for posting in made.postings
    }
    assert moved == {
        ("Assets:Receivable:Birch", 28_800),
        ("Income:Compute:Birch:let-1", -28_800),
        ("Assets:Disputed:Birch", 300),
        ("Assets:Receivable:Birch", -300),
        ("Assets:Bank", 1_000),
        ("Assets:Receivable:Birch", -1_000),
    }


def test_what_is_let_is_no_commitment_and_no_supply_of_ours(ledger: Ledger) -> None:
    """Neither FOCUS's contract commitments nor the plan's held supply know it; our own lease they do."""
    opened(ledger)
    states = [(view.contract, view.state) for view in leases(ledger)]
    assert contract_commitments(states, ())["ContractCommitmentId"].to_list() == ["basalt-1"]
    held = held_at(ledger, ledger.clock())
    assert [lease.id for lease in held.leases] == ["basalt-1"]
    assert list(held.late_days) == ["basalt"]
    assert held.late_days[ProviderId("basalt")] == (0.0,)


def test_deadlines_are_told_from_our_side(ledger: Ledger) -> None:
    """Capacity comes back to us, and it is we who may recall."""
    delivered(ledger)
    letting(ledger, let(LET, 60, notice=3), "let")
    told = [d.summary for d in deadlines([(v.contract, v.state) for v in leases(ledger) if v.id == LET], ())]
    assert told == [
        "Lease let-1 (to Birch) is handed 60 H100",
        "We may recall let-1 (to Birch) from now on",
        "Lease let-1 (to Birch) ends",
    ]


def test_ending_a_let_lease_frees_what_is_held_for_it(ledger: Ledger) -> None:
    """From the day it ends, in the same record; the books verify."""
    opened(ledger)
    cancel_lease(ledger, LET, key="c", at=Instant(START + 12 * DAY), reason="Birch gave up")
    assert hold_with_id(ledger, hold_of_let(LET)).state is HoldState.RELEASED
    assert ledger.pool(POOL).free.free(START + 12 * DAY, UNTIL) == 100
    assert ledger.pool(POOL).free.free(FROM, START + 12 * DAY) == 40
    view = lease_with_id(ledger, LET, START + 13 * DAY)
    assert view is not None
    assert view.state is LeaseState.CANCELED
    assert verify(ledger).flaws == ()


def test_a_let_lease_brings_no_capacity(ledger: Ledger) -> None:
    """Nothing is delivered by it, and its window and size are those of its hold; its price may be amended."""
    opened(ledger)
    with pytest.raises(InputError, match="it brings no capacity"):
        record_delivery(ledger, LET, 60, at=Instant(FROM), key="x")
    with pytest.raises(InputError, match="cannot change its window"):
        amend_lease(ledger, let(LET, 70), effective_at=Instant(FROM), key="a")
    cheaper = let(LET, 60)
    price = replace(cheaper.lease.terms.price, basis=PriceBasis.ACCELERATOR_HOUR, amount_micro_usd=micro_usd("3"))
    terms = replace(cheaper.lease.terms, price=price)
    amended = replace(cheaper, lease=replace(cheaper.lease, terms=terms))
    assert amend_lease(ledger, amended, effective_at=Instant(FROM), key="b").contract == amended


def test_a_let_lease_written_by_hand_is_handed_over_by_holds_in_its_name(ledger: Ledger) -> None:
    """Proposed and signed like any other; until there is a hold it is late."""
    delivered(ledger)
    signed(ledger, let(LET, 60))
    assert LET not in deliveries_by_lease(ledger, present(ledger), leases(ledger))
    place_holds(ledger, [asks("hold-1", 60, FROM, UNTIL, holder=LET)])
    (handed,) = deliveries_by_lease(ledger, present(ledger), leases(ledger))[LET]
    assert handed.accelerators == 60
