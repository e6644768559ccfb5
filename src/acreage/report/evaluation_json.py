"""A plan out of sample as a part of plan.json."""

from typing import Any

from acreage.domain.evaluation import Estimate, Evaluation, Scores, Trial


def evaluation_document(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as plain values; see plan.schema.json for every field."""
    seen, gap = evaluation.foresight, evaluation.sample_gap
    return {
        "seed": evaluation.seed,
        "futures": evaluation.futures,
        "stresses": evaluation.stresses,
        "trials": [_trial(trial) for trial in evaluation.trials],
        "foresight": None
        if seen is None
        else {
            "futures": seen.futures,
            "scores": _scores(seen.scores),
            "against_plan": _scores(seen.against_plan),
            "gap_frac": seen.gap_frac,
        },
        "sample_gap": None
        if gap is None
        else {
            "replications": gap.replications,
            "found_usd": gap.found_usd,
            "high_usd": gap.high_usd,
            "found_frac": gap.found_frac,
            "high_frac": gap.high_frac,
        },
        "seconds": round(evaluation.seconds, 3),
    }


def _trial(trial: Trial) -> dict[str, Any]:
    signed: dict[str, int] = {}
    for signing in trial.decision.signings:
        signed[signing.offer] = signed.get(signing.offer, 0) + signing.accelerators
    return {
        "way": str(trial.way),
        "note": trial.note,
        "accelerators_signed": [{"offer": offer, "accelerators": size} for offer, size in signed.items()],
        "breaks": list(trial.breaks),
        "scores": _scores(trial.scores),
        "against_plan": _scores(trial.against_plan),
        "regret_usd": None if trial.regret_usd is None else _estimate(trial.regret_usd),
    }


def _scores(scores: Scores) -> dict[str, Any]:
    return {
        "objective_usd": _estimate(scores.objective_usd),
        "expected_usd": _estimate(scores.expected_usd),
        "cvar_usd": _estimate(scores.cvar_usd),
        "unmet_frac": _estimate(scores.unmet_frac),
        "late_frac": _estimate(scores.late_frac),
        "tail_futures": scores.tail_futures,
    }


def _estimate(estimate: Estimate) -> dict[str, float]:
    return {"low": float(estimate.low), "found": float(estimate.found), "high": float(estimate.high)}
