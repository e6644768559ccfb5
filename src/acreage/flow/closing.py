"""The loop between plan and books: what is held becomes a part of the portfolio, chosen offers become proposals."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from acreage.demand.delays import learned
from acreage.domain.contract import Contract
from acreage.domain.finding import Finding, Severity
from acreage.domain.lease import Lease, Offer
from acreage.domain.plan import Plan, Signing
from acreage.domain.portfolio import Portfolio
from acreage.flow.books import Work
from acreage.ledger.contracts import propose_lease
from acreage.ledger.held import Held
from acreage.ledger.ledger import Ledger
from acreage.plan.backtest.signing import deliveries_of
from acreage.units.ids import LeaseId
from acreage.units.instants import iso_date


def with_held(portfolio: Portfolio, held: Held) -> tuple[Portfolio, tuple[Finding, ...]]:
    """The portfolio with the leases and commitments of the books instead of its own.

    Delay laws take in the deliveries seen, and offers that have become leases are left out. Findings
    name what the books hold and the portfolio does not know of.
    """
    leases = [lease for lease in held.leases if lease.pool in portfolio.pools]
    pledges = [pledge for pledge in held.commitments if pledge.spend.provider in portfolio.providers]
    providers = {
        id_: replace(provider, delay=learned(provider.delay, held.late_days.get(id_, ())))
        for id_, provider in portfolio.providers.items()
    }
    found = replace(
        portfolio,
        leases=tuple(leases),
        commitments=tuple(pledges),
        providers=providers,
        offers=tuple(offer for offer in portfolio.offers if offer.id not in held.taken),
    )
    odd = [_unknown(f"lease {lease.id}", f"pool {lease.pool}") for lease in held.leases if lease not in leases]
    odd += [
        _unknown(f"commitment {p.id}", f"provider {p.spend.provider}") for p in held.commitments if p not in pledges
    ]
    return found, tuple(odd)


def _unknown(what: str, where: str) -> Finding:
    return Finding(
        rule="held_elsewhere",
        severity=Severity.WARNING,
        source="the ledger",
        row="",
        subject=what,
        message=f"it is held in {where}, which the portfolio does not have; the plan does without it",
    )


def contract_of(signing: Signing, offer: Offer, portfolio: Portfolio) -> Contract:
    """The lease that a chosen offer becomes: its deliveries from the offer's tranches, its terms as offered."""
    lease = Lease(
        id=LeaseId(f"{offer.id}-{iso_date(signing.starts_at)}"),
        provider=offer.provider,
        pool=offer.pool,
        starts_at=signing.starts_at,
        ends_at=offer.term.after(signing.starts_at),
        deliveries=tuple(d for d in deliveries_of(signing, offer) if d.accelerators),
        terms=offer.terms,
    )
    return Contract(
        lease=lease,
        counterparty=portfolio.providers[offer.provider].name,
        accelerator=portfolio.pools[offer.pool].accelerator,
        price_frac=signing.price_frac,
        offer=offer.id,
    )


def proposals(ledger: Ledger, plan: Plan, portfolio: Portfolio) -> tuple[list[Work], list[str], list[str]]:
    """The work of proposing what a plan signs, the ids of the leases, and what is left to do by hand.

    The keys name the plan's choice, so that applying a plan twice proposes nothing twice.
    """
    offers = {offer.id: offer for offer in portfolio.offers}
    chosen = [(s, offers[s.offer]) for s in plan.best.decision.signings]
    contracts = [contract_of(signing, offer, portfolio) for signing, offer in chosen]
    works: list[Work] = [
        partial(propose_lease, ledger, c, key=f"plan/{plan.portfolio_name}/{iso_date(plan.as_of_at)}/{c.lease.id}")
        for c in contracts
    ]
    return works, [c.lease.id for c in contracts], _by_hand(chosen, plan)


def _by_hand(chosen: Sequence[tuple[Signing, Offer]], plan: Plan) -> list[str]:
    notes = [
        f"offer {offer.id} comes with a spend commitment: write it into a contract file and propose that"
        for _, offer in chosen
        if offer.commitment is not None
    ]
    return notes + [
        f"the plan leaves lease {release.lease} on {iso_date(release.ends_at)}: `acreage lease cancel {release.lease} "
        f"--at {iso_date(release.ends_at)}`"
        for release in plan.best.decision.releases
    ]
