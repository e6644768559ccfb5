"""A plan out of sample in words, for every rendering alike: names of the ways to plan, and what may be concluded."""

from acreage.domain.evaluation import Estimate, Evaluation, Scores, Trial, Way
from acreage.report.words import money, percent, signed_money

NAMES = {
    Way.PLAN: "this plan",
    Way.MEAN_FUTURE: "mean future",
    Way.NO_SURPRISE: "no surprise",
    Way.CHEAPEST_FIRST: "cheapest first",
    Way.INCUMBENT: "incumbent only",
    Way.NO_NEW_LEASE: "no new lease",
}
FORESIGHT = "foresight"
TAIL_MIN = 5
"""Fewer futures than this in the tail say too little of their mean: no interval is shown for it."""


def money_within(estimate: Estimate) -> str:
    """An amount and the half width of its interval."""
    return f"{money(estimate.found)} ±{money(estimate.high - estimate.found)}"


def difference_within(estimate: Estimate) -> str:
    """A difference of amounts and the half width of its interval."""
    return f"{signed_money(estimate.found)} ±{money(estimate.high - estimate.found)}"


def tail_within(scores: Scores, estimate: Estimate, sign: bool = False) -> str:
    """A CVaR or objective, or a difference of them; its interval only where enough futures lie in the tail."""
    if scores.tail_futures < TAIL_MIN:
        return f"{(signed_money if sign else money)(estimate.found)} ±?"
    return difference_within(estimate) if sign else money_within(estimate)


def share_within(estimate: Estimate, sign: str = "") -> str:
    """A share, or a difference of shares (sign "+"), and the half width of its interval."""
    return f"{estimate.found:{sign}.1%} ±{estimate.high - estimate.found:.1%}"


def between(estimate: Estimate) -> str:
    """The ends of an interval of a difference."""
    return f"{signed_money(estimate.low)} to {signed_money(estimate.high)}"


def conclusions(evaluation: Evaluation) -> list[str]:
    """What the fresh futures say about the plan, one sentence a rival, with what each breaks; gain or none."""
    plan, *rivals = evaluation.trials
    lines = [_conclusion(plan, rival) for rival in rivals]
    lines += [
        f"{NAMES[trial.way]} breaks {len(trial.breaks)} of the portfolio's rules: {'; '.join(trial.breaks)}"
        for trial in evaluation.trials
        if trial.breaks
    ]
    if any(scores.tail_futures < TAIL_MIN for scores in _differences(evaluation)):
        lines.append(
            f"±? and (thin tail): fewer than {TAIL_MIN} of the futures drawn lie in the tail, beside stresses; the "
            "intervals of CVaR and objective are too narrow there, more futures would tell."
        )
    if evaluation.foresight is not None:
        seen = evaluation.foresight
        regret = plan.regret_usd
        assert regret is not None, "foresight gives every trial a regret"
        lines.append(
            f"Knowing the future would have saved {money_within(regret)} on average over {seen.futures} futures and "
            f"the stresses (understated by at most {percent(seen.gap_frac)} of the cost)."
        )
    if evaluation.sample_gap is not None:
        gap = evaluation.sample_gap
        lines.append(
            f"The plan is within {gap.high_frac:.2%} ({money(gap.high_usd)}) of the best plan for all futures there "
            f"could be, with 95 % confidence; {gap.found_frac:.2%} is the mean of {gap.replications} samples."
        )
    return lines


def _differences(evaluation: Evaluation) -> list[Scores]:
    found = [trial.against_plan for trial in evaluation.trials]
    return found if evaluation.foresight is None else [*found, evaluation.foresight.against_plan]


def _conclusion(plan: Trial, rival: Trial) -> str:
    """Whether the plan's objective is better than a rival's, as far as the futures can tell."""
    name, extra = NAMES[rival.way], rival.against_plan.objective_usd
    name += " (thin tail)" if rival.against_plan.tail_futures < TAIL_MIN else ""
    if rival.decision == plan.decision:
        return f"No gain over {name}: it decides the same."
    rest = (
        f"in expected cost {signed_money(rival.against_plan.expected_usd.found)}, "
        f"in CVaR {signed_money(rival.against_plan.cvar_usd.found)}"
    )
    if extra.low > 0.0:
        return f"Gain over {name}: its objective is {money(extra.found)} higher (95 %: {between(extra)}); {rest}."
    if extra.high < 0.0:
        return f"No gain over {name}: it is BETTER by {money(-extra.found)} (95 %: {between(extra)}); {rest}."
    return (
        f"No gain over {name} can be shown: its objective differs by {signed_money(extra.found)} "
        f"(95 %: {between(extra)}); {rest}."
    )
