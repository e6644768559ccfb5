"""Comparing the offers of a request: the yardstick and risks from the portfolio, the figures from the market room."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from acreage import __version__
from acreage.demand.laws import delay_days
from acreage.domain.comparison import Compared
from acreage.domain.lease import Offer
from acreage.domain.portfolio import Portfolio
from acreage.domain.rfq import Need, Quote, Rfq
from acreage.domain.workload import PortState
from acreage.flow import planning
from acreage.flow.books_columns import Listing, Row
from acreage.flow.rfq_asking import with_portfolio
from acreage.flow.rfq_books import standing_of
from acreage.ledger.ledger import Ledger
from acreage.market.rfq.compare import Bid, compared, start_of
from acreage.market.rfq.levelised import Surprise, Yardstick
from acreage.market.rfq.standing import Standing
from acreage.plan.formulate.first_stage import eligible_pools
from acreage.pricing.present_value import SECONDS_PER_YEAR
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.report.renderers.page import render_page
from acreage.report.rfq_comparison import comparison_page
from acreage.units.errors import InputError, Place
from acreage.units.instants import SECONDS_PER_DAY, Instant
from acreage.units.money import MicroUsd, usd_text

LATE_POINTS, RECALL_POINTS = 16, 12
"""Equally likely ranks at which the delay and recall laws are taken: their middles."""

COMPARED_SHOWN = ("offer", "accelerators", "headline_usd", "normalised_usd", "total_usd", "largest")
WORTHS_SHOWN = ("offer", "term", "usd", "usd_per_hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All live offers compared, cheapest first, with what they were measured with."""

    rfq: Rfq
    yard: Yardstick
    offers: tuple[Compared, ...]


def comparison(
    ledger: Ledger, rfq: str, portfolio: Path | None, *, reference: str | None, replacement_usd: float | None
) -> Comparison:
    """Compare the live offers of a request; raises `InputError` where there are none."""
    now = standing_of(ledger, rfq)
    read = planning.portfolio_at(with_portfolio(now.rfq, portfolio)).portfolio
    return compare_live(now, read, reference=reference, replacement_usd=replacement_usd)


def compare_live(
    now: Standing, portfolio: Portfolio, *, reference: str | None = None, replacement_usd: float | None = None
) -> Comparison:
    """Compare the live offers of a request as it stands."""
    if not now.live:
        raise InputError(f"{now.rfq.id} has no offer that can be accepted", fix="import answers first")
    yard = yardstick(portfolio, now.rfq, reference=reference, replacement_usd=replacement_usd)
    found = [compared(bid_of(offer.quote, now.rfq, portfolio, yard), yard) for offer in now.live]
    return Comparison(
        rfq=now.rfq, yard=yard, offers=tuple(sorted(found, key=lambda c: (c.micro_usd_per_hour, c.offer)))
    )


def yardstick(
    portfolio: Portfolio, rfq: Rfq, *, reference: str | None = None, replacement_usd: float | None = None
) -> Yardstick:
    """What offers are measured with; the reference is the first lot's, missing hours cost the cheapest by the hour."""
    chip = next((a for a in portfolio.accelerators if a == reference), None)
    if reference is not None and chip is None:
        known = ", ".join(portfolio.accelerators)
        raise InputError(f"the portfolio has no accelerator {reference!r}", fix=f"it has {known}")
    chip = chip or rfq.needs[0].accelerators[0]
    wanted = {a for need in rfq.needs for a in need.accelerators}
    if replacement_usd is None:
        replacement_usd = _replacement_usd(portfolio, wanted) or _replacement_usd(
            portfolio, set(portfolio.accelerators)
        )
        if replacement_usd is None:
            raise InputError(
                "nothing in the portfolio can be had by the hour, so missing hours have no price",
                fix="say what one of the reference chip costs elsewhere with --replacement USD",
            )
        replacement_usd *= portfolio.effective_tflops[chip]
    return Yardstick(
        as_of_at=portfolio.as_of_at,
        discount_frac_per_year=portfolio.policy.discount_frac_per_year,
        reference=chip,
        effective_tflops=portfolio.effective_tflops,
        replacement_usd_per_hour=replacement_usd,
        price_sd_frac_per_year=portfolio.uncertainty.price_sd_frac_per_year,
    )


def _replacement_usd(portfolio: Portfolio, chips: set[Any]) -> float | None:
    """The cheapest hour on demand, per effective TFLOP/s; None where there is none on these chips."""
    return min(
        (
            usd_per_accelerator_hour(pool.on_demand.price) / portfolio.effective_tflops[pool.accelerator]
            for pool in portfolio.pools.values()
            if pool.on_demand is not None and pool.accelerator in chips
        ),
        default=None,
    )


def bid_of(quote: Quote, rfq: Rfq, portfolio: Portfolio, yard: Yardstick) -> Bid:
    """An offer with the risks of its provider and what has to be ported to its chip."""
    offer = quote.offer
    chip = portfolio.pools[offer.pool].accelerator
    need = _need_of(quote, rfq, chip)
    late = late_surprises(offer, portfolio)
    return Bid(
        quote=quote,
        provider=portfolio.providers[offer.provider],
        accelerator=chip,
        need=need,
        late=late,
        surprises=with_recalls(offer, late, start_of(offer, need, yard)),
        port_micro_usd=_port_micro_usd(portfolio, offer),
    )


def _need_of(quote: Quote, rfq: Rfq, chip: str) -> Need:
    """The lot it names, else the first that its chip would do for, else the first."""
    for need in rfq.needs:
        if need.id == quote.need or (not quote.need and chip in need.accelerators):
            return need
    return rfq.needs[0]


def late_surprises(offer: Offer, portfolio: Portfolio) -> tuple[Surprise, ...]:
    """Equally likely lateness of all tranches, each by its own law or its provider's, at the same rank."""
    ranks = ndtri((np.arange(LATE_POINTS) + 0.5) / LATE_POINTS)
    laws = [tranche.delay or portfolio.providers[offer.provider].delay for tranche in offer.tranches]
    days = np.stack([delay_days(law, ranks) for law in laws])
    rows = [tuple(float(d) for d in column) for column in days.T]
    return tuple(Surprise(probability_frac=rows.count(row) / LATE_POINTS, late_days=row) for row in sorted(set(rows)))


def with_recalls(offer: Offer, late: Sequence[Surprise], starts_at: Instant) -> tuple[Surprise, ...]:
    """Each lateness with equally likely days of recall: exponential from when the right begins."""
    right = offer.terms.recall
    if right is None or right.recalls_per_year <= 0.0:
        return tuple(late)
    begins_at = right.after.after(starts_at)
    found = []
    for i in range(RECALL_POINTS):
        years = -math.log1p(-(i + 0.5) / RECALL_POINTS) / right.recalls_per_year
        at = Instant(begins_at + round(years * SECONDS_PER_YEAR / SECONDS_PER_DAY) * SECONDS_PER_DAY)
        recalled_at = at if at < offer.term.after(starts_at) else None
        found += [
            Surprise(
                probability_frac=one.probability_frac / RECALL_POINTS, late_days=one.late_days, recalled_at=recalled_at
            )
            for one in late
        ]
    return tuple(found)


def _port_micro_usd(portfolio: Portfolio, offer: Offer) -> MicroUsd:
    """What the cheapest port costs that brings a workload to the pool; nothing where one runs there already."""
    able = [
        capability
        for workload in portfolio.workloads
        for pool, capability in eligible_pools(portfolio, workload)
        if pool == offer.pool
    ]
    costs = [c.port_cost_micro_usd if c.port_state is PortState.PORTABLE else MicroUsd(0) for c in able]
    return min(costs, default=MicroUsd(0))


def listings(found: Comparison) -> tuple[Listing, ...]:
    """The comparison, its components and worths as listings."""
    rows = [_compared_row(one) for one in found.offers]
    components: list[Row] = [
        {"offer": one.offer, "component": c.kind.value, "usd": usd_text(c.micro_usd_per_hour), "note": c.note}
        for one in found.offers
        for c in one.components
    ]
    worths: list[Row] = [
        {
            "offer": one.offer,
            "term": worth.term,
            "usd": usd_text(round(worth.micro_usd, -6)),
            "usd_per_hour": usd_text(worth.micro_usd_per_hour),
        }
        for one in found.offers
        for worth in one.worths
    ]
    return (
        Listing(kind="comparison", rows=rows, shown=COMPARED_SHOWN),
        Listing(kind="components", rows=components),
        Listing(kind="worths", rows=worths, shown=WORTHS_SHOWN),
    )


def _compared_row(one: Compared) -> Row:
    moves = [c for c in one.components[1:] if c.micro_usd_per_hour]
    most = max(moves, key=lambda c: abs(c.micro_usd_per_hour), default=None)
    return {
        "offer": one.offer,
        "provider": one.provider,
        "accelerators": one.accelerators,
        "headline_usd": usd_text(one.quoted_micro_usd_per_accelerator_hour),
        "normalised_usd": usd_text(one.micro_usd_per_hour),
        "hours": one.hours,
        "total_usd": usd_text(round(one.total_usd) * 1_000_000),
        "largest": f"{most.kind.value} {most.micro_usd_per_hour / 1e6:+.2f}" if most is not None else "",
    }


def write_page(found: Comparison, path: Path) -> None:
    """The comparison as a page; raises `InputError` where it cannot be written."""
    page = comparison_page(found.rfq, found.offers, found.yard.reference, found.yard.replacement_usd_per_hour)
    write_file(path, render_page(page, __version__).encode())


def write_file(path: Path, data: bytes) -> None:
    """Write a file and the folders above it; raises `InputError` where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        what = f"cannot write it: {error.strerror}"
        raise InputError(what, fix="choose another place with --out", place=Place(file=str(path))) from None


def best_usd(now: Standing, portfolio: Portfolio) -> float | None:
    """The lowest comparable price on the table, for open requests; None without offers."""
    if not now.live:
        return None
    return compare_live(now, portfolio).offers[0].micro_usd_per_hour / 1e6
