"""Listings of what is in the books: leases, holds, balances, bills, as rows ready to be shown or exported."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from acreage.domain.balance import Drawdown
from acreage.domain.contract import Deadline
from acreage.domain.hold import Breach, Hold, HoldAnswer, HoldState
from acreage.domain.match import Match
from acreage.flow.books import told
from acreage.flow.books_columns import Listing, Row
from acreage.ledger.contracts import commitments, leases
from acreage.ledger.deadlines import deadlines
from acreage.ledger.facts import FOLLOW_UPS, POOL, Fact, FactKind
from acreage.ledger.holds import holds_of
from acreage.ledger.leases import LeaseView
from acreage.ledger.ledger import Ledger
from acreage.ledger.segments import delivered_grid, handovers, promised_grid
from acreage.ledger.statements import AsOf, deliveries_by_lease, drawdowns, money_balances, pool_balances
from acreage.ledger.verify import Verdict
from acreage.units.ids import LeaseId
from acreage.units.instants import SECONDS_PER_DAY, SECONDS_PER_HOUR, iso, moment
from acreage.units.money import usd_text

LEASES_SHOWN = ("id", "state", "provider", "pool", "leased", "delivered", "starts_at", "ends_at", "price_usd")
HOLDS_SHOWN = ("id", "pool", "holder", "state", "accelerators", "from_at", "until_at", "short")
FACTS_SHOWN = ("recorded_at", "id", "told", "actor")


def lease_rows(ledger: Ledger, when: AsOf, only: Sequence[str] = ()) -> Listing:
    """Leases and where they stand."""
    views = [view for view in leases(ledger, when.at, when.known_at) if not only or view.id in only]
    got = deliveries_by_lease(ledger, when, views)
    return Listing(kind="leases", rows=[_lease(v, got.get(v.id, ()), when) for v in views], shown=LEASES_SHOWN)


def _lease(view: LeaseView, deliveries: Sequence[Fact], when: AsOf) -> Row:
    contract, lease = view.contract, view.contract.lease
    return {
        "id": view.id,
        "state": view.state.value,
        "side": contract.side.value,
        "provider": lease.provider,
        "counterparty": contract.counterparty,
        "pool": lease.pool,
        "accelerator": contract.accelerator,
        "leased": promised_grid(view).free_at(when.at) if view.signed_at is not None else 0,
        "delivered": delivered_grid(deliveries).free_at(when.at),
        "starts_at": iso(lease.starts_at),
        "ends_at": iso(view.ends_at),
        "price_usd": usd_text(lease.terms.price.amount_micro_usd),
        "price_basis": lease.terms.price.basis.value,
        "commitment": contract.commitment,
        "signed_at": _iso(view.signed_at),
    }


def promise_rows(view: LeaseView, deliveries: Sequence[Fact], when: AsOf) -> Listing:
    """What a lease promised against what it delivered, first promised first delivered."""
    rows: list[Row] = [
        {
            "lease": view.id,
            "accelerators": int(h.accelerators),
            "due_at": iso(h.promised_at),
            "delivered_at": iso(h.from_at),
            "late_days": max(h.from_at - h.promised_at, 0) / SECONDS_PER_DAY,
        }
        for h in handovers(view, deliveries, when.at)
    ]
    return Listing(kind="promises", rows=rows)


def delivery_rows(by_lease: Mapping[LeaseId, Sequence[Fact]], only: Sequence[str] = ()) -> Listing:
    """The deliveries that stand, and what is handed over of leases that are let."""
    facts = [fact for lease, all_ in sorted(by_lease.items()) for fact in all_ if not only or lease in only]
    rows: list[Row] = [
        {
            "id": f.id,
            "lease": f.subject,
            "pool": f.chain.removeprefix(POOL),
            "accelerators": f.accelerators,
            "from_at": _iso(f.from_at),
            "until_at": _iso(f.until_at),
            "recorded_at": iso(f.recorded_at),
            "announced": (f.from_at or 0) > f.recorded_at,
        }
        for f in facts
    ]
    shown = ("id", "lease", "accelerators", "from_at", "until_at", "announced")
    return Listing(kind="deliveries", rows=rows, shown=shown)


def fact_rows(facts: Iterable[Fact]) -> Listing:
    """Facts as they were written."""
    rows: list[Row] = [
        {
            "id": f.id,
            "chain": f.chain,
            "seq": f.seq,
            "kind": f.kind,
            "subject": f.subject,
            "actor": f.actor,
            "happened_at": iso(f.happened_at),
            "recorded_at": iso(f.recorded_at),
            "corrects": f.corrects or None,
            "told": told(f),
            "hash": f.hash.hex(),
        }
        for f in facts
    ]
    return Listing(kind="facts", rows=rows, shown=FACTS_SHOWN)


def holds(ledger: Ledger, when: AsOf, pool: str | None = None) -> tuple[Hold, ...]:
    """The holds of a pool, or of all, as known then."""
    kinds = {FactKind.HOLD_PLACED, FactKind.HOLD_REFUSED, *FOLLOW_UPS}
    found: list[Hold] = []
    for chain in ledger.journal.chains(POOL):
        if pool is None or chain == f"{POOL}{pool}":
            facts = (f for f in ledger.journal.read(chain) if f.kind in kinds and f.recorded_at <= when.known_at)
            found += holds_of(facts)
    return tuple(found)


def hold_rows(found: Iterable[Hold]) -> Listing:
    """Holds and where they stand."""
    rows: list[Row] = [
        {
            "id": h.id,
            "pool": h.pool,
            "holder": h.holder,
            "state": h.state.value,
            "accelerators": h.accelerators,
            "asked": h.asked,
            "from_at": iso(h.from_at),
            "until_at": iso(h.until_at),
            "placed_at": iso(h.placed_at),
            "expires_at": _iso(h.expires_at),
            "short": max((b.short for b in h.breaches), default=0),
            "breaches": len(h.breaches),
        }
        for h in found
    ]
    return Listing(kind="holds", rows=rows, shown=HOLDS_SHOWN)


def answer_rows(answers: Iterable[HoldAnswer]) -> Listing:
    """What became of requests for holds."""
    rows: list[Row] = [
        {
            "id": a.id,
            "state": a.state.value,
            "headroom": a.headroom if a.state is not HoldState.REFUSED else None,
            "largest": a.largest if a.state is HoldState.REFUSED else None,
            "earliest_at": _iso(a.earliest_at),
            "because": a.because or None,
            "expires_at": _iso(a.expires_at),
        }
        for a in answers
    ]
    return Listing(kind="answers", rows=rows)


def breach_rows(breaches: Iterable[tuple[str, Breach]]) -> Listing:
    """Holds that cannot be kept, the oldest promise first."""
    rows: list[Row] = [
        {"hold": id_, "short": b.short, "from_at": iso(b.from_at), "until_at": iso(b.until_at), "cause": b.cause}
        for id_, b in breaches
    ]
    return Listing(kind="breaches", rows=rows)


def commitment_rows(ledger: Ledger, when: AsOf) -> tuple[Listing, Listing]:
    """Spend commitments and their milestones."""
    found = drawdowns(ledger, when)
    milestones: list[Row] = [
        {
            "commitment": d.commitment,
            "due_at": iso(m.due_at),
            "pledged_usd": usd_text(m.pledged_micro_usd),
            "drawn_usd": usd_text(m.drawn_micro_usd),
            "shortfall_usd": usd_text(m.shortfall_micro_usd),
            "past": m.past,
        }
        for d in found
        for m in d.milestones
    ]
    shown = (
        "id",
        "provider",
        "state",
        "pledged_usd",
        "drawn_usd",
        "burn_usd_per_day",
        "next_due_at",
        "next_shortfall_usd",
    )
    return (
        Listing(kind="commitments", rows=[_commitment(d) for d in found], shown=shown),
        Listing(kind="milestones", rows=milestones),
    )


def _commitment(d: Drawdown) -> Row:
    ahead = next((m for m in d.milestones if not m.past), None)
    return {
        "id": d.commitment,
        "provider": d.provider,
        "state": d.state,
        "pledged_usd": usd_text(d.pledged_micro_usd),
        "drawn_usd": usd_text(d.drawn_micro_usd),
        "burn_usd_per_day": usd_text(d.burn_micro_usd_per_day),
        "next_due_at": iso(ahead.due_at) if ahead else None,
        "next_shortfall_usd": usd_text(ahead.shortfall_micro_usd) if ahead else None,
        "expires_at": iso(d.expires_at),
        "exhausted_at": _iso(d.exhausted_at),
        "lost_usd": usd_text(d.lost_micro_usd),
    }


def balance_rows(ledger: Ledger, when: AsOf) -> Listing:
    """Pools: what is late, idle, held unused and used."""
    rows: list[Row] = [
        {
            "pool": b.pool,
            "leased_now": b.leased_now,
            "delivered_now": b.delivered_now,
            "held_now": b.held_now,
            "leased_hours": _hours(b.leased),
            "late_hours": _hours(b.late),
            "idle_hours": _hours(b.idle),
            "held_unused_hours": _hours(b.held_unused),
            "used_hours": _hours(b.used),
        }
        for b in pool_balances(ledger, when)
    ]
    return Listing(kind="balances", rows=rows)


def account_rows(ledger: Ledger, when: AsOf) -> Listing:
    """Providers and lessees: invoiced, paid, disputed."""
    rows: list[Row] = [
        {
            "party": b.party,
            "side": b.side.value,
            "invoiced_usd": usd_text(b.invoiced_micro_usd),
            "paid_usd": usd_text(b.paid_micro_usd),
            "payable_usd": usd_text(b.payable_micro_usd),
            "disputed_usd": usd_text(b.disputed_micro_usd),
        }
        for b in money_balances(ledger, when)
    ]
    return Listing(kind="accounts", rows=rows)


def match_rows(match: Match, *, lease: str | None = None, month: str | None = None) -> tuple[Listing, Listing, Listing]:
    """The match by lease and month, its findings, and the charges without a lease."""

    def asked(of_lease: str, at: int) -> bool:
        return (lease is None or of_lease == lease) and (month is None or _month(at) == month)

    rows: list[Row] = [
        {
            "lease": r.lease,
            "side": r.side.value,
            "month": _month(r.month),
            "leased_hours": _hours(r.leased),
            "delivered_hours": _hours(r.delivered),
            "used_hours": None if r.used is None else _hours(r.used),
            "billed_hours": _hours(r.billed),
            "expected_usd": usd_text(r.expected_micro_usd),
            "billed_usd": usd_text(r.billed_micro_usd),
            "other_usd": usd_text(r.other_micro_usd),
            "credit_owed_usd": usd_text(r.credit_owed_micro_usd),
            "credit_usd": usd_text(r.credit_micro_usd),
            "invoiced": r.invoiced,
        }
        for r in match.rows
        if asked(r.lease, r.month)
    ]
    findings: list[Row] = [
        {
            "kind": f.kind.value,
            "remedy": f.remedy.value,
            "lease": f.lease,
            "month": _month(f.month) if f.month else None,
            "hours": _hours(f.accelerator_seconds),
            "usd": usd_text(f.micro_usd),
            "message": f.message,
        }
        for f in match.findings
        if asked(f.lease, f.month)
    ]
    unmatched: list[Row] = [
        {"provider": u.provider, "description": u.description, "rows": u.rows, "usd": usd_text(u.micro_usd)}
        for u in match.unmatched
        if lease is None
    ]
    shown = (
        "lease",
        "side",
        "month",
        "leased_hours",
        "delivered_hours",
        "used_hours",
        "billed_hours",
        "expected_usd",
        "billed_usd",
    )
    return (
        Listing(kind="match", rows=rows, shown=(*shown, "credit_owed_usd", "credit_usd")),
        Listing(kind="findings", rows=findings, shown=("kind", "remedy", "lease", "month", "usd", "message")),
        Listing(kind="unmatched", rows=unmatched),
    )


def flaw_rows(verdict: Verdict) -> Listing:
    """What is wrong with the books."""
    rows: list[Row] = [{"chain": f.chain, "seq": f.seq, "id": f.id, "what": f.what} for f in verdict.flaws]
    return Listing(kind="flaws", rows=rows)


def upcoming(ledger: Ledger, when: AsOf) -> tuple[Deadline, ...]:
    """Every deadline of the contracts in the books, passed or not."""
    held = [(view.contract, view.state) for view in leases(ledger, when.at, when.known_at)]
    return deadlines(held, commitments(ledger, when.at, when.known_at).values())


def day_rows(found: Iterable[Deadline]) -> Listing:
    """Deadlines."""
    rows: list[Row] = [{"at": iso(d.at), "kind": d.kind, "subject": d.subject, "summary": d.summary} for d in found]
    return Listing(kind="days", rows=rows)


def _iso(at: int | None) -> str | None:
    return None if at is None else iso(at)


def _hours(accelerator_seconds: int) -> float:
    return float(round(Fraction(accelerator_seconds, SECONDS_PER_HOUR), 2))


def _month(at: int) -> str:
    return moment(at).strftime("%Y-%m")
