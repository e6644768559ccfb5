"""How much more to promise than there is for sure, under a limit on failing and at a cost of failing.

Two kinds of uncertainty. *Slack*: the promises are certain, the stock is not: a ramp of the anchor may leave
S units beyond the sure ones. *Shows*: the stock is certain, of q promised units only some are claimed. Limits on
the probability follow from the law; limits by money from the marginal promise (M. Rothstein, Operations Research
33, 1985; Talluri and van Ryzin, The Theory and Practice of Revenue Management, 2004, chapter 4).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from acreage.desk.protection.laws import Law
from acreage.units.errors import InputError

Claims = Callable[[int], Law]
"""The law of claims on q promised units; more promises never make fewer claims more likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """How many units to promise, and how likely and by how many units on average that fails."""

    units: int
    failure_frac: float
    short_units: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stakes:
    """What a promised unit earns, and what a unit that cannot be delivered costs in liquidated damages.

    The damages are all that is lost with the unit, a refund included.
    """

    margin_usd: float
    damages_usd: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.margin_usd < math.inf and 0.0 < self.damages_usd < math.inf):
            what = f"a margin of {self.margin_usd} and damages of {self.damages_usd} USD"
            raise InputError(what, fix="give a margin of zero or more and positive damages")


def limit_on_slack(sure_units: int, slack: Law, failure_max: float) -> Promise:
    """The most that can be promised with P(sure + S < promised) <= failure_max.

    Promised q fails if S <= q - sure - 1 for whole units, so q is the largest with P(S >= q - sure) >= 1 - failure_max.
    """
    _check(sure_units, failure_max)
    return promise_on_slack(sure_units, slack, sure_units + _extra(slack, 1.0 - failure_max))


def promise_on_slack(sure_units: int, slack: Law, units: int) -> Promise:
    """How a given promise against sure units and slack fares: its probability of failing and mean shortfall."""
    over = units - sure_units
    if over <= 0:
        return Promise(units=units, failure_frac=0.0, short_units=0.0)
    # E (over - S)+ = over - E min(S, over).
    return Promise(
        units=units,
        failure_frac=1.0 - _at_least(slack, over),
        short_units=over - float(slack.expected_min(over)),
    )


def best_on_slack(sure_units: int, slack: Law, stakes: Stakes, failure_max: float = 1.0) -> Promise:
    """The promise that earns most: the critical ratio of a newsvendor, no further than failure_max allows.

    One more unit earns the margin and costs the damages if it fails: promise while P(fail) <= margin / damages.
    Where the margin is at least the damages and no limit holds, there is no end: raises `InputError`.
    """
    _check(sure_units, failure_max)
    ratio = min(stakes.margin_usd / stakes.damages_usd, failure_max)
    if ratio >= 1.0:
        raise InputError("a unit earns what failing it costs", fix="raise the damages or state a failure_max below 1")
    return promise_on_slack(sure_units, slack, sure_units + _extra(slack, 1.0 - ratio))


def limit_on_shows(stock: int, claims: Claims, failure_max: float, units_max: int) -> Promise:
    """The most that can be promised, up to `units_max`, with P(claims > stock) <= failure_max."""
    _check(stock, failure_max)
    if units_max < stock:
        raise InputError(f"at most {units_max} units", fix=f"give at least the stock, {stock}")
    fine = _last_true(stock, units_max, lambda units: float(claims(units).survival(stock)) <= failure_max)
    return promise_on_shows(stock, claims, fine)


def promise_on_shows(stock: int, claims: Claims, units: int) -> Promise:
    """How a given promise fares when only some of it is claimed."""
    law = claims(units)
    return Promise(
        units=units,
        failure_frac=float(law.survival(stock)) if units > stock else 0.0,
        short_units=max(0.0, law.mean - float(law.expected_min(stock))) if units > stock else 0.0,
    )


def best_on_shows(stock: int, claims: Claims, stakes: Stakes, units_max: int, failure_max: float = 1.0) -> Promise:
    """The promise up to `units_max` that earns most: margin per promised unit, damages per unit claimed in vain.

    If all promised units are alike, the next one is in vain if it is claimed and the stock is taken by then. That is
    the more likely the more are promised, so the last unit that pays is found by bisection.
    """
    _check(stock, failure_max)
    top = limit_on_shows(stock, claims, failure_max, units_max).units

    def pays(units: int) -> bool:
        before, now = promise_on_shows(stock, claims, units - 1), promise_on_shows(stock, claims, units)
        return stakes.margin_usd >= stakes.damages_usd * (now.short_units - before.short_units)

    return promise_on_shows(stock, claims, _last_true(stock, top, pays))


def _extra(slack: Law, kept_frac: float) -> int:
    """The most units e with P(S >= e) >= kept_frac."""
    if kept_frac <= 0.0:
        raise InputError("any failure is allowed", fix="state a failure_max below 1")
    if _at_least(slack, 1) < kept_frac:
        return 0
    low, high = 1, 2
    while _at_least(slack, high) >= kept_frac:
        low, high = high, 2 * high
    return _last_true(low, high - 1, lambda e: _at_least(slack, e) >= kept_frac)


def _at_least(slack: Law, units: int) -> float:
    """P(S >= units) for whole units above 0; of continuous slack, P(S > units)."""
    return float(slack.survival(units - 1.0 if slack.discrete else float(units)))


def _last_true(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The last number from low to high at which a condition that once false stays false holds; low if none."""
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _check(units: int, failure_max: float) -> None:
    if units < 0:
        raise InputError(f"a stock of {units} units", fix="give zero or more")
    if not 0.0 <= failure_max <= 1.0:
        raise InputError(f"a failure probability of {failure_max}", fix="give a number from 0 to 1")
