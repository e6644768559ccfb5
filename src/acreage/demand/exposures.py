"""What of a portfolio may turn out otherwise than written: deliveries to come and rights to take back."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from acreage.domain.lease import Offer
from acreage.domain.portfolio import Portfolio
from acreage.domain.provider import DelayModel
from acreage.domain.terms import RecallRight
from acreage.units.ids import PoolId, ProviderId
from acreage.units.instants import SECONDS_PER_DAY, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A delivery to come: part `index` of a lease or offer `key`, due as promised, over at the end of its contract."""

    key: str
    index: int
    provider: ProviderId
    pool: PoolId
    law: DelayModel
    due_at: Instant
    over_at: Instant

    @property
    def never_days(self) -> int:
        """Days of delay with which it does not come at all: none of the contract is left."""
        return max(0, math.ceil((self.over_at - self.due_at) / SECONDS_PER_DAY))


def not_yet_made(portfolio: Portfolio) -> Iterator[Exposure]:
    """Deliveries that may still slip.

    Deliveries of held leases dated after the planning day and all tranches of offers, these
    as if started on the first day of the window. What is handed back is never late.
    """
    for lease in portfolio.leases:
        for i, delivery in enumerate(lease.deliveries):
            if delivery.due_at > portfolio.as_of_at and delivery.accelerators > 0:
                yield Exposure(
                    key=lease.id,
                    index=i,
                    provider=lease.provider,
                    pool=lease.pool,
                    law=delivery.delay or portfolio.providers[lease.provider].delay,
                    due_at=delivery.due_at,
                    over_at=lease.ends_at,
                )
    for offer in portfolio.offers:
        for i, tranche in enumerate(offer.tranches):
            yield Exposure(
                key=offer.id,
                index=i,
                provider=offer.provider,
                pool=offer.pool,
                law=tranche.delay or portfolio.providers[offer.provider].delay,
                due_at=tranche.after.after(offer.start_from_at),
                over_at=_last_end(offer),
            )


def _last_end(offer: Offer) -> Instant:
    """The end of an offer's term, extended if that is a right, as if started on the first day of the window."""
    ends_at = offer.term.after(offer.start_from_at)
    return offer.terms.extension.duration.after(ends_at) if offer.terms.extension else ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Recallable:
    """A lease or offer that the lessor may take back; it starts, an offer at the first, on `starts_at`."""

    key: str
    pool: PoolId
    right: RecallRight
    starts_at: Instant


def recallable(portfolio: Portfolio) -> Iterator[Recallable]:
    """Leases and offers that the lessor may take back."""
    for lease in portfolio.leases:
        if lease.terms.recall is not None:
            yield Recallable(key=lease.id, pool=lease.pool, right=lease.terms.recall, starts_at=lease.starts_at)
    for offer in portfolio.offers:
        if offer.terms.recall is not None:
            starts_at = Instant(max(offer.start_from_at, portfolio.as_of_at))
            yield Recallable(key=offer.id, pool=offer.pool, right=offer.terms.recall, starts_at=starts_at)
