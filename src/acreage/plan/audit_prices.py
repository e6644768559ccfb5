"""What a plan's leases and purchases cost in each future, by the pricing rules."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.finding import Finding
from acreage.domain.portfolio import Portfolio
from acreage.domain.price import PriceKind
from acreage.domain.terms import SpendCommitment, SpendKind
from acreage.plan.audit_dispatch import MARKET_KINDS, access_of
from acreage.plan.audit_ground import Array, Ground, doubt, money_differs
from acreage.plan.audit_supply import Holding, handover_in, lost_to
from acreage.pricing.invoice import (
    Charge,
    ChargeKind,
    charges,
    usage_rate_micro_usd_per_accelerator_hour,
)
from acreage.pricing.present_value import PresentValue, present_value
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.ids import PoolId
from acreage.units.instants import Instant
from acreage.units.money import usd

Posted = Mapping[tuple[int, str], tuple[Charge, ...]]
"""Charges from the planning day on, by future number and source."""


def posted_charges(ground: Ground, holdings: tuple[Holding, ...]) -> Posted:
    """Every charge of every lease and signing in every future; what is handed over alike is priced once."""
    found: dict[tuple[int, str], tuple[Charge, ...]] = {}
    for holding in holdings:
        priced: dict[object, tuple[Charge, ...]] = {}
        for s, future in enumerate(ground.futures):
            real = tuple(handover_in(ground, holding, piece, future) for piece in holding.pieces)
            lost = lost_to(holding, future)
            if (real, lost) not in priced:
                due = charges(holding.agreement, real, lost)
                priced[real, lost] = tuple(c for c in due if c.posted_at >= ground.portfolio.as_of_at)
            found[s, holding.key] = (*found.get((s, holding.key), ()), *priced[real, lost])
    return found


def lease_value(ground: Ground, posted: Posted, s: int) -> PresentValue:
    """Discounted cost of all leases in a future and what is salvaged of them."""
    policy, today = ground.portfolio.policy, ground.portfolio.as_of_at
    values = [
        present_value(due, today, policy.discount_frac_per_year, ground.horizon_at, policy.resale_frac)
        for (number, _), due in posted.items()
        if number == s
    ]
    return PresentValue(
        cost_usd=math.fsum(v.cost_usd for v in values), salvage_usd=math.fsum(v.salvage_usd for v in values)
    )


def favored_credit_usd(ground: Ground, holdings: tuple[Holding, ...]) -> float:
    """What most-favored leases save, discounted: for each, the signed offer that saves it most.

    Counted are the fees as promised in invoice months that begin on the offer's start or later,
    up to the lease's real end, less what salvage they would have brought.
    """
    saved = []
    for held in holdings:
        if held.agreement.signed_at is None and held.terms.most_favoured:
            saved.append(max((_credit_usd(ground, held, other) for other in holdings), default=0.0))
    return math.fsum(saved)


def _credit_usd(ground: Ground, held: Holding, other: Holding) -> float:
    pools = ground.portfolio.pools
    same_chip = pools[held.pool].accelerator == pools[other.pool].accelerator
    if other.agreement.signed_at is None or other.provider != held.provider or not same_chip:
        return 0.0
    now = usd_per_accelerator_hour(held.terms.price)
    offered = other.agreement.price_frac * usd_per_accelerator_hour(other.terms.price)
    posted = charges(held.agreement, held.agreement.promised)
    fees = [c for c in posted if c.kind is ChargeKind.FEE and c.from_at >= other.starts_at]
    policy, today = ground.portfolio.policy, ground.portfolio.as_of_at
    value = present_value(fees, today, policy.discount_frac_per_year, ground.horizon_at, policy.resale_frac)
    return max(0.0, 1.0 - offered / now) * (value.cost_usd - value.salvage_usd)


def check_market_prices(ground: Ground, holdings: tuple[Holding, ...]) -> Iterator[Finding]:
    """What is stated as paid by the hour is accelerators x hours x price."""
    for (pool, kind), bought in ground.market.items():
        paid = ground.market_usd[pool, kind]
        hours = ground.block_hours[None] * bought
        if PoolId(pool) not in ground.portfolio.pools:
            continue
        if kind in MARKET_KINDS:
            low = high = market_rate(ground, PoolId(pool), kind)[:, :, None] * hours
        else:
            rates = [usage_rate(ground, h) for h in holdings if h.key == kind and h.pool == pool]
            if not rates:
                continue
            low, high = (np.asarray(pick(rates, axis=0))[None, :, None] * hours for pick in (np.min, np.max))
        margin = np.maximum(0.01, 1e-9 * np.abs(high))
        wrong = ~((paid >= low - margin) & (paid <= high + margin))
        if wrong.any():
            s, t, b = (int(i[0]) for i in np.nonzero(wrong))
            yield doubt(
                "market_price",
                pool,
                f"{kind} is stated at {paid[s, t, b]:.2f} USD, not {high[s, t, b]:.2f}",
                row=f"{ground.futures[s].name}, period {t}",
            )


def market_rate(ground: Ground, pool: PoolId, kind: str) -> Array:
    """USD per accelerator-hour (S, T) of a pool's market; NaN where there is none."""
    access = access_of(ground.portfolio.pools[pool], kind)
    if access is None:
        return np.full(ground.shape[:2], np.nan)
    rate = usd_per_accelerator_hour(access.price)
    fixed = kind == PriceKind.ON_DEMAND and _committed(ground.portfolio, ground.portfolio.pools[pool].provider)
    ones = np.ones(ground.shape[1])
    factors = [ones if fixed else ones * np.asarray(f.price_factor.get(pool, 1.0)) for f in ground.futures]
    return rate * np.array(factors)


def _committed(portfolio: Portfolio, provider: str) -> bool:
    """Whether a commitment with a provider counts on-demand use, which then has its list price."""
    spends = [c.spend for c in portfolio.commitments]
    spends += [o.commitment for o in portfolio.offers if o.commitment is not None]
    return any(s.provider == provider and SpendKind.ON_DEMAND in s.eligible for s in spends)


def usage_rate(ground: Ground, holding: Holding) -> Array:
    """USD (T,) of a usable accelerator-hour above the take-or-pay share, in the middle of each period.

    In a period that begins before the term or ends after it, at the term's instant nearest to the middle.
    """
    agreement = holding.agreement
    term = replace(agreement, ends_at=max(agreement.ends_at, agreement.term_ends_at))
    rates = []
    for begin, end in zip(ground.begins, ground.ends, strict=True):
        at = min(max(int((begin + end) / 2), term.starts_at), term.ends_at - 1)
        rates.append(usage_rate_micro_usd_per_accelerator_hour(term, Instant(at)))
    return np.array(rates) / 1e6 / holding.usable_frac


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A commitment at a milestone: what counts so far (S,), what is pledged, when it is due."""

    commitment: str
    due_at: Instant
    drawn_usd: Array
    pledged_usd: float


def drawdowns(ground: Ground, holdings: tuple[Holding, ...], posted: Posted) -> tuple[Drawn, ...]:
    """Every milestone within the horizon of the commitments held and of those signed with an offer."""
    portfolio = ground.portfolio
    signed = {signing.offer for signing in ground.outcome.decision.signings}
    spends = [(str(c.id), c.spend) for c in portfolio.commitments]
    spends += [(str(o.id), o.commitment) for o in portfolio.offers if o.commitment and o.id in signed]
    return tuple(
        Drawn(
            commitment=name,
            due_at=milestone.due_at,
            drawn_usd=usd(spend.drawn_micro_usd) + _eligible_usd(ground, holdings, posted, spend, milestone.due_at),
            pledged_usd=usd(milestone.cumulative_micro_usd),
        )
        for name, spend in spends
        for milestone in spend.milestones
        if portfolio.as_of_at < milestone.due_at <= ground.horizon_at
    )


def _eligible_usd(
    ground: Ground, holdings: tuple[Holding, ...], posted: Posted, spend: SpendCommitment, due_at: Instant
) -> Array:
    """Charges (S,) that count by a date: fees by invoice date, use by the periods that are over."""
    total = np.zeros(len(ground.futures))
    mine = {h.key for h in holdings if h.provider == spend.provider}
    if SpendKind.LEASE in spend.eligible:
        for (s, key), due in posted.items():
            if key in mine:
                fees = (c for c in due if c.kind is ChargeKind.FEE and spend.starts_at <= c.posted_at <= due_at)
                total[s] += usd(sum(c.micro_usd for c in fees))
    inside = (ground.begins >= spend.starts_at) & (ground.ends <= due_at)
    for (pool, kind), paid in ground.market_usd.items():
        if ground.portfolio.pools[PoolId(pool)].provider != spend.provider:
            continue
        by_hour = kind == PriceKind.ON_DEMAND and SpendKind.ON_DEMAND in spend.eligible
        above = kind not in MARKET_KINDS and SpendKind.LEASE in spend.eligible
        if by_hour or above:
            total += paid[:, inside].sum(axis=(1, 2))
    return total


def differing(stated: float, derived: float, subject: str, what: str, row: str = "") -> Iterator[Finding]:
    """A finding where two amounts of money differ."""
    if money_differs(stated, derived):
        yield doubt("money", subject, f"{what}: {stated:.2f} USD stated, {derived:.2f} derived", row=row)
