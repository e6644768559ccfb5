"""Why each offer is signed or not, and the price at which that changes.

Two solves give the walk-away price: the best cost without the offer, and with it at a stated
quantity, its own payments left out. Two more, just below and just above that price, confirm it
with certified bounds. No dual is used.
"""

from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.lease import Offer
from acreage.domain.plan import OfferVerdict, Range
from acreage.plan.formulate.layout import ColumnKind
from acreage.plan.problem import USD_PER_UNIT, Infeasible, PlanProblem, Vector
from acreage.plan.session import Change, Session, Solved, with_price
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.ids import OfferId

STEP_FRAC = 0.01
"""How far below and above the walk-away price the confirming solves are, at least."""

SECANTS_MAX = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The best cost without an offer and with it at `blocks` blocks at price factor `factor`."""

    without: Range
    with_it: Range
    own_usd: float
    blocks: int
    factor: float

    @property
    def indifferent(self) -> Range:
        """The price factors at which both cost the same, if costs are a line in the price."""
        low = self.without.low - self.with_it.high
        high = self.without.high - self.with_it.low
        return Range(low=self.factor + low / self.own_usd, high=self.factor + high / self.own_usd)


def verdict_of(session: Session, best: Solved, offer: Offer, reason: str = "") -> OfferVerdict:
    """The verdict on one offer; `reason` says why it could not be signed at all, if so."""
    signed = best.blocks_of(offer.id)
    asked = usd_per_accelerator_hour(offer.terms.price)
    if reason:
        return _ruled_out(offer, asked, reason)
    try:
        pair = _first_pair(session, best, offer.id, signed)
    except Infeasible:
        return _ruled_out(offer, asked, "no plan that satisfies every rule can include it")
    if pair.own_usd <= 0.0:
        return _ruled_out(offer, asked, "it costs nothing within the horizon")
    pair = _refined(session, offer.id, pair)
    factors = pair.indifferent
    confirmed = _confirm(session, offer.id, pair) if factors.high > 0.0 else None
    difference = Range(low=pair.without.low - pair.with_it.high, high=pair.without.high - pair.with_it.low)
    return OfferVerdict(
        offer=offer.id,
        signed=signed > 0,
        asked_usd_per_accelerator_hour=asked,
        walk_away_usd_per_accelerator_hour=Range(
            low=max(0.0, factors.low) * asked, high=max(0.0, factors.high) * asked
        ),
        at_accelerators=pair.blocks * offer.accelerators_per_block,
        worth_usd=difference if pair.factor == 1.0 else _at_asked(pair),
        confirmed=confirmed,
        reason=_reason(signed > 0, factors, asked),
    )


def brief_verdict(best: Solved, offer: Offer, reason: str = "") -> OfferVerdict:
    """Whether an offer is signed, without the solves that say at which price that would change."""
    signed = best.blocks_of(offer.id)
    verdict = _ruled_out(offer, usd_per_accelerator_hour(offer.terms.price), reason or "not explained")
    return replace(verdict, signed=signed > 0, at_accelerators=signed * offer.accelerators_per_block)


def _at_asked(pair: Pair) -> Range:
    """What the offer is worth at the asked price, from its indifferent factors."""
    factors = pair.indifferent
    return Range(low=(factors.low - 1.0) * pair.own_usd, high=(factors.high - 1.0) * pair.own_usd)


def _ruled_out(offer: Offer, asked: float, reason: str) -> OfferVerdict:
    return OfferVerdict(
        offer=offer.id,
        signed=False,
        asked_usd_per_accelerator_hour=asked,
        walk_away_usd_per_accelerator_hour=None,
        at_accelerators=0,
        worth_usd=None,
        confirmed=None,
        reason=reason,
    )


def _reason(signed: bool, factors: Range, asked: float) -> str:
    low, high = factors.low * asked, factors.high * asked
    if signed and factors.low > 1.0:
        return f"worth signing up to {_price(low)}, asked {_price(asked)}"
    if not signed and factors.high < 1.0:
        return (
            f"worth signing below {_price(high)}, asked {_price(asked)}" if high > 0 else "not worth it even for free"
        )
    return f"close to its walk-away price of {_price(max(0.0, (low + high) / 2))}, asked {_price(asked)}"


def _price(usd_per_hour: float) -> str:
    return f"{usd_per_hour:.2f} USD/accelerator-hour"


def _first_pair(session: Session, best: Solved, offer: OfferId, signed: int) -> Pair:
    if signed:
        without, with_it, blocks = session.solve(Change(barred=frozenset({offer}))), best, signed
    else:
        without, with_it = best, session.solve(Change(forced={offer: 0}))
        blocks = with_it.blocks_of(offer)
    return Pair(
        without=without.range_usd,
        with_it=with_it.range_usd,
        own_usd=own_payments_usd(with_it, offer),
        blocks=blocks,
        factor=1.0,
    )


def _solve_at(session: Session, offer: OfferId, pair: Pair, factor: float) -> Solved:
    """The best plan with the offer at the pair's quantity and another price."""
    formulation = session.formulation(with_price(session.portfolio, offer, factor))
    return session.solve(Change(forced={offer: pair.blocks}), formulation)


def _refined(session: Session, offer: OfferId, pair: Pair) -> Pair:
    """Repeat the secant where drawdown, most-favored credits or the tail bend the line."""
    for _ in range(SECANTS_MAX):
        factor = pair.indifferent.middle
        width = pair.indifferent.high - pair.indifferent.low
        if factor <= 0.0 or abs(factor - pair.factor) <= max(STEP_FRAC / 2, width):
            break
        solved = _solve_at(session, offer, pair, factor)
        own = own_payments_usd(solved, offer)
        if own <= 0.0:
            break
        pair = Pair(
            without=pair.without,
            with_it=solved.range_usd,
            own_usd=own / factor,
            blocks=pair.blocks,
            factor=factor,
        )
    return pair


def _confirm(session: Session, offer: OfferId, pair: Pair) -> bool:
    """Whether certified re-solves just below and just above the price flip the decision."""
    factors = pair.indifferent
    step = STEP_FRAC * max(factors.middle, STEP_FRAC)
    below = max(factors.low - step, 0.0)
    cheaper = below == 0.0 or _solve_at(session, offer, pair, below).range_usd.high < pair.without.high
    dearer = _solve_at(session, offer, pair, factors.high + step).range_usd.low > pair.without.low
    return bool(cheaper and dearer)


def own_payments_usd(solved: Solved, offer: OfferId) -> float:
    """What an offer's own payments add to the objective, weighted as the objective weighs futures."""
    formulation, first = solved.formulation, solved.solution.first
    mine = np.array(
        [
            value if column.kind is ColumnKind.BLOCKS and column.subject == offer else 0.0
            for column, value in zip(formulation.choices.builder.columns, first, strict=True)
        ]
    )
    per_future = formulation.problem.first.cost @ mine
    return float(future_weights(formulation.problem, solved) @ per_future) * USD_PER_UNIT


def future_weights(problem: PlanProblem, solved: Solved) -> Vector:
    """The weight of each future (S,) in the objective at a solution: expectation and tail."""
    second = np.einsum("sm,sm->s", problem.recourse.cost, solved.solution.second)
    costs = problem.first.cost @ solved.solution.first + second + problem.recourse.constant
    order = np.argsort(-costs)
    left = 1.0 - problem.risk_tail
    taken = np.diff(np.minimum(np.cumsum(problem.probability[order]), left), prepend=0.0)
    tail = np.zeros(len(costs))
    tail[order] = taken / left
    return (1 - problem.risk_weight) * problem.probability + problem.risk_weight * tail
