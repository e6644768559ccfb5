"""Auctions as people write them: a YAML file of lots, rules and bids, and an auction as such a document."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

from acreage.domain.auction import (
    Auction,
    AwardRules,
    Bid,
    Bidder,
    Direction,
    Lot,
    Mechanism,
    PaymentRule,
    PriceTier,
    ShareCap,
)
from acreage.market.auctions.validate import faults
from acreage.portfolio.auction_shape import (
    AuctionShape,
    BidderShape,
    BidShape,
    LotShape,
    RulesShape,
    TierShape,
)
from acreage.portfolio.convert import shaped
from acreage.portfolio.document import At, Document, load_document, parse_document, path_text
from acreage.units.errors import InputError, Place
from acreage.units.ids import AcceleratorName, BidderId, BidId, LotId, PoolId
from acreage.units.instants import Instant, instant, iso
from acreage.units.money import micro_usd, usd_text

_AMOUNT = re.compile(r"(?P<amount>[0-9][0-9_,]*(?:\.[0-9]+)?)\s*(?P<currency>[A-Za-z$€£¥]+)?")
_MONEY_FIELDS = ("amount", "price", "reserve", "budget", "increment")
_TEMPLATE = "see `acreage auction template`"


def read_auction(path: Path) -> Auction:
    """Read an auction file; raises `InputError` with file, line and column for whatever is wrong."""
    return _auction(load_document(path))


def read_auction_text(text: str, file: str) -> Auction:
    """Read an auction from text; `file` is its name in errors. JSON is YAML too."""
    return _auction(parse_document(text, file))


def auction_starter() -> str:
    """The commented file that `acreage auction template` prints."""
    return resources.files("acreage.portfolio").joinpath("auction.yaml").read_text(encoding="utf-8")


def _auction(document: Document) -> Auction:
    if not isinstance(document.value, dict):
        raise InputError("an auction is a mapping of fields", fix=_TEMPLATE, place=document.place(()))
    return auction_of(document, ())


def auction_of(document: Document, at: At) -> Auction:
    """The auction that stands at a path of a document; raises `InputError` with its place."""
    value = document.value
    for key in at:
        value = value[key]
    _check_currencies(document, value, at)
    dated = replace(document, value=with_text_dates(document.value))
    found = _Reader(document, at).auction(shaped(dated, at, AuctionShape, check=None))
    for fault in faults(found):
        raise InputError(fault.what, fix=fault.fix, place=_place(document, (*at, *fault.at)))
    return found


def _place(document: Document, at: At) -> Place:
    place = document.place(at)
    return Place(file=place.file, line=place.line, column=place.column, field=path_text(at))


def _check_currencies(document: Document, value: Any, at: At) -> None:
    """An amount without a currency is an error of its own: what was meant cannot be guessed."""
    for key, one in _entries(value):
        here = (*at, key)
        if key in _MONEY_FIELDS and isinstance(one, int | float) and not isinstance(one, bool):
            what = f"the currency of {one} is not clear"
            raise InputError(what, fix=f"write {one} USD", place=_place(document, here))
        _check_currencies(document, one, here)


def _entries(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        # Lots may be called as they like, so what stands in a bundle is no field.
        yield from ((key, one) for key, one in value.items() if key != "bundle")
    elif isinstance(value, list):
        yield from enumerate(value)


def with_text_dates(value: Any) -> Any:
    """A plain value whose days are text again, as shapes of moments have them."""
    if isinstance(value, dict):
        return {key: with_text_dates(one) for key, one in value.items()}
    if isinstance(value, list):
        return [with_text_dates(one) for one in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


class _Reader:
    """Shapes into domain values; what is wrong is said with its place."""

    def __init__(self, document: Document, root: At) -> None:
        self.document, self.root = document, root

    def place(self, at: At) -> Place:
        return _place(self.document, (*self.root, *at))

    def auction(self, shape: AuctionShape) -> Auction:
        return Auction(
            id=shape.auction,
            direction=Direction(shape.direction),
            mechanism=Mechanism(shape.mechanism),
            payments=PaymentRule(shape.payments),
            closes_at=self.moment(shape.closes, ("closes",)),
            increment_micro_usd=self.money(shape.increment, ("increment",)),
            seed=shape.seed,
            lots=tuple(self.lot(one, ("lots", i)) for i, one in enumerate(shape.lots)),
            bidders=tuple(self.bidder(one, ("bidders", i)) for i, one in enumerate(shape.bidders)),
            rules=self.rules(shape.rules),
            bids=tuple(self.bid(one, ("bids", i)) for i, one in enumerate(shape.bids)),
        )

    def lot(self, shape: LotShape, at: At) -> Lot:
        return Lot(
            id=LotId(shape.id),
            quantity=shape.quantity,
            reserve_micro_usd=self.money(shape.reserve, (*at, "reserve")),
            pool=PoolId(shape.pool) if shape.pool else None,
            accelerator=AcceleratorName(shape.accelerator) if shape.accelerator else None,
            from_at=self.moment(shape.from_, (*at, "from")),
            until_at=self.moment(shape.until, (*at, "until")),
        )

    def bidder(self, shape: BidderShape, at: At) -> Bidder:
        budget = self.money(shape.budget, (*at, "budget"))
        return Bidder(id=BidderId(shape.id), units_max=shape.units_max, budget_micro_usd=budget)

    def rules(self, shape: RulesShape) -> AwardRules:
        return AwardRules(
            winners_min=shape.winners_min,
            winners_max=shape.winners_max,
            share_caps=tuple(
                ShareCap(
                    share_max_frac=_exact(one.share_max_frac),
                    bidder=BidderId(one.bidder) if one.bidder else None,
                    lots=tuple(LotId(lot) for lot in one.lots),
                )
                for one in shape.shares
            ),
            survive_frac=_exact(shape.survive_frac),
            budget_micro_usd=self.money(shape.budget, ("rules", "budget")),
        )

    def bid(self, shape: BidShape, at: At) -> Bid:
        if (shape.amount is None) == (shape.price is None):
            what = f"bid {shape.id} has {'no price' if shape.price is None else 'both an amount and a price'}"
            fix = "write amount for all or nothing, or price for each of units_min to units_max"
            raise InputError(what, fix=fix, place=self.place(at))
        if shape.amount is not None and (shape.tiers or (shape.units_min, shape.units_max) != (1, 1)):
            what = f"bid {shape.id} is all or nothing and for several units"
            fix = "write price instead of amount, or leave units and tiers out"
            raise InputError(what, fix=fix, place=self.place((*at, "amount")))
        name = "price" if shape.amount is None else "amount"
        first = self.amount(shape.amount or shape.price or "", (*at, name))
        return Bid(
            id=BidId(shape.id),
            bidder=BidderId(shape.bidder),
            bundle=tuple((LotId(lot), quantity) for lot, quantity in shape.bundle.items()),
            tiers=(
                PriceTier(units_min=shape.units_min, micro_usd_per_unit=first),
                *(self.tier(one, (*at, "tiers", i)) for i, one in enumerate(shape.tiers)),
            ),
            units_min=shape.units_min,
            units_max=shape.units_max,
            either_or=shape.either_or,
            received_at=self.moment(shape.received, (*at, "received")),
        )

    def tier(self, shape: TierShape, at: At) -> PriceTier:
        return PriceTier(units_min=shape.from_, micro_usd_per_unit=self.amount(shape.price, (*at, "price")))

    def money(self, text: str | None, at: At) -> int | None:
        return None if text is None else self.amount(text, at)

    def amount(self, text: str, at: At) -> int:
        """An amount with its currency, in micro-USD."""
        found = _AMOUNT.fullmatch(text.strip())
        place = self.place(at)
        if found is None:
            raise InputError(
                f"{text!r} is not an amount with its currency", fix="write for example 28 USD", place=place
            )
        digits = found["amount"].replace(",", "").replace("_", "")
        if found["currency"] is None:
            raise InputError(f"the currency of {text} is not clear", fix=f"write {digits} USD", place=place)
        if found["currency"].upper() not in ("USD", "$"):
            raise InputError(f"the currency is {found['currency']}", fix="convert it and write it in USD", place=place)
        return micro_usd(digits)

    def moment(self, text: str | None, at: At) -> Instant | None:
        if text is None:
            return None
        try:
            return instant(text)
        except InputError as error:
            raise error.at(self.place(at)) from None


def _exact(share: float) -> Fraction:
    """A share as it is written: 0.6 is six tenths, not the nearest binary number."""
    return Fraction(str(share))


def auction_document(auction: Auction) -> dict[str, Any]:
    """An auction as a document that reads back to the same; what is at its default is left out."""
    found = {
        "auction": auction.id,
        "direction": auction.direction.value,
        "mechanism": auction.mechanism.value,
        "payments": auction.payments.value,
        "closes": _iso(auction.closes_at),
        "seed": auction.seed,
        "increment": _usd(auction.increment_micro_usd),
        "lots": [_lot_document(lot) for lot in auction.lots],
        "bidders": [
            _without_nothing({"id": one.id, "units_max": one.units_max, "budget": _usd(one.budget_micro_usd)})
            for one in auction.bidders
        ],
        "rules": _rules_document(auction.rules),
        "bids": [_bid_document(bid) for bid in auction.bids],
    }
    return _without_nothing(found)


def _lot_document(lot: Lot) -> dict[str, Any]:
    return _without_nothing(
        {
            "id": lot.id,
            "quantity": lot.quantity,
            "reserve": _usd(lot.reserve_micro_usd),
            "pool": lot.pool,
            "accelerator": lot.accelerator,
            "from": _iso(lot.from_at),
            "until": _iso(lot.until_at),
        }
    )


def _rules_document(rules: AwardRules) -> dict[str, Any]:
    shares = [
        _without_nothing(
            {"share_max_frac": float(cap.share_max_frac), "bidder": cap.bidder, "lots": list(cap.lots) or None}
        )
        for cap in rules.share_caps
    ]
    return _without_nothing(
        {
            "winners_min": rules.winners_min or None,
            "winners_max": rules.winners_max,
            "shares": shares or None,
            "survive_frac": float(rules.survive_frac) or None,
            "budget": _usd(rules.budget_micro_usd),
        }
    )


def _bid_document(bid: Bid) -> dict[str, Any]:
    several = bid.units_max != 1 or len(bid.tiers) > 1
    return _without_nothing(
        {
            "id": bid.id,
            "bidder": bid.bidder,
            "bundle": {str(lot): quantity for lot, quantity in bid.bundle},
            "price" if several else "amount": _usd(bid.tiers[0].micro_usd_per_unit),
            "units_min": bid.units_min if several else None,
            "units_max": bid.units_max if several else None,
            "tiers": [{"from": t.units_min, "price": _usd(t.micro_usd_per_unit)} for t in bid.tiers[1:]] or None,
            "either_or": bid.either_or or None,
            "received": _iso(bid.received_at),
        }
    )


def _without_nothing(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def _usd(amount_micro_usd: int | None) -> str | None:
    return None if amount_micro_usd is None else f"{usd_text(amount_micro_usd)} USD"


def _iso(at: Instant | None) -> str | None:
    return None if at is None else iso(at)
