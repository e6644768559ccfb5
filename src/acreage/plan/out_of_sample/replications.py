"""How far the plan may be from the best for all futures there could be: multiple replications.

Mak, Morton and Wood (1999), Monte Carlo bounding techniques for determining solution quality in stochastic programs,
Operations Research Letters 24. Samples as the plan's own are drawn anew. On average the best cost over a
sample is at most the best over all futures (the sample's plan is fitted to it), and the plan's cost over a sample
is unbiased; their difference over the same sample is a gap that overstates the true one on average. Here the
proven bound takes the place of the best cost, and CVaR is taken at the plan's own tail quantile, not at
the sample's, which keeps the plan's side unbiased. The interval is one-sided, Student's t over the samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acreage.crew.crew import Crew
from acreage.crew.local import HERE
from acreage.domain.evaluation import SampleGap
from acreage.domain.future import Future
from acreage.domain.plan import Decision
from acreage.domain.portfolio import Risk
from acreage.plan.engines.decomposition import DecompositionEngine
from acreage.plan.out_of_sample.estimates import excess_values, quantile_of_t, standard_error
from acreage.plan.out_of_sample.playing import Stage
from acreage.plan.planner import Step, Tell
from acreage.plan.problem import USD_PER_UNIT, Aim, Vector
from acreage.plan.session import Session

REPLICATION_GAP_FRAC = 2e-3
"""Each sample is solved to this gap, which is part of what is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicated:
    """One sample: what the plan costs over it and what every plan costs at least, USD of the objective."""

    plan_usd: float
    least_usd: float


def replicate(
    stage: Stage,
    decision: Decision,
    quantile_usd: float,
    samples: Sequence[tuple[Future, ...]],
    tell: Tell,
    crew: Crew = HERE,
) -> tuple[Replicated, ...]:
    """Play a decision over each sample (the base future first) and solve the sample anew.

    `quantile_usd` is the tail quantile of the decision's cost in the futures it was made on.
    """
    found = crew.map(
        _replicated,
        crew.keep((stage, decision, quantile_usd)),
        samples,
        tell=lambda done, total: tell(Step(stage="planning over another sample", done=done, total=total)),
    )
    return tuple(found)


def _replicated(kept: tuple[Stage, Decision, float], futures: tuple[Future, ...]) -> Replicated:
    """One sample, played and planned over."""
    stage, decision, quantile_usd = kept
    fates = stage.fates([decision], futures[1:], lambda step: None, "")[0]
    probability = np.array([future.probability for future in futures[1:]])
    cost_usd = objective_at_quantile(fates.cost_usd, probability, stage.portfolio.policy.risk, quantile_usd)
    session = Session(
        portfolio=stage.portfolio,
        futures=futures,
        demand=stage.demand,
        engine=DecompositionEngine(),
        gap_frac=REPLICATION_GAP_FRAC,
    )
    bound = session.solve(aim=Aim(gap_frac=REPLICATION_GAP_FRAC)).solution.bound
    return Replicated(plan_usd=cost_usd, least_usd=bound * USD_PER_UNIT)


def objective_at_quantile(costs: Vector, probability: Vector, risk: Risk, quantile: float) -> float:
    """The objective with CVaR taken at a given quantile: no less than with the sample's own."""
    tail = excess_values(costs, quantile, risk.tail_frac)
    return float(probability @ ((1.0 - risk.weight_frac) * costs + risk.weight_frac * tail))


def sample_gap(replicated: Sequence[Replicated]) -> SampleGap:
    """The mean gap and its one-sided 95 % limit; two samples at least."""
    gaps = np.array([one.plan_usd - one.least_usd for one in replicated])
    cost_usd = abs(float(np.mean([one.plan_usd for one in replicated])))
    mean = float(gaps.mean())
    high = mean + quantile_of_t(len(gaps) - 1, one_sided=True) * standard_error(gaps)
    return SampleGap(
        replications=len(gaps),
        found_usd=max(0.0, mean),
        high_usd=max(0.0, high),
        found_frac=max(0.0, mean) / cost_usd if cost_usd else 0.0,
        high_frac=max(0.0, high) / cost_usd if cost_usd else 0.0,
    )
