"""A plan's offers, workloads and providers explained in words with figures."""

import difflib
from collections.abc import Iterator

import polars as pl

from acreage.domain.explanation import Explanation
from acreage.domain.lease import Offer
from acreage.domain.plan import OfferVerdict, Plan, Range, chances, expectation
from acreage.domain.portfolio import Portfolio
from acreage.domain.workload import TrainingRun, Workload
from acreage.report import figures
from acreage.report.fates import fates_of, periods_frame
from acreage.report.words import count, date, money, percent, price, signed_money
from acreage.units.errors import InputError

Line = tuple[str, str]
TOP = 4
"""How many pools, workloads or futures a line names."""


def explain(plan: Plan, portfolio: Portfolio, subject: str) -> Explanation:
    """Explain an offer, a workload or a provider by its id; raises `InputError` for anything else."""
    offers = {str(o.id): o for o in portfolio.offers}
    workloads = {str(w.id): w for w in portfolio.workloads}
    providers = {str(pool.provider) for pool in portfolio.pools.values()}
    if subject in offers:
        return Explanation(title=f"offer {subject}", lines=tuple(_offer_lines(plan, portfolio, offers[subject])))
    if subject in workloads:
        title = f"workload {subject}"
        return Explanation(title=title, lines=tuple(_workload_lines(plan, portfolio, workloads[subject])))
    if subject in providers:
        return Explanation(title=f"provider {subject}", lines=tuple(_provider_lines(plan, portfolio, subject)))
    known = sorted([*offers, *workloads, *providers])
    near = difflib.get_close_matches(subject, known, n=3, cutoff=0.4) or known[:5]
    raise InputError(
        f"the plan has no offer, workload or provider {subject!r}", fix=f"did you mean {' or '.join(near)}?"
    )


def _offer_lines(plan: Plan, portfolio: Portfolio, offer: Offer) -> Iterator[Line]:
    verdict = next(v for v in plan.verdicts if v.offer == offer.id)
    pool = portfolio.pools[offer.pool]
    yield "what", f"{pool.accelerator} of {offer.provider} in {offer.pool}, {offer.accelerators_per_block} a block"
    signings = [s for s in plan.best.decision.signings if s.offer == offer.id]
    for s in signings:
        end = " extended" if s.extended else " leaving early" if s.ends_early else ""
        yield "decision", f"sign {count(s.accelerators)} from {date(s.starts_at)} to {date(s.ends_at)}{end}"
    if not signings:
        yield "decision", "do not sign"
    yield from _price_lines(verdict)
    if signings:
        yield from _use_lines(plan, portfolio, str(offer.pool))
    else:
        yield from _pool_worth(plan, portfolio, offer, verdict)
    for w in plan.what_ifs:
        if w.kind == "term" and w.subject == offer.id:
            yield "what if", f"{w.description}: {_extra(w.extra_usd)}"
    if verdict.reason:
        yield "in short", verdict.reason


def _price_lines(verdict: OfferVerdict) -> Iterator[Line]:
    asked, walk = verdict.asked_usd_per_accelerator_hour, verdict.walk_away_usd_per_accelerator_hour
    yield "asked", f"{price(asked)} per accelerator-hour"
    if walk is None:
        return
    side = "is signed up to" if verdict.signed else "would be signed below"
    scope = "with all other contracts as planned" if verdict.others_kept else "all other contracts chosen anew"
    quantity = f"at {count(verdict.at_accelerators)} accelerators"
    yield "walk-away", f"it {side} {price(walk.found)} per accelerator-hour, {quantity}, {scope}"
    yield "", f"proven to lie between {price(walk.low)} and {price(walk.high)}"
    change = walk.found / asked - 1.0 if asked else 0.0
    if verdict.signed:
        yield "", f"the price may rise by {percent(change)} before the plan walks away"
    elif change < 0.0:
        yield "", f"the price must fall by {percent(-change)} to enter the plan"
    if verdict.worth_usd is not None:
        if verdict.signed:
            yield "worth", f"without it the plan would cost {_extra(verdict.worth_usd)}"
        else:
            yield "worth", f"signing it as asked would cost {money(-verdict.worth_usd.found)} more than the plan"


def _extra(found: Range) -> str:
    word = "more" if found.found >= 0 else "less"
    return f"{money(abs(found.found))} {word} (proven {signed_money(found.low)} to {signed_money(found.high)})"


def _use_lines(plan: Plan, portfolio: Portfolio, pool: str) -> Iterator[Line]:
    """Which workloads use a pool, by share of its accelerator-hours."""
    spans = periods_frame(portfolio).select("period", "hours")
    used = expectation(plan, plan.best, "dispatch").filter(pl.col("pool") == pool).join(spans, on="period")
    used = used.with_columns((pl.col("accelerators") * pl.col("hours")).alias("amount"))
    shares = figures.summed(used, ["workload"], "amount").sort("amount", descending=True)
    total = float(shares["amount"].sum())
    if total > 0.0:
        top = [f"{row['workload']} {percent(row['amount'] / total)}" for row in shares.head(TOP).to_dicts()]
        yield "used by", ", ".join(top)


def _pool_worth(plan: Plan, portfolio: Portfolio, offer: Offer, verdict: OfferVerdict) -> Iterator[Line]:
    """What one more accelerator-hour in the offer's pool is worth, beside what is asked."""
    worth = plan.best.frames["marginal"].filter(pl.col("pool") == offer.pool)
    if worth.is_empty():
        return
    mean = worth.select(pl.col("usd_per_accelerator_hour").mean()).item()
    top = worth.sort("usd_per_accelerator_hour").row(-1, named=True)
    asked = verdict.asked_usd_per_accelerator_hour
    above = int((worth["usd_per_accelerator_hour"] > asked).sum())
    yield "why", f"one more accelerator-hour in {offer.pool} is worth {price(mean)} on average over the horizon,"
    yield "", f"at most {price(top['usd_per_accelerator_hour'])} (from {top['from_at']:%b %Y})"
    yield "", f"that is above the asked price in {above} of {worth.height} periods"


def _workload_lines(plan: Plan, portfolio: Portfolio, workload: Workload) -> Iterator[Line]:
    yield "chips", ", ".join(f"{c.accelerator} ({c.port_state})" for c in workload.capabilities)
    for home in plan.best.decision.homes:
        if home.workload == workload.id:
            yield "home", home.pool
    for port in plan.best.decision.ports:
        if port.workload == workload.id:
            yield "port", f"to {port.accelerator} for {money(port.cost_usd)}"
    yield from _where_lines(plan, portfolio, str(workload.id))
    unmet = figures.unmet_by_workload(plan, plan.best, portfolio).filter(pl.col("workload") == workload.id)
    row = unmet.row(0, named=True) if unmet.height else {"missing_frac": 0.0, "penalty_usd": 0.0}
    if isinstance(workload, TrainingRun):
        late = figures.late_runs(plan, plan.best, portfolio).filter(pl.col("workload") == workload.id)
        yield "deadline", date(workload.deadline_at)
        yield "late", f"with a chance of {percent(float(late['late_frac'].sum()))}"
        yield "unfinished", f"{percent(row['missing_frac'])} of the work at the horizon, expected"
    else:
        yield "unmet", f"{percent(row['missing_frac'])} of its demand, expected"
        yield from _short_lines(plan, portfolio, str(workload.id))
    yield "penalty", f"{money(row['penalty_usd'])} expected, undiscounted"


def _where_lines(plan: Plan, portfolio: Portfolio, workload: str) -> Iterator[Line]:
    spans = periods_frame(portfolio).select("period", "hours")
    used = expectation(plan, plan.best, "dispatch").filter(pl.col("workload") == workload).join(spans, on="period")
    used = used.with_columns((pl.col("accelerators") * pl.col("hours")).alias("amount"))
    shares = figures.summed(used, ["pool"], "amount").sort("amount", descending=True)
    total = float(shares["amount"].sum())
    if total <= 0.0:
        yield "runs in", "no pool"
        return
    top = [f"{row['pool']} {percent(row['amount'] / total)}" for row in shares.head(TOP).to_dicts()]
    yield "runs in", ", ".join(top)


def _short_lines(plan: Plan, portfolio: Portfolio, workload: str) -> Iterator[Line]:
    """When, and in which futures, most is missing."""
    service = expectation(plan, plan.best, "service").filter((pl.col("workload") == workload) & (pl.col("demand") > 0))
    by_period = service.with_columns((pl.col("unmet") / pl.col("demand")).alias("share"))
    worst = by_period.sort("share", descending=True).head(1)
    if worst.height and worst["share"][0] > figures.SMALL_FRAC:
        at = portfolio.periods[int(worst["period"][0])].from_at
        yield "", f"most from {date(at)}: {percent(worst['share'][0])}"
        fates = fates_of(plan.best, portfolio).filter(pl.col("workload") == workload).join(chances(plan), on="future")
        top = fates.filter(pl.col("probability") > 0).sort("missing_frac", "future", descending=[True, False]).head(TOP)
        yield "short in", ", ".join(f"{row['future']} {percent(row['missing_frac'])}" for row in top.to_dicts())


def _provider_lines(plan: Plan, portfolio: Portfolio, provider: str) -> Iterator[Line]:
    held = [lease for lease in portfolio.leases if lease.provider == provider]
    if held:
        yield "held", ", ".join(str(lease.id) for lease in held)
    offers = {str(o.id) for o in portfolio.offers if o.provider == provider}
    signed = [f"{s.offer} ({count(s.accelerators)})" for s in plan.best.decision.signings if str(s.offer) in offers]
    yield "sign", ", ".join(signed) if signed else "nothing"
    left = sorted(offers - {str(s.offer) for s in plan.best.decision.signings})
    if left:
        yield "do not sign", ", ".join(left)
    share = plan.best.frames["shares"].filter((pl.col("level") == "supplier") & (pl.col("member") == provider))
    if share.height:
        peak = share.sort("share_frac").row(-1, named=True)
        last = share.sort("period").row(-1, named=True)
        yield "share", f"{percent(peak['share_frac'])} of firm FLOP/s at most (from {peak['from_at']:%b %Y})"
        yield "", f"{percent(last['share_frac'])} in the last period; HHI then {last['hhi']:.2f}"
    yield "paid", f"{money(_paid(plan, portfolio, provider))} expected over the horizon, undiscounted"
    for w in plan.what_ifs:
        if w.kind == "supplier" and w.subject == provider:
            yield "its loss", f"the best plan without it costs {_extra(w.extra_usd)}"
        elif w.kind != "supplier" and (w.subject in offers or provider in w.description):
            yield "what if", f"{w.description} ({w.subject}): {_extra(w.extra_usd)}"


def _paid(plan: Plan, portfolio: Portfolio, provider: str) -> float:
    sources = [str(lease.id) for lease in portfolio.leases if lease.provider == provider]
    sources += [str(offer.id) for offer in portfolio.offers if offer.provider == provider]
    sources += [str(pool.id) for pool in portfolio.pools.values() if pool.provider == provider]
    sources += [str(c.id) for c in portfolio.commitments if c.spend.provider == provider]
    return float(expectation(plan, plan.best, "cash").filter(pl.col("source").is_in(sources))["usd"].sum())
