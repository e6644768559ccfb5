"""Why each offer is signed or not, and the price at which that changes.

The best cost with an offer, as a function of its price, is concave: the plan found at one price costs no
more than a line in it. So the price at which that line meets the best cost without the offer is one
at which signing pays, and re-solving there and repeating (Newton's method; Dinkelbach, 1967) comes to
the price at which the decision flips. First with all other contracts kept, which is exact enough for
the smallest offer; then with all of them free, for offers large enough to change them. No dual is used.
"""

from dataclasses import dataclass, replace

import numpy as np

from acreage.domain.lease import Offer
from acreage.domain.plan import OfferVerdict, Range
from acreage.plan.formulate.layout import ColumnKind
from acreage.plan.price_line import PriceLine
from acreage.plan.problem import USD_PER_UNIT, Aim, Infeasible, PlanProblem, Vector, future_costs
from acreage.plan.session import Change, Session, Solved
from acreage.pricing.rate import usd_per_accelerator_hour
from acreage.units.ids import OfferId

NEWTON_MAX = 3
CLOSE_FRAC = 0.005
"""A walk-away price is taken as found when a step would change it by less than this share of the asked price."""
FLIP_FRAC = 0.01
"""How far below and above the walk-away price the decision is confirmed."""
OWN_GAP_FRAC = 0.01
"""With other contracts kept, costs are found to this share of what the offer itself costs."""
LARGE_GAPS = 3.0
"""An offer is large if its own payments are this many times the gap: then a whole plan's bound says something."""
POLISH_FRAC = 0.05
"""Small offers are decided again to this share of what the smallest of them costs."""
LEAST_FACTOR = 0.02
"""The lowest price tried, as a share of the asked one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class With:
    """The best plan found that has the offer, at a factor of its asked price.

    `slope_usd` is what the plan's cost grows by per unit of the factor: the offer's own payments as asked.
    """

    solved: Solved
    factor: float
    slope_usd: float
    blocks: int

    @property
    def cost_usd(self) -> float:
        """The objective of the plan found."""
        return self.solved.range_usd.found


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The factor of the asked price at which an offer enters or leaves."""

    factor: Range
    blocks: int
    worth_usd: Range
    confirmed: bool
    others_kept: bool


def polished(session: Session, best: Solved) -> Solved:
    """The plan with its small offers decided again, all others kept: they are lost in the gap of a whole plan.

    An offer is small if all of it costs less than the gap.
    """
    gap_usd = session.quick_gap_frac * abs(best.range_usd.found)
    sizes = {o.id: most_usd(session, best, o.id) for o in session.portfolio.offers}
    small = {offer: size for offer, size in sizes.items() if 0.0 < size < gap_usd}
    if not small:
        return best
    gap_frac = max(POLISH_FRAC * min(small.values()) / abs(best.range_usd.found), 1e-8)
    aim = Aim(gap_frac=gap_frac, rounds_max=10, start=best.solution.first)
    found = session.solve(Change(kept=best.solution.first, free=frozenset(small)), aim=aim)
    if found.solution.objective >= best.solution.objective:
        return best
    return replace(found, solution=replace(found.solution, bound=best.solution.bound))


def most_usd(session: Session, best: Solved, offer: OfferId) -> float:
    """The most that an offer's own payments can add to the objective."""
    problem = session.base.problem
    weights = future_weights(problem, best)
    columns = session.base.choices.builder.columns
    mine = [i for i, c in enumerate(columns) if c.kind is ColumnKind.BLOCKS and c.subject == offer]
    each = weights @ problem.first.cost[:, mine] * problem.first.upper[mine] if mine else np.zeros(1)
    return float(each.max(initial=0.0)) * USD_PER_UNIT


def verdict_of(session: Session, best: Solved, offer: Offer, reason: str = "") -> OfferVerdict:
    """The verdict on one offer; `reason` says why it could not be signed at all, if so."""
    asked = usd_per_accelerator_hour(offer.terms.price)
    if reason:
        return _ruled_out(offer, asked, reason)
    found = _find(session, best, offer)
    signed = best.blocks_of(offer.id) > 0
    if isinstance(found, str):
        return replace(
            _ruled_out(offer, asked, found),
            signed=signed,
            at_accelerators=best.blocks_of(offer.id) * offer.accelerators_per_block,
        )
    factor = _at_least(found.factor, 1.0) if signed else _at_most(found.factor, 1.0)
    return OfferVerdict(
        offer=offer.id,
        signed=signed,
        asked_usd_per_accelerator_hour=asked,
        walk_away_usd_per_accelerator_hour=Range(
            low=max(0.0, factor.low) * asked,
            found=max(0.0, factor.found) * asked,
            high=max(0.0, factor.high) * asked,
        ),
        at_accelerators=found.blocks * offer.accelerators_per_block,
        worth_usd=found.worth_usd,
        confirmed=found.confirmed,
        others_kept=found.others_kept,
        reason=_reason(signed, factor.found, asked),
    )


def _at_least(factor: Range, least: float) -> Range:
    """A signed offer is worth its price: plans found without it that say otherwise lie within the gap."""
    return Range(low=factor.low, found=max(factor.found, least), high=max(factor.high, least))


def _at_most(factor: Range, most: float) -> Range:
    """An offer that is not signed is not worth more than its price, but for the gap."""
    return Range(low=min(factor.low, most), found=min(factor.found, most), high=factor.high)


def brief_verdict(best: Solved, offer: Offer, reason: str = "") -> OfferVerdict:
    """Whether an offer is signed, without the solves that say at which price that would change."""
    signed = best.blocks_of(offer.id)
    verdict = _ruled_out(offer, usd_per_accelerator_hour(offer.terms.price), reason or "planned with --no-explain")
    return replace(verdict, signed=signed > 0, at_accelerators=signed * offer.accelerators_per_block)


def _ruled_out(offer: Offer, asked: float, reason: str) -> OfferVerdict:
    return OfferVerdict(
        offer=offer.id,
        signed=False,
        asked_usd_per_accelerator_hour=asked,
        walk_away_usd_per_accelerator_hour=None,
        at_accelerators=0,
        worth_usd=None,
        confirmed=None,
        others_kept=False,
        reason=reason,
    )


def _reason(signed: bool, factor: float, asked: float) -> str:
    price = f"{max(0.0, factor) * asked:.2f} USD/accelerator-hour, asked {asked:.2f}"
    if signed and factor > 1.0 + CLOSE_FRAC:
        return f"worth signing up to {price}"
    if factor >= 1.0 - CLOSE_FRAC:
        return f"at break-even, within the gap of the plan: {price}"
    return f"worth signing below {price}" if factor > 0.0 else "not worth it even for free"


def _find(session: Session, best: Solved, offer: Offer) -> Found | str:
    """The price at which the decision on an offer flips; or why there is none."""
    line = PriceLine(session, offer.id)
    first = _first_with(session, best, offer.id)
    if isinstance(first, str):
        return first
    signed = best.blocks_of(offer.id) > 0
    size = first.slope_usd / (best.range_usd.found or 1.0)
    small = Aim(gap_frac=max(OWN_GAP_FRAC * size, 1e-8), rounds_max=10)
    large = size > LARGE_GAPS * session.quick_gap_frac
    try:
        without = _without(session, best, offer.id, small, large) if signed else best.range_usd
    except Infeasible:
        return "no plan that satisfies every rule can do without it"
    search = Search(cost_usd=without.found)
    search.note(first)
    _approach(session, line, search, Change(forced=frozenset({offer.id}), kept=best.solution.first), small)
    if large:
        _approach(session, line, search, Change(forced=frozenset({offer.id})), None)
    return _found(best, offer, first, search, without, large)


def _first_with(session: Session, best: Solved, offer: OfferId) -> With | str:
    """A plan with the offer at the asked price: the best one if it has it, else the nearest to it, else any."""
    if best.blocks_of(offer):
        return _with(best, offer, 1.0)
    for kept in (best.solution.first, None):
        try:
            change = Change(forced=frozenset({offer}), kept=kept)
            found = session.solve(change, aim=session.quick(best.solution.first))
        except Infeasible:
            continue
        there = _with(found, offer, 1.0)
        return there if there.slope_usd > 0.0 else "it costs nothing within the horizon"
    return "no plan that satisfies every rule can include it"


def _with(solved: Solved, offer: OfferId, factor: float) -> With:
    own = own_payments_usd(solved, offer)
    return With(
        solved=solved,
        factor=factor,
        slope_usd=own / factor if factor > 0.0 else own,
        blocks=solved.blocks_of(offer),
    )


def _without(session: Session, best: Solved, offer: OfferId, small: Aim, large: bool) -> Range:
    """The best cost without a signed offer, other contracts kept, and for large ones free."""
    kept = Change(barred=frozenset({offer}), kept=best.solution.first)
    try:
        near = session.solve(kept, aim=small)
    except Infeasible:
        return session.solve(Change(barred=frozenset({offer})), aim=session.quick(best.solution.first)).range_usd
    if not large:
        return near.range_usd
    aim = session.quick(near.solution.first)
    return session.solve(Change(barred=frozenset({offer})), aim=aim).range_usd


@dataclass(slots=True)
class Search:
    """The plans with the offer that enclose the price at which they cost as much as the best without it."""

    cost_usd: float
    pays: With | None = None
    does_not: With | None = None
    last: With | None = None

    def note(self, there: With) -> None:
        """Keep a plan that was found; plans found at other prices stay unless they are further away."""
        self.last = there
        if there.cost_usd <= self.cost_usd:
            if self.pays is None or there.factor >= self.pays.factor:
                self.pays = there
        elif self.does_not is None or there.factor <= self.does_not.factor:
            self.does_not = there
        if self.pays is not None and self.does_not is not None and self.pays.factor >= self.does_not.factor:
            # Where later plans contradict earlier, poorer ones, the later one is believed.
            self.pays, self.does_not = (there, None) if self.pays is there else (None, there)

    @property
    def factor(self) -> float:
        """Where the costs meet: between two plans on their chord, beside one on its own line."""
        if self.pays is not None and self.does_not is not None:
            low, high = self.pays, self.does_not
            share = (self.cost_usd - low.cost_usd) / (high.cost_usd - low.cost_usd)
            return low.factor + share * (high.factor - low.factor)
        assert self.last is not None
        return self.last.factor + (self.cost_usd - self.last.cost_usd) / self.last.slope_usd


def _approach(session: Session, line: PriceLine, search: Search, change: Change, aim: Aim | None) -> None:
    """Re-solve at the price where costs seem to meet, until that price stands."""
    for _ in range(NEWTON_MAX):
        factor = max(LEAST_FACTOR, search.factor)
        assert search.last is not None
        try:
            here = aim or session.quick(search.last.solved.solution.first)
            there = _with(session.solve(change, line.at(factor), aim=here), line.offer, factor)
        except Infeasible:
            return
        if there.slope_usd <= 0.0:
            return
        search.note(there)
        if abs(max(LEAST_FACTOR, search.factor) - factor) < CLOSE_FRAC:
            return


def _found(best: Solved, offer: Offer, first: With, search: Search, without: Range, large: bool) -> Found:
    """The flip price with its proven range, and what the offer is worth at the asked price."""
    there = search.last
    assert there is not None
    cost, slope = there.solved.range_usd, there.slope_usd
    found = search.factor
    factor = Range(
        low=min(found, there.factor + (without.low - cost.found) / slope),
        found=found,
        high=max(found, there.factor + (without.high - cost.low) / slope),
    )
    now, forced = best.range_usd, first.solved.range_usd
    if best.blocks_of(offer.id):
        worth = Range(low=without.low - now.high, found=without.found - now.found, high=without.high - now.low)
    else:
        loss = min(0.0, now.found - forced.found)
        worth = Range(low=min(loss, now.low - forced.high), found=loss, high=max(0.0, now.high - forced.low))
    return Found(
        factor=factor,
        blocks=there.blocks or first.blocks,
        worth_usd=worth,
        confirmed=abs(found - there.factor) <= FLIP_FRAC * max(abs(found), FLIP_FRAC),
        others_kept=not large,
    )


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
    costs = future_costs(problem, solved.solution.first, solved.solution.second_cost)
    order = np.argsort(-costs)
    left = 1.0 - problem.risk_tail
    taken = np.diff(np.minimum(np.cumsum(problem.probability[order]), left), prepend=0.0)
    tail = np.zeros(len(costs))
    tail[order] = taken / left
    return (1 - problem.risk_weight) * problem.probability + problem.risk_weight * tail
