"""A plan as a JSON document for people and programs; its schema is published in plan.schema.json."""

import json
from dataclasses import asdict
from importlib import resources
from typing import Any

import polars as pl

from acreage.domain.bulk import Bulk
from acreage.domain.evaluation import Evaluation
from acreage.domain.plan import Figures, OfferVerdict, Outcome, Plan, Range
from acreage.domain.portfolio import Portfolio
from acreage.report import figures
from acreage.report.bulk_json import bulk_document
from acreage.report.evaluation_json import evaluation_document
from acreage.units.instants import Instant, moment

SCHEMA = "plan.schema.json"
FORMAT = 1


def plan_schema() -> str:
    """The text of the JSON Schema of plan.json."""
    return resources.files(__package__).joinpath(SCHEMA).read_text(encoding="utf-8")


def plan_document(
    plan: Plan, portfolio: Portfolio, evaluation: Evaluation | None = None, bulk: Bulk | None = None
) -> dict[str, Any]:
    """The plan as plain values, ready for `json.dumps`; see plan.schema.json for every field."""
    worst = figures.worst_loss(plan)
    document = {
        "format": FORMAT,
        "portfolio": plan.portfolio_name,
        "as_of": _iso(plan.as_of_at),
        "seed": plan.seed,
        "futures": [{"name": f.name, "probability_frac": f.probability} for f in plan.futures],
        "decision": _decision(plan),
        "figures": _figures(plan.best.figures),
        "without_new_leases": {
            "figures": _figures(plan.without_new.figures),
            "gap": _gap(plan, plan.without_new, portfolio),
        },
        "gap": _gap(plan, plan.best, portfolio),
        "offers": [_verdict(v) for v in plan.verdicts],
        "what_ifs": [
            {
                "kind": w.kind,
                "subject": w.subject,
                "description": w.description,
                "objective_usd": w.objective_usd,
                "extra_usd": _range(w.extra_usd),
            }
            for w in plan.what_ifs
        ],
        "worst_supplier_loss": None
        if worst is None
        else {"supplier": worst.subject, "extra_usd": _range(worst.extra_usd)},
        "supply": _rows(figures.supply_by_provider(plan, plan.best, portfolio).drop("hours", "until_at")),
        "shares": _rows(plan.best.frames["shares"].drop("until_at")),
        "marginal": _rows(plan.best.frames["marginal"].drop("until_at")),
        "unmet_by_workload": _rows(figures.unmet_by_workload(plan, plan.best, portfolio)),
        "cost_of_futures": _rows(figures.cost_of_futures(plan, plan.best)),
        "effort": {
            "engine": plan.effort.engine,
            "build_s": round(plan.effort.build_s, 3),
            "solve_s": round(plan.effort.solve_s, 3),
            "explain_s": round(plan.effort.explain_s, 3),
            "columns": plan.effort.columns,
            "rows": plan.effort.rows,
            "futures": plan.effort.futures,
        },
    }
    if evaluation is not None:
        document["evaluation"] = evaluation_document(evaluation)
    if bulk is not None:
        document["what_if"] = bulk_document(bulk)
    # A NaN would be no JSON: refuse to write one rather than let a reader trip over it.
    json.dumps(document, allow_nan=False)
    return document


def _iso(at: Instant) -> str:
    return f"{moment(at):%Y-%m-%dT%H:%M:%SZ}"


def _range(found: Range) -> dict[str, float]:
    return {"low": found.low, "found": found.found, "high": found.high}


def _decision(plan: Plan) -> dict[str, Any]:
    decision = plan.best.decision
    return {
        "signings": [
            {
                "offer": s.offer,
                "blocks": s.blocks,
                "accelerators": s.accelerators,
                "starts_at": _iso(s.starts_at),
                "ends_at": _iso(s.ends_at),
                "extended": s.extended,
                "ends_early": s.ends_early,
                "price_frac": s.price_frac,
            }
            for s in decision.signings
        ],
        "releases": [{"lease": r.lease, "ends_at": _iso(r.ends_at)} for r in decision.releases],
        "homes": [{"workload": h.workload, "pool": h.pool} for h in decision.homes],
        "ports": [
            {"workload": p.workload, "accelerator": p.accelerator, "cost_usd": p.cost_usd} for p in decision.ports
        ],
    }


def _figures(f: Figures) -> dict[str, float]:
    return {
        "objective_usd": float(f.objective_usd),
        "bound_usd": float(f.bound_usd),
        "gap_frac": float(f.gap_frac),
        "base_usd": float(f.base_usd),
        "expected_usd": float(f.expected_usd),
        "cvar_usd": float(f.cvar_usd),
        "unmet_frac": float(f.unmet_frac),
        "late_frac": float(f.late_frac),
    }


def _gap(plan: Plan, outcome: Outcome, portfolio: Portfolio) -> list[dict[str, Any]]:
    return _rows(figures.gap_by_period(plan, outcome, portfolio).drop("until_at", "hours"))


def _verdict(verdict: OfferVerdict) -> dict[str, Any]:
    price, worth = verdict.walk_away_usd_per_accelerator_hour, verdict.worth_usd
    return {
        "offer": verdict.offer,
        "signed": verdict.signed,
        "asked_usd_per_accelerator_hour": verdict.asked_usd_per_accelerator_hour,
        "walk_away_usd_per_accelerator_hour": None if price is None else _range(price),
        "other_futures": None if (other := verdict.other_futures) is None else asdict(other),
        "at_accelerators": verdict.at_accelerators,
        "worth_usd": None if worth is None else _range(worth),
        "confirmed": verdict.confirmed,
        "others_kept": verdict.others_kept,
        "reason": verdict.reason,
    }


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_dicts()
