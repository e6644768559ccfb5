"""What other terms would change: whether an offer enters the plan then, and what a plan without some offers costs.

An offer enters if the best plan that has it, on the changed terms, costs no more than the best plan found.
With all other contracts kept that is exact enough for the smallest offer; large ones are also solved with
everything free, as in `verdicts`.
"""

from dataclasses import dataclass

from acreage.domain.future import Future
from acreage.domain.plan import Range
from acreage.domain.portfolio import Portfolio
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.problem import Aim, Infeasible
from acreage.plan.session import BROKEN_USD, Change, Session, Solved, carried
from acreage.units.ids import OfferId

OWN_GAP_FRAC = 1e-5
"""With other contracts kept, costs are found to this share of the objective."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """The best plan found that has an offer on changed terms.

    `gain_usd` is how much less it costs than the best plan without the change; the offer enters if that is
    not negative. `blocks` are those signed of it.
    """

    gain_usd: Range
    blocks: int

    @property
    def enters(self) -> bool:
        """Whether a plan with it was found that costs no more."""
        return self.gain_usd.found >= 0.0


def entered(
    session: Session,
    best: Solved,
    portfolio: Portfolio,
    offer: OfferId,
    *,
    futures: tuple[Future, ...] | None = None,
    large: bool = False,
) -> Entered | None:
    """What forcing an offer into the plan costs or gains in a changed portfolio or changed futures.

    None where no plan that keeps every rule and promise has it. Of a `large` offer other contracts may change too.
    """
    there = session.formulation(portfolio, futures=futures)
    found = [
        solved
        for kept in ((True, False) if large else (True,))
        if (solved := _forced(session, best, there, offer, kept=kept)) is not None
    ]
    if not found:
        return None
    solved = min(found, key=lambda one: one.range_usd.found)
    now, then = best.range_usd, solved.range_usd
    gain = Range(low=now.low - then.high, found=now.found - then.found, high=now.high - then.low)
    return Entered(gain_usd=gain, blocks=solved.blocks_of(offer))


def _forced(session: Session, best: Solved, there: Formulation, offer: OfferId, *, kept: bool) -> Solved | None:
    """The best plan with the offer, other contracts kept or free; None where there is none."""
    first = carried(best.solution.first, best.formulation, there)
    change = Change(
        forced=frozenset({offer}),
        kept=first if kept else None,
        free=_tied_to(there.portfolio, offer),
    )
    aim = Aim(gap_frac=OWN_GAP_FRAC, rounds_max=10) if kept else session.quick(first)
    try:
        solved = session.solve(change, there, aim=aim)
    except Infeasible:
        return None
    return solved if solved.broken_usd <= BROKEN_USD else None


def _tied_to(portfolio: Portfolio, offer: OfferId) -> frozenset[OfferId]:
    """The offers that it requires or excludes, or that exclude it: they cannot stay as they are."""
    mine = next(one for one in portfolio.offers if one.id == offer)
    theirs = (one.id for one in portfolio.offers if offer in one.excludes or offer in one.requires)
    return frozenset({*mine.requires, *mine.excludes, *theirs})


def without_offers(session: Session, best: Solved, barred: frozenset[OfferId]) -> Solved | None:
    """The best plan that signs none of some offers, everything else free; None where no plan keeps every rule.

    It is `best` itself where that has none of them.
    """
    if not any(best.blocks_of(offer) for offer in barred):
        return best
    try:
        near = session.solve(Change(barred=barred, kept=best.solution.first), aim=session.quick(None))
        start = near.solution.first
    except Infeasible:
        start = best.solution.first
    try:
        solved = session.solve(Change(barred=barred), aim=session.quick(start))
    except Infeasible:
        return None
    return solved if solved.broken_usd <= BROKEN_USD else None
