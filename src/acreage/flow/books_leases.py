"""What the lease commands do: contract files into proposals, steps of a lease's life, and what then stands."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from acreage.catalog.accelerators import load_accelerators
from acreage.flow.books import Work
from acreage.flow.books_columns import Listing
from acreage.flow.books_listings import breach_rows, commitment_rows, delivery_rows, fact_rows, lease_rows, promise_rows
from acreage.ledger.contracts import (
    amend_lease,
    cancel_lease,
    propose_lease,
    sign_commitment,
    sign_lease,
    supersede_lease,
)
from acreage.ledger.deliveries import breaches_by, record_delivery, retract_delivery
from acreage.ledger.facts import lease_chain
from acreage.ledger.leases import LeaseView, lease_view
from acreage.ledger.ledger import Ledger
from acreage.ledger.statements import AsOf, deliveries_by_lease, present
from acreage.portfolio.contract_file import contract_yaml, read_contracts
from acreage.units.errors import InputError, Place
from acreage.units.ids import LeaseId
from acreage.units.instants import Instant, instant

STATES = ("Proposed", "Pending", "Active", "Exhausted", "Expired", "Canceled", "Superseded")


def proposals(ledger: Ledger, file: Path, key: str | None) -> tuple[list[Work], list[str]]:
    """The work of proposing everything in a contract file, and the ids of its leases."""
    found = read_contracts(file, accelerators=load_accelerators())
    stem = key or ledger.new_id()
    pledges = [partial(sign_commitment, ledger, c, key=f"{stem}/{c.id}") for c in found.commitments]
    leases = [partial(propose_lease, ledger, c, key=f"{stem}/{c.lease.id}") for c in found.leases]
    return [*pledges, *leases], [contract.lease.id for contract in found.leases]


def amendment(ledger: Ledger, file: Path, effective: str, reason: str, key: str) -> tuple[Work, str]:
    """The work of amending the one lease of a contract file, and its id."""
    found = read_contracts(file, accelerators=load_accelerators())
    if len(found.leases) != 1 or found.commitments:
        fix = "name a file with the lease as it shall be"
        raise InputError("an amendment is of one lease", fix=fix, place=Place(file=str(file)))
    contract = found.leases[0]
    work = partial(amend_lease, ledger, contract, effective_at=instant(effective), key=key, reason=reason)
    return work, contract.lease.id


def sign(ledger: Ledger, lease: str, at: str | None, key: str) -> Work:
    """The work of signing."""
    return partial(sign_lease, ledger, LeaseId(lease), key=key, at=_at(at))


def cancel(ledger: Ledger, lease: str, at: str | None, reason: str, key: str) -> Work:
    """The work of canceling."""
    return partial(cancel_lease, ledger, LeaseId(lease), key=key, at=_at(at), reason=reason)


def supersede(ledger: Ledger, lease: str, successor: str, at: str | None, reason: str, key: str) -> Work:
    """The work of superseding."""
    return partial(supersede_lease, ledger, LeaseId(lease), LeaseId(successor), key=key, at=_at(at), reason=reason)


def delivery(
    ledger: Ledger, lease: str, accelerators: int | None, at: str | None, corrects: str, retract: str | None, key: str
) -> Work:
    """The work of recording or retracting a delivery."""
    if retract is not None:
        return partial(retract_delivery, ledger, retract, key=key)
    if accelerators is None or at is None:
        raise InputError("how many and from when is missing", fix="add --accelerators N --at DATE")
    return partial(record_delivery, ledger, LeaseId(lease), accelerators, at=instant(at), key=key, corrects=corrects)


def listed(ledger: Ledger, when: AsOf, states: Sequence[str]) -> Listing:
    """Leases in some states; raises `InputError` for a state that is none."""
    wrong = [state for state in states if state.capitalize() not in STATES]
    if wrong:
        raise InputError(f"{wrong[0]!r} is no state of a lease", fix=f"one of {', '.join(STATES)}")
    listing = lease_rows(ledger, when)
    asked = {state.capitalize() for state in states} or set(STATES)
    rows = [row for row in listing.rows if row["state"] in asked]
    return Listing(kind=listing.kind, rows=rows, shown=listing.shown)


def of_ids(ledger: Ledger, ids: Sequence[str]) -> tuple[Listing, ...]:
    """Leases by id, with the commitments."""
    when = present(ledger)
    return lease_rows(ledger, when, ids), commitment_rows(ledger, when)[0]


def after_step(ledger: Ledger, lease: str, key: str) -> tuple[Listing, ...]:
    """A lease after a step, and the holds the step left in breach."""
    view = _view(ledger, lease, present(ledger))
    return lease_rows(ledger, present(ledger), [lease]), breach_rows(breaches_by(ledger, view.contract.lease.pool, key))


def after_delivery(ledger: Ledger, lease: str, key: str) -> tuple[Listing, ...]:
    """A lease after a delivery, its deliveries, and the holds left in breach."""
    when = present(ledger)
    deliveries = delivery_rows(deliveries_by_lease(ledger, when, [_view(ledger, lease, when)]), [lease])
    first, breaches = after_step(ledger, lease, key)
    return first, deliveries, breaches


def shown(ledger: Ledger, lease: str, when: AsOf) -> tuple[Listing, ...]:
    """Everything about one lease."""
    view = _view(ledger, lease, when)
    got = deliveries_by_lease(ledger, when, [view])
    return (
        lease_rows(ledger, when, [lease]),
        promise_rows(view, got.get(view.id, ()), when),
        delivery_rows(got, [lease]),
        fact_rows(view.facts),
    )


def terms_text(ledger: Ledger, lease: str, when: AsOf) -> str:
    """The contract that holds at the asked instant, as the file it could have come from."""
    return contract_yaml(_view(ledger, lease, when).contract_at(when.at))


def _view(ledger: Ledger, lease: str, when: AsOf) -> LeaseView:
    facts = (f for f in ledger.journal.read(lease_chain(LeaseId(lease))) if f.recorded_at <= when.known_at)
    view = lease_view(facts, when.at)
    if view is None:
        raise InputError(f"no lease {lease!r} is in the books then", fix="see `acreage lease list`")
    return view


def _at(at: str | None) -> Instant | None:
    return None if at is None else instant(at)
