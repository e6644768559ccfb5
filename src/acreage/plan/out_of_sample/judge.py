"""A plan, the spreadsheet plans and foresight in the same fresh futures, with what each of them breaks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from acreage.crew.crew import Crew
from acreage.crew.local import HERE
from acreage.domain.evaluation import Evaluation, Foresight, SampleGap, Trial, Way
from acreage.domain.future import Future
from acreage.domain.plan import Decision, Plan
from acreage.domain.portfolio import Portfolio
from acreage.plan.audit import audit
from acreage.plan.decide import first_stage_of
from acreage.plan.evaluate import evaluate
from acreage.plan.formulate.formulate import formulate
from acreage.plan.out_of_sample.estimates import Influences, Sample, influences, scores, tail_quantile
from acreage.plan.out_of_sample.foresight import best_known, foresee
from acreage.plan.out_of_sample.playing import Fates, Stage
from acreage.plan.out_of_sample.replications import replicate, sample_gap
from acreage.plan.out_of_sample.spreadsheets import Rival, rivals
from acreage.plan.planner import Step, Tell
from acreage.plan.play import play
from acreage.plan.problem import Vector
from acreage.units.ids import WorkloadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Futures that the plan was not made on: the base, `drawn` of them drawn independently, then the stresses.

    `foreseen` is how many of those drawn are solved by themselves (0: no foresight); `samples` are for
    multiple replications, as the plan's own futures (none: no gap of the sample).
    """

    seed: int
    futures: tuple[Future, ...]
    drawn: int
    foreseen: int
    samples: tuple[tuple[Future, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Played:
    """A decision with its fates, in `Sample`'s order, and the rules it breaks."""

    rival: Rival
    fates: Fates
    breaks: tuple[str, ...]


def judge(
    portfolio: Portfolio,
    plan: Plan,
    demand: Mapping[WorkloadId, Vector],
    unseen: Unseen,
    tell: Tell,
    clock: Callable[[], float],
    crew: Crew = HERE,
) -> Evaluation:
    """Play the plan beside its rivals in futures that it was not made on; whatever the crew, with the same result."""
    began = clock()
    stage = Stage(portfolio=portfolio, base=replace(unseen.futures[0], probability=0.0), demand=demand)
    own = Rival(way=Way.PLAN, note="this plan", decision=plan.best.decision)
    others = rivals(portfolio, plan.futures, demand, plan.without_new.decision, tell)
    played = _played(stage, (own, *others), unseen, tell, crew)
    foreseen = _foreseen(stage, played, unseen, tell, crew) if unseen.foreseen else None
    return Evaluation(
        seed=unseen.seed,
        futures=unseen.drawn,
        stresses=len(unseen.futures) - 1 - unseen.drawn,
        trials=_trials(portfolio, played, foreseen, unseen),
        foresight=_foresight(portfolio, played, foreseen, unseen) if foreseen is not None else None,
        sample_gap=_sample_gap(stage, plan, unseen, tell, crew) if unseen.samples else None,
        seconds=clock() - began,
    )


def _played(stage: Stage, every: Sequence[Rival], unseen: Unseen, tell: Tell, crew: Crew) -> tuple[_Played, ...]:
    """All decisions in all futures; those that are the same are played once."""
    different = list(dict.fromkeys(rival.decision for rival in every))
    fates = stage.fates(different, unseen.futures[1:], tell, "playing plans in fresh futures", crew)
    return tuple(
        _Played(
            rival=rival,
            fates=fates[different.index(rival.decision)],
            breaks=broken_rules(stage, rival.decision),
        )
        for rival in every
    )


def broken_rules(stage: Stage, decision: Decision) -> tuple[str, ...]:
    """Every rule and promise that a decision does not keep, by the auditor; what breaks them is still played."""
    base = replace(stage.base, probability=1.0)
    formulation = formulate(stage.portfolio, (base,), stage.demand)
    outcome = evaluate(play(formulation, first_stage_of(formulation, decision)), np.inf)
    return tuple(f"{f.rule}: {f.subject}: {f.message}" for f in audit(stage.portfolio, outcome, (base,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foreseen:
    """Foresight's fates over part of the futures, by number, their sample and the mean proven gap."""

    fates: Fates
    numbers: tuple[int, ...]
    sample: Sample
    gap_frac: float


def _sample(unseen: Unseen) -> Sample:
    return Sample(probability=np.array([f.probability for f in unseen.futures[1:]]), drawn=unseen.drawn)


def _foreseen(stage: Stage, played: Sequence[_Played], unseen: Unseen, tell: Tell, crew: Crew) -> _Foreseen:
    drawn = min(unseen.foreseen, unseen.drawn)
    total = len(unseen.futures) - 1
    numbers = (*range(drawn), *range(unseen.drawn, total))
    found = foresee(stage, [unseen.futures[1 + s] for s in numbers], tell, crew)
    fates = best_known(found.fates, [one.fates.of(numbers) for one in played if not one.breaks])
    sample = _sample(unseen).part(drawn)
    cost_usd = float(sample.probability @ fates.cost_usd)
    open_usd = max(0.0, cost_usd - float(sample.probability @ found.least_usd))
    gap_frac = open_usd / abs(cost_usd) if cost_usd else 0.0
    return _Foreseen(fates=fates, numbers=numbers, sample=sample, gap_frac=gap_frac)


def _trials(
    portfolio: Portfolio, played: Sequence[_Played], foreseen: _Foreseen | None, unseen: Unseen
) -> tuple[Trial, ...]:
    sample, risk = _sample(unseen), portfolio.policy.risk
    values: list[Influences] = [influences(one.fates, sample, risk) for one in played]
    return tuple(
        Trial(
            way=one.rival.way,
            note=one.rival.note,
            decision=one.rival.decision,
            breaks=one.breaks,
            scores=scores(mine, sample),
            against_plan=scores(mine, sample, less=values[0]),
            regret_usd=None
            if foreseen is None
            else foreseen.sample.estimate(one.fates.of(foreseen.numbers).cost_usd - foreseen.fates.cost_usd),
        )
        for one, mine in zip(played, values, strict=True)
    )


def _foresight(portfolio: Portfolio, played: Sequence[_Played], foreseen: _Foreseen, unseen: Unseen) -> Foresight:
    sample, risk = foreseen.sample, portfolio.policy.risk
    mine = influences(foreseen.fates, sample, risk)
    plans = influences(played[0].fates.of(foreseen.numbers), sample, risk)
    return Foresight(
        futures=sample.drawn,
        scores=scores(mine, sample),
        against_plan=scores(mine, sample, less=plans),
        gap_frac=foreseen.gap_frac,
    )


def _sample_gap(stage: Stage, plan: Plan, unseen: Unseen, tell: Tell, crew: Crew) -> SampleGap:
    decision, risk = plan.best.decision, stage.portfolio.policy.risk
    costs = stage.fates([decision], plan.futures[1:], lambda step: None, "", crew)[0].cost_usd
    probability = np.array([future.probability for future in plan.futures[1:]])
    quantile_usd = tail_quantile(costs, probability, risk.tail_frac)
    tell(Step(stage="planning over another sample", done=0, total=len(unseen.samples)))
    return sample_gap(replicate(stage, decision, quantile_usd, unseen.samples, tell, crew))
