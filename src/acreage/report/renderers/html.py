"""A plan as one page that opens offline: the answer on its first screen, charts with their tables below."""

from typing import Any

import polars as pl
import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined

from acreage.domain.against import Against
from acreage.domain.evaluation import Evaluation, SampleError, Scores
from acreage.domain.finding import Finding
from acreage.domain.plan import OfferVerdict, Plan
from acreage.domain.portfolio import Portfolio
from acreage.report import figures
from acreage.report.against import against_view, sure_lines
from acreage.report.charts.all import charts_of
from acreage.report.charts.drawing import Figure
from acreage.report.charts.evaluation import against_spreadsheets
from acreage.report.charts.fan import fan_of
from acreage.report.evaluation_words import FORESIGHT, NAMES, conclusions, money_within, share_within, tail_within
from acreage.report.words import count, date, gap_words, money, percent, price, signed_money

TEMPLATE = "report.html.j2"
ROWS_MAX = 2_000
"""Rows of a chart's table in the page; the exported tables hold all."""


def render_report(
    plan: Plan,
    portfolio: Portfolio,
    findings: tuple[Finding, ...],
    version: str,
    evaluation: Evaluation | None = None,
    sure: SampleError | None = None,
    against: Against | None = None,
) -> str:
    """The page's HTML; it needs no network, and all names from the portfolio are escaped.

    `sure` tells how exact the plan's own figures are, `against` what it changes of an earlier plan.
    """
    environment = Environment(
        loader=PackageLoader("acreage.report.renderers", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(TEMPLATE)
    return page.render(
        **_head(plan, portfolio, findings, version),
        sign=_signings(plan, portfolio),
        releases=[{"lease": r.lease, "until": date(r.ends_at)} for r in plan.best.decision.releases],
        ports=[
            {"workload": p.workload, "chip": p.accelerator, "cost": money(p.cost_usd)} for p in plan.best.decision.ports
        ],
        cards=_cards(plan, portfolio),
        risks=_risks(plan, portfolio),
        charts=[_chart(figure) for figure in charts_of(plan, portfolio)],
        offers=[_offer(v, portfolio) for v in _in_order(plan)],
        what_ifs=[_what_if(w.kind, w.description, w.extra_usd) for w in plan.what_ifs],
        unmet=_unmet(plan, portfolio),
        evaluation=_evaluation(evaluation) if evaluation is not None else None,
        fan=[_chart(figure) for figure in fan_of(plan, portfolio)],
        sure=sure_lines(sure) if sure is not None else [],
        against=against_view(against, plan) if against is not None else None,
    )


def _head(plan: Plan, portfolio: Portfolio, findings: tuple[Finding, ...], version: str) -> dict[str, Any]:
    f, e = plan.best.figures, plan.effort
    return {
        "name": plan.portfolio_name,
        "description": portfolio.description,
        "as_of": date(plan.as_of_at),
        "until": date(portfolio.periods[-1].until_at),
        "futures": sum(1 for future in plan.futures if future.probability > 0),
        "seed": plan.seed,
        "version": version,
        "gap": gap_words(f.gap_frac),
        "bound": money(f.bound_usd),
        "objective": money(f.objective_usd),
        "passed": not findings,
        "findings": [f"{x.rule}: {x.subject}: {x.message}" for x in findings],
        "engine": e.engine,
        "seconds": f"{e.build_s:.1f} s to build, {e.solve_s:.1f} s to solve, {e.explain_s:.1f} s to explain",
        "size": f"{e.columns:,} columns, {e.rows:,} rows",
        "tail": f"{1 - portfolio.policy.risk.tail_frac:.0%}",
        "weight": percent(portfolio.policy.risk.weight_frac),
    }


def _signings(plan: Plan, portfolio: Portfolio) -> list[dict[str, str]]:
    offers = {str(o.id): o for o in portfolio.offers}
    verdicts = {str(v.offer): v for v in plan.verdicts}
    rows = []
    for s in plan.best.decision.signings:
        offer, verdict = offers[str(s.offer)], verdicts[str(s.offer)]
        walk = verdict.walk_away_usd_per_accelerator_hour
        rows.append(
            {
                "offer": str(s.offer),
                "chip": str(portfolio.pools[offer.pool].accelerator),
                "accelerators": count(s.accelerators),
                "from": date(s.starts_at),
                "until": date(s.ends_at) + (", extended" if s.extended else ", early exit" if s.ends_early else ""),
                "asked": price(verdict.asked_usd_per_accelerator_hour * s.price_frac),
                "walk": price(walk.found) if walk is not None else "any price",
            }
        )
    return rows


def _cards(plan: Plan, portfolio: Portfolio) -> list[dict[str, str]]:
    """What it costs and which gap it closes."""
    best, none = plan.best.figures, plan.without_new.figures
    gaps = [figures.gap_of(plan, o, portfolio) for o in (plan.best, plan.without_new)]
    tail = f"{1 - portfolio.policy.risk.tail_frac:.0%}"
    return [
        {
            "label": "Expected cost",
            "value": money(best.expected_usd),
            "note": f"{signed_money(best.expected_usd - none.expected_usd)} against no new lease",
        },
        {
            "label": f"Cost in the worst {tail} of futures (CVaR)",
            "value": money(best.cvar_usd),
            "note": f"{signed_money(best.cvar_usd - none.cvar_usd)} against no new lease",
        },
        {
            "label": "Serving and research unmet",
            "value": percent(gaps[0].unmet_frac),
            "note": f"{percent(gaps[1].unmet_frac)} without new leases; "
            + (f"peak {percent(gaps[0].peak_frac)} in {gaps[0].peak_from}" if gaps[0].peak_from else "no gap left"),
        },
        {
            "label": "Training work late",
            "value": percent(best.late_frac),
            "note": f"{percent(none.late_frac)} without new leases",
        },
    ]


def _risks(plan: Plan, portfolio: Portfolio) -> list[dict[str, str]]:
    """What could go wrong, in the order of its cost."""
    found = []
    worst = figures.worst_loss(plan)
    if worst is not None and worst.extra_usd.found > 0:
        found.append(
            {"what": f"{worst.subject} fails or takes its capacity back", "cost": signed_money(worst.extra_usd.found)}
        )
    costs = figures.cost_of_futures(plan, plan.best).filter(pl.col("probability") > 0)
    if costs.height:
        last = costs.row(-1, named=True)
        extra = last["usd"] - plan.best.figures.expected_usd
        found.append({"what": f"the worst future comes ({last['future']})", "cost": signed_money(extra)})
    late = [w for w in plan.what_ifs if w.kind == "term" and "on time" in w.description]
    if late:
        most = min(late, key=lambda w: w.extra_usd.found)
        if most.extra_usd.found < 0:
            found.append(
                {
                    "what": f"{most.subject} is delivered late, as it may be",
                    "cost": f"{money(-most.extra_usd.found)} on average",
                }
            )
    member, share, hhi = figures.peak_shares(plan.best)
    if member:
        found.append({"what": f"{member} holds up to {percent(share)} of firm FLOP/s", "cost": f"HHI {hhi:.2f}"})
    return found


def _in_order(plan: Plan) -> list[OfferVerdict]:
    def nearness(v: OfferVerdict) -> float:
        found = v.walk_away_usd_per_accelerator_hour
        return found.found / v.asked_usd_per_accelerator_hour if found is not None else -1.0

    return sorted(plan.verdicts, key=lambda v: (not v.signed, -nearness(v), v.offer))


def _offer(verdict: OfferVerdict, portfolio: Portfolio) -> dict[str, str]:
    walk, worth = verdict.walk_away_usd_per_accelerator_hour, verdict.worth_usd
    offer = next(o for o in portfolio.offers if o.id == verdict.offer)
    return {
        "offer": str(verdict.offer),
        "provider": str(offer.provider),
        "decision": "sign" if verdict.signed else "do not sign",
        "accelerators": count(verdict.at_accelerators) if verdict.at_accelerators else "",
        "asked": price(verdict.asked_usd_per_accelerator_hour),
        "walk": price(walk.found) if walk is not None else "",
        "proven": f"{price(walk.low)} to {price(walk.high)}" if walk is not None else "",
        "worth": signed_money(worth.found) if worth is not None else "",
        "reason": verdict.reason + (" (other contracts kept)" if verdict.others_kept else ""),
    }


def _what_if(kind: str, description: str, extra: Any) -> dict[str, str]:
    return {
        "kind": kind,
        "description": description,
        "extra": signed_money(extra.found),
        "proven": f"{signed_money(extra.low)} to {signed_money(extra.high)}",
    }


def _unmet(plan: Plan, portfolio: Portfolio) -> list[dict[str, str]]:
    missing = figures.unmet_by_workload(plan, plan.best, portfolio)
    return [
        {"workload": row["workload"], "missing": percent(row["missing_frac"]), "penalty": money(row["penalty_usd"])}
        for row in missing.filter(
            (pl.col("missing_frac") > figures.SMALL_FRAC) | (pl.col("penalty_usd") > 1.0)
        ).to_dicts()
    ]


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """The plan out of sample: what may be concluded, a chart of differences and every figure."""
    rows = [
        _fares(NAMES[trial.way], trial.note, trial.scores)
        | {
            "more": tail_within(trial.against_plan, trial.against_plan.objective_usd, sign=True) if number else "",
            "regret": money_within(trial.regret_usd) if trial.regret_usd is not None else "",
            "breaks": "; ".join(trial.breaks) or "none",
        }
        for number, trial in enumerate(evaluation.trials)
    ]
    seen = evaluation.foresight
    if seen is not None:
        note = f"the best for each of {seen.futures} futures and the stresses by itself"
        more = tail_within(seen.against_plan, seen.against_plan.objective_usd, sign=True)
        rows.append(_fares(FORESIGHT, note, seen.scores) | {"more": more, "regret": "", "breaks": "none"})
    return {
        "conclusions": conclusions(evaluation),
        "chart": _chart(against_spreadsheets(evaluation)),
        "rows": rows,
    }


def _fares(name: str, note: str, scores: Scores) -> dict[str, str]:
    return {
        "name": name,
        "note": note,
        "expected": money_within(scores.expected_usd),
        "cvar": tail_within(scores, scores.cvar_usd),
        "unmet": share_within(scores.unmet_frac),
        "late": share_within(scores.late_frac),
    }


def _chart(figure: Figure) -> dict[str, Any]:
    svg = vl_convert.vegalite_to_svg(figure.chart.to_dict())
    table = figure.table.head(ROWS_MAX)
    return {
        "id": figure.id,
        "title": figure.title,
        "note": figure.note,
        "svg": svg,
        "columns": table.columns,
        "rows": [[_cell(value) for value in row] for row in table.iter_rows()],
        "cut": figure.table.height - table.height,
    }


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)
