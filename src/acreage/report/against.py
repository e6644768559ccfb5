"""What a plan changes of an earlier one, and how sure its own figures are, in words and tables for every rendering."""

from typing import Any

from acreage.domain.against import Against, Judged
from acreage.domain.evaluation import Estimate, SampleError
from acreage.domain.plan import OfferVerdict, Plan
from acreage.report.words import count, date, money, percent, price, signed_money

TAIL_MIN = 30
"""With fewer futures in the tail its mean is said to be thin."""


def sure_lines(sure: SampleError) -> list[str]:
    """How exact expected cost and CVaR are as estimates from the futures drawn."""
    lines = [
        f"How sure: from {sure.futures:,} futures drawn, expected cost is {_within(sure.expected_usd)} and CVaR "
        f"{_within(sure.cvar_usd)}, each with a 95 % interval. The futures are drawn in strata, which makes the true "
        "error smaller: the intervals are conservative."
    ]
    if sure.tail_futures < TAIL_MIN:
        lines.append(
            f"Only {sure.tail_futures} of the futures drawn lie in the tail, beside stresses: the interval of CVaR is "
            "a rough one, more futures would tell."
        )
    return lines


def _within(estimate: Estimate) -> str:
    return f"{money(estimate.found)} ±{money(estimate.high - estimate.found)}"


def against_view(against: Against, plan: Plan) -> dict[str, Any]:
    """What changed: sentences, and tables of figures, signings and walk-away prices."""
    earlier = against.earlier
    tables = [_figures(against, plan)]
    signings = _signings(earlier, plan)
    if signings:
        tables.append({"title": "Decisions that differ", "columns": ["What", "earlier", "this plan"], "rows": signings})
    prices = _prices(earlier, plan)
    if prices:
        columns = ["Offer", "Asked $/h", "earlier walk-away $/h", "proven", "this walk-away $/h", "proven"]
        tables.append({"title": "Walk-away prices", "columns": columns, "rows": prices})
    return {"name": against.name, "lines": against_lines(against, plan), "tables": tables}


def against_lines(against: Against, plan: Plan) -> list[str]:
    """What changed in sentences: the decision, and what the earlier one costs in the futures of this plan."""
    differ = _signings(against.earlier, plan)
    decided = (
        f"{len(differ)} decision{'s differ' if len(differ) > 1 else ' differs'}" if differ else "Both decide the same"
    )
    lines = [
        f"{decided}. The earlier plan was made over {_likely(against.earlier):,} futures, this one over "
        f"{_likely(plan):,}."
    ]
    if against.judged is None:
        return [*lines, f"The earlier plan cannot be played in these futures: {against.refused}."]
    judged, more = against.judged, against.judged.more_objective_usd
    where = f"95 %: {signed_money(more.low)} to {signed_money(more.high)}"
    if differ or more.found:
        verdict = "which is more than chance" if more.low > 0.0 else "which chance alone may explain"
        if more.high < 0.0:
            verdict = "it is the better plan here"
        lines.append(
            f"In the same {_likely(plan):,} futures the earlier plan's objective is {signed_money(more.found)} against "
            f"this plan's ({where}), {verdict}."
        )
    if differ:
        lines.append(
            "This plan was made on these futures, which flatters it a little; --evaluate tries a plan on fresh ones."
        )
    promised = against.earlier.best.figures
    lines.append(
        f"Over its own futures it seemed to cost {money(promised.expected_usd)} expected and "
        f"{money(promised.cvar_usd)} CVaR; here it costs {money(judged.figures.expected_usd)} and "
        f"{money(judged.figures.cvar_usd)}."
    )
    return lines


def _likely(plan: Plan) -> int:
    return sum(future.probability > 0.0 for future in plan.futures)


def _figures(against: Against, plan: Plan) -> dict[str, Any]:
    """The earlier plan over its own futures and over these, beside this plan."""
    own, mine, judged = against.earlier.best.figures, plan.best.figures, against.judged
    here = judged.figures if judged is not None else None
    rows = [
        [label, money(getattr(own, name)), money(getattr(here, name)) if here else "", money(getattr(mine, name)), more]
        for label, name, more in (
            ("objective", "objective_usd", _more(judged, "more_objective_usd")),
            ("expected cost", "expected_usd", _more(judged, "more_expected_usd")),
            ("CVaR", "cvar_usd", _more(judged, "more_cvar_usd")),
        )
    ]
    rows += [
        [
            label,
            percent(getattr(own, name)),
            percent(getattr(here, name)) if here else "",
            percent(getattr(mine, name)),
            "",
        ]
        for label, name in (("serving and research unmet", "unmet_frac"), ("training work late", "late_frac"))
    ]
    columns = ["", "earlier, own futures", "earlier, these futures", "this plan", "earlier costs more by"]
    return {"title": "Cost in the same futures", "columns": columns, "rows": rows}


def _more(judged: Judged | None, name: str) -> str:
    if judged is None:
        return ""
    more: Estimate = getattr(judged, name)
    return f"{signed_money(more.found)} ±{money(more.high - more.found)}"


def _signings(earlier: Plan, plan: Plan) -> list[list[str]]:
    """Offers, releases and ports that the plans decide differently: what, earlier, now."""
    before, now = decided(earlier), decided(plan)
    differ = [what for what in sorted({*before, *now}) if before.get(what) != now.get(what)]
    return [[what, before.get(what, "-"), now.get(what, "-")] for what in differ]


def decided(plan: Plan) -> dict[str, str]:
    """What a plan decides about each offer, lease and port, in words."""
    found: dict[str, list[str]] = {}
    for s in plan.best.decision.signings:
        end = ", extended" if s.extended else ", leaving early" if s.ends_early else ""
        found.setdefault(str(s.offer), []).append(f"{count(s.accelerators)} from {date(s.starts_at)}{end}")
    for release in plan.best.decision.releases:
        found.setdefault(f"lease {release.lease}", []).append(f"leave on {date(release.ends_at)}")
    for port in plan.best.decision.ports:
        found.setdefault(f"port {port.workload} to {port.accelerator}", []).append("yes")
    return {what: "; ".join(parts) for what, parts in found.items()}


def _prices(earlier: Plan, plan: Plan) -> list[list[str]]:
    """Walk-away prices side by side with their proven ranges; none where neither plan was explained."""
    before = {v.offer: v for v in earlier.verdicts}
    rows = []
    for verdict in plan.verdicts:
        old = before.get(verdict.offer)
        cells = [*_walk(old), *_walk(verdict)]
        if any(cells):
            rows.append([str(verdict.offer), price(verdict.asked_usd_per_accelerator_hour), *cells])
    return rows


def _walk(verdict: OfferVerdict | None) -> list[str]:
    walk = verdict.walk_away_usd_per_accelerator_hour if verdict is not None else None
    return [price(walk.found), f"{price(walk.low)} to {price(walk.high)}"] if walk is not None else ["", ""]
