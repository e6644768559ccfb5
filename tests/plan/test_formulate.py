"""What is laid out for all futures at once is what each of them has by itself, by the rules of pricing and capacity."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from acreage.demand.futures import sample_futures
from acreage.domain.portfolio import Portfolio
from acreage.flow.planning import base_demands, portfolio_at
from acreage.plan.engines.responses import Responder
from acreage.plan.formulate.capacity import brought, handed_over, held_over, means_in, peaks_in, usable, usable_in
from acreage.plan.formulate.formulate import Formulation, formulate
from acreage.plan.formulate.layout import ColumnKind, UseKind
from acreage.plan.formulate.money import handovers_in, losses_in
from acreage.plan.formulate.recourse import market_limit, market_limits
from acreage.plan.problem import Vector
from acreage.pricing.invoice import fees_micro_usd, statement
from acreage.pricing.present_value import statement_value
from acreage.units.money import usd
from tests.plan.tiny import RULES, tiny

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name: str, futures: int) -> tuple[Portfolio, Formulation]:
    """An example's formulation over a few futures, which agree on the work of runs: its most bounds them in all."""
    portfolio = portfolio_at(EXAMPLES / name / "portfolio.yaml").portfolio
    portfolio = replace(portfolio, uncertainty=replace(portfolio.uncertainty, futures=futures))
    drawn = tuple(replace(future, work_factor={}) for future in sample_futures(portfolio))
    return portfolio, formulate(portfolio, drawn, base_demands(portfolio))


def tiny_formulation(seed: int) -> Formulation:
    """The formulation of a tiny portfolio."""
    case = tiny(seed)
    return formulate(case.portfolio, case.futures, case.demand)


def every_formulation() -> list[Formulation]:
    """Tiny portfolios of all rules, and a large one in which deliveries are late and sites fail."""
    return [*(tiny_formulation(seed) for seed in range(len(RULES))), example("frontier-lab", 6)[1]]


def test_capacity_for_all_futures_is_that_of_each() -> None:
    """Means, peaks and spans of the ways that a source turns out are those of every future that goes that way."""
    for formulation in every_formulation():
        scene = formulation.scene
        for number, source in formulation.choices.sources.items():
            fates = scene.fates_of(number)
            begins, until = held_over(source, fates)
            mean, top = means_in(scene.clock, source, fates), peaks_in(scene.clock, source, fates, source.parts)
            for s, future in enumerate(scene.futures):
                way = fates.of_future[s]
                spans = [handed_over(source, part, future) for part in source.parts]
                assert [(begin, until[way]) for begin in begins[way]] == spans
                alone = brought(scene.clock, source, future)
                assert mean[way] == pytest.approx(alone[0], rel=1e-12, abs=1e-9)
                assert top[way] == pytest.approx(alone[1], rel=1e-12, abs=1e-9)
                part = source.parts[-1]
                there = usable_in(scene.clock, source, fates, part)[way]
                assert there == pytest.approx(usable(scene.clock, source, part, future), rel=1e-12, abs=1e-9)


def test_limits_by_the_hour_for_all_futures_are_those_of_each() -> None:
    """A pool's limit falls with its own factor and with its provider's outages."""
    for formulation in every_formulation():
        scene = formulation.scene
        for pool in scene.portfolio.pools.values():
            if pool.on_demand is not None:
                limits = market_limits(scene, pool, pool.on_demand)
                for s, future in enumerate(scene.futures):
                    alone = market_limit(scene, pool, pool.on_demand, future)
                    assert limits[s] == pytest.approx(alone, rel=1e-12, abs=1e-9)


def test_the_till_prices_as_invoices_do() -> None:
    """A source's worth, that of each part and what counts towards pledges are those of its invoices, unrounded."""
    for formulation in every_formulation():
        scene, policy = formulation.scene, formulation.portfolio.policy
        horizon_at = formulation.portfolio.periods[-1].until_at

        for number, source in formulation.choices.sources.items():
            agreement, fates = formulation.agreements[number], scene.fates_of(number)
            worth = formulation.till.worth(agreement, source, fates)
            scale = 1.0 + np.abs(worth.net_usd).sum() + abs(worth.given_usd)
            for s, future in enumerate(scene.futures):
                way = int(fates.of_future[s])
                for given_up in (None, *source.parts):
                    kept = {given_up.index: 0.0} if given_up is not None else {}
                    done = statement(agreement, handovers_in(source, future, kept=kept), losses_in(source, future))
                    value = statement_value(
                        done,
                        formulation.portfolio.as_of_at,
                        policy.discount_frac_per_year,
                        horizon_at,
                        policy.resale_frac,
                    )
                    left = [part.index for part in source.parts if part is not given_up]
                    cost = worth.given_usd + worth.net_usd[way, left].sum()
                    assert cost == pytest.approx(value.cost_usd - value.salvage_usd, abs=1e-8 * scale)
                    for pledge in formulation.pledges:
                        if pledge.spend.provider == source.provider and "lease" in pledge.spend.eligible:
                            drawn = worth.drawn_usd[way, left][:, formulation.till.milestones(pledge)].sum(axis=0)
                            from_at = max(formulation.portfolio.as_of_at, pledge.spend.starts_at)
                            stated = [usd(fees_micro_usd(done, from_at, due_at)) for due_at in pledge.due_at]
                            assert drawn == pytest.approx(stated, abs=1e-8 * scale)


@pytest.mark.parametrize("name", ["startup", "enterprise", "frontier-lab"])
def test_a_future_is_laid_out_the_same_beside_any_others(name: str) -> None:
    """The second stage of a future among six is the one that it has beside the base future alone."""
    portfolio, many = example(name, 6)
    for s in (1, 4, 6):
        few = formulate(portfolio, (many.futures[0], many.futures[s]), base_demands(portfolio))
        for both, alone in ((0, 0), (s, 1)):
            one, other = second_stage(many, both), second_stage(few, alone)
            assert one.keys() == other.keys()
            for part, values in one.items():
                same = (values != other[part]).nnz == 0 if sparse.issparse(values) else values == other[part]
                assert np.all(same), part
        assert np.array_equal(many.problem.first.cost[s], few.problem.first.cost[1])


def second_stage(formulation: Formulation, future: int) -> dict[str, Vector | sparse.csr_matrix]:
    """All figures of a future's second stage; those of columns that are held at zero left out."""
    recourse = formulation.problem.recourse
    allowed = np.ones(recourse.matrix.shape[1], dtype=bool)
    for use in formulation.uses:
        if use.kind is UseKind.GIVE_UP and not recourse.upper_coupling[future][use.start].sum():
            allowed[use.start] = False
    return {
        "matrix": recourse.matrix[future][:, allowed],
        "cost": recourse.cost[future][allowed],
        "row_lower": recourse.row_lower[future],
        "row_upper": recourse.row_upper[future],
        "upper": recourse.upper_in(future),
        "coupling": recourse.coupling[future],
        "upper_coupling": recourse.upper_coupling[future],
        "gate_brought": recourse.gate_brought[future],
        "gate_taken": recourse.gate_taken[future][:, allowed],
        "constant": recourse.constant[future : future + 1],
    }


def test_what_serves_a_demand_is_bounded_by_it_in_every_future() -> None:
    """A column that serves a demand needs no more than all of it: a looser bound changes no answer."""
    for seed in range(0, len(RULES), 3):
        formulation = tiny_formulation(seed)
        problem = formulation.problem
        first = problem.first.lower
        futures = range(problem.recourse.futures)
        loose = replace(problem.recourse, upper_of_rows=3.0 * problem.recourse.upper_of_rows)
        one, other = (Responder(recourse).respond(first, futures) for recourse in (problem.recourse, loose))
        assert [r.cost for r in one] == pytest.approx([r.cost for r in other], rel=1e-7, abs=1e-7), f"seed {seed}"


def test_a_part_may_be_given_up_where_it_is_late_enough_and_nowhere_else() -> None:
    """One column a part serves all futures: open where its delay allows it, and at zero elsewhere."""
    _, formulation = example("frontier-lab", 12)
    recourse, scene = formulation.problem.recourse, formulation.scene
    uses = [use for use in formulation.uses if use.kind is UseKind.GIVE_UP]
    parts = {(use.column, int(use.rate[0])) for use in uses}
    assert len(parts) == len(uses)
    opened = 0
    for use in uses:
        source = formulation.choices.sources[use.column]
        part = source.parts[int(use.rate[0])]
        assert part.terminable_after_days is not None
        for s, future in enumerate(scene.futures):
            late = future.delay_days.get((source.key, part.index), 0) > part.terminable_after_days
            top = recourse.upper_coupling[s][use.start].toarray().ravel()
            assert top[use.column] == float(late)
            assert np.count_nonzero(top) == int(late)
            assert recourse.upper_in(s)[use.start] == 0.0
            if not late or s == scene.hard:
                assert recourse.cost[s][use.start] == 0.0
            else:
                opened += 1
                lost = (
                    recourse.matrix[s][:, [use.start]]
                    .toarray()
                    .ravel()[: len(scene.grid[0]) * len(formulation.pool_rows)]
                )
                brought_here = usable(scene.clock, source, part, future)[scene.grid[0]] / 1_000.0
                start = formulation.pool_rows[source.pool]
                assert lost[start : start + len(brought_here)] == pytest.approx(brought_here, abs=1e-12)
    assert opened


def test_delays_do_not_change_the_pattern_of_the_second_stage() -> None:
    """Without any delay the entries stand in the same places, so that what was learned of them serves."""
    portfolio, formulation = example("frontier-lab", 6)
    on_time = tuple(replace(f, delay_days={}, recalled_at={}, outages=()) for f in formulation.futures[:-1])
    assert formulation.scene.hard == len(on_time)
    other = formulate(portfolio, on_time, base_demands(portfolio), like=formulation)
    assert other.problem.recourse.matrix.has_pattern_of(formulation.problem.recourse.matrix)
    again = formulate(portfolio, formulation.futures[:-1], base_demands(portfolio), like=formulation)
    assert again.scene.fates is formulation.scene.fates
    assert np.array_equal(again.problem.first.cost, formulation.problem.first.cost)


def test_the_hard_future_costs_nothing_but_broken_promises() -> None:
    """Nothing bought, given up or left unmet costs anything there but what was promised hard."""
    _, formulation = example("frontier-lab", 4)
    hard = formulation.scene.hard
    cost = formulation.problem.recourse.cost[hard]
    must = {w.id for w in formulation.portfolio.workloads if w.must}
    assert must
    for use in formulation.uses:
        if not (use.kind in (UseKind.UNMET, UseKind.RUN) and use.subject in must):
            assert not cost[use.start : use.stop].any(), use.subject
    held = [i for i, c in enumerate(formulation.choices.builder.columns) if c.kind is ColumnKind.HELD]
    assert not formulation.problem.first.cost[hard][held].any()
