"""A rehearsal: made-up days of requests go through the desk as real ones would, into books of their own.

Every request is quoted, and admitted where it is accepted; the anchor places its calls as holds, its notice
ahead; recallable leases are recalled where they stand in its way. The clock is the rehearsal's.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from acreage.desk.anchor import anchor_law
from acreage.desk.arrivals import MadeYear, made_year
from acreage.desk.horizon import Horizon
from acreage.desk.recalls import give_way
from acreage.desk.tables import contract_in
from acreage.domain.desk import DeskPool, LeaseRequest, Tier
from acreage.domain.hold import HoldRequest
from acreage.flow.desk import Room, Viewer, opening
from acreage.flow.desk_admit import admit, recallable_leases
from acreage.flow.desk_quotes import quoted
from acreage.ledger.facts import pool_chain
from acreage.ledger.holds import place_holds
from acreage.ledger.lettings import recall_lease
from acreage.units.errors import InputError
from acreage.units.ids import LesseeName, PoolId
from acreage.units.instants import SECONDS_PER_DAY, Instant
from acreage.units.money import micro_usd

DESK = Viewer("desk")
ANYBODY = ("lab-1", "lab-2", "lab-3")
"""Who asks where the desk leases to anybody."""

_HOUR_OF_REQUESTS_S = 9 * 3_600

Tell = Callable[[int, int], None]


@dataclass
class Hands:
    """The clock that a rehearsal sets."""

    now: Instant

    def __call__(self) -> Instant:
        """The instant now."""
        return self.now


def hands_of(room: Room) -> Hands:
    """Hands on the clock of a room's books, at the midnight before now."""
    hands = Hands(now=room.horizon().from_at)
    room.ledger.clock = hands
    return hands


def rehearse(room: Room, hands: Hands, *, days: int, seed: int, tell: Tell, asking_frac: float = 0.0) -> int:
    """Let so many days go by at the desk from `hands.now` on; returns the number of requests.

    `asking_frac` of them name no bid, and take the price named where it is not above what they would have bid.
    Raises `InputError` where the books hold anything already.
    """
    if room.ledger.journal.chains():
        raise InputError("a rehearsal needs books of its own", fix="name a new file with --ledger")
    for work in opening(room):
        work()
    start = hands.now
    years = {pool.id: _made(room, pool, days, seed + i) for i, pool in enumerate(room.desk.pools)}
    names, asking = np.random.default_rng([seed, days]), np.random.default_rng([seed, days, 1])
    lessees = room.desk.lessees or tuple(LesseeName(name) for name in ANYBODY)
    asked = 0
    for day in range(days):
        hands.now = Instant(start + day * SECONDS_PER_DAY)
        for pool, year in years.items():
            for called in _called(room, day):
                _call(room, pool, int(year.need[called]), start, day, called)
        hands.now = Instant(hands.now + _HOUR_OF_REQUESTS_S)
        for pool, year in years.items():
            for i in np.flatnonzero(year.arrivals.day == day).tolist():
                request = _request(room, pool, year, i, start, lessees[int(names.integers(len(lessees)))])
                willing = request.bid_micro_usd
                if asking.random() < asking_frac:
                    request = replace(request, bid_micro_usd=None)
                logged = quoted(room, request, DESK, None, write=True)
                offer = logged.quote.answer.offer
                if offer is not None and willing is not None and offer.micro_usd <= willing:
                    admit(room, logged, 0, room.ledger.new_id())
                asked += 1
        tell(day + 1, days)
    return asked


def _made(room: Room, pool: DeskPool, days: int, seed: int) -> MadeYear:
    desk = room.desk
    law = anchor_law(contract_in(desk, pool.id), Horizon(room.horizon().from_at, days + desk.horizon_days))
    tiers = tuple((terms, wanted) for terms in desk.tiers for wanted in terms.demand if wanted.pool == pool.id)
    persistence = desk.anchor.persistence_days
    return made_year(tiers, desk.bursts, law, persistence, days, desk.horizon_days, np.random.SeedSequence(seed))


def _called(room: Room, day: int) -> range:
    """The days the anchor calls for today: one further ahead, on the first all within its notice."""
    ahead = day + room.desk.anchor.call_notice_days
    return range(0 if day == 0 else ahead, ahead + 1)


def _call(room: Room, pool: PoolId, need: int, start: Instant, day: int, called: int) -> None:
    """Place the anchor's hold of one day, after recalling what stands in its way."""
    if need <= 0:
        return
    from_at = Instant(start + called * SECONDS_PER_DAY)
    until_at = Instant(from_at + SECONDS_PER_DAY)
    room.ledger.refresh([pool_chain(pool)])
    short = need - room.ledger.pool(pool).free.free(from_at, until_at)
    if short > 0:
        asks = room.asks_of((pool,))
        missing = np.zeros(called - day + 1, dtype=np.int64)
        missing[-1] = short
        for lease, from_day in give_way(missing, recallable_leases(room, pool, asks)) or ():
            at = asks.book.horizon.day_at(from_day)
            recall_lease(room.ledger, lease, at=at, key=room.ledger.new_id())
    hold = HoldRequest(
        id=room.ledger.new_id(),
        pool=pool,
        accelerators=need,
        from_at=from_at,
        until_at=until_at,
        holder=room.desk.anchor.name,
    )
    place_holds(room.ledger, [hold])


def _request(room: Room, pool: PoolId, year: MadeYear, i: int, start: Instant, lessee: LesseeName) -> LeaseRequest:
    asked = year.arrivals
    sold = [terms for terms in room.desk.tiers for wanted in terms.demand if wanted.pool == pool]
    return LeaseRequest(
        lessee=lessee,
        tier=Tier(sold[int(asked.tier[i])].tier),
        pools=(pool,),
        accelerators=int(asked.accelerators[i]),
        from_at=Instant(start + int(asked.first[i]) * SECONDS_PER_DAY),
        until_at=Instant(start + int(asked.end[i]) * SECONDS_PER_DAY),
        bid_micro_usd=micro_usd(f"{asked.bid_usd[i]:.2f}"),
    )
