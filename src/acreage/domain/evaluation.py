"""A plan tried on futures it was not made on, beside what a spreadsheet would have signed."""

from dataclasses import dataclass
from enum import StrEnum

from acreage.domain.plan import Decision


class Way(StrEnum):
    """How a decision was come by; all but `PLAN` are what a spreadsheet gives."""

    PLAN = "plan"
    MEAN_FUTURE = "mean_future"
    NO_SURPRISE = "no_surprise"
    CHEAPEST_FIRST = "cheapest_first"
    INCUMBENT = "incumbent"
    NO_NEW_LEASE = "no_new_lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure estimated from a sample, with its 95 % confidence interval."""

    found: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How a decision fares, or by how much one differs from another; as `Figures`, each with an interval.

    `tail_futures` is how many of the futures drawn CVaR rests on, beside stresses: of few, its interval (and the
    objective's) is too narrow, and of none it has no width at all.
    """

    objective_usd: Estimate
    expected_usd: Estimate
    cvar_usd: Estimate
    unmet_frac: Estimate
    late_frac: Estimate
    tail_futures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleError:
    """How sure a plan's own figures are, as estimates from the `futures` that were drawn for it.

    They were drawn in strata, not independently: the intervals are conservative. `tail_futures` is how many of them
    CVaR rests on, beside stresses.
    """

    futures: int
    expected_usd: Estimate
    cvar_usd: Estimate
    tail_futures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A decision played in the fresh futures.

    `breaks` are the rules it does not keep, in words. `against_plan` is what it costs, misses or is late more
    than the plan in the same futures; `regret_usd` what it costs more than foresight would have, in
    foresight's futures (None where foresight was not asked for).
    """

    way: Way
    note: str
    decision: Decision
    breaks: tuple[str, ...]
    scores: Scores
    against_plan: Scores
    regret_usd: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """The best decision for each future by itself, had it been known: no plan can do better.

    Over `futures` of the fresh futures and the stresses; `against_plan` is less the plan in those. Each is
    proven to `gap_frac` on average, by which regret is at most understated.
    """

    futures: int
    scores: Scores
    against_plan: Scores
    gap_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleGap:
    """How far the plan may be from the best one for all futures there could be, not only those it was made on.

    `found_usd` is the mean over `replications` samples, `high_usd` its one-sided 95 % limit; both conservative.
    """

    replications: int
    found_usd: float
    high_usd: float
    found_frac: float
    high_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A plan out of sample: `trials` begin with the plan's own; `futures` fresh ones were drawn from `seed`.

    The named stresses are played as well, with the probability that the portfolio gives them.
    """

    seed: int
    futures: int
    stresses: int
    trials: tuple[Trial, ...]
    foresight: Foresight | None
    sample_gap: SampleGap | None
    seconds: float
