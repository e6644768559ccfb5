"""The price named to who names no bid: tariffs to the micro-dollar, and the best price of a take-up curve."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acreage.desk.prices.named import best_price_usd, listed_price, named_price, tariff_of
from acreage.desk.prices.responses import LogitResponse
from acreage.desk.quote import answer
from acreage.domain.desk import TakeUpCurve, Verdict
from acreage.domain.tariff import Discounting, PriceFactors, QuantityStep, TimeOfUse
from acreage.units.instants import SECONDS_PER_HOUR, Instant
from acreage.units.money import micro_usd
from tests.desk.cases import NOW, OTHER, POOL, asks_of, day, desk, open_book, request

TICK = 10_000
FIRM = desk().tiers[0]
FACTORS = PriceFactors(
    discounting=Discounting.INCREMENTAL,
    steps=(QuantityStep(units_min=50, price_frac=0.9),),
    times=(TimeOfUse(weekdays=(5, 6), from_hour=0, until_hour=24, price_frac=0.333333),),
)
TARIFF = replace(FIRM, factors=FACTORS)
CURVE = TakeUpCurve(pool=POOL, middle_usd=4.0, slope_per_usd=1.5)
CURVED = replace(FIRM, take_up=(CURVE,))


@given(st.integers(1, 500), st.integers(0, 10**6), st.integers(1, 10**6))
@example(units=1, from_s=86_400, length_s=317)
def test_a_price_an_hour_comes_to_the_tariffs_amount_and_less_than_a_micro_dollar_an_hour_more(
    units: int, from_s: int, length_s: int
) -> None:
    """Whatever is asked for and when; and it is never below the floor."""
    window = Instant(NOW + from_s), Instant(NOW + from_s + length_s)
    price = listed_price(TARIFF, units, window)
    amount = tariff_of(TARIFF).quote(*window, units)
    hours = units * length_s / SECONDS_PER_HOUR
    assert amount <= price * hours + 1e-6 * amount + 1
    assert price * hours < amount + hours + 1
    assert price >= TARIFF.floor_micro_usd or amount <= 1


def test_a_quote_without_a_bid_names_the_tariff_and_a_bid_is_judged_by_what_it_displaces() -> None:
    """A weekend costs a third, at the floor at least; who bids less than that and enough is accepted at the bid."""
    made = replace(desk(), tiers=(TARIFF, *desk().tiers[1:]))
    asked = request(8, 10, 7, bid=None)
    got = answer(made, asks_of(made), asked, NOW)
    assert got.offer is not None
    window = (asked.from_at, asked.until_at)
    assert got.offer.micro_usd == listed_price(TARIFF, 8, window)
    assert got.offer.micro_usd == pytest.approx((5 * 4.0 + 2 * 2.0) / 7 * 1e6, abs=1)
    low = answer(made, asks_of(made), replace(asked, bid_micro_usd=micro_usd("3.00")), NOW)
    assert (low.verdict, low.offer and low.offer.micro_usd) == (Verdict.ACCEPT, micro_usd("3.00"))


def test_counter_offers_of_fewer_get_no_discount_they_do_not_reach() -> None:
    """Each variant is priced by the tariff for its own quantity."""
    made = replace(desk(), tiers=(TARIFF, *desk().tiers[1:]))
    book = open_book(made)
    book.add(0, 410, day(0), day(200), firm=True)
    got = answer(made, asks_of(made, book), request(200, 20, 7, bid=None), NOW)
    fewer = got.counters[0]
    assert fewer.accelerators < 200
    assert fewer.micro_usd >= listed_price(TARIFF, fewer.accelerators, (fewer.from_at, fewer.until_at))


@given(st.floats(0.0, 12.0))
def test_the_named_price_is_the_best_of_all_prices_that_the_floor_and_the_displacement_allow(displaced: float) -> None:
    """Against a search over every tick up to 30 USD; it rises with what is displaced."""
    response = LogitResponse(middle_usd=CURVE.middle_usd, slope_per_usd=CURVE.slope_per_usd)
    prices = np.arange(0.0, 30.0, 0.01)
    allowed = prices[prices >= max(2.0, displaced)]
    earned = response.take_up_frac(allowed) * (allowed - displaced)
    best = float(allowed[np.argmax(earned)])
    named = named_price(CURVED, POOL, 8, (day(1), day(2)), displaced, TICK) / 1e6
    assert named == pytest.approx(best, abs=0.0101)
    more = named_price(CURVED, POOL, 8, (day(1), day(2)), displaced + 0.5, TICK) / 1e6
    assert more >= named


def test_a_curve_replaces_the_list_price_in_its_pool_only() -> None:
    """Below the list price on an empty book, above it on a full one; elsewhere the list price stands."""
    made = replace(desk(pools=2), tiers=(CURVED, *desk(pools=2).tiers[1:]))
    assert best_price_usd(CURVED, OTHER, 1.0) is None
    elsewhere = answer(made, asks_of(made), request(8, bid=None, pools=(OTHER,)), NOW)
    assert elsewhere.offer is not None
    assert elsewhere.offer.micro_usd == FIRM.list_micro_usd
    prices = []
    for leased in (0, 430):
        book = open_book(made)
        book.add(0, leased, day(0), day(200), firm=True)
        got = answer(made, asks_of(made, book), request(8, 20, bid=None), NOW)
        assert got.offer is not None
        hourly = got.reason.displacement_usd / (8 * 14 * 24)
        assert got.offer.micro_usd / 1e6 >= max(hourly, 2.0)
        prices.append(got.offer.micro_usd)
    assert prices[0] < prices[1]
