"""Two plans side by side, or a plan and the best one without a supplier."""

from dataclasses import dataclass, replace
from typing import Any

from acreage.domain.against import Against, Judged
from acreage.domain.conflict import Conflict
from acreage.domain.plan import Figures, Plan
from acreage.domain.portfolio import Portfolio
from acreage.flow.planning import base_demands
from acreage.plan.out_of_sample.earlier import judged_in
from acreage.plan.out_of_sample.playing import Stage
from acreage.plan.planner import Tell, Wishes, make_plan
from acreage.plan.session import without_caps
from acreage.units.errors import InputError
from acreage.units.ids import ProviderId


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """The best plan without a provider; `set_aside` says which rules it need not keep, as none can."""

    plan: Plan
    set_aside: str = ""


def without_provider(plan: Plan, portfolio: Portfolio, provider: str, tell: Tell) -> Without:
    """The best plan over the same futures with nothing of one provider: no leases, offers or hours."""
    if provider not in portfolio.providers:
        raise InputError(f"no provider {provider!r}", fix=f"known are {', '.join(sorted(portfolio.providers))}")
    reduced = _reduced(portfolio, ProviderId(provider))
    found = _planned(plan, reduced, tell)
    if isinstance(found, Plan):
        return Without(plan=found)
    names = "; ".join(clash.name for clash in found.clashes)
    eased = replace(
        without_caps(reduced), workloads=tuple(replace(workload, must=False) for workload in reduced.workloads)
    )
    found = _planned(plan, eased, tell)
    if isinstance(found, Conflict):
        raise InputError(f"without {provider} no plan keeps every rule: {names}", fix="relax one of them")
    return Without(plan=found, set_aside=f"share caps, the survival rule and promises; in conflict are {names}")


def _planned(plan: Plan, reduced: Portfolio, tell: Tell) -> Plan | Conflict:
    return make_plan(reduced, plan.futures, base_demands(reduced), Wishes(explain=False), tell)


def _reduced(portfolio: Portfolio, gone: ProviderId) -> Portfolio:
    """The portfolio with nothing of a provider, nor offers that require one of its own."""
    offers = tuple(o for o in portfolio.offers if o.provider != gone)
    while len(left := tuple(o for o in offers if set(o.requires) <= {x.id for x in offers})) < len(offers):
        offers = left
    kept = {o.id for o in offers}
    pools = {
        key: replace(pool, on_demand=None, spot=None) if pool.provider == gone else pool
        for key, pool in portfolio.pools.items()
    }
    return replace(
        portfolio,
        leases=tuple(lease for lease in portfolio.leases if lease.provider != gone),
        commitments=tuple(c for c in portfolio.commitments if c.spend.provider != gone),
        offers=tuple(replace(o, excludes=tuple(x for x in o.excludes if x in kept)) for o in offers),
        pools=pools,
    )


def against_earlier(name: str, earlier: Plan, plan: Plan, portfolio: Portfolio, tell: Tell) -> Against:
    """An earlier plan of the portfolio beside a later one, both in the later one's futures."""
    stage = Stage(portfolio=portfolio, base=replace(plan.futures[0], probability=0.0), demand=base_demands(portfolio))
    try:
        return Against(name=name, earlier=earlier, judged=judged_in(stage, earlier, plan, tell))
    except KeyError as error:
        what = f"its decision cannot be had here: {error.args[0]}"
        return Against(name=name, earlier=earlier, judged=None, refused=what)


def in_same_futures(
    plans: tuple[Plan, Plan], names: tuple[str, str], portfolios: tuple[Portfolio, Portfolio], tell: Tell
) -> Against | None:
    """The plan over fewer futures in those of the other; None where both were made on the same ones."""
    few, many = sorted((0, 1), key=lambda i: len(plans[i].futures))
    if same_futures(*plans):
        return None
    return against_earlier(names[few], plans[few], plans[many], portfolios[many], tell)


def same_futures(a: Plan, b: Plan) -> bool:
    """Whether two plans were made on the same futures."""
    return a.seed == b.seed and [(f.name, f.probability) for f in a.futures] == [
        (f.name, f.probability) for f in b.futures
    ]


def comparison(a: Plan, b: Plan, names: tuple[str, str], against: Against | None = None) -> dict[str, Any]:
    """The comparison as a document: figures and signings of both, and the one over fewer futures in the other's."""
    document: dict[str, Any] = {
        name: {
            **_figures(plan.best.figures),
            "futures": sum(future.probability > 0.0 for future in plan.futures),
            "signings": {s.offer: s.accelerators for s in plan.best.decision.signings},
        }
        for name, plan in zip(names, (a, b), strict=True)
    }
    if against is not None:
        judged = against.judged
        same = {"refused": against.refused} if judged is None else _figures(judged.figures) | _differences(judged)
        document["in_the_same_futures"] = {"plan": against.name, **same}
    return document


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "objective_usd": f"{figures.objective_usd:.2f}",
        "expected_usd": f"{figures.expected_usd:.2f}",
        "cvar_usd": f"{figures.cvar_usd:.2f}",
        "unmet_frac": figures.unmet_frac,
        "late_frac": figures.late_frac,
    }


def _differences(judged: Judged) -> dict[str, Any]:
    named = ("more_objective_usd", "more_expected_usd", "more_cvar_usd")
    return {
        name: {part: f"{getattr(getattr(judged, name), part):.2f}" for part in ("low", "found", "high")}
        for name in named
    }
