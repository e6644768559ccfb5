"""From bids to an outcome: the award, what its winners pay by the auction's rule, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from acreage.domain.auction import Allocation, Auction, Award, NoAward, PaymentRule
from acreage.market.auctions.award import Coalition, determine, most_blocking, without
from acreage.market.auctions.payments import Blocking, Payments, core_payments, pay_as_bid, vcg
from acreage.units.ids import BidderId


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An award and what it costs; `witnesses` show, for each coalition of `payments.blocking`, its allocation."""

    award: Award
    payments: Payments
    witnesses: tuple[Allocation, ...]


def settle(auction: Auction) -> Outcome | NoAward:
    """Determine the winners and what they pay by the rule of the auction."""
    award = determine(auction)
    if isinstance(award, NoAward):
        return award
    bids = bids_of_winners(award.allocation)
    table = _Table(auction=auction, award=award.allocation)
    if auction.payments is PaymentRule.PAY_AS_BID:
        payments = pay_as_bid(bids)
    elif auction.payments is PaymentRule.VCG:
        payments = vcg(table.value_of, bids, auction.direction)
    else:
        payments = core_payments(table.value_of, bids, auction.direction, table.blocking)
    witnesses = tuple(table.known[one.excluded] for one in payments.blocking)
    return Outcome(award=award, payments=payments, witnesses=witnesses)


def bids_of_winners(allocation: Allocation) -> dict[BidderId, int]:
    """What each winner bids for all that it wins, in micro-USD."""
    total: dict[BidderId, int] = {}
    for one in allocation.accepted:
        total[one.bidder] = total.get(one.bidder, 0) + one.amount_micro_usd
    return total


@dataclass(slots=True, kw_only=True)
class _Table:
    """The values of coalitions of one auction, each with the allocation that shows it."""

    auction: Auction
    award: Allocation
    known: dict[frozenset[BidderId], Allocation] = field(default_factory=dict)

    def value_of(self, excluded: frozenset[BidderId], /) -> int | None:
        if not excluded:
            return self.award.value_micro_usd
        found = without(self.auction, excluded)
        return None if found is None else self._keep(found).value_micro_usd

    def blocking(self, surplus_micro_usd: Mapping[BidderId, Fraction], /) -> Blocking | None:
        found = most_blocking(self.auction, surplus_micro_usd)
        return None if found is None else self._keep(found)

    def _keep(self, found: Coalition) -> Blocking:
        self.known[found.excluded] = found.allocation
        return Blocking(excluded=found.excluded, value_micro_usd=found.allocation.value_micro_usd)
