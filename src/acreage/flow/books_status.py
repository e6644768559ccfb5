"""What the ledger commands say of the books as a whole: where everything stands, facts, and whether they are sound."""

from acreage.flow.books_columns import Listing
from acreage.flow.books_listings import (
    account_rows,
    balance_rows,
    commitment_rows,
    day_rows,
    fact_rows,
    flaw_rows,
    lease_rows,
    upcoming,
)
from acreage.ledger.ledger import Ledger
from acreage.ledger.statements import AsOf
from acreage.ledger.verify import Tell, Verdict, verify
from acreage.units.instants import add_days

AHEAD_DAYS = 90


def status(ledger: Ledger, when: AsOf) -> tuple[Listing, ...]:
    """Leases, balances, commitments, accounts and what comes up in the next 90 days."""
    soon = [d for d in upcoming(ledger, when) if when.at <= d.at <= add_days(when.at, AHEAD_DAYS)]
    return (
        lease_rows(ledger, when),
        balance_rows(ledger, when),
        commitment_rows(ledger, when)[0],
        account_rows(ledger, when),
        day_rows(soon),
    )


def written(ledger: Ledger, key: str) -> Listing:
    """The fact with a key."""
    return fact_rows(ledger.journal.with_ids([key]).values())


def facts(ledger: Ledger, when: AsOf, chain: str, last: int) -> Listing:
    """The newest facts of the chains whose names begin so, 0 for all, in order."""
    found = []
    for name, head in ledger.journal.chains(chain).items():
        after = max(head.seq - last, 0) if last else 0
        found += [fact for fact in ledger.journal.read(name, after) if fact.recorded_at <= when.known_at]
    found.sort(key=lambda fact: (fact.recorded_at, fact.chain, fact.seq))
    return fact_rows(found[-last:] if last else found)


def proven(ledger: Ledger, tell: Tell) -> tuple[Verdict, Listing]:
    """Walk the books."""
    verdict = verify(ledger, tell)
    return verdict, flaw_rows(verdict)
