"""Leases let to others: contract and capacity in one record, so that neither ever stands without the other.

What is let is a posted hold on the lessor's own delivered capacity, with the lease's id as holder. Of two
lettings that race for the last accelerators exactly one is written; the other is told what is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from acreage.domain.contract import Contract, Side
from acreage.domain.hold import HoldState
from acreage.ledger.contracts import lease_with_id
from acreage.ledger.facts import Draft, Fact, FactKind, lease_chain, pool_chain
from acreage.ledger.holds import hold_with_id
from acreage.ledger.leases import Ending, check_contract, check_move
from acreage.ledger.ledger import Draw, Ledger, repeated_with_other_content
from acreage.units.errors import InputError
from acreage.units.ids import LeaseId
from acreage.units.instants import SECONDS_PER_DAY, Instant, iso

_ENCODE = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Accelerators of the pool that must stay free over [from_at, until_at) after the letting."""

    from_at: Instant
    until_at: Instant
    accelerators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """A let lease that is ended from `at` on in the same record; it must be recallable by its own contract."""

    lease: LeaseId
    at: Instant


class LetLabel(msgspec.Struct, frozen=True):
    """The body of the hold of a let lease: what a reader of the pool's chain needs to know of it."""

    lease: str
    lessee: str
    tier: str
    recall_notice_days: int | None
    micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LetAnswer:
    """What became of a letting: done, or not because only `largest` accelerators were left (0: none)."""

    done: bool
    largest: int


class Moved(Exception):
    """The pool is not as it was when this was decided: nothing was written; look again."""


Tell = Callable[[LetAnswer], Draft]
"""Makes the fact that records the answer; its id is the key of the letting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letting:
    """One lease to be let, with its label. `kept` cover its window: in each of them that many must stay free.

    It was decided on the chain of its pool up to `pool_seq`.
    """

    contract: Contract
    label: LetLabel
    kept: tuple[Kept, ...]
    pool_seq: int


def let_leases(ledger: Ledger, lettings: Sequence[Letting], *, recalls: Sequence[Recall], tell: Tell) -> LetAnswer:
    """Propose and sign leases that are let, hold their capacity and recall others for it, in one record or not at all.

    Raises `Moved` where somebody has written to one of the pools since it was decided on. The answer is recorded by
    the fact that `tell` makes, in its own chain; the same key again returns the first answer. Raises
    `InputError` for a contract that makes no sense, or a recall that the books do not allow.
    """
    for letting in lettings:
        check_contract(letting.contract)
        if letting.contract.side is not Side.LET:
            raise InputError(f"lease {letting.contract.lease.id} is {letting.contract.side}, not let")
    key, chain = tell(LetAnswer(done=True, largest=0)).id, tell(LetAnswer(done=True, largest=0)).chain
    leases = [letting.contract.lease for letting in lettings]

    def decide(draw: Draw) -> LetAnswer:
        known = ledger.journal.with_ids([key]).get(key)
        if known is not None:
            return _first_answer(known, tell)
        for letting in lettings:
            lease = letting.contract.lease
            if ledger.head(pool_chain(lease.pool)).seq != letting.pool_seq:
                raise Moved
            check_move(lease_with_id(ledger, lease.id, draw.now), FactKind.LEASE_PROPOSED, lease.id)
            _check_window(draw, letting)
        for recall in recalls:
            _recall(draw, recall, key)
        answer = _let(draw, lettings, key)
        if not answer.done:
            draw.take_back(0)
        draw.add(tell(answer))
        return answer

    pools = [pool_chain(lease.pool) for lease in leases]
    owned = [lease_chain(lease) for lease in (*(one.id for one in leases), *(recall.lease for recall in recalls))]
    return ledger.record([*owned, *pools, chain], decide)[0]


def recall_lease(ledger: Ledger, lease: LeaseId, *, at: Instant, key: str) -> None:
    """End a recallable let lease from `at` on: its capacity is free from then. Raises `InputError`."""
    view = lease_with_id(ledger, lease)
    if view is None:
        check_move(None, FactKind.LEASE_CANCELED, lease)
    assert view is not None

    def decide(draw: Draw) -> None:
        if f"{key}/{lease}" not in ledger.journal.with_ids([f"{key}/{lease}"]):
            _recall(draw, Recall(lease=lease, at=at), key)

    ledger.record([lease_chain(lease), pool_chain(view.contract.lease.pool)], decide)


def hold_of_let(lease: LeaseId) -> str:
    """The id of the hold of a let lease."""
    return f"{lease}/hold"


def _first_answer(known: Fact, tell: Tell) -> LetAnswer:
    for done in (True, False):
        draft = tell(LetAnswer(done=done, largest=0))
        if known.kind == draft.kind and known.chain == draft.chain and known.subject == draft.subject:
            return LetAnswer(done=done, largest=known.headroom or 0)
    raise repeated_with_other_content(known.id)


def _check_window(draw: Draw, letting: Letting) -> None:
    lease, kept = letting.contract.lease, letting.kept
    if lease.starts_at < draw.now:
        fix = f"now is {iso(draw.now)}"
        raise InputError(f"lease {lease.id} starts {iso(lease.starts_at)}, which is in the past", fix=fix)
    reach = [lease.starts_at, *(one.until_at for one in kept)]
    assert [one.from_at for one in kept] == reach[:-1], "the windows kept are those of the lease, without gaps"
    assert reach[-1] == lease.ends_at, (reach, lease.ends_at)


def _let(draw: Draw, lettings: Sequence[Letting], key: str) -> LetAnswer:
    """Hold one after the other, each beside those before it; the first that does not fit ends it."""
    for letting in lettings:
        answer = _fits(draw, letting)
        if not answer.done:
            return answer
        for draft in _drafts(draw, letting, key):
            draw.add(draft)
    return LetAnswer(done=True, largest=answer.largest)


def _fits(draw: Draw, letting: Letting) -> LetAnswer:
    """Whether a lease fits beside what is kept, exact to the second."""
    free = draw.ledger.pool(letting.contract.lease.pool).free
    left = min(free.free(one.from_at, one.until_at) - one.accelerators for one in letting.kept)
    asked = letting.contract.lease.deliveries[0].accelerators
    return LetAnswer(done=left >= asked, largest=max(left, 0))


def _drafts(draw: Draw, letting: Letting, key: str) -> list[Draft]:
    contract, lease = letting.contract, letting.contract.lease

    def step(kind: FactKind, body: str) -> Draft:
        chain, name = lease_chain(lease.id), kind.value.removeprefix("lease_")
        return Draft(
            chain=chain,
            id=f"{key}/{lease.id}/{name}",
            kind=kind.value,
            subject=lease.id,
            happened_at=draw.now,
            body=body,
        )

    hold = Draft(
        chain=pool_chain(lease.pool),
        id=hold_of_let(lease.id),
        kind=FactKind.HOLD_PLACED.value,
        subject=lease.id,
        happened_at=draw.now,
        from_at=lease.starts_at,
        until_at=lease.ends_at,
        accelerators=lease.deliveries[0].accelerators,
        body=_ENCODE(letting.label).decode(),
    )
    return [step(FactKind.LEASE_PROPOSED, _ENCODE(contract).decode()), step(FactKind.LEASE_SIGNED, ""), hold]


def _recall(draw: Draw, recall: Recall, key: str) -> None:
    """Give a recallable lease's capacity back from an instant on, and end it; raises `InputError` if it cannot be."""
    view = lease_with_id(draw.ledger, recall.lease, draw.now)
    check_move(view, FactKind.LEASE_CANCELED, recall.lease)
    assert view is not None
    right = view.contract.lease.terms.recall
    if right is None:
        raise InputError(f"lease {recall.lease} is firm", fix="only a recallable lease can be recalled")
    earliest = draw.now + right.notice_days * SECONDS_PER_DAY
    if recall.at < earliest or recall.at >= view.ends_at:
        fix = f"its notice is {right.notice_days} days: from {iso(earliest)} until before {iso(view.ends_at)}"
        raise InputError(f"lease {recall.lease} cannot be recalled from {iso(recall.at)}", fix=fix)
    hold = hold_with_id(draw.ledger, hold_of_let(recall.lease))
    if hold.state is not HoldState.POSTED:
        raise InputError(f"the capacity of lease {recall.lease} is {hold.state} already")
    from_at = max(recall.at, hold.from_at)
    draw.add(
        Draft(
            chain=pool_chain(hold.pool),
            id=f"{key}/{recall.lease}/released",
            kind=FactKind.HOLD_RELEASED.value,
            subject=hold.id,
            happened_at=draw.now,
            from_at=from_at,
            until_at=hold.until_at,
            accelerators=-hold.accelerators,
        )
    )
    body = _ENCODE(Ending(at=recall.at, reason="recalled")).decode()
    draw.add(
        Draft(
            chain=lease_chain(recall.lease),
            id=f"{key}/{recall.lease}",
            kind=FactKind.LEASE_CANCELED.value,
            subject=recall.lease,
            happened_at=draw.now,
            body=body,
        )
    )
