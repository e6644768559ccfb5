"""The comparable price: worked examples, what each term does, and steps that add up exactly."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acreage.domain.comparison import Compared, ComponentKind
from acreage.domain.contract import SlaStep
from acreage.domain.lease import Offer
from acreage.domain.price import PriceBasis
from acreage.domain.provider import DelayModel
from acreage.domain.terms import (
    ExtensionOption,
    FeeStep,
    PriceTier,
    RecallRight,
    Termination,
    Terms,
    Tranche,
)
from acreage.market.rfq.compare import compared
from acreage.market.rfq.rights import call_value, put_value
from acreage.units.instants import Duration, instant
from acreage.units.money import MicroUsd
from tests.market.rfq.cases import GB300, SURE, YARD, bid, offer, price

LATE = replace(SURE, delay=DelayModel(on_time_frac=0.2, median_days=40.0, p90_days=120.0))
FLAT = replace(YARD, discount_frac_per_year=0.0)


def part(found: Compared, kind: ComponentKind) -> int:
    """What a step adds, in micro-dollars."""
    return sum(c.micro_usd_per_hour for c in found.components if c.kind is kind)


def with_terms(**changes: object) -> Offer:
    """The plain offer with other terms."""
    return offer(terms=Terms(price=price(), **changes))  # type: ignore[arg-type]


def test_a_plain_offer_costs_its_price() -> None:
    """Without discounting, with nothing agreed and nothing that can go wrong, 4.00 is 4.00."""
    found = compared(bid(offer()), FLAT)
    assert found.micro_usd_per_hour == 4_000_000
    assert found.accelerators == 1000
    assert found.hours == pytest.approx(1000 * 731 * 24)
    assert [c.kind for c in found.components] == [ComponentKind.QUOTED]


@pytest.mark.parametrize(
    ("basis", "usd", "each", "hourly"),
    [
        (PriceBasis.NODE_HOUR, "32.00", 8.0, 4.0),
        (PriceBasis.MW_MONTH, "1068720", 366.0, 4.0),
        (PriceBasis.MONTHLY_LUMP, "2920000", 1000.0, 4.0),
        (PriceBasis.THROUGHPUT_UNIT_HOUR, "8.00", 2.0, 4.0),
    ],
)
def test_every_basis_comes_to_the_same_hour(basis: PriceBasis, usd: str, each: float, hourly: float) -> None:
    """A month has 730 hours when prices are quoted, and its own length when they are billed."""
    one = offer(terms=Terms(price=price(usd, basis, each)))
    found = compared(bid(one), FLAT)
    assert found.quoted_micro_usd_per_accelerator_hour == round(hourly * 1e6)
    months_h = 730.0 if basis in (PriceBasis.MW_MONTH, PriceBasis.MONTHLY_LUMP) else 731.0
    assert found.micro_usd_per_hour == pytest.approx(hourly * 1e6 * (24 * months_h) / (731 * 24), rel=1e-6)


def test_a_faster_chip_costs_less_per_effective_hour() -> None:
    """GB300 is 900 / 800 of B200, so 4.50 a chip is 4.00 an effective hour."""
    found = compared(bid(offer(terms=Terms(price=price("4.50"))), chip=GB300), FLAT)
    assert found.micro_usd_per_hour == 4_000_000
    assert part(found, ComponentKind.CHIP) == -500_000


def test_prepayment_costs_the_interest_of_the_money() -> None:
    """All of it paid on day 0 instead of monthly in arrears: by hand, month by month."""
    found = compared(bid(with_terms(prepayment_frac=1.0)), YARD)
    starts_at = instant("2027-03-01")
    hours = YARD.hours_of(starts_at, instant("2029-03-01"))
    assert found.micro_usd_per_hour == pytest.approx(4e6 * 731 * 24 / hours, rel=1e-6)
    assert part(found, ComponentKind.PREPAYMENT) > 0


def test_spares_of_ours_make_fewer_usable_accelerators() -> None:
    """With a fifth kept aside an hour costs a quarter more."""
    found = compared(bid(offer(blocks_max=3, terms=Terms(price=price(), sparing_frac=0.2))), FLAT)
    assert found.micro_usd_per_hour == 5_000_000


def test_hours_that_come_late_are_bought_elsewhere() -> None:
    """A start 31 days late costs 31 days at the price elsewhere; the rest as quoted."""
    found = compared(bid(offer(start_from_at=instant("2027-04-01"), start_until_at=instant("2027-04-01"))), FLAT)
    own, wait = 731 * 24 * 4.0, 31 * 24 * 9.0
    assert found.micro_usd_per_hour == pytest.approx(1e6 * (own + wait) / ((731 + 31) * 24), abs=1.0)
    assert part(found, ComponentKind.WAIT) == found.micro_usd_per_hour - 4_000_000


def test_what_a_recall_takes_is_bought_elsewhere_and_longer_notice_helps() -> None:
    """The right costs more the shorter its notice, and nothing if it is never used."""

    def cost(notice: int, rate: float) -> int:
        recall = RecallRight(after=Duration(months=3), notice_days=notice, recalls_per_year=rate)
        return compared(bid(with_terms(recall=recall)), YARD).micro_usd_per_hour

    plain = compared(bid(offer()), YARD).micro_usd_per_hour
    assert plain == cost(30, 0.0) < cost(180, 0.5) < cost(30, 0.5) < cost(30, 2.0)


def test_service_credits_make_up_for_some_outages() -> None:
    """An outage of 60 days a year at half the capacity: 1/12 of the time lost, two months' credits."""
    shaky = replace(SURE, outages_per_year=1.0, outage_days=60.0, outage_lost_frac=0.5)
    without = compared(bid(offer(), shaky), FLAT)
    down = 60 / 365 * 0.5
    assert without.micro_usd_per_hour == pytest.approx(1e6 * (4 * (1 - down) + 9 * down), abs=2.0)
    credited = compared(bid(offer(), shaky, sla=(SlaStep(below_frac=0.95, credit_frac=0.25),)), FLAT)
    saved = 4 * (1 - down) * 2 * 0.25 / 12
    assert without.micro_usd_per_hour - credited.micro_usd_per_hour == pytest.approx(1e6 * saved, abs=2.0)


def test_rights_are_priced_as_options() -> None:
    """Black's model on Hull's example (Options, Futures, and Other Derivatives, European futures put: 1.12)."""
    sd = 0.25 * math.sqrt(4 / 12)
    assert put_value(20.0, 20.0, sd) * math.exp(-0.09 * 4 / 12) == pytest.approx(1.12, abs=0.005)
    assert call_value(20.0, 20.0, sd) == pytest.approx(put_value(20.0, 20.0, sd))
    assert call_value(5.0, 4.0, 0.0) == 1.0
    assert put_value(5.0, 4.0, 0.0) == 0.0
    extended = compared(bid(with_terms(extension=ExtensionOption(duration=Duration(months=12), price_frac=0.9))), YARD)
    leave = {"firm_term": Duration(months=12), "termination": Termination(notice_days=30, fee_frac=0.0)}
    assert part(extended, ComponentKind.EXTENSION) < 0
    assert part(compared(bid(with_terms(**leave)), YARD), ComponentKind.EXIT) < 0


def test_terms_are_worth_what_they_save() -> None:
    """A price 1 % lower is worth 1 % of all payments; earlier delivery what elsewhere would have cost more."""
    late_start = offer(start_from_at=instant("2027-05-01"), start_until_at=instant("2027-05-01"))
    worths = {w.term: w.micro_usd / 1e6 for w in compared(bid(late_start), FLAT).worths}
    assert worths["a price 1% lower"] == pytest.approx(0.01 * 4.0 * 1000 * 731 * 24, rel=1e-4)
    assert worths["30 days earlier"] == pytest.approx((9.0 - 4.0) * 1000 * 30 * 24, rel=1e-4)


fracs = st.integers(0, 60).map(lambda n: n / 100)


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    """Offers with any mixture of terms."""
    cut = draw(st.sampled_from([1.0, 0.5, 0.25]))
    tranches = (Tranche(share_frac=1.0, after=Duration()),)
    if cut < 1.0:
        months = draw(st.integers(0, 8))
        second = Tranche(share_frac=1 - cut, after=Duration(months=months), grace_days=10, late_discount_frac=0.5)
        tranches = (Tranche(share_frac=cut, after=Duration()), second)
    starts = instant(draw(st.sampled_from(["2026-12-15", "2027-03-01", "2027-09-01"])))
    recall = RecallRight(after=Duration(months=2), notice_days=45, recalls_per_year=draw(fracs))
    extension = ExtensionOption(duration=Duration(months=6), price_frac=0.9)
    terms = Terms(
        price=price(draw(st.sampled_from(["2.50", "4.123457", "9.99"]))),
        prepayment_frac=draw(fracs),
        escalator_frac_per_year=draw(fracs) / 10,
        sparing_frac=draw(fracs) / 2,
        fee_steps=(FeeStep(after=Duration(), fee_frac=0.5), FeeStep(after=Duration(months=2), fee_frac=1.0))
        if draw(st.booleans())
        else (),
        recall=recall if draw(st.booleans()) else None,
        extension=extension if draw(st.booleans()) else None,
        firm_term=Duration(months=6),
        termination=Termination(notice_days=30, fee_frac=draw(fracs)) if draw(st.booleans()) else None,
    )
    return offer(
        start_from_at=starts,
        start_until_at=starts,
        term=Duration(months=draw(st.integers(7, 40))),
        tranches=tranches,
        tiers=(PriceTier(blocks_min=2, price_frac=0.93),) if draw(st.booleans()) else (),
        terms=terms,
    )


@settings(max_examples=40, deadline=None)
@given(one=offers(), ported=st.integers(0, 10**12), energy=st.integers(0, 900_000))
def test_the_steps_add_up_exactly(one: Offer, ported: int, energy: int) -> None:
    """Whatever the terms, to the micro-dollar; and no step comes twice or out of order."""
    there = replace(bid(one, LATE, GB300), port_micro_usd=MicroUsd(ported))
    there = replace(there, quote=replace(there.quote, energy_micro_usd_per_accelerator_hour=MicroUsd(energy)))
    found = compared(there, YARD)
    assert sum(c.micro_usd_per_hour for c in found.components) == found.micro_usd_per_hour
    order = [list(ComponentKind).index(c.kind) for c in found.components]
    assert order == sorted(set(order))
    assert found.micro_usd_per_hour > 0
