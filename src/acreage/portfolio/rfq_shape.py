"""The shapes of a request for quotes as its buyer writes it and of an answer as a vendor writes it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from acreage.portfolio.contract_shape import SlaShape
from acreage.portfolio.fields import Count, Date, Frac, Name, Positive, Shape, Span, Usd
from acreage.portfolio.shape import BlocksShape, PledgeShape, TermsShape, TierShape, TrancheShape, WindowShape

REQUEST_ID = "https://acreage.dev/schema/rfq.schema.json"
ANSWER_ID = "https://acreage.dev/schema/rfq-answer.schema.json"

Plain = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
"""A name that can stand in ids and file names."""


class NeedShape(Shape, kw_only=True, frozen=True):
    """A lot: what is wanted, on which chips, from when until when."""

    id: Plain
    accelerators: Annotated[list[Name], Meta(min_length=1, description="Chips that would do, the reference first.")]
    quantity: Annotated[Count, Meta(description="Accelerators of the reference chip.")] | None = None
    effective_pflops: Annotated[Positive, Meta(description="Or PFLOP/s: peak x MFU x goodput.")] | None = None
    from_: Date = msgspec.field(name="from")
    until: Date


class VendorShape(Shape, kw_only=True, frozen=True):
    """A vendor that is asked, with a reference of your own choice instead of one drawn at random."""

    provider: Name
    reference: Annotated[str, Meta(min_length=8, max_length=64, description="Tell nobody else; none may be alike.")]


class WantedShape(Shape, kw_only=True, frozen=True):
    """Terms that the buyer would like; answers may differ."""

    term_min: Span | None = None
    term_max: Span | None = None
    prepayment_max_frac: Frac | None = None
    recall_allowed: bool = True
    notes: str = ""


class RequestShape(Shape, kw_only=True, frozen=True):
    """A request for quotes."""

    rfq: Annotated[Plain, Meta(description="Its id in the books.")]
    title: str = ""
    buyer: str = "The buyer"
    portfolio: Annotated[Name, Meta(description="The portfolio it is planned with, relative to this file.")]
    answers_within: Annotated[Span, Meta(description="How long a round stays open.")] = "14 days"
    answers_until: Annotated[Date | None, Meta(description="Deadline of the first round, 00:00 UTC.")] = None
    disclosure: Annotated[
        Literal["sealed", "open"],
        Meta(description="open: later rounds tell the best comparable price so far, not whose it is."),
    ] = "sealed"
    needs: Annotated[list[NeedShape], Meta(min_length=1)]
    terms: WantedShape = WantedShape()
    vendors: Annotated[
        list[Name | VendorShape], Meta(min_length=1, description="Providers of the portfolio that are asked.")
    ]


class AnswerOfferShape(TermsShape, kw_only=True, frozen=True):
    """One offer of an answer."""

    id: Annotated[Plain, Meta(description="Your own name for it; the same name in a later answer replaces it.")]
    pool: Annotated[Name, Meta(description="One of the pools that the request names.")]
    accelerator: Annotated[str, Meta(description="The chip, if you want it checked against the pool.")] = ""
    need: Annotated[str, Meta(description="The lot it answers, if only one.")] = ""
    accelerators_per_block: Count
    blocks: Annotated[BlocksShape, Meta(description="All or nothing: min equal to max.")]
    start: WindowShape
    term: Span
    tranches: list[TrancheShape] = msgspec.field(default_factory=list)
    tiers: Annotated[list[TierShape], Meta(description="Quantity discounts.")] = msgspec.field(default_factory=list)
    commitment: PledgeShape | None = None
    expires: Annotated[Date | None, Meta(description="When the offer lapses, 00:00 UTC.")] = None
    bundle: Annotated[str, Meta(description="Offers of one bundle are taken together or not at all.")] = ""
    either_or: Annotated[str, Meta(description="At most one offer of such a group is taken.")] = ""
    energy_usd_per_accelerator_hour: Annotated[Usd, Meta(description="Energy billed on top of the price.")] = 0.0
    sla: Annotated[list[SlaShape], Meta(description="Credits for low availability.")] = msgspec.field(
        default_factory=list
    )
    notes: str = ""


class AnswerShape(Shape, kw_only=True, frozen=True):
    """A vendor's answer to one round of a request."""

    reference: Annotated[Name, Meta(description="The reference that the request gave you.")]
    round: Count
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", description="Of all amounts; USD is the one that is read.")]
    offers: list[AnswerOfferShape] = msgspec.field(default_factory=list)
    withdraw: Annotated[list[Plain], Meta(description="Earlier offers you take back, by your own names.")] = (
        msgspec.field(default_factory=list)
    )


def request_schema() -> dict[str, Any]:
    """The published JSON Schema of a request for quotes."""
    return _schema(RequestShape, REQUEST_ID, "Acreage request for quotes")


def answer_schema() -> dict[str, Any]:
    """The published JSON Schema of an answer."""
    return _schema(AnswerShape, ANSWER_ID, "Acreage answer to a request for quotes")


def _schema(shape: type[Shape], id_: str, title: str) -> dict[str, Any]:
    _, parts = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    root = parts.pop(shape.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id_,
        **root,
        "title": title,
        "$defs": parts,
    }
