"""The books from outside: opening them, rehearsing a change before it is made, and telling facts in words.

`open_books` is also where a notebook starts: what it returns is what the functions of `acreage.ledger` take.
"""

import getpass
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from acreage.ledger.facts import Fact, FactKind
from acreage.ledger.journals.registry import open_journal
from acreage.ledger.ledger import Ledger, Rehearsed
from acreage.ledger.statements import AsOf
from acreage.ledger.verify import anchor
from acreage.units.errors import InputError, Place
from acreage.units.ids import new_id
from acreage.units.instants import SECONDS_PER_HOUR, Instant, instant, iso
from acreage.units.money import usd_text

ENVIRONMENT = "ACREAGE_LEDGER"
DEFAULT = "acreage.db"

Work = Callable[[], object]


def open_books(
    address: str | None = None,
    *,
    make: bool = True,
    scratch: bool = False,
    actor: str | None = None,
    clock: Callable[[], Instant] = lambda: Instant(int(time.time())),
) -> Ledger:
    """Open books at a SQLite file or postgresql:// address; None: $ACREAGE_LEDGER, else acreage.db here.

    `scratch` opens empty books in memory where there are none yet, to rehearse on. Raises `InputError`
    where they cannot be opened, or are not there and neither `make` nor `scratch` is given.
    """
    where = address or os.environ.get(ENVIRONMENT) or DEFAULT
    if scratch and "://" not in where and not Path(where).exists():
        where = ":memory:"
    elif not make and "://" not in where and not Path(where).exists():
        raise InputError(
            "there are no books here",
            fix="start with `acreage lease propose`, or name them with --ledger or ACREAGE_LEDGER",
            place=Place(file=where),
        )
    return Ledger(journal=open_journal(where), actor=actor or getpass.getuser(), clock=clock, new_id=new_id)


def as_of(ledger: Ledger, at: str | None, known_at: str | None) -> AsOf:
    """The two times of a question from what the user wrote; raises `InputError` for what is no date."""
    now = ledger.clock()
    when = instant(at) if at else now
    return AsOf(at=when, known_at=instant(known_at) if known_at else max(now, when) if at is None else now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a numbered plan, and the work it stands for."""

    line: str
    work: Work


def rehearse(ledger: Ledger, work: Work) -> tuple[Fact, ...]:
    """What a change would write, decided and checked as it will be; nothing is written."""
    ledger.rehearsing = True
    try:
        work()
    except Rehearsed as done:
        return done.facts
    finally:
        ledger.rehearsing = False
    return ()


def steps_of(ledger: Ledger, works: Sequence[Work]) -> list[Step]:
    """The numbered plan of changes that do not depend on each other; raises `InputError` where one cannot be."""
    found = []
    for work in works:
        facts = rehearse(ledger, work)
        lines = [told(fact) for fact in facts] or ["nothing: this is in the books already"]
        found.append(Step(line="; ".join(lines), work=work))
    return found


def finish(ledger: Ledger) -> None:
    """Tie the heads of what was written into the global chain."""
    anchor(ledger)


def told(fact: Fact) -> str:
    """What a fact says, in one line for people."""
    kind = FactKind(fact.kind)
    chain = fact.chain.partition(":")[2]
    words = kind.value.replace("_", " ")
    parts = [words, fact.subject if kind in _ABOUT_SUBJECT else chain]
    if fact.accelerators is not None:
        parts.append(
            f"{fact.accelerators:+,} accelerators" if kind in _CHANGES else f"{fact.accelerators:,} accelerators"
        )
    if fact.accelerator_seconds is not None:
        parts.append(f"{fact.accelerator_seconds / SECONDS_PER_HOUR:,.1f} accelerator-hours")
    if fact.micro_usd is not None and kind is not FactKind.VENUE_POSTED:
        parts.append(f"{usd_text(fact.micro_usd)} USD")
    if fact.from_at is not None and fact.until_at is not None:
        parts.append(f"from {iso(fact.from_at)} until {iso(fact.until_at)}")
    if kind.value.startswith(("rfq", "offer", "venue")) and fact.subject != chain:
        parts.append(fact.subject)
    if kind is FactKind.VENUE_POSTED:
        parts.append(f"matched at once for {usd_text(fact.micro_usd)} USD" if fact.micro_usd else "which stands")
    if kind in (FactKind.HOLD_PLACED, FactKind.HOLD_REFUSED):
        parts.append(f"in {chain}")
    if fact.expires_at is not None:
        parts.append(f"pending until {iso(fact.expires_at)}")
    return " ".join(part for part in parts if part)


_CHANGES = (FactKind.DELIVERED, FactKind.DELIVERY_RETRACTED)
_ABOUT_SUBJECT = tuple(kind for kind in FactKind if kind.value.startswith(("hold", "deliver", "charge", "usage")))
