"""What the hold commands do: requests from options or a CSV file, and the answers."""

import csv
import difflib
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from acreage.domain.hold import Hold, HoldAnswer, HoldRequest, HoldState
from acreage.flow.books import Work, rehearse
from acreage.flow.books_columns import Listing
from acreage.flow.books_listings import answer_rows, breach_rows, hold_rows, holds
from acreage.ledger.facts import POOL, Fact, FactKind
from acreage.ledger.holds import hold_with_id, place_holds, post_hold, refusal_of, release_hold, void_hold
from acreage.ledger.ledger import Ledger
from acreage.ledger.statements import AsOf
from acreage.units.errors import InputError, Place
from acreage.units.ids import PoolId
from acreage.units.instants import Instant, instant, iso

_LENGTH = re.compile(r"(\d+)\s*(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_NEEDED = ("pool", "accelerators", "from", "holder")
_COLUMNS = (*_NEEDED, "until", "for", "timeout", "key")


def seconds(text: str) -> int:
    """A length such as 15m, 72h or 14d in seconds; raises `InputError`."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{text!r} is not a length of time", fix="write for example 15m, 72h or 14d")
    return int(found[1]) * _SECONDS[found[2]]


def request(
    *,
    key: str,
    pool: str,
    accelerators: int,
    from_: str,
    until: str | None,
    length: str | None,
    holder: str,
    timeout: str | None,
) -> HoldRequest:
    """A request from what the user wrote; raises `InputError`."""
    if (until is None) == (length is None):
        raise InputError("either the end or the length is needed", fix="give one of until and for")
    from_at = instant(from_)
    until_at = instant(until) if until is not None else Instant(from_at + seconds(length or ""))
    return HoldRequest(
        id=key,
        pool=PoolId(pool),
        accelerators=accelerators,
        from_at=from_at,
        until_at=until_at,
        holder=holder,
        timeout_s=seconds(timeout) if timeout else None,
    )


def requests_of(ledger: Ledger, file: Path) -> list[HoldRequest]:
    """The requests of a CSV file; raises `InputError` with file, line and column."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            _check_header(file, reader.fieldnames or ())
            return [_of_row(ledger, file, reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read: {error}", fix="name a CSV file", place=Place(file=str(file))) from None


def _check_header(file: Path, header: Sequence[str]) -> None:
    missing = [name for name in _NEEDED if name not in header]
    unknown = [name for name in header if name not in _COLUMNS]
    if missing or unknown:
        what = f"no column {missing[0]!r}" if missing else f"unknown column {unknown[0]!r}"
        raise InputError(what, fix=f"the columns are {', '.join(_COLUMNS)}", place=Place(file=str(file), line=1))


def _of_row(ledger: Ledger, file: Path, line: int, row: dict[str, str | None]) -> HoldRequest:
    place = Place(file=str(file), line=line)
    cells = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    if None in row:
        raise InputError("the row has more cells than the header", fix="quote cells with commas", place=place)
    for name in _NEEDED:
        if not cells[name]:
            raise InputError("it is empty", fix="fill it in", place=Place(file=str(file), line=line, field=name))
    if re.fullmatch(r"-?\d+", cells["accelerators"]) is None:
        where = Place(file=str(file), line=line, field="accelerators")
        raise InputError(f"{cells['accelerators']!r} is not a whole number", fix="write for example 64", place=where)
    try:
        return request(
            key=cells["key"] or ledger.new_id(),
            pool=cells["pool"],
            accelerators=int(cells["accelerators"]),
            from_=cells["from"],
            until=cells["until"] or None,
            length=cells["for"] or None,
            holder=cells["holder"],
            timeout=cells["timeout"] or None,
        )
    except InputError as error:
        raise error.at(place) from None


def rehearsed(ledger: Ledger, requests: Sequence[HoldRequest], together: bool) -> list[str]:
    """What each request would come to, a line each; nothing is written.

    Raises `InputError` with what is free instead where none would be placed, and for a pool that is not in the books.
    """
    facts = {fact.id: fact for fact in rehearse(ledger, lambda: place_holds(ledger, requests, together=together))}
    refusals = [refusal_of(fact) for fact in facts.values() if fact.kind == FactKind.HOLD_REFUSED]
    if refusals:
        _check_pools(ledger, requests)
    if len(refusals) == len(requests):
        worst = next((answer for answer in refusals if answer.because == "capacity"), refusals[0])
        raise InputError(_instead(worst), fix="ask for less, or for later")
    return [_line(asked, facts.get(asked.id)) for asked in requests]


def _check_pools(ledger: Ledger, requests: Sequence[HoldRequest]) -> None:
    known = sorted({chain.removeprefix(POOL) for chain in ledger.journal.chains(POOL)})
    for asked in requests:
        if asked.pool not in known:
            near = difflib.get_close_matches(asked.pool, known, n=1)
            fix = f"did you mean {near[0]}?" if near else f"the pools are {', '.join(known[:8]) or 'none yet'}"
            raise InputError(f"nothing was ever delivered to a pool {asked.pool!r}", fix=fix)


def _line(asked: HoldRequest, fact: Fact | None) -> str:
    word = "repeat" if fact is None else "place" if fact.kind == FactKind.HOLD_PLACED else "refuse"
    what = f"{word} {asked.accelerators:,} accelerators in {asked.pool} for {asked.holder}"
    return f"{what}, {iso(asked.from_at)} until {iso(asked.until_at)}"


def place(ledger: Ledger, requests: Sequence[HoldRequest], together: bool) -> tuple[HoldAnswer, ...]:
    """Place the holds."""
    return place_holds(ledger, requests, together=together)


def refused(answers: Sequence[HoldAnswer]) -> list[str]:
    """For every refused request what is free instead, in words."""
    return [_instead(answer) for answer in answers if answer.state is HoldState.REFUSED]


def _instead(answer: HoldAnswer) -> str:
    if answer.because == "batch":
        return f"hold {answer.id} was refused because another of its batch does not fit"
    then = (
        f"all of it fits from {iso(answer.earliest_at)}"
        if answer.earliest_at is not None
        else "it fits at no later time"
    )
    return f"hold {answer.id} was refused: at most {answer.largest:,} are free then; {then}"


def placed(answers: Sequence[HoldAnswer]) -> Listing:
    """The answers as rows."""
    return answer_rows(answers)


def settle(ledger: Ledger, how: str, hold_id: str, key: str, accelerators: int | None, at: str | None) -> Work:
    """The work of posting, voiding or releasing."""
    if how == "post":
        return partial(post_hold, ledger, hold_id, key=key, accelerators=accelerators)
    if how == "void":
        return partial(void_hold, ledger, hold_id, key=key)
    return partial(release_hold, ledger, hold_id, key=key, at=None if at is None else instant(at))


def shown(ledger: Ledger, hold_id: str) -> tuple[Listing, ...]:
    """One hold and its breaches."""
    hold = hold_with_id(ledger, hold_id)
    return hold_rows([hold]), breach_rows([(hold.id, breach) for breach in hold.breaches])


def listed(
    ledger: Ledger, when: AsOf, *, pool: str | None, holder: str | None, states: Sequence[str], active: bool
) -> Listing:
    """Holds by what is asked; active ones claim capacity at the asked instant. Raises `InputError`."""
    wrong = [state for state in states if state not in tuple(HoldState)]
    if wrong:
        raise InputError(f"{wrong[0]!r} is no state of a hold", fix=f"one of {', '.join(HoldState)}")
    return hold_rows(h for h in holds(ledger, when, pool) if _asked(h, when, holder, states, active))


def _asked(hold: Hold, when: AsOf, holder: str | None, states: Sequence[str], active: bool) -> bool:
    claims = hold.state in (HoldState.PENDING, HoldState.POSTED, HoldState.RELEASED)
    now = claims and hold.from_at <= when.at < hold.until_at
    return (not holder or hold.holder == holder) and (not states or hold.state in states) and (now or not active)
