"""Money and use as others report them: charges and metered use from FOCUS rows, payments, disputes.

A charge is matched to a lease by the names the provider bills it under; what matches nothing is kept and
listed. The same row is the same fact, however often and in whatever file it comes.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec
import polars as pl

from acreage.domain.contract import Contract
from acreage.domain.price import PriceBasis
from acreage.ledger.facts import BILL, USAGE, Draft, Fact, FactKind, bill_chain, usage_chain
from acreage.ledger.ledger import Draw, Ledger, repeated_with_other_content
from acreage.units.errors import InputError
from acreage.units.ids import LeaseId, ProviderId
from acreage.units.instants import SECONDS_PER_HOUR, Instant, iso
from acreage.units.money import MicroUsd, micro_usd

PIECE = 20_000
"""Rows written in one transaction."""

_NAMES = ("CapacityReservationId", "CommitmentDiscountId", "ResourceId", "SkuId", "SubAccountId", "x_AcreageLease")
_TAGS = ("acreage_lease", "lease")
_PER_ACCELERATOR = ("accelerator", "chip", "gpu", "tpu")
_PER_UNIT = ("hour", "hrs", "hr")


Make = Callable[[Draw], Draft]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file: rows in it, those new to the books, and those that match no lease."""

    rows: int
    new: int
    unmatched: int
    billed_micro_usd: MicroUsd
    providers: tuple[str, ...]


class LeaseNames:
    """Finds the lease a row belongs to, by the names that contracts say it is billed under."""

    def __init__(self, contracts: Sequence[Contract]) -> None:
        self._contracts = {contract.lease.id: contract for contract in contracts}
        self._by_name: dict[str, LeaseId | None] = {}
        for contract in contracts:
            for name in (contract.lease.id, *contract.vendor_ids):
                # A name that two leases share tells nothing.
                known = self._by_name.get(name, contract.lease.id)
                self._by_name[name] = contract.lease.id if known == contract.lease.id else None

    def lease_of(self, row: Mapping[str, object]) -> LeaseId | None:
        """The lease of a FOCUS row: by its tags, else by its ids; None where nothing matches."""
        tags = row.get("Tags")
        if isinstance(tags, str) and tags:
            for name in _TAGS:
                value = _tag(tags, name)
                if value is not None and value in self._contracts:
                    return LeaseId(value)
        for column in _NAMES:
            lease = self._by_name.get(str(row.get(column) or ""))
            if lease is not None:
                return lease
        return None

    def accelerator_seconds(self, row: Mapping[str, object], lease: LeaseId | None, quantity: str) -> int | None:
        """A row's quantity in accelerator-seconds, None where its unit is no time of accelerators."""
        amount, unit = row.get(f"{quantity}Quantity"), str(row.get(f"{quantity}Unit") or "").lower()
        if amount is None or not any(word in unit for word in _PER_UNIT):
            return None
        assert isinstance(amount, Decimal)
        chips = Decimal(1)
        if not any(word in unit for word in _PER_ACCELERATOR):
            contract = self._contracts.get(lease) if lease is not None else None
            if contract is None:
                return None
            price = contract.lease.terms.price
            chips = Decimal(repr(price.accelerators_per_unit)) if price.basis is PriceBasis.NODE_HOUR else Decimal(1)
        return round(amount * SECONDS_PER_HOUR * chips)


def import_charges(ledger: Ledger, rows: pl.DataFrame, contracts: Sequence[Contract]) -> Imported:
    """Write the rows of an invoice into the books, each once; `rows` as `focus.reading.read_focus` gives them.

    Raises `InputError` for a currency other than USD, naming the row.
    """
    return _import(ledger, rows, LeaseNames(contracts), FactKind.CHARGE_INVOICED)


def import_usage(ledger: Ledger, rows: pl.DataFrame, contracts: Sequence[Contract]) -> Imported:
    """Write metered use into the books: the consumed quantity of FOCUS rows, whatever they cost."""
    return _import(ledger, rows, LeaseNames(contracts), FactKind.USAGE_METERED)


def _import(ledger: Ledger, rows: pl.DataFrame, names: LeaseNames, kind: FactKind) -> Imported:
    if kind is FactKind.CHARGE_INVOICED:
        _check_currency(rows)
    counted: Counter[str] = Counter()
    new = unmatched = billed = 0
    providers: set[str] = set()
    for piece in rows.iter_slices(PIECE):
        drafts = [_draft_of(row, names, kind, counted) for row in piece.iter_rows(named=True)]
        new += _write(ledger, drafts)
        unmatched += sum(not draft.subject for draft in drafts)
        billed += sum(draft.micro_usd or 0 for draft in drafts)
        providers |= {draft.chain.partition(":")[2] for draft in drafts}
    return Imported(
        rows=len(rows),
        new=new,
        unmatched=unmatched,
        billed_micro_usd=MicroUsd(billed),
        providers=tuple(sorted(providers)),
    )


def _write(ledger: Ledger, drafts: Sequence[Draft]) -> int:
    """Record those drafts that are not in the books yet; returns how many."""

    def decide(draw: Draw) -> int:
        known = ledger.journal.with_ids([draft.id for draft in drafts])
        for draft in drafts:
            if draft.id not in known:
                draw.add(msgspec.structs.replace(draft, happened_at=draw.now))
        return len(drafts) - len(known)

    return ledger.record([draft.chain for draft in drafts], decide)[0] if drafts else 0


def _draft_of(row: Mapping[str, object], names: LeaseNames, kind: FactKind, counted: Counter[str]) -> Draft:
    kept = {name: _text(value) for name, value in row.items() if value is not None and name != "Row"}
    body = msgspec.json.encode(kept, order="sorted").decode()
    digest = hashlib.sha256(f"{kind}\n{body}".encode()).hexdigest()[:40]
    counted[digest] += 1
    lease = names.lease_of(row)
    provider = ProviderId(str(row.get("ProviderName") or "unknown"))
    charge = kind is FactKind.CHARGE_INVOICED
    return Draft(
        chain=bill_chain(provider) if charge else usage_chain(provider),
        # Equal rows of one file are told apart by how many came before.
        id=f"{digest}-{counted[digest]}",
        kind=kind.value,
        subject=lease or "",
        happened_at=0,
        from_at=_epoch(row["ChargePeriodStart"]),
        until_at=_epoch(row["ChargePeriodEnd"]),
        accelerator_seconds=_seconds(row, names, lease, charge),
        micro_usd=micro_usd(_decimal(row["BilledCost"])) if charge else None,
        body=body,
    )


def _seconds(row: Mapping[str, object], names: LeaseNames, lease: LeaseId | None, charge: bool) -> int | None:
    if charge and row.get("ChargeCategory") != "Usage":
        return None
    first = names.accelerator_seconds(row, lease, "Pricing" if charge else "Consumed")
    return names.accelerator_seconds(row, lease, "Consumed" if charge else "Pricing") if first is None else first


def record_payment(
    ledger: Ledger,
    party: str,
    amount: MicroUsd,
    *,
    at: Instant,
    key: str,
    invoice: str = "",
    kind: FactKind = FactKind.PAYMENT_MADE,
) -> None:
    """Record money paid to a provider, or received from a lessee by `kind` (negative: paid back).

    Raises `InputError` for a payment of nothing, or one in the future.
    """
    chain = bill_chain(ProviderId(party))
    if not amount:
        raise InputError("a payment of nothing", fix="name the amount, for example 1200.50")

    def draft(draw: Draw) -> Draft:
        if at > draw.now:
            raise InputError(f"{iso(at)} is in the future", fix="record a payment once it is made")
        return Draft(
            chain=chain,
            id=key,
            kind=kind.value,
            subject=invoice,
            happened_at=at,
            micro_usd=amount,
        )

    _record_one(ledger, chain, draft)


def open_dispute(ledger: Ledger, provider: ProviderId, charge: str, amount: MicroUsd, *, key: str, reason: str) -> None:
    """Dispute a part of a charge. Raises `InputError` where there is no such charge or it is smaller."""
    fact = ledger.journal.with_ids([charge]).get(charge)
    if fact is None or fact.kind != FactKind.CHARGE_INVOICED or fact.chain != bill_chain(provider):
        raise InputError(f"{provider} has no charge {charge!r}", fix="see `acreage invoice match -o json`")
    if not 0 < amount <= abs(fact.micro_usd or 0):
        raise InputError("the disputed amount is not within the charge", fix="at most what was charged")
    body = msgspec.json.encode({"charge": charge, "reason": reason}).decode()
    _record_money(ledger, provider, FactKind.DISPUTE_OPENED, fact.subject, amount, key, body)


def close_dispute(ledger: Ledger, provider: ProviderId, dispute: str, credited: MicroUsd, *, key: str) -> None:
    """Close a dispute: `credited` of it was given back."""
    fact = ledger.journal.with_ids([dispute]).get(dispute)
    if fact is None or fact.kind != FactKind.DISPUTE_OPENED or fact.chain != bill_chain(provider):
        raise InputError(f"{provider} has no dispute {dispute!r}", fix="see `acreage invoice match`")
    if not 0 <= credited <= (fact.micro_usd or 0):
        raise InputError("more is credited than was disputed", fix="at most what was disputed")
    body = msgspec.json.encode({"dispute": dispute}).decode()
    _record_money(ledger, provider, FactKind.DISPUTE_CLOSED, fact.subject, credited, key, body)


def retract(ledger: Ledger, fact_id: str, *, key: str, reason: str) -> None:
    """Take back a charge, a metered use, a payment or a dispute that should not be in the books.

    Raises `InputError` where there is none of this id, or it has been taken back already.
    """
    fact = ledger.journal.with_ids([fact_id]).get(fact_id)
    if fact is None or not fact.chain.startswith((BILL, USAGE)) or fact.kind == FactKind.RETRACTED:
        raise InputError(f"no charge, use or payment {fact_id!r} is in the books", fix="see `acreage ledger export`")

    def decide(draw: Draw) -> None:
        known = ledger.journal.with_ids([key]).get(key)
        if known is not None:
            if (known.kind, known.corrects) != (FactKind.RETRACTED, fact_id):
                raise repeated_with_other_content(key)
            return
        _check_stands(ledger, fact)
        draw.add(_retraction(draw, fact, key, reason))

    ledger.record([fact.chain], decide)


def assign_charge(ledger: Ledger, charge: str, lease: LeaseId, contracts: Sequence[Contract], *, key: str) -> None:
    """Say which lease a charge or use belongs to: a new fact that names and replaces the old one."""
    fact = ledger.journal.with_ids([charge]).get(charge)
    if fact is None or fact.kind not in (FactKind.CHARGE_INVOICED, FactKind.USAGE_METERED):
        raise InputError(f"no charge {charge!r} is in the books", fix="see `acreage invoice match`")
    if lease not in {contract.lease.id for contract in contracts}:
        raise InputError(f"no lease {lease!r} is in the books", fix="see `acreage lease list`")

    def decide(draw: Draw) -> None:
        known = ledger.journal.with_ids([key]).get(key)
        if known is not None:
            if (known.kind, known.corrects, known.subject) != (fact.kind, charge, lease):
                raise repeated_with_other_content(key)
            return
        _check_stands(ledger, fact)
        draw.add(_retraction(draw, fact, f"{key}/retracted", f"belongs to {lease}"))
        draft = {name: getattr(fact, name) for name in Draft.__struct_fields__}
        draw.add(Draft(**{**draft, "id": key, "subject": lease, "corrects": charge, "happened_at": draw.now}))

    ledger.record([fact.chain], decide)


def _retraction(draw: Draw, fact: Fact, key: str, reason: str) -> Draft:
    return Draft(
        chain=fact.chain,
        id=key,
        kind=FactKind.RETRACTED.value,
        subject=fact.subject,
        happened_at=draw.now,
        corrects=fact.id,
        body=msgspec.json.encode({"reason": reason}).decode(),
    )


def _check_stands(ledger: Ledger, fact: Fact) -> None:
    frames = ledger.journal.columns(("corrects",), [fact.chain], kinds=(FactKind.RETRACTED.value,))
    if any((frame["corrects"] == fact.id).any() for frame in frames):
        raise InputError(f"{fact.id} has been taken back already", fix="nothing is left to do")


def _record_money(
    ledger: Ledger, provider: ProviderId, kind: FactKind, subject: str, amount: MicroUsd, key: str, body: str
) -> None:
    chain = bill_chain(provider)

    def draft(draw: Draw) -> Draft:
        return Draft(
            chain=chain, id=key, kind=kind.value, subject=subject, happened_at=draw.now, micro_usd=amount, body=body
        )

    _record_one(ledger, chain, draft)


def _record_one(ledger: Ledger, chain: str, draft: Make) -> None:
    def decide(draw: Draw) -> None:
        made = draft(draw)
        known = ledger.journal.with_ids([made.id]).get(made.id)
        if known is None:
            draw.add(made)
        elif (known.kind, known.chain, known.micro_usd, known.body) != (
            made.kind,
            made.chain,
            made.micro_usd,
            made.body,
        ):
            raise repeated_with_other_content(made.id)

    ledger.record([chain], decide)


def _check_currency(rows: pl.DataFrame) -> None:
    other = rows.filter(pl.col("BillingCurrency") != "USD")
    if len(other):
        row = other.row(0, named=True)
        raise InputError(
            f"row {row['Row']}: BillingCurrency is {row['BillingCurrency']!r}",
            fix="the books are kept in USD; convert the file first",
        )


def _text(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return iso(_epoch(value)) if isinstance(value, datetime) else value


def _decimal(value: object) -> Decimal:
    assert isinstance(value, Decimal), value
    return value


def _epoch(value: object) -> int:
    assert isinstance(value, datetime), value
    return round(value.timestamp())


def _tag(tags: str, name: str) -> str | None:
    try:
        found = msgspec.json.decode(tags)
    except msgspec.DecodeError:
        return None
    value = found.get(name) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def focus_rows(bodies: Iterator[str]) -> list[dict[str, str]]:
    """The FOCUS columns of charges, from the bodies of their facts."""
    return [msgspec.json.decode(body, type=dict[str, str]) for body in bodies]
