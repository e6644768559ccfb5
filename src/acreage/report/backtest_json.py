"""A backtest as a document: figures as plain numbers, dates in ISO-8601, keys in a fixed order."""

import math
from typing import Any

from acreage.domain.backtest import Backtest, BacktestMeans, BacktestPath, BacktestStep
from acreage.domain.evaluation import Estimate
from acreage.domain.plan import Range, Signing
from acreage.units.instants import iso


def backtest_document(found: Backtest) -> dict[str, Any]:
    """Everything but what it took; an interval without ends (null) is of a single path."""
    return {
        "portfolio": found.portfolio_name,
        "as_of_at": iso(found.as_of_at),
        "paths_from": found.source,
        "dates": [iso(at) for at in found.dates],
        "futures": found.futures,
        "paths_asked": found.asked,
        "paths_finished": found.finished,
        "is_finished": found.finished == found.asked,
        "means": None if found.means is None else _means(found.means),
        "paths": [_path(path) for path in found.paths],
        "notes": list(found.notes),
        "seconds": round(found.seconds, 3),
    }


def _means(means: BacktestMeans) -> dict[str, Any]:
    return {
        "rolling_usd": _estimate(means.rolling_usd),
        "regret_usd": _estimate(means.regret_usd),
        "planned_once_costs_more_usd": _estimate(means.replanning_usd),
        "others_cost_more_usd": {str(way): _estimate(found) for way, found in means.others_usd.items()},
        "monthly_regret_usd": [_estimate(found) for found in means.monthly_usd],
    }


def _path(path: BacktestPath) -> dict[str, Any]:
    return {
        "name": path.name,
        "is_finished": path.rolling_usd is not None,
        "rolling_usd": path.rolling_usd,
        "planned_once_usd": path.once_usd,
        "others_usd": {str(way): cost for way, cost in path.others_usd.items()},
        "foresight_usd": _range(path.foresight_usd),
        "regret_usd": _range(path.regret_usd),
        "steps": [_step(step) for step in path.steps],
        "findings": [{"rule": f.rule, "subject": f.subject, "message": f.message} for f in path.findings],
    }


def _step(step: BacktestStep) -> dict[str, Any]:
    return {
        "at": iso(step.at),
        "until_at": iso(step.until_at),
        "signed": [_signing(signing) for signing in step.signed],
        "left_open": [_signing(signing) for signing in step.left_open],
        "released": [{"lease": r.lease, "ends_at": iso(r.ends_at)} for r in step.released],
        "ported": [{"workload": p.workload, "accelerator": p.accelerator} for p in step.ported],
        "paid_usd": step.paid_usd,
        "best_before_usd": _range(step.best_before_usd),
        "regret_usd": _range(step.regret_usd),
        "rules_set_aside": step.set_aside,
    }


def _signing(signing: Signing) -> dict[str, Any]:
    return {
        "offer": signing.offer,
        "blocks": signing.blocks,
        "accelerators": signing.accelerators,
        "starts_at": iso(signing.starts_at),
        "ends_at": iso(signing.ends_at),
    }


def _range(found: Range | None) -> dict[str, float] | None:
    return None if found is None else {"low": found.low, "found": found.found, "high": found.high}


def _estimate(found: Estimate) -> dict[str, float | None]:
    return {"low": _end(found.low), "found": float(found.found), "high": _end(found.high)}


def _end(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
