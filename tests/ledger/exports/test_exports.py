"""Beancount accepts the money side, calendars read the deadlines."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import icalendar
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.domain.contract import LeaseState, Renewal, SpendContract
from acreage.domain.entry import Posting, Transaction
from acreage.domain.terms import Milestone, SpendCommitment, SpendKind, Termination
from acreage.ledger.deadlines import deadlines
from acreage.ledger.exports.beancount import account_name, beancount_text
from acreage.ledger.exports.calendar import ics
from acreage.units.ids import CommitmentId, ProviderId
from acreage.units.instants import Duration, Instant, instant
from acreage.units.money import MicroUsd, micro_usd
from tests.ledger.cases import START, contract, terms

CHECK = Path(sys.executable).with_name("bean-check")
text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)
part = st.text(min_size=1, max_size=12).filter(lambda s: ":" not in s and s.isprintable())
amounts = st.integers(-(10**16), 10**16)


@st.composite
def entries(draw: st.DrawFn) -> Transaction:
    """Any transaction between two accounts."""
    amount = draw(amounts)
    return Transaction(
        fact=draw(text),
        at=Instant(draw(st.integers(START, START + 10**8))),
        payee=draw(text),
        narration=draw(text),
        lease=draw(text),
        postings=(
            Posting(account=f"Expenses:Compute:{draw(part)}", micro_usd=MicroUsd(amount)),
            Posting(account=f"Liabilities:Payable:{draw(part)}", micro_usd=MicroUsd(-amount)),
        ),
    )


def complaints(file: Path) -> str:
    """What bean-check says of a file; nothing where it finds nothing."""
    assert CHECK.exists(), "bean-check comes with the development tools: make lint installs them"
    done = subprocess.run([str(CHECK), str(file)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_bean_check_finds_nothing(tmp_path: Path) -> None:
    """Whatever ids, payees, quotes and amounts the books hold."""
    made: list[Transaction] = []

    @settings(max_examples=150, database=None)
    @given(entries())
    def collect(transaction: Transaction) -> None:
        made.append(transaction)

    collect()
    file = tmp_path / "books.beancount"
    file.write_text(beancount_text(made, title='The "books"'), encoding="utf-8")
    assert complaints(file) == ""


def test_bean_check_finds_a_millionth_of_a_dollar(tmp_path: Path) -> None:
    """The check can fail: an amount altered in the sixth decimal does not balance."""
    postings = (
        Posting(account="Expenses:Compute:aws", micro_usd=micro_usd("10.000001")),
        Posting(account="Liabilities:Payable:aws", micro_usd=MicroUsd(-10_000_001)),
    )
    made = Transaction(fact="f", at=START, payee="aws", narration="hours", lease="l", postings=postings)
    file = tmp_path / "books.beancount"
    file.write_text(beancount_text([made], title="t").replace("-10.000001", "-10.000002"), encoding="utf-8")
    assert "does not balance" in complaints(file)


@given(part, part)
def test_two_accounts_never_share_a_name(one: str, other: str) -> None:
    """Names that Beancount does not allow are changed, and stay apart."""
    names = [account_name(f"Expenses:Compute:{p}") for p in (one, other)]
    assert (names[0] == names[1]) == (one == other)


def test_every_deadline_of_a_lease_and_a_commitment_is_in_the_calendar() -> None:
    """Expiry, renewal and termination with their notice, deliveries, milestones; closed leases have none."""
    exit_right = terms(termination=Termination(notice_days=90, fee_frac=0.2), firm_term=Duration(months=12))
    renewal = Renewal(duration=Duration(months=12), notice_days=60)
    renewing = replace(contract(lease_terms=exit_right), renewal=renewal)
    spend = SpendCommitment(
        provider=ProviderId("basalt"),
        starts_at=START,
        milestones=(Milestone(due_at=instant("2028-01-01"), cumulative_micro_usd=micro_usd("4000000000")),),
        drawn_micro_usd=micro_usd(0),
        eligible=frozenset({SpendKind.LEASE}),
    )
    pledge = SpendContract(id=CommitmentId("basalt-5y"), spend=spend, expires_at=instant("2032-01-01"))
    found = deadlines([(renewing, LeaseState.ACTIVE)], [pledge])
    told = {(d.kind, d.at) for d in found}
    assert told == {
        ("delivery", START),
        ("termination", instant("2027-10-03")),
        ("milestone", instant("2028-01-01")),
        ("renewal", instant("2028-11-02")),
        ("expiry", instant("2029-01-01")),
        ("expiry", instant("2032-01-01")),
    }
    assert deadlines([(renewing, LeaseState.CANCELED)], []) == ()
    calendar = icalendar.Calendar.from_ical(ics(found, stamped_at=START))
    events = list(calendar.walk("VEVENT"))
    assert len(events) == len(found)
    assert {str(e["UID"]) for e in events} == {
        str(e["UID"]) for e in icalendar.Calendar.from_ical(ics(found, stamped_at=Instant(START + 99))).walk("VEVENT")
    }
    assert len({str(e["UID"]) for e in events}) == len(events)
    assert sum(len(list(e.walk("VALARM"))) for e in events) == 2
