"""Capacity is booked double-entry: what the facts move between accounts is what the balances say."""

from decimal import Decimal

import pytest

from acreage.ledger.billing import import_usage
from acreage.ledger.contracts import leases
from acreage.ledger.deliveries import record_delivery
from acreage.ledger.entries import (
    HELD,
    IDLE,
    LATE,
    PROMISED,
    USED,
    balances,
    capacity_entries,
    lease_entries,
    usage_entries,
)
from acreage.ledger.facts import POOL as POOL_CHAINS
from acreage.ledger.facts import USAGE
from acreage.ledger.holds import place_holds, post_hold, release_hold
from acreage.ledger.ledger import Ledger
from acreage.ledger.statements import AsOf, pool_balances, present
from acreage.units.instants import Instant
from tests.ledger.bills import frame, row
from tests.ledger.cases import DAY, POOL, START, asks, signed


@pytest.fixture
def busy(ledger: Ledger) -> Ledger:
    """A lease of 100 delivered late and in two parts, one taken back; holds posted in part and released; use."""
    lease = signed(ledger)
    record_delivery(ledger, lease, 60, at=Instant(START + 3 * DAY), key="first")
    record_delivery(ledger, lease, 40, at=Instant(START + 9 * DAY), key="second")
    record_delivery(ledger, lease, -10, at=Instant(START + 20 * DAY), key="back")
    place_holds(
        ledger, [asks("a", 50, START + 4 * DAY, START + 30 * DAY), asks("b", 30, START + 10 * DAY, START + 25 * DAY)]
    )
    place_holds(ledger, [asks("c", 8, START + 5 * DAY, START + 15 * DAY, timeout_s=600)])
    post_hold(ledger, "c", key="c-posted", accelerators=3)
    release_hold(ledger, "b", key="b-released", at=Instant(START + 18 * DAY))
    used = row(
        "basalt-1",
        START + 4 * DAY,
        START + 14 * DAY,
        None,
        Decimal(0),
        ConsumedQuantity=Decimal(9_601),
        ConsumedUnit="GPU-Hours",
    )
    import_usage(ledger, frame([used]), [view.contract for view in leases(ledger)])
    return ledger


@pytest.mark.parametrize("day", [0, 3, 7, 12, 19, 26, 40])
def test_entries_add_up_to_the_balances_and_every_pool_to_nothing(busy: Ledger, day: int) -> None:
    """Late, idle, held and not used, used: each account on each day, by two ways that share no sums."""
    at = Instant(START + day * DAY)
    when = AsOf(at=at, known_at=present(busy).known_at)
    views = leases(busy)
    facts = [fact for chain in busy.journal.chains(POOL_CHAINS) for fact in busy.journal.read(chain)]
    metered = [fact for chain in busy.journal.chains(USAGE) for fact in busy.journal.read(chain)]
    pools = {view.id: view.contract.lease.pool for view in views}
    entries = [entry for view in views for entry in lease_entries(view)]
    entries += [*capacity_entries(facts), *usage_entries(metered, pools)]
    found = balances(entries, at)
    (balance,) = pool_balances(busy, when)
    accounts = (PROMISED, LATE, IDLE, HELD, USED)
    assert tuple(found.get((POOL, account), 0) for account in accounts) == (
        -balance.leased,
        balance.late,
        balance.idle,
        balance.held_unused,
        balance.used,
    )
    assert sum(found.values()) == 0
