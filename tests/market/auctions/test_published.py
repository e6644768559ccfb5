"""Examples of the literature, each with its source."""

from fractions import Fraction

import pytest

from acreage.domain.auction import Auction, Bid, Direction, NoAward, PaymentRule
from acreage.market.auctions.payments import core_payments, vcg
from acreage.market.auctions.polytope import SumCap, greatest_sum, nearest
from acreage.market.auctions.settle import Outcome, settle
from acreage.units.errors import InputError
from acreage.units.ids import BidderId
from acreage.units.money import MICRO_PER_USD
from tests.market.auctions.cases import auction, bid

DAY_CRAMTON = (bid("1", "A", 28), bid("2", "B", 20), bid("3", "AB", 32), bid("4", "A", 14), bid("5", "B", 12))
"""Day and Cramton 2012, Operations Research 60(3): the example of five bidders and two items."""


def outcome(case: Auction) -> Outcome:
    """The outcome of a case that has one."""
    found = settle(case)
    assert not isinstance(found, NoAward)
    return found


def paid(case: Auction) -> dict[str, float]:
    """What winners pay, in dollars."""
    return {one.bidder: one.paid_micro_usd / MICRO_PER_USD for one in outcome(case).payments.payments}


def revenue(*bids: Bid, rule: PaymentRule = PaymentRule.VCG) -> float:
    """What the seller earns, in dollars."""
    return sum(paid(auction(*bids, payments=rule)).values())


def test_day_and_cramton_vcg() -> None:
    """Bidders 1 and 2 win; Vickrey payments are 14 and 12, less together than the 32 that bidder 3 offers."""
    assert paid(auction(*DAY_CRAMTON, payments=PaymentRule.VCG)) == {"1": 14, "2": 12}


def test_day_and_cramton_core() -> None:
    """The point of the minimum-revenue core nearest to (14, 12) is (17, 15): both pay 3 more, to match bidder 3."""
    found = outcome(auction(*DAY_CRAMTON))
    assert {one.bidder: one.paid_micro_usd for one in found.payments.payments} == {"1": 17_000_000, "2": 15_000_000}
    assert found.payments.vcg_in_core is False
    (binding,) = found.payments.binding
    assert binding.excluded == {"1", "2"}
    assert binding.value_micro_usd == 32 * MICRO_PER_USD
    witness = found.witnesses[found.payments.blocking.index(binding)]
    assert [one.bidder for one in witness.accepted] == ["3"]


def test_day_and_cramton_pay_as_bid() -> None:
    """Pay as bid takes 28 and 20."""
    assert paid(auction(*DAY_CRAMTON, payments=PaymentRule.PAY_AS_BID)) == {"1": 28, "2": 20}


def test_day_and_raghavan_style_three_way_core() -> None:
    """Three small bidders against a global one and a pair: own derivation.

    Winners bid 20 each for A, B, C; somebody bids 28 for AB and somebody 26 for BC. Vickrey: without 1 the pair AB
    at 28 loses against 20 + nobody, so 1 pays max(28 - 20, 0) = 8, or less BC; 2 pays max(28 - 20, 26 - 20) = 8;
    3 pays 6. AB needs p1 + p2 >= 28 and BC p2 + p3 >= 26. The least revenue has p2 = 20 and p1 = 8, p3 = 6.
    """
    bids = (bid("1", "A", 20), bid("2", "B", 20), bid("3", "C", 20), bid("4", "AB", 28), bid("5", "BC", 26))
    assert paid(auction(*bids, payments=PaymentRule.VCG)) == {"1": 8, "2": 8, "3": 6}
    assert paid(auction(*bids)) == {"1": 8, "2": 20, "3": 6}


def test_ausubel_and_milgrom_zero_revenue() -> None:
    """Of 2006: one bidder wants the pair at 2, two want a single item at 2 each: Vickrey revenue is zero.

    The core asks 2 of the two winners together, nearest to (0, 0) is 1 each.
    """
    bids = (bid("1", "AB", 2), bid("2", "A", 2), bid("3", "B", 2))
    assert paid(auction(*bids, payments=PaymentRule.VCG)) == {"2": 0, "3": 0}
    assert paid(auction(*bids)) == {"2": 1, "3": 1}


def test_ausubel_and_milgrom_revenue_is_not_monotone() -> None:
    """Of 2006: adding the third bidder to the first two takes Vickrey revenue from 2 to 0; never so in the core."""
    one, two, three = bid("1", "AB", 2), bid("2", "A", 2), bid("3", "B", 2)
    assert revenue(one, two) == 2
    assert revenue(one, two, three) == 0
    assert revenue(one, two, rule=PaymentRule.CORE) == 2
    assert revenue(one, two, three, rule=PaymentRule.CORE) == 2


def test_ausubel_and_milgrom_losers_collude() -> None:
    """Of 2006: bidders worth 0.5 each lose against 2 for the pair, but bidding 2 each they win at zero."""
    losing = (bid("1", "AB", 4), bid("2", "A", 1), bid("3", "B", 1))
    assert paid(auction(*losing, payments=PaymentRule.VCG)) == {"1": 2}
    colluding = (bid("1", "AB", 4), bid("2", "A", 4), bid("3", "B", 4))
    assert paid(auction(*colluding, payments=PaymentRule.VCG)) == {"2": 0, "3": 0}
    assert sum(paid(auction(*colluding)).values()) == 4


def test_ausubel_and_milgrom_shill() -> None:
    """Of 2006: a loser who would pay 1 for the pair splits into two names that bid 2 each, and wins at zero.

    In the core the two names pay 2 together, more than the pair is worth to it.
    """
    honest = (bid("1", "AB", 2), bid("2", "AB", 1))
    assert paid(auction(*honest, payments=PaymentRule.VCG)) == {"1": 1}
    split = (bid("1", "AB", 2), bid("2", "A", 2), bid("2-shill", "B", 2))
    assert paid(auction(*split, payments=PaymentRule.VCG)) == {"2": 0, "2-shill": 0}
    assert sum(paid(auction(*split)).values()) == 2


def test_vickrey_second_price() -> None:
    """Vickrey 1961: one item goes to the highest bid at the second highest, under VCG and in the core alike."""
    bids = (bid("1", "A", 7), bid("2", "A", 10), bid("3", "A", 4))
    for rule in (PaymentRule.VCG, PaymentRule.CORE):
        assert paid(auction(*bids, payments=rule)) == {"2": 7}


def test_a_reserve_is_a_bid_of_the_seller() -> None:
    """Day and Cramton 2012 treat reserves so: with a reserve of 16 an item, nobody pays less than 16 for one."""
    assert paid(auction(*DAY_CRAMTON, payments=PaymentRule.VCG, reserve_usd=16)) == {"1": 16, "2": 16}


def test_the_mirror_image_pays_suppliers_more_than_they_ask() -> None:
    """Reverse: 1 and 2 ask 10 for A and B, 3 asks 32 for both, 4 and 5 ask 24 and 26 for one of them.

    VCG pays 24 and 26 less nothing: without 1 the cheapest is 24 + 10, or 32: 1 gets 32 - 10 = 22, likewise 2; the
    core pays at most 32 together, so 16 each.
    """
    bids = (bid("1", "A", 10), bid("2", "B", 10), bid("3", "AB", 32), bid("4", "A", 24), bid("5", "B", 26))
    assert paid(auction(*bids, payments=PaymentRule.VCG, direction=Direction.REVERSE)) == {"1": 22, "2": 22}
    assert paid(auction(*bids, direction=Direction.REVERSE)) == {"1": 16, "2": 16}


def test_a_supplier_that_cannot_be_replaced_is_settled_at_its_bid() -> None:
    """Reverse without a way to buy elsewhere: Vickrey's payment of the only supplier of B has no limit."""
    bids = (bid("1", "A", 10), bid("2", "B", 10), bid("4", "A", 24))
    found = outcome(auction(*bids, direction=Direction.REVERSE))
    assert [(one.paid_micro_usd, one.irreplaceable) for one in found.payments.payments] == [
        (24 * MICRO_PER_USD, False),
        (10 * MICRO_PER_USD, True),
    ]


def test_payments_from_nothing_but_values() -> None:
    """The same payments without an auction: from a table of what coalitions can have, by enumeration."""
    bids = {"1": 28, "2": 20, "3": 32, "4": 14, "5": 12}

    def value_of(excluded: frozenset[BidderId], /) -> int:
        left = {who: amount for who, amount in bids.items() if who not in excluded}
        singles = max((left.get(i, 0) for i in "14"), default=0) + max((left.get(i, 0) for i in "25"), default=0)
        return max(singles, left.get("3", 0))

    winners = {BidderId("1"): 28, BidderId("2"): 20}
    assert [one.paid_micro_usd for one in vcg(value_of, winners, Direction.FORWARD).payments] == [14, 12]
    assert [one.paid_micro_usd for one in core_payments(value_of, winners, Direction.FORWARD).payments] == [17, 15]


def test_enumeration_is_refused_beyond_its_size() -> None:
    """Thirteen winners without a separation oracle would take 8,192 plans: said at once."""
    winners = {BidderId(str(i)): 1 for i in range(13)}
    with pytest.raises(InputError, match="13 winners"):
        core_payments(lambda excluded: 13 - len(excluded), winners, Direction.FORWARD)


def test_exact_thirds() -> None:
    """The nearest point under one cap on three numbers takes a third from each, exactly."""
    caps = [SumCap(members=frozenset({i}), most=Fraction(9)) for i in range(3)]
    caps.append(SumCap(members=frozenset(range(3)), most=Fraction(26)))
    total = greatest_sum(3, caps)
    assert total == 26
    assert nearest((Fraction(9),) * 3, caps, total) == (Fraction(26, 3),) * 3
