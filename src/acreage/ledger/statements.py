"""Answers from the books that need several chains: the match, the drawdown of commitments, balances."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

import polars as pl

from acreage.domain.balance import Drawdown, MoneyBalance, PoolBalance
from acreage.domain.contract import Side
from acreage.domain.match import Match, Unmatched
from acreage.ledger.contracts import commitments, leases
from acreage.ledger.deliveries import deliveries_of
from acreage.ledger.drawdown import drawdown, eligible_by_month
from acreage.ledger.facts import BILL, POOL, USAGE, Fact, FactKind, bill_chain, pool_chain
from acreage.ledger.grid import CapacityGrid
from acreage.ledger.handed import handed_over
from acreage.ledger.leases import LeaseView
from acreage.ledger.ledger import Ledger
from acreage.ledger.match import lumps_of, match_leases, stretches_by_lease
from acreage.ledger.pool_book import PoolBook
from acreage.ledger.segments import promised_grid
from acreage.ledger.tally import tally
from acreage.ledger.totals import Line, Totals, money, totals, totals_known, used_until
from acreage.units.ids import LeaseId, PoolId, ProviderId
from acreage.units.instants import Instant
from acreage.units.money import MicroUsd

_CAPACITY = (FactKind.DELIVERED.value, FactKind.DELIVERY_RETRACTED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """Two times: what was true `at` an instant, as far as it had been recorded by `known_at`."""

    at: Instant
    known_at: Instant


def present(ledger: Ledger) -> AsOf:
    """Now, with everything known."""
    now = ledger.clock()
    return AsOf(at=now, known_at=now)


def four_way_match(ledger: Ledger, when: AsOf | None = None) -> Match:
    """Match everything recorded. Time and memory grow with the facts at most linearly; see benchmarks/ledger."""
    when = when or present(ledger)
    signed = (v for v in leases(ledger, when.at, when.known_at) if v.signed_at is not None)
    views = [view for view in signed if view.contract.side is not Side.OWN]
    stretches = stretches_by_lease(views, when.at)
    retracted = retractions(ledger)
    journal = ledger.journal
    charges = tally(
        journal,
        journal.chains(BILL),
        FactKind.CHARGE_INVOICED,
        stretches,
        known_at=when.known_at,
        retracted=retracted,
        lumps=lumps_of(views),
    )
    usage = tally(
        journal,
        journal.chains(USAGE),
        FactKind.USAGE_METERED,
        stretches,
        known_at=when.known_at,
        retracted=retracted,
    )
    deliveries = deliveries_by_lease(ledger, when, views)
    return match_leases(views, deliveries, charges, usage, unmatched_charges(ledger, when), when.at)


def pool_balances(ledger: Ledger, when: AsOf | None = None) -> tuple[PoolBalance, ...]:
    """What is leased, delivered, held and used of each pool up to an instant, and how many then.

    What is let to others is no more leased capacity but a hold on it; what its lessee uses is used of the hold.
    """
    when = when or present(ledger)
    views = [v for v in leases(ledger, when.at, when.known_at) if v.signed_at is not None]
    used = _used_by_lease(ledger, when)
    pools = {PoolId(chain.removeprefix(POOL)) for chain in ledger.journal.chains(POOL)}
    pools |= {view.contract.lease.pool for view in views}
    return tuple(
        _balance(ledger, pool, [v for v in views if v.contract.lease.pool == pool], used, when)
        for pool in sorted(pools)
    )


def _balance(ledger: Ledger, pool: PoolId, views: list[LeaseView], used: Mapping[str, int], when: AsOf) -> PoolBalance:
    book = pool_as_of(ledger, pool, when.known_at)
    promised = [promised_grid(view) for view in views if view.contract.side is not Side.LET]
    delivered, free = up_to(book.delivered, when.at), up_to(book.free, when.at)
    now = book.delivered.free_at(when.at)
    return PoolBalance(
        pool=pool,
        leased=sum(up_to(grid, when.at) for grid in promised),
        delivered=delivered,
        held=delivered - free,
        used=sum(used.get(view.id, 0) for view in views),
        leased_now=sum(grid.free_at(when.at) for grid in promised),
        delivered_now=now,
        held_now=now - book.free.free_at(when.at),
    )


def up_to(grid: CapacityGrid, at: int) -> int:
    """The accelerator-seconds of a grid up to an instant: every change counts from when it is made."""
    times, deltas = grid.changes()
    inside = times < at
    return int((deltas[inside] * (at - times[inside])).sum())


def pool_as_of(ledger: Ledger, pool: PoolId, known_at: Instant) -> PoolBook:
    """A pool's book as it was known at an instant; the present one is not read anew."""
    chain = pool_chain(pool)
    ledger.refresh([chain])
    if ledger.books[chain].head.recorded_at <= known_at:
        return ledger.books[chain]
    book = PoolBook()
    book.catch_up(takewhile(lambda fact: fact.recorded_at <= known_at, ledger.journal.read(chain)))
    return book


def _used_by_lease(ledger: Ledger, when: AsOf) -> dict[str, int]:
    used: dict[str, int] = {}
    for chain in ledger.journal.chains(USAGE):
        for lease, seconds in _used_of(ledger, chain, when):
            used[lease] = used.get(lease, 0) + seconds
    return used


def _used_of(ledger: Ledger, chain: str, when: AsOf) -> Iterable[tuple[str, int]]:
    """Use by lease from the running totals where all of it lies before the instant, else from the facts."""
    found = totals_of(ledger, chain, when)
    if found.until_at <= when.at:
        return [(x.lease, x.accelerator_seconds) for x in found.lines if x.kind == FactKind.USAGE_METERED]
    return used_until(ledger.journal, chain, when.at, when.known_at).items()


def totals_of(ledger: Ledger, chain: str, when: AsOf) -> Totals:
    """The totals of a chain, from its snapshot where all that is known now was known then."""
    if ledger.journal.head(chain).recorded_at <= when.known_at:
        return totals(ledger.journal, chain)
    return totals_known(ledger.journal, chain, when.known_at)


def money_balances(ledger: Ledger, when: AsOf | None = None) -> tuple[MoneyBalance, ...]:
    """Each provider's account, and each lessee's: invoiced, paid, disputed."""
    when = when or present(ledger)
    lessees = {
        view.id: view.contract.counterparty
        for view in leases(ledger, when.at, when.known_at)
        if view.contract.side is Side.LET
    }
    lines: dict[tuple[str, Side], list[Line]] = {}
    for chain in ledger.journal.chains(BILL):
        for line in totals_of(ledger, chain, when).lines:
            party, side = chain.removeprefix(BILL), Side.HELD
            if line.kind == FactKind.PAYMENT_RECEIVED:
                side = Side.LET
            elif line.lease in lessees and line.kind != FactKind.PAYMENT_MADE:
                party, side = lessees[LeaseId(line.lease)], Side.LET
            lines.setdefault((party, side), []).append(line)
    return tuple(_account(party, side, found) for (party, side), found in sorted(lines.items()))


def _account(party: str, side: Side, lines: list[Line]) -> MoneyBalance:
    opened, closed = (money(lines, kind) for kind in (FactKind.DISPUTE_OPENED, FactKind.DISPUTE_CLOSED))
    paid = money(lines, FactKind.PAYMENT_MADE if side is Side.HELD else FactKind.PAYMENT_RECEIVED)
    return MoneyBalance(
        party=party,
        side=side,
        invoiced_micro_usd=MicroUsd(money(lines, FactKind.CHARGE_INVOICED)),
        paid_micro_usd=MicroUsd(paid),
        disputed_micro_usd=MicroUsd(opened - closed),
    )


def drawdowns(ledger: Ledger, when: AsOf | None = None) -> tuple[Drawdown, ...]:
    """Where every spend commitment stands, and what its milestones will cost at the present burn rate."""
    when = when or present(ledger)
    contracts = {view.id: view.contract for view in leases(ledger, when.at, when.known_at)}
    found = []
    for contract in commitments(ledger, when.at, when.known_at).values():
        lines = totals_of(ledger, bill_chain(contract.spend.provider), when).lines
        found.append(drawdown(contract, eligible_by_month(contract, lines, contracts), when.at))
    return tuple(found)


def deliveries_by_lease(ledger: Ledger, when: AsOf, views: Iterable[LeaseView]) -> Mapping[LeaseId, list[Fact]]:
    """The deliveries that stand by lease, as recorded by then; for the let ones of `views` what is handed over."""
    found: dict[LeaseId, list[Fact]] = {}
    for chain in ledger.journal.chains(POOL):
        ids: list[str] = []
        for frame in ledger.journal.columns(("id", "recorded_at"), [chain], kinds=_CAPACITY):
            ids += frame.filter(pl.col("recorded_at") <= when.known_at)["id"].to_list()
        facts = sorted(ledger.journal.with_ids(ids).values(), key=lambda fact: fact.seq)
        for lease, kept in deliveries_of(facts).items():
            found.setdefault(lease, []).extend(kept)
    let: dict[PoolId, list[LeaseId]] = {}
    for view in views:
        if view.contract.side is Side.LET and view.signed_at is not None:
            let.setdefault(view.contract.lease.pool, []).append(view.id)
    for pool, lets in let.items():
        found.update(handed_over(ledger, pool, lets, pool_as_of(ledger, pool, when.known_at), when.known_at))
    return found


def retractions(ledger: Ledger) -> frozenset[str]:
    """The facts about use and money that were taken back."""
    chains = [*ledger.journal.chains(BILL), *ledger.journal.chains(USAGE)]
    frames = ledger.journal.columns(("corrects",), chains, kinds=(FactKind.RETRACTED.value,))
    return frozenset(id_ for frame in frames for id_ in frame["corrects"])


def unmatched_charges(ledger: Ledger, when: AsOf) -> tuple[Unmatched, ...]:
    """Charges that belong to no lease, by provider and description."""
    sums: dict[tuple[str, str], list[int]] = {}
    gone = list(retractions(ledger))
    columns = ("id", "subject", "micro_usd", "recorded_at", "body")
    for chain in ledger.journal.chains(BILL):
        provider = chain.removeprefix(BILL)
        for frame in ledger.journal.columns(columns, [chain], kinds=(FactKind.CHARGE_INVOICED.value,)):
            stray = (pl.col("subject") == "") & (pl.col("recorded_at") <= when.known_at)
            rows = frame.filter(stray & ~pl.col("id").is_in(gone))
            described = rows.with_columns(what=pl.col("body").str.json_path_match("$.ChargeDescription").fill_null(""))
            for what, count, amount in (
                described.group_by("what").agg(pl.len().alias("n"), pl.col("micro_usd").sum()).iter_rows()
            ):
                entry = sums.setdefault((provider, what), [0, 0])
                entry[0] += count
                entry[1] += amount
    return tuple(
        Unmatched(provider=ProviderId(p), description=what, rows=n, micro_usd=MicroUsd(amount))
        for (p, what), (n, amount) in sorted(sums.items())
    )
