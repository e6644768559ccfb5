"""Whether the signings, releases, homes and ports of a plan are allowed: rules on the first stage."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from acreage.domain.finding import Finding
from acreage.domain.lease import Lease, Offer
from acreage.domain.plan import Decision, Release, Signing
from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import PurchaseRule
from acreage.domain.terms import Exclusivity, FirstRefusal
from acreage.domain.workload import PortState, TrainingRun
from acreage.plan.audit_ground import MONEY_TOLERANCE_USD, doubt
from acreage.plan.audit_supply import Holding
from acreage.pricing.invoice import charges
from acreage.units.instants import Instant, add_days, iso_date
from acreage.units.money import usd


def check_decision(portfolio: Portfolio, decision: Decision, holdings: tuple[Holding, ...]) -> Iterator[Finding]:
    """Every rule that does not depend on the future."""
    offers = {offer.id: offer for offer in portfolio.offers}
    by_offer: dict[str, list[Signing]] = defaultdict(list)
    for signing in decision.signings:
        if signing.offer not in offers:
            yield doubt("signing", signing.offer, "no such offer")
            continue
        by_offer[signing.offer].append(signing)
        yield from check_signing(portfolio, offers[signing.offer], signing)
        yield from check_held_clauses(portfolio, offers[signing.offer], signing)
    for name, signings in by_offer.items():
        yield from check_quantity(portfolio, offers[signings[0].offer], signings)
        yield from check_relations(offers[signings[0].offer], set(by_offer))
        yield from check_offer_exclusivity(portfolio, offers[signings[0].offer], decision.signings)
        assert name
    yield from check_releases(portfolio, decision.releases)
    yield from check_homes(portfolio, decision)
    yield from check_ports(portfolio, decision)
    yield from check_budgets(portfolio, decision, holdings)


def check_signing(portfolio: Portfolio, offer: Offer, signing: Signing) -> Iterator[Finding]:
    """Its start lies in the window and the purchase rule's, its end is one of the offer's."""
    rule = purchase_rule(portfolio, offer)
    start, today = signing.starts_at, portfolio.as_of_at
    if offer.expires_at is not None and offer.expires_at < today:
        yield doubt("expired", offer.id, f"the offer lapsed on {iso_date(offer.expires_at)}")
    if not max(offer.start_from_at, today) <= start <= offer.start_until_at:
        yield doubt("start_window", offer.id, f"starts on {iso_date(start)}, outside its window")
    if rule is not None and rule.lead_time_min is not None and start < rule.lead_time_min.after(today):
        yield doubt("lead_time", offer.id, f"starts before the lead time of {rule.lead_time_min}")
    if rule is not None and rule.lead_time_max is not None and start > rule.lead_time_max.after(today):
        yield doubt("lead_time", offer.id, f"starts later than {rule.lead_time_max} ahead")
    if signing.accelerators != signing.blocks * offer.accelerators_per_block:
        yield doubt("quantity", offer.id, f"{signing.accelerators} accelerators are not {signing.blocks} blocks")
    yield from check_ending(offer, signing, rule)


def check_ending(offer: Offer, signing: Signing, rule: PurchaseRule | None) -> Iterator[Finding]:
    """It ends with the term, extended, or at the earliest exit, and the term suits the purchase rule."""
    terms, full = offer.terms, offer.term.after(signing.starts_at)
    expected: Instant | None = full
    if signing.extended:
        expected = terms.extension.duration.after(full) if terms.extension is not None else None
    if signing.ends_early:
        may_leave = terms.termination is not None and terms.firm_term is not None
        cancellable = rule is None or rule.cancellable
        expected = None
        if may_leave and cancellable and not signing.extended:
            assert terms.firm_term is not None
            assert terms.termination is not None
            expected = add_days(terms.firm_term.after(signing.starts_at), terms.termination.notice_days)
    if expected is None or expected != signing.ends_at:
        yield doubt("ending", offer.id, f"may not end on {iso_date(signing.ends_at)} as stated")
    if rule is not None and rule.term_min is not None and signing.ends_at < rule.term_min.after(signing.starts_at):
        yield doubt("term", offer.id, f"shorter than {rule.term_min}")
    if rule is not None and rule.term_max is not None and signing.ends_at > rule.term_max.after(signing.starts_at):
        yield doubt("term", offer.id, f"longer than {rule.term_max}")


def purchase_rule(portfolio: Portfolio, offer: Offer) -> PurchaseRule | None:
    """The rule of the offer's product, if its provider has one."""
    for rule in portfolio.providers[offer.provider].purchase_rules:
        if rule.product == offer.product:
            return rule
    return None


def check_quantity(portfolio: Portfolio, offer: Offer, signings: Sequence[Signing]) -> Iterator[Finding]:
    """All starts of an offer together: whole blocks within bounds, one tier, one way of ending."""
    total = sum(signing.blocks for signing in signings)
    rule = purchase_rule(portfolio, offer)
    if any(s.blocks <= 0 or s.blocks != int(s.blocks) for s in signings):
        yield doubt("quantity", offer.id, "blocks are not whole and positive")
    if not offer.blocks_min <= total <= offer.blocks_max:
        yield doubt("quantity", offer.id, f"{total} blocks are not between {offer.blocks_min} and {offer.blocks_max}")
    most = rule.accelerators_max if rule is not None else None
    if most is not None and total * offer.accelerators_per_block > most:
        yield doubt("quantity", offer.id, f"more than {most} accelerators in one purchase")
    price_frac, reached = 1.0, 0
    for tier in offer.tiers:
        if reached <= tier.blocks_min <= total:
            price_frac, reached = tier.price_frac, tier.blocks_min
    if any(abs(s.price_frac - price_frac) > 1e-12 for s in signings):
        yield doubt("tier", offer.id, f"{total} blocks cost {price_frac} of the price")
    if len({(s.extended, s.ends_early) for s in signings}) > 1:
        yield doubt("ending", offer.id, "its signings end in different ways")
    if len({s.starts_at for s in signings}) < len(signings):
        yield doubt("quantity", offer.id, "two signings start on one day")


def check_relations(offer: Offer, signed: set[str]) -> Iterator[Finding]:
    """Offers that exclude or require each other."""
    for other in offer.excludes:
        if other in signed:
            yield doubt("excludes", offer.id, f"cannot be signed together with {other}")
    for other in offer.requires:
        if other not in signed:
            yield doubt("requires", offer.id, f"cannot be signed without {other}")


def in_scope(portfolio: Portfolio, clause: Exclusivity | FirstRefusal, offer: Offer) -> bool:
    """Whether an offer's chip falls under a clause."""
    return not clause.accelerators or portfolio.pools[offer.pool].accelerator in clause.accelerators


def check_held_clauses(portfolio: Portfolio, offer: Offer, signing: Signing) -> Iterator[Finding]:
    """Exclusivity and first refusal of leases held with others."""
    for lease in portfolio.leases:
        if lease.provider == offer.provider:
            continue
        exclusive, refusal = lease.terms.exclusivity, lease.terms.first_refusal
        bound = exclusive is not None and in_scope(portfolio, exclusive, offer)
        if exclusive is not None and bound and signing.starts_at < exclusive.until_at:
            yield doubt("exclusivity", offer.id, f"{lease.id} is exclusive until {iso_date(exclusive.until_at)}")
        if refusal is None or not in_scope(portfolio, refusal, offer):
            continue
        answered_at = add_days(portfolio.as_of_at, refusal.response_days)
        if portfolio.as_of_at < refusal.until_at and signing.starts_at < answered_at:
            yield doubt("first_refusal", offer.id, f"{lease.id} may match it until {iso_date(answered_at)}")


def check_offer_exclusivity(portfolio: Portfolio, offer: Offer, signings: Sequence[Signing]) -> Iterator[Finding]:
    """Exclusivity that comes with a signed offer forbids other providers' starts before it ends."""
    clause = offer.terms.exclusivity
    offers = {other.id: other for other in portfolio.offers}
    for signing in signings:
        other = offers.get(signing.offer)
        if clause is None or other is None or other.provider == offer.provider:
            continue
        if in_scope(portfolio, clause, other) and signing.starts_at < clause.until_at:
            yield doubt("exclusivity", other.id, f"forbidden by the exclusivity of {offer.id}")


def check_releases(portfolio: Portfolio, releases: Sequence[Release]) -> Iterator[Finding]:
    """A lease is left at most once, and not before its right to leave allows."""
    leases = {str(lease.id): lease for lease in portfolio.leases}
    if len({r.lease for r in releases}) < len(releases):
        yield doubt("release", "", "a lease is released twice")
    for release in releases:
        lease = leases.get(release.lease)
        earliest_at = earliest_exit_at(portfolio, lease) if lease is not None else None
        if lease is None or earliest_at is None or not earliest_at <= release.ends_at < lease.ends_at:
            yield doubt("release", release.lease, f"cannot be left on {iso_date(release.ends_at)}")


def earliest_exit_at(portfolio: Portfolio, lease: Lease) -> Instant | None:
    """End of the firm term plus the notice, notice given today at the earliest; None without a right."""
    terms = lease.terms
    if terms.termination is None or terms.firm_term is None:
        return None
    contract_at = add_days(terms.firm_term.after(lease.starts_at), terms.termination.notice_days)
    return max(contract_at, add_days(portfolio.as_of_at, terms.termination.notice_days))


def check_homes(portfolio: Portfolio, decision: Decision) -> Iterator[Finding]:
    """At most one home for a run, in a pool it may use, on a chip it runs on or is ported to."""
    runs = {str(w.id): w for w in portfolio.workloads if isinstance(w, TrainingRun)}
    ported = {(p.workload, p.accelerator) for p in decision.ports}
    if len({h.workload for h in decision.homes}) < len(decision.homes):
        yield doubt("home", "", "a run has two homes")
    for home in decision.homes:
        run, pool = runs.get(home.workload), portfolio.pools.get(home.pool)
        if run is None or pool is None or (run.pools and home.pool not in run.pools):
            yield doubt("home", home.workload, f"cannot run in {home.pool}")
            continue
        state = next((c.port_state for c in run.capabilities if c.accelerator == pool.accelerator), PortState.NO)
        missing = state is PortState.PORTABLE and (run.id, pool.accelerator) not in ported
        if state is PortState.NO or missing:
            yield doubt("home", home.workload, f"does not run on {pool.accelerator}")


def check_ports(portfolio: Portfolio, decision: Decision) -> Iterator[Finding]:
    """A port is possible, made once and costs what the capability says."""
    costs = {
        (w.id, c.accelerator): c.port_cost_micro_usd
        for w in portfolio.workloads
        for c in w.capabilities
        if c.port_state is PortState.PORTABLE
    }
    if len({(p.workload, p.accelerator) for p in decision.ports}) < len(decision.ports):
        yield doubt("port", "", "a port is made twice")
    for port in decision.ports:
        cost = next((c for (w, a), c in costs.items() if w == port.workload and a == port.accelerator), None)
        if cost is None:
            yield doubt("port", port.workload, f"cannot be ported to {port.accelerator}")
        elif abs(usd(cost) - port.cost_usd) > MONEY_TOLERANCE_USD:
            yield doubt("port", port.workload, f"the port costs {usd(cost)} USD, not {port.cost_usd}")


def check_budgets(portfolio: Portfolio, decision: Decision, holdings: tuple[Holding, ...]) -> Iterator[Finding]:
    """Cash of signings and ports, as promised, within each budget's window."""
    signed = [h.agreement for h in holdings if h.agreement.signed_at is not None]
    posted = [charge for agreement in signed for charge in charges(agreement, agreement.promised)]
    for budget in portfolio.policy.budgets:
        due = sum(c.micro_usd for c in posted if budget.from_at <= c.posted_at < budget.until_at)
        ports = sum(p.cost_usd for p in decision.ports)
        spent_usd = usd(due)
        if budget.from_at <= portfolio.as_of_at < budget.until_at:
            spent_usd += ports
        limit_usd = usd(budget.limit_micro_usd)
        if spent_usd > limit_usd + max(MONEY_TOLERANCE_USD, 1e-6 * limit_usd):
            yield doubt(
                "budget",
                iso_date(budget.from_at),
                f"{spent_usd:.2f} USD are due, {limit_usd:.2f} are allowed",
            )
