"""What of a portfolio may turn out otherwise than written: deliveries to come and rights to take back."""

from collections.abc import Iterator

from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import DelayModel
from acreage.domain.terms import RecallRight
from acreage.units.ids import ProviderId
from acreage.units.instants import Instant


def not_yet_made(portfolio: Portfolio) -> Iterator[tuple[str, ProviderId, int, DelayModel, Instant]]:
    """Deliveries that may still slip: source id, provider, index, delay law, date as promised.

    Deliveries of held leases dated after the planning day and all tranches of offers, these
    as if started on the first day of the window. What is handed back is never late.
    """
    for lease in portfolio.leases:
        for i, delivery in enumerate(lease.deliveries):
            if delivery.due_at > portfolio.as_of_at and delivery.accelerators > 0:
                law = delivery.delay or portfolio.providers[lease.provider].delay
                yield lease.id, lease.provider, i, law, delivery.due_at
    for offer in portfolio.offers:
        for i, tranche in enumerate(offer.tranches):
            law = tranche.delay or portfolio.providers[offer.provider].delay
            yield offer.id, offer.provider, i, law, tranche.after.after(offer.start_from_at)


def recallable(portfolio: Portfolio) -> Iterator[tuple[str, RecallRight, Instant]]:
    """Leases and offers that the lessor may take back: id, right, start (an offer's first possible one)."""
    for lease in portfolio.leases:
        if lease.terms.recall is not None:
            yield lease.id, lease.terms.recall, lease.starts_at
    for offer in portfolio.offers:
        if offer.terms.recall is not None:
            yield offer.id, offer.terms.recall, Instant(max(offer.start_from_at, portfolio.as_of_at))
