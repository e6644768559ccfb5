"""What suppliers, rules and terms are worth: differences of two best costs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from acreage.domain.future import Future
from acreage.domain.lease import Offer
from acreage.domain.plan import Range, WhatIf
from acreage.domain.portfolio import Portfolio
from acreage.plan.formulate.formulate import Formulation
from acreage.plan.problem import Aim, Infeasible, Vector
from acreage.plan.session import (
    BROKEN_USD,
    Change,
    Session,
    Solved,
    carried,
    with_offer,
    without_caps,
    without_promises,
)
from acreage.units.ids import OfferId, ProviderId
from acreage.units.instants import iso_date

LOSS_ROUNDS_MAX = 10
LOSS_GAPS = 5.0
"""What is lost with a supplier that matters is large: it needs no finer gap than this many of the plan's."""
FAR_GAPS = 70.0
"""A loss known no better than to this many gaps of a re-solve leads to another plan altogether: it is solved anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that could be different: a change of the choices, the portfolio, the futures or clauses."""

    kind: str
    subject: str
    description: str
    change: Change | None = None
    portfolio: Portfolio | None = None
    futures: tuple[Future, ...] | None = None
    waived: frozenset[str] = frozenset()
    promises: bool = True


def answer(session: Session, best: Solved, question: Question) -> WhatIf | None:
    """What the best plan would cost then; None if there is no plan at all.

    Where no plan without a supplier keeps every rule and promise, they are set aside, and the answer says so.
    """
    solved, description = _solved(session, best, question), question.description
    if solved is None and question.change is not None:
        solved = _solved(session, best, replace(question, portfolio=without_caps(session.portfolio), promises=False))
        description += "; share caps, the survival rule and promises set aside, as no plan keeps them"
    if solved is None:
        return None
    then, now = solved.range_usd, best.range_usd
    return WhatIf(
        kind=question.kind,
        subject=question.subject,
        description=description,
        objective_usd=then.high,
        extra_usd=Range(low=then.low - now.high, found=then.found - now.found, high=then.high - now.low),
    )


def _solved(session: Session, best: Solved, question: Question) -> Solved | None:
    """The best plan then; None if there is none, or none that keeps its promises."""
    there = session.formulation(question.portfolio, futures=question.futures, waived=question.waived)
    if not question.promises:
        there = without_promises(there)
    aim = session.quick(_start(session, best, question, there))
    try:
        solved = session.solve(question.change, there, aim=aim)
        if question.change is not None and _is_far(solved, aim):
            anew = replace(aim, near=False, anew=True, rounds_max=LOSS_ROUNDS_MAX, gap_frac=LOSS_GAPS * aim.gap_frac)
            solved = session.solve(question.change, there, aim=anew)
    except Infeasible:
        return None
    return solved if solved.broken_usd <= BROKEN_USD else None


def _start(session: Session, best: Solved, question: Question, there: Formulation) -> Vector:
    """The plan's own first stage, or what is best added to the rest of it once a supplier is lost."""
    first = carried(best.solution.first, best.formulation, there)
    if question.change is None:
        return first
    try:
        kept = replace(question.change, kept=first)
        return session.solve(kept, there, aim=Aim(gap_frac=session.gap_frac, rounds_max=1)).solution.first
    except Infeasible:
        return first


def _is_far(solved: Solved, aim: Aim) -> bool:
    """Whether a quick solve has left so much open that what is known of other plans does not serve."""
    found = solved.range_usd
    return found.high - found.low > FAR_GAPS * aim.gap_frac * abs(found.high)


def questions(session: Session, best: Solved) -> Iterator[Question]:
    """Every rule lifted, better terms for what is signed, and every supplier lost."""
    portfolio = session.portfolio
    yield from rule_questions(portfolio)
    for offer in portfolio.offers:
        if best.blocks_of(offer.id):
            yield from term_questions(session, offer)
    yield from supplier_questions(portfolio)


def supplier_questions(portfolio: Portfolio) -> Iterator[Question]:
    """The plan without each supplier: its leases, offers and hours on demand. Those of whom most is held come first."""
    held = Counter[ProviderId]()
    for lease in portfolio.leases:
        held[lease.provider] += sum(delivery.accelerators for delivery in lease.deliveries)
    providers = {pool.provider for pool in portfolio.pools.values()}
    for provider in sorted(providers, key=lambda p: (-held[p], p)):
        yield without_supplier(provider)


def without_supplier(provider: ProviderId) -> Question:
    """The plan without one supplier."""
    return Question(
        kind="supplier",
        subject=provider,
        description=f"without {provider}: nothing leased or bought of it, nothing paid to it",
        change=Change(lost=frozenset({provider})),
    )


def rule_questions(portfolio: Portfolio) -> Iterator[Question]:
    """The plan without each rule and each clause that binds it."""
    policy = portfolio.policy
    for i, cap in enumerate(policy.share_caps):
        rest = (*policy.share_caps[:i], *policy.share_caps[i + 1 :])
        who = cap.member or f"each {cap.level.replace('_', ' ')}"
        yield Question(
            kind="rule",
            subject=f"share cap {i + 1}",
            description=f"without the cap of {cap.share_max_frac:.0%} on {who}",
            portfolio=replace(portfolio, policy=replace(policy, share_caps=rest)),
        )
    if policy.survive_loss_frac is not None:
        yield Question(
            kind="rule",
            subject="survive loss",
            description="without the rule that the loss of any supplier must be survived",
            portfolio=replace(portfolio, policy=replace(policy, survive_loss_frac=None)),
        )
    if policy.budgets:
        yield Question(
            kind="rule",
            subject="budgets",
            description="without budgets",
            portfolio=replace(portfolio, policy=replace(policy, budgets=())),
        )
    for lease in portfolio.leases:
        clauses = [
            name
            for name, clause in (
                ("exclusivity", lease.terms.exclusivity),
                ("first refusal", lease.terms.first_refusal),
            )
            if clause is not None
        ]
        if clauses:
            yield Question(
                kind="rule",
                subject=f"{' and '.join(clauses)} of {lease.id}",
                description=f"without the {' and '.join(clauses)} of {lease.provider}",
                waived=frozenset({lease.id}),
            )


def term_questions(session: Session, offer: Offer) -> Iterator[Question]:
    """Better terms of a signed offer: delivered on time, no recall, no exclusivity."""
    portfolio = session.portfolio
    if any(key[0] == offer.id and days for f in session.futures for key, days in f.delay_days.items()):
        yield Question(
            kind="term",
            subject=offer.id,
            description="delivered on time in every future",
            futures=tuple(_on_time(future, offer.id) for future in session.futures),
        )
    if offer.terms.recall is not None:
        free = replace(offer, terms=replace(offer.terms, recall=None))
        yield Question(
            kind="term",
            subject=offer.id,
            description="without the lessor's recall right",
            portfolio=with_offer(portfolio, free),
        )
    if offer.terms.exclusivity is not None:
        free = replace(offer, terms=replace(offer.terms, exclusivity=None))
        yield Question(
            kind="term",
            subject=offer.id,
            description=f"without exclusivity until {iso_date(offer.terms.exclusivity.until_at)}",
            portfolio=with_offer(portfolio, free),
        )


def _on_time(future: Future, offer: OfferId) -> Future:
    kept = {key: days for key, days in future.delay_days.items() if key[0] != offer}
    return replace(future, delay_days=kept)
