"""Waiting is worth something between nothing and knowing, and what cannot wait is the same in every group."""

from dataclasses import replace

import numpy as np
import pytest

from acreage.plan.bulk.groups import conditional
from acreage.plan.bulk.inquiry import over
from acreage.plan.bulk.waiting import by_first_quarter, can_wait, waiting
from acreage.plan.formulate.layout import ColumnKind
from acreage.units.instants import add_days
from tests.plan.bulk.cases import CLOSE, inquiry_of, more_futures
from tests.plan.tiny import Tiny, tiny


def case_of(seed: int, *, open_days: int | None) -> Tiny:
    """A case whose offers may start late in the horizon, and lapse after some days (None: never)."""
    case = more_futures(tiny(seed, only=True), 6, seed)
    as_of, periods = case.portfolio.as_of_at, case.portfolio.periods
    expires = None if open_days is None else add_days(as_of, open_days)
    offers = tuple(replace(o, start_until_at=periods[-1].from_at, expires_at=expires) for o in case.portfolio.offers)
    return replace(case, portfolio=replace(case.portfolio, offers=offers))


SEEDS = [seed for seed in range(12) if len(tiny(seed, only=True).portfolio.periods) == 4][:3]
"""Cases with a period that begins a quarter after the planning day."""


@pytest.mark.parametrize("seed", SEEDS)
def test_waiting_is_bracketed(seed: int) -> None:
    """Between nothing and knowing the groups today, which is solved again here group by group."""
    inquiry = inquiry_of(case_of(seed, open_days=None))
    found = waiting(inquiry, ())
    assert not found.reason
    assert 0.0 <= found.value_usd.low <= found.value_usd.found + 1.0
    assert found.value_usd.found <= found.value_usd.high + 1.0
    base, probability = inquiry.best.formulation, inquiry.best.formulation.problem.probability
    known = 0.0
    for group in by_first_quarter(inquiry, (), found.until_at):
        mass, within = conditional(probability, group.futures)
        known += mass * inquiry.session.solve(None, over(base, within)).range_usd.found
    now = inquiry.best.range_usd.found
    assert found.value_usd.high == pytest.approx(max(now - known, found.value_usd.found), abs=CLOSE * now + 1.0)
    assert sum(group.probability_frac for group in found.groups) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_the_best_choice_now_is_found_by_trying_all(seed: int) -> None:
    """No choice of what cannot wait, held fixed, is proven better than the upper end; the plan's own is no better."""
    inquiry = inquiry_of(case_of(seed, open_days=None))
    found = waiting(inquiry, ())
    base, groups = inquiry.best.formulation, by_first_quarter(inquiry, (), found.until_at)
    fixed = ~can_wait(base, found.until_at)
    stage, own = base.problem.first, np.round(inquiry.best.solution.first)
    held = replace(stage, lower=np.where(fixed, own, stage.lower), upper=np.where(fixed, own, stage.upper))
    there = replace(base, problem=replace(base.problem, first=held))
    total = 0.0
    for group in groups:
        mass, within = conditional(base.problem.probability, group.futures)
        total += mass * inquiry.session.solve(None, over(there, within)).range_usd.found
    assert inquiry.best.range_usd.found - total <= found.value_usd.found + 1.0


def test_what_lapses_cannot_wait() -> None:
    """An offer that is open for a month must be decided now: then there is nothing in waiting, and it says so."""
    inquiry = inquiry_of(case_of(SEEDS[0], open_days=30))
    found = waiting(inquiry, ())
    assert found.reason == "no offer can wait a quarter"
    assert found.can_wait == ()
    assert found.value_usd.high == 0.0


def test_only_late_starts_can_wait() -> None:
    """Blocks that start within the quarter are decided now, later ones and what follows from them are not."""
    inquiry = inquiry_of(case_of(SEEDS[0], open_days=None))
    until = waiting(inquiry, ()).until_at
    base = inquiry.best.formulation
    for column, waits in zip(base.choices.builder.columns, can_wait(base, until), strict=True):
        if column.kind is ColumnKind.BLOCKS:
            assert column.variant is not None
            assert waits == (column.variant.starts_at >= until)
        if column.kind is ColumnKind.HELD:
            assert not waits
