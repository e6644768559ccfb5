"""Durations, dates and prices as people write them."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from acreage.domain.price import Price, PriceBasis, PriceKind, Provenance
from acreage.domain.provider import DelayModel
from acreage.portfolio.document import At, Document
from acreage.portfolio.shape import DelayShape, PriceShape
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName
from acreage.units.instants import Duration, Instant, instant
from acreage.units.money import micro_usd

ListPrice = Callable[[str, str, AcceleratorName, PriceKind], Price | None]

_SPAN = re.compile(r"(\d+) (day|week|month|year)s?")
_PRICE = re.compile(r"(?P<amount>[0-9][0-9_,.]*(?:[eE][+-]?\d+)?)\s*(?P<currency>[A-Za-z$]+)\s*/\s*(?P<unit>[\w-]+)")

UNITS = {
    "accelerator_hour": PriceBasis.ACCELERATOR_HOUR,
    "accelerator-hour": PriceBasis.ACCELERATOR_HOUR,
    "gpu_hour": PriceBasis.ACCELERATOR_HOUR,
    "chip_hour": PriceBasis.ACCELERATOR_HOUR,
    "node_hour": PriceBasis.NODE_HOUR,
    "mw_month": PriceBasis.MW_MONTH,
    "month": PriceBasis.MONTHLY_LUMP,
    "monthly_lump": PriceBasis.MONTHLY_LUMP,
    "throughput_unit_hour": PriceBasis.THROUGHPUT_UNIT_HOUR,
}
PER_ACCELERATOR_ONLY = (PriceBasis.ACCELERATOR_HOUR,)


def duration(text: str) -> Duration:
    """A duration of the document's pattern: '36 months', '13 weeks'."""
    found = _SPAN.fullmatch(text)
    assert found is not None, text
    count, unit = int(found[1]), found[2]
    if unit == "year":
        return Duration(months=12 * count)
    if unit == "month":
        return Duration(months=count)
    return Duration(days=count * (7 if unit == "week" else 1))


def date_at(day: datetime.date) -> Instant:
    """Midnight UTC of a day."""
    return instant(day)


def delay_model(shape: DelayShape | None) -> DelayModel | None:
    """A delay law, if one is given."""
    if shape is None:
        return None
    return DelayModel(on_time_frac=shape.on_time_frac, median_days=shape.median_days, p90_days=shape.p90_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What `price: catalog` needs to know: whose price, where, of which chip, of which kind by default."""

    provider: str
    region: str
    accelerator: AcceleratorName
    kind: PriceKind


def price_of(document: Document, at: At, shape: str | PriceShape, where: Where, list_price: ListPrice) -> Price:
    """A price from its field; raises `InputError` if it has no unit or the list has none."""
    if isinstance(shape, PriceShape):
        return Price(
            basis=PriceBasis(shape.per),
            amount_micro_usd=micro_usd(shape.usd),
            accelerators_per_unit=shape.accelerators_per_unit,
            kind=PriceKind(shape.kind) if shape.kind else where.kind,
            provenance=Provenance(source=shape.source, as_of_at=date_at(shape.as_of) if shape.as_of else None),
        )
    if shape.split()[:1] == ["catalog"]:
        return _list_price(document, at, shape, where, list_price)
    return _written_price(document, at, shape, where)


def _list_price(document: Document, at: At, text: str, where: Where, list_price: ListPrice) -> Price:
    kinds = text.split()[1:]
    kind = where.kind
    if kinds:
        if len(kinds) > 1 or kinds[0] not in set(PriceKind):
            raise InputError(
                f"{text!r} names no kind of list price",
                fix=f"write catalog followed by one of {', '.join(PriceKind)}",
                place=document.place(at),
            )
        kind = PriceKind(kinds[0])
    elif kind is PriceKind.CONTRACT:
        raise InputError(
            "a lease has no list price of its own",
            fix="write catalog reserved_1y or catalog reserved_3y, or a contract price",
            place=document.place(at),
        )
    found = list_price(where.provider, where.region, where.accelerator, kind)
    if found is None:
        raise InputError(
            f"no {kind} list price of {where.accelerator} at {where.provider} in {where.region}",
            fix="write a contract price, for example 4.30 USD/accelerator_hour",
            place=document.place(at),
        )
    return replace(found, kind=kind)


def _written_price(document: Document, at: At, text: str, where: Where) -> Price:
    found = _PRICE.fullmatch(text.strip())
    example = "write for example 4.30 USD/accelerator_hour"
    if found is None:
        raise InputError(f"{text!r} is not a price with its unit", fix=example, place=document.place(at))
    if found["currency"].upper() not in ("USD", "$"):
        raise InputError(
            f"the price is in {found['currency']}", fix="convert it and write it in USD", place=document.place(at)
        )
    basis = UNITS.get(found["unit"].lower())
    if basis is None:
        raise InputError(
            f"{found['unit']!r} is not a unit of price", fix=f"use one of {', '.join(UNITS)}", place=document.place(at)
        )
    if basis not in PER_ACCELERATOR_ONLY:
        raise InputError(
            f"a price per {basis} needs accelerators_per_unit",
            fix=f"write {{usd: {found['amount']}, per: {basis}, accelerators_per_unit: 8}}",
            place=document.place(at),
        )
    try:
        amount = micro_usd(found["amount"].replace(",", "").replace("_", ""))
    except InputError as error:
        raise error.at(document.place(at)) from None
    if amount <= 0:
        raise InputError("a price of zero", fix="leave out what has no price", place=document.place(at))
    return Price(
        basis=basis,
        amount_micro_usd=amount,
        kind=where.kind,
        provenance=Provenance(source=f"the portfolio {document.file}"),
    )
