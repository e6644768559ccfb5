"""An earlier plan of a portfolio held against a later one, both in the later one's futures."""

from dataclasses import dataclass

from acreage.domain.evaluation import Estimate
from acreage.domain.plan import Figures, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An earlier decision played in a plan's futures: its figures there, and how much more it costs than the plan.

    `bound_usd` and `gap_frac` of the figures are the plan's bound and the distance from it. Intervals are of the
    differences in the same futures.
    """

    figures: Figures
    more_objective_usd: Estimate
    more_expected_usd: Estimate
    more_cvar_usd: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """An earlier plan beside this one; `judged` is None, and `refused` says why, where it cannot be played here."""

    name: str
    earlier: Plan
    judged: Judged | None
    refused: str = ""
