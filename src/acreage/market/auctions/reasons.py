"""Why an outcome is what it is, in sentences: each payment, each bid that lost, and what to look at twice."""

from acreage.domain.auction import Auction, Direction, PaymentRule
from acreage.market.auctions.arithmetic import keeps_reserve, price_at
from acreage.market.auctions.payments import Blocking, Payment
from acreage.market.auctions.settle import Outcome
from acreage.units.ids import BidderId, BidId
from acreage.units.money import usd_text


def payment_reasons(auction: Auction, outcome: Outcome) -> dict[BidderId, str]:
    """Why each winner pays, or is paid, what it does."""
    return {one.bidder: _reason(auction, outcome, one) for one in outcome.payments.payments}


def _reason(auction: Auction, outcome: Outcome, payment: Payment) -> str:
    if auction.payments is PaymentRule.PAY_AS_BID:
        return "pay as bid"
    if payment.irreplaceable:
        return "without it there is no award at all, so no other price can be found: settled at its bid"
    best = outcome.award.allocation.value_micro_usd
    alone = next(one for one in outcome.payments.blocking if one.excluded == {payment.bidder})
    adds = _usd(best - alone.value_micro_usd)
    text = f"without it the best award is worth {adds} USD less, which is its VCG surplus"
    if payment.paid_micro_usd == payment.vcg_micro_usd:
        return text
    groups = _smallest([one for one in outcome.payments.binding if payment.bidder in one.excluded])
    change = _usd(abs(payment.paid_micro_usd - payment.vcg_micro_usd))
    side = "more" if auction.direction is Direction.FORWARD else "less"
    why = "; ".join(_group_reason(outcome, one) for one in groups) or "other limits leave its share elsewhere"
    return f"{text}; {change} USD {side} than VCG because {why}"


def _smallest(groups: list[Blocking]) -> list[Blocking]:
    """The limits on several winners that no limit on fewer of them explains."""
    several = [one for one in groups if len(one.excluded) > 1]
    return [one for one in several if not any(other.excluded < one.excluded for other in several)]


def _group_reason(outcome: Outcome, group: Blocking) -> str:
    witness = outcome.witnesses[outcome.payments.blocking.index(group)]
    others = ", ".join(dict.fromkeys(one.bidder for one in witness.accepted)) or "nobody"
    most = _usd(outcome.award.allocation.value_micro_usd - group.value_micro_usd)
    names = " and ".join(sorted(group.excluded))
    return f"{others} could have an award of their own without {names}, who may keep {most} USD together"


def refused_bids(auction: Auction) -> dict[BidId, str]:
    """Bids that the reserve prices shut out at every number of units."""
    lots = {lot.id: lot for lot in auction.lots}
    found = {}
    for bid in auction.bids:
        levels = [bid.units_min, *(tier.units_min for tier in bid.tiers if tier.units_min > bid.units_min)]
        if not any(keeps_reserve(bid, price_at(bid, n), lots, auction.direction) for n in levels):
            side = "below" if auction.direction is Direction.FORWARD else "above"
            found[bid.id] = f"its price is {side} the reserve price"
    return found


def findings(auction: Auction, outcome: Outcome) -> tuple[str, ...]:
    """What whoever runs the auction should look at before it is announced."""
    found = []
    paid = sum(one.paid_micro_usd for one in outcome.payments.payments)
    budget = auction.rules.budget_micro_usd
    if budget is not None and paid > budget:
        what = f"payments come to {_usd(paid)} USD, beyond the budget of {_usd(budget)} USD, which limits bids"
        found.append(f"{what}: pay as bid keeps it")
    if auction.payments is PaymentRule.VCG and auction.direction is Direction.FORWARD:
        below = [one.bidder for one in outcome.payments.payments if one.paid_micro_usd < one.bid_micro_usd // 2]
        if below:
            names = ", ".join(below)
            found.append(f"{names}: VCG takes less than half of the bid; core payments ask what rivals would pay")
    for one in outcome.payments.payments:
        if one.irreplaceable and auction.payments is not PaymentRule.PAY_AS_BID:
            found.append(
                f"{one.bidder} cannot be replaced: it is settled at its bid, so it had a reason to ask for more"
            )
    if not outcome.award.allocation.accepted:
        found.append("nothing is awarded")
    return tuple(found)


def _usd(amount_micro_usd: int) -> str:
    whole, point, rest = usd_text(amount_micro_usd).partition(".")
    return f"{int(whole):,}{point}{rest}"
