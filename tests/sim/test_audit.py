"""The audit finds whatever is tampered with: each rule by a run in which it alone is broken."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from acreage.sim.audit import AuditFailure, audit, audited
from acreage.sim.books import books_of
from acreage.sim.events import Called, Delivered, Event, Needed, Signed, Sold
from acreage.sim.kernel import Run, run
from tests.sim.worlds import small

Spoil = Callable[[Event], Event | None]


def spoilt(kind: type, change: Callable[[Event], Event]) -> tuple[Run, set[str]]:
    """A run whose last event of a kind is changed, and the rules that the audit finds broken."""
    done = run(small(), 3, 0)
    events = list(done.events)
    place = max(i for i, event in enumerate(events) if isinstance(event, kind))
    events[place] = change(events[place])
    wrong = replace(done, events=tuple(events))
    return wrong, {finding.rule for finding in audit(small(), wrong, books_of(small(), events))}


@pytest.mark.parametrize(
    ("kind", "changes", "rule"),
    [
        (Delivered, {"accelerators": 1}, "capacity"),
        (Called, {"called": 10**6}, "anchor"),
        (Called, {"delivered": 1}, "anchor"),
        (Signed, {"lease": "lease-1"}, "lease"),
        (Signed, {"accelerators": 0}, "lease"),
        (Signed, {"micro_usd": 1}, "price"),
        (Signed, {"micro_usd": 10**8}, "price"),
        (Signed, {"lab": "birch", "where": ("north", "H100")}, "dealing"),
        (Sold, {"micro_usd": 1}, "price"),
        (Sold, {"seller": "cedar", "accelerators": 10**5}, "resale"),
        (Needed, {"need": 10**6}, "shortage"),
        (Signed, {"micro_usd": 2_010_000, "from_tick": 0}, "accounts"),
    ],
)
def test_what_is_tampered_with_is_found(kind: type, changes: dict[str, object], rule: str) -> None:
    """One changed field of one event breaks at least the rule that guards it."""
    _, rules = spoilt(kind, lambda event: replace(event, **changes))  # type: ignore[type-var]
    assert rule in rules


def test_balances_that_do_not_follow_from_the_events_are_found() -> None:
    """A micro-dollar too much in one account is enough, and the run raises."""
    done = run(small(), 3, 0)
    name = next(iter(done.balances))
    with pytest.raises(AuditFailure, match="accounts"):
        audited(small(), replace(done, balances={**done.balances, name: done.balances[name] + 1}))


def test_a_run_left_alone_passes() -> None:
    """There is nothing to find in what the kernel did."""
    assert list(audit(small(), run(small(), 3, 0), audited(small(), run(small(), 3, 0)))) == []
