"""What other terms would change: whether an offer enters the plan then, and what a plan without some offers costs.

An offer enters if the best plan that has it, on the changed terms, costs no more than the best plan found.
With all other contracts kept as in the nearest plan that has it, that is exact enough for the smallest
offer; large ones are also solved with everything free, as in `verdicts`.
"""

from dataclasses import dataclass, replace

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


def nearest_with(session: Session, best: Solved, offer: OfferId) -> Solved | None:
    """The plan nearest to the best one that has an offer as it stands: where its changes are tried from.

    A budget or cap that the best plan uses up may leave no room for it unless others make some. None where no
    plan that keeps every rule has it.
    """
    tied = _tied_to(session.portfolio, offer)
    kept = Change(forced=frozenset({offer}), kept=best.solution.first, free=tied)
    for change in (kept, Change(forced=frozenset({offer}))):
        try:
            return session.solve(change, aim=session.quick(best.solution.first))
        except Infeasible:
            continue
    return None


def entered(
    session: Session,
    best: Solved,
    start: Solved,
    portfolio: Portfolio,
    offer: OfferId,
    *,
    futures: tuple[Future, ...] | None = None,
    large: bool = False,
) -> Entered | None:
    """What forcing an offer into the plan costs or gains in a changed portfolio or changed futures.

    `start` is a plan that has it. None where none that keeps every rule and promise has it then. Of a `large`
    offer other contracts may change too.
    """
    there = session.formulation(portfolio, futures=futures)
    first = carried(start.solution.first, start.formulation, there)
    forced = Change(forced=frozenset({offer}))
    kept = replace(forced, kept=first, free=_tied_to(portfolio, offer))
    tries = [(kept, Aim(gap_frac=OWN_GAP_FRAC, rounds_max=10))]
    if large:
        tries.append((forced, session.quick(first)))
    found = [solved for change, aim in tries if (solved := _solved(session, there, change, aim)) is not None]
    if not found:
        return None
    solved = min(found, key=lambda one: one.range_usd.found)
    now, then = best.range_usd, solved.range_usd
    # What the others, kept, could still save is not known to the kept solve: the plan's own bound is.
    low = min(then.low, now.low) if not large else then.low
    gain = Range(low=now.low - then.high, found=now.found - then.found, high=now.high - low)
    return Entered(gain_usd=gain, blocks=solved.blocks_of(offer))


def _solved(session: Session, there: Formulation, change: Change, aim: Aim) -> Solved | None:
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


def without_offers(session: Session, best: Solved, barred: frozenset[OfferId], aim: Aim) -> Solved | None:
    """The best plan that signs none of some offers, everything else free; None where no plan keeps every rule.

    It is `best` itself where that has none of them. `aim` says how well it must be known; its start is found here.
    """
    if not any(best.blocks_of(offer) for offer in barred):
        return best
    try:
        near = session.solve(Change(barred=barred, kept=best.solution.first), aim=session.quick(None))
        start = near.solution.first
    except Infeasible:
        start = best.solution.first
    try:
        solved = session.solve(Change(barred=barred), aim=replace(aim, start=start))
    except Infeasible:
        return None
    return solved if solved.broken_usd <= BROKEN_USD else None
