"""Who holds firm effective capacity, and whether caps on it and the survival of a loss hold."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from acreage.domain.finding import Finding
from acreage.domain.portfolio import Portfolio, ShareLevel
from acreage.domain.workload import PortState, TrainingRun
from acreage.plan.audit_ground import QUANTITY_TOLERANCE_FRAC, Array, Ground, doubt
from acreage.plan.audit_supply import Holding, promised_of
from acreage.plan.audit_wants import mean_demand
from acreage.units.ids import PoolId

Power = Mapping[tuple[ShareLevel, str], Array]
"""Firm effective PFLOP/s (T,) by level and member."""


def firm_power(ground: Ground, holdings: tuple[Holding, ...]) -> dict[tuple[ShareLevel, str], Array]:
    """Usable accelerators as promised x effective TFLOP/s, summed by member of every level."""
    portfolio = ground.portfolio
    found: dict[tuple[ShareLevel, str], Array] = defaultdict(lambda: np.zeros(len(ground.hours)))
    for holding in holdings:
        tflops = portfolio.effective_tflops[portfolio.pools[holding.pool].accelerator]
        power = promised_of(ground, holding, firm=True) * tflops / 1_000.0
        for level, member in members(portfolio, holding.pool).items():
            found[level, member] = found[level, member] + power
    return dict(found)


def members(portfolio: Portfolio, pool_id: PoolId) -> dict[ShareLevel, str]:
    """Which member of each level a pool counts towards."""
    pool = portfolio.pools[pool_id]
    return {
        ShareLevel.SUPPLIER: pool.provider,
        ShareLevel.CHIP_VENDOR: portfolio.accelerators[pool.accelerator].vendor,
        ShareLevel.SITE: pool.site,
        ShareLevel.EQUITY_GROUP: portfolio.providers[pool.provider].equity_group,
    }


def check_shares(ground: Ground, power: Power) -> Iterator[Finding]:
    """The stated shares and HHI are the derived ones."""
    totals = {level: _total(ground, power, level) for level in ShareLevel}
    stated = set()
    for row in ground.outcome.frames["shares"].iter_rows(named=True):
        level, t = ShareLevel(row["level"]), row["period"]
        total = float(totals[level][t])
        mine = float(power[level, row["member"]][t]) if (level, row["member"]) in power else 0.0
        shares = [float(p[t]) / total if total else 0.0 for (found, _), p in power.items() if found is level]
        expected = {
            "effective_pflops": (row["effective_pflops"], mine, max(total, 1e-12)),
            "share_frac": (row["share_frac"], mine / total if total else 0.0, 1.0),
            "hhi": (row["hhi"], sum(share * share for share in shares), 1.0),
        }
        stated.add((level, row["member"], t))
        for name, (says, derived, scale) in expected.items():
            if not abs(says - derived) <= QUANTITY_TOLERANCE_FRAC * scale:
                message = f"{name} of {row['member']} is {derived:.9g}, not {says:.9g}"
                yield doubt("shares", str(level), message, row=f"period {t}")
    for (level, member), series in power.items():
        if any((level, member, int(t)) not in stated for t in np.flatnonzero(series > 0.0)):
            yield doubt("shares", str(level), f"{member} is not stated")


def _total(ground: Ground, power: Power, level: ShareLevel) -> Array:
    return np.asarray(sum((p for (found, _), p in power.items() if found is level), np.zeros(len(ground.hours))))


def check_caps(ground: Ground, power: Power) -> Iterator[Finding]:
    """No member holds more than its cap in any period that starts on its date or later."""
    for cap in ground.portfolio.policy.share_caps:
        total = _total(ground, power, cap.level)
        bound = ground.begins >= cap.from_at
        for (level, member), series in power.items():
            if level is not cap.level or (cap.member and cap.member != member):
                continue
            excess = np.where(bound, series - cap.share_max_frac * total, 0.0)
            broken = np.flatnonzero(excess > QUANTITY_TOLERANCE_FRAC * np.maximum(total, 1e-12))
            if broken.size:
                t = int(broken[np.argmax(excess[broken])])
                share = float(series[t] / total[t])
                message = f"{member} holds {share:.6f} of {cap.level}, the cap is {cap.share_max_frac}"
                yield doubt("share_cap", member, message, row=f"period {t}")


def check_survival(ground: Ground, power: Power) -> Iterator[Finding]:
    """Without any one supplier, firm capacity still carries its share of what must be served."""
    share = ground.portfolio.policy.survive_loss_frac
    if share is None:
        return
    need = share * must_power(ground)
    total = _total(ground, power, ShareLevel.SUPPLIER)
    for (level, member), series in power.items():
        if level is not ShareLevel.SUPPLIER:
            continue
        missing = need - (total - series)
        broken = np.flatnonzero(missing > QUANTITY_TOLERANCE_FRAC * np.maximum(need, 1e-12))
        if broken.size:
            t = int(broken[np.argmax(missing[broken])])
            message = f"without it {missing[t]:.6g} PFLOP/s are missing"
            yield doubt("survive_loss", member, message, row=f"period {t}")


def must_power(ground: Ground) -> Array:
    """Effective PFLOP/s (T,) that fleets and research shares marked must need without a surprise."""
    portfolio = ground.portfolio
    chips = {pool.accelerator for pool in portfolio.pools.values()}
    need = np.zeros(len(ground.hours))
    for workload in portfolio.workloads:
        if isinstance(workload, TrainingRun) or not workload.must:
            continue
        each = [
            portfolio.effective_tflops[c.accelerator] / c.rate_per_accelerator / 1_000.0
            for c in workload.capabilities
            if c.port_state is PortState.PORTED and c.accelerator in chips
        ]
        if each:
            need = need + mean_demand(ground, workload) * sum(each) / len(each)
    return need
