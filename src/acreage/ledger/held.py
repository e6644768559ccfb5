"""What the books give the planner: leases with the deliveries really seen, commitments as drawn, delays as observed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from acreage.domain.contract import LeaseState, Side
from acreage.domain.lease import Commitment, Delivery, Lease
from acreage.ledger.contracts import commitments, leases
from acreage.ledger.facts import Fact
from acreage.ledger.leases import LeaseView
from acreage.ledger.ledger import Ledger
from acreage.ledger.segments import delivered_grid, handovers
from acreage.ledger.statements import AsOf, deliveries_by_lease, drawdowns
from acreage.units.ids import LeaseId, OfferId, ProviderId
from acreage.units.instants import SECONDS_PER_DAY, Instant

_FIRM = (LeaseState.PENDING, LeaseState.ACTIVE)
_TAKEN = (*_FIRM, LeaseState.PROPOSED)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What is held on a day, for planning.

    `taken` are the offers that have become leases already. `late_days` are the days of lateness of
    every delivery seen, by provider, 0 for those on time.
    """

    leases: tuple[Lease, ...]
    commitments: tuple[Commitment, ...]
    taken: tuple[OfferId, ...]
    late_days: dict[ProviderId, tuple[float, ...]]


def held_at(ledger: Ledger, at: Instant) -> Held:
    """What the books say is held at an instant, with everything they know now."""
    when = AsOf(at=at, known_at=ledger.clock())
    views = [view for view in leases(ledger, at, when.known_at) if view.contract.side is not Side.LET]
    got = deliveries_by_lease(ledger, when, views)
    firm = [view for view in views if view.state in _FIRM and view.ends_at > at]
    drawn = {d.commitment: d.drawn_micro_usd for d in drawdowns(ledger, when)}
    pledges = [c for c in commitments(ledger, at, when.known_at).values() if c.expires_at > at]
    return Held(
        leases=tuple(_lease(view, got.get(view.id, ()), at) for view in firm),
        commitments=tuple(Commitment(id=c.id, spend=replace(c.spend, drawn_micro_usd=drawn[c.id])) for c in pledges),
        taken=tuple(v.contract.offer for v in views if v.contract.offer is not None and v.state in _TAKEN),
        late_days=_late_days(views, got, at),
    )


def encoded(held: Held) -> bytes:
    """What is held as JSON, to be kept with a plan."""
    return msgspec.json.format(msgspec.json.encode(held, order="deterministic"), indent=1)


def decoded(data: bytes) -> Held:
    """What was kept with a plan."""
    return msgspec.json.decode(data, type=Held)


def _lease(view: LeaseView, deliveries: Sequence[Fact], at: Instant) -> Lease:
    """A lease with what it has delivered, and what it still owes due no earlier than now."""
    lease = view.contract.lease
    changes = zip(*(column.tolist() for column in delivered_grid(deliveries).changes()), strict=True)
    seen = [Delivery(accelerators=n, due_at=Instant(then)) for then, n in changes if then < view.ends_at]
    return replace(lease, ends_at=view.ends_at, deliveries=(*seen, *_owed(view, deliveries, at)))


def _owed(view: LeaseView, deliveries: Sequence[Fact], at: Instant) -> list[Delivery]:
    """Promised deliveries that nothing in the books has met yet, and capacity to be given back later."""
    left = sum(max(fact.accelerators or 0, 0) for fact in deliveries)
    found = []
    for promised in sorted(view.contract.lease.deliveries, key=lambda d: d.due_at):
        if promised.accelerators < 0:
            if promised.due_at > at:
                found.append(promised)
            continue
        met = min(left, promised.accelerators)
        left -= met
        due_at = max(promised.due_at, at)
        if met < promised.accelerators and due_at < view.ends_at:
            found.append(replace(promised, accelerators=promised.accelerators - met, due_at=due_at))
    return found


def _late_days(
    views: Sequence[LeaseView], got: Mapping[LeaseId, Sequence[Fact]], at: Instant
) -> dict[ProviderId, tuple[float, ...]]:
    """Days of lateness of what has been delivered; what is still owed is not known to be late by any number yet."""
    found: dict[ProviderId, list[float]] = {}
    for view in views:
        seen = {fact.from_at for fact in got.get(view.id, ()) if (fact.from_at or 0) <= at}
        for handover in handovers(view, got.get(view.id, ()), at):
            if handover.from_at in seen:
                days = max(handover.from_at - handover.promised_at, 0) / SECONDS_PER_DAY
                found.setdefault(view.contract.lease.provider, []).append(days)
    return {provider: tuple(days) for provider, days in found.items()}
