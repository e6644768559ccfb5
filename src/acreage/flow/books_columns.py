"""What the ledger's commands list: the columns of each listing with their meaning, as text, JSON and frames.

In JSON money is a decimal string in USD, times are ISO-8601 with Z, and what is unknown is null.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from acreage.flow.column_types import COUNT, NUMBER, TEXT, YES
from acreage.flow.desk_columns import DESK_KINDS
from acreage.flow.rfq_columns import RFQ_KINDS
from acreage.flow.venue_columns import VENUE_KINDS

Row = dict[str, Any]

_ID = (TEXT, "Its id.")
_AT = (TEXT, "When, ISO-8601 with Z.")
_USD = "USD as a decimal string"

KINDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "leases": {
        "id": _ID,
        "state": (TEXT, "Proposed, Pending, Active, Exhausted, Expired, Canceled or Superseded."),
        "side": (TEXT, "held as lessee, let as lessor, or own."),
        "provider": (TEXT, "Who leases it out."),
        "counterparty": (TEXT, "Who signed on the other side."),
        "pool": (TEXT, "Where its accelerators stand."),
        "accelerator": (TEXT, "The chip."),
        "leased": (COUNT, "Accelerators promised at the asked instant."),
        "delivered": (COUNT, "Accelerators delivered at the asked instant."),
        "starts_at": (TEXT, "Its first instant."),
        "ends_at": (TEXT, "When it really ends."),
        "price_usd": (TEXT, "USD for one unit of the basis."),
        "price_basis": (TEXT, "What one pays for."),
        "commitment": (TEXT, "The spend commitment its fees draw on."),
        "signed_at": (TEXT, "When it was signed."),
    },
    "facts": {
        "id": _ID,
        "chain": (TEXT, "The chain it stands in."),
        "seq": (COUNT, "Its place in the chain."),
        "kind": (TEXT, "What happened."),
        "subject": (TEXT, "What it is about."),
        "actor": (TEXT, "Who says so."),
        "happened_at": (TEXT, "When it happened."),
        "recorded_at": (TEXT, "When it was written."),
        "corrects": (TEXT, "The fact it replaces or takes back."),
        "told": (TEXT, "In words."),
        "hash": (TEXT, "SHA-256 over it and the hash before it, hexadecimal."),
    },
    "deliveries": {
        "id": _ID,
        "lease": (TEXT, "The lease."),
        "pool": (TEXT, "The pool."),
        "accelerators": (COUNT, "Handed over; negative: taken back."),
        "from_at": (TEXT, "From when."),
        "until_at": (TEXT, "Until when."),
        "recorded_at": (TEXT, "When it was written."),
        "announced": (YES, "Whether its day was still ahead when it was written."),
    },
    "promises": {
        "lease": (TEXT, "The lease."),
        "accelerators": (COUNT, "Promised."),
        "due_at": (TEXT, "When."),
        "delivered_at": (TEXT, "When these were handed over; the asked instant where they were not."),
        "late_days": (NUMBER, "Days of lateness."),
    },
    "holds": {
        "id": _ID,
        "pool": (TEXT, "The pool."),
        "holder": (TEXT, "The job or sublessee."),
        "state": (TEXT, "pending, posted, voided, expired, released or refused."),
        "accelerators": (COUNT, "What it claims now."),
        "asked": (COUNT, "What was asked for."),
        "from_at": (TEXT, "From when."),
        "until_at": (TEXT, "Until when."),
        "placed_at": (TEXT, "When it was placed."),
        "expires_at": (TEXT, "When it lapses unless posted."),
        "short": (COUNT, "Accelerators missing in its worst breach."),
        "breaches": (COUNT, "How often it was left in breach."),
    },
    "answers": {
        "id": _ID,
        "state": (TEXT, "pending, posted or refused."),
        "headroom": (COUNT, "What stays free at the tightest instant."),
        "largest": (COUNT, "If refused: the most that could be had over the window."),
        "earliest_at": (TEXT, "If refused: from when the whole request fits; null: never, as things stand."),
        "because": (TEXT, "If refused: capacity, or batch where another request did not fit."),
        "expires_at": (TEXT, "When it lapses unless posted."),
    },
    "breaches": {
        "hold": (TEXT, "The hold."),
        "short": (COUNT, "Accelerators missing."),
        "from_at": (TEXT, "From when."),
        "until_at": (TEXT, "Until when."),
        "cause": (TEXT, "The fact that caused it."),
    },
    "commitments": {
        "id": _ID,
        "provider": (TEXT, "With whom."),
        "state": (TEXT, "Pending, Active, Exhausted or Expired."),
        "pledged_usd": (TEXT, f"The whole pledge, {_USD}."),
        "drawn_usd": (TEXT, f"Eligible charges so far, {_USD}."),
        "burn_usd_per_day": (TEXT, f"Mean of the last whole months, {_USD}."),
        "next_due_at": (TEXT, "The next milestone."),
        "next_shortfall_usd": (TEXT, f"What it will cost at this rate, {_USD}."),
        "expires_at": (TEXT, "When what is not drawn is lost."),
        "exhausted_at": (TEXT, "When the pledge will be drawn at this rate."),
        "lost_usd": (TEXT, f"What will be left undrawn, {_USD}."),
    },
    "milestones": {
        "commitment": (TEXT, "The commitment."),
        "due_at": (TEXT, "By when."),
        "pledged_usd": (TEXT, f"To be drawn by then, {_USD}."),
        "drawn_usd": (TEXT, f"Drawn, or forecast to be, {_USD}."),
        "shortfall_usd": (TEXT, f"To be paid, {_USD}."),
        "past": (YES, "Whether it has passed."),
    },
    "balances": {
        "pool": (TEXT, "The pool."),
        "leased_now": (COUNT, "Accelerators leased at the asked instant."),
        "delivered_now": (COUNT, "Delivered."),
        "held_now": (COUNT, "Held."),
        "leased_hours": (NUMBER, "Accelerator-hours leased up to the asked instant."),
        "late_hours": (NUMBER, "Leased and not delivered."),
        "idle_hours": (NUMBER, "Delivered and not held."),
        "held_unused_hours": (NUMBER, "Held and not used."),
        "used_hours": (NUMBER, "Used."),
    },
    "accounts": {
        "party": (TEXT, "The provider who invoices us, or the lessee whom we invoice."),
        "side": (TEXT, "held: we pay; let: we are paid."),
        "invoiced_usd": (TEXT, f"Charges less credits, {_USD}."),
        "paid_usd": (TEXT, f"Payments made or received, {_USD}."),
        "payable_usd": (TEXT, f"Invoiced and not paid, {_USD}."),
        "disputed_usd": (TEXT, f"In open disputes, {_USD}."),
    },
    "match": {
        "lease": (TEXT, "The lease."),
        "side": (TEXT, "held as lessee, let as lessor, or own."),
        "month": (TEXT, "The calendar month, 2027-03."),
        "leased_hours": (NUMBER, "Accelerator-hours leased."),
        "delivered_hours": (NUMBER, "Delivered, or handed over if it is let."),
        "used_hours": (NUMBER, "Used; null where nobody metered."),
        "billed_hours": (NUMBER, "Invoiced."),
        "expected_usd": (TEXT, f"Due by the contract, {_USD}."),
        "billed_usd": (TEXT, f"Invoiced for use, {_USD}."),
        "other_usd": (TEXT, f"Invoiced without a quantity, {_USD}."),
        "credit_owed_usd": (TEXT, f"Credits the contract gives, {_USD}."),
        "credit_usd": (TEXT, f"Credits received, {_USD}."),
        "invoiced": (YES, "Whether the bill has come."),
    },
    "findings": {
        "kind": (TEXT, "What is wrong."),
        "remedy": (TEXT, "claim: owed to us; owe: owed by us; waste."),
        "lease": (TEXT, "The lease."),
        "month": (TEXT, "The calendar month; null for a charge outside of the lease."),
        "hours": (NUMBER, "Accelerator-hours it concerns."),
        "usd": (TEXT, f"Its money, {_USD}."),
        "message": (TEXT, "In words."),
    },
    "unmatched": {
        "provider": (TEXT, "The provider."),
        "description": (TEXT, "What the bill says."),
        "rows": (COUNT, "Rows."),
        "usd": (TEXT, f"Their sum, {_USD}."),
    },
    "imports": {
        "file": (TEXT, "The file."),
        "rows": (COUNT, "Rows in it."),
        "new": (COUNT, "Rows that were new to the books."),
        "unmatched": (COUNT, "Rows that belong to no lease."),
        "usd": (TEXT, f"Sum of the rows, {_USD}."),
    },
    "flaws": {
        "chain": (TEXT, "The chain."),
        "seq": (COUNT, "The place of the first flaw in it."),
        "id": (TEXT, "The fact."),
        "what": (TEXT, "What is wrong with it."),
    },
    **RFQ_KINDS,
    "days": {
        "at": _AT,
        "kind": (TEXT, "expiry, renewal, termination, milestone or delivery."),
        "subject": (TEXT, "The contract."),
        "summary": (TEXT, "What must be done, or happens."),
    },
    **DESK_KINDS,
    **VENUE_KINDS,
}
"""Listings by name: column -> JSON type and meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows of one kind of `KINDS`; `shown` are the columns that a terminal has room for."""

    kind: str
    rows: Sequence[Row]
    shown: Sequence[str] = ()

    def frame(self) -> pl.DataFrame:
        """The rows as a polars frame with all columns of the kind."""
        types = {TEXT: pl.String(), COUNT: pl.Int64(), NUMBER: pl.Float64(), YES: pl.Boolean()}
        schema = {name: types[type_] for name, (type_, _) in KINDS[self.kind].items()}
        return pl.DataFrame([[row[name] for name in schema] for row in self.rows], schema=schema, orient="row")


def books_schema() -> dict[str, Any]:
    """The published JSON Schema of what the ledger's commands print with -o json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://acreage.dev/schema/books.schema.json",
        "title": "Acreage books",
        "description": "Listings by name; a command prints those that belong to its answer.",
        "type": "object",
        "properties": {
            "dry_run": {"type": "boolean", "description": "Whether nothing was written."},
            "plan": {"type": "array", "items": {"type": "string"}, "description": "What a change does, line by line."},
            **{kind: {"type": "array", "items": {"$ref": f"#/$defs/{kind}"}} for kind in KINDS},
        },
        "additionalProperties": False,
        "$defs": {kind: _schema_of(columns) for kind, columns in KINDS.items()},
    }


def _schema_of(columns: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: {"type": [type_, "null"], "description": text} for name, (type_, text) in columns.items()},
        "required": list(columns),
        "additionalProperties": False,
    }
