"""Planning with what-ifs in bulk: the plan and every question about it are asked of one session."""

from collections.abc import Sequence
from dataclasses import replace

from acreage.demand.exposures import not_yet_made
from acreage.demand.futures import sample_futures
from acreage.domain.bulk import Bulk, Kind
from acreage.domain.conflict import Conflict
from acreage.domain.plan import Plan
from acreage.domain.portfolio import Portfolio
from acreage.flow.planning import base_demands, with_sample
from acreage.plan.bulk.answers import bulk
from acreage.plan.bulk.asked import Asked, Pending
from acreage.plan.planner import Tell, Wishes, plan_in, session_of
from acreage.units.errors import InputError

EVERYTHING = "all"


def kinds_of(words: Sequence[str]) -> frozenset[Kind]:
    """The kinds of questions that words ask for, `all` for all of them; raises `InputError` for others."""
    known = [kind.value for kind in Kind]
    for word in words:
        if word not in (EVERYTHING, *known):
            raise InputError(f"no what-if {word!r}", fix=f"ask for {', '.join(known)} or {EVERYTHING}")
    return frozenset(Kind) if EVERYTHING in words else frozenset(Kind(word) for word in words)


def plan_with_what_ifs(
    portfolio: Portfolio,
    wishes: Wishes,
    kinds: frozenset[Kind],
    tell: Tell,
    *,
    futures: int | None = None,
    seed: int | None = None,
) -> tuple[Plan, Bulk | None] | Conflict:
    """Plan a portfolio as `plan_portfolio` does, then ask what is wanted in bulk; nothing wanted, no answers.

    Interrupted during the questions, it returns the plan with the answers so far.
    """
    portfolio = with_sample(portfolio, futures=futures, seed=seed)
    # Differences of plans need the fine gap that explanations are made with, wanted or not.
    session = session_of(
        portfolio,
        sample_futures(portfolio),
        base_demands(portfolio),
        replace(wishes, explain=True) if kinds else wishes,
    )
    found = plan_in(session, wishes, tell)
    if isinstance(found, Conflict):
        return found
    plan, best = found
    if not kinds:
        return plan, None
    asked = Asked(kinds=kinds, pending=pending_of(portfolio), seed=plan.seed)
    return plan, bulk(session, best, plan.verdicts, asked, tell, wishes.clock)


def pending_of(portfolio: Portfolio) -> tuple[Pending, ...]:
    """The deliveries of what is held and offered that may still slip."""
    return tuple(
        Pending(source=e.key, provider=e.provider, index=e.index, due_at=e.due_at) for e in not_yet_made(portfolio)
    )
