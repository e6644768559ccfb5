"""What is on the table: the portfolio with a request's offers in place of what their vendors said before."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from acreage.domain.lease import Offer
from acreage.domain.portfolio import Portfolio
from acreage.domain.rfq import Rfq
from acreage.market.rfq.standing import Standing
from acreage.units.ids import OfferId


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The portfolio to plan with, and the ids of the offers that are not: `replaced` by answers, or `widowed`.

    An offer is widowed where one that it requires is gone.
    """

    portfolio: Portfolio
    replaced: tuple[OfferId, ...]
    widowed: tuple[OfferId, ...]


def table_of(portfolio: Portfolio, now: Standing) -> Table:
    """Everything that can be signed: answers, and the portfolio's own offers but those that answers replace.

    A vendor that was asked is heard anew about the chips that were asked for: what the portfolio says of it
    on these chips is set aside.
    """
    replaced = tuple(offer.id for offer in portfolio.offers if _is_replaced(portfolio, now.rfq, offer))
    kept = [offer for offer in portfolio.offers if offer.id not in replaced]
    return _joined(portfolio, [*kept, *(live.quote.offer for live in now.live)], replaced)


def _is_replaced(portfolio: Portfolio, rfq: Rfq, offer: Offer) -> bool:
    chips = {chip for need in rfq.needs for chip in need.accelerators}
    asked = {vendor.provider for vendor in rfq.vendors}
    return offer.provider in asked and portfolio.pools[offer.pool].accelerator in chips


def _joined(portfolio: Portfolio, offers: Iterable[Offer], replaced: tuple[OfferId, ...]) -> Table:
    """The portfolio with these offers, but those that require one that is not among them."""
    left = tuple(offers)
    everything = {offer.id for offer in left}
    while True:
        known = {offer.id for offer in left}
        fit = tuple(offer for offer in left if set(offer.requires) <= known)
        if len(fit) == len(left):
            break
        left = fit
    ids = {offer.id for offer in left}
    cleaned = tuple(replace(o, excludes=tuple(x for x in o.excludes if x in ids)) for o in left)
    return Table(
        portfolio=replace(portfolio, offers=cleaned),
        replaced=replaced,
        widowed=tuple(sorted(everything - ids)),
    )
