"""What is agreed: leases proposed, signed, amended, canceled and superseded; spend commitments; offers received."""

from collections.abc import Callable
from itertools import pairwise

import msgspec

from acreage.domain.contract import Contract, Side, SpendContract
from acreage.ledger.deliveries import move_end
from acreage.ledger.facts import (
    COMMITMENT,
    LEASE,
    Draft,
    Fact,
    FactKind,
    commitment_chain,
    lease_chain,
    pool_chain,
    same_request,
)
from acreage.ledger.handed import give_back
from acreage.ledger.leases import Amendment, Ending, LeaseView, check_contract, check_move, lease_view
from acreage.ledger.ledger import Draw, Ledger, repeated_with_other_content
from acreage.units.errors import InputError
from acreage.units.ids import CommitmentId, LeaseId
from acreage.units.instants import Instant, iso

_ENCODE = msgspec.json.Encoder(order="deterministic").encode

Step = Callable[[Draw, LeaseView], Draft]


def lease_with_id(ledger: Ledger, lease: LeaseId, at: int | None = None) -> LeaseView | None:
    """A lease as it stands at an instant (None: now), None where there is none."""
    return lease_view(ledger.journal.read(lease_chain(lease)), ledger.clock() if at is None else at)


def leases(ledger: Ledger, at: int | None = None, known_at: int | None = None) -> tuple[LeaseView, ...]:
    """All leases as they stood at an instant, from what had been recorded by `known_at`, by id."""
    now = ledger.clock()
    views = []
    for chain in ledger.journal.chains(LEASE):
        facts = (fact for fact in ledger.journal.read(chain) if known_at is None or fact.recorded_at <= known_at)
        view = lease_view(facts, now if at is None else at)
        if view is not None:
            views.append(view)
    return tuple(views)


def propose_lease(ledger: Ledger, contract: Contract, *, key: str) -> LeaseView:
    """Write a lease into the books as Proposed: nothing is held yet.

    Raises `InputError` for one that makes no sense, or whose id is taken.
    """
    check_contract(contract)
    chain = lease_chain(contract.lease.id)

    def decide(draw: Draw) -> None:
        draft = _draft(draw, chain, key, FactKind.LEASE_PROPOSED, contract.lease.id, _ENCODE(contract).decode())
        if not already(draw, draft):
            check_move(lease_with_id(ledger, contract.lease.id, draw.now), FactKind.LEASE_PROPOSED, contract.lease.id)
            draw.add(draft)

    ledger.record([chain], decide)
    return _stands(ledger, contract.lease.id)


def sign_lease(ledger: Ledger, lease: LeaseId, *, key: str, at: Instant | None = None) -> LeaseView:
    """Sign a proposed lease, on an earlier day with `at`: what it promises is owed from now on."""
    return _step(
        ledger,
        lease,
        key,
        FactKind.LEASE_SIGNED,
        lambda draw, view: _draft(draw, lease_chain(lease), key, FactKind.LEASE_SIGNED, lease, "", _past(draw, at)),
    )


def amend_lease(ledger: Ledger, contract: Contract, *, effective_at: Instant, key: str, reason: str = "") -> LeaseView:
    """Replace a lease's contract from `effective_at` on; deliveries made reach to the new end.

    Raises `InputError` where it overlaps a later amendment, changes the pool, or makes no sense.
    """
    check_contract(contract)
    lease = contract.lease.id
    body = _ENCODE(Amendment(contract=contract, effective_at=effective_at, reason=reason)).decode()

    def draft(draw: Draw, view: LeaseView) -> Draft:
        latest = view.versions[-1][0]
        if effective_at <= latest:
            raise InputError(
                f"lease {lease}: the amendment of {iso(effective_at)} overlaps that of {iso(latest)}",
                fix="let it take effect later than the last one",
            )
        if (contract.lease.pool, contract.lease.provider) != (view.contract.lease.pool, view.contract.lease.provider):
            raise InputError(f"lease {lease}: an amendment cannot change its provider or pool", fix="supersede it")
        if Side.LET in (contract.side, view.contract.side):
            _check_let(view, contract)
        _check_new_end(draw, view, contract)
        move_end(draw, view, contract.lease.ends_at, key)
        return _draft(draw, lease_chain(lease), key, FactKind.LEASE_AMENDED, lease, body)

    return _step(ledger, lease, key, FactKind.LEASE_AMENDED, draft)


def cancel_lease(ledger: Ledger, lease: LeaseId, *, key: str, at: Instant | None = None, reason: str = "") -> LeaseView:
    """End a lease from `at` on (None: now): its capacity is taken back then, and holds beyond are in breach.

    Of a lease that is let, what is held for it is free from then on.
    """
    return _end(ledger, lease, FactKind.LEASE_CANCELED, key, at, Ending(at=0, reason=reason))


def supersede_lease(
    ledger: Ledger, lease: LeaseId, successor: LeaseId, *, key: str, at: Instant | None = None, reason: str = ""
) -> LeaseView:
    """End a lease because another, already in the books, takes its place."""
    if lease_with_id(ledger, successor) is None or successor == lease:
        raise InputError(f"no lease {successor!r} to take the place of {lease}", fix="propose it first")
    return _end(ledger, lease, FactKind.LEASE_SUPERSEDED, key, at, Ending(at=0, reason=reason, successor=successor))


def sign_commitment(ledger: Ledger, contract: SpendContract, *, key: str, at: Instant | None = None) -> None:
    """Write a spend commitment into the books. Raises `InputError` for one that makes no sense."""
    _check_commitment(contract)
    chain = commitment_chain(contract.id)

    def decide(draw: Draw) -> None:
        body = _ENCODE(contract).decode()
        draft = _draft(draw, chain, key, FactKind.COMMITMENT_SIGNED, contract.id, body, _past(draw, at))
        if already(draw, draft):
            return
        if ledger.journal.head(chain).seq:
            raise InputError(f"commitment {contract.id} is in the books already", fix="use a new id")
        draw.add(draft)

    ledger.record([chain], decide)


def commitments(
    ledger: Ledger, at: int | None = None, known_at: int | None = None
) -> dict[CommitmentId, SpendContract]:
    """The spend commitments signed by an instant, by id, as known then."""
    at = ledger.clock() if at is None else at
    found = {}
    for chain in ledger.journal.chains(COMMITMENT):
        for fact in ledger.journal.read(chain):
            if fact.happened_at <= at and (known_at is None or fact.recorded_at <= known_at):
                contract = msgspec.json.decode(fact.body, type=SpendContract)
                found[contract.id] = contract
    return found


def already(draw: Draw, draft: Draft) -> bool:
    """Whether this has been recorded before; raises `InputError` if its key was used for something else."""
    known = draw.ledger.journal.with_ids([draft.id]).get(draft.id)
    if known is not None and not same_request(draft, known):
        raise repeated_with_other_content(draft.id)
    return known is not None


def _draft(
    draw: Draw, chain: str, key: str, kind: FactKind, subject: str, body: str, happened_at: int | None = None
) -> Draft:
    return Draft(
        chain=chain,
        id=key,
        kind=kind.value,
        subject=subject,
        happened_at=draw.now if happened_at is None else happened_at,
        body=body,
    )


def _past(draw: Draw, at: Instant | None) -> Instant:
    if at is not None and at > draw.now:
        raise InputError(f"{iso(at)} is in the future", fix="facts are recorded once they have happened")
    return draw.now if at is None else at


def _step(ledger: Ledger, lease: LeaseId, key: str, kind: FactKind, draft: Step) -> LeaseView:
    """Take one step of a lease's life, with the pool's chain locked because its capacity may change."""
    view = lease_with_id(ledger, lease)
    if view is None:
        check_move(None, kind, lease)
    assert view is not None

    def decide(draw: Draw) -> None:
        known: Fact | None = ledger.journal.with_ids([key]).get(key)
        now = lease_with_id(ledger, lease, draw.now)
        if known is not None:
            if known.kind != kind or known.subject != lease:
                raise repeated_with_other_content(key)
            return
        check_move(now, kind, lease)
        assert now is not None
        draw.add(draft(draw, now))

    ledger.record([lease_chain(lease), pool_chain(view.contract.lease.pool)], decide)
    return _stands(ledger, lease)


def _end(ledger: Ledger, lease: LeaseId, kind: FactKind, key: str, at: Instant | None, ending: Ending) -> LeaseView:
    def draft(draw: Draw, view: LeaseView) -> Draft:
        from_at = draw.now if at is None else at
        if from_at < draw.now:
            raise InputError(f"lease {lease} cannot end {iso(from_at)}, in the past", fix="end it now or later")
        if from_at >= view.ends_at:
            raise InputError(f"lease {lease} ends {iso(view.ends_at)} anyway", fix="name an earlier instant")
        if view.contract.side is Side.LET:
            give_back(draw, view, from_at, key)
        else:
            move_end(draw, view, from_at, key)
        body = _ENCODE(msgspec.structs.replace(ending, at=from_at)).decode()
        return _draft(draw, lease_chain(lease), key, kind, lease, body)

    return _step(ledger, lease, key, kind, draft)


def _check_let(view: LeaseView, contract: Contract) -> None:
    """What is let is held for as long and as many as the contract says, so an amendment changes neither."""
    old, new = view.contract, contract
    if (old.side, old.lease.starts_at, old.lease.ends_at, old.lease.deliveries) != (
        new.side,
        new.lease.starts_at,
        new.lease.ends_at,
        new.lease.deliveries,
    ):
        raise InputError(
            f"lease {view.id} is let: an amendment cannot change its window or accelerators",
            fix="end it and let another",
        )


def _check_new_end(draw: Draw, view: LeaseView, contract: Contract) -> None:
    if view.ending is not None:
        raise InputError(f"lease {view.id} ends {iso(view.ending.at)} already", fix="propose a new lease")
    if contract.lease.ends_at <= draw.now and contract.lease.ends_at != view.ends_at:
        raise InputError(f"lease {view.id} cannot end {iso(contract.lease.ends_at)}, in the past")


def _check_commitment(contract: SpendContract) -> None:
    where = f"commitment {contract.id}: "
    if contract.currency != "USD":
        raise InputError(f"{where}its currency is {contract.currency}", fix="the books are kept in USD; convert first")
    amounts = [(m.due_at, m.cumulative_micro_usd) for m in contract.spend.milestones]
    if not amounts or any(b[0] <= a[0] or b[1] < a[1] for a, b in pairwise(amounts)):
        raise InputError(f"{where}its milestones do not rise", fix="later milestones reach at least as much")
    if contract.expires_at < amounts[-1][0]:
        raise InputError(f"{where}it expires before its last milestone", fix="let it expire on it or later")


def _stands(ledger: Ledger, lease: LeaseId) -> LeaseView:
    view = lease_with_id(ledger, lease)
    assert view is not None, lease
    return view
