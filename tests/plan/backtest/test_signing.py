"""What cannot wait is signed, what can is left open, and a lease held is worth what was signed."""

from dataclasses import replace

import numpy as np
import pytest

from acreage.domain.lease import Offer
from acreage.domain.plan import Decision, Release, Signing
from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import PurchaseRule
from acreage.domain.terms import Exclusivity, ExtensionOption, FeeStep, FirstRefusal, Termination
from acreage.plan.backtest.signing import as_signed, done_now, lease_of, left_after, variant_of
from acreage.plan.backtest.worth import fees_between, held_contract, signed_contract, worth_usd
from acreage.plan.formulate.variants import Ending
from acreage.units.ids import OfferId
from acreage.units.instants import Duration, Instant, add_days, add_months
from tests.plan.tiny import Tiny, tiny
from tests.plan.tiny_draft import EDGES

NOW, NEXT = EDGES[0], EDGES[1]


def plain_case(**offer: object) -> tuple[Portfolio, Offer]:
    """A tiny portfolio without rules whose first offer, `deal`, is changed and may start in any month."""
    case = tiny(0, only=True)
    first = replace(case.portfolio.offers[0], start_until_at=EDGES[3], **offer)  # type: ignore[arg-type]
    return replace(case.portfolio, offers=(first, *case.portfolio.offers[1:])), first


def signing_of(offer: Offer, starts_at: Instant, blocks: int = 1, **changes: object) -> Signing:
    plain = Signing(
        offer=offer.id,
        blocks=blocks,
        accelerators=blocks * offer.accelerators_per_block,
        starts_at=starts_at,
        ends_at=offer.term.after(starts_at),
        extended=False,
        ends_early=False,
        price_frac=1.0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def decided(*signings: Signing, releases: tuple[Release, ...] = ()) -> Decision:
    return Decision(signings=signings, releases=releases, homes=(), ports=())


def signed_ids(portfolio: Portfolio, decision: Decision, next_at: Instant | None = NEXT) -> set[OfferId]:
    return {signing.offer for signing in done_now(portfolio, decision, next_at).signed}


def test_a_start_before_the_next_day_cannot_wait() -> None:
    """What starts now is signed, what starts on the next planning day is not yet."""
    portfolio, offer = plain_case()
    assert signed_ids(portfolio, decided(signing_of(offer, NOW))) == {offer.id}
    assert signed_ids(portfolio, decided(signing_of(offer, NEXT))) == set()
    assert done_now(portfolio, decided(signing_of(offer, NEXT)), NEXT).left_open == (signing_of(offer, NEXT),)


def test_an_offer_that_lapses_cannot_wait() -> None:
    """An offer that ends before the next planning day is signed now, whenever it starts; that day is early enough."""
    later = signing_of(plain_case()[1], EDGES[2])
    assert signed_ids(plain_case(expires_at=add_days(NEXT, -1))[0], decided(later)) == {later.offer}
    assert signed_ids(plain_case(expires_at=NEXT)[0], decided(later)) == set()


def test_a_lead_time_and_a_first_refusal_bring_the_signing_forward() -> None:
    """A start that would lack its lead time, or another's time to answer, by the next day is signed now."""
    portfolio, offer = plain_case()
    rule = PurchaseRule(
        product=offer.product,
        lead_time_min=Duration(days=40),
        lead_time_max=None,
        term_min=None,
        term_max=None,
        accelerators_max=None,
        cancellable=True,
        source="made up",
    )
    slow = replace(portfolio.providers[offer.provider], purchase_rules=(rule,))
    with_rule = replace(portfolio, providers={**portfolio.providers, offer.provider: slow})
    assert signed_ids(with_rule, decided(signing_of(offer, EDGES[2]))) == {offer.id}
    assert signed_ids(with_rule, decided(signing_of(offer, EDGES[3]))) == set()
    refusal = FirstRefusal(until_at=EDGES[3], response_days=40)
    lease = portfolio.leases[0]
    watched = replace(portfolio, leases=(replace(lease, terms=replace(lease.terms, first_refusal=refusal)),))
    assert signed_ids(watched, decided(signing_of(offer, EDGES[2]))) == {offer.id}
    assert signed_ids(portfolio, decided(signing_of(offer, EDGES[2]))) == set()


def test_an_offer_is_signed_at_once_and_with_what_it_requires() -> None:
    """One part that cannot wait takes its other starts with it, and the offers it needs; the last day takes all."""
    portfolio, offer = plain_case()
    other = portfolio.offers[1]
    both = decided(signing_of(offer, NOW), signing_of(offer, EDGES[2]), signing_of(other, EDGES[2]))
    assert len(done_now(portfolio, both, NEXT).signed) == 2
    tied = replace(portfolio, offers=(replace(offer, requires=(other.id,)), other))
    assert len(done_now(tied, both, NEXT).signed) == 3
    assert len(done_now(portfolio, both, None).signed) == 3


def test_a_lease_is_left_when_notice_is_due() -> None:
    """Notice given on the next planning day must still be in time, or it is given now."""
    portfolio, _ = plain_case()
    lease = portfolio.leases[0]
    terms = replace(lease.terms, firm_term=Duration(months=1), termination=Termination(notice_days=20, fee_frac=0.0))
    portfolio = replace(portfolio, leases=(replace(lease, terms=terms),))
    for days, is_now in ((10, True), (19, True), (20, False), (40, False)):
        leave = Release(lease=lease.id, ends_at=add_days(NEXT, days))
        assert (done_now(portfolio, decided(releases=(leave,)), NEXT).released == (leave,)) is is_now


def test_what_a_signed_offer_excludes_is_gone_and_what_it_is_required_for_is_met() -> None:
    """Whichever of the two offers names the other."""
    _, offer = plain_case()
    names = [OfferId("deal"), OfferId("a"), OfferId("b"), OfferId("c")]
    deal = replace(offer, excludes=(names[1],))
    a, b, c = (replace(offer, id=name, excludes=(), requires=()) for name in names[1:])
    b, c = replace(b, excludes=(deal.id,)), replace(c, requires=(deal.id,))
    assert left_after((deal, a, b, c), frozenset({deal.id})) == (replace(c, requires=()),)


CLAUSES: list[dict[str, object]] = [
    {},
    {"escalator_frac_per_year": 0.05, "sparing_frac": 0.04},
    {"fee_steps": (FeeStep(after=Duration(), fee_frac=0.5), FeeStep(after=Duration(months=1), fee_frac=1.0))},
    {"take_or_pay_frac": 0.6},
]


@pytest.mark.parametrize("clauses", CLAUSES)
@pytest.mark.parametrize("is_extended", [False, True])
@pytest.mark.parametrize("price_frac", [1.0, 0.8])
def test_a_lease_costs_what_was_signed(clauses: dict[str, object], is_extended: bool, price_frac: float) -> None:
    """Fees of every month are the same before and after it is held: tier, steps and extension are in its price."""
    case, offer = _with_terms(clauses)
    signing = signing_of(offer, NOW, blocks=2, price_frac=price_frac)
    if is_extended:
        signing = replace(signing, extended=True, ends_at=add_months(signing.ends_at, 2))
    variant = variant_of(signing, offer)
    signed = signed_contract(variant, signing.blocks, NOW)
    held = held_contract(lease_of(signing, offer, case.portfolio))
    path = case.futures[1]
    path = replace(path, delay_days={}, outages=(), recalled_at={})
    for month in range(12):
        begin, end = add_months(NOW, month), add_months(NOW, month + 1)
        before, after = (fees_between(contract, path, begin, end) for contract in (signed, held))
        assert abs(before - after) <= 2
    assert np.isclose(
        worth_usd(signed, case.portfolio, path), worth_usd(held, case.portfolio, path), rtol=1e-9, atol=0.01
    )


def _with_terms(clauses: dict[str, object]) -> tuple[Tiny, Offer]:
    case = tiny(0, only=True)
    offer = case.portfolio.offers[0]
    terms = replace(offer.terms, extension=ExtensionOption(duration=Duration(months=2), price_frac=0.9), **clauses)  # type: ignore[arg-type]
    return case, replace(offer, terms=terms)


def test_a_prepayment_is_paid_once() -> None:
    """Signing pays it, the held lease only takes it off: together they are the signed contract."""
    case, offer = _with_terms({"prepayment_frac": 0.25})
    signing = signing_of(offer, NOW, blocks=1)
    path = replace(case.futures[1], delay_days={}, outages=(), recalled_at={})
    still = replace(case.portfolio, policy=replace(case.portfolio.policy, discount_frac_per_year=0.0, resale_frac=0.0))
    signed = signed_contract(variant_of(signing, offer), 1, NOW)
    held = held_contract(lease_of(signing, offer, still))
    paid = worth_usd(signed, still, path) - worth_usd(held, still, path)
    assert np.isclose(paid, 0.25 * worth_usd(signed, still, path), rtol=1e-9)


def test_an_early_end_is_signed_as_a_right() -> None:
    """A plan that means to leave early signs the term; the lease keeps the right to leave, and exclusivity."""
    case, offer = _with_terms(
        {"termination": Termination(notice_days=15, fee_frac=0.1), "firm_term": Duration(months=1)}
    )
    offer = replace(offer, terms=replace(offer.terms, exclusivity=Exclusivity(until_at=EDGES[2])))
    early = signing_of(offer, NOW, ends_early=True, ends_at=add_days(NOW, 46))
    signed = as_signed(early, offer)
    assert variant_of(signed, offer).ending is Ending.FULL
    lease = lease_of(signed, offer, case.portfolio)
    assert lease.ends_at == offer.term.after(NOW)
    assert lease.terms.termination == offer.terms.termination
    assert lease.terms.exclusivity == offer.terms.exclusivity
