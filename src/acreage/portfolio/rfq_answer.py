"""Reads a vendor's answer, from whatever kind of file, into offers with provenance.

Whatever is unclear (whose answer, which round, which currency, unit, pool or lot, bundles that
contradict each other) is one `InputError` with file, row and field, and nothing is taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import msgspec

from acreage.catalog.accelerators import find
from acreage.domain.accelerator import Accelerator
from acreage.domain.contract import SlaStep
from acreage.domain.lease import Offer
from acreage.domain.portfolio import Portfolio
from acreage.domain.price import Price, PriceBasis, PriceKind, Provenance
from acreage.domain.rfq import Answer, Asked, Quote, Rfq
from acreage.portfolio.contract_file import date_of
from acreage.portfolio.convert import shaped
from acreage.portfolio.document import At, Document
from acreage.portfolio.limits import check_limits
from acreage.portfolio.names import Names
from acreage.portfolio.rfq_shape import AnswerOfferShape, AnswerShape
from acreage.portfolio.shape import OfferShape, PoolShape, PortfolioShape, ProviderShape, TermsShape
from acreage.portfolio.supply import SupplyReader
from acreage.pricing.rate import HOURS_PER_MONTH
from acreage.units.errors import InputError
from acreage.units.ids import AcceleratorName, OfferId
from acreage.units.instants import Instant, iso_date
from acreage.units.money import MicroUsd, micro_usd

HOURS_PER_UNIT = {
    PriceBasis.ACCELERATOR_HOUR: 1,
    PriceBasis.NODE_HOUR: 1,
    PriceBasis.THROUGHPUT_UNIT_HOUR: 1,
    PriceBasis.MW_MONTH: HOURS_PER_MONTH,
    PriceBasis.MONTHLY_LUMP: HOURS_PER_MONTH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFile:
    """An answer as a located document: `file` is its name, `sha256` that of its bytes."""

    document: Document
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an answer is read against."""

    rfq: Rfq
    portfolio: Portfolio
    accelerators: Mapping[AcceleratorName, Accelerator]


def read_answer(file: AnswerFile, known: Known, *, received_at: Instant, late: bool) -> Answer:
    """An answer; `late` is whether it is taken although it came after the deadline."""
    document = file.document
    if not isinstance(document.value, dict):
        fix = "see `acreage schema rfq-answer`"
        raise InputError("an answer is a mapping of fields", fix=fix, place=document.place(()))
    shape = shaped(document, (), AnswerShape, check=None)
    vendor = _vendor(document, shape, known.rfq)
    if shape.currency != "USD":
        fix = "convert every amount and write currency: USD"
        raise InputError(f"the currency is {shape.currency}", fix=fix, place=document.place(("currency",)))
    if not shape.offers and not shape.withdraw:
        raise InputError("it offers nothing", fix="fill in at least one offer", place=document.place(("offers",)))
    return Answer(
        provider=vendor.provider,
        round=shape.round,
        file=document.file,
        sha256=file.sha256,
        received_at=received_at,
        late=late,
        quotes=_quotes(file, shape, vendor, known, received_at),
        withdrawn=tuple(shape.withdraw),
    )


def offer_id(rfq: Rfq, vendor: Asked, name: str) -> OfferId:
    """The id of a vendor's offer in plans and books: the request, the vendor and the vendor's own name."""
    return OfferId(f"{rfq.id}-{vendor.provider}-{name}")


def _vendor(document: Document, shape: AnswerShape, rfq: Rfq) -> Asked:
    for vendor in rfq.vendors:
        if vendor.reference == shape.reference:
            return vendor
    what = f"the reference {shape.reference!r} is of another request than {rfq.id}"
    raise InputError(what, fix="import it with the request it answers", place=document.place(("reference",)))


def _quotes(
    file: AnswerFile, shape: AnswerShape, vendor: Asked, known: Known, received_at: Instant
) -> tuple[Quote, ...]:
    document = file.document
    whole = _as_portfolio(shape, vendor, known)
    names = Names(document=document, shape=whole, accelerators=known.accelerators)
    names.distinct("offer", "offers", [offer.id for offer in shape.offers])
    check_limits(document, names)
    for i, one in enumerate(shape.offers):
        _check_offer(names, one, ("offers", i), vendor, known)
        if one.id in shape.withdraw:
            names.wrong(f"{one.id!r} is offered and withdrawn at once", "keep one of the two", ("offers", i))
    _check_groups(names, shape.offers)
    reader = SupplyReader(document=document, shape=whole, names=names, list_price=_no_list_price)
    offers = reader.offers(reader.pools())
    return tuple(
        _quote(document, i, one, offer, received_at)
        for i, (one, offer) in enumerate(zip(shape.offers, offers, strict=True))
    )


def _as_portfolio(shape: AnswerShape, vendor: Asked, known: Known) -> PortfolioShape:
    """The answer as the supply side of a portfolio, so that one reader reads both."""
    pools = known.portfolio.pools
    return PortfolioShape(
        name="answer",
        as_of=date_of(known.portfolio.as_of_at),
        grid=[],
        providers=[ProviderShape(id=str(vendor.provider))],
        pools=[
            PoolShape(
                id=str(pool), provider=str(vendor.provider), region="asked", accelerator=str(pools[pool].accelerator)
            )
            for pool in vendor.pools
        ],
        workloads=[],
        offers=[_offer_shape(one, shape.offers, vendor, known.rfq) for one in shape.offers],
    )


def _offer_shape(one: AnswerOfferShape, all_: Sequence[AnswerOfferShape], vendor: Asked, rfq: Rfq) -> OfferShape:
    """An either-or group is every pair excluded; a bundle is every offer requiring each other."""

    def ids(others: Sequence[AnswerOfferShape]) -> list[str]:
        return [offer_id(rfq, vendor, other.id) for other in others if other.id != one.id]

    return OfferShape(
        **{field: getattr(one, field) for field in TermsShape.__struct_fields__},
        id=offer_id(rfq, vendor, one.id),
        provider=str(vendor.provider),
        pool=one.pool,
        accelerators_per_block=one.accelerators_per_block,
        blocks=one.blocks,
        start=one.start,
        term=one.term,
        tranches=one.tranches,
        tiers=one.tiers,
        commitment=one.commitment,
        excludes=ids([other for other in all_ if one.either_or and other.either_or == one.either_or]),
        requires=ids([other for other in all_ if one.bundle and other.bundle == one.bundle]),
        expires=one.expires,
    )


def _check_offer(names: Names, one: AnswerOfferShape, at: At, vendor: Asked, known: Known) -> None:
    names.known("pool", one.pool, [str(pool) for pool in vendor.pools], (*at, "pool"))
    pool = next(pool for pool in known.portfolio.pools.values() if pool.id == one.pool)
    if one.accelerator and (find(one.accelerator) or one.accelerator) != pool.accelerator:
        what = f"pool {one.pool} has {pool.accelerator}, the offer says {one.accelerator}"
        names.wrong(what, "name the pool that has it", (*at, "accelerator"))
    if one.need:
        names.known("lot", one.need, [need.id for need in known.rfq.needs], (*at, "need"))
        need = next(need for need in known.rfq.needs if need.id == one.need)
        if pool.accelerator not in need.accelerators:
            what = f"lot {need.id} is for {', '.join(need.accelerators)}, and pool {one.pool} has {pool.accelerator}"
            names.wrong(what, "answer a lot that this chip would do for", (*at, "need"))
    if one.start.until < date_of(known.portfolio.as_of_at):
        names.wrong(
            f"its start window ends {one.start.until}, before {iso_date(known.portfolio.as_of_at)}",
            "offer a start to come",
            (*at, "start"),
        )
    if isinstance(one.price, str) and one.price.split()[:1] == ["catalog"]:
        names.wrong("an offer has a price of its own", "write for example 4.30 USD/accelerator_hour", (*at, "price"))


def _check_groups(names: Names, offers: Sequence[AnswerOfferShape]) -> None:
    """Bundles that cannot be taken at all, or that bundle nothing."""
    for i, one in enumerate(offers):
        bundle = [other for other in offers if one.bundle and other.bundle == one.bundle]
        rivals = [other for other in offers if one.either_or and other.either_or == one.either_or]
        both = [other.id for other in bundle if other in rivals and other is not one]
        if both:
            what = f"{one.id} and {both[0]} are in one bundle and exclude each other"
            _contradiction(names, what, ("offers", i, "either_or"))
        if len(bundle) == 1:
            names.wrong(f"bundle {one.bundle!r} has one offer", "name it in another offer too", ("offers", i, "bundle"))
        if len(rivals) == 1:
            what = f"the either-or group {one.either_or!r} has one offer"
            names.wrong(what, "name it in another offer too", ("offers", i, "either_or"))


def _contradiction(names: Names, what: str, at: At) -> NoReturn:
    names.wrong(what, "such an offer can never be taken: leave one of the two out", at)


def _quote(document: Document, i: int, one: AnswerOfferShape, offer: Offer, received_at: Instant) -> Quote:
    line = document.place(("offers", i)).line
    row = f"row {line}" if line is not None else f"offer {i + 1}"
    energy = micro_usd(one.energy_usd_per_accelerator_hour)
    source = f"{document.file}, {row}, received {iso_date(received_at)}"
    terms = replace(offer.terms, price=_with_energy(offer.terms.price, energy))
    return Quote(
        offer=replace(offer, terms=terms, provenance=Provenance(source=source, as_of_at=received_at)),
        vendor_id=one.id,
        need=one.need,
        bundle=one.bundle,
        either_or=one.either_or,
        sla=tuple(SlaStep(below_frac=step.below_frac, credit_frac=step.credit_frac) for step in one.sla),
        energy_micro_usd_per_accelerator_hour=energy,
        notes=one.notes,
        row=row,
    )


def _with_energy(price: Price, energy: MicroUsd) -> Price:
    """The price with energy in it, in the price's own unit."""
    if not energy:
        return price
    extra = energy * HOURS_PER_UNIT[price.basis] * price.accelerators_per_unit
    return replace(price, amount_micro_usd=MicroUsd(price.amount_micro_usd + round(extra)))


def _no_list_price(provider: str, region: str, accelerator: AcceleratorName, kind: PriceKind) -> Price | None:
    return None


def answer_json(offers: Sequence[AnswerOfferShape], reference: str, round_: int) -> bytes:
    """An answer document to fill in or send back, as indented JSON."""
    shape = AnswerShape(reference=reference, round=round_, currency="USD", offers=list(offers))
    return msgspec.json.format(msgspec.json.encode(shape), indent=2) + b"\n"
