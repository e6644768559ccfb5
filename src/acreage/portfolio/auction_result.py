"""Results of auctions as documents, and back: what is announced, kept and audited."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from acreage.domain.auction import (
    Accepted,
    Allocation,
    Auction,
    Award,
    ClockRound,
    Exit,
    LotPrice,
    Mechanism,
    Swap,
    UnitAward,
)
from acreage.market.auctions.payments import Blocking, Payment, Payments
from acreage.market.auctions.reasons import findings, payment_reasons, refused_bids
from acreage.market.auctions.second_price import paid_at
from acreage.market.auctions.settle import Outcome
from acreage.portfolio.auction_file import auction_document, auction_of, with_text_dates
from acreage.portfolio.auction_result_shape import (
    AcceptedShape,
    AuditShape,
    AwardShape,
    CoalitionShape,
    DemandShape,
    ExitShape,
    PaymentShape,
    PriceShape,
    ResultShape,
    RoundShape,
    SwapShape,
    TiesShape,
    UnitsShape,
)
from acreage.portfolio.auction_shape import AuctionShape
from acreage.portfolio.convert import shaped
from acreage.portfolio.document import Document, load_document
from acreage.units.errors import InputError
from acreage.units.ids import BidderId, BidId, LotId
from acreage.units.money import micro_usd, usd_text

I = TypeVar("I", BidId, LotId)  # noqa: E741


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result as read back; `inputs_hold` says whether the auction in it still has the hash it was run with."""

    auction: Auction
    outcome: Outcome | UnitAward
    document: dict[str, Any]
    inputs_hold: bool


def inputs_sha256(auction: Auction) -> str:
    """The SHA-256 of the auction's document as JSON with sorted keys and no spaces."""
    text = json.dumps(auction_document(auction), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def outcome_document(auction: Auction, outcome: Outcome, solver: str) -> dict[str, Any]:
    """The document of a combinatorial auction."""
    award, payments = outcome.award, outcome.payments
    reasons = payment_reasons(auction, outcome)
    gap = award.bound_micro_usd - award.allocation.value_micro_usd
    shape = ResultShape(
        kind="acreage-auction-result",
        auction=_auction_shape(auction),
        audit=_audit_shape(auction, solver, gap),
        award=_award_shape(award),
        ties=TiesShape(swaps=[_swap_shape(swap) for swap in award.swaps], more=award.more_swaps),
        payments=[_payment_shape(one, reasons[one.bidder]) for one in payments.payments],
        paid_usd=usd_text(sum(one.paid_micro_usd for one in payments.payments)),
        coalitions=[
            _coalition_shape(award.allocation.value_micro_usd, one, witness, one in payments.binding)
            for one, witness in zip(payments.blocking, outcome.witnesses, strict=True)
        ],
        vcg_in_core=payments.vcg_in_core,
        findings=list(findings(auction, outcome)),
        refused={str(bid): why for bid, why in refused_bids(auction).items()},
    )
    return _plain(shape)


def unit_award_document(auction: Auction, award: UnitAward) -> dict[str, Any]:
    """The document of an auction with one price a lot."""
    paid = paid_at(award, auction)
    bids: dict[BidderId, int] = {}
    for one in award.accepted:
        bids[one.bidder] = bids.get(one.bidder, 0) + one.amount_micro_usd
    shape = ResultShape(
        kind="acreage-auction-result",
        auction=_auction_shape(auction),
        audit=_audit_shape(auction, "none: bids are sorted", 0),
        award=AwardShape(accepted=[_accepted_shape(one) for one in award.accepted]),
        payments=[
            PaymentShape(
                bidder=who,
                bid_usd=usd_text(bids[who]),
                paid_usd=usd_text(amount),
                because="its units at the price of their lots",
            )
            for who, amount in paid.items()
        ],
        paid_usd=usd_text(sum(paid.values())),
        findings=[
            f"lot {lot.id}: {price.units} of {lot.quantity} units find a bid within the reserve price"
            for lot, price in zip(auction.lots, award.prices, strict=True)
            if price.units < lot.quantity
        ],
        prices=[_price_shape(one) for one in award.prices],
        rounds=[_round_shape(one) for one in award.rounds],
        refused={str(bid): why for bid, why in refused_bids(auction).items()},
    )
    return _plain(shape)


def read_result(path: Path) -> Result:
    """Read a result document back; raises `InputError` with its place for what is none."""
    document = load_document(path)
    if not isinstance(document.value, dict) or document.value.get("kind") != "acreage-auction-result":
        fix = "write one with `acreage auction run FILE -o json`"
        raise InputError("it is no result of an auction", fix=fix, place=document.place(()))
    value = with_text_dates(document.value)
    shape = shaped(Document(file=document.file, value=value, places=document.places), (), ResultShape, check=None)
    auction = auction_of(document, ("auction",))
    unit = auction.mechanism is not Mechanism.COMBINATORIAL
    try:
        outcome = _unit_award(shape) if unit else _outcome(shape)
    except InputError as error:
        raise error.at(document.place(())) from None
    holds = inputs_sha256(auction) == shape.audit.inputs_sha256
    return Result(auction=auction, outcome=outcome, document=value, inputs_hold=holds)


def _plain(shape: ResultShape) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(shape)
    return {name: value for name, value in found.items() if value not in (None, [], {})} | {
        "payments": found["payments"]
    }


def _auction_shape(auction: Auction) -> AuctionShape:
    return msgspec.convert(auction_document(auction), type=AuctionShape)


def _audit_shape(auction: Auction, solver: str, gap_micro_usd: int) -> AuditShape:
    return AuditShape(
        inputs_sha256=inputs_sha256(auction), seed=auction.seed, solver=solver, gap_usd=usd_text(gap_micro_usd)
    )


def _award_shape(award: Award) -> AwardShape:
    return AwardShape(
        accepted=[_accepted_shape(one) for one in award.allocation.accepted],
        elsewhere=_units_shapes(award.allocation.elsewhere),
        value_usd=usd_text(award.allocation.value_micro_usd),
        bound_usd=usd_text(award.bound_micro_usd),
    )


def _accepted_shape(one: Accepted) -> AcceptedShape:
    return AcceptedShape(bid=one.bid, bidder=one.bidder, units=one.units, amount_usd=usd_text(one.amount_micro_usd))


def _units_shapes(pairs: Iterable[tuple[str, int]]) -> list[UnitsShape]:
    return [UnitsShape(id=name, units=units) for name, units in pairs]


def _swap_shape(swap: Swap) -> SwapShape:
    less, more, elsewhere = (_units_shapes(pairs) for pairs in (swap.less, swap.more, swap.elsewhere))
    return SwapShape(less=less, more=more, elsewhere=elsewhere)


def _payment_shape(one: Payment, because: str) -> PaymentShape:
    return PaymentShape(
        bidder=one.bidder,
        bid_usd=usd_text(one.bid_micro_usd),
        paid_usd=usd_text(one.paid_micro_usd),
        vcg_usd=usd_text(one.vcg_micro_usd),
        irreplaceable=one.irreplaceable,
        because=because,
    )


def _coalition_shape(best_micro_usd: int, one: Blocking, witness: Allocation, binding: bool) -> CoalitionShape:
    return CoalitionShape(
        without=sorted(one.excluded),
        value_usd=usd_text(one.value_micro_usd),
        keep_max_usd=usd_text(best_micro_usd - one.value_micro_usd),
        binding=binding,
        accepted=[_accepted_shape(each) for each in witness.accepted],
        elsewhere=_units_shapes(witness.elsewhere),
    )


def _price_shape(one: LotPrice) -> PriceShape:
    price = usd_text(one.micro_usd_per_unit)
    return PriceShape(lot=one.lot, units=one.units, usd_per_unit=price, because=one.because, tied=list(one.tied))


def _round_shape(one: ClockRound) -> RoundShape:
    return RoundShape(
        number=one.number,
        prices_usd={lot: usd_text(price) for lot, price in one.prices},
        demand=[DemandShape(bidder=who, lot=lot, units=n) for who, lot, n in one.demand],
        exits=[
            ExitShape(
                lot=exit_.lot,
                bidder=exit_.bidder,
                bid=exit_.bid,
                units=exit_.units,
                usd_per_unit=usd_text(exit_.micro_usd_per_unit),
            )
            for exit_ in one.exits
        ],
        clipped=list(one.clipped),
    )


def _outcome(shape: ResultShape) -> Outcome:
    ties = shape.ties or TiesShape(swaps=[], more=False)
    award = Award(
        allocation=_allocation(shape.award.accepted, shape.award.elsewhere, shape.award.value_usd),
        bound_micro_usd=micro_usd(shape.award.bound_usd),
        swaps=tuple(_swap(one) for one in ties.swaps),
        more_swaps=ties.more,
    )
    blocking = tuple(
        Blocking(excluded=frozenset(map(BidderId, one.without)), value_micro_usd=micro_usd(one.value_usd))
        for one in shape.coalitions
    )
    payments = Payments(
        payments=tuple(_payment(one) for one in shape.payments),
        blocking=blocking,
        binding=tuple(one for one, each in zip(blocking, shape.coalitions, strict=True) if each.binding),
        vcg_in_core=shape.vcg_in_core,
    )
    witnesses = tuple(_allocation(one.accepted, one.elsewhere, one.value_usd) for one in shape.coalitions)
    return Outcome(award=award, payments=payments, witnesses=witnesses)


def _payment(one: PaymentShape) -> Payment:
    return Payment(
        bidder=BidderId(one.bidder),
        bid_micro_usd=micro_usd(one.bid_usd),
        paid_micro_usd=micro_usd(one.paid_usd),
        vcg_micro_usd=micro_usd(one.vcg_usd if one.vcg_usd is not None else one.bid_usd),
        irreplaceable=one.irreplaceable,
    )


def _allocation(accepted: list[AcceptedShape], elsewhere: list[UnitsShape], value_usd: str) -> Allocation:
    return Allocation(
        accepted=tuple(_accepted(one) for one in accepted),
        elsewhere=_pairs(elsewhere, LotId),
        value_micro_usd=micro_usd(value_usd),
    )


def _accepted(one: AcceptedShape) -> Accepted:
    return Accepted(
        bid=BidId(one.bid), bidder=BidderId(one.bidder), units=one.units, amount_micro_usd=micro_usd(one.amount_usd)
    )


def _pairs(units: list[UnitsShape], kind: type[I]) -> tuple[tuple[I, int], ...]:
    return tuple((kind(one.id), one.units) for one in units)


def _swap(one: SwapShape) -> Swap:
    return Swap(less=_pairs(one.less, BidId), more=_pairs(one.more, BidId), elsewhere=_pairs(one.elsewhere, LotId))


def _unit_award(shape: ResultShape) -> UnitAward:
    return UnitAward(
        accepted=tuple(_accepted(one) for one in shape.award.accepted),
        prices=tuple(
            LotPrice(
                lot=LotId(one.lot),
                units=one.units,
                micro_usd_per_unit=micro_usd(one.usd_per_unit),
                because=one.because,
                tied=tuple(map(BidId, one.tied)),
            )
            for one in shape.prices
        ),
        rounds=tuple(_round(one) for one in shape.rounds),
    )


def _round(one: RoundShape) -> ClockRound:
    return ClockRound(
        number=one.number,
        prices=tuple((LotId(lot), micro_usd(price)) for lot, price in one.prices_usd.items()),
        demand=tuple((BidderId(each.bidder), LotId(each.lot), each.units) for each in one.demand),
        exits=tuple(
            Exit(
                lot=LotId(each.lot),
                bidder=BidderId(each.bidder),
                bid=BidId(each.bid),
                units=each.units,
                micro_usd_per_unit=micro_usd(each.usd_per_unit),
            )
            for each in one.exits
        ),
        clipped=tuple(map(BidderId, one.clipped)),
    )
