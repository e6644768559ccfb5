"""Invoices computed by hand, and the laws that every invoice keeps."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acreage.domain.price import Price, PriceBasis, Provenance
from acreage.domain.terms import ExtensionOption, FeeStep, Termination, Terms
from acreage.pricing.invoice import (
    Agreement,
    Charge,
    ChargeKind,
    Handover,
    LostCapacity,
    charges,
    fees_micro_usd,
    statement,
    usage_rate_micro_usd_per_accelerator_hour,
)
from acreage.pricing.present_value import discount_factor, present_value, statement_value
from acreage.units.instants import Duration, Instant, add_days, add_months, instant

START = instant("2027-01-01")
END = instant("2028-01-01")
USD = 1_000_000


def terms(usd: float = 2.0, basis: PriceBasis = PriceBasis.ACCELERATOR_HOUR, per_unit: float = 1.0) -> Terms:
    return Terms(
        price=Price(
            basis=basis,
            amount_micro_usd=round(usd * USD),
            accelerators_per_unit=per_unit,
            provenance=Provenance(source="made up"),
        )
    )


def hand(
    accelerators: float = 10,
    from_at: int = START,
    until_at: int = END,
    promised_at: int = START,
    grace_days: int = 0,
    discount: float = 0.0,
) -> Handover:
    return Handover(
        accelerators=accelerators,
        promised_at=Instant(promised_at),
        from_at=Instant(from_at),
        until_at=Instant(until_at),
        grace_days=grace_days,
        late_discount_frac=discount,
    )


def agree(held: Terms, *promised: Handover, ends_at: int = END, term_ends_at: int = END) -> Agreement:
    return Agreement(
        terms=held,
        price_frac=1.0,
        starts_at=START,
        ends_at=Instant(ends_at),
        term_ends_at=Instant(term_ends_at),
        signed_at=START,
        promised=promised or (hand(),),
    )


def total(found: tuple[Charge, ...], kind: ChargeKind | None = None) -> int:
    return sum(charge.micro_usd for charge in found if kind is None or charge.kind is kind)


def test_a_plain_year_is_invoiced_monthly_in_arrears() -> None:
    """10 accelerators x 744 h x 2 USD in January, posted on February 1."""
    found = charges(agree(terms()), [hand()])
    assert len(found) == 12
    assert found[0] == Charge(
        kind=ChargeKind.FEE,
        posted_at=instant("2027-02-01"),
        from_at=START,
        until_at=instant("2027-02-01"),
        micro_usd=10 * 744 * 2 * USD,
    )
    assert total(found) == 10 * 8760 * 2 * USD


def test_escalator_and_fee_steps_multiply() -> None:
    """Half fee for the first 45 days, 10% more in the second year, 5% off by the tier."""
    steps = (
        FeeStep(after=Duration(), fee_frac=0.5),
        FeeStep(after=Duration(days=45), fee_frac=1.0),
    )
    held = replace(terms(), escalator_frac_per_year=0.1, fee_steps=steps)
    ends_at = instant("2029-01-01")
    agreement = replace(agree(held, ends_at=ends_at, term_ends_at=ends_at), price_frac=0.95)
    fees = statement(agreement, [hand(until_at=ends_at)]).fee
    daily = 10 * 24 * 2 * USD * 95 // 100
    assert fees[0] == 31 * daily // 2
    assert fees[1] == 14 * daily // 2 + 14 * daily
    assert fees[2] == 31 * daily
    assert fees[12] == 31 * daily * 11 // 10


def test_extension_price_holds_beyond_the_term() -> None:
    """One year at 2 USD, then six months at 80%."""
    held = replace(terms(), extension=ExtensionOption(duration=Duration(months=6), price_frac=0.8))
    ends_at = instant("2028-07-01")
    found = statement(agree(held, ends_at=ends_at), [hand(until_at=ends_at)])
    assert found.fee[11] == 10 * 744 * 2 * USD
    assert found.fee[12] == 10 * 744 * 2 * USD * 8 // 10
    assert len(found.fee) == 18


def test_mw_month_is_charged_by_the_share_of_the_month_delivered() -> None:
    """1 MW holds 500 accelerators; delivered on April 16 it costs half of April."""
    held = terms(300_000.0, PriceBasis.MW_MONTH, 500.0)
    found = statement(agree(held), [hand(1000, from_at=instant("2027-04-16"))])
    assert found.fee[:3] == (0, 0, 0)
    assert found.fee[3] == 300_000 * USD
    assert found.fee[4] == 600_000 * USD


def test_late_tranche_gives_a_credit_for_the_days_beyond_grace() -> None:
    """Promised January 1, delivered February 10, 10 days of grace: 30 days at half the fee."""
    late = hand(from_at=instant("2027-02-10"), grace_days=10, discount=0.5)
    found = charges(agree(terms()), [late])
    credits = [c for c in found if c.kind is ChargeKind.LATE_CREDIT]
    assert [c.micro_usd for c in credits] == [-(30 * 24 * 10 * 2 * USD) // 2]
    assert credits[0].posted_at == instant("2027-03-01")


def test_a_tranche_that_never_comes_is_credited_on_the_last_invoice() -> None:
    """The discount stops where the lease ends."""
    never = hand(from_at=add_days(END, 30), discount=1.0)
    found = charges(agree(terms()), [never])
    assert total(found) == -10 * 8760 * 2 * USD
    assert found[-1].posted_at == END


def test_prepayment_is_taken_off_and_the_rest_refunded() -> None:
    """A quarter of 175,200 USD at signing; the late month's share comes back with the last invoice."""
    held = replace(terms(), prepayment_frac=0.25)
    found = charges(agree(held), [hand(from_at=instant("2027-02-01"))])
    assert total(found, ChargeKind.PREPAYMENT) == 43_800 * USD
    assert total(found, ChargeKind.REFUND) == -10 * 744 * 2 * USD // 4
    assert total(found, ChargeKind.PREPAYMENT) == -total(found, ChargeKind.PREPAYMENT_CREDIT) - total(
        found, ChargeKind.REFUND
    )


def test_a_held_lease_does_not_prepay_again() -> None:
    """Its invoices are still reduced by what was prepaid."""
    held = replace(terms(), prepayment_frac=0.25)
    found = charges(replace(agree(held), signed_at=None), [hand()])
    assert total(found) == 3 * 43_800 * USD


def test_leaving_early_costs_a_share_of_the_rest_of_the_term() -> None:
    """Left after June: half of July to December, posted at the exit."""
    held = replace(terms(), termination=Termination(notice_days=30, fee_frac=0.5))
    exit_at = instant("2027-07-01")
    found = charges(agree(held, ends_at=exit_at), [hand(until_at=exit_at)])
    last = found[-1]
    assert (last.kind, last.posted_at) == (ChargeKind.TERMINATION_FEE, exit_at)
    assert last.micro_usd == 184 * 24 * 10 * 2 * USD // 2
    assert total(found, ChargeKind.FEE) == 181 * 24 * 10 * 2 * USD


def test_recalled_capacity_owes_no_termination_fee() -> None:
    """What the lessor took back before the exit is not the lessee's to leave."""
    held = replace(terms(), termination=Termination(notice_days=30, fee_frac=0.5))
    exit_at = instant("2027-07-01")
    found = charges(agree(held, ends_at=exit_at), [hand(until_at=instant("2027-05-01"))])
    assert total(found, ChargeKind.TERMINATION_FEE) == 0


def test_take_or_pay_leaves_the_rest_to_use() -> None:
    """60% is due used or not; an hour of use above it costs the full price."""
    held = replace(terms(), take_or_pay_frac=0.6, escalator_frac_per_year=0.5)
    agreement = agree(held, ends_at=instant("2029-01-01"), term_ends_at=instant("2029-01-01"))
    assert statement(agreement, [hand()]).fee[0] == 10 * 744 * 2 * USD * 6 // 10
    assert usage_rate_micro_usd_per_accelerator_hour(agreement, START) == 2 * USD
    assert usage_rate_micro_usd_per_accelerator_hour(agreement, END) == 3 * USD
    assert usage_rate_micro_usd_per_accelerator_hour(agreement, instant("2029-01-01")) == 0.0


def test_a_monthly_lump_is_due_used_or_not() -> None:
    """Whatever the take-or-pay share says."""
    held = replace(terms(1000.0, PriceBasis.MONTHLY_LUMP, 10.0), take_or_pay_frac=0.1)
    assert statement(agree(held), [hand()]).fee == (1000 * USD,) * 12
    assert usage_rate_micro_usd_per_accelerator_hour(agree(held), START) == 0.0


def test_outages_suspend_the_fee_of_what_they_take() -> None:
    """Half lost over the first ten days of March, and half of the rest over two of them."""
    march, days = instant("2027-03-01"), 24 * 10 * 2 * USD
    lost = (
        LostCapacity(from_at=march, until_at=add_days(march, 10), lost_frac=0.5),
        LostCapacity(from_at=add_days(march, 8), until_at=add_days(march, 10), lost_frac=0.5),
    )
    fees = statement(agree(terms()), [hand()], lost).fee
    assert fees[2] == 31 * days - 8 * days // 2 - 2 * days * 3 // 4
    assert fees[1] == 28 * days


def test_months_count_from_the_start_and_end_with_the_month_where_days_are_missing() -> None:
    """A lease from January 31 is invoiced on February 28, March 31, April 30."""
    start = instant("2027-01-31")
    agreement = replace(agree(terms(), hand(from_at=start)), starts_at=start)
    posted = statement(agreement, [hand(from_at=start)]).calendar.posted_at
    assert posted[:3] == (instant("2027-02-28"), instant("2027-03-31"), instant("2027-04-30"))


def test_drawdown_counts_fees_by_invoice_date() -> None:
    """January and February are invoiced by March 1, before prepayment is taken off."""
    done = statement(agree(replace(terms(), prepayment_frac=0.5)), [hand()])
    assert fees_micro_usd(done, START, instant("2027-03-01")) == 59 * 24 * 10 * 2 * USD


def test_present_value_discounts_each_invoice_and_salvages_what_follows_the_horizon() -> None:
    """Two invoices by hand at 10% a year; the second begins at the horizon."""
    ends_at = instant("2027-03-01")
    posted = charges(agree(terms(), ends_at=ends_at, term_ends_at=ends_at), [hand(until_at=ends_at)])
    worth = present_value(posted, START, 0.10, instant("2027-02-01"), 0.4)
    first, second = 14_880 * 1.1 ** -(31 / 365), 13_440 * 1.1 ** -(59 / 365)
    assert worth.cost_usd == pytest.approx(first + second, rel=1e-12)
    assert worth.salvage_usd == pytest.approx(0.4 * second, rel=1e-12)
    assert discount_factor(END, START, 0.10) == pytest.approx(1 / 1.1, rel=1e-12)


def test_past_invoices_are_not_paid_again() -> None:
    """From June 1 on, the invoices of May to December are left."""
    posted = charges(agree(terms()), [hand()])
    worth = present_value(posted, instant("2027-06-01"), 0.0, END, 0.5)
    assert worth.cost_usd == 10 * 2 * 24 * (365 - 31 - 28 - 31 - 30)


amounts = st.integers(min_value=1, max_value=200_000)
days = st.integers(min_value=0, max_value=400)
fracs = st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 0.9, 1.0])


@st.composite
def leases(draw: st.DrawFn) -> tuple[Agreement, Handover, tuple[LostCapacity, ...]]:
    """A lease with every clause, a late handover and outages."""
    months = draw(st.integers(min_value=2, max_value=40))
    term_ends_at = add_months(START, months)
    ends_at = add_days(term_ends_at, draw(st.integers(min_value=-25, max_value=70)))
    held = replace(
        terms(draw(st.sampled_from([0.37, 2.0, 11.11])), draw(st.sampled_from(list(PriceBasis))), 7.0),
        prepayment_frac=draw(fracs),
        take_or_pay_frac=draw(fracs),
        escalator_frac_per_year=draw(st.sampled_from([0.0, 0.03, -0.02])),
        fee_steps=(FeeStep(after=Duration(days=draw(days)), fee_frac=draw(fracs)),),
        termination=Termination(notice_days=30, fee_frac=draw(fracs)),
        extension=ExtensionOption(duration=Duration(months=6), price_frac=draw(fracs)),
    )
    accelerators = draw(amounts)
    promised = hand(accelerators, until_at=ends_at)
    real = hand(accelerators, add_days(START, draw(days)), ends_at, START, draw(days), draw(fracs))
    lost = tuple(
        LostCapacity(
            from_at=add_days(START, begin),
            until_at=add_days(START, begin + draw(days)),
            lost_frac=draw(fracs),
        )
        for begin in draw(st.lists(days, max_size=3))
    )
    return agree(held, promised, ends_at=ends_at, term_ends_at=term_ends_at), real, lost


def scaled_by(agreement: Agreement, factor: int) -> Agreement:
    promised = tuple(replace(h, accelerators=h.accelerators * factor) for h in agreement.promised)
    return replace(agreement, promised=promised)


@given(leases(), st.integers(min_value=2, max_value=1000))
def test_charges_are_proportional_to_accelerators(
    case: tuple[Agreement, Handover, tuple[LostCapacity, ...]], factor: int
) -> None:
    """A solver may price one block and multiply: only roundings differ."""
    agreement, real, lost = case
    once = charges(agreement, [real], lost)
    more = charges(scaled_by(agreement, factor), [replace(real, accelerators=real.accelerators * factor)], lost)
    for kind in ChargeKind:
        assert abs(factor * total(once, kind) - total(more, kind)) <= 4 * (factor + 1) * 50


@given(leases(), st.integers(min_value=0, max_value=1000))
def test_splitting_a_handover_changes_nothing(
    case: tuple[Agreement, Handover, tuple[LostCapacity, ...]], day: int
) -> None:
    """In time or in number: the fee is of what is held, however it came."""
    agreement, real, lost = case
    middle = min(max(add_days(START, day), real.from_at), real.until_at)
    whole = statement(agreement, [real], lost).fee
    in_time = [replace(real, until_at=middle), replace(real, from_at=middle)]
    in_number = [replace(real, accelerators=real.accelerators - 1), replace(real, accelerators=1)]
    assert statement(agreement, in_time, lost).fee == whole
    assert statement(agreement, in_number, lost).fee == whole


@given(leases())
def test_prepayment_is_neutral_undiscounted(
    case: tuple[Agreement, Handover, tuple[LostCapacity, ...]],
) -> None:
    """What is paid up front is taken off or refunded to the last micro-dollar."""
    agreement, real, lost = case
    found = charges(agreement, [real], lost)
    prepaid = (ChargeKind.PREPAYMENT, ChargeKind.PREPAYMENT_CREDIT, ChargeKind.REFUND)
    assert sum(total(found, kind) for kind in prepaid) == 0
    assert total(found, ChargeKind.REFUND) <= 0


@given(leases())
def test_late_credit_is_at_most_the_fee_missed(
    case: tuple[Agreement, Handover, tuple[LostCapacity, ...]],
) -> None:
    """Never more than what the lessee would have paid on time, never negative."""
    agreement, real, _ = case
    credit = sum(statement(agreement, [real]).late_credit)
    on_time, late = (sum(statement(agreement, [h]).fee) for h in (replace(real, from_at=START), real))
    assert 0 <= credit <= on_time - late + 100


@given(leases())
def test_outages_never_raise_fees(case: tuple[Agreement, Handover, tuple[LostCapacity, ...]]) -> None:
    """On any invoice."""
    agreement, real, lost = case
    without, with_them = statement(agreement, [real]).fee, statement(agreement, [real], lost).fee
    assert all(0 <= less <= full for less, full in zip(with_them, without, strict=True))


@given(leases())
def test_both_ways_to_the_present_value_agree(
    case: tuple[Agreement, Handover, tuple[LostCapacity, ...]],
) -> None:
    """The planner's fast path and the sum over posted charges are one figure."""
    agreement, real, lost = case
    horizon_at, as_of_at = instant("2028-06-01"), instant("2027-01-01")
    slow = present_value(charges(agreement, [real], lost), as_of_at, 0.08, horizon_at, 0.3)
    fast = statement_value(statement(agreement, [real], lost), as_of_at, 0.08, horizon_at, 0.3)
    assert fast.cost_usd == pytest.approx(slow.cost_usd, rel=1e-12, abs=1e-9)
    assert fast.salvage_usd == pytest.approx(slow.salvage_usd, rel=1e-12, abs=1e-9)
