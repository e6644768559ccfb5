"""A rolling backtest: what was known, decided, paid and, with hindsight, missed in each month along a path."""

from collections.abc import Mapping
from dataclasses import dataclass

from acreage.domain.evaluation import Estimate, Way
from acreage.domain.finding import Finding
from acreage.domain.future import Outage
from acreage.domain.plan import Port, Range, Release, Signing
from acreage.units.ids import PoolId
from acreage.units.instants import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What of a path has come about by a planning day; demand seen is in the workloads planned with.

    `delay_days` are of deliveries made, `waited_days` (since they were due) of those still owed, both keyed by (lease
    id, index). `outages` have begun, recalls in `recalled_at` have been notified. `price_level` and `limit_level` are
    the factors on a pool's by-the-hour price and limit that were seen last.
    """

    delay_days: Mapping[tuple[str, int], int]
    waited_days: Mapping[tuple[str, int], int]
    outages: tuple[Outage, ...]
    recalled_at: Mapping[str, Instant]
    price_level: Mapping[PoolId, float]
    limit_level: Mapping[PoolId, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestStep:
    """One month's decision and what came of it; amounts are USD discounted to the first planning day.

    `signed`, `released` and `ported` were done at `at`; `left_open` is what the plan had in mind and could wait.
    `paid_usd` is the cost of [at, until_at), with all that was promised then by what was signed and not yet held in the
    books of the next month. `best_before_usd` is the least cost from here on for who knows the path, given what is
    held; `regret_usd` is how much of it the month lost: paid + best from the next month on - best from here on (None
    while the next month is unknown). `set_aside` tells that no plan kept share caps and the survival rule.
    """

    at: Instant
    until_at: Instant
    signed: tuple[Signing, ...]
    left_open: tuple[Signing, ...]
    released: tuple[Release, ...]
    ported: tuple[Port, ...]
    paid_usd: float
    best_before_usd: Range
    regret_usd: Range | None
    set_aside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPath:
    """One path lived through. Costs are USD discounted to the first planning day, over the whole horizon.

    `rolling_usd` and `regret_usd` are None where the path was cut short; `once_usd` is the first plan kept to the end,
    `others_usd` are spreadsheet plans, `foresight_usd` is the best for who knew the path from the start. `findings` are
    what the auditor doubts (none in a good run).
    """

    name: str
    steps: tuple[BacktestStep, ...]
    rolling_usd: float | None
    once_usd: float | None
    others_usd: Mapping[Way, float]
    foresight_usd: Range | None
    regret_usd: Range | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestMeans:
    """Means over the finished paths with 95 % intervals (infinitely wide for one path).

    `regret_usd` is of re-planning, `replanning_usd` what the plan made once cost more; `others_usd` what spreadsheet
    plans cost more than re-planning; `monthly_usd` is the regret of each month.
    """

    rolling_usd: Estimate
    regret_usd: Estimate
    replanning_usd: Estimate
    others_usd: Mapping[Way, Estimate]
    monthly_usd: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The whole: `source` says where the paths come from; `asked` of them, of which `finished` were lived to the end.

    `dates` are the planning days; `futures` were sampled at each. `means` is None if no path was finished.
    """

    portfolio_name: str
    as_of_at: Instant
    source: str
    dates: tuple[Instant, ...]
    futures: int
    asked: int
    finished: int
    paths: tuple[BacktestPath, ...]
    means: BacktestMeans | None
    notes: tuple[str, ...]
    seconds: float
