"""Everything asked at once: the same again, enclosed by exact solves, and kept as far as it goes when interrupted."""

import _thread
from dataclasses import replace

import pytest

from acreage.domain.bulk import Bulk, Kind
from acreage.plan.bulk.answers import bulk
from acreage.plan.bulk.asked import Asked, Pending
from acreage.plan.engines.decomposition import DecompositionEngine
from acreage.plan.planner import Step, Tell
from acreage.plan.session import Session
from tests.plan.bulk.cases import more_futures, session_of
from tests.plan.tiny import Tiny, tiny


def quiet(step: Step) -> None:
    """Tell nobody."""


def asked_of(case: Tiny, *kinds: Kind) -> Asked:
    """All kinds, or those named."""
    pending = tuple(
        Pending(source=o.id, provider=o.provider, index=0, due_at=o.start_from_at) for o in case.portfolio.offers
    )
    return Asked(kinds=frozenset(kinds or Kind), pending=pending, seed=1, weights_frac=(0.0, 0.8), caps_frac=(0.7, 0.5))


def ask(case: Tiny, session: Session, *kinds: Kind, tell: Tell = quiet) -> Bulk:
    """Everything about the case's plan, on a clock that stands still."""
    return bulk(session, session.solve(), (), asked_of(case, *kinds), tell, lambda: 0.0)


def quick(case: Tiny) -> Session:
    """A session with the engine that users get."""
    return Session(
        portfolio=case.portfolio,
        futures=case.futures,
        demand=case.demand,
        engine=DecompositionEngine(),
        gap_frac=2e-4,
    )


CASE = more_futures(tiny(4, "tail_risk", "on_demand", only=True), 6, 4)


def test_the_same_questions_have_the_same_answers() -> None:
    """Two threads share the questions out always the same way."""
    once, again = ask(CASE, quick(CASE)), ask(CASE, quick(CASE))
    assert once == again
    assert once.unanswered == ()
    assert once.solves > 20


@pytest.mark.parametrize("seed", [4, 8])
def test_ranges_enclose_the_exact_answers(seed: int) -> None:
    """What the decomposition says in a hurry is never wrong, for every figure that has a range."""
    case = more_futures(tiny(seed, "tail_risk", "on_demand", only=True), 6, seed)
    said, exact = ask(case, quick(case)), ask(case, session_of(case))
    slack = 1e-6 * exact.plan_usd.found + 2.0
    pairs = [(a.objective_usd, b.objective_usd) for a, b in zip(said.frontier, exact.frontier, strict=True)]
    pairs += [
        (a.extra_usd, b.extra_usd)
        for a, b in zip(said.sensitivities, exact.sensitivities, strict=True)
        if a.extra_usd is not None and b.extra_usd is not None
    ]
    pairs += [(a.value_usd, b.value_usd) for a, b in zip(said.information, exact.information, strict=True)]
    for found, true in pairs:
        assert found.low - slack <= true.found <= found.high + slack
    for a, b in zip(said.concentration, exact.concentration, strict=False):
        if a.objective_usd is not None and b.objective_usd is not None and a.share_max_frac == b.share_max_frac:
            assert a.objective_usd.low - slack <= b.objective_usd.found <= a.objective_usd.high + slack


def test_only_what_is_asked_is_answered() -> None:
    """A kind not asked for costs nothing and leaves nothing."""
    found = ask(CASE, quick(CASE), Kind.FRONTIER)
    assert found.frontier
    assert found.kinds == (Kind.FRONTIER,)
    assert (found.concentration, found.sensitivities, found.information, found.waiting) == ((), (), (), None)


def test_interrupted_it_keeps_what_is_answered() -> None:
    """Ctrl-C after a few questions: their answers are there, the others are named."""
    told: list[str] = []

    def impatient(step: Step) -> None:
        told.append(step.stage)
        if len(told) == 5:
            _thread.interrupt_main()

    found = ask(CASE, quick(CASE), tell=impatient)
    whole = ask(CASE, quick(CASE))
    assert found.unanswered
    assert 0 < len(found.unanswered) < len(told) + 40
    assert found.frontier in ((), whole.frontier)
    assert set(found.sensitivities) <= set(whole.sensitivities)
    assert replace(found, unanswered=()).plan_usd == whole.plan_usd


def test_time_to_go_is_said_once_something_is_known_of_it() -> None:
    """From the third question on every step says how long the rest takes."""
    told: list[str] = []
    ask(CASE, quick(CASE), Kind.SENSITIVITY, tell=lambda step: told.append(step.stage))
    assert all(stage.startswith("what if: ") for stage in told)
    assert "to go" not in told[0]
    assert told[-1].endswith(" to go")
