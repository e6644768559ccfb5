"""The shape of a contract document: leases and spend commitments; its JSON Schema is made from it."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from acreage.portfolio.fields import Date, Days, Frac, Name, Positive, Shape, Span, Usd
from acreage.portfolio.shape import CommitmentShape, LeaseShape

SCHEMA_ID = "https://acreage.dev/schema/contract.schema.json"


class RenewalShape(Shape, kw_only=True, frozen=True):
    """The right to renew, to be declared this many days before the end."""

    duration: Span
    notice_days: Days
    automatic: Annotated[bool, Meta(description="It renews by itself unless refused by then.")] = False


class SlaShape(Shape, kw_only=True, frozen=True):
    """Availability in a month below `below_frac` earns back `credit_frac` of the month's fee."""

    below_frac: Frac
    credit_frac: Frac


class DocumentShape(Shape, kw_only=True, frozen=True):
    """A paper kept elsewhere."""

    title: Name
    reference: Name
    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", description="64 hexadecimal digits, or left out.")] = ""


class ContractShape(LeaseShape, kw_only=True, frozen=True):
    """A lease as it is signed: what the portfolio knows of one, and what the books need besides."""

    accelerator: Name
    counterparty: Annotated[str, Meta(description="Who signs on the other side; default: the provider.")] = ""
    side: Annotated[
        str, Meta(pattern="^(held|let|own)$", description="held as lessee, let as lessor, or own capacity.")
    ] = "held"
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"
    price_frac: Annotated[Positive, Meta(description="What the quantity tier multiplies the price with.")] = 1.0
    upfront_usd: Annotated[Usd, Meta(description="Paid at signing and not taken off later bills.")] = 0.0
    offer: str = ""
    commitment: Annotated[str, Meta(description="The spend commitment its fees draw on.")] = ""
    renewal: RenewalShape | None = None
    sla: list[SlaShape] = msgspec.field(default_factory=list)
    sublease_allowed: bool = False
    vendor_ids: Annotated[list[Name], Meta(description="Names under which the provider bills it.")] = msgspec.field(
        default_factory=list
    )
    documents: list[DocumentShape] = msgspec.field(default_factory=list)


class SpendShape(CommitmentShape, kw_only=True, frozen=True):
    """A spend commitment as it is signed."""

    expires: Date
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"
    description: str = ""
    documents: list[DocumentShape] = msgspec.field(default_factory=list)


class ContractsShape(Shape, kw_only=True, frozen=True):
    """What one file proposes: leases and spend commitments."""

    leases: list[ContractShape] = msgspec.field(default_factory=list)
    commitments: list[SpendShape] = msgspec.field(default_factory=list)


def contract_schema() -> dict[str, Any]:
    """The published JSON Schema of a contract document."""
    (_,), parts = msgspec.json.schema_components([ContractsShape], ref_template="#/$defs/{name}")
    root = parts.pop("ContractsShape")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **root,
        "title": "Acreage contracts",
        "$defs": parts,
    }
