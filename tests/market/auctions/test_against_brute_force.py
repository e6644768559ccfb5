"""Awards and payments equal what trying every combination gives, on random auctions with every side constraint."""

from dataclasses import replace

import numpy as np
import pytest

from acreage.domain.auction import Auction, Award, Direction, NoAward, PaymentRule
from acreage.market.auctions.arithmetic import broken_rules
from acreage.market.auctions.award import determine
from acreage.market.auctions.settle import bids_of_winners, settle
from acreage.units.ids import BidId
from acreage.units.money import MICRO_PER_USD
from tests.market.auctions.brute_force import Everything, Units, check_bidder_optimal
from tests.market.auctions.random_auctions import random_auction

AUCTIONS = 600
BATCH = 50


def units_of(auction: Auction, award: Award) -> Units:
    """The accepted units of every bid."""
    found = {bid.id: 0 for bid in auction.bids}
    return found | {one.bid: one.units for one in award.allocation.accepted}


@pytest.mark.parametrize("first", range(0, AUCTIONS, BATCH))
def test_awards_ties_and_payments_equal_brute_force(first: int) -> None:
    """Value, whether another award is as good, VCG payments, and the core point, of fifty auctions."""
    for seed in range(first, first + BATCH):
        auction = random_auction(seed)
        everything = Everything(auction)
        award = determine(auction)
        best = everything.best()
        if best is None:
            assert isinstance(award, NoAward), seed
            continue
        assert isinstance(award, Award), seed
        assert award.allocation.value_micro_usd == best == award.bound_micro_usd, seed
        assert broken_rules(auction, award.allocation) == ()
        _check_ties(auction, everything, award)
        _check_vcg(auction, everything)
        _check_core(auction, everything)


def _check_ties(auction: Auction, everything: Everything, award: Award) -> None:
    optima = everything.optima()
    ours = units_of(auction, award)
    assert ours in optima
    assert bool(award.swaps) == (len(optima) > 1)
    assert len(award.swaps) == min(3, len(optima) - 1)
    for swap in award.swaps:
        other: dict[BidId, int] = dict(ours)
        for bid, units in swap.less:
            other[bid] -= units
        for bid, units in swap.more:
            other[bid] += units
        assert other in optima
        assert other != ours


def _check_vcg(auction: Auction, everything: Everything) -> None:
    outcome = settle(replace(auction, payments=PaymentRule.VCG))
    assert not isinstance(outcome, NoAward)
    bids = bids_of_winners(outcome.award.allocation)
    surplus = everything.vcg_surplus(tuple(bids))
    sign = -1 if auction.direction is Direction.FORWARD else 1
    for payment in outcome.payments.payments:
        kept = surplus[payment.bidder]
        assert payment.irreplaceable == (kept is None)
        assert payment.paid_micro_usd == bids[payment.bidder] + sign * (kept or 0)


def _check_core(auction: Auction, everything: Everything) -> None:
    outcome = settle(replace(auction, payments=PaymentRule.CORE))
    assert not isinstance(outcome, NoAward)
    bids = bids_of_winners(outcome.award.allocation)
    if not bids:
        return
    rows, limits = everything.core(tuple(bids))
    sign = -1 if auction.direction is Direction.FORWARD else 1
    kept = [sign * (one.paid_micro_usd - one.bid_micro_usd) for one in outcome.payments.payments]
    vcg = [everything.vcg_surplus(tuple(bids))[who] or 0 for who in bids]
    check_bidder_optimal(rows, limits / MICRO_PER_USD, np.array(vcg) / MICRO_PER_USD, np.array(kept) / MICRO_PER_USD)
    in_core = bool((rows @ np.array(vcg) <= limits).all())
    assert outcome.payments.vcg_in_core == in_core
    if in_core:
        assert kept == vcg


def test_the_random_auctions_exercise_every_rule() -> None:
    """A rule that never binds would not be tested: each kind of auction and rule occurs often."""
    auctions = [random_auction(seed) for seed in range(AUCTIONS)]
    for uses in (
        lambda a: a.direction is Direction.FORWARD,
        lambda a: a.direction is Direction.REVERSE,
        lambda a: a.rules.winners_min,
        lambda a: a.rules.winners_max is not None,
        lambda a: a.rules.share_caps,
        lambda a: a.rules.survive_frac,
        lambda a: a.rules.budget_micro_usd is not None,
        lambda a: any(lot.reserve_micro_usd for lot in a.lots),
        lambda a: any(bid.either_or for bid in a.bids),
        lambda a: any(len(bid.tiers) > 1 for bid in a.bids),
        lambda a: any(bidder.units_max for bidder in a.bidders),
        lambda a: any(bidder.budget_micro_usd for bidder in a.bidders),
    ):
        assert sum(bool(uses(auction)) for auction in auctions) >= 50
