"""What-ifs in bulk in words, for every rendering alike; what the gap leaves open is said to be open."""

from collections.abc import Iterator, Sequence

from acreage.domain.bulk import (
    Bulk,
    ConcentrationPoint,
    FrontierPoint,
    FutureGroup,
    Information,
    Kind,
    Knowledge,
    Sensitivity,
    Signed,
    Waiting,
)
from acreage.domain.plan import OfferVerdict, Range
from acreage.report.evaluation_words import TAIL_MIN
from acreage.report.words import count, date, money, percent, price, signed_money

OPEN = "cannot be told from nothing at this gap"
CLEAR_USD = 1.0


def told(found: Range) -> bool:
    """Whether a difference is proven to be one."""
    return found.low > CLEAR_USD or found.high < -CLEAR_USD


def difference_words(found: Range) -> str:
    """A difference with its proven range, or that there may be none."""
    if max(abs(found.low), abs(found.high)) <= CLEAR_USD:
        return "$0"
    between = f"proven {signed_money(found.low)} to {signed_money(found.high)}"
    words = f"{signed_money(found.found)} ({between})"
    return words if told(found) else f"{words}; {OPEN}"


def value_words(found: Range) -> str:
    """A value that is never negative, with its proven range, or that there may be none."""
    words = f"{money(found.found)} (proven {money(found.low)} to {money(found.high)})"
    return words if found.low > CLEAR_USD else f"{words}; {OPEN}"


def signed_words(signed: Sequence[Signed]) -> str:
    """What a plan signs."""
    return ", ".join(f"{one.offer} ({count(one.accelerators)})" for one in signed) or "nothing"


def walk_away_words(verdict: OfferVerdict) -> str:
    """What encloses a walk-away price: the proof, and other futures; empty where there is no price."""
    walk, other = verdict.walk_away_usd_per_accelerator_hour, verdict.other_futures
    if walk is None:
        return ""
    words = f"proven {price(walk.low)} to {price(walk.high)}"
    if other is None:
        return words
    thin = " at least, few in the tail" if other.tail_futures < TAIL_MIN else ""
    return f"{words}; other futures {price(other.low)} to {price(other.high)}{thin}"


def frontier_cells(point: FrontierPoint) -> tuple[str, ...]:
    """Weight, expected cost, CVaR, gap, what is signed."""
    mark = " (the plan)" if point.is_plan else " (dominated)" if point.is_dominated else ""
    return (
        f"{percent(point.weight_frac)}{mark}",
        money(point.expected_usd),
        money(point.cvar_usd),
        f"{point.gap_frac:.2%}",
        signed_words(point.signed),
    )


def concentration_cells(point: ConcentrationPoint) -> tuple[str, ...]:
    """Cap, extra cost, largest share, HHI, what is signed; or why there is no plan."""
    cap = "no cap" if point.share_max_frac is None else f"at most {percent(point.share_max_frac)}"
    if point.extra_usd is None or point.largest_frac is None or point.hhi is None:
        return cap, "no plan", "", "", point.reason
    extra = difference_words(point.extra_usd)
    return cap, extra, f"{point.largest} {percent(point.largest_frac)}", f"{point.hhi:.2f}", signed_words(point.signed)


def sensitivity_cells(found: Sensitivity) -> tuple[str, ...]:
    """Subject, change, extra cost, what is decided otherwise."""
    extra = difference_words(found.extra_usd) if found.extra_usd is not None else "no plan"
    decides = "; ".join(found.changes) or ("the same decision" if found.extra_usd is not None else "")
    return found.subject, found.change, extra, "; ".join(part for part in (decides, found.note) if part)


def information_cells(found: Information, chance: Information | None) -> tuple[str, ...]:
    """What is known, its value, the part that comes from deciding otherwise, the groups with what they would sign.

    What is worth no more than a split by chance is said to be.
    """
    named = found.about in (Knowledge.DELIVERY, Knowledge.DEMAND)
    noise = named and chance is not None and found.deciding_usd <= chance.deciding_usd
    deciding = money(found.deciding_usd) + (", no more than by chance" if noise else "")
    groups = "; ".join(f"{group.name} ({futures_words(group)}): {signed_words(group.signed)}" for group in found.groups)
    return knowledge_words(found), value_words(found.value_usd), deciding, groups


def futures_words(group: FutureGroup) -> str:
    """How many futures, and how probable they are."""
    return f"{group.futures} future{'' if group.futures == 1 else 's'}, {percent(group.probability_frac)}"


def knowledge_words(found: Information) -> str:
    """What would be known."""
    if found.about is Knowledge.DELIVERY:
        return f"when {found.subject} is delivered"
    if found.about is Knowledge.DEMAND:
        return f"where the demand of {found.subject} ends"
    if found.about is Knowledge.CHANCE:
        return "nothing: futures dealt at random"
    return f"everything ({found.solved_futures} futures solved by themselves)"


def waiting_lines(found: Waiting) -> Iterator[str]:
    """What waiting is worth and what it means."""
    if found.reason:
        yield f"Waiting until {date(found.until_at)} is worth nothing: {found.reason}."
        return
    yield (
        f"Deciding until {date(found.until_at)} what can wait is worth {value_words(found.value_usd)}; "
        f"{money(found.deciding_usd)} of it comes from deciding otherwise."
    )
    yield f"Signed now, as it cannot wait: {signed_words(found.now)}. Can wait: {', '.join(found.can_wait)}."
    for group in found.groups:
        then = f"later sign {signed_words(group.signed)}"
        yield f"If the first quarter goes {group.name} ({futures_words(group)}): {then}."
    yield (
        "The lower end is what plans found save, with one choice for all of what cannot wait; the upper end is what "
        "knowing those groups today would be worth, which waiting never exceeds."
    )


def information_lines(bulk: Bulk) -> Iterator[str]:
    """How the values of information are to be read."""
    chance = _chance(bulk)
    if chance is not None:
        yield (
            f"A split of the futures by chance seems to be worth {money(chance.value_usd.found)} "
            f"({money(chance.deciding_usd)} by deciding): of any value here, about as much is only that fewer futures "
            "are easier to plan for."
        )
    if any(one.value_usd.found - one.deciding_usd > CLEAR_USD for one in bulk.information):
        yield (
            "Value beyond what comes from deciding otherwise is there because risk is measured once something is "
            "known: less is left to bear then, whatever is decided."
        )


def headline(bulk: Bulk) -> str:
    """What is asked and what is left open."""
    asked = ", ".join(kind.value for kind in bulk.kinds)
    gap = bulk.plan_usd.high - bulk.plan_usd.low
    words = f"{asked}: {bulk.solves} solves; the plan itself is known to {money(gap)}"
    if bulk.unanswered:
        words += f"; interrupted, not answered: {', '.join(bulk.unanswered)}"
    return words


HEADS = {
    Kind.FRONTIER: ("Weight of risk", "Expected cost", "CVaR", "Gap", "Signed"),
    Kind.CONCENTRATION: ("Any supplier", "Extra cost", "Largest", "HHI", "Signed"),
    Kind.SENSITIVITY: ("What", "Change", "Extra cost", "Decision"),
    Kind.INFORMATION: ("Known today", "Worth", "By deciding", "What would be signed"),
}
TITLES = {
    Kind.FRONTIER: "Expected cost against risk",
    Kind.CONCENTRATION: "Cost against concentration",
    Kind.SENSITIVITY: "If one figure were another",
    Kind.INFORMATION: "What knowing today would be worth",
    Kind.WAITING: "What waiting a quarter is worth",
}


def rows_of(bulk: Bulk, kind: Kind) -> list[tuple[str, ...]]:
    """The rows of one kind's table, in the order of its heads; sensitivities that cost most first."""
    if kind is Kind.FRONTIER:
        return [frontier_cells(one) for one in bulk.frontier]
    if kind is Kind.CONCENTRATION:
        return [concentration_cells(one) for one in bulk.concentration]
    if kind is Kind.SENSITIVITY:
        return [sensitivity_cells(one) for one in by_size(bulk.sensitivities)]
    return [information_cells(one, _chance(bulk)) for one in bulk.information]


def _chance(bulk: Bulk) -> Information | None:
    return next((one for one in bulk.information if one.about is Knowledge.CHANCE), None)


def by_size(found: Sequence[Sensitivity]) -> list[Sensitivity]:
    """Sensitivities by the largest change of their subject's lever, each subject's steps together."""
    size: dict[tuple[str, str], float] = {}
    for one in found:
        key = (one.lever, one.subject)
        size[key] = max(size.get(key, 0.0), abs(one.extra_usd.found) if one.extra_usd is not None else 0.0)
    return sorted(found, key=lambda one: (-size[one.lever, one.subject], one.lever, one.subject, one.step))
