"""What-ifs in bulk: frontiers, sensitivities, and what knowing and waiting are worth.

Every figure in USD of the plan's objective, discounted to the planning day, unless it says otherwise. A `Range` is
proven: `low` and `high` come from bounds of both solves, `found` from the best plans found. Where zero lies
within it, the gap of the solves leaves open whether there is any difference.
"""

from dataclasses import dataclass
from enum import StrEnum

from acreage.domain.plan import Range
from acreage.units.instants import Instant


class Kind(StrEnum):
    """What can be asked in bulk."""

    FRONTIER = "frontier"
    CONCENTRATION = "concentration"
    SENSITIVITY = "sensitivity"
    INFORMATION = "information"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """How many accelerators of an offer are signed."""

    offer: str
    accelerators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierPoint:
    """The best plan found for one weight of risk: its expected cost and CVaR at the portfolio's tail level.

    `objective_usd` is its own, (1 - weight) x expected + weight x CVaR, proven to `gap_frac`. `is_dominated` tells
    that another point costs no more on both scales, `is_plan` that the weight is the portfolio's.
    """

    weight_frac: float
    expected_usd: float
    cvar_usd: float
    objective_usd: Range
    gap_frac: float
    signed: tuple[Signed, ...]
    is_dominated: bool
    is_plan: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentrationPoint:
    """The best plan in which no supplier holds more than `share_max_frac` of firm FLOP/s (None: no cap at all).

    `largest_frac` and `hhi` are the highest of any period from `from_at` on, the date the cap binds from. Where no
    plan was found, `reason` says why and the figures are None.
    """

    share_max_frac: float | None
    from_at: Instant
    objective_usd: Range | None
    extra_usd: Range | None
    largest_frac: float | None
    largest: str
    hhi: float | None
    signed: tuple[Signed, ...]
    reason: str


class Lever(StrEnum):
    """What a sensitivity moves."""

    PRICE = "price"
    DELIVERY = "delivery"
    DEMAND = "demand"
    MARKET_PRICE = "market_price"
    MARKET_LIMIT = "market_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What the best plan would cost if one figure were another.

    `subject` is an offer, provider, family or "all pools"; `change` says by how much in words, `step` as a number
    (share of a price or demand, days, factor of the market). `changes` are the decisions that would be others, in
    words; none where the plan stays. `note` says how it is to be read, or why there is no answer (then `extra_usd` is
    None).
    """

    lever: Lever
    subject: str
    change: str
    step: float
    extra_usd: Range | None
    changes: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureGroup:
    """Futures that look alike to who knows something: how many, their probability, what they are in words.

    `cost_usd` is the best plan's objective over them alone, `signed` what it signs.
    """

    name: str
    futures: int
    probability_frac: float
    cost_usd: Range
    signed: tuple[Signed, ...]


class Knowledge(StrEnum):
    """What could be known today."""

    DELIVERY = "delivery"
    DEMAND = "demand"
    CHANCE = "chance"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Information:
    """What knowing something today would be worth.

    `value_usd` is the plan's objective less the sum over groups of probability x the best objective within the group,
    the same weight of risk applied to the group's own futures; never negative. Of it `deciding_usd` comes from deciding
    otherwise; the rest is that risk measured once something is known is less, whatever is decided. `CHANCE` is a split
    of the futures that says nothing: what it is "worth" is what so few futures a group pretend.
    `EVERYTHING` solves `solved_futures` of the futures by themselves; its groups are not listed.
    """

    about: Knowledge
    subject: str
    value_usd: Range
    deciding_usd: float
    groups: tuple[FutureGroup, ...]
    solved_futures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What it is worth to decide until `until_at` what can wait, once it is seen how the first quarter went.

    `value_usd.low` is what the plans found are proven to save: what cannot wait decided as one for all groups, the rest
    in each; `found` the same by the costs found. `high` is the value of knowing the groups today, which no waiting
    exceeds. `deciding_usd` as in `Information`. `now` and `can_wait` are offers that must be signed at once, if at all,
    and those that may be signed later, as planned today.
    """

    until_at: Instant
    value_usd: Range
    deciding_usd: float
    now: tuple[Signed, ...]
    later: tuple[Signed, ...]
    can_wait: tuple[str, ...]
    groups: tuple[FutureGroup, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """All that was asked in bulk about one plan.

    `plan_usd` is the plan's own objective. `unanswered` names what was not answered before the interruption.
    """

    kinds: tuple[Kind, ...]
    plan_usd: Range
    frontier: tuple[FrontierPoint, ...]
    concentration: tuple[ConcentrationPoint, ...]
    sensitivities: tuple[Sensitivity, ...]
    information: tuple[Information, ...]
    waiting: Waiting | None
    unanswered: tuple[str, ...]
    solves: int
    seconds: float
