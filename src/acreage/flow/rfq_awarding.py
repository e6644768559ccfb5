"""Awarding: the planning model picks the winners, a payment rule says what they are paid, the books propose leases.

Values of coalitions are best costs of the same planning model without some vendors' offers, so that lots,
bundles, quantity discounts, supplier caps and survival rules hold in each of them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from acreage import __version__
from acreage.domain.auction import Direction, PaymentRule
from acreage.domain.conflict import Conflict
from acreage.domain.finding import Finding
from acreage.domain.plan import Plan, Signing
from acreage.domain.rfq import Award, Lost, Win
from acreage.flow import planning
from acreage.flow.books import Work
from acreage.flow.books_columns import Listing, Row
from acreage.flow.closing import contract_of
from acreage.flow.rfq_books import event_work
from acreage.flow.rfq_planning import Ground, no_plan, session_on, wishes_of
from acreage.ledger.contracts import propose_lease
from acreage.ledger.ledger import Ledger
from acreage.ledger.rfqs import encoded_award, encoded_offers
from acreage.market.auctions.payments import Payments, core_payments, pay_as_bid, vcg
from acreage.market.rfq.counter import with_price
from acreage.market.rfq.standing import Standing
from acreage.plan.concessions import without_offers
from acreage.plan.planner import Step, Tell, plan_in
from acreage.plan.problem import Aim
from acreage.plan.session import Session, Solved
from acreage.plan.verdicts import own_payments_usd
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.report.renderers.page import render_page
from acreage.report.rfq_award import award_page
from acreage.units.ids import BidderId, OfferId, ProviderId
from acreage.units.instants import iso, iso_date
from acreage.units.money import MICRO_PER_USD, usd_text

AWARD, AWARD_PAGE = "award.json", "award.html"
AWARDS_SHOWN = ("offer", "accelerators", "starts_at", "ends_at", "bid_usd", "paid_usd", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Awarding:
    """An award with the plan it is and, where others than bids are paid, why."""

    award: Award
    plan: Plan
    session: Session
    why: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Values:
    """What the best plan is worth with the offers of some vendors only, each solved once; in micro-USD, negative."""

    session: Session
    best: Solved
    offers: Mapping[ProviderId, frozenset[OfferId]]
    tell: Tell
    known: dict[frozenset[BidderId], int | None] = field(default_factory=dict)

    def value_of(self, excluded: frozenset[BidderId], /) -> int | None:
        """The value without the excluded vendors; None where no plan keeps every rule then."""
        if excluded not in self.known:
            self.tell(Step(stage=f"without {', '.join(sorted(excluded)) or 'nobody'}", done=0, total=1))
            barred = frozenset[OfferId]().union(*(self.offers[ProviderId(who)] for who in excluded))
            aim = Aim(gap_frac=self.session.gap_frac)
            solved = without_offers(self.session.branch(), self.best, barred, aim) if barred else self.best
            self.known[excluded] = None if solved is None else -round(solved.range_usd.found * MICRO_PER_USD)
        return self.known[excluded]


def awarding(ground: Ground, rule: PaymentRule, options: Mapping[str, Any], tell: Tell) -> Awarding:
    """Plan with the offers on the table; the offers of the request that it signs are the winners."""
    session = session_on(ground, options)
    found = plan_in(session, wishes_of(options), tell)
    if isinstance(found, Conflict):
        raise no_plan(found)
    plan, best = found
    mine = {offer.quote.offer.id: offer.provider for offer in ground.now.live}
    signings = tuple(s for s in plan.best.decision.signings if s.offer in mine)
    offers = {p: frozenset(o for o, by in mine.items() if by == p) for p in set(mine.values())}
    values = Values(session=session, best=best, offers=offers, tell=tell)
    payments = _payments(rule, _bids(best, signings, mine), values)
    others = _others(session, best, signings, tell)
    award = Award(
        rule=rule,
        winners=tuple(_win(best, signing, mine[signing.offer], payments) for signing in signings),
        losers=tuple(_losers(ground.now, session, {s.offer for s in signings})),
        ties=tuple(_ties(session, best, others)),
        objective_usd=best.range_usd.found,
        gap_frac=plan.best.figures.gap_frac,
        values_usd=_values_usd(values, others),
    )
    return Awarding(
        award=award,
        plan=plan,
        session=session,
        why=tuple(_why(rule, payments, session.gap_frac * best.range_usd.found)),
    )


def _bids(best: Solved, signings: tuple[Signing, ...], mine: Mapping[OfferId, ProviderId]) -> dict[BidderId, int]:
    """What each winning vendor's offers cost in the plan: discounted, less what they are worth beyond the horizon."""
    bids: dict[BidderId, int] = {}
    for offer in dict.fromkeys(signing.offer for signing in signings):
        who = BidderId(mine[offer])
        bids[who] = bids.get(who, 0) + round(own_payments_usd(best, offer) * MICRO_PER_USD)
    return bids


def _payments(rule: PaymentRule, bids: dict[BidderId, int], values: Values) -> Payments:
    match rule:
        case PaymentRule.PAY_AS_BID:
            return pay_as_bid(bids)
        case PaymentRule.VCG:
            return vcg(values.value_of, bids, Direction.REVERSE)
        case PaymentRule.CORE:
            return core_payments(values.value_of, bids, Direction.REVERSE)


def _win(best: Solved, signing: Signing, provider: ProviderId, payments: Payments) -> Win:
    """One winning signing; a vendor's payment is shared over its offers as its bids are."""
    bid = own_payments_usd(best, signing.offer) * signing.blocks / max(best.blocks_of(signing.offer), 1)
    return Win(
        offer=signing.offer,
        provider=provider,
        accelerators=signing.accelerators,
        starts_at=signing.starts_at,
        ends_at=signing.ends_at,
        lease=f"{signing.offer}-{iso_date(signing.starts_at)}",
        bid_usd=bid,
        paid_usd=bid * factor_of(payments, provider),
    )


def factor_of(payments: Payments, provider: ProviderId) -> float:
    """What a vendor's prices are multiplied with to come to its payment."""
    for payment in payments.payments:
        if str(payment.bidder) == str(provider) and payment.bid_micro_usd > 0:
            return payment.paid_micro_usd / payment.bid_micro_usd
    return 1.0


def _losers(now: Standing, session: Session, signed: set[OfferId]) -> list[Lost]:
    barred = session.base.choices.barred
    found = []
    for offer in now.live:
        one = offer.quote.offer
        if one.id in signed:
            continue
        rivals = [other for other in one.excludes if other in signed]
        reason = barred.get(one.id, "the best plan does without it")
        if one.id not in {o.id for o in session.portfolio.offers}:
            reason = "an offer of its bundle is no longer on the table"
        elif rivals:
            reason = f"either this or {rivals[0]}, and that was taken"
        found.append(Lost(offer=one.id, provider=offer.provider, reason=reason))
    return found


def _others(session: Session, best: Solved, signings: tuple[Signing, ...], tell: Tell) -> dict[OfferId, Solved | None]:
    """The best plan without each winning offer; None where no plan keeps every rule then."""
    found = {}
    for offer in dict.fromkeys(signing.offer for signing in signings):
        tell(Step(stage=f"is {offer} tied", done=0, total=1))
        aim = session.quick(best.solution.first)
        found[offer] = without_offers(session.branch(), best, frozenset({offer}), aim)
    return found


def _ties(session: Session, best: Solved, others: Mapping[OfferId, Solved | None]) -> list[str]:
    """Winning offers without which a plan costs no more than the gap of the plan."""
    found = []
    gap_usd = session.quick_gap_frac * abs(best.range_usd.found)
    signed = {o.id for o in session.portfolio.offers if best.blocks_of(o.id)}
    for offer, other in others.items():
        if other is None or other.range_usd.found - best.range_usd.found > gap_usd:
            continue
        instead = sorted(o.id for o in session.portfolio.offers if other.blocks_of(o.id) and o.id not in signed)
        extra = max(other.range_usd.found - best.range_usd.found, 0.0)
        words = f"with {', '.join(instead)} instead" if instead else "without it"
        found.append(f"{offer}: a plan {words} costs {extra / 1e6:,.1f}M USD more, which is within the gap")
    return found


def _values_usd(values: Values, others: Mapping[OfferId, Solved | None]) -> dict[str, float]:
    """What best plans cost: the award, without each winning offer, and without the vendors that payments asked for."""
    found = {"the award": values.best.range_usd.found}
    found |= {f"without offer {offer}": one.range_usd.found for offer, one in others.items() if one is not None}
    for excluded, value in values.known.items():
        if excluded and value is not None:
            found[f"without {' and '.join(sorted(excluded))}"] = -value / MICRO_PER_USD
    return found


def _why(rule: PaymentRule, payments: Payments, known_to_usd: float) -> list[str]:
    """Why winners are paid what they are; best costs are known to `known_to_usd`."""
    if rule is PaymentRule.PAY_AS_BID:
        return ["Every winner is paid its bid."]
    lines = []
    for p in payments.payments:
        because = _adds(p.vcg_micro_usd, p.bid_micro_usd)
        if p.irreplaceable:
            because = "no plan can do without it, so it is paid its bid"
        lines.append(
            f"{p.bidder} bids {_millions(p.bid_micro_usd)} and is paid {_millions(p.paid_micro_usd)}: {because}"
        )
    if rule is PaymentRule.CORE:
        rest = (
            "which are Vickrey-Clarke-Groves payments" if payments.vcg_in_core else "below Vickrey-Clarke-Groves ones"
        )
        lines.append(f"No group of vendors could have made the plan cheaper at these payments, {rest}.")
        for one in payments.binding:
            names = ", ".join(sorted(one.excluded))
            lines.append(f"Binding: without {names} the best plan costs {_millions(-one.value_micro_usd)}.")
    lines.append(f"Each of these costs is known to {known_to_usd / 1e6:,.3f}M USD, the gap of the plans.")
    return lines


def _millions(micro_usd: int) -> str:
    return f"{micro_usd / 1e12:,.3f}M USD"


def _adds(vcg_micro_usd: int, bid_micro_usd: int) -> str:
    return f"without its offers the plan would cost {_millions(vcg_micro_usd - bid_micro_usd)} more"


def keep(ground: Ground, found: Awarding, folder: Path) -> tuple[Award, tuple[Finding, ...]]:
    """Audit the plan and write its folder with the award's trail; returns the award with the trail's hash."""
    trail = encoded_award(found.award)
    award = replace(found.award, sha256=hashlib.sha256(trail).hexdigest())
    page = render_page(award_page(ground.now.rfq, award, found.why), __version__)
    read = planning.Read(
        portfolio=found.session.portfolio,
        findings=ground.read.findings,
        files={
            **ground.read.files,
            planning.OFFERS: encoded_offers(found.session.portfolio.offers),
            AWARD: trail,
            AWARD_PAGE: page.encode(),
        },
    )
    return award, planning.keep_plan(folder, found.plan, read, ())


def award_works(ledger: Ledger, ground: Ground, found: Awarding, award: Award, key: str) -> list[Work]:
    """The work of writing the award and proposing its leases."""
    portfolio = found.session.portfolio
    offers = {offer.id: offer for offer in portfolio.offers}
    slas = {offer.quote.offer.id: offer.quote.sla for offer in ground.now.live}
    wins = {win.lease: win for win in award.winners}
    works: list[Work] = [event_work(ledger, ground.now.rfq.id, award, key)]
    for signing in found.plan.best.decision.signings:
        win = wins.get(f"{signing.offer}-{iso_date(signing.starts_at)}")
        if win is None:
            continue
        offer = offers[signing.offer]
        factor = win.paid_usd / win.bid_usd if win.bid_usd else 1.0
        paid = offer if factor == 1.0 else with_price(offer, usd_per_accelerator_hour(offer.terms.price) * factor)
        contract = replace(contract_of(signing, paid, portfolio), sla=slas[offer.id])
        works.append(partial(propose_lease, ledger, contract, key=f"rfq/{ground.now.rfq.id}/award/{win.lease}"))
    return works


def listing(award: Award) -> Listing:
    """Winners and losers."""
    rows: list[Row] = [
        {
            "offer": win.offer,
            "provider": win.provider,
            "accelerators": win.accelerators,
            "starts_at": iso(win.starts_at),
            "ends_at": iso(win.ends_at),
            "bid_usd": _whole(win.bid_usd),
            "paid_usd": _whole(win.paid_usd),
            "lease": win.lease,
            "reason": "",
        }
        for win in award.winners
    ]
    blank = dict.fromkeys(("starts_at", "ends_at", "bid_usd", "paid_usd", "lease"))
    rows += [
        {"offer": lost.offer, "provider": lost.provider, "accelerators": 0, "reason": lost.reason, **blank}
        for lost in award.losers
    ]
    return Listing(kind="awards", rows=rows, shown=AWARDS_SHOWN)


def _whole(usd: float) -> str:
    return usd_text(round(usd) * MICRO_PER_USD)
