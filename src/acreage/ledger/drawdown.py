"""Spend commitments: what has been drawn, how fast, and what the milestones still ahead will cost."""

from collections.abc import Iterable, Mapping

from acreage.domain.balance import Drawdown, MilestoneForecast
from acreage.domain.contract import Contract, LeaseState, SpendContract
from acreage.domain.terms import SpendKind
from acreage.ledger.facts import FactKind
from acreage.ledger.segments import month_of
from acreage.ledger.totals import Line
from acreage.units.ids import LeaseId
from acreage.units.instants import SECONDS_PER_DAY, Instant, add_months, instant
from acreage.units.money import MicroUsd

BURN_MONTHS = 3
"""The burn rate is the mean over this many whole calendar months before the present one."""

ByMonth = Mapping[Instant, int]


def eligible_by_month(
    contract: SpendContract, lines: Iterable[Line], contracts: Mapping[LeaseId, Contract]
) -> dict[Instant, int]:
    """Eligible charges less credits, in micro-dollars by the month in which their period begins.

    Charges of a lease count if the lease draws on this commitment, charges without a lease if charges
    on demand are eligible.
    """
    found: dict[Instant, int] = {}
    for line in lines:
        if line.kind == FactKind.CHARGE_INVOICED and _eligible(contract, line.lease, contracts):
            month = instant(f"{line.month}-01")
            if month >= month_of(contract.spend.starts_at):
                found[month] = found.get(month, 0) + line.micro_usd
    return found


def _eligible(contract: SpendContract, lease: str, contracts: Mapping[LeaseId, Contract]) -> bool:
    if not lease:
        return SpendKind.ON_DEMAND in contract.spend.eligible
    held = contracts.get(LeaseId(lease))
    return held is not None and held.commitment == contract.id and SpendKind.LEASE in contract.spend.eligible


def drawdown(contract: SpendContract, drawn: ByMonth, at: Instant) -> Drawdown:
    """Where a commitment stands at an instant, given its eligible charges by month.

    A shortfall is paid at its milestone and counts towards later ones, as `SpendCommitment` says.
    """
    spend = contract.spend
    total = spend.milestones[-1].cumulative_micro_usd
    so_far = spend.drawn_micro_usd + sum(drawn.values())
    burn, days = burn_rate(drawn, spend.starts_at, at)
    milestones = _forecast(contract, drawn, burn, at)
    paid = sum(m.shortfall_micro_usd for m in milestones if m.past)
    left = total - so_far - paid
    exhausted_at = _exhausted_at(contract, left, burn, at)
    forecast = so_far + paid + burn * max(contract.expires_at - at, 0) // SECONDS_PER_DAY
    return Drawdown(
        commitment=contract.id,
        provider=spend.provider,
        state=_state(contract, left, at),
        pledged_micro_usd=total,
        drawn_micro_usd=MicroUsd(so_far),
        burn_micro_usd_per_day=burn,
        burn_days=days,
        milestones=milestones,
        expires_at=contract.expires_at,
        exhausted_at=exhausted_at,
        lost_micro_usd=MicroUsd(
            max(total - forecast - sum(m.shortfall_micro_usd for m in milestones if not m.past), 0)
        ),
    )


def burn_rate(drawn: ByMonth, starts_at: Instant, at: Instant) -> tuple[int, int]:
    """Micro-dollars a day over the last whole months, and how many days that is; (0, 0) before the first has passed."""
    until_at = month_of(at)
    from_at = max(add_months(until_at, -BURN_MONTHS), month_of(starts_at))
    days = (until_at - from_at) // SECONDS_PER_DAY
    if days <= 0:
        return 0, 0
    return sum(amount for month, amount in drawn.items() if from_at <= month < until_at) // days, days


def _forecast(contract: SpendContract, drawn: ByMonth, burn: int, at: Instant) -> tuple[MilestoneForecast, ...]:
    found = []
    paid = 0
    for milestone in contract.spend.milestones:
        until_at = milestone.due_at
        amount = contract.spend.drawn_micro_usd + sum(a for month, a in drawn.items() if month < min(until_at, at))
        amount += burn * max(until_at - at, 0) // SECONDS_PER_DAY
        shortfall = max(milestone.cumulative_micro_usd - amount - paid, 0)
        paid += shortfall
        found.append(
            MilestoneForecast(
                due_at=until_at,
                pledged_micro_usd=milestone.cumulative_micro_usd,
                drawn_micro_usd=MicroUsd(amount),
                shortfall_micro_usd=MicroUsd(shortfall),
                past=until_at <= at,
            )
        )
    return tuple(found)


def _exhausted_at(contract: SpendContract, left: int, burn: int, at: Instant) -> Instant | None:
    if left <= 0:
        return at
    if burn <= 0:
        return None
    then = at + left * SECONDS_PER_DAY // burn
    return Instant(then) if then < contract.expires_at else None


def _state(contract: SpendContract, left: int, at: Instant) -> str:
    if at < contract.spend.starts_at:
        return LeaseState.PENDING.value
    if left <= 0:
        return LeaseState.EXHAUSTED.value
    return LeaseState.ACTIVE.value if at < contract.expires_at else LeaseState.EXPIRED.value
