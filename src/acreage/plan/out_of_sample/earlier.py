"""An earlier plan's decision in the futures of a later one: what it would cost there, future by future."""

import numpy as np

from acreage.domain.against import Judged
from acreage.domain.plan import Figures, Plan
from acreage.domain.portfolio import Portfolio
from acreage.plan.out_of_sample.estimates import excess_values, tail_quantile
from acreage.plan.out_of_sample.own_sample import costs_of, weighted_estimate
from acreage.plan.out_of_sample.playing import Fates, Stage
from acreage.plan.planner import Tell
from acreage.plan.problem import Vector, conditional_value_at_risk
from acreage.plan.service import share


def judged_in(stage: Stage, earlier: Plan, plan: Plan, tell: Tell) -> Judged:
    """The earlier decision in the plan's futures; raises `KeyError` for one that the portfolio does not offer."""
    probability = np.array([future.probability for future in plan.futures])
    costs = costs_of(plan, plan.best)
    other, figures = costs, plan.best.figures
    if earlier.best.decision != plan.best.decision:
        (fates,) = stage.fates([earlier.best.decision], plan.futures, tell, "playing the earlier plan in these futures")
        other = fates.cost_usd
        figures = _figures(plan, stage.portfolio, fates, probability)
    drawn = (probability > 0.0) & ~np.isin([f.name for f in plan.futures], [s.name for s in stage.portfolio.stresses])
    risk = stage.portfolio.policy.risk

    def tail(values: Vector) -> Vector:
        return excess_values(values, tail_quantile(values, probability, risk.tail_frac), risk.tail_frac)

    cvar = tail(other) - tail(costs)
    objective = (1.0 - risk.weight_frac) * (other - costs) + risk.weight_frac * cvar
    return Judged(
        figures=figures,
        more_objective_usd=weighted_estimate(objective, probability, drawn),
        more_expected_usd=weighted_estimate(other - costs, probability, drawn),
        more_cvar_usd=weighted_estimate(cvar, probability, drawn),
    )


def _figures(plan: Plan, portfolio: Portfolio, fates: Fates, probability: Vector) -> Figures:
    risk = portfolio.policy.risk
    expected = float(probability @ fates.cost_usd)
    cvar = conditional_value_at_risk(fates.cost_usd, probability, risk.tail_frac)
    objective = (1.0 - risk.weight_frac) * expected + risk.weight_frac * cvar
    bound = min(plan.best.figures.bound_usd, objective)
    return Figures(
        objective_usd=objective,
        bound_usd=bound,
        gap_frac=(objective - bound) / abs(objective) if objective else 0.0,
        base_usd=float(fates.cost_usd[0]),
        expected_usd=expected,
        cvar_usd=cvar,
        unmet_frac=share(float(probability @ fates.unmet_hours), float(probability @ fates.wanted_hours)),
        late_frac=share(float(probability @ fates.late_hours), float(probability @ fates.work_hours)),
    )
