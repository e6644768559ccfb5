"""Holds: placed against what is free, posted, voided, expired or released; nothing is ever held twice."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from acreage.domain.hold import Breach, Hold, HoldAnswer, HoldRequest, HoldState
from acreage.ledger.facts import FOLLOW_UPS, Draft, Fact, FactKind, pool_chain, window_of
from acreage.ledger.ledger import Draw, Ledger, repeated_with_other_content
from acreage.ledger.pool_book import PoolBook
from acreage.units.errors import InputError
from acreage.units.ids import PoolId
from acreage.units.instants import Instant, iso

ACCELERATORS_MAX = 100_000_000
TIMEOUT_MAX_S = 366 * 86_400
UNTIL_MAX = Instant(4_102_444_800)
"""2100-01-01: no hold, delivery or lease reaches beyond."""


class _Refused(msgspec.Struct, frozen=True):
    largest: int
    earliest_at: int | None
    because: str


class _Breached(msgspec.Struct, frozen=True):
    short: int
    cause: str


_AFTER = {
    FactKind.HOLD_POSTED: HoldState.POSTED,
    FactKind.HOLD_VOIDED: HoldState.VOIDED,
    FactKind.HOLD_EXPIRED: HoldState.EXPIRED,
    FactKind.HOLD_RELEASED: HoldState.RELEASED,
}

Follow = Callable[[Draw, Hold], Draft]
"""Makes the fact that settles a hold, or says why it cannot be settled so."""


def place_holds(ledger: Ledger, requests: Sequence[HoldRequest], *, together: bool = False) -> tuple[HoldAnswer, ...]:
    """Answer each request, in order: placed, or refused with what is free instead.

    `together` places all or none. A repeated request gets its first answer; raises `InputError`
    for a request that makes no sense and for a key that was used for something else.
    """
    now = ledger.clock()
    for request in requests:
        _check(request, now)
    if len({request.id for request in requests}) < len(requests):
        raise InputError("two requests of the batch have the same key", fix="give each its own")
    chains = [pool_chain(request.pool) for request in requests]

    def decide(draw: Draw) -> tuple[HoldAnswer, ...]:
        known = ledger.journal.with_ids([request.id for request in requests]) if draw.repeated else {}
        new = [request for request in requests if request.id not in known]
        answers = {request.id: _first_answer(request, known[request.id]) for request in requests if request.id in known}
        if together and known and new:
            raise repeated_with_other_content(next(iter(known)))
        answers |= _answer(draw, new, together)
        return tuple(answers[request.id] for request in requests)

    return ledger.record(chains, decide, optimistic=True)[0]


def _answer(draw: Draw, requests: Sequence[HoldRequest], together: bool) -> dict[str, HoldAnswer]:
    answers = {}
    for request in requests:
        answer = _answer_one(draw, request)
        if together and answer.state is HoldState.REFUSED:
            return _refuse_all(draw, requests, answer)
        answers[request.id] = answer
    return answers


def _answer_one(draw: Draw, request: HoldRequest) -> HoldAnswer:
    book = draw.ledger.books[pool_chain(request.pool)]
    free = book.free.free(request.from_at, request.until_at)
    if free < request.accelerators and _expire(draw, request.pool, book):
        free = book.free.free(request.from_at, request.until_at)
    if free < request.accelerators:
        return _refuse(draw, request, book, free, "capacity")
    headroom = free - request.accelerators
    expires_at = Instant(draw.now + request.timeout_s) if request.timeout_s is not None else None
    draw.add(_draft(draw, request, FactKind.HOLD_PLACED, headroom, expires_at, ""))
    state = HoldState.POSTED if expires_at is None else HoldState.PENDING
    return HoldAnswer(id=request.id, state=state, headroom=headroom, expires_at=expires_at)


def _draft(
    draw: Draw, request: HoldRequest, kind: FactKind, headroom: int | None, expires_at: int | None, body: str
) -> Draft:
    return Draft(
        chain=pool_chain(request.pool),
        id=request.id,
        kind=kind.value,
        subject=request.holder,
        happened_at=draw.now,
        from_at=request.from_at,
        until_at=request.until_at,
        accelerators=request.accelerators,
        headroom=headroom,
        expires_at=expires_at,
        body=body,
    )


def _refuse(draw: Draw, request: HoldRequest, book: PoolBook, free: int, because: str) -> HoldAnswer:
    duration_s = request.until_at - request.from_at
    earliest_at = book.free.earliest(request.accelerators, request.from_at, duration_s)
    refused = _Refused(max(free, 0), earliest_at, because)
    expires_at = draw.now + request.timeout_s if request.timeout_s is not None else None
    body = msgspec.json.encode(refused).decode()
    return refusal_of(draw.add(_draft(draw, request, FactKind.HOLD_REFUSED, None, expires_at, body)))


def refusal_of(fact: Fact) -> HoldAnswer:
    """The answer that a recorded refusal was."""
    refused = msgspec.json.decode(fact.body, type=_Refused)
    return HoldAnswer(
        id=fact.id,
        state=HoldState.REFUSED,
        largest=refused.largest,
        earliest_at=None if refused.earliest_at is None else Instant(refused.earliest_at),
        because=refused.because,
    )


def _refuse_all(draw: Draw, requests: Sequence[HoldRequest], first: HoldAnswer) -> dict[str, HoldAnswer]:
    """Take a batch back and refuse every request of it; `first` is the one that did not fit."""
    expired = sum(fact.kind == FactKind.HOLD_EXPIRED for fact in draw.facts)
    draw.take_back(0)
    if expired:
        for pool in sorted({request.pool for request in requests}):
            _expire(draw, pool, draw.ledger.books[pool_chain(pool)])
    answers = {}
    for request in requests:
        book = draw.ledger.books[pool_chain(request.pool)]
        free = book.free.free(request.from_at, request.until_at)
        because = "capacity" if request.id == first.id or free < request.accelerators else "batch"
        answers[request.id] = _refuse(draw, request, book, free, because)
    return answers


def _first_answer(request: HoldRequest, fact: Fact) -> HoldAnswer:
    """The answer a repeated request was given; raises `InputError` if it was another request."""
    timeout_s = None if fact.expires_at is None else fact.expires_at - fact.happened_at
    was = (fact.chain, fact.subject, fact.accelerators, fact.from_at, fact.until_at, timeout_s)
    is_ = (pool_chain(request.pool), request.holder, request.accelerators, request.from_at, request.until_at)
    if was != (*is_, request.timeout_s) or fact.kind not in (FactKind.HOLD_PLACED, FactKind.HOLD_REFUSED):
        raise repeated_with_other_content(request.id)
    if fact.kind == FactKind.HOLD_REFUSED:
        return refusal_of(fact)
    expires_at = None if fact.expires_at is None else Instant(fact.expires_at)
    state = HoldState.POSTED if expires_at is None else HoldState.PENDING
    return HoldAnswer(id=request.id, state=state, headroom=fact.headroom or 0, expires_at=expires_at)


def _check(request: HoldRequest, now: Instant) -> None:
    """Raise `InputError` for a request that makes no sense."""
    from_at, until_at, timeout_s = request.from_at, request.until_at, request.timeout_s
    if not request.id or not request.holder:
        raise _wrong(request, "the key and the holder are needed", "name the job or the sublessee")
    if not 1 <= request.accelerators <= ACCELERATORS_MAX:
        fix = f"a whole number from 1 to {ACCELERATORS_MAX:,}"
        raise _wrong(request, f"accelerators is {request.accelerators}", fix)
    if from_at >= until_at:
        what = f"it ends {iso(until_at)}, which is not after its start {iso(from_at)}"
        raise _wrong(request, what, "end later than it starts")
    if from_at < now:
        fix = f"now is {iso(now)}; start then or later"
        raise _wrong(request, f"it starts {iso(from_at)}, which is in the past", fix)
    if until_at > UNTIL_MAX:
        raise _wrong(request, f"it ends {iso(until_at)}", f"end by {iso(UNTIL_MAX)}")
    if timeout_s is not None and not 1 <= timeout_s <= TIMEOUT_MAX_S:
        raise _wrong(request, f"the time-out is {timeout_s} s", "between 1 second and 366 days")


def _wrong(request: HoldRequest, what: str, fix: str) -> InputError:
    return InputError(f"hold {request.id}: {what}", fix=fix)


def post_hold(ledger: Ledger, hold_id: str, *, key: str, accelerators: int | None = None) -> Hold:
    """Make a pending hold firm, or a part of it: the rest is given back. Raises `InputError` if it cannot be."""

    def draft(draw: Draw, hold: Hold) -> Draft:
        if hold.state is not HoldState.PENDING:
            raise InputError(f"hold {hold_id} is {hold.state}", fix="only a pending hold can be posted")
        assert hold.expires_at is not None
        if hold.expires_at <= draw.now:
            raise InputError(f"hold {hold_id} lapsed at {iso(hold.expires_at)}", fix="place it again")
        part = hold.accelerators if accelerators is None else accelerators
        if not 1 <= part <= hold.accelerators:
            raise InputError(f"{part} accelerators of hold {hold_id}", fix=f"from 1 to {hold.accelerators}")
        return _follow_up(draw, hold, FactKind.HOLD_POSTED, key, part - hold.accelerators, hold.from_at)

    return _settle(ledger, hold_id, key, draft)


def void_hold(ledger: Ledger, hold_id: str, *, key: str) -> Hold:
    """Give a pending hold back. Raises `InputError` if it is not pending."""

    def draft(draw: Draw, hold: Hold) -> Draft:
        if hold.state is not HoldState.PENDING:
            raise InputError(f"hold {hold_id} is {hold.state}", fix="only a pending hold can be voided")
        return _follow_up(draw, hold, FactKind.HOLD_VOIDED, key, -hold.accelerators, hold.from_at)

    return _settle(ledger, hold_id, key, draft)


def release_hold(ledger: Ledger, hold_id: str, *, key: str, at: Instant | None = None) -> Hold:
    """Give the rest of a posted hold back from `at` on (None: now). Raises `InputError` if there is none."""

    def draft(draw: Draw, hold: Hold) -> Draft:
        if hold.state is not HoldState.POSTED:
            raise InputError(f"hold {hold_id} is {hold.state}", fix="only a posted hold can be released")
        from_at = max(draw.now if at is None else at, hold.from_at)
        if from_at < draw.now or from_at >= hold.until_at:
            raise InputError(
                f"hold {hold_id} cannot be released from {iso(from_at)}",
                fix=f"name an instant from now ({iso(draw.now)}) to its end ({iso(hold.until_at)})",
            )
        return _follow_up(draw, hold, FactKind.HOLD_RELEASED, key, -hold.accelerators, Instant(from_at))

    return _settle(ledger, hold_id, key, draft)


def expire_holds(ledger: Ledger, pool: PoolId) -> tuple[str, ...]:
    """Give back every pending hold of a pool whose time is over; returns their ids."""

    def decide(draw: Draw) -> tuple[str, ...]:
        return tuple(_expire(draw, pool, ledger.pool(pool)))

    return ledger.record([pool_chain(pool)], decide)[0]


def _expire(draw: Draw, pool: PoolId, book: PoolBook) -> list[str]:
    done = {fact.subject for fact in draw.facts if fact.kind == FactKind.HOLD_EXPIRED}
    late = [id_ for id_ in book.overdue(draw.now) if id_ not in done]
    for id_ in late:
        hold = book.pending[id_]
        draw.add(
            Draft(
                chain=pool_chain(pool),
                id=f"{id_}/expired",
                kind=FactKind.HOLD_EXPIRED.value,
                subject=id_,
                happened_at=hold.expires_at,
                from_at=hold.from_at,
                until_at=hold.until_at,
                accelerators=-hold.accelerators,
            )
        )
    return late


def _settle(ledger: Ledger, hold_id: str, key: str, draft: Follow) -> Hold:
    placed = ledger.journal.with_ids([hold_id]).get(hold_id)
    if placed is None or placed.kind not in (FactKind.HOLD_PLACED, FactKind.HOLD_REFUSED):
        raise InputError(f"no hold {hold_id!r} is in the books", fix="see `acreage hold list`")

    def decide(draw: Draw) -> None:
        known = ledger.journal.with_ids([key]).get(key)
        if known is None:
            draw.add(draft(draw, hold_with_id(ledger, hold_id)))
        elif known.subject != hold_id:
            raise repeated_with_other_content(key)

    ledger.record([placed.chain], decide)
    return hold_with_id(ledger, hold_id)


def _follow_up(draw: Draw, hold: Hold, kind: FactKind, key: str, change: int, from_at: Instant) -> Draft:
    return Draft(
        chain=pool_chain(hold.pool),
        id=key,
        kind=kind.value,
        subject=hold.id,
        happened_at=draw.now,
        from_at=from_at,
        until_at=hold.until_at,
        accelerators=change,
    )


def hold_with_id(ledger: Ledger, hold_id: str) -> Hold:
    """A hold and where it stands. Raises `InputError` if there is none of this id."""
    placed = ledger.journal.with_ids([hold_id]).get(hold_id)
    if placed is None or placed.kind not in (FactKind.HOLD_PLACED, FactKind.HOLD_REFUSED):
        raise InputError(f"no hold {hold_id!r} is in the books", fix="see `acreage hold list`")
    return hold_of([placed, *ledger.journal.follow_ups([hold_id])])


def holds_of(facts: Iterable[Fact]) -> tuple[Hold, ...]:
    """The holds that facts of any kind tell of, in the order of their placing."""
    told: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind in (FactKind.HOLD_PLACED, FactKind.HOLD_REFUSED):
            told[fact.id].append(fact)
        elif fact.kind in FOLLOW_UPS and fact.subject in told:
            told[fact.subject].append(fact)
    return tuple(hold_of(story) for story in told.values())


def hold_of(story: Sequence[Fact]) -> Hold:
    """A hold from the fact that placed it and what was recorded about it later, in order."""
    placed = story[0]
    asked, from_at, until_at = window_of(placed)
    state = HoldState.POSTED if placed.expires_at is None else HoldState.PENDING
    if placed.kind == FactKind.HOLD_REFUSED:
        state = HoldState.REFUSED
    accelerators = asked
    breaches = []
    for fact in story[1:]:
        if fact.kind == FactKind.HOLD_BREACHED:
            breaches.append(_breach(fact))
            continue
        state = _AFTER[FactKind(fact.kind)]
        if fact.kind == FactKind.HOLD_RELEASED:
            assert fact.from_at is not None
            until_at = fact.from_at
        else:
            accelerators += fact.accelerators or 0
    return Hold(
        id=placed.id,
        pool=PoolId(placed.chain.partition(":")[2]),
        holder=placed.subject,
        state=state,
        asked=asked,
        accelerators=accelerators,
        from_at=Instant(from_at),
        until_at=Instant(until_at),
        placed_at=Instant(placed.recorded_at),
        placed_seq=placed.seq,
        expires_at=None if placed.expires_at is None else Instant(placed.expires_at),
        breaches=tuple(breaches),
    )


def _breach(fact: Fact) -> Breach:
    told = msgspec.json.decode(fact.body, type=_Breached)
    assert fact.from_at is not None
    assert fact.until_at is not None
    return Breach(short=told.short, from_at=Instant(fact.from_at), until_at=Instant(fact.until_at), cause=told.cause)
