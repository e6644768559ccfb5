"""An outcome recomputed in plain arithmetic: no solver, only sums, comparisons and what the outcome itself lists.

It finds any sum, payment or broken rule. That no better award exists is shown only against the coalitions listed: an
auditor who doubts it has the bids, and any better award they find disproves the outcome.
"""

from collections.abc import Mapping
from fractions import Fraction

from acreage.domain.auction import Allocation, Auction, Award, Direction, PaymentRule, Swap
from acreage.market.auctions.arithmetic import allocation_of, broken_rules
from acreage.market.auctions.payments import Blocking, Payment, core_payments, pay_as_bid, vcg
from acreage.market.auctions.settle import Outcome, bids_of_winners
from acreage.units.ids import BidderId
from acreage.units.money import usd_text


def audit_outcome(auction: Auction, outcome: Outcome) -> tuple[str, ...]:
    """Everything that does not hold, in words; empty where all does."""
    award = outcome.award
    found = [f"the award: {one}" for one in broken_rules(auction, award.allocation)]
    if award.bound_micro_usd < award.allocation.value_micro_usd:
        found.append("the award is worth more than its own bound")
    for i, swap in enumerate(award.swaps):
        found += [f"the other award {i + 1}: {one}" for one in _swap_faults(auction, award, swap)]
    if len(outcome.witnesses) != len(outcome.payments.blocking):
        return (*found, "coalitions and their awards do not match")
    for blocking, witness in zip(outcome.payments.blocking, outcome.witnesses, strict=True):
        found += _witness_faults(auction, award.allocation, blocking, witness)
    return (*found, *_payment_faults(auction, outcome))


def _swap_faults(auction: Auction, award: Award, swap: Swap) -> tuple[str, ...]:
    units = {one.bid: one.units for one in award.allocation.accepted}
    for bid, n in swap.less:
        units[bid] = units.get(bid, 0) - n
    for bid, n in swap.more:
        units[bid] = units.get(bid, 0) + n
    other = allocation_of(auction, units, dict(swap.elsewhere))
    if other.value_micro_usd != award.allocation.value_micro_usd:
        return (f"it is worth {usd_text(other.value_micro_usd)} USD, not the same",)
    return broken_rules(auction, other)


def _witness_faults(auction: Auction, best: Allocation, blocking: Blocking, witness: Allocation) -> list[str]:
    name = f"without {', '.join(sorted(blocking.excluded))}"
    found = [f"{name}: {one}" for one in broken_rules(auction, witness)]
    if blocking.excluded & {one.bidder for one in witness.accepted}:
        found.append(f"{name}: one of them wins in it")
    if witness.value_micro_usd != blocking.value_micro_usd:
        found.append(f"{name}: the value is {usd_text(witness.value_micro_usd)} USD")
    if witness.value_micro_usd > best.value_micro_usd:
        found.append(f"{name}: this award is better than the one made")
    return found


def _payment_faults(auction: Auction, outcome: Outcome) -> list[str]:
    bids = bids_of_winners(outcome.award.allocation)
    paid = {one.bidder: one for one in outcome.payments.payments}
    if list(paid) != list(bids):
        return ["payments are not of the winners"]
    sign = 1 if auction.direction is Direction.FORWARD else -1
    kept = {who: sign * (bids[who] - paid[who].paid_micro_usd) for who in bids}
    best = outcome.award.allocation.value_micro_usd
    found = [f"{who} is settled beyond its own bid" for who, amount in kept.items() if amount < 0]
    if auction.payments is PaymentRule.CORE:
        for one in outcome.payments.blocking:
            left = sum(kept[who] for who in one.excluded)
            if left > best - one.value_micro_usd:
                names = ", ".join(sorted(one.excluded))
                found.append(f"{names} keep {usd_text(left)} USD, {usd_text(best - one.value_micro_usd)} USD at most")
    for again in _again(auction, outcome):
        if again != paid[again.bidder]:
            who, amount = again.bidder, usd_text(again.paid_micro_usd)
            found.append(f"{who} is settled at {usd_text(paid[who].paid_micro_usd)} USD where the rule says {amount}")
    return found


def _again(auction: Auction, outcome: Outcome) -> tuple[Payment, ...]:
    """The payments by the rule, from the coalitions that the outcome lists."""
    listed = {one.excluded: one.value_micro_usd for one in outcome.payments.blocking}
    listed[frozenset()] = outcome.award.allocation.value_micro_usd
    bids = bids_of_winners(outcome.award.allocation)
    if auction.payments is PaymentRule.PAY_AS_BID:
        return pay_as_bid(bids).payments
    if auction.payments is PaymentRule.VCG:
        return vcg(listed.get, bids, auction.direction).payments
    best = listed[frozenset()]

    def worst(surplus_micro_usd: Mapping[BidderId, Fraction], /) -> Blocking | None:
        return max(
            outcome.payments.blocking,
            key=lambda one: sum(surplus_micro_usd[who] for who in one.excluded) - best + one.value_micro_usd,
            default=None,
        )

    return core_payments(listed.get, bids, auction.direction, worst).payments
