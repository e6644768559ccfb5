"""Plans on futures they were not made on: by brute force and by hand, in intervals that hold what they promise."""

from dataclasses import replace

import numpy as np
import pytest

from acreage.domain.evaluation import Way
from acreage.domain.future import Outage
from acreage.domain.plan import Decision, Plan
from acreage.domain.portfolio import Risk
from acreage.domain.workload import TrainingRun
from acreage.plan.decide import decision_of, first_stage_of
from acreage.plan.engines.decomposition import satisfies
from acreage.plan.engines.whole import WholeEngine
from acreage.plan.evaluate import evaluate
from acreage.plan.formulate.formulate import formulate
from acreage.plan.formulate.layout import ColumnKind
from acreage.plan.out_of_sample import playing
from acreage.plan.out_of_sample.cheapest import cheapest_first, held, needed
from acreage.plan.out_of_sample.foresight import FORESIGHT_GAP_FRAC, best_known, foresee
from acreage.plan.out_of_sample.judge import Unseen, broken_rules, judge
from acreage.plan.out_of_sample.mean_future import mean_future
from acreage.plan.out_of_sample.playing import Fates, Stage
from acreage.plan.out_of_sample.replications import Replicated, objective_at_quantile, replicate, sample_gap
from acreage.plan.out_of_sample.spreadsheets import incumbent_of, rivals
from acreage.plan.planner import Step, Wishes, make_plan
from acreage.plan.play import play
from acreage.plan.problem import USD_PER_UNIT, Aim
from acreage.units.instants import Duration, add_days
from tests.plan.brute_force import NOTHING, BruteForce, brute_force
from tests.plan.tiny import Tiny, tiny
from tests.plan.tiny_draft import CHAT, EDGES, RUN

SEEDS = range(0, 62, 3)


def quiet(step: Step) -> None:
    """Nobody watches."""


def stage_of(case: Tiny) -> Stage:
    return Stage(portfolio=case.portfolio, base=case.futures[0], demand=case.demand)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_decision_leads_back_to_its_first_stage(seed: int) -> None:
    """Words and columns say the same: gangs open where they may, and every row of a best plan still holds."""
    force = brute_force(tiny(seed))
    for tried in list(force.every())[:40]:
        first = first_stage_of(force.formulation, tried.decision)
        assert decision_of(force.formulation, first) == decision_of(force.formulation, tried.first)
        same = [i for i, c in enumerate(force.formulation.choices.builder.columns) if c.kind is not ColumnKind.MATCH]
        assert np.array_equal(first[same], tried.first[same])
        assert satisfies(force.formulation.problem.first, first)


def test_a_decision_that_is_not_on_offer_has_no_first_stage() -> None:
    """What no column stands for is refused, not left out."""
    case = tiny(1)
    formulation = formulate(case.portfolio, case.futures, case.demand)
    first = WholeEngine().solve(formulation.problem, Aim(gap_frac=1e-6)).first
    decision = decision_of(formulation, first)
    bare = replace(case.portfolio, offers=())
    if decision.signings:
        with pytest.raises(KeyError):
            first_stage_of(formulate(bare, case.futures, case.demand), decision)


@pytest.mark.parametrize("seed", SEEDS)
def test_fates_are_what_an_evaluation_of_all_futures_at_once_says(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs and shortfalls do not depend on the batch that a future is played in."""
    case = tiny(seed)
    force = brute_force(case)
    tried = next(iter(force.every()), None)
    if tried is None:
        return
    monkeypatch.setattr(playing, "BATCH_MAX", 1)
    fates = stage_of(case).fates([tried.decision], case.futures[1:], quiet, "")[0]
    outcome = evaluate(play(force.formulation, tried.first), -np.inf)
    costs = outcome.frames["cost"]["usd"].to_numpy().reshape(len(case.futures), -1).sum(axis=1)[1:]
    assert fates.cost_usd == pytest.approx(costs, rel=1e-9, abs=0.01)
    probability = np.array([f.probability for f in case.futures[1:]])
    wanted = float(probability @ fates.wanted_hours)
    assert outcome.figures.unmet_frac == pytest.approx(float(probability @ fates.unmet_hours) / wanted, abs=1e-9)


@pytest.mark.parametrize("seed", range(3, 42, 3))
def test_foresight_is_the_best_of_all_decisions_in_each_future(seed: int) -> None:
    """In no future does an allowed decision cost less than its proven bound, nor much less than what is found."""
    case = tiny(seed)
    every = list(brute_force(case).every())
    if not every:
        return
    stage = stage_of(case)
    seen = foresee(stage, case.futures[1:], quiet)
    fates = stage.fates([t.decision for t in every], case.futures[1:], quiet, "")
    for s in range(len(case.futures) - 1):
        best = min(one.cost_usd[s] for one, t in zip(fates, every, strict=True) if not broken_rules(stage, t.decision))
        size = abs(best) + 1.0
        assert seen.least_usd[s] <= best + 1e-6 * size
        assert seen.fates.cost_usd[s] <= best + FORESIGHT_GAP_FRAC * size + _gated(case) * size
        assert best_known(seen.fates, fates).cost_usd[s] <= seen.fates.cost_usd[s]


def _gated(case: Tiny) -> float:
    """Gates are left out of the search, so that runs in gangs may leave more open than the gap."""
    return 1.0 if any(isinstance(w, TrainingRun) for w in case.portfolio.workloads) else 0.0


def test_the_mean_future_has_the_means() -> None:
    """Factors, work, days late and capacity lost by hand; a recall counts from half of the probability on."""
    case = tiny(0, only=True)
    one = replace(
        case.futures[1],
        probability=0.75,
        demand_factor={CHAT: np.full(len(case.portfolio.periods), 2.0)},
        work_factor={RUN: 1.2},
        delay_days={("deal", 0): 40},
        recalled_at={"deal": EDGES[1]},
    )
    provider = case.portfolio.offers[0].provider
    span = (case.portfolio.periods[0].from_at, case.portfolio.periods[-1].until_at)
    lost = Outage(provider=provider, from_at=span[0], until_at=span[1], lost_frac=0.4)
    two = replace(case.futures[0], name="two", probability=0.25, outages=(lost,), recalled_at={"more": EDGES[1]})
    mean = mean_future((case.futures[0], one, two), case.portfolio)
    assert mean.probability == 1.0
    assert mean.demand_factor[CHAT] == pytest.approx(1.75)
    assert mean.work_factor[RUN] == pytest.approx(1.15)
    assert mean.delay_days == {("deal", 0): 30}
    assert mean.recalled_at == {"deal": EDGES[1]}
    assert [(o.provider, o.lost_frac) for o in mean.outages] == [(provider, pytest.approx(0.1))]


def test_the_cheapest_offer_is_taken_first_until_demand_is_covered() -> None:
    """Two blocks are missing: both come of the cheaper offer; with more missing the dearer one fills up."""
    case = tiny(3, only=True)
    whole = {"start_from_at": EDGES[0], "start_until_at": EDGES[0], "term": Duration(months=8)}
    portfolio = replace(case.portfolio, offers=tuple(replace(o, **whole) for o in case.portfolio.offers))
    formulation = formulate(portfolio, case.futures, case.demand)
    cheap, dear = sorted(portfolio.offers, key=lambda o: o.terms.price.amount_micro_usd)
    for blocks in (0, 2, cheap.blocks_max + 1):
        # An H100 is worth 400 effective TFLOP/s.
        wanted = held(formulation).max() + blocks * 512 * 400.0
        rate = float(wanted / needed(formulation, 0).max())
        grown = {key: series * rate for key, series in case.demand.items()}
        signed = {s.offer: s.blocks for s in cheapest_first(formulate(portfolio, case.futures, grown), 0).signings}
        of_cheap = min(blocks, cheap.blocks_max)
        expected = {cheap.id: of_cheap, dear.id: blocks - of_cheap}
        assert signed == {offer: count for offer, count in expected.items() if count}


def test_no_clause_is_broken_by_buying_the_cheapest_first() -> None:
    """Offers that exclude each other are not both taken, however much is missing."""
    case = tiny(5, "excludes", only=True)
    grown = {key: series * 50.0 for key, series in case.demand.items()}
    decision = cheapest_first(formulate(case.portfolio, case.futures, grown), 0)
    assert len({s.offer for s in decision.signings}) == 1


def test_the_incumbent_is_whoever_most_is_held_of() -> None:
    """Of the holder of the only lease; where nothing is held, of whoever offers most."""
    portfolio = tiny(0, only=True).portfolio
    assert incumbent_of(portfolio) == "old"
    sizes = {o.provider: o.blocks_max * o.accelerators_per_block for o in portfolio.offers}
    assert sizes[incumbent_of(replace(portfolio, leases=()))] == max(sizes.values())


def test_rivals_sign_what_their_names_say() -> None:
    """The incumbent's plan signs with nobody else, and the plan of one future is the best for it by brute force."""
    case = tiny(7, only=True)
    found = {r.way: r.decision for r in rivals(case.portfolio, case.futures, case.demand, NOTHING, quiet)}
    assert found[Way.NO_NEW_LEASE] == NOTHING
    offers = {o.id: o.provider for o in case.portfolio.offers}
    assert {offers[s.offer] for s in found[Way.INCUMBENT].signings} <= {incumbent_of(case.portfolio)}
    alone = Tiny(
        portfolio=case.portfolio,
        futures=(replace(case.futures[0], probability=1.0),),
        demand=case.demand,
        rules=case.rules,
    )
    best = brute_force(alone).best()
    assert best is not None
    force: BruteForce = brute_force(alone)
    costs = {t.decision: t.objective for t in force.every()}
    assert costs[found[Way.NO_SURPRISE]] <= best.objective * (1 + 2e-3)


def test_a_decision_that_breaks_a_rule_is_named_with_it() -> None:
    """A plan that keeps a share cap breaks nothing; signing nothing may break it, and is said to."""
    for seed in range(40):
        case = tiny(seed, "share_cap", only=True)
        broken = broken_rules(stage_of(case), NOTHING)
        allowed = {t.decision for t in brute_force(case).every()}
        assert (not broken) == (NOTHING in allowed)
        if broken:
            assert all(text.startswith("share_cap: ") for text in broken)
            return
    raise AssertionError("no seed breaks its cap")


def test_the_sample_gap_by_hand() -> None:
    """Mean 2, standard deviation 1 of three gaps: the limit is 2 + 2.92 / sqrt(3); never below zero."""
    gap = sample_gap([Replicated(plan_usd=100.0 + g, least_usd=100.0) for g in (1.0, 2.0, 3.0)])
    assert (gap.replications, gap.found_usd) == (3, 2.0)
    assert gap.high_usd == pytest.approx(2.0 + 2.91999 / np.sqrt(3), rel=1e-5)
    assert gap.found_frac == pytest.approx(2.0 / 102.0)
    assert sample_gap([Replicated(plan_usd=9.0, least_usd=10.0)] * 2).high_usd == 0.0


def test_cvar_at_another_quantile_is_never_less() -> None:
    """That is what keeps the plan's side of a replication from flattering it."""
    rng = np.random.default_rng(3)
    costs, probability, risk = rng.exponential(size=50), np.full(50, 0.02), Risk(weight_frac=0.5, tail_frac=0.9)
    own = min(objective_at_quantile(costs, probability, risk, q) for q in costs)
    assert own == pytest.approx(0.5 * costs.mean() + 0.5 * np.sort(costs)[-5:].mean())
    assert objective_at_quantile(costs, probability, risk, 0.3) > own


def test_a_replication_s_gap_is_the_plan_s_distance_from_the_best_of_the_sample() -> None:
    """By brute force: the best of the sample lies at or above the bound, and the plan's cost is exact."""
    for seed in range(0, 20, 4):
        case = tiny(seed, "tail_risk", only=True)
        force = brute_force(case)
        tried = list(force.every())
        best = min(t.objective for t in tried) * USD_PER_UNIT
        for one in tried[:5]:
            (found,) = replicate(stage_of(case), one.decision, 0.0, [case.futures], quiet)
            assert found.least_usd <= best + 1e-6 * abs(best)
            assert found.least_usd >= best - 3e-3 * abs(best)
            assert found.plan_usd >= one.objective * USD_PER_UNIT - 1.0


def _planned(case: Tiny) -> Plan:
    plan = make_plan(case.portfolio, case.futures, case.demand, Wishes(explain=False), quiet)
    assert isinstance(plan, Plan)
    return plan


def test_judged_on_its_own_futures_a_plan_is_beaten_by_nobody() -> None:
    """There no lawful rival has a lower objective, foresight costs least, and the plan's own figures return."""
    case = next(c for seed in range(9, 40) if len((c := tiny(seed, "tail_risk", "on_demand", only=True)).futures) > 2)
    plan = _planned(case)
    futures = case.futures
    unseen = Unseen(seed=0, futures=futures, drawn=len(futures) - 1, foreseen=len(futures) - 1, samples=(futures,) * 2)
    found = judge(case.portfolio, plan, case.demand, unseen, quiet, lambda: 0.0)
    own, *others = found.trials
    assert own.way is Way.PLAN
    assert own.breaks == ()
    assert own.scores.objective_usd.found == pytest.approx(plan.best.figures.objective_usd, rel=1e-6)
    assert own.scores.cvar_usd.found == pytest.approx(plan.best.figures.cvar_usd, rel=1e-6)
    assert own.against_plan.objective_usd.found == own.against_plan.objective_usd.high == 0.0
    for other in others:
        assert other.breaks or other.against_plan.objective_usd.found >= -1e-3 * plan.best.figures.objective_usd
        if other.decision == own.decision:
            assert other.against_plan.cvar_usd.low == other.against_plan.cvar_usd.high == 0.0
    assert found.foresight is not None
    assert found.foresight.scores.expected_usd.found <= min(t.scores.expected_usd.found for t in found.trials) + 1.0
    assert found.sample_gap is not None
    assert found.sample_gap.high_frac < 0.01


def test_the_same_futures_give_the_same_answer() -> None:
    """Nothing in it is left to chance or to the order of threads."""
    case = tiny(12, "late_delivery", "gang", only=True)
    plan = _planned(case)
    late = replace(case.futures[1], name="later", recalled_at={"deal": add_days(EDGES[1], 3)}, probability=0.0)
    futures = (*case.futures, late)
    unseen = Unseen(seed=0, futures=futures, drawn=len(futures) - 2, foreseen=2, samples=())
    once, again = (judge(case.portfolio, plan, case.demand, unseen, quiet, lambda: 0.0) for _ in range(2))
    assert once == again


def test_fates_join_in_order() -> None:
    """Batches follow one another; parts are taken by number."""
    whole = Fates(**{name: np.arange(4.0) for name in Fates.__dataclass_fields__})
    parts = playing.joined([whole.of([0, 1]), whole.of([2, 3])])
    assert np.array_equal(parts.late_hours, whole.late_hours)
    assert isinstance(NOTHING, Decision)
