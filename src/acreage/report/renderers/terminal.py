"""A plan in one screen of a terminal, and its companions: comparisons, conflicts, explanations."""

import io
from collections.abc import Iterable, Sequence

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from acreage.domain.conflict import Conflict
from acreage.domain.explanation import Explanation
from acreage.domain.finding import Finding
from acreage.domain.lease import Offer
from acreage.domain.plan import OfferVerdict, Outcome, Plan, Signing
from acreage.domain.portfolio import Portfolio
from acreage.report import figures
from acreage.report.words import count, date, gap_words, money, percent, price, signed_money

WIDTH = 100
OFFERS_MAX = 9
"""Offers not signed that are shown; the nearest to being worth it first."""
UNMET_MAX = 5


def rendered(parts: Iterable[RenderableType]) -> str:
    """Plain text of some renderables, trailing space cut."""
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False, no_color=True, force_terminal=False)
    for part in parts:
        console.print(part)
    file = console.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().rstrip().splitlines())


def table(*columns: tuple[str, str]) -> Table:
    """An empty table with (heading, justification) columns."""
    found = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading, side in columns:
        found.add_column(heading, justify=side, overflow="fold", no_wrap=False)  # type: ignore[arg-type]
    return found


def plan_screen(plan: Plan, portfolio: Portfolio, findings: tuple[Finding, ...]) -> str:
    """The decision in one screen: what to sign, what it costs, the gap it closes, what could go wrong."""
    best = plan.best
    parts: list[RenderableType] = [
        f"{plan.portfolio_name}, planned on {date(plan.as_of_at)} over {_futures(plan)}",
        "",
        _signing_title(best),
    ]
    if best.decision.signings:
        parts.append(Padding(_signing_table(plan, portfolio), (0, 0, 0, 2)))
    parts += [f"  release {r.lease} on {date(r.ends_at)}" for r in best.decision.releases]
    parts += [f"  port {p.workload} to {p.accelerator} for {money(p.cost_usd)}" for p in best.decision.ports]
    rest = _not_signed(plan)
    if rest:
        parts += ["", "DO NOT SIGN", Padding(_rest_table(rest, portfolio), (0, 0, 0, 2))]
        if len(rest) > OFFERS_MAX:
            parts.append(f"  and {len(rest) - OFFERS_MAX} more, all in the report")
    parts += ["", _cost_table(plan, portfolio), ""]
    parts += [Text(line) for line in _risks(plan, portfolio)]
    parts += [Text(line) for line in _unmet(plan, portfolio)]
    parts += [Text(_proof(plan, findings))]
    return rendered(parts)


def _futures(plan: Plan) -> str:
    sampled = sum(1 for f in plan.futures if f.probability > 0)
    return f"{sampled} futures (seed {plan.seed})"


def _signing_title(best: Outcome) -> str:
    offers = {s.offer for s in best.decision.signings}
    total = sum(s.accelerators for s in best.decision.signings)
    if not offers:
        return "SIGN NOTHING"
    return f"SIGN {len(offers)} {'offer' if len(offers) == 1 else 'offers'}, {count(total)} accelerators"


def offers_by_id(portfolio: Portfolio) -> dict[str, Offer]:
    """The portfolio's offers by id."""
    return {str(offer.id): offer for offer in portfolio.offers}


def walk_away(verdict: OfferVerdict | None) -> str:
    """A verdict's walk-away price; a dash where there is none."""
    if verdict is None or verdict.walk_away_usd_per_accelerator_hour is None:
        return "-"
    return price(verdict.walk_away_usd_per_accelerator_hour.found)


def ending(signing: Signing) -> str:
    """How a signing ends, where it is not simply its term."""
    return " (extended)" if signing.extended else " (early exit)" if signing.ends_early else ""


def _signing_table(plan: Plan, portfolio: Portfolio) -> Table:
    offers, verdicts = offers_by_id(portfolio), {str(v.offer): v for v in plan.verdicts}
    found = table(
        ("offer", "left"),
        ("chip", "left"),
        ("accelerators", "right"),
        ("from", "left"),
        ("until", "left"),
        ("asked $/h", "right"),
        ("worth up to", "right"),
    )
    for s in plan.best.decision.signings:
        verdict = verdicts.get(str(s.offer))
        asked = verdict.asked_usd_per_accelerator_hour * s.price_frac if verdict else 0.0
        chip = portfolio.pools[offers[str(s.offer)].pool].accelerator
        until = date(s.ends_at) + ending(s)
        found.add_row(
            str(s.offer), chip, count(s.accelerators), date(s.starts_at), until, price(asked), walk_away(verdict)
        )
    return found


def nearness(verdict: OfferVerdict) -> float:
    """Walk-away price over asked price: the larger, the nearer to being worth it; -1 where there is none."""
    found = verdict.walk_away_usd_per_accelerator_hour
    return found.found / verdict.asked_usd_per_accelerator_hour if found is not None else -1.0


def _not_signed(plan: Plan) -> list[OfferVerdict]:
    return sorted((v for v in plan.verdicts if not v.signed), key=lambda v: (-nearness(v), v.offer))


def _rest_table(rest: Sequence[OfferVerdict], portfolio: Portfolio) -> Table:
    offers = offers_by_id(portfolio)
    found = table(("offer", "left"), ("chip", "left"), ("asked $/h", "right"), ("worth at", "right"), ("why", "left"))
    for v in rest[:OFFERS_MAX]:
        chip = portfolio.pools[offers[str(v.offer)].pool].accelerator
        if v.walk_away_usd_per_accelerator_hour is None:
            why = v.reason
        else:
            why = f"{percent(max(0.0, 1.0 - nearness(v)))} too dear" if nearness(v) < 1.0 else "break-even"
        found.add_row(str(v.offer), chip, price(v.asked_usd_per_accelerator_hour), walk_away(v), why)
    return found


def _cost_table(plan: Plan, portfolio: Portfolio) -> Table:
    """Cost and gap, against the best plan without any new lease."""
    found = table(("", "left"), ("this plan", "right"), ("no new lease", "right"), ("difference", "right"))
    best, none = plan.best.figures, plan.without_new.figures
    tail = f"worst {1 - portfolio.policy.risk.tail_frac:.0%} of futures (CVaR)"
    for label, a, b in (
        ("expected cost", best.expected_usd, none.expected_usd),
        (tail, best.cvar_usd, none.cvar_usd),
        ("base future", best.base_usd, none.base_usd),
    ):
        found.add_row(label, money(a), money(b), signed_money(a - b))
    gaps = [figures.gap_of(plan, o, portfolio) for o in (plan.best, plan.without_new)]
    unmet = [g.unmet_frac for g in gaps]
    found.add_row("serving and research unmet", percent(unmet[0]), percent(unmet[1]), f"{unmet[0] - unmet[1]:+.1%}")
    peaks = [f"{percent(g.peak_frac)} in {g.peak_from}" if g.peak_from else "none" for g in gaps]
    found.add_row("worst period of it", *peaks, "")
    found.add_row("first unmet", *(g.first_from or "never" for g in gaps), "")
    late = [o.figures.late_frac for o in (plan.best, plan.without_new)]
    found.add_row("training work late", percent(late[0]), percent(late[1]), f"{late[0] - late[1]:+.1%}")
    return found


def _risks(plan: Plan, portfolio: Portfolio) -> list[str]:
    member, share, hhi = figures.peak_shares(plan.best)
    lines = []
    if member:
        lines.append(f"concentration: {member} holds up to {percent(share)} of firm FLOP/s, HHI up to {hhi:.2f}")
    worst = figures.worst_loss(plan)
    if worst is not None and worst.extra_usd.found > 0:
        lines.append(f"worst supplier loss: {worst.subject}, {signed_money(worst.extra_usd.found)}")
    elif worst is not None:
        lines.append("worst supplier loss: none costs more than its fees")
    costs = figures.cost_of_futures(plan, plan.best).filter(pl.col("probability") > 0)
    if not costs.is_empty():
        last = costs.row(-1, named=True)
        lines.append(f"worst future: {last['future']}, {money(last['usd'])}")
    return lines


def _unmet(plan: Plan, portfolio: Portfolio) -> list[str]:
    missing = figures.unmet_by_workload(plan, plan.best, portfolio).filter(
        (pl.col("missing_frac") > figures.SMALL_FRAC) | (pl.col("penalty_usd") > 1.0)
    )
    if missing.is_empty():
        return ["still unmet: nothing"]
    named = [
        f"{row['workload']} {percent(row['missing_frac'])}" for row in missing.head(UNMET_MAX).iter_rows(named=True)
    ]
    more = f", and {missing.height - UNMET_MAX} more" if missing.height > UNMET_MAX else ""
    return [f"still unmet: {', '.join(named)}{more}"]


def _proof(plan: Plan, findings: tuple[Finding, ...]) -> str:
    f, e = plan.best.figures, plan.effort
    audit = "audit passed" if not findings else f"AUDIT FAILED: {len(findings)} findings"
    return (
        f"proof: within {gap_words(f.gap_frac)} of the best possible plan (bound {money(f.bound_usd)}), {audit}; "
        f"{e.build_s + e.solve_s + e.explain_s:.0f} s"
    )


def compare_screen(plan: Plan, other: Plan, names: tuple[str, str]) -> str:
    """Two plans side by side: figures, and signings that differ."""
    found = table(("", "left"), (names[0], "right"), (names[1], "right"), ("difference", "right"))
    a, b = plan.best.figures, other.best.figures
    for label, x, y in (
        ("objective", a.objective_usd, b.objective_usd),
        ("expected cost", a.expected_usd, b.expected_usd),
        ("CVaR", a.cvar_usd, b.cvar_usd),
        ("base future", a.base_usd, b.base_usd),
    ):
        found.add_row(label, money(x), money(y), signed_money(y - x))
    for label, x, y in (("unmet", a.unmet_frac, b.unmet_frac), ("training work late", a.late_frac, b.late_frac)):
        found.add_row(label, percent(x), percent(y), f"{y - x:+.1%}")
    signed = [_signed(p) for p in (plan, other)]
    lines: list[RenderableType] = [found, ""]
    changed = [o for o in sorted({*signed[0], *signed[1]}) if signed[0].get(o) != signed[1].get(o)]
    lines.append("signings that differ" if changed else "both sign the same")
    rows = table(("  offer", "left"), (names[0], "left"), (names[1], "left"))
    for offer in changed:
        rows.add_row(f"  {offer}", signed[0].get(offer, "-"), signed[1].get(offer, "-"))
    if changed:
        lines.append(rows)
    return rendered(lines)


def _signed(plan: Plan) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for s in plan.best.decision.signings:
        found.setdefault(str(s.offer), []).append(f"{count(s.accelerators)} from {date(s.starts_at)}{ending(s)}")
    return {offer: "; ".join(parts) for offer, parts in found.items()}


def conflict_screen(conflict: Conflict) -> str:
    """What cannot hold together, and what would relax each."""
    lines = ["no plan keeps all of these together; relaxing any one of them is enough:"]
    for clash in conflict.clashes:
        where = f" ({clash.place})" if clash.place is not None else ""
        lines += [f"  - {clash.name}{where}: {clash.description}", f"    would do: {clash.relief}"]
    return "\n".join(lines)


def explanation_screen(explanation: Explanation) -> str:
    """An explanation, labels on the left."""
    body = Table.grid(padding=(0, 2))
    body.add_column(justify="left", no_wrap=True)
    body.add_column(justify="left")
    for label, text in explanation.lines:
        body.add_row(Text(label), Text(text))
    return rendered([Text(explanation.title), "", body])
