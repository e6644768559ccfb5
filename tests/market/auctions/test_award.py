"""Awards at the edges: package auctions with many core constraints, ties and seeds, large amounts, and no award."""

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from acreage.domain.auction import Auction, Award, AwardRules, Direction, NoAward, PaymentRule, ShareCap
from acreage.market.auctions.audit import audit_outcome
from acreage.market.auctions.award import determine
from acreage.market.auctions.payments import Payments, core_payments
from acreage.market.auctions.settle import bids_of_winners, settle
from acreage.market.auctions.validate import check_auction
from acreage.units.errors import InputError
from acreage.units.money import MICRO_PER_USD
from tests.market.auctions.brute_force import Everything, check_bidder_optimal
from tests.market.auctions.cases import auction, bid
from tests.market.auctions.random_auctions import random_auction


def package_auction(seed: int) -> Auction:
    """Five single items, five small bidders of one each, and up to four that want several: the core binds often."""
    draw = Random(seed)
    small = [bid(f"s{item}", item, draw.randint(4, 12)) for item in "ABCDE"]
    large = []
    for i in range(draw.randint(2, 4)):
        items = "".join(draw.sample("ABCDE", draw.randint(2, 4)))
        large.append(bid(f"g{i}", items, draw.randint(3, 9) * len(items)))
    direction = draw.choice(tuple(Direction))
    return auction(*small, *large, direction=direction, reserve_usd=14 if direction is Direction.REVERSE else None)


@pytest.mark.parametrize("first", range(0, 100, 50))
def test_core_payments_of_package_auctions(first: int) -> None:
    """Bidder-optimal and nearest to VCG by all 2**n constraints; the record passes its audit."""
    several = 0
    for seed in range(first, first + 50):
        case = package_auction(seed)
        everything = Everything(case)
        outcome = settle(case)
        assert not isinstance(outcome, NoAward)
        assert outcome.award.allocation.value_micro_usd == everything.best()
        winners = tuple(bids_of_winners(outcome.award.allocation))
        rows, limits = everything.core(winners)
        sign = -1 if case.direction is Direction.FORWARD else 1
        kept = [sign * (one.paid_micro_usd - one.bid_micro_usd) / MICRO_PER_USD for one in outcome.payments.payments]
        vcg = [(everything.vcg_surplus(winners)[who] or 0) / MICRO_PER_USD for who in winners]
        check_bidder_optimal(rows, limits / MICRO_PER_USD, np.array(vcg), np.array(kept))
        assert audit_outcome(case, outcome) == ()
        several += any(len(one.excluded) > 1 for one in outcome.payments.binding)
    assert several >= 10


def test_separation_and_enumeration_agree() -> None:
    """Coalitions found one by one by the solver give the payments that asking for all of them gives."""
    for seed in range(40):
        case = package_auction(seed)
        everything = Everything(case)
        outcome = settle(case)
        assert not isinstance(outcome, NoAward)
        bids = bids_of_winners(outcome.award.allocation)
        asked: Payments = core_payments(everything.best, bids, case.direction)
        assert asked.payments == outcome.payments.payments


def test_the_order_of_bids_decides_nothing() -> None:
    """Bids in another order give the same accepted bids; the seed alone decides ties."""
    ties = 0
    for seed in range(60):
        case = random_auction(seed)
        award, turned = determine(case), determine(replace(case, bids=case.bids[::-1]))
        if isinstance(award, NoAward) or isinstance(turned, NoAward):
            assert type(award) is type(turned)
            continue
        ties += bool(award.swaps)
        assert set(award.allocation.accepted) == set(turned.allocation.accepted)
    assert ties >= 3


def test_the_seed_decides_a_tie_and_the_swap_is_told() -> None:
    """Two equal bids for one item: over some seeds each wins, and the other is named each time."""
    winners = set()
    for seed in range(20):
        award = determine(auction(bid("1", "A", 5), bid("2", "A", 5), seed=seed))
        assert isinstance(award, Award)
        (winner,) = award.allocation.accepted
        (swap,) = award.swaps
        assert swap.less == ((winner.bid, 1),)
        assert {winner.bid, swap.more[0][0]} == {"1-A", "2-A"}
        winners.add(winner.bidder)
    assert winners == {"1", "2"}


def test_one_micro_dollar_decides_between_millions() -> None:
    """Bids of 40 million dollars that differ by 10**-6 of one: the better wins, and no tie is told."""
    for better in ("1", "2"):
        bids = []
        for who, item in (("1", "AB"), ("2", "AC"), ("3", "C"), ("4", "B")):
            one = bid(who, item, 40_000_000)
            more = 1 if who == better else 0
            tier = replace(one.tiers[0], micro_usd_per_unit=one.tiers[0].micro_usd_per_unit + more)
            bids.append(replace(one, tiers=(tier,)))
        award = determine(auction(*bids))
        assert isinstance(award, Award)
        assert better in {one.bidder for one in award.allocation.accepted}
        assert award.swaps == ()


def test_large_amounts_with_odd_last_digits_are_exact() -> None:
    """Millions of dollars a bid, no two alike to the micro-dollar: values and VCG payments equal brute force."""
    for seed in range(60):
        case, draw = random_auction(seed), Random(seed)
        bids = tuple(
            replace(
                one, tiers=tuple(replace(t, micro_usd_per_unit=_odd(draw, t.micro_usd_per_unit)) for t in one.tiers)
            )
            for one in case.bids
        )
        rules = replace(case.rules, budget_micro_usd=None)
        lots = tuple(replace(lot, reserve_micro_usd=None) for lot in case.lots)
        limits = tuple(replace(one, budget_micro_usd=None) for one in case.bidders)
        case = replace(case, bids=bids, rules=rules, lots=lots, bidders=limits, payments=PaymentRule.VCG)
        everything, outcome = Everything(case), settle(case)
        if isinstance(outcome, NoAward):
            assert everything.best() is None
            continue
        assert outcome.award.allocation.value_micro_usd == everything.best()
        assert bool(outcome.award.swaps) == (len(everything.optima()) > 1)
        surplus = everything.vcg_surplus(tuple(bids_of_winners(outcome.award.allocation)))
        for one in outcome.payments.payments:
            assert abs(one.paid_micro_usd - one.bid_micro_usd) == (surplus[one.bidder] or 0)


def _odd(draw: Random, price_micro_usd: int) -> int:
    """A price of about a million times as much, with any last digits."""
    return price_micro_usd * 1_000_000 + draw.randrange(-3, 4)


def test_no_award_says_what_is_short_and_what_would_help() -> None:
    """Reverse: a rule that stands in the way is named, and so is a lot nobody bids enough for."""
    bids = (bid("1", "AB", 10), bid("2", "A", 7))
    case = auction(*bids, direction=Direction.REVERSE)
    capped = replace(case, rules=AwardRules(share_caps=(ShareCap(share_max_frac=Fraction(1, 2)),)))
    none = determine(capped)
    assert isinstance(none, NoAward)
    assert any("share_caps: then there is an award at 10 USD" in relief for relief in none.reliefs)
    short = determine(auction(*bids, direction=Direction.REVERSE, quantity=2))
    assert isinstance(short, NoAward)
    assert "lot B: at most 1 of 2" in short.because


def test_a_forward_auction_without_a_good_bid_keeps_its_lots() -> None:
    """Nothing above the reserve price: nothing is sold, which is an award."""
    outcome = settle(auction(bid("1", "A", 5), reserve_usd=6, payments=PaymentRule.VCG))
    assert not isinstance(outcome, NoAward)
    assert outcome.award.allocation.accepted == ()
    assert outcome.award.allocation.value_micro_usd == 6 * MICRO_PER_USD


def test_an_auction_made_in_python_is_checked_too() -> None:
    """The faults that files have are found in values as well."""
    case = auction(bid("1", "A", 5))
    check_auction(case)
    with pytest.raises(InputError, match=r"bids.0.bundle.A: there is no lot 'A'"):
        check_auction(replace(case, lots=(replace(case.lots[0], id=bid("1", "B", 1).bundle[0][0]),)))
