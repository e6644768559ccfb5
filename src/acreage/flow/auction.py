"""Running an auction file, auditing a result, and both as text for people."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from acreage.domain.auction import Auction, Mechanism, NoAward, PaymentRule, UnitAward
from acreage.flow.text_table import text_table
from acreage.market.auctions.ascending import ascending
from acreage.market.auctions.audit import audit_outcome
from acreage.market.auctions.second_price import second_price
from acreage.market.auctions.settle import settle
from acreage.portfolio.auction_file import auction_starter, read_auction
from acreage.portfolio.auction_result import Result, outcome_document, read_result, unit_award_document
from acreage.solver.highs import version
from acreage.units.errors import InputError


def run_auction(path: Path, *, payments: str | None, seed: int | None) -> dict[str, Any]:
    """The result document of an auction file; options override what the file says.

    Raises `InputError` for mistakes in the file, and where no award keeps every rule.
    """
    auction = read_auction(path)
    if payments is not None and auction.mechanism is not Mechanism.COMBINATORIAL:
        what = f"a {auction.mechanism} auction has its own prices"
        raise InputError(what, fix="leave --payments out, or use mechanism: combinatorial")
    auction = replace(
        auction,
        payments=auction.payments if payments is None else PaymentRule(payments),
        seed=auction.seed if seed is None else seed,
    )
    return held(auction)


def held(auction: Auction) -> dict[str, Any]:
    """Hold an auction by its mechanism; returns the result document."""
    if auction.mechanism is not Mechanism.COMBINATORIAL:
        return unit_award_document(auction, _unit_award(auction))
    outcome = settle(auction)
    if isinstance(outcome, NoAward):
        fix = "; ".join(outcome.reliefs) or "ask for fewer units, or for more bids"
        raise InputError(f"no award keeps every rule: {outcome.because}", fix=fix)
    return outcome_document(auction, outcome, version())


def template() -> str:
    """A commented auction file to start from."""
    return auction_starter()


def audit_result(path: Path) -> dict[str, Any]:
    """What of a result document does not hold, recomputed without a solver."""
    result = read_result(path)
    found = [] if result.inputs_hold else ["the auction in it is not the one it was run with: its hash differs"]
    found += _disagreements(result)
    coalitions = len(result.document.get("coalitions", ()))
    return {"auction": result.auction.id, "holds": not found, "faults": found, "coalitions_checked": coalitions}


def _unit_award(auction: Auction) -> UnitAward:
    return ascending(auction) if auction.mechanism is Mechanism.ASCENDING else second_price(auction)


def _disagreements(result: Result) -> list[str]:
    if isinstance(result.outcome, UnitAward):
        award = result.outcome
        again = _unit_award(result.auction)
        found = [] if award == again else ["held again, the auction has other winners, prices or rounds"]
        document = unit_award_document(result.auction, again)
    else:
        found = list(audit_outcome(result.auction, result.outcome))
        document = outcome_document(result.auction, result.outcome, "")
    for name in ("paid_usd", "payments", "findings", "refused"):
        if document.get(name) != result.document.get(name):
            found.append(f"{name} is not what the bids and payments say")
    return found


def result_text(document: Mapping[str, Any]) -> str:
    """A result for people: who wins and pays what and why, ties, prices, rounds, doubts, and what it rests on."""
    auction = document["auction"]
    sells = auction["direction"] == "forward"
    lines = [f"{auction['auction']}: {len(document['payments'])} win, {_usd(document['paid_usd'])} USD in all", ""]
    lines += _award_lines(document)
    lines += _payment_lines(document, "pays" if sells else "is paid")
    for price in document.get("prices", ()):
        lines.append(
            f"lot {price['lot']}: {price['units']} units at {_usd(price['usd_per_unit'])} USD: {price['because']}"
        )
        if price["tied"]:
            lines.append(f"  tied, and decided by the seed: {', '.join(price['tied'])}")
    lines += _round_lines(document)
    lines += _tie_lines(document)
    lines += [f"bid {bid} takes no part: {why}" for bid, why in document.get("refused", {}).items()]
    lines += [f"look at: {finding}" for finding in document.get("findings", ())]
    audit = document["audit"]
    lines += [
        f"inputs sha256 {audit['inputs_sha256']}, seed {audit['seed']}, solver {audit['solver']}, "
        f"gap {audit['gap_usd']} USD",
    ]
    return "\n".join(lines)


def audit_text(found: Mapping[str, Any]) -> str:
    """An audit for people."""
    if found["holds"]:
        return f"{found['auction']}: every sum, rule and payment holds ({found['coalitions_checked']} coalitions)"
    return "\n".join([f"{found['auction']}: does not hold", *(f"  {fault}" for fault in found["faults"])])


def _usd(text: str) -> str:
    whole, _, rest = text.partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "")


def _award_lines(document: Mapping[str, Any]) -> list[str]:
    rows = [
        (one["bid"], one["bidder"], str(one["units"]), _usd(one["amount_usd"])) for one in document["award"]["accepted"]
    ]
    if not rows:
        return ["nothing is awarded"]
    lines = text_table(("bid", "bidder", "units", "bids USD"), rows, right=("units", "bids USD"))
    elsewhere = document["award"].get("elsewhere", ())
    lines += [f"had elsewhere at the reserve price: {one['units']} of lot {one['id']}" for one in elsewhere]
    return lines


def _payment_lines(document: Mapping[str, Any], verb: str) -> list[str]:
    lines = [""]
    for one in document["payments"]:
        lines.append(f"{one['bidder']} {verb} {_usd(one['paid_usd'])} USD: {one['because']}")
    return [*lines, ""] if len(lines) > 1 else []


def _round_lines(document: Mapping[str, Any]) -> list[str]:
    rows = []
    for each in document.get("rounds", ()):
        prices = ", ".join(f"{lot} {_usd(price)}" for lot, price in each["prices_usd"].items())
        wanted: dict[str, int] = {}
        for one in each["demand"]:
            wanted[one["lot"]] = wanted.get(one["lot"], 0) + one["units"]
        exits = ", ".join(f"{one['bid']} {one['units']} at {_usd(one['usd_per_unit'])}" for one in each["exits"])
        held = ", ".join(f"{lot} {units}" for lot, units in wanted.items())
        rows.append((str(each["number"]), prices, held, exits, ", ".join(each["clipped"])))
    if not rows:
        return []
    return [*text_table(("round", "prices USD", "held", "given up", "clipped"), rows, right=("round",)), ""]


def _tie_lines(document: Mapping[str, Any]) -> list[str]:
    ties = document.get("ties")
    if not ties or not ties["swaps"]:
        return []
    lines = ["other awards are as good; the seed decided:"]
    for swap in ties["swaps"]:
        less = ", ".join(f"{one['units']} of {one['id']}" for one in swap["less"]) or "nothing"
        more = ", ".join(f"{one['units']} of {one['id']}" for one in swap["more"]) or "nothing"
        lines.append(f"  {more} instead of {less}")
    return [*lines, "  there may be more"] if ties["more"] else lines
