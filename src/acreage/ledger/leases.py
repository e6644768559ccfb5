"""Where a lease stands: the life cycle as a table of legal moves, folded from the facts of its chain."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from acreage.domain.contract import Contract, LeaseState
from acreage.ledger.facts import LEASE, Fact, FactKind
from acreage.units.errors import InputError
from acreage.units.ids import LeaseId
from acreage.units.instants import Instant, iso

MOVES = {
    FactKind.LEASE_PROPOSED: frozenset[LeaseState](),
    FactKind.LEASE_SIGNED: frozenset({LeaseState.PROPOSED}),
    FactKind.LEASE_AMENDED: frozenset({LeaseState.PROPOSED, LeaseState.PENDING, LeaseState.ACTIVE}),
    FactKind.LEASE_CANCELED: frozenset({LeaseState.PROPOSED, LeaseState.PENDING, LeaseState.ACTIVE}),
    FactKind.LEASE_SUPERSEDED: frozenset({LeaseState.PROPOSED, LeaseState.PENDING, LeaseState.ACTIVE}),
}
"""From which states a fact may move a lease; it is proposed where there is none yet."""

OPEN = frozenset({LeaseState.PROPOSED, LeaseState.PENDING, LeaseState.ACTIVE})
FIRM = frozenset({LeaseState.PENDING, LeaseState.ACTIVE})


class Amendment(msgspec.Struct, frozen=True):
    """A contract that holds from `effective_at` on, in place of the one before."""

    contract: Contract
    effective_at: int
    reason: str = ""


class Ending(msgspec.Struct, frozen=True):
    """How a lease ends before its term: from `at` on, because; `successor` is the lease that takes its place."""

    at: int
    reason: str = ""
    successor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseView:
    """A lease as known: its contract, where it stands at the asked instant, and how it got there.

    `ends_at` is when it really ends, before the contract's end where it was canceled or superseded.
    `versions` are the contracts that held, each from its instant on.
    """

    id: LeaseId
    state: LeaseState
    contract: Contract
    proposed_at: Instant
    signed_at: Instant | None
    ends_at: Instant
    ending: Ending | None
    versions: tuple[tuple[Instant, Contract], ...]
    facts: tuple[Fact, ...]

    def contract_at(self, at: int) -> Contract:
        """The version of the contract that holds at an instant."""
        held = [contract for from_at, contract in self.versions if from_at <= at]
        return held[-1] if held else self.versions[0][1]


def lease_view(facts: Iterable[Fact], at: int) -> LeaseView | None:
    """Where a lease stands at an instant, from the facts of its chain in order; None: nothing had happened yet."""
    view = None
    for fact in facts:
        if fact.happened_at <= at:
            view = _begun(fact) if view is None else _moved(view, fact)
    return None if view is None else replace(view, state=state_at(view, at))


def state_at(view: LeaseView, at: int) -> LeaseState:
    """The state that a lease's own clock has brought it to."""
    if view.ending is not None and view.ending.at <= at:
        return LeaseState.SUPERSEDED if view.ending.successor else LeaseState.CANCELED
    if view.signed_at is None:
        return LeaseState.PROPOSED
    if at < view.contract.lease.starts_at:
        return LeaseState.PENDING
    return LeaseState.ACTIVE if at < view.contract.lease.ends_at else LeaseState.EXPIRED


def check_move(view: LeaseView | None, kind: FactKind, lease: LeaseId) -> None:
    """Raise `InputError` where a lease cannot take this step."""
    if kind is FactKind.LEASE_PROPOSED:
        if view is not None:
            raise InputError(f"lease {lease} is in the books already, {view.state}", fix="amend it, or use a new id")
        return
    if view is None:
        raise InputError(f"no lease {lease!r} is in the books", fix="see `acreage lease list`")
    if view.state not in MOVES[kind]:
        word = kind.value.removeprefix("lease_")
        legal = " or ".join(sorted(MOVES[kind]))
        raise InputError(f"lease {lease} is {view.state} and cannot be {word}", fix=f"only a {legal} lease can be")
    if kind is FactKind.LEASE_CANCELED and view.ending is not None:
        raise InputError(f"lease {lease} ends {iso(view.ending.at)} already", fix="nothing is left to do")


def _begun(fact: Fact) -> LeaseView:
    assert fact.kind == FactKind.LEASE_PROPOSED, fact
    contract = msgspec.json.decode(fact.body, type=Contract)
    return LeaseView(
        id=LeaseId(fact.chain.removeprefix(LEASE)),
        state=LeaseState.PROPOSED,
        contract=contract,
        proposed_at=Instant(fact.happened_at),
        signed_at=None,
        ends_at=contract.lease.ends_at,
        ending=None,
        versions=((Instant(0), contract),),
        facts=(fact,),
    )


def _moved(view: LeaseView, fact: Fact) -> LeaseView:
    view = replace(view, facts=(*view.facts, fact))
    match FactKind(fact.kind):
        case FactKind.LEASE_SIGNED:
            return replace(view, signed_at=Instant(fact.happened_at))
        case FactKind.LEASE_AMENDED:
            amendment = msgspec.json.decode(fact.body, type=Amendment)
            version = (Instant(amendment.effective_at), amendment.contract)
            ends_at = min(
                amendment.contract.lease.ends_at, view.ending.at if view.ending else amendment.contract.lease.ends_at
            )
            return replace(
                view, contract=amendment.contract, versions=(*view.versions, version), ends_at=Instant(ends_at)
            )
        case FactKind.LEASE_CANCELED | FactKind.LEASE_SUPERSEDED:
            ending = msgspec.json.decode(fact.body, type=Ending)
            return replace(view, ending=ending, ends_at=Instant(min(ending.at, view.ends_at)))
    return view


def promised_max(contract: Contract) -> int:
    """The most accelerators that are promised at any time."""
    level = most = 0
    for delivery in sorted(contract.lease.deliveries, key=lambda d: d.due_at):
        level += delivery.accelerators
        most = max(most, level)
    return most


def check_contract(contract: Contract, *, place: Sequence[str] = ()) -> None:
    """Raise `InputError` for a contract that makes no sense, whoever made it."""
    lease = contract.lease
    where = f"lease {lease.id}: "
    if lease.starts_at >= lease.ends_at:
        raise InputError(f"{where}it ends {iso(lease.ends_at)}, not after its start {iso(lease.starts_at)}")
    if contract.currency != "USD":
        raise InputError(f"{where}its currency is {contract.currency}", fix="the books are kept in USD; convert first")
    if not lease.deliveries:
        raise InputError(f"{where}nothing is delivered", fix="name at least one delivery")
    level = 0
    for delivery in sorted(lease.deliveries, key=lambda d: d.due_at):
        level += delivery.accelerators
        if level < 0:
            raise InputError(f"{where}more is taken back by {iso(delivery.due_at)} than was delivered")
        if not lease.starts_at <= delivery.due_at < lease.ends_at:
            raise InputError(
                f"{where}a delivery is due {iso(delivery.due_at)}",
                fix=f"within the lease, {iso(lease.starts_at)} to {iso(lease.ends_at)}",
            )
    if lease.deliveries[0].accelerators == 0 or promised_max(contract) == 0:
        raise InputError(f"{where}no accelerators are promised", fix="name how many")
