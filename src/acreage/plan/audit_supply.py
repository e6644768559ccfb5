"""What a decision's leases and signings deliver in each future, derived from the domain values alone."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from acreage.domain.finding import Finding
from acreage.domain.future import Future
from acreage.domain.lease import Lease, Offer
from acreage.domain.plan import Decision, Signing
from acreage.domain.portfolio import Portfolio
from acreage.domain.terms import RecallRight, Terms
from acreage.plan.audit_ground import Array, Ground, doubt, over, worst
from acreage.pricing.invoice import Agreement, Handover, LostCapacity
from acreage.units.ids import PoolId, ProviderId
from acreage.units.instants import Instant, add_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A tranche or delivery: leased accelerators due on a day, and its remedies for lateness."""

    index: int
    accelerators: float
    due_at: Instant
    grace_days: int
    late_discount_frac: float
    terminable_after_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A lease held or a signing: what it brings to which pool until when, and its contract."""

    key: str
    provider: ProviderId
    pool: PoolId
    starts_at: Instant
    ends_at: Instant
    terms: Terms
    pieces: tuple[Piece, ...]
    agreement: Agreement
    can_release: bool

    @property
    def usable_frac(self) -> float:
        """Usable accelerators per leased one."""
        return 1.0 - self.terms.sparing_frac


def holdings_of(portfolio: Portfolio, decision: Decision) -> tuple[Holding, ...]:
    """All leases that the decision leaves or makes; signings of unknown offers are left out."""
    exits = {release.lease: release.ends_at for release in decision.releases}
    offers = {offer.id: offer for offer in portfolio.offers}
    held = [_held(lease, exits.get(lease.id, lease.ends_at)) for lease in portfolio.leases]
    signed = [_signed(portfolio, offers[s.offer], s) for s in decision.signings if s.offer in offers]
    return (*held, *signed)


def _held(lease: Lease, ends_at: Instant) -> Holding:
    pieces = tuple(
        Piece(
            index=i,
            accelerators=float(d.accelerators),
            due_at=d.due_at,
            grace_days=d.grace_days,
            late_discount_frac=d.late_discount_frac,
            terminable_after_days=d.terminable_after_days,
        )
        for i, d in enumerate(lease.deliveries)
    )
    agreement = Agreement(
        terms=lease.terms,
        price_frac=1.0,
        starts_at=lease.starts_at,
        ends_at=ends_at,
        term_ends_at=lease.ends_at,
        signed_at=None,
        promised=_promised(pieces, lease.ends_at),
    )
    return Holding(
        key=lease.id,
        provider=lease.provider,
        pool=lease.pool,
        starts_at=lease.starts_at,
        ends_at=ends_at,
        terms=lease.terms,
        pieces=pieces,
        agreement=agreement,
        can_release=lease.terms.termination is not None and lease.terms.firm_term is not None,
    )


def _signed(portfolio: Portfolio, offer: Offer, signing: Signing) -> Holding:
    pieces = tuple(
        Piece(
            index=i,
            accelerators=signing.blocks * offer.accelerators_per_block * t.share_frac,
            due_at=t.after.after(signing.starts_at),
            grace_days=t.grace_days,
            late_discount_frac=t.late_discount_frac,
            terminable_after_days=t.terminable_after_days,
        )
        for i, t in enumerate(offer.tranches)
    )
    agreement = Agreement(
        terms=offer.terms,
        price_frac=signing.price_frac,
        starts_at=signing.starts_at,
        ends_at=signing.ends_at,
        term_ends_at=offer.term.after(signing.starts_at),
        signed_at=portfolio.as_of_at,
        promised=_promised(pieces, signing.ends_at),
    )
    return Holding(
        key=offer.id,
        provider=offer.provider,
        pool=offer.pool,
        starts_at=signing.starts_at,
        ends_at=signing.ends_at,
        terms=offer.terms,
        pieces=pieces,
        agreement=agreement,
        can_release=False,
    )


def _promised(pieces: tuple[Piece, ...], until_at: Instant) -> tuple[Handover, ...]:
    return tuple(
        Handover(accelerators=p.accelerators, promised_at=p.due_at, from_at=p.due_at, until_at=until_at) for p in pieces
    )


def handover_in(ground: Ground, holding: Holding, piece: Piece, future: Future) -> Handover:
    """What is really delivered of a piece in a future: late, recalled, the rest of what was given up."""
    until_at = holding.ends_at
    recalled_at = future.recalled_at.get(holding.key)
    if recalled_at is not None and holding.terms.recall is not None:
        until_at = min(until_at, recall_ends_at(holding.terms.recall, holding.starts_at, recalled_at))
    kept = 1.0 - ground.given_up.get((future.name, holding.key, piece.index), 0.0)
    return Handover(
        accelerators=piece.accelerators * kept,
        promised_at=piece.due_at,
        from_at=add_days(piece.due_at, future.delay_days.get((holding.key, piece.index), 0)),
        until_at=until_at,
        grace_days=piece.grace_days,
        late_discount_frac=piece.late_discount_frac,
    )


def recall_ends_at(right: RecallRight, starts_at: Instant, recalled_at: Instant) -> Instant:
    """When a recalled lease ends: the notice after the lessor may first give it, and gives it."""
    return add_days(max(recalled_at, right.after.after(starts_at)), right.notice_days)


def lost_to(holding: Holding, future: Future) -> tuple[LostCapacity, ...]:
    """The outages that hit a holding in a future."""
    return tuple(
        LostCapacity(from_at=o.from_at, until_at=o.until_at, lost_frac=o.lost_frac)
        for o in future.outages
        if o.hits(holding.provider, holding.pool)
    )


def up_frac(ground: Ground, provider: str, pool: str, future: Future, from_at: float, until_at: float) -> Array:
    """Share of each period (T,) within [from_at, until_at) in which a provider serves in a pool."""
    outages = [o for o in future.outages if o.hits(provider, pool)]
    knots = sorted({at for o in outages for at in (o.from_at, o.until_at)})
    up = ground.overlap_frac(from_at, until_at)
    for begin, end in pairwise(knots):
        left = float(np.prod([1.0 - o.lost_frac for o in outages if o.from_at <= begin < o.until_at]))
        up = up - (1.0 - left) * ground.overlap_frac(max(begin, from_at), min(end, until_at))
    return up


def usable_in(ground: Ground, holding: Holding, future: Future) -> Array:
    """Usable accelerators of a holding in each period (T,) of a future."""
    total = np.zeros(len(ground.hours))
    for piece in holding.pieces:
        real = handover_in(ground, holding, piece, future)
        up = up_frac(ground, holding.provider, holding.pool, future, real.from_at, real.until_at)
        total += real.accelerators * holding.usable_frac * up
    return total


def promised_of(ground: Ground, holding: Holding, *, firm: bool) -> Array:
    """Usable accelerators as promised (T,); with `firm`, only until they could first be recalled."""
    until_at = holding.ends_at
    right = holding.terms.recall
    if firm and right is not None:
        first_at = max(right.after.after(holding.starts_at), int(ground.begins[0]))
        until_at = min(until_at, add_days(first_at, right.notice_days))
    pieces = (p.accelerators * ground.overlap_frac(p.due_at, until_at) for p in holding.pieces)
    return np.asarray(holding.usable_frac * sum(pieces, np.zeros(len(ground.hours))))


def peak_of(ground: Ground, holding: Holding, future: Future | None = None) -> Array:
    """Most usable accelerators (T,) of a holding at one time in each period, in a future or as promised.

    Outages are not counted: they interrupt a gang, they do not shrink it.
    """
    spans = [
        (p.accelerators, p.due_at, holding.ends_at)
        if future is None
        else ((h := handover_in(ground, holding, p, future)).accelerators, h.from_at, h.until_at)
        for p in holding.pieces
    ]
    found = []
    for begin, end in zip(ground.begins, ground.ends, strict=True):
        moments = [begin, *(at for _, at, _ in spans if begin < at < end)]
        found.append(max(sum(n for n, from_at, until_at in spans if from_at <= m < until_at) for m in moments))
    return holding.usable_frac * np.array(found, dtype=float)


def supply(ground: Ground, holdings: tuple[Holding, ...]) -> dict[str, Array]:
    """Usable accelerators (S, T) by source; all signings of an offer are one source."""
    found: dict[str, Array] = defaultdict(lambda: np.zeros(ground.shape[:2]))
    for holding in holdings:
        found[holding.key] += np.array([usable_in(ground, holding, f) for f in ground.futures])
    return dict(found)


def check_capacity(ground: Ground, holdings: tuple[Holding, ...], usable: Mapping[str, Array]) -> Iterator[Finding]:
    """The stated capacity of every source is the derived one, in its pool."""
    pools = {holding.key: holding.pool for holding in holdings}
    numbers = {future.name: s for s, future in enumerate(ground.futures)}
    stated: dict[str, Array] = defaultdict(lambda: np.zeros(ground.shape[:2]))
    for row in ground.outcome.frames["capacity"].iter_rows(named=True):
        if row["source"] not in pools or row["pool"] != pools[row["source"]]:
            yield doubt("capacity", row["source"], f"has no capacity in pool {row['pool']}")
            continue
        stated[row["source"]][numbers[row["future"]], row["period"]] += row["accelerators"]
    for key, derived in usable.items():
        excess = np.maximum(over(stated[key], derived), over(derived, stated[key]))
        yield from worst(ground, excess, "capacity", key, "stated usable accelerators are off")


def check_given_up(ground: Ground, holdings: tuple[Holding, ...]) -> Iterator[Finding]:
    """Only what is later than its termination right allows is given up, at most all of it, and only where the
    whole fee is due used or not and no other right to leave exists."""
    pieces = {(h.key, p.index): (h, p) for h in holdings for p in h.pieces}
    futures = {future.name: future for future in ground.futures}
    for (name, source, index), frac in ground.given_up.items():
        if frac == 0.0:
            continue
        where = f"{name}, tranche {index}"
        if (source, index) not in pieces:
            yield doubt("given_up", source, "no such tranche is held", row=where)
            continue
        holding, piece = pieces[source, index]
        days = futures[name].delay_days.get((source, index), 0)
        if piece.terminable_after_days is None or days <= piece.terminable_after_days:
            yield doubt("given_up", source, f"{days} days late is not enough to end it", row=where)
        if not -1e-9 <= frac <= 1.0 + 1e-9:
            yield doubt("given_up", source, f"a share of {frac} is not between 0 and 1", row=where)
        if holding.terms.take_or_pay_frac < 1.0 or holding.can_release:
            yield doubt("given_up", source, "it has another way out than giving up tranches", row=where)
